#include "ops/lfilter.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/functions.h"

namespace polezero::functional {

using autograd::call;

namespace {

std::tuple<Tensor, Tensor> filter(const char* op, const Tensor& b, const Tensor& a, const Tensor& x,
                                  const OptionalTensor& zi_, int64_t axis,
                                  c10::string_view backward) {
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"b", b}, {"a", a}}, zi, Wider::read);
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
    zi = to_last(zi.to(type.compute), axis);
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

}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const OptionalTensor& zi, int64_t axis,
                                   c10::string_view backward) {
  return filter("lfilter", b, a, x, zi, axis, backward);
}

std::tuple<Tensor, Tensor> tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                    const OptionalTensor& zi, c10::string_view backward) {
  return filter("tdf2_ssm", b, a, x, zi, -1, backward);
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  const char* op = "sensitivity";
  const Promotion type = promote(op, {"x", x}, {{"b", b}, {"a", a}}, {}, Wider::read);
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  axis = wrap_axis(op, axis, {"x", x});
  const Tensor bs = b.to(type.coefficient(b)), as = a.to(type.coefficient(a)),
               xs = to_last(x.to(type.compute), axis);
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

}  // namespace polezero::functional
