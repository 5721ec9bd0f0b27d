// Sums whose parts were made by other kernels: in a fixed order, so that they are the same bits in
// every run.
#pragma once

#include "kernels/cuda/check.cuh"
#include "tile/isa.h"

POLEZERO_ISA_BEGIN

// out[i] = sum of parts[i][0..count)
template <class A>
__global__ void add_parts_kernel(const A* parts, int64_t sums, int64_t count, A* out) {
  for (int64_t i = cuda::grid_index(); i < sums; i += cuda::grid_stride()) {
    A sum(0);
    for (int64_t k = 0; k < count; ++k) sum += parts[i * count + k];
    out[i] = sum;
  }
}

POLEZERO_ISA_END
