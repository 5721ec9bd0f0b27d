// How kernels of ops get to the dispatcher, and autocast, which is the same for every op.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/library.h>

#include <vector>

#include "autograd/op.h"

namespace polezero::autograd {

// A recursive filter in half precision is useless: autocast computes in float32.
template <auto function, c10::DeviceType device, class Schema = typename Function<function>::Schema>
struct Autocast;
template <auto function, c10::DeviceType device, class Return, class... Args>
struct Autocast<function, device, Return(Args...)> {
  static Return run(Args... args) {
    using namespace at::autocast;
    c10::impl::ExcludeDispatchKeyGuard guard(get_autocast_dispatch_key_from_device_type(device));
    return Function<function>::invoke(cached_cast(at::kFloat, args, device)...);
  }
};

// Holds kernels for as long as the library is loaded.
class Kernels {
 public:
  // To the op of this function.
  template <auto function, class Kernel>
  void add(c10::DispatchKey key, Kernel kernel) {
    libraries_.emplace_back(torch::Library::IMPL, "polezero", key, __FILE__, __LINE__);
    libraries_.back().impl(Function<function>::name.stem().c_str(), kernel);
  }
  template <auto function>
  void add_autocast() {
    using c10::DispatchKey;
    add<function>(DispatchKey::AutocastCPU, TORCH_FN((Autocast<function, at::kCPU>::run)));
    add<function>(DispatchKey::AutocastCUDA, TORCH_FN((Autocast<function, at::kCUDA>::run)));
  }

 private:
  std::vector<torch::Library> libraries_;
};

}  // namespace polezero::autograd
