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
  if (need[1]) grad_x = fir_over_time(b.conj(), g, lags.adjoint());
  return {grad_b, grad_x};
}

Tensors<1> Fir::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>&,
                    const Attributes<Fir>& attributes) {
  const Lags lags{std::get<0>(attributes), std::get<1>(attributes)};
  return {plus(t[0].defined() ? fir_over_time(t[0], p[1], lags) : Tensor(),
               t[1].defined() ? fir_over_time(p[0], t[1], lags) : Tensor())};
}

// q = c / a_0 for every coefficient c but a_0 itself.
Saved<Monic> Monic::saves(const Flags<2>& need) { return {{false, true}, {need[1], need[1]}}; }

Tensors<2> Monic::vjp(const Tensors<2>& grads, const Tensors<2>& in, const Tensors<2>& out,
                      const Attributes<Monic>&, const Flags<2>& need) {
  const Tensor a0 = in[1].slice(-1, 0, 1).conj();
  const Tensor grad_b = grads[0] / a0;
  if (!need[1]) return {grad_b, Tensor()};
  const Tensor grad_a = grads[1].defined() ? grads[1] / a0 : at::zeros_like(out[1]);
  // the quotients of b may have more rows, or more times, than a has
  const Tensor from_b = (grad_b * out[0].conj()).sum(-1, /*keepdim=*/true);
  const Tensor from_a = (grad_a * out[1].conj()).sum(-1, /*keepdim=*/true);
  const Tensor grad_a0 = -(at::sum_to(from_b, from_a.sym_sizes()) + from_a);
  return {grad_b, join(grad_a0, grad_a)};
}

Tensors<2> Monic::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<2>& out,
                      const Attributes<Monic>&) {
  const Tensor a0 = p[1].slice(-1, 0, 1);
  Tensor b = t[0], a;
  if (t[1].defined()) {
    const Tensor tangent = t[1].slice(-1, 0, 1);
    b = plus(b, -out[0] * tangent);
    a = (t[1].slice(-1, 1) - out[1] * tangent) / a0;
  } else {
    a = at::zeros_like(out[1]);
  }
  return {(b / a0).expand_symint(out[0].sym_sizes()), a};
}

Saved<LagProduct> LagProduct::saves(const Flags<2>& need) { return {{need[1], need[0]}, {}}; }

Tensors<2> LagProduct::vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>&,
                           const Attributes<LagProduct>& attributes, const Flags<2>& need) {
  const auto& [g, x] = in;
  const Lags lags{std::get<1>(attributes), std::get<2>(attributes)};
  return {need[0] ? fir_over_time(grads[0], x.conj(), lags) : Tensor(),
          need[1] ? fir_over_time(grads[0], g.conj(), lags.adjoint()) : Tensor()};
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
