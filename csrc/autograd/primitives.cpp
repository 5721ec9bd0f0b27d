// Derivatives of the bilinear primitives. They are each other's gradients.
#include "autograd/ops.h"

namespace polezero::autograd {

Tensor join(const Tensor& u, const Tensor& v) {
  const auto leading = [](const Tensor& t) { return t.sym_sizes().slice(0, t.dim() - 1); };
  const auto sizes = at::infer_size_symdimvector(leading(u), leading(v));
  auto expand = [&](const Tensor& t) {
    c10::SymDimVector full(sizes.begin(), sizes.end());
    full.push_back(t.sym_size(-1));
    return t.expand_symint(full);
  };
  return at::cat({expand(u), expand(v)}, -1);
}

// Each input is only read by the gradient of the other.
Saved<Fir> Fir::saves(const Flags<2>& need) { return {{true, need[0]}, {}}; }

Tensors<2> Fir::vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>&,
                    const Attributes<Fir>& attributes, const Flags<2>& need) {
  const auto& [b, x] = in;
  const Tensor& g = grads[0];
  const Lags lags{std::get<0>(attributes), std::get<1>(attributes)};
  Tensor grad_b, grad_x;
  if (need[0]) {
    const c10::SymInt taps = b.sym_size(-1);
    grad_b = !is_constant(b) ? lag_product(g, x.conj(), taps, lags)
             : lags.reverse  ? constant(lag_correlation(x.conj(), g, taps))
                             : constant(lag_correlation(g, x.conj(), taps));
  }
  if (need[1]) grad_x = lpv_fir(b.conj(), g, lags.adjoint());
  return {grad_b, grad_x};
}

Tensors<1> Fir::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>&,
                    const Attributes<Fir>& attributes) {
  const Lags lags{std::get<0>(attributes), std::get<1>(attributes)};
  return {plus(t[0].defined() ? lpv_fir(t[0], p[1], lags) : Tensor(),
               t[1].defined() ? lpv_fir(p[0], t[1], lags) : Tensor())};
}

Saved<LagProduct> LagProduct::saves(const Flags<2>& need) { return {{need[1], need[0]}, {}}; }

Tensors<2> LagProduct::vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>&,
                           const Attributes<LagProduct>& attributes, const Flags<2>& need) {
  const auto& [g, x] = in;
  const Lags lags{std::get<1>(attributes), std::get<2>(attributes)};
  return {need[0] ? lpv_fir(grads[0], x.conj(), lags) : Tensor(),
          need[1] ? lpv_fir(grads[0], g.conj(), lags.adjoint()) : Tensor()};
}

Tensors<1> LagProduct::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>&,
                           const Attributes<LagProduct>& attributes) {
  const auto& [taps, shift, reverse] = attributes;
  const Lags lags{shift, reverse};
  return {plus(t[0].defined() ? lag_product(t[0], p[1], taps, lags) : Tensor(),
               t[1].defined() ? lag_product(p[0], t[1], taps, lags) : Tensor())};
}

Saved<LagCorrelation> LagCorrelation::saves(const Flags<2>& need) {
  return {{need[1], need[0]}, {}};
}

Tensors<2> LagCorrelation::vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>&,
                               const Attributes<LagCorrelation>&, const Flags<2>& need) {
  const auto& [g, x] = in;
  return {need[0] ? fir(grads[0], x.conj()) : Tensor(),
          need[1] ? fir(grads[0], g.conj(), /*reverse=*/true) : Tensor()};
}

Tensors<1> LagCorrelation::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>&,
                               const Attributes<LagCorrelation>& attributes) {
  const c10::SymInt& taps = std::get<0>(attributes);
  return {plus(t[0].defined() ? lag_correlation(t[0], p[1], taps) : Tensor(),
               t[1].defined() ? lag_correlation(p[0], t[1], taps) : Tensor())};
}

}  // namespace polezero::autograd
