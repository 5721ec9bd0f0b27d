// Cascades of second-order sections that change with time, in chunks.
#include "kernels/cuda/chunks.cuh"
#include "kernels/cuda/tile/lpv_sosfilt_chunks.h"

POLEZERO_ISA_BEGIN

template <class T>
__global__ void section_gradient_kernel(SectionGradient<T> gradient, int64_t count) {
  for (int64_t i = cuda::grid_index(); i < count; i += cuda::grid_stride()) gradient.write(i);
}

POLEZERO_ISA_END

namespace polezero::cuda {

template <class T>
void lpv_sosfilt_forward(const Context& context, const LpvSosfiltForwardParams<T>& p,
                         int64_t time) {
  launch_chunks(context, ChunkShape(context, p.rows, time, 2 * p.sections.count),
                LpvSosfiltChunks<T>{p, p.rows, time});
}

// The filter runs once more, for the signals between its sections, where it has several.
template <class T>
void lpv_sosfilt_backward(const Context& context, const LpvSosfiltBackwardParams<T>& p,
                          const acc_t<T>* zi, int64_t time) {
  using A = acc_t<T>;
  const int64_t K = p.sections.count;
  const ChunkShape shape(context, p.rows, time, 2 * K);
  if (p.x == nullptr) {
    return launch_chunks(context, shape, LpvSosfiltAdjointChunks<T>{p, p.rows, time});
  }
  A* signals = nullptr;
  if (K > 1) {
    signals = context.array<A>(p.rows * (K + 1) * time);
    A* state = context.array<A>(p.rows * 2 * K);
    check(cudaMemcpyAsync(state, zi, p.rows * 2 * K * sizeof(A), cudaMemcpyDeviceToDevice,
                          context.stream));
    const LpvSosfiltForwardParams<T> filter{.sections = p.sections,
                                            .rows = p.rows,
                                            .x = p.x,
                                            .x_stride = p.x_stride,
                                            .y = nullptr,
                                            .y_stride = 0,
                                            .state = state};
    launch_chunks(context, shape, LpvSosfiltChunks<T>{filter, p.rows, time, signals});
  }
  A* lambdas = context.array<A>(p.rows * K * (time + 2));
  launch_chunks(context, shape, LpvSosfiltAdjointChunks<T>{p, p.rows, time, lambdas});
  const int64_t count = p.rows / p.sections.rows_per_set * p.sections.frames.count * K;
  launch(context, count, section_gradient_kernel<T>,
         SectionGradient<T>{p.sections, time, p.x, p.y, p.x_stride, p.y_stride, signals, lambdas,
                            p.grad, p.wide_grad},
         count);
}

#define POLEZERO_INSTANTIATE(T)                                                             \
  template void lpv_sosfilt_forward<T>(const Context&, const LpvSosfiltForwardParams<T>&,   \
                                       int64_t);                                            \
  template void lpv_sosfilt_backward<T>(const Context&, const LpvSosfiltBackwardParams<T>&, \
                                        const acc_t<T>*, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cuda
