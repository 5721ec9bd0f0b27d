// y[n] = sum_{k=0..M} b_k[n + s k] x[n-k], zero outside; reversed: x[n+k] for x[n-k].
#pragma once

#include "ops/checks.h"

namespace polezero {

// b[..., T, M+1] or b[..., 1, M+1], x[..., T] -> y[..., T]
Tensor fir(const Tensor& b, const Tensor& x, int64_t shift, bool reverse);

}  // namespace polezero
