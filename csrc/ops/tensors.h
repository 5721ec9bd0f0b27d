// Small things that filters and their derivatives do with tensors. The last axis is that of time or
// of coefficients; coefficients that may change with time are [..., T, taps], or [..., 1, taps].
#pragma once

#include <ATen/ATen.h>

#include <array>

#include "ops/checks.h"
#include "ops/rows.h"

namespace polezero {

using at::Tensor;

// A size that loops count to: a plain number also where other sizes are symbols, which size() would
// make numbers too.
inline int64_t count_of(const Tensor& t, int64_t axis) {
  return t.sym_size(axis).guard_int(__FILE__, __LINE__);
}
// The conjugate under every transform: that of torch is a view, which forward mode refuses under
// legacy vmap, or, conj_physical, has no batching rule.
inline Tensor conjugated(const Tensor& z) {
  return z.is_complex() ? at::complex(at::real(z), -at::imag(z)) : z;
}
// A sum in which undefined is zero.
inline Tensor plus(const Tensor& u, const Tensor& v) {
  return !u.defined() ? v : !v.defined() ? u : u + v;
}
// The last axis with zeros before and after.
inline Tensor pad_last(const Tensor& t, const c10::SymInt& before, const c10::SymInt& after) {
  return at::constant_pad_nd_symint(t, {before, after});
}
inline Tensor slice_last(const Tensor& t, const c10::SymInt& begin, const c10::SymInt& end) {
  return t.slice_symint(-1, begin, end);
}
// u and v one after the other along the last axis, leading dimensions broadcast.
Tensor join(const Tensor& u, const Tensor& v);

// Coefficients [..., taps] with an axis of time, and whether those that have one are the same at
// all times.
inline Tensor constant(const Tensor& coefficients) { return coefficients.unsqueeze(-2); }
inline bool is_constant(const Tensor& coefficients) { return coefficients.sym_size(-2) == 1; }
// Zeros before and after along the axis of time of coefficients that change.
inline Tensor pad_time(const Tensor& coefficients, const c10::SymInt& before,
                       const c10::SymInt& after) {
  if (is_constant(coefficients)) return coefficients;
  return at::constant_pad_nd_symint(coefficients, {0, 0, before, after});
}
// Formulas that join states and signals are given all in float64 where a state is wider than its
// signal.
inline bool is_wider(const Tensor& state, const Tensor& signal) {
  return state.defined() && state.scalar_type() != signal.scalar_type();
}
// A state, or rest in float64 where it is undefined: what becomes of it is not rounded.
inline Tensor or_rest(const Tensor& state, const c10::SymInt& length, const Tensor& signal) {
  if (state.defined()) return state;
  return at::zeros_symint({length}, signal.options().dtype(acc_type(signal)));
}
template <size_t n>
std::array<Tensor, n> widened(std::array<Tensor, n> tensors) {
  for (Tensor& t : tensors) {
    if (t.defined()) t = wide(t);
  }
  return tensors;
}

}  // namespace polezero
