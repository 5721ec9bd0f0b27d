// Derivatives of banks of modes. Both ops are derivatives of one form,
//
//   F = sum_n g[n] Re sum_kj G_kj s_k^(j)[n],
//
// the bank by g, the correlation by G; and by x it is the bank backwards in time, by a pole the
// same with s^(j+1) in place of s^(j): math in docs/maths_structures.md. No states are kept.
#include "ops/modal.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

Tensor modal_bank(const Tensor& poles, const Tensor& gains, const Tensor& x, const Tensor& zi = {},
                  bool reverse = false) {
  return call<&polezero::modal_bank_forward>({poles, gains, x, zi}, {reverse})[0];
}
Tensor correlation(const Tensor& poles, const Tensor& g, const Tensor& x, const Tensor& zi,
                   const c10::SymInt& orders) {
  return call<&polezero::modal_correlation>({poles, g, x, zi}, {orders})[0];
}

// (j + 1) G_j, the gains of s^(j+1) in the derivative by the pole.
Tensor of_next(const Tensor& gains) {
  return gains * at::arange(1, gains.sym_size(-1) + 1, gains.options().dtype(at::kDouble));
}

Tensor silence(const Tensor& x) { return at::zeros_symint({x.sym_size(-1)}, x.options()); }

struct Form {
  Tensor poles, gains, g, x, zi{};

  c10::SymInt orders() const { return gains.sym_size(-1); }
  Tensor by_g() const { return modal_bank(poles, gains, x, zi); }
  Tensor by_x() const { return modal_bank(poles, gains, g, {}, /*reverse=*/true); }
  // The derivatives by the gains and, for the poles, of one order more.
  Tensor correlations(bool of_poles) const {
    return correlation(poles, g, x, zi, of_poles ? orders() + 1 : orders());
  }
  // The gradients, conjugated, of correlations.
  Tensor grad_gains(const Tensor& c) const { return c.slice_symint(-1, 0, orders()).conj(); }
  Tensor grad_poles(const Tensor& c) const {
    return (of_next(gains) * c.slice(-1, 1)).sum(-1).conj();
  }
  Tensor grad_zi() const {
    const Tensor c = correlation(poles, g, silence(g), at::ones_like(zi), orders());
    return (gains * c).sum(-1).conj();
  }
};

// zf as a correlation: with the last sample, of one order.
Tensor last_sample(const Tensor& x) {
  return pad_last(at::ones({1}, x.options()), x.sym_size(-1) - 1, 0);
}

Tensor tangent_of_correlation(const Tensors<4>& p, const Tensors<4>& t, const c10::SymInt& orders) {
  const auto& [poles, g, x, zi] = p;
  Tensor tangent;
  if (t[0].defined()) {
    const Tensor c = correlation(poles, g, x, zi, orders + 1);
    tangent = of_next(c.slice(-1, 1)) * t[0].unsqueeze(-1);
  }
  if (t[1].defined()) tangent = plus(tangent, correlation(poles, t[1], x, zi, orders));
  if (t[2].defined() || t[3].defined()) {
    const Tensor u = t[2].defined() ? t[2] : silence(x);
    tangent = plus(tangent, correlation(poles, g, u, t[3], orders));
  }
  return tangent;
}

struct ModalBankForward : Op<&polezero::modal_bank_forward, 1, 2, 1, 1> {
  static Saves saves(const Need& need) {
    const bool correlates = need[0] || need[1];
    return {{true, true, correlates, correlates || need[3]}, {}};
  }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const bool reverse = std::get<0>(attributes);
    const auto& [poles, gains, x, zi] = in;
    const Tensor &grad_y = grads[0], &grad_zf = grads[1];
    const Form y = reverse ? Form{poles, gains, x, grad_y} : Form{poles, gains, grad_y, x, zi};
    Tensors<4> r;
    if (need[0] || need[1]) {
      const Tensor c = y.correlations(need[0]);
      if (need[0]) r[0] = y.grad_poles(c);
      if (need[1]) r[1] = y.grad_gains(c);
    }
    if (need[2]) r[2] = reverse ? y.by_g() : y.by_x();
    if (need[3]) r[3] = y.grad_zi();
    if (!grad_zf.defined()) return r;
    if (grad_y.sym_size(-1) == 0) return {r[0], r[1], r[2], grad_zf};  // zf is zi
    const Form zf{poles, grad_zf.conj().unsqueeze(-1), last_sample(grad_y), x, zi};
    if (need[0]) r[0] = r[0] + zf.grad_poles(zf.correlations(true));
    if (need[2]) r[2] = r[2] + zf.by_x();
    if (need[3]) r[3] = r[3] + zf.grad_zi();
    return r;
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const bool reverse = std::get<0>(attributes);
    const auto& [poles, gains, x, zi] = p;
    Tensor tangent_gains = t[1], y;
    if (t[0].defined()) {
      const Tensor next = pad_last(of_next(gains) * t[0].unsqueeze(-1), 1, 0);
      tangent_gains = plus(next, t[1].defined() ? pad_last(t[1], 0, 1) : Tensor());
    }
    if (tangent_gains.defined()) y = modal_bank(poles, tangent_gains, x, zi, reverse);
    if (t[2].defined() || t[3].defined()) {
      const Tensor u = t[2].defined() ? t[2] : silence(x);
      y = plus(y, modal_bank(poles, gains, u, t[3], reverse));
    }
    Tensor zf;
    if (zi.defined() && x.sym_size(-1) == 0) {
      zf = t[3];
    } else if (zi.defined()) {
      zf = tangent_of_correlation({poles, last_sample(x), x, zi}, {t[0], Tensor(), t[2], t[3]}, 1);
      if (zf.defined()) zf = zf.squeeze(-1);
    }
    const auto like = [](const Tensor& tangent, const Tensor& value) {
      return tangent.defined() ? tangent.to(value.scalar_type()).expand_symint(value.sym_sizes())
                               : tangent;
    };
    return {like(y, out[0]), like(zf, out[1])};
  }
};

struct ModalCorrelation : Op<&polezero::modal_correlation, 1, 1, 1, 1> {
  static Saves saves(const Need& need) {
    const bool bank = need[0] || need[1];
    return {{true, need[0] || need[2] || need[3], bank, bank || need[3]}, {}};
  }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes&, const Need& need) {
    const auto& [poles, g, x, zi] = in;
    const Form f{poles, grads[0].conj(), g, x, zi};
    Tensors<4> r;
    if (need[0]) r[0] = f.grad_poles(f.correlations(true));
    if (need[1]) r[1] = f.by_g();
    if (need[2]) r[2] = f.by_x();
    if (need[3]) r[3] = f.grad_zi();
    return r;
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const Tensor tangent = tangent_of_correlation(p, t, std::get<0>(attributes));
    return {tangent.expand_symint(out[0].sym_sizes())};
  }
};

const Registered<ModalBankForward, ModalCorrelation> registered;

}  // namespace

}  // namespace polezero::autograd
