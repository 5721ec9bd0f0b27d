// Derivatives of splines: each op is linear in x, and its transposed is the op itself with another
// attribute; math in docs/maths_structures.md.
#include "ops/spline.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

using Evaluate = Signature<&polezero::spline_eval>;

// An evaluation like the one that `how` describes, of another derivative.
Tensor evaluated(const Tensor& x, const Tensor& t, Evaluate::Attributes how, int64_t derivative) {
  std::get<2>(how) = derivative;
  return Evaluate::dispatch({x, t}, how)[0];
}

struct SymmetricFilter : Op<&polezero::symmetric_filter, 1> {
  static Saves saves(const Need&) { return {{false}, {}}; }

  // The filter's matrix M is symmetric; where samples are mirrored about the end ones, D M is, D
  // with 1/2 at both ends.
  static In vjp(const Out& grads, const In&, const Out&, const Attributes& attributes,
                const Need&) {
    const bool whole_sample = std::get<3>(attributes);
    const Tensor& g = grads[0];
    if (!whole_sample || g.sym_size(-1) <= 1)
      return {call<&polezero::symmetric_filter>({g}, attributes)[0]};
    const auto ends = [&](double at_ends) {
      const Tensor d = at::full({1}, at_ends, g.options());
      return at::cat({d, at::ones_symint({g.sym_size(-1) - 2}, g.options()), d});
    };
    return {ends(0.5) * call<&polezero::symmetric_filter>({ends(2) * g}, attributes)[0]};
  }

  static Out jvp(const Tensors<1>&, const Tensors<1>& t, const Tensors<1>&,
                 const Attributes& attributes) {
    return {call<&polezero::symmetric_filter>({t[0]}, attributes)[0]};
  }
};

struct SplineEval : Op<&polezero::spline_eval, 1, 1> {
  // The number of knots is that of x where x is not saved for its values.
  static Saves saves(const Need& need) { return {{true, need[0] || need[1]}, {}}; }

  // y = W(t) x, or y = W(t)^T x.
  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [x, t] = in;
    const auto& [degree, whole_sample, k, transposed, knots] = attributes;
    const Tensor& g = grads[0];
    Tensor grad_x, grad_t;
    if (need[0]) {
      const c10::SymInt count = transposed ? c10::SymInt(0) : x.sym_size(-1);
      grad_x = evaluated(g, t, {degree, whole_sample, k, !transposed, count}, k);
    }
    if (need[1]) {  // of each point, what it reads with the weights' derivative
      const Attributes at_points{degree, whole_sample, k, false, 0};
      const Tensor slope = evaluated(transposed ? g : x, t, at_points, k + 1);
      grad_t = at::real((transposed ? x : g).conj() * slope);
    }
    return {grad_x, grad_t};
  }

  static Out jvp(const In& p, const In& t, const Out&, const Attributes& attributes) {
    const auto& [x, at] = p;
    const int64_t k = std::get<2>(attributes);
    const bool transposed = std::get<3>(attributes);
    Tensor y;
    if (t[0].defined()) y = plus(y, evaluated(t[0], at, attributes, k));
    if (t[1].defined()) {
      const Tensor moved = transposed ? (x * t[1]).to(x.scalar_type()) : x;
      const Tensor slope = evaluated(moved, at, attributes, k + 1);
      y = plus(y, transposed ? slope : (slope * t[1]).to(x.scalar_type()));
    }
    return {y};
  }
};

struct SplineUpsample : Op<&polezero::spline_upsample, 1> {
  static Saves saves(const Need&) { return {{false}, {}}; }

  static In vjp(const Out& grads, const In&, const Out&, const Attributes& attributes,
                const Need&) {
    const auto& [factor, whole_sample, transposed] = attributes;
    return {call<&polezero::spline_upsample>({grads[0]}, {factor, whole_sample, !transposed})[0]};
  }

  static Out jvp(const Tensors<1>&, const Tensors<1>& t, const Tensors<1>&,
                 const Attributes& attributes) {
    return {call<&polezero::spline_upsample>({t[0]}, attributes)[0]};
  }
};

const Registered<SymmetricFilter, SplineEval, SplineUpsample> registered;

}  // namespace

}  // namespace polezero::autograd
