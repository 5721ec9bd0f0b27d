#include "ops/lag_product.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lag_product.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

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
  on_device(op, g, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const auto gs = call.signal(g), xs = call.signal(x);
    const LagProductParams<scalar> p{.lags = {shift, reverse},
                                     .taps = c.size(-1),
                                     .g = gs.data,
                                     .g_stride = gs.stride,
                                     .x = xs.data,
                                     .x_stride = xs.stride,
                                     .c = mutable_data<scalar>(c),
                                     .time = g.size(-1)};
    if constexpr (Call::on_cuda) {
      cuda::lag_product(call.context(), p, call.rows(), p.time);
    } else {
      cpu::run_rows(cpu::lag_product_kernels<scalar>().multiply, p, call.rows(), p.time);
    }
  });
  return c;
}

}  // namespace polezero
