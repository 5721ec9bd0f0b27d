// y = (B(z) / A(z)) x, time on the last axis, leading dimensions broadcast.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// P: the number of states.
inline c10::SymInt max_order(const Tensor& b, const Tensor& a) {
  return std::max(b.sym_size(-1), a.sym_size(-1)) - 1;
}

// b[..., M+1], a[..., N+1] (a_0 included and divided out in float64), x[..., T],
// zi[..., P] or none -> y[..., T], zf[..., P] (zf[0] without zi). zi and zf are SciPy's state of
// transposed direct form II. `two_pass` only says how the gradient is computed.
std::tuple<Tensor, Tensor> lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                           const OptionalTensor& zi, bool two_pass);

// One-pass backward of lfilter_forward: one reverse recurrence, fused with the reductions for
// grad_b and grad_a. Returns (grad_b[..., M+1], grad_a[..., N+1], grad_x[..., T],
// grad_zi[..., P]), one row for each row of the broadcast problem, all but grad_x in float64; what
// is not needed comes back with shape [0]. Needs x for grad_b; y, and zi and zf where the filter
// had them, for grad_a.
std::tuple<Tensor, Tensor, Tensor, Tensor> lfilter_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf, const Tensor& b, const Tensor& a,
    const OptionalTensor& x, const OptionalTensor& y, const OptionalTensor& zi,
    const OptionalTensor& zf, bool need_b, bool need_a, bool need_x, bool need_zi);

}  // namespace polezero
