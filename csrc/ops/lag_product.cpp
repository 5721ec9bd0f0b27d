#include "ops/lag_product.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lag_product.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

template <class scalar_t>
void lag_product_cpu(const Tensor& g, const Tensor& x, const Lags& lags, at::IntArrayRef leading,
                     Tensor& c) {
  const auto gs = rows_of<scalar_t>(g, leading), xs = rows_of<scalar_t>(x, leading);
  cpu::run_rows(cpu::lag_product_kernels<scalar_t>().multiply,
                {.lags = lags,
                 .taps = c.size(-1),
                 .g = gs.data,
                 .g_stride = gs.stride,
                 .x = xs.data,
                 .x_stride = xs.stride,
                 .c = static_cast<scalar_t*>(c.mutable_data_ptr()),
                 .time = g.size(-1)},
                product(leading), g.size(-1));
}

template <class scalar_t>
void lag_product_cuda(const Tensor& g, const Tensor& x, const Lags& lags, at::IntArrayRef leading,
                      Tensor& c) {
  using D = cuda::on_device_t<scalar_t>;
  CudaCall call(g);
  const auto gs = call.rows<scalar_t>(g, leading), xs = call.rows<scalar_t>(x, leading);
  cuda::lag_product<D>(
      call.context(),
      {lags, c.size(-1), gs.data, gs.stride, xs.data, xs.stride, mutable_data<D>(c)},
      product(leading), g.size(-1));
}

}  // namespace

Tensor lag_product(const Tensor& g, const Tensor& x, c10::SymInt taps, int64_t shift,
                   bool reverse) {
  const char* op = "lag_product";
  check_signal(op, {"g", g});
  check_like(op, {"x", x}, {"g", g});
  const c10::SymInt T = g.sym_size(-1);
  check_last(op, {"x", x}, T, "T");
  check_lags(op, shift, reverse);
  check_taps(op, taps);
  const auto leading = broadcast_leading(op, {{"g", g}, {"x", x}});
  Tensor c = at::empty_symint(with_last(with_last(leading, T), taps), g.options());
  if (!g.is_meta()) {
    check_has_kernels(op, g);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(g, [&] {
      if constexpr (kWithCuda) {
        if (g.is_cuda()) return lag_product_cuda<scalar_t>(g, x, {shift, reverse}, sizes, c);
      }
      lag_product_cpu<scalar_t>(g, x, {shift, reverse}, sizes, c);
    });
  }
  return c;
}

}  // namespace polezero
