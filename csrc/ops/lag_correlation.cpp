#include "ops/lag_correlation.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lag_correlation.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

Tensor lag_correlation(const Tensor& g, const Tensor& x, c10::SymInt taps) {
  const char* op = "lag_correlation";
  check_signal(op, {"g", g});
  check_like(op, {"x", x}, {"g", g});
  check_last(op, {"x", x}, g.sym_size(-1), "T");
  check_taps(op, taps);
  const auto leading = broadcast_leading(op, {{"g", g}, {"x", x}});
  Tensor c = at::empty_symint(with_last(leading, taps), g.options().dtype(acc_type(g)));
  on_device(op, g, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const int64_t time = g.size(-1);
    if (time == 0) {
      c.zero_();
      return;
    }
    const auto gs = call.signal(g), xs = call.signal(x);
    const LagCorrelationParams<scalar> p{.taps = c.size(-1),
                                         .g = gs.data,
                                         .g_stride = gs.stride,
                                         .x = xs.data,
                                         .x_stride = xs.stride,
                                         .c = call.sums(c)};
    if constexpr (Call::on_cuda) {
      cuda::lag_correlation(call.context(), p, call.rows(), time);
    } else {
      cpu::run_rows(cpu::lag_correlation_kernels<scalar>().correlate, p, call.rows(), time);
    }
  });
  return c;
}

}  // namespace polezero
