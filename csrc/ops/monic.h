// b / a_0 and a_1..a_N / a_0: filters whose coefficients change with time, as the primitives take
// them.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// Whose a_0 it is, for the message where it is 0.
enum class MonicCaller : int64_t { lfilter, tdf2_ssm, sosfilt, parallel };

// b[..., T or 1, M+1], a[..., T or 1, N+1] -> b[..., T or 1, M+1], a[..., T or 1, N]
std::tuple<Tensor, Tensor> monic(const Tensor& b, const Tensor& a, int64_t caller);

}  // namespace polezero
