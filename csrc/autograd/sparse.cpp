// Derivatives of sparse filters: with S of csrc/kernels/sparse.h they are (1 + S)^-1, S, and their
// transposes, so each one's gradients are made of another; math in docs/maths.md.
#include "autograd/ops.h"

namespace polezero::autograd {

namespace {

Tensor sparse_allpole(const Tensor& a, const Tensor& delays, const Tensor& x,
                      const c10::SymInt& past, bool transposed) {
  return call<SparseAllpole>({a, delays, x}, {past, transposed, false})[0];
}
Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, const c10::SymInt& past,
                  bool transposed) {
  return call<SparseFir>({b, delays, x}, {past, transposed})[0];
}
// Of coefficients c.
Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays, const Tensor& c,
                      const c10::SymInt& past) {
  return call<SparseProduct>({g, x, delays}, {past, is_constant(c)})[0];
}

}  // namespace

Saved<SparseAllpole> SparseAllpole::saves(const Flags<3>& need) {
  return {{true, true, false}, {need[0]}};
}

Tensors<3> SparseAllpole::vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                              const Attributes<SparseAllpole>& attributes, const Flags<3>& need) {
  const auto& [a, delays, x] = in;
  const auto& [past, transposed, two_pass] = attributes;
  const Tensor &g = grads[0], &y = out[0];
  Tensor grad_a, lambda;
  if (need[2] || !two_pass) lambda = sparse_allpole(a.conj(), delays, g, past, !transposed);
  if (need[0] && two_pass) {
    const Tensor one = at::ones_like(a);
    const Tensor psi =
        sparse_allpole(a, delays, sparse_fir(one, delays, y, past, false), past, false);
    grad_a = -constant(lag_correlation(g, psi.conj(), 1));
  } else if (need[0]) {
    grad_a = -(transposed ? sparse_product(y.conj(), lambda, delays, a, past)
                          : sparse_product(lambda, y.conj(), delays, a, past));
  }
  return {grad_a, Tensor(), lambda};
}

Tensors<1> SparseAllpole::jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                              const Attributes<SparseAllpole>& attributes) {
  const auto& [a, delays, x] = p;
  const auto& [past, transposed, two_pass] = attributes;
  Tensor u = t[2];
  if (t[0].defined()) u = plus(u, -sparse_fir(t[0], delays, out[0], past, transposed));
  if (!u.defined()) return {};
  return {sparse_allpole(a, delays, u, past, transposed)};
}

Saved<SparseFir> SparseFir::saves(const Flags<3>& need) { return {{need[2], true, need[0]}, {}}; }

Tensors<3> SparseFir::vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>&,
                          const Attributes<SparseFir>& attributes, const Flags<3>& need) {
  const auto& [b, delays, x] = in;
  const auto& [past, transposed] = attributes;
  const Tensor& g = grads[0];
  Tensor grad_b, grad_x;
  if (need[0]) {
    grad_b = transposed ? sparse_product(x.conj(), g, delays, b, past)
                        : sparse_product(g, x.conj(), delays, b, past);
  }
  if (need[2]) grad_x = sparse_fir(b.conj(), delays, g, past, !transposed);
  return {grad_b, Tensor(), grad_x};
}

Tensors<1> SparseFir::jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>&,
                          const Attributes<SparseFir>& attributes) {
  const auto& [past, transposed] = attributes;
  return {plus(t[0].defined() ? sparse_fir(t[0], p[1], p[2], past, transposed) : Tensor(),
               t[2].defined() ? sparse_fir(p[0], p[1], t[2], past, transposed) : Tensor())};
}

Saved<SparseProduct> SparseProduct::saves(const Flags<3>& need) {
  return {{need[1], need[0], true}, {}};
}

Tensors<3> SparseProduct::vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>&,
                              const Attributes<SparseProduct>& attributes, const Flags<3>& need) {
  const auto& [g, x, delays] = in;
  const c10::SymInt& past = std::get<0>(attributes);
  return {need[0] ? sparse_fir(grads[0], delays, x.conj(), past, false) : Tensor(),
          need[1] ? sparse_fir(grads[0], delays, g.conj(), past, true) : Tensor(), Tensor()};
}

Tensors<1> SparseProduct::jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>&,
                              const Attributes<SparseProduct>& attributes) {
  const auto product = [&](const Tensor& g, const Tensor& x) {
    return g.defined() && x.defined() ? call<SparseProduct>({g, x, p[2]}, attributes)[0] : Tensor();
  };
  return {plus(product(t[0], p[1]), product(p[0], t[1]))};
}

}  // namespace polezero::autograd
