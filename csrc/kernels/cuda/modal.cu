// Banks of modes, in chunks.
#include <algorithm>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/sums.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/modal_chunks.h"

namespace polezero {
namespace cuda {
namespace {

using C = cuda::complex<double>;
inline constexpr int kMostThreads = 256;

template <class T>
__global__ void modal_states_kernel(ModalPoles p, ModalChunks<C> c, const T* x, int64_t x_stride,
                                    bool reverse) {
  const int64_t count = c.rows * (c.count - 1) * p.modes;
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) {
    find_modal_states(p, c, x, x_stride, reverse, i);
  }
}

__global__ void modal_transition_kernel(ModalPoles p, ModalChunks<C> c, int64_t count) {
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) {
    find_modal_transition(p, c, i);
  }
}

// A block for each mode.
__global__ void __launch_bounds__(kMostThreads)
    modal_carry_kernel(ModalPoles p, ModalChunks<C> c, const double* state) {
  const DeviceThreads<> block;
  for (int64_t line = blockIdx.x; line < c.rows * p.modes; line += gridDim.x) {
    carry_modal_states(block, p, c, state, line);
  }
}

// A block for each chunk.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    modal_bank_kernel(ModalBankParams<T> p, ModalChunks<C> c) {
  __shared__ double scratch[kMostThreads / kWarp * kModalTile];
  const DeviceThreads<> block;
  for (int64_t i = blockIdx.x; i < c.rows * c.count; i += gridDim.x) {
    modal_bank_chunk(block, scratch, p, c, i);
  }
}

template <class T>
__global__ void modal_correlation_kernel(ModalCorrelationParams<T> p, ModalChunks<C> c, C* parts) {
  const int64_t count = c.rows * c.count * p.poles.modes;
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) {
    modal_correlation_chunk(p, c, parts, i);
  }
}

// Steps 1 and 2. As many chunks as give every processor its threads, so that the memory for states
// is that of the GPU, not of the signal; of 256 samples at least.
template <class T>
ModalChunks<C> begin_chunks(const cuda::Context& context, const ModalPoles& p, const T* x,
                            int64_t x_stride, bool reverse, const double* state, int64_t rows,
                            int64_t time) {
  constexpr int64_t kThreadsOfProcessor = 512, kShortest = 256;
  const int64_t lines = rows * p.modes;
  const int64_t threads = context.processors * kThreadsOfProcessor;
  const int64_t wanted = lines == 0 ? 1 : (threads + lines - 1) / lines;
  const int64_t chunks = std::max<int64_t>(1, std::min(wanted, time / kShortest));
  const int64_t tiles = (time + chunks * kModalTile - 1) / (chunks * kModalTile);
  ModalChunks<C> c{.rows = rows, .time = time};
  c.length = std::max<int64_t>(1, tiles) * kModalTile;
  c.count = std::max<int64_t>(1, (time + c.length - 1) / c.length);
  c.now = context.array<C>(rows * c.count * p.modes * p.orders);
  if (c.count == 1 || lines * p.orders == 0) return c;
  ChunkTree<C>& tree = c.tree;
  tree = {
      .count = c.count, .states = static_cast<int>(p.orders), .constant = true, .shared = false};
  const int64_t states = lines * c.count * p.orders, levels = lines * tree.levels();
  tree.left_behind = context.array<ComplexDoubleDouble<C>>(states);
  tree.begin = context.array<ComplexDoubleDouble<C>>(states);
  tree.transition = context.array<ComplexQuadDouble<C>>(levels * p.orders * p.orders);
  cuda::launch(context, levels, modal_transition_kernel, p, c, levels);
  cuda::launch(context, rows * (c.count - 1) * p.modes, modal_states_kernel<T>, p, c, x, x_stride,
               reverse);
  modal_carry_kernel<<<static_cast<unsigned>(std::min(lines, cuda::kMostBlocks)), kMostThreads, 0,
                       context.stream>>>(p, c, state);
  cuda::check(cudaGetLastError());
  return c;
}

}  // namespace
}  // namespace cuda

namespace cuda {

template <class T>
void modal_bank(const Context& context, const ModalBankParams<T>& p, int64_t rows, int64_t time) {
  const auto c = begin_chunks(context, p.poles, p.x, p.x_stride, p.reverse, p.state, rows, time);
  const int64_t warps = (p.poles.modes + kWarp - 1) / kWarp;
  const int64_t threads = std::clamp<int64_t>(warps * kWarp, kWarp, kMostThreads);
  const int64_t blocks = std::min(rows * c.count, kMostBlocks);
  if (blocks == 0) return;
  modal_bank_kernel<T>
      <<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), 0, context.stream>>>(p, c);
  check(cudaGetLastError());
}

template <class T>
void modal_correlation(const Context& context, const ModalCorrelationParams<T>& p, int64_t rows,
                       int64_t time) {
  const auto c = begin_chunks(context, p.poles, p.x, p.x_stride, false, p.state, rows, time);
  const int64_t sums = rows * p.poles.modes * p.poles.orders;
  auto* parts = context.array<C>(sums * c.count);
  launch(context, rows * c.count * p.poles.modes, modal_correlation_kernel<T>, p, c, parts);
  add_parts(context, parts, sums, c.count, reinterpret_cast<C*>(p.c));
}

#define POLEZERO_INSTANTIATE(T)                                                                 \
  template void modal_bank<T>(const Context&, const ModalBankParams<T>&, int64_t, int64_t);     \
  template void modal_correlation<T>(const Context&, const ModalCorrelationParams<T>&, int64_t, \
                                     int64_t);
POLEZERO_INSTANTIATE(float)
POLEZERO_INSTANTIATE(double)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
