// What every op's front asks of its arguments, in sentences that name the op and the argument, and
// the leading dimensions, which broadcast.
#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <optional>

namespace polezero {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

inline Tensor value_or_undefined(const OptionalTensor& t) { return t.has_value() ? *t : Tensor(); }

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

// Uninitialised [leading..., last], or shape [0] in place of what nobody needs.
Tensor empty_if(bool needed, const c10::SymDimVector& leading, const c10::SymInt& last,
                const at::TensorOptions& options);

// The accumulator's dtype: float64 or complex128.
at::ScalarType acc_type(const Tensor& signal);

// Signals: float32, float64, complex64 or complex128, at least one dimension.
void check_signal(const char* op, const Argument& signal);
void check_not_scalar(const char* op, const Argument& argument);
void check_on_device_of(const char* op, const Argument& argument, const Argument& signal);
// Same device and dtype as the signal.
void check_like(const char* op, const Argument& argument, const Argument& signal);
// Same device as the signal; its dtype or the wider one of its kind; `taps_at_least` on the last
// axis.
void check_coefficients(const char* op, const Argument& coefficients, const Argument& signal,
                        int64_t taps_at_least);
// States: same device as the signal; its dtype or the wider one of its kind.
void check_state(const char* op, const Argument& state, const Argument& signal);
// Coefficients [..., T, taps], then in the signal's dtype, or [..., 1, taps] for constant ones; a
// shift of 0, or of -1 (reversed: 1).
void check_time_axis(const char* op, const Argument& coefficients, const c10::SymInt& T);
void check_lags(const char* op, int64_t shift, bool reverse);
void check_taps(const char* op, const c10::SymInt& taps);
// `length` along the last axis.
void check_last(const char* op, const Argument& argument, const c10::SymInt& length,
                const char* what);

}  // namespace polezero
