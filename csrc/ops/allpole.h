// y[n] = x[n] - sum_{i=1..N} a_i[n + s i] y[n-i], time on the last axis, leading dimensions
// broadcast. Reversed: y[n+i] for y[n-i].
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// a[..., T, N] or a[..., 1, N] (a_1..a_N), x[..., T], zi[..., N] or none -> y[..., T].
// zi_k = y[-k], newest first; reversed, zi_k = y[T-1+k]; with a time axis only where the shift is
// 0. `two_pass` only says how the gradient of constant coefficients is computed.
Tensor allpole_forward(const Tensor& a, const Tensor& x, const OptionalTensor& zi, int64_t shift,
                       bool reverse, bool two_pass);

// One-pass backward of allpole_forward; with constant coefficients, of one that is not reversed.
// Returns (grad_a[..., T, N], or of constant coefficients [..., 1, N] in float64, grad_x[..., T],
// grad_zi[..., N] in float64), one row for each row of the broadcast problem; what is not needed
// comes back with shape [0]. Needs y, and zi where the filter had one, for grad_a.
std::tuple<Tensor, Tensor, Tensor> allpole_backward(const Tensor& grad_y, const Tensor& a,
                                                    const OptionalTensor& y,
                                                    const OptionalTensor& zi, bool need_a,
                                                    bool need_x, bool need_zi, int64_t shift,
                                                    bool reverse);

}  // namespace polezero
