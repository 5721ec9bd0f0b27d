// What every op's front shares: checks that name the argument, leading dimensions that broadcast,
// and flat rows for the kernels. Letters as in the docs: B rows, T samples, P = max(M, N).
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <optional>
#include <vector>

#include "params/lfilter.h"

namespace polezero {

#if defined(POLEZERO_WITH_CUDA)
inline constexpr bool kWithCuda = true;
#else
inline constexpr bool kWithCuda = false;  // csrc/kernels/cuda was not built
#endif

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

// An argument, its name in messages, and how many dimensions, the last ones, are the op's own.
struct Argument {
  const char* name;
  const Tensor& tensor;
  int64_t core_dims = 1;
  bool over_time = false;  // its last dimension but one is that of time
  bool optional = false;
};

// The leading dimensions (all but the core dimensions) of the defined arguments, broadcast.
c10::SymDimVector broadcast_leading(const char* op, std::initializer_list<Argument> arguments);

// `leading` with one more dimension.
c10::SymDimVector with_last(const c10::SymDimVector& leading, c10::SymInt last);
at::DimVector with_last(at::IntArrayRef leading, int64_t last);

// The sizes of tensors that have memory.
at::DimVector concrete(const c10::SymDimVector& sizes);

// Uninitialised [leading..., last], or shape [0] in place of what nobody needs.
Tensor empty_if(bool needed, const c10::SymDimVector& leading, const c10::SymInt& last,
                const at::TensorOptions& options);

inline Tensor value_or_undefined(const OptionalTensor& t) { return t.has_value() ? *t : Tensor(); }

// Signals: float32, float64, complex64 or complex128, at least one dimension.
void check_signal(const char* op, const Argument& signal);
// Same device and dtype as the signal.
void check_like(const char* op, const Argument& argument, const Argument& signal);
// Same device as the signal; its dtype or the wider one of its kind; `taps_at_least` on the last
// axis.
void check_coefficients(const char* op, const Argument& coefficients, const Argument& signal,
                        int64_t taps_at_least);
// Coefficients [..., T, taps], then in the signal's dtype, or [..., 1, taps] for constant ones; a
// shift of 0, or of -1 (reversed: 1).
void check_time_axis(const char* op, const Argument& coefficients, const c10::SymInt& T);
void check_lags(const char* op, int64_t shift, bool reverse);
void check_taps(const char* op, const c10::SymInt& taps);
// `length` along the last axis.
void check_last(const char* op, const Argument& argument, const c10::SymInt& length,
                const char* what);
// The CPU has kernels, and in a build with CUDA a GPU.
void check_has_kernels(const char* op, const Tensor& signal);

// The accumulator's dtype: float64 or complex128.
at::ScalarType acc_type(const Tensor& signal);

// [B, T] in memory: rows at a constant stride, time contiguous.
template <class scalar_t>
struct Rows {
  Tensor keep;  // owns the memory
  const scalar_t* data = nullptr;
  int64_t stride = 0;
};

// `t`, expanded to `leading`, as rows. Copies only what has no such form.
template <class scalar_t>
Rows<scalar_t> rows_of(const Tensor& t, at::IntArrayRef leading);

// Coefficients [..., T, taps] as rows of T * taps; the stride is 0 where all rows share them.
template <class scalar_t>
Rows<scalar_t> time_rows_of(const Tensor& coefficients, at::IntArrayRef leading);

// [B, last] copied and widened to float64; zeros where `t` is undefined.
template <class scalar_t>
std::vector<acc_t<scalar_t>> widened_rows(const Tensor& t, at::IntArrayRef leading, int64_t last);

// States [B, last] in memory.
Tensor dense_rows(const Tensor& t, at::IntArrayRef leading);

// The inverse of widened_rows: states [B, last] of a kernel, narrowed, into an output that may be a
// placeholder.
template <class scalar_t>
void put_rows(const std::vector<acc_t<scalar_t>>& rows, const Tensor& out);

// The elements of an output, null where it was not needed.
template <class T>
T* mutable_data(const Tensor& t) {
  return t.numel() == 0 ? nullptr : static_cast<T*>(t.mutable_data_ptr());
}

using host::conjugate;

// Coefficients [taps] where all rows share them, else [B, taps], contiguous.
Tensor coefficient_sets(const Tensor& t, at::IntArrayRef leading);
// The same in float64 or complex128; the stride is 0 where all rows share them.
template <class acc>
Rows<acc> wide_sets(const Tensor& t, at::IntArrayRef leading) {
  const auto dtype = host::is_complex<acc> ? at::kComplexDouble : at::kDouble;
  Rows<acc> rows{coefficient_sets(t, leading).to(dtype)};
  rows.data = static_cast<const acc*>(rows.keep.const_data_ptr());
  rows.stride = rows.keep.dim() == 1 ? 0 : rows.keep.size(-1);
  return rows;
}

// Coefficients, widened: one set when all rows share it, else one a row.
template <class acc>
struct CoefficientRows {
  int64_t taps;
  int64_t row_stride;  // 0: shared
  std::vector<acc> values;
  const acc* row(int64_t r) const { return values.data() + r * row_stride; }
};
template <class acc>
CoefficientRows<acc> coefficient_rows(const Tensor& t, at::IntArrayRef leading);

int64_t product(at::IntArrayRef sizes);

// Normalised filters for the kernels: b / a_0 and a / a_0, padded to P, optionally conjugated.
template <class scalar_t>
struct NormalisedFilters {
  std::vector<acc_t<scalar_t>> b, a, a0;
  Filters<scalar_t> view;
};
template <class scalar_t>
NormalisedFilters<scalar_t> normalise(const char* op, const Tensor& b, const Tensor& a,
                                      at::IntArrayRef leading, bool conjugate);
// b = 1 and a_0 = 1: `a` holds a_1..a_N.
template <class scalar_t>
NormalisedFilters<scalar_t> normalise_monic(const Tensor& a, at::IntArrayRef leading,
                                            bool conjugate);
// a = 1.
template <class scalar_t>
NormalisedFilters<scalar_t> normalise_fir(const Tensor& b, at::IntArrayRef leading, bool conjugate);

}  // namespace polezero

// Calls the body with scalar_t = float, double, std::complex<float>, std::complex<double>.
#define POLEZERO_DISPATCH(signal, ...)                                        \
  [&] {                                                                       \
    switch ((signal).scalar_type()) {                                         \
      case at::kFloat: {                                                      \
        using scalar_t = float;                                               \
        return __VA_ARGS__();                                                 \
      }                                                                       \
      case at::kDouble: {                                                     \
        using scalar_t = double;                                              \
        return __VA_ARGS__();                                                 \
      }                                                                       \
      case at::kComplexFloat: {                                               \
        using scalar_t = std::complex<float>;                                 \
        return __VA_ARGS__();                                                 \
      }                                                                       \
      case at::kComplexDouble: {                                              \
        using scalar_t = std::complex<double>;                                \
        return __VA_ARGS__();                                                 \
      }                                                                       \
      default: TORCH_INTERNAL_ASSERT(false, "check_signal let a dtype pass"); \
    }                                                                         \
  }()
