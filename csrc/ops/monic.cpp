#include "ops/monic.h"

#include <ATen/ATen.h>

namespace polezero {

std::tuple<Tensor, Tensor> monic(const Tensor& b, const Tensor& a) {
  const char* op = "lpv.lfilter";
  check_signal(op, {"b", b});
  check_coefficients(op, {"a", a}, {"b", b}, 1);
  check_like(op, {"a", a}, {"b", b});
  const Tensor a0 = a.slice(-1, 0, 1);
  TORCH_CHECK_VALUE(!a.is_cpu() || a0.ne(0).all().item<bool>(), op,
                    ": a: expected a[..., 0] != 0, got 0");
  return {b / a0, a.slice(-1, 1) / a0};
}

}  // namespace polezero
