// Constant direct forms of any order: one thread filters a row, one sample after another.
#include "kernels/cuda/check.cuh"
#include "kernels/cuda/launch.h"
#include "tile/scan.h"
#include "tile/serial.h"

namespace polezero {
namespace gpu {
namespace {

template <class T>
__global__ void forward_kernel(LfilterScan<T> p, acc_t<T>* state) {
  using A = acc_t<T>;
  const Filters<T>& f = p.filters;
  for (int64_t row = cuda::grid_index(); row < p.rows; row += cuda::grid_stride()) {
    const A* b = f.b + row * f.filter_stride * (f.order + 1);
    const A* a = f.a + row * f.filter_stride * f.order;
    A* s = state + row * f.order;
    for (int64_t j = 0; j < f.order; ++j) {
      s[j] = A(0);
      if (p.zi != nullptr) s[j] = static_cast<A>(p.zi[row * f.order + j]);
      // past outputs, as what they add: s_j = -sum_{i > j} a_i y[j - i]
      for (int64_t i = j + 1; p.past != nullptr && i <= f.order_a; ++i) {
        s[j] -= multiply(a[i - 1], static_cast<A>(p.past[row * f.order + i - j - 1]));
      }
    }
    serial_forward(f, b, a, p.x + row * p.x_stride, p.y + row * p.y_stride, p.time, s);
    for (int64_t j = 0; p.zf != nullptr && j < f.order; ++j) {
      p.zf[row * f.order + j] = static_cast<T>(s[j]);
    }
  }
}

// The sums of a row are those of one tile. Only for order > 0.
template <class T>
__global__ void adjoint_kernel(LfilterAdjointScan<T> p, acc_t<T>* state) {
  using A = acc_t<T>;
  const Filters<T>& f = p.filters;
  for (int64_t row = cuda::grid_index(); row < p.rows; row += cuda::grid_stride()) {
    const A* b = f.b + row * f.filter_stride * (f.order + 1);
    const A* a = f.a + row * f.filter_stride * f.order;
    A* s = state + row * f.order;
    A* sums = p.sums + row * 2 * (f.order + 1);
    for (int64_t j = 0; j < f.order; ++j) {
      s[j] = p.grad_zf != nullptr ? static_cast<A>(p.grad_zf[row * f.order + j]) : A(0);
    }
    for (int64_t k = 0; p.sums != nullptr && k < 2 * (f.order + 1); ++k) sums[k] = A(0);
    for (int64_t n = p.time - 1; n >= 0; --n) {
      const T* g = p.grad_y + row * p.grad_y_stride + n;
      T out;
      const A oldest = s[f.order - 1];
      serial_backward(f, b, a, g, static_cast<T*>(nullptr), &out, 1, s);
      if (p.grad_x != nullptr) p.grad_x[row * p.grad_x_stride + n] = out;
      // s_k is now lambda[n + k], and the oldest one has left
      for (const bool of_a : {false, true}) {
        const T* u = of_a ? p.y : p.x;
        if (u == nullptr || p.sums == nullptr) continue;
        const A v = conjugate(static_cast<A>(u[row * (of_a ? p.y_stride : p.x_stride) + n]));
        for (int64_t k = 0; k < f.order; ++k) sums[of_a * (f.order + 1) + k] += multiply(s[k], v);
        sums[of_a * (f.order + 1) + f.order] += multiply(oldest, v);
      }
    }
    for (int64_t j = 0; p.head != nullptr && j < f.order; ++j) p.head[row * f.order + j] = s[j];
  }
}

}  // namespace
}  // namespace gpu

namespace cuda {

template <class T>
void lfilter_forward_rows(const Context& context, const LfilterScan<T>& p) {
  auto* state = context.array<acc_t<T>>(p.rows * p.filters.order);
  launch(context, p.rows, gpu::forward_kernel<T>, p, state);
}

template <class T>
void lfilter_adjoint_rows(const Context& context, const LfilterAdjointScan<T>& p) {
  auto* state = context.array<acc_t<T>>(p.rows * p.filters.order);
  launch(context, p.rows, gpu::adjoint_kernel<T>, p, state);
}

#define POLEZERO_INSTANTIATE(T)                                                 \
  template void lfilter_forward_rows<T>(const Context&, const LfilterScan<T>&); \
  template void lfilter_adjoint_rows<T>(const Context&, const LfilterAdjointScan<T>&);
POLEZERO_INSTANTIATE(float)
POLEZERO_INSTANTIATE(double)
POLEZERO_INSTANTIATE(std::complex<float>)
POLEZERO_INSTANTIATE(std::complex<double>)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
