// A kernel for any filter that is a scan (Note [Scan] in kernels/cuda/tile/scan.h), and its launch.
#pragma once

#include <algorithm>

#include "kernels/cuda/block.cuh"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/launch_kernel.cuh"

POLEZERO_ISA_BEGIN

template <class Filter>
struct ScanMemory {
  alignas(16) char shared[sizeof(typename Filter::Shared)];
  alignas(16) int64_t ticket;
};

// Registers that a thread may have, by the threads that a processor then still holds at once: 65536
// of them are shared out.
template <int warps_of_block, int blocks>
struct Occupancy {
  static constexpr int kWarps = warps_of_block, kBlocks = blocks;
};
using Registers128 = Occupancy<8, 2>;
using Registers168 = Occupancy<4, 3>;
using Registers255 = Occupancy<4, 2>;

// Filter: Scalar, Block, Registers, Params, Shared, messages(p) (that a tile
// publishes), run(block, shared, plan, p, ticket). Tickets 0..tickets-1 are drawn from `drawn`,
// which begins all ones, or, null, are those of the grid.
template <class Filter>
__global__ void __launch_bounds__(kWarp* Filter::Registers::kWarps, Filter::Registers::kBlocks)
    scan_kernel(ScanPlan<acc_t<typename Filter::Scalar>> plan, typename Filter::Params p,
                int64_t tickets, unsigned long long* drawn) {
  using Block = typename Filter::Block;
  extern __shared__ __align__(16) char bytes[];
  const int groups = Block::groups(), group = Block::group();
  auto& memory = reinterpret_cast<ScanMemory<Filter>*>(bytes)[group];
  auto& shared = *reinterpret_cast<typename Filter::Shared*>(memory.shared);
  Block block(reinterpret_cast<typename Block::Io*>(bytes + groups * sizeof(memory)));
  if (Block::kWholeBlock && drawn != nullptr) {
    if (threadIdx.x == 0) memory.ticket = static_cast<int64_t>(atomicAdd(drawn, 1ull) + 1);
    __syncthreads();
    Filter::run(block, shared, plan, p, memory.ticket);
  } else {
    for (int64_t ticket = blockIdx.x * int64_t{groups} + group; ticket < tickets;
         ticket += int64_t{gridDim.x} * groups) {
      Filter::run(block, shared, plan, p, ticket);
      block.sync();
    }
  }
}

// Rows are cut into tiles of as many warps as they fill. Where the tiles of one row are all that
// a processor gets, a block goes through them and carries the state; fewer rows than that would
// leave processors without work, and every tile has its block. Rows that fit in a group of a warp's
// lanes (Filter::Block) have a group each.
struct ScanShape {
  int warps, groups;    // of a block
  int64_t tile, tiles;  // samples, of a row
  int64_t units;        // of a tile, a thread's samples each
  bool whole_row;

  template <class Filter>
  static ScanShape of(const cuda::Context& context, int64_t rows, int64_t time) {
    using Block = typename Filter::Block;
    static_assert(Filter::Registers::kWarps <= kMaxWarps);
    if constexpr (!Block::kWholeBlock) {
      constexpr int kWarps = Filter::Registers::kWarps;
      return {
          kWarps, kWarps * kWarp / Block::kLanes, Block::kLanes * Block::kSamples, 1, Block::kLanes,
          true};
    }
    const int64_t of_warp = int64_t{kWarp} * Block::kSamples;
    const int64_t warps =
        std::clamp<int64_t>((time + of_warp - 1) / of_warp, 1, Filter::Registers::kWarps);
    const int64_t tile = warps * of_warp, tiles = (time + tile - 1) / tile;
    return {static_cast<int>(warps),
            1,
            tile,
            tiles,
            warps * kWarp,
            tiles == 1 || rows >= kRowsPerProcessor * context.processors};
  }
  // The matrices of a filter's table: up to the longest span that is joined.
  int64_t powers() const { return power_count((whole_row ? 1 : tiles) * units); }

 private:
  static constexpr int64_t kRowsPerProcessor = 2;
};

// f(lanes): those that filter a row of so many samples together, a group's or a warp's.
template <int samples_of_thread, class F>
void with_lanes(int64_t time, F&& f) {
  constexpr int kGroup = 8;
  time <= kGroup* samples_of_thread ? f(std::integral_constant<int, kGroup>{})
                                    : f(std::integral_constant<int, kWarp>{});
}

template <class Filter>
void launch_scan(const cuda::Context& context, const ScanShape& shape,
                 const acc_t<typename Filter::Scalar>* power, int64_t filter_stride,
                 const typename Filter::Params& p) {
  using T = typename Filter::Scalar;
  using Message = typename Filter::Shared::Message;
  ScanPlan<acc_t<T>> plan{shape.tiles, shape.tile, nullptr, 0, power, filter_stride};
  unsigned long long* drawn = nullptr;
  int64_t tickets = p.rows;
  if (!shape.whole_row) {
    tickets *= shape.tiles;
    plan.row_words = Filter::messages(p) * node_count(shape.tiles) * kWords<Message>;
    const int64_t words = p.rows * plan.row_words + 1;
    plan.words = context.array<double>(words);
    drawn = reinterpret_cast<unsigned long long*>(plan.words + words - 1);
    cuda::check(cudaMemsetAsync(plan.words, 0xff, words * sizeof(double), context.stream));
  }
  using Block = typename Filter::Block;
  constexpr int kThreads = Filter::Registers::kWarps * kWarp;
  static_assert((Block::kWholeBlock ? 1 : kThreads / Block::kLanes) * sizeof(ScanMemory<Filter>) +
                        kThreads / Block::kLanes * sizeof(typename Block::Io) <=
                    48 << 10,
                "more shared memory than a block has unasked");
  size_t bytes = shape.groups * sizeof(ScanMemory<Filter>) +
                 shape.warps * kWarp / Block::kLanes * sizeof(typename Block::Io);
#if defined(POLEZERO_STRESS)  // for tests: a block takes all memory of a processor, which has no
                              // other
  int device = 0, all = 0;
  cuda::check(cudaGetDevice(&device));
  cuda::check(cudaDeviceGetAttribute(&all, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  cuda::check(
      cudaFuncSetAttribute(scan_kernel<Filter>, cudaFuncAttributeMaxDynamicSharedMemorySize, all));
  bytes = all;
#endif
  // rows may be more than a grid has blocks; tiles, of thousands of samples, are not
  const auto blocks = static_cast<unsigned>(
      std::min((tickets + shape.groups - 1) / shape.groups, cuda::kMostBlocks));
  scan_kernel<Filter>
      <<<blocks, shape.warps * kWarp, bytes, context.stream>>>(plan, p, tickets, drawn);
  cuda::check(cudaGetLastError());
}

POLEZERO_ISA_END
