#include "build_info.h"

#include <polezero/version.h>

#include "kernels/cpu/capability.h"

namespace polezero {

namespace {
constexpr const char* kCudaArchs = *POLEZERO_CUDA_ARCHS ? POLEZERO_CUDA_ARCHS : "none";
}

BuildInfo build_info() {
  return {POLEZERO_VERSION, POLEZERO_TORCH_VERSION, kCudaArchs, name_of(cpu_capability())};
}

}  // namespace polezero
