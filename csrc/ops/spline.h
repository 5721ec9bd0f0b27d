// B-splines of coefficients c[..., K] that are mirrored beyond their ends with whole-sample or
// half-sample symmetry; csrc/params/spline.h has the equations.
#pragma once

#include "ops/checks.h"

namespace polezero {

// gain / (A(z) A(1/z)) of x mirrored beyond its ends again and again, A = 1 + a1/z + a2/z^2.
Tensor symmetric_filter(const Tensor& x, double a1, double a2, double gain, bool whole_sample);

// The spline of `degree` 2 or 3, or its derivative, at t[..., P] floating: y[..., P]; or the
// transposed, x[..., P] -> [..., knots], which alone reads `knots`.
Tensor spline_eval(const Tensor& x, const Tensor& t, int64_t degree, bool whole_sample,
                   int64_t derivative, bool transposed, c10::SymInt knots);
// The cubic spline at 0, 1/m, 2/m .. K - 1: [..., (K - 1) m + 1]; or the transposed.
Tensor spline_upsample(const Tensor& x, c10::SymInt factor, bool whole_sample, bool transposed);

}  // namespace polezero
