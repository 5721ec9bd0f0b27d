#include "ops/modal.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/functions.h"

namespace polezero::functional {

using autograd::call;

std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles_, const Tensor& gains_, const Tensor& x,
                                      const OptionalTensor& zi_) {
  const char* op = "modal_bank";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"poles", poles_}, {"gains", gains_}, {"zi", zi}});
  TORCH_CHECK_TYPE(!x.is_complex(), op, ": x: expected real numbers, got ", x.scalar_type());
  const std::initializer_list<Argument> others = {{"poles", poles_}, {"gains", gains_}, {"x", x}};
  for (const Argument& argument : others) check_not_scalar(op, argument);
  const c10::SymInt modes = poles_.sym_size(-1);
  TORCH_CHECK_VALUE(gains_.sym_size(-1) == modes, op, ": gains: expected ", modes,
                    " values along the last axis, as there are poles, got shape ",
                    gains_.sym_sizes());
  broadcast_leading(op, others);
  zi = past_of(op, zi, modes, others, type);
  const at::ScalarType complex = c10::toComplexType(type.compute);
  const auto [y, zf] = call<&polezero::modal_bank_forward>(
      {poles_.to(complex), gains_.to(complex).unsqueeze(-1),
       x.to(c10::toRealValueType(type.compute)), zi.defined() ? zi.to(complex) : zi},
      {false});
  return {y.to(c10::toRealValueType(type.result)), zf.to(complex)};
}

}  // namespace polezero::functional
