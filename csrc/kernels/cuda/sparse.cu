// Filters of a few taps at delays far apart.
#include <algorithm>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/sums.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/one_tap.h"
#include "kernels/cuda/tile/sparse.h"

namespace polezero {
namespace cuda {
namespace {

inline constexpr int kThreads = 256;

// A block for each row.
template <class T>
__global__ void sparse_allpole_kernel(SparseOnDevice<T> p) {
  __shared__ double scratch[kThreads / kWarp];
  const DeviceThreads<> block;
  for (int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
    sparse_allpole_row(block, scratch, p, row);
  }
}

// blockIdx.y: a row, or as many of them as a grid has.
template <class T>
__global__ void find_comb_kernel(SparseOnDevice<T> p) {
  for (int64_t row = blockIdx.y; row < p.rows; row += gridDim.y) {
    const int64_t mine = cuda::grid_index();
    if (mine < p.comb_threads) find_comb_chunk(p, row, mine);
  }
}
template <class T>
__global__ void comb_kernel(SparseOnDevice<T> p) {
  for (int64_t row = blockIdx.y; row < p.rows; row += gridDim.y) {
    const int64_t mine = cuda::grid_index();
    if (mine < p.comb_threads) filter_comb_chunk(p, row, mine);
  }
}

template <class T>
__global__ void sparse_fir_kernel(SparseOnDevice<T> p) {
  for (int64_t i = cuda::grid_index(); i < p.rows * p.time; i += cuda::grid_stride()) {
    sparse_fir_output(p, i / p.time, i % p.time);
  }
}

template <class T>
__global__ void sparse_product_kernel(SparseProductParams<T> p, int64_t rows, int64_t time) {
  const int64_t L = p.taps.count;
  for (int64_t i = cuda::grid_index(); i < rows * time * L; i += cuda::grid_stride()) {
    p.p[i] = static_cast<T>(sparse_product_of(p, i / L / time, i / L % time, i % L));
  }
}

// A block for each [row, tap, chunk].
template <class T>
__global__ void sparse_sums_kernel(SparseProductParams<T> p, int64_t rows, int64_t time,
                                   acc_t<T>* parts) {
  using A = acc_t<T>;
  alignas(16) __shared__ double scratch[kThreads / kWarp * kWords<A>];
  const DeviceThreads<> block;
  const int64_t count = rows * p.taps.count * correlation_chunks(time);
  for (int64_t i = blockIdx.x; i < count; i += gridDim.x) {
    sparse_product_chunk(block, reinterpret_cast<A*>(scratch), p, time, i, parts);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

namespace {

// The delay is not known here: each row cuts itself into as many chunks as it has threads, if it
// has samples for two.
template <class T>
void comb(const Context& context, SparseOnDevice<T> p) {
  constexpr int64_t kThreadsPerProcessor = 1024;
  const int64_t wanted = context.processors * kThreadsPerProcessor / p.rows;
  p.comb_threads = std::min(std::max<int64_t>(wanted, kWarp), p.time);
  // small blocks: where the delay is short, few of them have something to do
  const int64_t threads = p.comb_threads > kWarp ? 2 * kWarp : kWarp;
  const dim3 grid(static_cast<unsigned>((p.comb_threads + threads - 1) / threads),
                  static_cast<unsigned>(std::min<int64_t>(p.rows, 65535)));
  if (p.time > kShortestCombChunk) {
    p.comb_states = context.array<acc_t<T>>(2 * p.rows * p.comb_threads);
    find_comb_kernel<T><<<grid, threads, 0, context.stream>>>(p);
    check(cudaGetLastError());
  }
  comb_kernel<T><<<grid, threads, 0, context.stream>>>(p);
  check(cudaGetLastError());
}

}  // namespace

template <class T>
void sparse(const Context& context, SparseOnDevice<T> p) {
  if (!p.feedback) return launch(context, p.rows * p.time, sparse_fir_kernel<T>, p);
  if (p.taps.are_comb()) return comb(context, p);
  p.history = context.array<acc_t<T>>(p.rows * p.time);
  const auto blocks = static_cast<unsigned>(std::min(p.rows, kMostBlocks));
  sparse_allpole_kernel<T><<<blocks, kThreads, 0, context.stream>>>(p);
  check(cudaGetLastError());
}

template <class T>
void sparse_product(const Context& context, const SparseProductParams<T>& p, int64_t rows,
                    int64_t past_and_time) {
  const int64_t time = past_and_time - p.past, L = p.taps.count;
  if (p.p != nullptr) {
    launch(context, rows * time * L, sparse_product_kernel<T>, p, rows, time);
  }
  if (p.p_sums != nullptr) {
    launch_sums(context, rows * L, correlation_chunks(time), p.p_sums, kThreads,
                sparse_sums_kernel<T>, p, rows, time);
  }
}

#define POLEZERO_INSTANTIATE(T)                               \
  template void sparse<T>(const Context&, SparseOnDevice<T>); \
  template void sparse_product<T>(const Context&, const SparseProductParams<T>&, int64_t, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
