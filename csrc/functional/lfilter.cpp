#include "ops/lfilter.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"
#include "ops/caller.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

std::tuple<Tensor, Tensor> filter(const char* op, const Tensor& b, const Tensor& a, const Tensor& x,
                                  int64_t axis, const OptionalTensor& zi_,
                                  std::string_view backward) {
  const Caller caller(op, kA0);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type =
      promote(op, {"x", x}, {{"b", b}, {"a", a}}, zi, {.coefficients = true, .states = true});
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  const int64_t named_axis = axis;
  axis = wrap_axis(op, axis, {"x", x});
  if (zi.defined()) {
    const c10::SymInt P = max_order(b, a);
    const bool has_axis = -axis <= zi.dim();
    TORCH_CHECK_VALUE(has_axis && zi.sym_size(axis) == P, op, ": zi: expected ", P,
                      " values (max(len(a), len(b)) - 1) along axis ", named_axis, ", got shape ",
                      zi.sym_sizes());
    zi = to_last(zi.to(type.coefficient(zi)), axis);
    check_broadcasts_to(op, {"zi", zi},
                        broadcast_leading(op, {{"b", b}, {"a", a}, {"x", to_last(x, axis)}}));
  }
  auto [y, zf] = call<&polezero::lfilter_forward>(
      {b.to(type.coefficient(b)), a.to(type.coefficient(a)), to_last(x.to(type.compute), axis), zi},
      {two_pass(op, backward)});
  return results(from_last(y, axis), zi.defined() ? from_last(zf, axis) : Tensor(), type);
}

// [..., T, taps] with u[n - k] at [n, k]. No unfold: its gradient has no batching rule.
Tensor delays(const Tensor& u, int64_t taps) {
  const Tensor padded = pad_last(u, taps - 1, 0);
  std::vector<Tensor> lagged;
  for (int64_t k = 0; k < taps; ++k) {
    lagged.push_back(slice_last(padded, taps - 1 - k, taps - 1 - k + u.sym_size(-1)));
  }
  return at::stack(lagged, -1);
}

// What a state is computed from: b / a_0 and a / a_0 in double precision.
struct Normalised {
  Tensor b, a;
  c10::SymInt P;

  Normalised(const Tensor& b_, const Tensor& a_, at::ScalarType type) {
    const Tensor a0 = slice_last(a_.to(type), 0, 1);
    b = b_.to(type) / a0;
    a = a_.to(type) / a0;
    P = max_order(b, a);
  }
};

// Cut, or with zeros after it.
Tensor of_length(const Tensor& t, const c10::SymInt& length) {
  return pad_last(t, 0, length - t.sym_size(-1));
}

// sum_{k > m} c_k past[k - m - 1], m = 0 .. P - 1. (c_0 meets nothing; with it there is always a
// tap.)
Tensor overhang(const Tensor& c, const Tensor& past, const c10::SymInt& P) {
  const c10::SymInt order = c.sym_size(-1) - 1;
  const Tensor taps = pad_last(of_length(past, order), 0, 1);
  const Tensor sums = autograd::fir(taps, c, /*reverse=*/true);
  return of_length(slice_last(sums, 1, order + 1), P);
}

}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x, int64_t axis,
                                   const OptionalTensor& zi, std::string_view backward) {
  return filter("lfilter", b, a, x, axis, zi, backward);
}

std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const OptionalTensor& zi, std::string_view backward) {
  return filter("tdf2_ssm", b, a, x, -1, zi, backward);
}

// zi = A^T zi + B of the transposed direct form II has a closed form:
//
//   zi_0 = sum_{k >= 1} (b_k - a_k b_0) / sum_k a_k
//   zi_m = zi_0 sum_{k <= m} a_k - sum_{k=1..m} (b_k - a_k b_0)
Tensor lfilter_zi(const Tensor& b_, const Tensor& a_) {
  const char* op = Caller::function("lfilter_zi");
  const Promotion type = promote(op, {{"b", b_}, {"a", a_}});
  check_filter(op, b_, a_);
  check_has_steady_state(op, {"a", a_});
  broadcast_leading(op, {{"b", b_}, {"a", a_}});
  const Normalised f(b_, a_, type.in_double());
  const Tensor b = of_length(f.b, f.P + 1), a = of_length(f.a, f.P + 1);
  const Tensor c = slice_last(b - a * slice_last(b, 0, 1), 1, f.P + 1);
  const Tensor first = c.sum(-1, /*keepdim=*/true) / a.sum(-1, /*keepdim=*/true);
  const Tensor before = slice_last(pad_last(c.cumsum(-1), 1, 0), 0, f.P);
  return first * slice_last(a.cumsum(-1), 0, f.P) - before;
}

// zi_m = sum_{k > m} b_k x[m-k] - sum_{i > m} a_i y[m-i]
Tensor lfiltic(const Tensor& b, const Tensor& a, const Tensor& y_, const OptionalTensor& x_) {
  const char* op = "lfiltic";
  const Tensor x = value_or_undefined(x_);
  const Argument inputs{"x", x, 1, /*over_time=*/false, /*optional=*/true};
  const Promotion type = promote(op, {{"b", b}, {"a", a}, {"y", y_}, inputs});
  check_filter(op, b, a);
  check_not_scalar(op, {"y", y_});
  if (x.defined()) check_not_scalar(op, inputs);
  broadcast_leading(op, {{"b", b}, {"a", a}, {"y", y_}, inputs});
  const Normalised f(b, a, type.in_double());
  const Tensor y = overhang(f.a, y_.to(type.in_double()), f.P);
  return (x.defined() ? overhang(f.b, x.to(type.in_double()), f.P) : at::zeros_like(y)) - y;
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  const char* op = "sensitivity";
  const Promotion type = promote(op, {"x", x}, {{"b", b}, {"a", a}}, {}, {.coefficients = true});
  check_filter(op, b, a);
  axis = wrap_axis(op, axis, {"x", x});
  const Tensor bs = b.to(type.coefficient(b)), as = a.to(type.coefficient(a)),
               xs = to_last(x.to(type.compute), axis);
  broadcast_leading(op, {{"b", bs}, {"a", as}, {"x", xs}});
  const Tensor one = at::ones({1}, as.options());
  const Tensor y = autograd::lfilter_forward(bs, as, xs)[0];
  const Tensor phi = autograd::lfilter_forward(one, as, xs)[0];
  const Tensor psi = autograd::lfilter_forward(one, as, -y)[0];
  const auto leading = y.sym_sizes().slice(0, y.dim() - 1);
  auto windows = [&](const Tensor& u, int64_t taps) {
    const Tensor w = delays(u, taps).to(type.result);
    c10::SymDimVector sizes(leading.begin(), leading.end());
    sizes.insert(sizes.end(), {w.sym_size(-2), w.sym_size(-1)});
    return w.expand_symint(sizes);
  };
  return {windows(phi, count_of(b, -1)), windows(psi, count_of(a, -1))};
}

const Registered<OfSignals<&lfilter, &tdf2_ssm, &sensitivity>,
                 OfCoefficients<&lfilter_zi, &lfiltic>>
    registered;

}  // namespace polezero
