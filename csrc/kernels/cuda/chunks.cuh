// The kernels of Note [Chunks] in kernels/cuda/tile/chunks.h, for any filter, and their launch.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/launch_kernel.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/chunks.h"

POLEZERO_ISA_BEGIN

template <class Filter>
using PlanOf = ChunkPlan<acc_t<typename Filter::Scalar>>;

template <class Filter>
__global__ void transition_kernel(Filter f, PlanOf<Filter> plan, int64_t columns) {
  for (int64_t i = cuda::grid_index(); i < columns; i += cuda::grid_stride()) {
    find_transition(f, plan, i);
  }
}
template <class Filter>
__global__ void forced_kernel(Filter f, PlanOf<Filter> plan) {
  const int64_t count = f.rows * (plan.count - 1);
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) find_forced(f, plan, i);
}
template <class Filter>
__global__ void carry_kernel(Filter f, PlanOf<Filter> plan) {
  const DeviceThreads<> block;
  for (int64_t row = blockIdx.x; row < f.rows; row += gridDim.x) carry_states(block, f, plan, row);
}
template <class Filter>
__global__ void chunk_kernel(Filter f, PlanOf<Filter> plan) {
  const int64_t count = f.rows * plan.count;
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) {
    filter_chunk(f, plan, i);
  }
}

// A row has as many chunks as give every processor threads to choose from. But the chunks are
// carried one after another, and to find a transition costs a filter for each state: chunks are no
// shorter than the row has of them, and much longer than the state.
struct ChunkShape {
  int64_t length, count;

  ChunkShape(const cuda::Context& context, int64_t rows, int64_t time, int64_t states) {
    const int64_t wanted = std::max<int64_t>(context.processors * kThreadsPerProcessor / rows, 1);
    const auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(time)));
    const int64_t shortest = std::max({int64_t{64}, 8 * states, root});
    length = std::max((time + wanted - 1) / wanted, shortest);
    count = (time + length - 1) / length;
    if (count <= 2) *this = {time, 1};
  }

 private:
  ChunkShape(int64_t l, int64_t c) : length(l), count(c) {}
  static constexpr int64_t kThreadsPerProcessor = 512;
};

// `f` has samples, and a state.
template <class Filter>
void launch_chunks(const cuda::Context& context, const ChunkShape& shape, const Filter& f) {
  using A = acc_t<typename Filter::Scalar>;
  PlanOf<Filter> plan{shape.length, shape.count, nullptr, nullptr,
                      context.array<A>(f.storage() * f.rows * shape.count)};
  if (shape.count > 1) {
    plan.carried = context.array<double_double_t<A>>(f.rows * 2 * f.states());
    if (!forgets(f, plan)) {
      const int64_t columns = transition_sets(f, shape.count) * f.states();
      plan.transition = context.array<double_double_t<A>>(columns * f.storage());
      cuda::launch(context, columns, transition_kernel<Filter>, f, plan, columns);
    }
    cuda::launch(context, f.rows * (shape.count - 1), forced_kernel<Filter>, f, plan);
    carry_kernel<<<static_cast<unsigned>(std::min(f.rows, cuda::kMostBlocks)), kWarp, 0,
                   context.stream>>>(f, plan);
    cuda::check(cudaGetLastError());
  }
  cuda::launch(context, f.rows * shape.count, chunk_kernel<Filter>, f, plan);
}

POLEZERO_ISA_END
