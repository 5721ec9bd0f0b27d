#include "ops/allpole.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/frames.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

// y and the last N outputs, newest first. a[..., T or 1, N] and zi in the dtype to compute in.
std::tuple<Tensor, Tensor> filter(const Tensor& a, const Tensor& x, const Tensor& zi,
                                  const Promotion& type, bool two_pass = false) {
  const Tensor y =
      call<&polezero::allpole_forward>({a, x.to(type.compute), zi}, {0, false, two_pass})[0];
  return results(y, zi.defined() ? newest(y, zi, a.sym_size(-1)) : Tensor(), type);
}

}  // namespace

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x, const OptionalTensor& zi_,
                                   std::string_view backward) {
  const char* op = "allpole";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"a", a}}, zi, {.coefficients = true});
  check_not_scalar(op, {"x", x});
  check_not_scalar(op, {"a", a});
  zi = past_of(op, zi, a.sym_size(-1), {{"a", a}, {"x", x}}, type);
  return filter(constant(a.to(type.coefficient(a))), x, zi, type, two_pass(op, backward));
}

std::tuple<Tensor, Tensor> lpv::allpole(const Tensor& given, const Tensor& x,
                                        const OptionalTensor& zi_, std::optional<c10::SymInt> hop,
                                        std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.allpole";
  const Tensor a = Frames(op, hop, interpolation, offset).of_samples({"a", given}, x);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"a", a}}, zi, read_where_constant(a, -2));
  check_not_scalar(op, {"x", x});
  check_time_axis(op, {"a", a}, x.sym_size(-1));
  zi = past_of(op, zi, a.sym_size(-1), {{"a", a, 2}, {"x", x}}, type);
  return filter(a.to(type.coefficient(a)), x, zi, type);
}

std::tuple<Tensor, Tensor> linear_recurrence(const Tensor& a_, const Tensor& x,
                                             const OptionalTensor& zi_) {
  const char* op = "linear_recurrence";
  Tensor zi = value_or_undefined(zi_);
  Tensor a = a_.dim() == 0 ? a_.unsqueeze(0) : a_;
  const Promotion type = promote(op, {"x", x}, {{"a", a}}, zi, read_where_constant(a, -1));
  check_not_scalar(op, {"x", x});
  a = a.to(type.coefficient(a));
  const c10::SymInt T = x.sym_size(-1);
  TORCH_CHECK_VALUE(a.sym_size(-1) == 1 || a.sym_size(-1) == T, op, ": a: expected T = ", T,
                    " or 1 along the last axis, got shape ", a.sym_sizes());
  zi = past_of(op, zi, 1, {{"a", a}, {"x", x}}, type);
  return filter(a.neg().unsqueeze(-1), x, zi, type);
}

const Registered<OfSignals<&allpole, &lpv::allpole, &linear_recurrence>> registered;

}  // namespace polezero
