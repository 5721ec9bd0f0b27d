// The kernels of Note [Chunks] in kernels/cuda/tile/chunks.h, for any filter, and their launch.
#pragma once

#include <algorithm>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/launch_kernel.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/chunks.h"

POLEZERO_ISA_BEGIN

template <class Filter>
using PlanOf = ChunkPlan<acc_t<typename Filter::Scalar>>;

// Samples of one signal from the chunks of a warp's lanes. Memory has them one chunk after another,
// and a lane wants its own: one item is left out after those of a lane, so that the lanes are at
// different banks both ways.
template <class T>
struct LaneSamples {
  static constexpr int kSamples = 64 / sizeof(T);  // two sectors
  T items[kWarp][kSamples + 1];
};
// Signals that go through shared memory; a filter may have more.
inline constexpr int64_t kMostStaged = 4;
inline constexpr int kChunkThreads = 128;
// States whose transition is squared by a block, a number each thread; more: by all of the GPU.
inline constexpr int64_t kMostInABlock = 16;
inline constexpr size_t kMostShared = 48 * 1024;  // without asking for more

template <class Filter>
struct StagedSignals {
  using T = typename Filter::Scalar;
  const Filter& f;
  int64_t row, first;  // sample that is the tile's first
  int lane, inputs, outputs;
  LaneSamples<T>* tiles;

  __device__ T in(int64_t i, int64_t n) const {
    return i < inputs ? item(i, n) : f.input(row, i)[n];
  }
  __device__ void out(int64_t i, int64_t n, T value) const {
    (i < outputs ? item(inputs + i, n) : f.output(row, i)[n]) = value;
  }

 private:
  __device__ T& item(int64_t tile, int64_t n) const {
    return tiles[tile].items[lane][static_cast<int>(f.backwards() ? first - n : n - first)];
  }
};

// `run` of Note [Chunks]: the lanes of a warp at once, a tile of each chunk after another.
template <class Filter>
struct StagedRun {
  using T = typename Filter::Scalar;
  using A = acc_t<T>;
  static constexpr int kSamples = LaneSamples<T>::kSamples;
  const Filter& f;
  const PlanOf<Filter>& plan;
  LaneSamples<T>* tiles;  // of the warp: of each input, of each output
  A* states;              // [storage, threads], behind those of all warps
  int lane;

  static int64_t signals(const Filter& f) {
    return std::min(f.template inputs<Pass::kOutput>() + f.outputs(), kMostStaged);
  }

  // Of the thread; in shared memory where there is room for it.
  __device__ auto state([[maybe_unused]] int64_t slot) const {
    if constexpr (Filter::kRegisters > 0) {
      return StateRegisters<A, Filter::kRegisters>{};
    } else if (plan.state == nullptr) {
      return StateRef<A>{states + threadIdx.x, blockDim.x};
    } else {
      return StateRef<A>{plan.state + slot, plan.slots(f.rows)};
    }
  }
  template <Pass pass, class State>
  __device__ void operator()(std::integral_constant<Pass, pass>, const ChunkPosition& at, State& s,
                             bool exists) const {
    if (!__any_sync(~0u, exists)) return;
    const auto inputs = static_cast<int>(min(f.template inputs<Pass::kOutput>(), kMostStaged));
    const auto outputs = static_cast<int>(min(f.outputs(), kMostStaged - inputs));
    for (int64_t from = 0; from < plan.length; from += kSamples) {
      const int64_t begin = at.begin + from;
      for (int i = 0; i < inputs && i < f.template inputs<pass>(); ++i) {
        if (f.input(at.row, i) == nullptr) continue;
        for_items(
            at, from, [&](int64_t row) { return f.input(row, i); },
            [&](const T* from, int of_lane, int k) { tiles[i].items[of_lane][k] = *from; });
      }
      __syncwarp();
      if (exists && begin < f.time) {
        f.template run<pass>(
            at.row, begin, min(begin + kSamples, f.time), s,
            StagedSignals<Filter>{f, at.row, sample_at(f, begin), lane, inputs, outputs, tiles});
      }
      __syncwarp();
      if constexpr (pass == Pass::kOutput) {
        for (int i = 0; i < outputs; ++i) {
          for_items(
              at, from, [&](int64_t row) { return f.output(row, i); },
              [&](T* to, int of_lane, int k) { *to = tiles[inputs + i].items[of_lane][k]; });
        }
      }
    }
  }

 private:
  // each(address, lane that it is of, which of the lane's) for the samples of all lanes, neighbours
  // in neighbouring lanes, `from` samples into their chunks.
  template <class Signal, class F>
  __device__ void for_items(const ChunkPosition& at, int64_t from, Signal&& signal,
                            F&& each) const {
    constexpr int kLanes = kWarp / kSamples;  // whose samples are moved at once
    const bool rows = plan.count == 1;
    const int first = lane / kSamples, k = lane % kSamples;
    const int64_t row = rows ? at.row - lane + first : at.row;
    const int64_t step = (rows ? 0 : at.begin + (first - lane) * plan.length) + from + k;
    // lanes from `first` on that have this sample
    const int64_t exist = rows ? (step < f.time ? f.rows - row : 0)
                               : (f.time - step + plan.length - 1) >> plan.doublings;
    auto* address = signal(row) + sample_at(f, step);
    const int64_t stride = rows            ? signal(row + kLanes) - signal(row)
                           : f.backwards() ? -kLanes * plan.length
                                           : kLanes * plan.length;
    POLEZERO_UNROLLED
    for (int i = 0; i < kWarp; i += kLanes, address += stride) {
      if (i < exist) each(address, first + i, k);
    }
  }
};

template <class Filter>
__device__ StagedRun<Filter> staged_run(const Filter& f, const PlanOf<Filter>& plan, int signals) {
  extern __shared__ uint4 memory[];
  const DeviceThreads<> block;
  auto* const tiles = reinterpret_cast<LaneSamples<typename Filter::Scalar>*>(memory);
  return {f, plan, tiles + block.warp() * signals,
          reinterpret_cast<acc_t<typename Filter::Scalar>*>(tiles + block.warps() * signals),
          block.lane()};
}

// `work`: of a filter that does not change, or null.
template <class Filter>
__global__ void columns_kernel(Filter f, PlanOf<Filter> plan, int64_t columns,
                               quad_double_t<acc_t<typename Filter::Scalar>>* work) {
  for (int64_t i = cuda::grid_index(); i < columns; i += cuda::grid_stride()) {
    work == nullptr ? find_transition(f, plan, i) : find_sample_transition(f, plan, work, i);
  }
}
template <class A>
__global__ void square_kernel(ChunkPlan<A> plan, int64_t numbers, int d, quad_double_t<A>* work) {
  const int64_t matrix = int64_t{plan.tree.states} * plan.tree.states;
  for (int64_t i = cuda::grid_index(); i < numbers; i += cuda::grid_stride()) {
    square_transition(plan.tree, i / matrix, plan.doublings, work + i / matrix * 2 * matrix, d,
                      static_cast<int>(i % matrix));
  }
}
template <class Filter>
__global__ void transition_kernel(Filter f, PlanOf<Filter> plan, int64_t sets,
                                  quad_double_t<acc_t<typename Filter::Scalar>>* work) {
  const DeviceThreads<> block;
  for (int64_t set = blockIdx.x; set < sets; set += gridDim.x) {
    find_transitions(block, f, plan, work, set);
  }
}
// Of chunks side by side: in groups, or those above the groups.
template <class A>
__global__ void join_kernel(ChunkPlan<A> plan, int64_t sets, bool in_groups) {
  const DeviceThreads<> block;
  const int64_t parts = in_groups ? plan.groups() : 1;
  for (int64_t i = blockIdx.x; i < sets * parts; i += gridDim.x) {
    join_transitions(block, plan.tree, i / parts,
                     in_groups ? plan.of_group(i % parts) : plan.above_groups());
  }
}
template <class Filter>
__global__ void forced_kernel(Filter f, PlanOf<Filter> plan, int signals) {
  const DeviceThreads<> block;
  for (int64_t i = blockIdx.x; i < f.rows * plan.groups(); i += gridDim.x) {
    leave_behind(block, f, plan, i, staged_run(f, plan, signals));
  }
}
template <class Filter>
__global__ void carry_kernel(Filter f, PlanOf<Filter> plan) {
  const DeviceThreads<> block;
  for (int64_t row = blockIdx.x; row < f.rows; row += gridDim.x) carry_states(block, f, plan, row);
}
template <class Filter>
__global__ void chunk_kernel(Filter f, PlanOf<Filter> plan, int signals) {
  const DeviceThreads<> block;
  const int64_t groups = plan.slots(f.rows) >> plan.group_levels;
  for (int64_t i = blockIdx.x; i < groups; i += gridDim.x) {
    filter_group(block, f, plan, i, staged_run(f, plan, signals));
  }
}

// A row has as many chunks as give every processor threads to choose from. To carry a state over a
// chunk costs as many operations as a matrix of the state has numbers: chunks are much longer than
// the state, a power of two because transitions are squared, and too few for half a warp are none.
struct ChunkShape {
  int64_t length, count;
  int doublings = 0;

  ChunkShape(const cuda::Context& context, int64_t rows, int64_t time, int64_t states) {
    const int64_t wanted = std::max<int64_t>(context.processors * kThreadsPerProcessor / rows, 1);
    const int64_t least = std::max({int64_t{64}, 8 * states, (time + wanted - 1) / wanted});
    for (length = 1; length < least; length *= 2) ++doublings;
    count = (time + length - 1) / length;
    if (count < kWarp / 2) length = time, count = 1;
  }

 private:
  static constexpr int64_t kThreadsPerProcessor = 512;
};

// `f` has samples, and a state.
template <class Filter>
class ChunkLaunch {
 public:
  using A = acc_t<typename Filter::Scalar>;
  using E = double_double_t<A>;
  using Q = quad_double_t<A>;

  ChunkLaunch(const cuda::Context& context, const ChunkShape& shape, const Filter& f)
      : context_(context), f_(f), S_(f.states()), sets_(f.shared() ? 1 : f.rows) {
    plan_ = {.length = shape.length, .count = shape.count, .doublings = shape.doublings};
    constexpr int kFewest = 5, kMost = 7;
    static_assert(1 << kMost == kChunkThreads && 1 << kFewest == kWarp);
    plan_.group_levels = kFewest;
    while (plan_.group_levels < kMost && (shape.count == 1 || plan_.group() < shape.count)) {
      ++plan_.group_levels;
    }
    signals_ = static_cast<int>(StagedRun<Filter>::signals(f));
    shared_ = (plan_.group() / kWarp) * signals_ * sizeof(LaneSamples<typename Filter::Scalar>);
    if constexpr (Filter::kRegisters == 0) {
      const size_t of_states = plan_.group() * f.storage() * sizeof(A);
      if (shared_ + of_states <= kMostShared) {
        shared_ += of_states;
      } else {
        plan_.state = context.array<A>(f.storage() * plan_.slots(f.rows));
      }
    }
    if (shape.count == 1) return;
    plan_.tree = {.count = shape.count,
                  .states = static_cast<int>(S_),
                  .constant = f.constant(),
                  .shared = f.shared()};
    ChunkTree<A>& tree = plan_.tree;
    columns_ = sets_ * (f.constant() ? 1 : tree.count - 1) * S_;
    plan_.column = context.array<E>(columns_ * f.storage());
    tree.transition = context.array<Q>(sets_ * tree.nodes() * S_ * S_);
    tree.left_behind = context.array<E>(f.rows * tree.count * S_);
    tree.begin = context.array<E>(f.rows * tree.count * S_);
  }

  void run() const {
    const int64_t groups = plan_.slots(f_.rows) >> plan_.group_levels;
    const auto threads = static_cast<int>(plan_.group());
    if (plan_.count > 1) {
      f_.constant() ? square() : join();
      launch(forced_kernel<Filter>, groups, threads, shared_, f_, plan_, signals_);
      launch(carry_kernel<Filter>, f_.rows, 2 * kChunkThreads, 0, f_, plan_);
    }
    launch(chunk_kernel<Filter>, groups, threads, shared_, f_, plan_, signals_);
  }

 private:
  void square() const {
    Q* work = context_.array<Q>(sets_ * 2 * S_ * S_);
    if (S_ > kMostInABlock) {
      cuda::launch(context_, columns_, columns_kernel<Filter>, f_, plan_, columns_, work);
      for (int d = 1; d < plan_.doublings + plan_.tree.levels(); ++d) {
        cuda::launch(context_, sets_ * S_ * S_, square_kernel<A>, plan_, sets_ * S_ * S_, d, work);
      }
      return;
    }
    const auto threads =
        static_cast<int>(std::min<int64_t>((S_ * S_ + kWarp - 1) / kWarp, 8)) * kWarp;
    launch(transition_kernel<Filter>, sets_, threads, 0, f_, plan_, sets_, work);
  }
  void join() const {
    Q* const none = nullptr;
    cuda::launch(context_, columns_, columns_kernel<Filter>, f_, plan_, columns_, none);
    launch(join_kernel<A>, sets_ * plan_.groups(), kChunkThreads, 0, plan_, sets_, true);
    launch(join_kernel<A>, sets_, 2 * kChunkThreads, 0, plan_, sets_, false);
  }
  template <class... Parameters, class... Arguments>
  void launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t bytes,
              const Arguments&... arguments) const {
    kernel<<<static_cast<unsigned>(std::min(blocks, cuda::kMostBlocks)), threads, bytes,
             context_.stream>>>(arguments...);
    cuda::check(cudaGetLastError());
  }

  const cuda::Context& context_;
  Filter f_;
  int64_t S_, sets_, columns_ = 0;
  PlanOf<Filter> plan_{};
  int signals_;    // that are staged
  size_t shared_;  // bytes of a block that filters
};

template <class Filter>
void launch_chunks(const cuda::Context& context, const ChunkShape& shape, const Filter& f) {
  ChunkLaunch<Filter>(context, shape, f).run();
}

POLEZERO_ISA_END
