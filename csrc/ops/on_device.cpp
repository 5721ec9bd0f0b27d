#include "ops/on_device.h"

namespace polezero {

void check_has_kernels(const char* op, const Tensor& signal) {
#if defined(POLEZERO_WITH_CUDA)
  constexpr bool with_cuda = true;
#else
  constexpr bool with_cuda = false;
#endif
  const bool cuda = signal.is_cuda();
  TORCH_CHECK_NOT_IMPLEMENTED(signal.is_cpu() || (with_cuda && cuda), op,
                              ": expected CPU tensors, got tensors on ", signal.device(),
                              cuda ? ": this build of polezero has no CUDA kernels"
                                   : ": polezero has no kernels for this device");
}

}  // namespace polezero
