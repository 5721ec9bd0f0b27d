#include "ops/lag_correlation.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lag_correlation.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

template <class scalar_t>
void lag_correlation_cpu(const Tensor& g, const Tensor& x, at::IntArrayRef leading, Tensor& c) {
  const auto gs = rows_of<scalar_t>(g, leading), xs = rows_of<scalar_t>(x, leading);
  auto* out = static_cast<acc_t<scalar_t>*>(c.mutable_data_ptr());
  std::fill_n(out, c.numel(), acc_t<scalar_t>(0));
  cpu::run_rows(cpu::lag_correlation_kernels<scalar_t>().correlate,
                {c.size(-1), gs.data, gs.stride, xs.data, xs.stride, out}, product(leading),
                g.size(-1));
}

template <class scalar_t>
void lag_correlation_cuda(const Tensor& g, const Tensor& x, at::IntArrayRef leading, Tensor& c) {
  using D = cuda::on_device_t<scalar_t>;
  if (g.size(-1) == 0) {
    c.zero_();
    return;
  }
  CudaCall call(g);
  const auto gs = call.rows<scalar_t>(g, leading), xs = call.rows<scalar_t>(x, leading);
  cuda::lag_correlation<D>(
      call.context(),
      {c.size(-1), gs.data, gs.stride, xs.data, xs.stride, mutable_data<acc_t<D>>(c)},
      product(leading), g.size(-1));
}

}  // namespace

Tensor lag_correlation(const Tensor& g, const Tensor& x, c10::SymInt taps) {
  const char* op = "lag_correlation";
  check_signal(op, {"g", g});
  check_like(op, {"x", x}, {"g", g});
  check_last(op, {"x", x}, g.sym_size(-1), "T");
  check_taps(op, taps);
  const auto leading = broadcast_leading(op, {{"g", g}, {"x", x}});
  Tensor c = at::empty_symint(with_last(leading, taps), g.options().dtype(acc_type(g)));
  if (!g.is_meta()) {
    check_has_kernels(op, g);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(g, [&] {
      if constexpr (kWithCuda) {
        if (g.is_cuda()) return lag_correlation_cuda<scalar_t>(g, x, sizes, c);
      }
      lag_correlation_cpu<scalar_t>(g, x, sizes, c);
    });
  }
  return c;
}

}  // namespace polezero
