// b / a_0 and a_1..a_N / a_0: filters whose coefficients change with time, as the primitives take
// them.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// b[..., T or 1, M+1], a[..., T or 1, N+1] -> b[..., T or 1, M+1], a[..., T or 1, N]
std::tuple<Tensor, Tensor> monic(const Tensor& b, const Tensor& a);

}  // namespace polezero
