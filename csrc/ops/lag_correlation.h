// c_k = sum_n g[n] x[n-k], k = 0..taps-1, no conjugate: what the gradient of a filter's
// coefficients is made of.
#pragma once

#include "ops/checks.h"

namespace polezero {

// g[..., T], x[..., T] -> c[..., taps] in float64 (complex128)
Tensor lag_correlation(const Tensor& g, const Tensor& x, c10::SymInt taps);

}  // namespace polezero
