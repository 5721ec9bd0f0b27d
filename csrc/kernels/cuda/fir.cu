// What has no recurrence: every output by a thread of its own.
#include "kernels/cuda/sums.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/fir_and_products.h"

namespace polezero {
namespace cuda {
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

inline constexpr int kThreads = 256;

// A block for each [row, tap, chunk].
template <class T>
__global__ void lag_correlation_kernel(LagCorrelationParams<T> p, int64_t rows, int64_t time,
                                       acc_t<T>* parts) {
  using A = acc_t<T>;
  alignas(16) __shared__ double scratch[kThreads / kWarp * kWords<A>];
  const DeviceThreads<> block;
  const int64_t count = rows * p.taps * correlation_chunks(time);
  for (int64_t i = blockIdx.x; i < count; i += gridDim.x) {
    correlate_chunk(block, reinterpret_cast<A*>(scratch), p, time, i, parts);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

template <class T>
void fir(const Context& context, const NormalisedFilters<T>& filters, bool reverse, int64_t rows,
         int64_t time, const T* x, int64_t x_stride, T* y) {
  launch(context, rows * time, fir_kernel<T>, filters.view, reverse, rows, time, x, x_stride, y);
}

template <class T>
void lpv_fir(const Context& context, const LpvFirParams<T>& p, int64_t rows, int64_t time) {
  launch(context, rows * time, lpv_fir_kernel<T>, p, rows, time);
}

template <class T>
void lag_product(const Context& context, const LagProductParams<T>& p, int64_t rows, int64_t time) {
  launch(context, rows * time * p.taps, lag_product_kernel<T>, p, rows, time);
}

template <class T>
void lag_correlation(const Context& context, const LagCorrelationParams<T>& p, int64_t rows,
                     int64_t time) {
  launch_sums(context, rows * p.taps, correlation_chunks(time), p.c, kThreads,
              lag_correlation_kernel<T>, p, rows, time);
}

#define POLEZERO_INSTANTIATE(T)                                                               \
  template void fir<T>(const Context&, const NormalisedFilters<T>&, bool, int64_t, int64_t,   \
                       const T*, int64_t, T*);                                                \
  template void lpv_fir<T>(const Context&, const LpvFirParams<T>&, int64_t, int64_t);         \
  template void lag_product<T>(const Context&, const LagProductParams<T>&, int64_t, int64_t); \
  template void lag_correlation<T>(const Context&, const LagCorrelationParams<T>&, int64_t,   \
                                   int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
