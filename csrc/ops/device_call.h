// What a HostCall and a CudaCall do in the same way: they make of an op's tensors what the Params
// of its kernels point to, and own the memory of copies until the call is over.
#pragma once

#include <c10/util/SmallVector.h>

#include <complex>

#include "ops/checks.h"
#include "ops/rows.h"
#include "params/direct_form.h"

namespace polezero {

// Rows as Params have them; null where there are none.
template <class T>
struct RowPointer {
  T* data = nullptr;
  int64_t stride = 0;
};

// scalar_t is the signal's type, T what stands for it on the device.
template <class scalar_t, class T>
class DeviceCall {
 public:
  using scalar = T;
  using acc = acc_t<T>;

  DeviceCall(const char* op, at::IntArrayRef leading)
      : op_(op), leading_(leading), rows_(c10::multiply_integers(leading)) {}
  DeviceCall(const DeviceCall&) = delete;

  const char* op() const { return op_; }
  at::IntArrayRef leading() const { return leading_; }
  int64_t rows() const { return rows_; }  // B

  // A signal [B, T].
  RowPointer<const T> signal(const Tensor& t) { return pointer<T>(t, rows_of, leading_); }
  // Several signals [B, count, T].
  RowPointer<const T> signals(const Tensor& t) {
    return pointer<T>(t, rows_of, with_last(leading_, t.size(-2)));
  }
  // Coefficients [B, T, taps].
  template <class C = T>
  RowPointer<const C> over_time(const Tensor& c) {
    return pointer<C>(c, time_rows_of, leading_);
  }
  // Coefficients [B, taps] in float64 or complex128.
  template <class A = acc>
  RowPointer<const A> constant(const Tensor& c) {
    const Rows rows = coefficient_sets(c, leading_);
    return {static_cast<const A*>(keep(wide(rows.memory)).const_data_ptr()), rows.stride};
  }
  // States [B, last], in float64 or complex128, for kernels that only read them.
  const acc* states(const Tensor& t) {
    if (!t.defined()) return nullptr;
    return static_cast<const acc*>(keep(wide(dense_rows(t, leading_))).const_data_ptr());
  }
  // Keeps memory alive until the call is over.
  Tensor keep(Tensor t) { return memory_.emplace_back(std::move(t)); }

 protected:
  // What normalise() of either device divides. b and a as the user gave them, undefined: 1;
  // `monic`: `a` holds a_1..a_N.
  GivenFilters given(const Tensor& b, const Tensor& a, bool monic, bool conjugate) {
    GivenFilters f{.monic = monic, .conjugate = conjugate};
    const auto take = [&](const Tensor& c, const void*& data, bool& is_wide, int64_t& stride) {
      if (!c.defined()) return;
      const Rows sets = coefficient_sets(c, leading_);
      data = keep(sets.memory).const_data_ptr();
      is_wide = sets.memory.scalar_type() == wide_type();
      stride = sets.stride;
      if (stride != 0) f.count = rows_;
    };
    take(b, f.b, f.wide_b, f.b_stride);
    take(a, f.a, f.wide_a, f.a_stride);
    if (b.defined()) f.order_b = b.size(-1) - 1;
    if (a.defined()) f.order_a = a.size(-1) - (monic ? 0 : 1);
    return f;
  }
  // All rows' sections sos[..., K, 6] as filters of the second order.
  GivenFilters given_sections(const Tensor& sos, bool conjugate) {
    const Rows sets = coefficient_sets(sos.flatten(-2), leading_);
    const void* data = keep(sets.memory).const_data_ptr();
    const bool is_wide = sets.memory.scalar_type() == wide_type();
    const void* a = is_wide ? static_cast<const void*>(static_cast<const acc*>(data) + 3)
                            : static_cast<const void*>(static_cast<const scalar_t*>(data) + 3);
    return {.b = data,
            .a = a,
            .wide_b = is_wide,
            .wide_a = is_wide,
            .order_b = 2,
            .order_a = 2,
            .conjugate = conjugate,
            .b_stride = 6,
            .a_stride = 6,
            .count = sets.memory.numel() / 6};
  }

  static constexpr at::ScalarType wide_type() {
    return host::is_complex<scalar_t> ? at::kComplexDouble : at::kDouble;
  }

 private:
  template <class U>
  RowPointer<const U> pointer(const Tensor& t, Rows (*as_rows)(const Tensor&, at::IntArrayRef),
                              at::IntArrayRef leading) {
    if (!t.defined()) return {};
    const Rows rows = as_rows(t, leading);
    return {static_cast<const U*>(keep(rows.memory).const_data_ptr()), rows.stride};
  }

  const char* op_;
  at::IntArrayRef leading_;  // of on_device, which outlives the call
  int64_t rows_;
  c10::SmallVector<Tensor, 8> memory_;
};

}  // namespace polezero
