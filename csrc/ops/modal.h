// Banks of modes; csrc/params/modal.h has the equations. Time is on the last axis, leading
// dimensions broadcast; poles, gains and zi are complex, signals real. Nothing is conjugated.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// y[n] = Re sum_kj g_kj s_k^(j)[n] of poles[..., K], gains[..., K, J], x[..., T]; with zi[..., K] =
// s^(0)[-1] also zf = s^(0)[T-1], complex128. Reversed it runs backwards in time, from rest.
std::tuple<Tensor, Tensor> modal_bank_forward(const Tensor& poles, const Tensor& gains,
                                              const Tensor& x, const OptionalTensor& zi,
                                              bool reverse);

// c_kj = sum_n g[n] s_k^(j)[n] for j < orders, of g[..., T], x[..., T]: [..., K, orders],
// complex128.
Tensor modal_correlation(const Tensor& poles, const Tensor& g, const Tensor& x,
                         const OptionalTensor& zi, c10::SymInt orders);

}  // namespace polezero
