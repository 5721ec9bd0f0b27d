// Derivatives of splines: each op is linear in x, and its transposed is the op itself with another
// attribute; math in docs/maths.md.
#include "autograd/ops.h"

namespace polezero::autograd {

namespace {

Tensor spline_eval(const Tensor& x, const Tensor& t, const c10::SymInt& knots, int64_t degree,
                   bool whole, int64_t derivative) {
  return call<SplineEval>({x, t}, {knots, degree, whole, derivative})[0];
}

}  // namespace

Saved<SymmetricFilter> SymmetricFilter::saves(const Flags<1>&) { return {{false}, {}}; }

// The filter's matrix M is symmetric; where samples are mirrored about the end ones, D M is, D with
// 1/2 at both ends.
Tensors<1> SymmetricFilter::vjp(const Tensors<1>& grads, const Tensors<1>&, const Tensors<1>&,
                                const Attributes<SymmetricFilter>& attributes, const Flags<1>&) {
  const bool whole = std::get<3>(attributes);
  const Tensor& g = grads[0];
  if (!whole || g.sym_size(-1) <= 1) return {call<SymmetricFilter>({g}, attributes)[0]};
  const auto ends = [&](double at_ends) {
    const Tensor d = at::full({1}, at_ends, g.options());
    return at::cat({d, at::ones_symint({g.sym_size(-1) - 2}, g.options()), d});
  };
  return {ends(0.5) * call<SymmetricFilter>({ends(2) * g}, attributes)[0]};
}

Tensors<1> SymmetricFilter::jvp(const Tensors<1>&, const Tensors<1>& t, const Tensors<1>&,
                                const Attributes<SymmetricFilter>& attributes) {
  return {call<SymmetricFilter>({t[0]}, attributes)[0]};
}

// The number of knots is that of x where x is not saved for its values.
Saved<SplineEval> SplineEval::saves(const Flags<2>& need) {
  return {{true, need[0] || need[1]}, {}};
}

// y = W(t) x, or y = W(t)^T x (knots > 0).
Tensors<2> SplineEval::vjp(const Tensors<1>& grads, const Tensors<2>& in, const Tensors<1>&,
                           const Attributes<SplineEval>& attributes, const Flags<2>& need) {
  const auto& [x, t] = in;
  const auto& [knots, degree, whole, k] = attributes;
  const Tensor& g = grads[0];
  const bool transposed = knots > 0;
  Tensor grad_x, grad_t;
  if (need[0]) {
    grad_x = spline_eval(g, t, transposed ? c10::SymInt(0) : x.sym_size(-1), degree, whole, k);
  }
  if (need[1]) {  // of each point, what it reads with the weights' derivative
    const Tensor slope = spline_eval(transposed ? g : x, t, 0, degree, whole, k + 1);
    grad_t = at::real((transposed ? x : g).conj() * slope);
  }
  return {grad_x, grad_t};
}

Tensors<1> SplineEval::jvp(const Tensors<2>& p, const Tensors<2>& t, const Tensors<1>&,
                           const Attributes<SplineEval>& attributes) {
  const auto& [x, at] = p;
  const auto& [knots, degree, whole, k] = attributes;
  Tensor y;
  if (t[0].defined()) y = plus(y, spline_eval(t[0], at, knots, degree, whole, k));
  if (t[1].defined()) {
    const bool transposed = knots > 0;
    const Tensor slope = spline_eval(transposed ? (x * t[1]).to(x.scalar_type()) : x, at, knots,
                                     degree, whole, k + 1);
    y = plus(y, transposed ? slope : (slope * t[1]).to(x.scalar_type()));
  }
  return {y};
}

Saved<SplineUpsample> SplineUpsample::saves(const Flags<1>&) { return {{false}, {}}; }

Tensors<1> SplineUpsample::vjp(const Tensors<1>& grads, const Tensors<1>&, const Tensors<1>&,
                               const Attributes<SplineUpsample>& attributes, const Flags<1>&) {
  const auto& [factor, whole, transposed] = attributes;
  return {call<SplineUpsample>({grads[0]}, {factor, whole, !transposed})[0]};
}

Tensors<1> SplineUpsample::jvp(const Tensors<1>&, const Tensors<1>& t, const Tensors<1>&,
                               const Attributes<SplineUpsample>& attributes) {
  return {call<SplineUpsample>({t[0]}, attributes)[0]};
}

}  // namespace polezero::autograd
