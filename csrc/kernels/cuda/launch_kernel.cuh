// How kernels are launched: on the call's stream, with a check that they could be.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/cuda/launch.h"

namespace polezero::cuda {

inline void check(cudaError_t error) {
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("polezero: CUDA error: ") + cudaGetErrorString(error));
  }
}

inline constexpr int64_t kMostBlocks = (int64_t{1} << 31) - 1;

// A kernel of at least `count` threads, or of so many that it has to go through the rest in steps
// of its grid (grid_stride).
template <class... Parameters, class... Arguments>
void launch(const Context& context, int64_t count, void (*kernel)(Parameters...),
            const Arguments&... arguments) {
  constexpr int kThreads = 128;
  const int64_t blocks = (count + kThreads - 1) / kThreads;
  if (blocks == 0) return;
  kernel<<<static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0,
           context.stream>>>(arguments...);
  check(cudaGetLastError());
}

__device__ inline int64_t grid_index() { return blockIdx.x * int64_t{blockDim.x} + threadIdx.x; }
__device__ inline int64_t grid_stride() { return int64_t{gridDim.x} * blockDim.x; }

}  // namespace polezero::cuda
