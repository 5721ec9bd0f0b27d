#include "build_info.h"

#include <polezero/version.h>

#include "kernels/cpu/capability.h"

namespace polezero {

BuildInfo build_info() {
  return {POLEZERO_VERSION, POLEZERO_TORCH_VERSION, "none", cpu_capability().name};
}

}  // namespace polezero
