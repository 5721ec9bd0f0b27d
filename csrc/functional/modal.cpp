#include "ops/modal.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles_, const Tensor& gains_, const Tensor& x,
                                      const OptionalTensor& zi_) {
  const char* op = "modal_bank";
  Tensor zi = value_or_undefined(zi_);
  promote(op, {"x", x}, {{"poles", poles_}, {"gains", gains_}}, zi);  // their checks
  TORCH_CHECK_TYPE(!x.is_complex(), op, ": x: expected real numbers, got ", x.scalar_type());
  const std::initializer_list<Argument> others = {{"poles", poles_}, {"gains", gains_}, {"x", x}};
  for (const Argument& argument : others) check_not_scalar(op, argument);
  const c10::SymInt modes = poles_.sym_size(-1);
  TORCH_CHECK_VALUE(gains_.sym_size(-1) == modes, op, ": gains: expected ", modes,
                    " values along the last axis, as there are poles, got shape ",
                    gains_.sym_sizes());
  broadcast_leading(op, others);
  // y is real as x is; poles and states are complex, in their own precision
  const Promotion type = promote(op, {"x", x}, {});
  const auto complex = [](const Tensor& t) {
    return t.to(at::promote_types(t.scalar_type(), at::kComplexFloat));
  };
  if (zi.defined()) zi = complex(zi);
  const Promotion of_states = promote(op, {"x", x}, {}, zi);
  zi = past_of(op, zi, modes, others, {of_states.state, of_states.state, of_states.state});
  const auto [y, zf] = call<&polezero::modal_bank_forward>(
      {complex(poles_), complex(gains_).unsqueeze(-1), x.to(type.compute), zi}, {false});
  const auto kind = zi.defined() ? of_states.state : c10::toComplexType(type.compute);
  return {y.to(type.result), zf.to(kind)};
}

const Registered<OfSignals<&modal_bank>> registered;

}  // namespace polezero
