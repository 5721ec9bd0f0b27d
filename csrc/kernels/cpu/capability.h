// Which instruction set the kernels of this process use.
#pragma once

#include "kernels/cpu/kernels.h"

namespace polezero {

// One table an instruction set, made by isa.cpp; x86-64 only has the last two.
namespace baseline {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}

struct CpuCapability {
  const char* name;
  const Kernels* kernels;
};

// The best one that this processor has, or the one named by POLEZERO_CPU_CAPABILITY; chosen at
// the first call. Throws std::runtime_error for a name that is unknown or not available here.
const CpuCapability& cpu_capability();

template <class scalar_t>
const KernelsOf<scalar_t>& kernels_of() {
  const Kernels& k = *cpu_capability().kernels;
  if constexpr (std::is_same_v<scalar_t, float>) {
    return k.f32;
  } else if constexpr (std::is_same_v<scalar_t, double>) {
    return k.f64;
  } else if constexpr (std::is_same_v<scalar_t, std::complex<float>>) {
    return k.c64;
  } else {
    return k.c128;
  }
}

}  // namespace polezero
