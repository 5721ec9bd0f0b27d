#include "ops/fir.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lpv_fir.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

template <class scalar_t>
void fir_cpu(const Tensor& b, const Tensor& x, bool reverse, at::IntArrayRef leading, Tensor& y) {
  const auto filters = normalise_fir<scalar_t>(b, leading, /*conjugate=*/false);
  const int64_t B = product(leading), T = x.size(-1);
  const auto xs = rows_of<scalar_t>(x, leading);
  std::vector<acc_t<scalar_t>> state(B * filters.view.order);
  auto* out = static_cast<scalar_t*>(y.mutable_data_ptr());
  if (reverse) {
    cpu::lfilter_backward<scalar_t>({filters.view, xs.data, xs.stride, out, T, nullptr, 0, nullptr,
                                     0, state.data(), nullptr, nullptr},
                                    B, T);
  } else {
    cpu::lfilter_forward<scalar_t>({filters.view, xs.data, xs.stride, out, T, state.data()}, B, T);
  }
}

template <class scalar_t>
void lpv_fir_cpu(const Tensor& b, const Tensor& x, const Lags& lags, at::IntArrayRef leading,
                 Tensor& y) {
  const int64_t taps = b.size(-1), T = x.size(-1);
  const auto bs = time_rows_of<scalar_t>(b, leading);
  const auto xs = rows_of<scalar_t>(x, leading);
  cpu::run_rows(cpu::lpv_fir_kernels<scalar_t>().forward,
                {lags, taps, bs.data, bs.stride, xs.data, xs.stride,
                 static_cast<scalar_t*>(y.mutable_data_ptr()), T},
                product(leading), T);
}

template <class scalar_t>
void fir_cuda(const Tensor& b, const Tensor& x, const Lags& lags, at::IntArrayRef leading,
              Tensor& y) {
  using D = cuda::on_device_t<scalar_t>;
  CudaCall call(x);
  const int64_t B = product(leading), T = x.size(-1);
  const auto xs = call.rows<scalar_t>(x, leading);
  auto* out = mutable_data<D>(y);
  if (b.size(-2) == 1) {
    const auto filters =
        call.normalise<scalar_t>(b.squeeze(-2), Tensor(), /*monic=*/false, leading, false);
    cuda::fir<D>(call.context(), filters, lags.reverse, B, T, xs.data, xs.stride, out);
  } else {
    const auto bs = call.time_rows<scalar_t>(b, leading);
    cuda::lpv_fir<D>(call.context(),
                     {lags, b.size(-1), bs.data, bs.stride, xs.data, xs.stride, out, T}, B, T);
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
  if (!x.is_meta()) {
    check_has_kernels("fir", x);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) return fir_cuda<scalar_t>(b, x, {shift, reverse}, sizes, y);
      }
      if (constant) {
        fir_cpu<scalar_t>(b.squeeze(-2), x, reverse, sizes, y);
      } else {
        lpv_fir_cpu<scalar_t>(b, x, {shift, reverse}, sizes, y);
      }
    });
  }
  return y;
}

}  // namespace polezero
