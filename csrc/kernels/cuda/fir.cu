// What has no recurrence: every output by a thread of its own.
#include "kernels/cuda/check.cuh"
#include "kernels/cuda/threads.cuh"
#include "tile/pointwise.h"

namespace polezero {
namespace gpu {
namespace {

template <class T>
__global__ void fir_kernel(Filters<T> filters, bool reverse, int64_t rows, int64_t time, const T* x,
                           int64_t x_stride, T* y) {
  for (int64_t i = cuda::grid_index(); i < rows * time; i += cuda::grid_stride()) {
    const int64_t row = i / time;
    const auto* b = filters.b + row * filters.filter_stride * (filters.order + 1);
    y[i] = fir_output(b, filters.order_b + 1, reverse, time, x + row * x_stride, i % time);
  }
}

template <class T>
__global__ void lpv_fir_kernel(LpvFirParams<T> p, int64_t rows, int64_t time) {
  for (int64_t i = cuda::grid_index(); i < rows * time; i += cuda::grid_stride()) {
    lpv_fir_output(p, time, i / time, i % time);
  }
}

template <class T>
__global__ void lag_product_kernel(LagProductParams<T> p, int64_t rows, int64_t time) {
  for (int64_t i = cuda::grid_index(); i < rows * time * p.taps; i += cuda::grid_stride()) {
    const int64_t m = i / p.taps;
    lag_product_output(p, time, m / time, m % time, i % p.taps);
  }
}

// ---- correlation: sums over stretches of time, then over the stretches, both in a fixed order

inline constexpr int kThreads = 256;
inline constexpr int64_t kStretch = 1 << 14;

// A block for each [row, tap, stretch].
template <class T>
__global__ void lag_correlation_kernel(LagCorrelationParams<T> p, int64_t rows, int64_t time,
                                       int64_t stretches, acc_t<T>* partial) {
  using A = acc_t<T>;
  __shared__ double scratch[kThreads / kWarp * kWords<A>];
  const DeviceThreads threads;
  for (int64_t i = blockIdx.x; i < rows * p.taps * stretches; i += gridDim.x) {
    const int64_t row = i / (p.taps * stretches), k = i / stretches % p.taps;
    const int64_t begin = i % stretches * kStretch;
    const int64_t end = time - begin < kStretch ? time : begin + kStretch;
    A sum(0);
    for (int64_t n = (begin > k ? begin : k) + threadIdx.x; n < end; n += kThreads) {
      sum += multiply(static_cast<A>(p.g[row * p.g_stride + n]),
                      static_cast<A>(p.x[row * p.x_stride + n - k]));
    }
    sum = block_sum(threads, reinterpret_cast<A*>(scratch), sum);
    if (threadIdx.x == 0) partial[i] = sum;
  }
}

template <class A>
__global__ void add_stretches_kernel(const A* partial, int64_t count, int64_t stretches, A* out) {
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) {
    A sum(0);
    for (int64_t s = 0; s < stretches; ++s) sum += partial[i * stretches + s];
    out[i] = sum;
  }
}

}  // namespace
}  // namespace gpu

namespace cuda {

template <class T>
void fir(const Context& context, const NormalisedOnDevice<T>& filters, bool reverse, int64_t rows,
         int64_t time, const T* x, int64_t x_stride, T* y) {
  launch(context, rows * time, gpu::fir_kernel<T>, filters.view, reverse, rows, time, x, x_stride,
         y);
}

template <class T>
void lpv_fir(const Context& context, const LpvFirParams<T>& p, int64_t rows, int64_t time) {
  launch(context, rows * time, gpu::lpv_fir_kernel<T>, p, rows, time);
}

template <class T>
void lag_product(const Context& context, const LagProductParams<T>& p, int64_t rows, int64_t time) {
  launch(context, rows * time * p.taps, gpu::lag_product_kernel<T>, p, rows, time);
}

template <class T>
void lag_correlation(const Context& context, const LagCorrelationParams<T>& p, int64_t rows,
                     int64_t time) {
  const int64_t stretches = (time + gpu::kStretch - 1) / gpu::kStretch, sums = rows * p.taps;
  if (sums * stretches > 0) {
    auto* partial = context.array<acc_t<T>>(sums * stretches);
    const int64_t blocks = sums * stretches < kMostBlocks ? sums * stretches : kMostBlocks;
    gpu::lag_correlation_kernel<T>
        <<<static_cast<unsigned>(blocks), gpu::kThreads, 0, context.stream>>>(p, rows, time,
                                                                              stretches, partial);
    check(cudaGetLastError());
    launch(context, sums, gpu::add_stretches_kernel<acc_t<T>>, partial, sums, stretches, p.c);
  }
}

#define POLEZERO_INSTANTIATE(T)                                                               \
  template void fir<T>(const Context&, const NormalisedOnDevice<T>&, bool, int64_t, int64_t,  \
                       const T*, int64_t, T*);                                                \
  template void lpv_fir<T>(const Context&, const LpvFirParams<T>&, int64_t, int64_t);         \
  template void lag_product<T>(const Context&, const LagProductParams<T>&, int64_t, int64_t); \
  template void lag_correlation<T>(const Context&, const LagCorrelationParams<T>&, int64_t,   \
                                   int64_t);
POLEZERO_INSTANTIATE(float)
POLEZERO_INSTANTIATE(double)
POLEZERO_INSTANTIATE(std::complex<float>)
POLEZERO_INSTANTIATE(std::complex<double>)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
