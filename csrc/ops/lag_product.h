// c_k[n + s k] = g[n] x[n-k], k = 0..taps-1 (reversed: x[n+k]), no conjugate: what the gradient of
// coefficients that change with time is made of. Its sum over time is lag_correlation.
#pragma once

#include "ops/checks.h"

namespace polezero {

// g[..., T], x[..., T] -> c[..., T, taps]
Tensor lag_product(const Tensor& g, const Tensor& x, c10::SymInt taps, int64_t shift, bool reverse);

}  // namespace polezero
