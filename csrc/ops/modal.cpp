#include "ops/modal.h"

#include <ATen/ATen.h>

#include "kernels/cpu/modal.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

// Calls the body with the scalar type of a signal, which is real.
template <class F>
void dispatch_real(const Tensor& signal, F&& body) {
  signal.scalar_type() == at::kFloat ? body(float()) : body(double());
}

void check_real_signal(const char* op, const Argument& signal) {
  const Tensor& t = signal.tensor;
  TORCH_CHECK_TYPE(t.scalar_type() == at::kFloat || t.scalar_type() == at::kDouble, op, ": ",
                   signal.name, ": expected float32 or float64, got ", t.scalar_type());
  check_signal(op, signal);
}

void check_complex(const char* op, const Argument& c, const Argument& signal) {
  const Tensor& t = c.tensor;
  if (!t.defined()) return;
  TORCH_CHECK_TYPE(t.scalar_type() == at::kComplexFloat || t.scalar_type() == at::kComplexDouble,
                   op, ": ", c.name, ": expected complex64 or complex128, got ", t.scalar_type());
  TORCH_CHECK_VALUE(t.device() == signal.tensor.device(), op, ": ", c.name,
                    ": expected a tensor on ", signal.tensor.device(), " as ", signal.name,
                    ", got one on ", t.device());
  TORCH_CHECK_VALUE(t.dim() >= c.core_dims, op, ": ", c.name, ": expected at least ", c.core_dims,
                    c.core_dims == 1 ? " dimension" : " dimensions", ", got shape ", t.sym_sizes());
}

using ComplexRows = Rows<std::complex<double>>;
const double* pairs(const ComplexRows& rows) { return reinterpret_cast<const double*>(rows.data); }
double* pairs(const Tensor& t) {
  return t.defined() ? static_cast<double*>(t.mutable_data_ptr()) : nullptr;
}

ModalPoles modal_poles(const ComplexRows& poles, int64_t orders) {
  return {poles.keep.size(-1), orders, pairs(poles), 2 * poles.stride};
}

int64_t samples_worth(const ModalPoles& p) { return 1 + p.modes * p.orders / 8; }

// A copy that a kernel may write to; undefined stays undefined.
Tensor state_of(const Tensor& zi, at::IntArrayRef leading) {
  if (!zi.defined()) return zi;
  Tensor state = at::empty(with_last(leading, zi.size(-1)), zi.options().dtype(at::kComplexDouble));
  return state.copy_(zi);
}

}  // namespace

std::tuple<Tensor, Tensor> modal_bank_forward(const Tensor& poles, const Tensor& gains,
                                              const Tensor& x, const OptionalTensor& zi_,
                                              bool reverse) {
  const char* op = "modal_bank";
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"x", x};
  check_real_signal(op, signal);
  check_complex(op, {"poles", poles}, signal);
  check_complex(op, {"gains", gains, 2}, signal);
  check_complex(op, {"zi", zi}, signal);
  const c10::SymInt K = poles.sym_size(-1), T = x.sym_size(-1);
  TORCH_CHECK_VALUE(gains.sym_size(-2) == K, op, ": gains: expected [..., ", K,
                    ", J] as there are poles, got shape ", gains.sym_sizes());
  check_last(op, {"zi", zi}, K, "modes");
  TORCH_CHECK_VALUE(!reverse || !zi.defined(), op, ": zi: expected None backwards in time");
  const auto leading =
      broadcast_leading(op, {{"poles", poles}, {"gains", gains, 2}, signal, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(leading, T), x.options());
  Tensor zf = empty_if(zi.defined(), leading, K, x.options().dtype(at::kComplexDouble));
  if (x.is_meta()) return {y, zf};
  check_has_kernels(op, x);
  const at::DimVector sizes = concrete(leading);
  const ComplexRows p = wide_sets<std::complex<double>>(poles, sizes);
  const ComplexRows g = wide_sets<std::complex<double>>(gains.flatten(-2), sizes);
  const Tensor state = state_of(zi, sizes);
  dispatch_real(x, [&](auto real) {
    using scalar_t = decltype(real);
    const auto xs = rows_of<scalar_t>(x, sizes);
    const ModalBankParams<scalar_t> params{.poles = modal_poles(p, gains.size(-1)),
                                           .gains = pairs(g),
                                           .gains_stride = 2 * g.stride,
                                           .reverse = reverse,
                                           .x = xs.data,
                                           .x_stride = xs.stride,
                                           .y = mutable_data<scalar_t>(y),
                                           .y_stride = x.size(-1),
                                           .state = pairs(state)};
    if constexpr (kWithCuda) {
      if (x.is_cuda()) {
        const CudaCall call(x);
        return cuda::modal_bank(call.context(), params, product(sizes), x.size(-1));
      }
    }
    cpu::run_rows(cpu::modal_kernels<scalar_t>().bank, params, product(sizes), x.size(-1),
                  samples_worth(params.poles));
  });
  return {y, zi.defined() ? state : zf};
}

Tensor modal_correlation(const Tensor& poles, const Tensor& g, const Tensor& x,
                         const OptionalTensor& zi_, c10::SymInt orders) {
  const char* op = "modal_correlation";
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"g", g};
  check_real_signal(op, signal);
  check_like(op, {"x", x}, signal);
  check_last(op, {"x", x}, g.sym_size(-1), "T");
  check_complex(op, {"poles", poles}, signal);
  check_complex(op, {"zi", zi}, signal);
  const c10::SymInt K = poles.sym_size(-1);
  check_last(op, {"zi", zi}, K, "modes");
  TORCH_CHECK_VALUE(orders >= 0, op, ": orders: expected a number >= 0, got ", orders);
  const auto leading = broadcast_leading(op, {{"poles", poles}, signal, {"x", x}, {"zi", zi}});
  Tensor c = at::empty_symint(with_last(with_last(leading, K), orders),
                              g.options().dtype(at::kComplexDouble));
  if (g.is_meta() || c.sym_numel() == 0) return c;
  check_has_kernels(op, g);
  const at::DimVector sizes = concrete(leading);
  const ComplexRows p = wide_sets<std::complex<double>>(poles, sizes);
  const Tensor state = state_of(zi, sizes);
  dispatch_real(g, [&](auto real) {
    using scalar_t = decltype(real);
    const auto gs = rows_of<scalar_t>(g, sizes), xs = rows_of<scalar_t>(x, sizes);
    const ModalCorrelationParams<scalar_t> params{.poles = modal_poles(p, c.size(-1)),
                                                  .g = gs.data,
                                                  .g_stride = gs.stride,
                                                  .x = xs.data,
                                                  .x_stride = xs.stride,
                                                  .state = pairs(state),
                                                  .c = pairs(c)};
    if constexpr (kWithCuda) {
      if (g.is_cuda()) {
        const CudaCall call(g);
        return cuda::modal_correlation(call.context(), params, product(sizes), g.size(-1));
      }
    }
    cpu::run_rows(cpu::modal_kernels<scalar_t>().correlation, params, product(sizes), g.size(-1),
                  samples_worth(params.poles));
  });
  return c;
}

}  // namespace polezero
