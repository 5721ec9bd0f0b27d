// Sums whose parts were made by other kernels: in a fixed order, so that they are the same bits in
// every run.
#pragma once

#include "kernels/cuda/launch_kernel.cuh"
#include "kernels/cuda/threads.cuh"

POLEZERO_ISA_BEGIN

// out[i] = sum of parts[i][0..count), by a warp
template <class A>
__global__ void add_parts_kernel(const A* parts, int64_t sums, int64_t count, A* out) {
  const DeviceThreads<> threads;
  for (int64_t i = cuda::grid_index() / kWarp; i < sums; i += cuda::grid_stride() / kWarp) {
    A sum(0);
    for (int64_t k = threads.lane(); k < count; k += kWarp) sum += parts[i * count + k];
    sum = warp_sum(threads, sum);
    if (threads.lane() == 0) out[i] = sum;
  }
}

POLEZERO_ISA_END

namespace polezero::cuda {

template <class A>
void add_parts(const Context& context, const A* parts, int64_t sums, int64_t count, A* out) {
  launch(context, sums * kWarp, add_parts_kernel<A>, parts, sums, count, out);
}

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
  add_parts(context, parts, count, each, sums);
}

}  // namespace polezero::cuda
