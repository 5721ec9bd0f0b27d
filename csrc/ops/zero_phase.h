// A filter forth and back over a signal, y = F^H F x, with the signal extended at both ends.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// Before x[..., T] come `length` samples of_end * x[0] + of_mirrored * x[length - n], behind it as
// many, likewise of the last sample and those before it. The filter is K filters one after another,
// b_0..b_M in b[..., K, M+1] and a_1..a_N in a[..., K, N] (a_0 = 1): one of any order, or several
// of order 2. It begins in the state zi[..., K, P] times its first sample, and F^H, backwards in
// time and with conjugate coefficients, in the state adjoint_zi[..., K, P] of lfilter_backward
// times its first one, the last. Between the two the signal is float64 or complex128.
Tensor zero_phase_forward(const Tensor& b, const Tensor& a, const Tensor& zi,
                          const Tensor& adjoint_zi, const Tensor& x, c10::SymInt length,
                          double of_end, double of_mirrored);

// (grad_b, grad_a, grad_zi, grad_adjoint_zi, in float64, grad_x), one row for each row of the
// broadcast problem; what is not needed comes back with shape [0]. Needs x for those of the filter:
// the signal is filtered once more, not kept.
std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> zero_phase_backward(
    const Tensor& grad_y, const Tensor& b, const Tensor& a, const Tensor& zi,
    const Tensor& adjoint_zi, const OptionalTensor& x, c10::SymInt length, double of_end,
    double of_mirrored, bool need_filter, bool need_x);

}  // namespace polezero
