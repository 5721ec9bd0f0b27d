// The threads of a block and what they exchange, as tile/scan.h wants it.
#pragma once

#include "tile/scan.h"

POLEZERO_ISA_BEGIN

struct DeviceThreads {
  __device__ int thread() const { return threadIdx.x; }
  __device__ int threads() const { return blockDim.x; }
  __device__ int lane() const { return threadIdx.x % kWarp; }
  __device__ int warp() const { return threadIdx.x / kWarp; }
  __device__ int warps() const { return blockDim.x / kWarp; }
  __device__ void sync() const { __syncthreads(); }

  __device__ void shuffle_up(const double* from, double* to, int words, int lanes) const {
    for (int i = 0; i < words; ++i) to[i] = __shfl_up_sync(~0u, from[i], lanes);
  }
  __device__ void shuffle(const double* from, double* to, int words, int lane) const {
    for (int i = 0; i < words; ++i) to[i] = __shfl_sync(~0u, from[i], lane);
  }
};

POLEZERO_ISA_END
