#include "autograd/differentiable.h"
#include "autograd/ops.h"
#include "functional/arguments.h"
#include "functional/functions.h"

namespace polezero::functional {

using namespace polezero::autograd;

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x, const OptionalTensor& zi_,
                                   c10::string_view backward) {
  const char* op = "allpole";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"a", a}, {"zi", zi}});
  TORCH_CHECK_VALUE(x.dim() >= 1, op, ": x: expected at least one dimension, got a scalar");
  TORCH_CHECK_VALUE(a.dim() >= 1, op, ": a: expected at least one dimension, got a scalar");
  const c10::SymInt N = a.sym_size(-1), T = x.sym_size(-1);
  if (zi.defined()) {
    TORCH_CHECK_VALUE(zi.dim() >= 1 && zi.sym_size(-1) == N, op, ": zi: expected ", N,
                      " values along axis -1, got shape ", zi.sym_sizes());
    zi = zi.to(type.compute);
    check_broadcasts_to(op, {"zi", zi}, broadcast_leading(op, {{"a", a}, {"x", x}}));
  }
  const Tensor y = call<AllpoleForward>({constant(a.to(type.compute)), x.to(type.compute), zi},
                                        {0, false, two_pass(op, backward)})[0];
  if (!zi.defined()) return {y.to(type.result), at::empty({0}, y.options())};
  const Tensor outputs = T < N ? join(zi.flip(-1), y) : y;  // the last N, some of them zi
  const c10::SymInt end = outputs.sym_size(-1);
  return {y.to(type.result), slice_last(outputs, end - N, end).flip(-1).to(type.result)};
}

}  // namespace polezero::functional
