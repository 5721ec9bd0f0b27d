// Sums whose parts were made by other kernels: in a fixed order, so that they are the same bits in
// every run.
#pragma once

#include "kernels/cuda/launch_kernel.cuh"
#include "math/isa.h"

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

namespace polezero::cuda {

// sums[0..count) by a kernel of `threads` a block for each part, kernel(arguments..., parts), and
// then add_parts_kernel: `each` parts a sum.
template <class A, class Kernel, class... Arguments>
void launch_sums(const Context& context, int64_t count, int64_t each, A* sums, int threads,
                 Kernel kernel, const Arguments&... arguments) {
  const int64_t all = count * each;
  auto* parts = context.array<A>(all);
  if (all > 0) {
    const auto blocks = static_cast<unsigned>(all < kMostBlocks ? all : kMostBlocks);
    kernel<<<blocks, threads, 0, context.stream>>>(arguments..., parts);
    check(cudaGetLastError());
  }
  launch(context, count, add_parts_kernel<A>, parts, count, each, sums);
}

}  // namespace polezero::cuda
