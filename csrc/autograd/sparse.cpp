// Derivatives of sparse filters: with S of csrc/params/sparse.h they are (1 + S)^-1, S, and their
// transposes, so each one's gradients are made of another, and those of delays between samples of
// the same with taps that read a derivative; math in docs/maths_structures.md.
#include "ops/sparse.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

// How taps read: by which interpolation, and which derivative of it.
struct Read {
  int64_t interpolation_order, derivative;
  Read derived() const { return {interpolation_order, derivative + 1}; }
};

Tensor sparse_allpole(const Tensor& a, const Tensor& delays, const Tensor& x,
                      const c10::SymInt& past, bool transposed, int64_t interpolation_order) {
  return call<&polezero::sparse_allpole_forward>({a, delays, x},
                                                 {past, transposed, false, interpolation_order})[0];
}
Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, const c10::SymInt& past,
                  bool transposed, const Read& read) {
  return call<&polezero::sparse_fir>(
      {b, delays, x}, {past, transposed, read.interpolation_order, read.derivative})[0];
}
Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays,
                      const c10::SymInt& past, bool sum, const Read& read) {
  return call<&polezero::sparse_product>({g, x, delays},
                                         {past, sum, read.interpolation_order, read.derivative})[0];
}

// The gradients of c and d in y = S(c, d) x: g is grad_y and x conjugated; of S^T x the two change
// places.
struct TapGradients {
  Tensor c, d;
};
TapGradients tap_gradients(const Tensor& g, const Tensor& x, const Tensor& c, const Tensor& delays,
                           const c10::SymInt& past, const Read& read, const Flags<3>& need) {
  TapGradients grad;
  if (need[0]) grad.c = sparse_product(g, x, delays, past, is_constant(c), read);
  if (need[1]) {
    const bool sum = is_constant(c) && is_constant(delays);
    grad.d = at::real(c.conj() * sparse_product(g, x, delays, past, sum, read.derived()));
  }
  return grad;
}

// c times how delays move, in the dtype of the signal x.
Tensor moved(const Tensor& c, const Tensor& tangent, const Tensor& x) {
  return (c * tangent).to(x.scalar_type());
}

struct SparseAllpole : Op<&polezero::sparse_allpole_forward, 2, 2, 1> {
  static Saves saves(const Need& need) { return {{true, true, false}, {need[0] || need[1]}}; }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const auto& [a, delays, x] = in;
    const auto& [past, transposed, two_pass, interpolation_order] = attributes;
    const Read read{interpolation_order, 0};
    const Tensor &g = grads[0], &y = out[0];
    Tensor lambda;
    if (need[2] || !two_pass) {
      lambda = sparse_allpole(a.conj(), delays, g, past, !transposed, interpolation_order);
    }
    if (two_pass) {
      Tensor grad_a;
      if (need[0]) {
        const Tensor one = at::ones_like(a);
        const Tensor psi = sparse_allpole(a, delays, sparse_fir(one, delays, y, past, false, read),
                                          past, false, interpolation_order);
        grad_a = -constant(lag_correlation(g, psi.conj(), 1));
      }
      return {grad_a, Tensor(), lambda};
    }
    if (!need[0] && !need[1]) return {Tensor(), Tensor(), lambda};
    const Tensor c = need[1] ? -a : a;  // S(-a) y: for the gradient to d
    const TapGradients grad = transposed
                                  ? tap_gradients(y.conj(), lambda, c, delays, past, read, need)
                                  : tap_gradients(lambda, y.conj(), c, delays, past, read, need);
    return {need[0] ? -grad.c : Tensor(), grad.d, lambda};
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const auto& [a, delays, x] = p;
    const auto& [past, transposed, two_pass, interpolation_order] = attributes;
    const Read read{interpolation_order, 0};
    Tensor u = t[2];
    if (t[0].defined()) u = plus(u, -sparse_fir(t[0], delays, out[0], past, transposed, read));
    if (t[1].defined()) {
      u = plus(
          u, -sparse_fir(moved(a, t[1], out[0]), delays, out[0], past, transposed, read.derived()));
    }
    if (!u.defined()) return {};
    return {sparse_allpole(a, delays, u, past, transposed, interpolation_order)};
  }
};

struct SparseFir : Op<&polezero::sparse_fir, 2, 2, 1> {
  static Saves saves(const Need& need) { return {{true, true, need[0] || need[1]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [b, delays, x] = in;
    const auto& [past, transposed, interpolation_order, derivative] = attributes;
    const Read read{interpolation_order, derivative};
    const Tensor& g = grads[0];
    TapGradients taps;
    if (need[0] || need[1]) {
      taps = transposed ? tap_gradients(x.conj(), g, b, delays, past, read, need)
                        : tap_gradients(g, x.conj(), b, delays, past, read, need);
    }
    return {taps.c, taps.d,
            need[2] ? sparse_fir(b.conj(), delays, g, past, !transposed, read) : Tensor()};
  }

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const auto& [b, delays, x] = p;
    const auto& [past, transposed, interpolation_order, derivative] = attributes;
    const Read read{interpolation_order, derivative};
    Tensor y;
    if (t[0].defined()) y = plus(y, sparse_fir(t[0], delays, x, past, transposed, read));
    if (t[1].defined()) {
      y = plus(y, sparse_fir(moved(b, t[1], x), delays, x, past, transposed, read.derived()));
    }
    if (t[2].defined()) y = plus(y, sparse_fir(b, delays, t[2], past, transposed, read));
    return {y};
  }
};

struct SparseProduct : Op<&polezero::sparse_product, 1, 1, 2> {
  static Saves saves(const Need& need) {
    return {{need[1] || need[2], need[0] || need[2], true}, {}};
  }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [g, x, delays] = in;
    const auto& [past, sum, interpolation_order, derivative] = attributes;
    const Read read{interpolation_order, derivative};
    Tensor grad_g, grad_x, grad_d;
    if (need[0]) grad_g = sparse_fir(grads[0], delays, x.conj(), past, false, read);
    if (need[1]) grad_x = sparse_fir(grads[0], delays, g.conj(), past, true, read);
    if (need[2]) {
      const bool both = sum && is_constant(delays);
      grad_d = at::real(grads[0].conj() * sparse_product(g, x, delays, past, both, read.derived()));
    }
    return {grad_g, grad_x, grad_d};
  }

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const auto& [g, x, delays] = p;
    const auto& [past, sum, interpolation_order, derivative] = attributes;
    const Read read{interpolation_order, derivative};
    Tensor out;
    if (t[0].defined()) out = plus(out, sparse_product(t[0], x, delays, past, sum, read));
    if (t[1].defined()) out = plus(out, sparse_product(g, t[1], delays, past, sum, read));
    if (t[2].defined()) {
      const bool both = sum && is_constant(delays);
      const Tensor each = sparse_product(g, x, delays, past, both, read.derived());
      if (sum) {
        const Tensor moves = wide(each) * t[2];
        out = plus(out, both ? moves : moves.sum(-2, /*keepdim=*/true));
      } else {
        out = plus(out, moved(each, t[2], g));
      }
    }
    return {out};
  }
};

// A step function: it has no derivative.
struct ThiranDelay : Op<&polezero::thiran_delay, 1> {};

const Registered<SparseAllpole, SparseFir, SparseProduct, ThiranDelay> registered;

}  // namespace

}  // namespace polezero::autograd
