// A cascade of second-order sections, time on the last axis, leading dimensions broadcast.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// sos[..., K, 6] (b_0 b_1 b_2 a_0 a_1 a_2, a_0 divided out in float64), x[..., T], zi[..., K, 2] or
// none -> y[..., T], zf[..., K, 2] (zf[0] without zi). zi and zf are SciPy's.
std::tuple<Tensor, Tensor> sosfilt_forward(const Tensor& sos, const Tensor& x,
                                           const OptionalTensor& zi);

// (grad_sos[..., K, 6] and grad_zi[..., K, 2] in float64, grad_x[..., T]), one row for each row of
// the broadcast problem; what is not needed comes back with shape [0]. Needs x, and zi where the
// filter had one, for grad_sos: the sections are filtered once more, not kept.
std::tuple<Tensor, Tensor, Tensor> sosfilt_backward(const Tensor& grad_y,
                                                    const OptionalTensor& grad_zf,
                                                    const Tensor& sos, const OptionalTensor& x,
                                                    const OptionalTensor& zi, bool need_sos,
                                                    bool need_x, bool need_zi);

}  // namespace polezero
