// What this build of the library is.
#pragma once

namespace polezero {

struct BuildInfo {
  const char* version;
  const char* torch_version;   // built for
  const char* cuda_archs;      // "none": no CUDA kernels
  const char* cpu_capability;  // chosen at run time: baseline, avx2 or avx512
};

// Throws std::runtime_error where POLEZERO_CPU_CAPABILITY names one that is not available here.
__attribute__((visibility("default"))) BuildInfo build_info();

}  // namespace polezero
