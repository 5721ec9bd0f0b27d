#include "ops/modal.h"

#include <ATen/ATen.h>

#include "kernels/cpu/modal.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

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
  check_on_device_of(op, c, signal);
  TORCH_CHECK_VALUE(t.dim() >= c.core_dims, op, ": ", c.name, ": expected at least ", c.core_dims,
                    c.core_dims == 1 ? " dimension" : " dimensions", ", got shape ", t.sym_sizes());
}

double* pairs(const Tensor& t) {
  return t.defined() ? static_cast<double*>(t.mutable_data_ptr()) : nullptr;
}

// Coefficients as pairs of real numbers, strides in those.
template <class Call>
RowPointer<const double> pairs(Call& call, const Tensor& c) {
  const auto rows = call.template constant<std::complex<double>>(c);
  return {reinterpret_cast<const double*>(rows.data), 2 * rows.stride};
}

template <class Call>
ModalPoles modal_poles(Call& call, const Tensor& poles, int64_t orders) {
  const auto rows = pairs(call, poles);
  return {poles.size(-1), orders, rows.data, rows.stride};
}

int64_t samples_worth(const ModalPoles& p) { return 1 + p.modes * p.orders / 8; }

// A copy of zi[..., K] that a kernel may write to; undefined stays undefined.
Tensor state_of(const Tensor& zi, const c10::SymDimVector& leading) {
  if (!zi.defined()) return zi;
  const auto sizes = with_last(leading, zi.sym_size(-1));
  return at::empty_symint(sizes, zi.options().dtype(at::kComplexDouble)).copy_(zi);
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
  const Tensor state = state_of(zi, leading);  // carried on, in place
  const auto wide = x.options().dtype(at::kComplexDouble);
  on_device_of<float, double>(op, x, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const int64_t time = x.size(-1);
    const auto gs = pairs(call, gains.flatten(-2));
    const auto xs = call.signal(x);
    const ModalBankParams<scalar> p{.poles = modal_poles(call, poles, gains.size(-1)),
                                    .gains = gs.data,
                                    .gains_stride = gs.stride,
                                    .reverse = reverse,
                                    .x = xs.data,
                                    .x_stride = xs.stride,
                                    .y = mutable_data<scalar>(y),
                                    .y_stride = time,
                                    .state = pairs(state)};
    if constexpr (Call::on_cuda) {
      cuda::modal_bank(call.context(), p, call.rows(), time);
    } else {
      cpu::run_rows(cpu::modal_kernels<scalar>().bank, p, call.rows(), time,
                    samples_worth(p.poles));
    }
  });
  return {y, zi.defined() ? state : empty_if(false, leading, K, wide)};
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
  if (c.sym_numel() == 0) return c;
  const Tensor state = state_of(zi, leading);
  on_device_of<float, double>(op, g, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const int64_t time = g.size(-1);
    const auto gs = call.signal(g), xs = call.signal(x);
    const ModalCorrelationParams<scalar> p{.poles = modal_poles(call, poles, c.size(-1)),
                                           .g = gs.data,
                                           .g_stride = gs.stride,
                                           .x = xs.data,
                                           .x_stride = xs.stride,
                                           .state = pairs(state),
                                           .c = pairs(c)};
    if constexpr (Call::on_cuda) {
      cuda::modal_correlation(call.context(), p, call.rows(), time);
    } else {
      cpu::run_rows(cpu::modal_kernels<scalar>().correlation, p, call.rows(), time,
                    samples_worth(p.poles));
    }
  });
  return c;
}

}  // namespace polezero
