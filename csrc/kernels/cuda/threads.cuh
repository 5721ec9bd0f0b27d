// The threads that filter a row together and what they exchange, as kernels/cuda/tile/scan.h wants
// it.
#pragma once

#include "kernels/cuda/tile/scan.h"

POLEZERO_ISA_BEGIN

// The threads of a block, or of one of the groups of `width` that a warp is divided into.
template <int width = kWarp>
struct DeviceThreads {
  static constexpr bool kWholeBlock = width == kWarp;

  __device__ int thread() const { return kWholeBlock ? threadIdx.x : lane(); }
  __device__ int threads() const { return warps() * width; }
  __device__ static constexpr int lanes() { return width; }
  __device__ int lane() const { return threadIdx.x % width; }
  __device__ int warp() const { return kWholeBlock ? threadIdx.x / kWarp : 0; }
  __device__ int warps() const { return kWholeBlock ? blockDim.x / kWarp : 1; }
  __device__ void sync() const { kWholeBlock ? __syncthreads() : __syncwarp(mask()); }

  __device__ static int groups() { return kWholeBlock ? 1 : blockDim.x / width; }
  __device__ static int group() { return kWholeBlock ? 0 : threadIdx.x / width; }

  __device__ void shuffle_up(const double* from, double* to, int words, int distance) const {
    for (int i = 0; i < words; ++i) to[i] = __shfl_up_sync(mask(), from[i], distance, width);
  }
  __device__ void shuffle(const double* from, double* to, int words, int lane) const {
    for (int i = 0; i < words; ++i) to[i] = __shfl_sync(mask(), from[i], lane, width);
  }

 protected:
  __device__ static unsigned mask() {
    return kWholeBlock ? ~0u
                       : ((1u << (width % kWarp)) - 1) << (threadIdx.x % kWarp / width * width);
  }
};

POLEZERO_ISA_END
