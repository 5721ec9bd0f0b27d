// Derivatives of the bilinear primitives. They are each other's gradients.
#include "autograd/calls.h"
#include "autograd/differentiable.h"
#include "ops/fir.h"
#include "ops/lag_correlation.h"
#include "ops/lag_product.h"
#include "ops/monic.h"

namespace polezero::autograd {

namespace {

struct Fir : Op<&polezero::fir, 2, 1> {
  // Each input is only read by the gradient of the other.
  static Saves saves(const Need& need) { return {{true, need[0]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
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

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const Lags lags{std::get<0>(attributes), std::get<1>(attributes)};
    return {plus(t[0].defined() ? fir_over_time(t[0], p[1], lags) : Tensor(),
                 t[1].defined() ? fir_over_time(p[0], t[1], lags) : Tensor())};
  }
};

struct Monic : Op<&polezero::monic, 2, 2> {
  // q = c / a_0 for every coefficient c but a_0 itself.
  static Saves saves(const Need& need) { return {{false, true}, {need[1], need[1]}}; }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes&,
                const Need& need) {
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

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes&) {
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
};

struct LagProduct : Op<&polezero::lag_product, 1, 1> {
  static Saves saves(const Need& need) { return {{need[1], need[0]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [g, x] = in;
    const Lags lags{std::get<1>(attributes), std::get<2>(attributes)};
    return {need[0] ? fir_over_time(grads[0], x.conj(), lags) : Tensor(),
            need[1] ? fir_over_time(grads[0], g.conj(), lags.adjoint()) : Tensor()};
  }

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const auto& [taps, shift, reverse] = attributes;
    const Lags lags{shift, reverse};
    return {plus(t[0].defined() ? lag_product(t[0], p[1], taps, lags) : Tensor(),
                 t[1].defined() ? lag_product(p[0], t[1], taps, lags) : Tensor())};
  }
};

struct LagCorrelation : Op<&polezero::lag_correlation, 1, 1> {
  static Saves saves(const Need& need) { return {{need[1], need[0]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes&, const Need& need) {
    const auto& [g, x] = in;
    return {need[0] ? fir(grads[0], x.conj()) : Tensor(),
            need[1] ? fir(grads[0], g.conj(), /*reverse=*/true) : Tensor()};
  }

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const c10::SymInt& taps = std::get<0>(attributes);
    return {plus(t[0].defined() ? lag_correlation(t[0], p[1], taps) : Tensor(),
                 t[1].defined() ? lag_correlation(p[0], t[1], taps) : Tensor())};
  }
};

const Registered<Fir, Monic, LagProduct, LagCorrelation> registered;

}  // namespace

}  // namespace polezero::autograd
