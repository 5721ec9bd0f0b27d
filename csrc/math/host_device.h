// Arithmetic that the host and the GPU share.
#pragma once

#if defined(__CUDACC__)
#define POLEZERO_HD __host__ __device__ __forceinline__
#define POLEZERO_UNROLLED _Pragma("unroll")
#define POLEZERO_ROLLED _Pragma("unroll 1")
#define POLEZERO_HD_INLINE POLEZERO_HD
#else
#define POLEZERO_HD inline
#define POLEZERO_HD_INLINE [[gnu::always_inline]] inline  // in large functions, where GCC stops
#define POLEZERO_UNROLLED
#define POLEZERO_ROLLED
#endif

#include <cstdint>

namespace polezero {

// The place of the lowest bit that is set in a number that is not zero.
POLEZERO_HD int lowest_bit(int64_t bits) {
#if defined(__CUDA_ARCH__)
  return __ffsll(bits) - 1;
#else
  return __builtin_ctzll(static_cast<unsigned long long>(bits));
#endif
}

}  // namespace polezero
