// y[n] = sum_{k=0..M} b_k x[n-k], zero outside; reversed: y[n] = sum_k b_k x[n+k].
#pragma once

#include "ops/common.h"

namespace polezero {

// b[..., M+1], x[..., T] -> y[..., T]
Tensor fir(const Tensor& b, const Tensor& x, bool reverse);

}  // namespace polezero
