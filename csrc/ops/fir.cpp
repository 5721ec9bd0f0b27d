#include "ops/fir.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lpv_fir.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

template <class Call>
void constant_fir(Call& call, const Tensor& b, const Tensor& x, bool reverse, Tensor& y) {
  using T = typename Call::scalar;
  const int64_t time = x.size(-1);
  const auto filters = call.normalise(b, Tensor(), /*monic=*/false, /*conjugate=*/false);
  const auto xs = call.signal(x);
  T* out = mutable_data<T>(y);
  if constexpr (Call::on_cuda) {
    cuda::fir(call.context(), filters, reverse, call.rows(), time, xs.data, xs.stride, out);
  } else {
    auto state = call.carried(Tensor(), filters.view.order);
    cpu::lfilter_either_way<T>(reverse, {filters.view, xs.data, xs.stride, out, time, state.data()},
                               call.rows(), time);
  }
}

template <class Call>
void varying_fir(Call& call, const Tensor& b, const Tensor& x, const Lags& lags, Tensor& y) {
  using T = typename Call::scalar;
  const int64_t time = x.size(-1);
  const auto bs = call.over_time(b);
  const auto xs = call.signal(x);
  const LpvFirParams<T> p{.lags = lags,
                          .taps = b.size(-1),
                          .b = bs.data,
                          .b_stride = bs.stride,
                          .x = xs.data,
                          .x_stride = xs.stride,
                          .y = mutable_data<T>(y),
                          .y_stride = time};
  if constexpr (Call::on_cuda) {
    cuda::lpv_fir(call.context(), p, call.rows(), time);
  } else {
    cpu::run_rows(cpu::lpv_fir_kernels<T>().forward, p, call.rows(), time);
  }
}

}  // namespace

Tensor fir(const Tensor& b, const Tensor& x, int64_t shift, bool reverse) {
  check_signal("fir", {"x", x});
  check_coefficients("fir", {"b", b}, {"x", x}, 1);
  check_time_axis("fir", {"b", b}, x.sym_size(-1));
  check_lags("fir", shift, reverse);
  const bool constant = b.sym_size(-2) == 1;
  if (!constant) check_like("fir", {"b", b}, {"x", x});
  const auto leading = broadcast_leading("fir", {{"b", b, 2, true}, {"x", x}});
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  on_device("fir", x, leading, [&](auto& call) {
    if (constant) {
      constant_fir(call, b.squeeze(-2), x, reverse, y);
    } else {
      varying_fir(call, b, x, {shift, reverse}, y);
    }
  });
  return y;
}

}  // namespace polezero
