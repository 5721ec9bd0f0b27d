#include "ops/monic.h"

#include <ATen/ATen.h>

#include "ops/caller.h"

namespace polezero {

std::tuple<Tensor, Tensor> monic(const Tensor& b, const Tensor& a) {
  const char* op = Caller::function("monic");
  check_signal(op, {"b", b});
  check_coefficients(op, {"a", a}, {"b", b}, 1);
  check_like(op, {"a", a}, {"b", b});
  const Tensor a0 = a.slice(-1, 0, 1);
  TORCH_CHECK_VALUE(!a.is_cpu() || a0.ne(0).all().item<bool>(), op, ": ", Caller::argument(kA0),
                    " != 0, got 0");
  // a has the leading dimensions of both, as every output of an op has those of all inputs: under
  // vmap over b alone the rows of a are rows of the batch too
  const auto rows = with_last(broadcast_leading(op, {{"b", b, 2}, {"a", a, 2}}), a.sym_size(-2));
  const Tensor monic = a.slice(-1, 1) / a0;
  return {b / a0, monic.expand_symint(with_last(rows, monic.sym_size(-1)))};
}

}  // namespace polezero
