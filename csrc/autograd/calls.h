// The differentiable calls that filters and derivatives are written with.
#pragma once

#include "autograd/op.h"
#include "ops/allpole.h"
#include "ops/fir.h"
#include "ops/lag_correlation.h"
#include "ops/lag_product.h"
#include "ops/lfilter.h"
#include "ops/monic.h"
#include "ops/tensors.h"
#include "params/lpv.h"

namespace polezero::autograd {

inline Tensors<2> lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                  const Tensor& zi = {}) {
  return call<&polezero::lfilter_forward>({b, a, x, zi}, {false});
}

// Coefficients [..., T, taps], or [..., 1, taps]: the same at all times.
inline Tensor allpole_over_time(const Tensor& a, const Tensor& x, const Tensor& zi,
                                const Lags& lags) {
  return call<&polezero::allpole_forward>({a, x, zi}, {lags.shift, lags.reverse, false})[0];
}
inline Tensor fir_over_time(const Tensor& b, const Tensor& x, const Lags& lags) {
  return call<&polezero::fir>({b, x}, {lags.shift, lags.reverse})[0];
}
inline Tensor lag_product(const Tensor& g, const Tensor& x, const c10::SymInt& taps,
                          const Lags& lags) {
  return call<&polezero::lag_product>({g, x}, {taps, lags.shift, lags.reverse})[0];
}

inline std::pair<Tensor, Tensor> monic(const Tensor& b, const Tensor& a) {
  const auto [q, p] = call<&polezero::monic>({b, a}, {});
  return {q, p};
}

// Coefficients [..., taps].
inline Tensor allpole_forward(const Tensor& a, const Tensor& x, const Tensor& zi = {},
                              bool reverse = false) {
  return allpole_over_time(constant(a), x, zi, {0, reverse});
}
inline Tensor fir(const Tensor& b, const Tensor& x, bool reverse = false) {
  return fir_over_time(constant(b), x, {0, reverse});
}
inline Tensor lag_correlation(const Tensor& g, const Tensor& x, const c10::SymInt& taps) {
  return call<&polezero::lag_correlation>({g, x}, {taps})[0];
}

}  // namespace polezero::autograd
