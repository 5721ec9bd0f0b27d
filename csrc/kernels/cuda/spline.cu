// Splines: every output by a thread of its own.
#include "kernels/cuda/launch_kernel.cuh"
#include "params/spline_points.h"

namespace polezero {
namespace cuda {
namespace {

template <class T>
__global__ void spline_kernel(SplineParams<T> p, int64_t rows, int64_t points) {
  for (int64_t i = cuda::grid_index(); i < rows * points; i += cuda::grid_stride()) {
    p.y[i] = spline_value(p, i / points, i % points);
  }
}

// y[k]: the sum over the reads of coefficient k, in the order of `read`.
template <class T>
__global__ void spline_transposed_kernel(SplineParams<T> p, SplineReads reads, int64_t rows,
                                         int64_t points) {
  for (int64_t i = cuda::grid_index(); i < rows * p.knots; i += cuda::grid_stride()) {
    p.y[i] = spline_sum(p, reads, points, i / p.knots, i % p.knots);
  }
}

template <class T>
__global__ void upsample_kernel(UpsampleParams<T> p, int64_t rows) {
  const int64_t samples = p.samples();
  for (int64_t i = cuda::grid_index(); i < rows * samples; i += cuda::grid_stride()) {
    p.y[i] = upsampled(p, i / samples, i % samples);
  }
}

template <class T>
__global__ void upsample_transposed_kernel(UpsampleParams<T> p, int64_t rows) {
  for (int64_t i = cuda::grid_index(); i < rows * p.knots; i += cuda::grid_stride()) {
    p.y[i] = upsampled_transposed(p, i / p.knots, i % p.knots);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

template <class T>
void spline(const Context& context, const SplineParams<T>& p, int64_t rows, int64_t points) {
  launch(context, rows * points, spline_kernel<T>, p, rows, points);
}

template <class T>
void spline_transposed(const Context& context, const SplineParams<T>& p, const SplineReads& reads,
                       int64_t rows, int64_t points) {
  launch(context, rows * p.knots, spline_transposed_kernel<T>, p, reads, rows, points);
}

template <class T>
void upsample(const Context& context, const UpsampleParams<T>& p, bool transposed, int64_t rows) {
  if (transposed) {
    launch(context, rows * p.knots, upsample_transposed_kernel<T>, p, rows);
  } else {
    launch(context, rows * p.samples(), upsample_kernel<T>, p, rows);
  }
}

#define POLEZERO_INSTANTIATE(T)                                                                  \
  template void spline<T>(const Context&, const SplineParams<T>&, int64_t, int64_t);             \
  template void spline_transposed<T>(const Context&, const SplineParams<T>&, const SplineReads&, \
                                     int64_t, int64_t);                                          \
  template void upsample<T>(const Context&, const UpsampleParams<T>&, bool, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
