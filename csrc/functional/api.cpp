// The functions of polezero.h, and autocast of all public ones.
#include "autograd/differentiable.h"
#include "functional/functions.h"
#include "polezero/polezero.h"

namespace polezero::functional {

// Autocast is before promotion: the result has the dtype that it gave.
namespace {
template <c10::DeviceType device>
void register_functions(torch::Library& m) {
  autograd::register_autocast<Lfilter, device>(m);
  autograd::register_autocast<Allpole, device>(m);
  autograd::register_autocast<Sensitivity, device>(m);
}
}  // namespace
TORCH_LIBRARY_IMPL(polezero, AutocastCPU, m) { register_functions<at::kCPU>(m); }
TORCH_LIBRARY_IMPL(polezero, AutocastCUDA, m) { register_functions<at::kCUDA>(m); }

}  // namespace polezero::functional

namespace polezero {

namespace {
std::tuple<Tensor, Tensor> without_placeholder(std::tuple<Tensor, Tensor> r, bool has_zi) {
  if (!has_zi) std::get<1>(r) = Tensor();
  return r;
}
}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi, int64_t axis) {
  return without_placeholder(functional::lfilter(b, a, x, zi, axis, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi) {
  return without_placeholder(functional::allpole(a, x, zi, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  return functional::sensitivity(b, a, x, axis);
}

}  // namespace polezero
