#include "ops/allpole.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lpv_allpole.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

template <class scalar_t>
void lpv_forward_cpu(const Tensor& a, const Tensor& x, const Tensor& zi, const Lags& lags,
                     at::IntArrayRef leading, Tensor& y) {
  const int64_t N = a.size(-1), T = x.size(-1);
  const auto as = time_rows_of<scalar_t>(a, leading);
  const auto xs = rows_of<scalar_t>(x, leading);
  auto state = widened_rows<scalar_t>(zi, leading, N);
  const int64_t B = product(leading);
  cpu::run_rows(cpu::lpv_allpole_kernels<scalar_t>().forward,
                {lags, N, as.data, as.stride, xs.data, xs.stride,
                 static_cast<scalar_t*>(y.mutable_data_ptr()), T, state.data(), B},
                B, T);
}

template <class scalar_t>
void forward_cpu(const Tensor& a, const Tensor& x, const Tensor& zi, bool reverse,
                 at::IntArrayRef leading, Tensor& y) {
  using A = acc_t<scalar_t>;
  const auto filters = normalise_monic<scalar_t>(a, leading, /*conjugate=*/false);
  const int64_t B = product(leading), T = x.size(-1), N = filters.view.order;
  const auto xs = rows_of<scalar_t>(x, leading);
  auto state = widened_rows<scalar_t>(zi, leading, N);
  auto* out = static_cast<scalar_t*>(y.mutable_data_ptr());
  if (reverse) {  // the state of direct form II is the past outputs themselves
    cpu::lfilter_backward<scalar_t>({filters.view, xs.data, xs.stride, out, T, nullptr, 0, nullptr,
                                     0, state.data(), nullptr, nullptr},
                                    B, T);
    return;
  }
  if (zi.defined()) {  // past outputs as additive input: s_j = -sum_{i > j} a_i y[j - i]
    const std::vector<A> past = state;
    for (int64_t r = 0; r < B; ++r) {
      const A* ar = filters.view.a + r * filters.view.filter_stride * N;
      for (int64_t j = 0; j < N; ++j) {
        A sum(0);
        for (int64_t i = j + 1; i <= N; ++i) sum -= ar[i - 1] * past[r * N + i - j - 1];
        state[r * N + j] = sum;
      }
    }
  }
  cpu::lfilter_forward<scalar_t>({filters.view, xs.data, xs.stride, out, T, state.data()}, B, T);
}

// grad_a_i[n + shift i] = -lambda[n] conj(y[n - i]) from dense rows of lambda, into dense ones.
template <class T, class Signal>
LagProductParams<T> lpv_gradient_of_a(const Lags& lags, int64_t order, const T* lambda,
                                      int64_t time, const Signal& y, T* grad_a) {
  return {.lags = lags,
          .taps = order,
          .g = lambda,
          .g_stride = time,
          .x = y.data,
          .x_stride = y.stride,
          .c = grad_a,
          .first = 1,
          .sign = -1,
          .conjugate_x = true,
          .time = time};
}

// The gradients of past outputs, and to the coefficients that they meet.
template <class T, class Coefficients>
LpvAllpolePastParams<T> lpv_past(const Lags& lags, int64_t rows, int64_t time, int64_t order,
                                 const Coefficients& a, const T* lambda, const T* zi, T* grad_a,
                                 Tensor& grad_zi) {
  return {.reverse = lags.reverse,
          .rows = rows,
          .time = time,
          .order = order,
          .a = a.data,
          .a_stride = a.stride,
          .lambda = lambda,
          .zi = zi,
          .grad_a = grad_a,
          .grad_zi = mutable_data<T>(grad_zi)};
}

// lambda goes into grad_x.
template <class scalar_t>
void lpv_backward_cpu(const Tensor& grad_y, const Tensor& a, const Tensor& y, const Tensor& zi,
                      const Lags& lags, at::IntArrayRef leading, Tensor& grad_a, Tensor& grad_x,
                      Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const int64_t B = product(leading), N = a.size(-1), T = grad_y.size(-1);
  const auto as = time_rows_of<scalar_t>(a.is_complex() ? a.conj() : a, leading);
  const auto gs = rows_of<scalar_t>(grad_y, leading);
  const auto ys = y.defined() ? rows_of<scalar_t>(y, leading) : Rows<scalar_t>{};
  std::vector<A> state(B * N);
  auto* lambda = static_cast<scalar_t*>(grad_x.mutable_data_ptr());
  scalar_t* out_a = mutable_data<scalar_t>(grad_a);
  const LpvAllpoleParams<scalar_t> adjoint{lags.adjoint(), N,      as.data, as.stride,    gs.data,
                                           gs.stride,      lambda, T,       state.data(), B};
  const auto& kernels = cpu::lpv_allpole_kernels<scalar_t>();
  if (out_a == nullptr) {
    cpu::run_rows(kernels.forward, adjoint, B, T);
  } else {
    cpu::run_rows(kernels.backward,
                  {adjoint, lpv_gradient_of_a<scalar_t>(lags, N, lambda, T, ys, out_a)}, B, T);
  }
  if (!zi.defined() && grad_zi.numel() == 0) return;
  const Tensor past = zi.defined() ? dense_rows(zi, leading) : Tensor();
  const auto* states = zi.defined() ? static_cast<const scalar_t*>(past.const_data_ptr()) : nullptr;
  const auto params = lpv_past<scalar_t>(lags, B, T, N, as, lambda, states, out_a, grad_zi);
  for (int64_t i = 0; i < B * N; ++i) host::lpv_allpole_past(params, i / N, i % N);
}

template <class scalar_t>
void backward_cpu(const Tensor& grad_y, const Tensor& a, const Tensor& y, const Tensor& zi,
                  at::IntArrayRef leading, Tensor& grad_a, Tensor& grad_x, Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const auto filters = normalise_monic<scalar_t>(a, leading, /*conjugate=*/true);
  const int64_t B = product(leading), T = grad_y.size(-1), N = filters.view.order;
  const auto gs = rows_of<scalar_t>(grad_y, leading);
  const bool need_a = grad_a.numel() > 0;
  const auto ys = y.defined() ? rows_of<scalar_t>(y, leading) : Rows<scalar_t>{};
  std::vector<A> sums(need_a ? B * (N + 1) : 0), head(B * N);  // head: lambda[0..N)
  cpu::lfilter_backward<scalar_t>(
      {filters.view, gs.data, gs.stride, mutable_data<scalar_t>(grad_x), T, nullptr, 0,
       need_a ? ys.data : nullptr, ys.stride, head.data(), nullptr, sums.data()},
      B, T);
  const auto past = widened_rows<scalar_t>(zi, leading, N);
  A* out_a = mutable_data<A>(grad_a);
  scalar_t* out_zi = mutable_data<scalar_t>(grad_zi);
  for (int64_t r = 0; r < B; ++r) {
    const A* ar = filters.view.a + r * filters.view.filter_stride * N;
    for (int64_t i = 1; out_a != nullptr && i <= N; ++i) {
      A sum = sums[r * (N + 1) + i];
      for (int64_t n = 0; zi.defined() && n < i; ++n) {
        sum += head[r * N + n] * conjugate(past[r * N + i - n - 1]);
      }
      out_a[r * N + i - 1] = -sum;
    }
    for (int64_t k = 1; out_zi != nullptr && k <= N; ++k) {
      A sum(0);
      for (int64_t n = 0; n + k <= N; ++n) sum -= ar[n + k - 1] * head[r * N + n];
      out_zi[r * N + k - 1] = static_cast<scalar_t>(sum);
    }
  }
}

template <class scalar_t>
void lpv_forward_cuda(const Tensor& a, const Tensor& x, const Tensor& zi, const Lags& lags,
                      at::IntArrayRef leading, Tensor& y) {
  using D = cuda::on_device_t<scalar_t>;
  const int64_t N = a.size(-1), T = x.size(-1);
  if (y.numel() == 0) return;
  if (N == 0) {
    y.copy_(x);
    return;
  }
  CudaCall call(x);
  const auto as = call.time_rows<scalar_t>(a, leading);
  const auto xs = call.rows<scalar_t>(x, leading);
  const Tensor state = call.carried(zi, leading, x, N);
  cuda::lpv_allpole<D>(call.context(),
                       {.lags = lags,
                        .order = N,
                        .a = as.data,
                        .a_stride = as.stride,
                        .x = xs.data,
                        .x_stride = xs.stride,
                        .y = mutable_data<D>(y),
                        .y_stride = T,
                        .state = mutable_data<acc_t<D>>(state),
                        .rows = product(leading)},
                       T);
}

// lambda goes into grad_x.
template <class scalar_t>
void lpv_backward_cuda(const Tensor& grad_y, const Tensor& a, const Tensor& y, const Tensor& zi,
                       const Lags& lags, at::IntArrayRef leading, Tensor& grad_a, Tensor& grad_x,
                       Tensor& grad_zi) {
  using D = cuda::on_device_t<scalar_t>;
  const Tensor conjugated = a.is_complex() ? a.conj().resolve_conj() : a;
  lpv_forward_cuda<scalar_t>(conjugated, grad_y, Tensor(), lags.adjoint(), leading, grad_x);
  if (grad_x.numel() == 0) {
    grad_zi.zero_();
    return;
  }
  CudaCall call(grad_y);
  const int64_t B = product(leading), N = a.size(-1), T = grad_y.size(-1);
  const D* lambda = mutable_data<D>(grad_x);
  D* out_a = mutable_data<D>(grad_a);
  if (out_a != nullptr) {
    const auto ys = call.rows<scalar_t>(y, leading);
    cuda::lag_product<D>(call.context(), lpv_gradient_of_a<D>(lags, N, lambda, T, ys, out_a), B, T);
  }
  if (!zi.defined() && grad_zi.numel() == 0) return;
  const auto as = call.time_rows<scalar_t>(conjugated, leading);
  const D* states = call.states<scalar_t>(zi, leading);
  cuda::lpv_allpole_past<D>(call.context(),
                            lpv_past<D>(lags, B, T, N, as, lambda, states, out_a, grad_zi));
}

template <class scalar_t>
void forward_cuda(const Tensor& a, const Tensor& x, const Tensor& zi, bool reverse,
                  at::IntArrayRef leading, Tensor& y) {
  using D = cuda::on_device_t<scalar_t>;
  if (y.numel() == 0) return;
  CudaCall call(x);
  const int64_t B = product(leading), T = x.size(-1);
  const auto xs = call.rows<scalar_t>(x, leading);
  const auto* past = call.states<scalar_t>(zi, leading);
  const auto filters =
      call.normalise<scalar_t>(Tensor(), a, /*monic=*/true, leading, /*conjugate=*/false);
  if (reverse) {  // the state of direct form II is the past outputs themselves
    cuda::lfilter_backward<D>(call.context(), filters,
                              {.rows = B,
                               .time = T,
                               .grad_y = xs.data,
                               .grad_y_stride = xs.stride,
                               .grad_zf = past,
                               .grad_x = mutable_data<D>(y),
                               .grad_x_stride = T},
                              {});
  } else {
    cuda::lfilter_forward<D>(call.context(), filters,
                             {.rows = B,
                              .time = T,
                              .x = xs.data,
                              .x_stride = xs.stride,
                              .y = mutable_data<D>(y),
                              .y_stride = T,
                              .past = past});
  }
}

template <class scalar_t>
void backward_cuda(const Tensor& grad_y, const Tensor& a, const Tensor& y, const Tensor& zi,
                   at::IntArrayRef leading, Tensor& grad_a, Tensor& grad_x, Tensor& grad_zi) {
  using D = cuda::on_device_t<scalar_t>;
  const int64_t T = grad_y.size(-1);
  if (product(leading) * T == 0) {
    for (Tensor* sum : {&grad_a, &grad_zi}) sum->zero_();
    return;
  }
  CudaCall call(grad_y);
  const cuda::LfilterGradients<D> gradients{.monic = true,
                                            .grad_a = mutable_data<acc_t<D>>(grad_a),
                                            .grad_zi = mutable_data<D>(grad_zi),
                                            .zi = call.states<scalar_t>(zi, leading)};
  const auto gs = call.rows<scalar_t>(grad_y, leading);
  const auto ys = call.rows<scalar_t>(gradients.grad_a != nullptr ? y : Tensor(), leading);
  cuda::lfilter_backward<D>(
      call.context(),
      call.normalise<scalar_t>(Tensor(), a, /*monic=*/true, leading, /*conjugate=*/true),
      {.rows = product(leading),
       .time = T,
       .grad_y = gs.data,
       .grad_y_stride = gs.stride,
       .grad_x = mutable_data<D>(grad_x),
       .grad_x_stride = T,
       .y = ys.data,
       .y_stride = ys.stride},
      gradients);
}

}  // namespace

Tensor allpole_forward(const Tensor& a, const Tensor& x, const OptionalTensor& zi_, int64_t shift,
                       bool reverse, bool two_pass) {
  const char* op = "allpole";
  const Tensor zi = value_or_undefined(zi_);
  check_signal(op, {"x", x});
  check_coefficients(op, {"a", a}, {"x", x}, 0);
  const c10::SymInt N = a.sym_size(-1), T = x.sym_size(-1);
  check_time_axis(op, {"a", a}, T);
  check_lags(op, shift, reverse);
  check_like(op, {"zi", zi}, {"x", x});
  check_last(op, {"zi", zi}, N, "N");
  const bool constant = a.sym_size(-2) == 1;
  TORCH_CHECK_VALUE(!reverse || !two_pass, op,
                    ": backward: expected 'one_pass' for a reversed "
                    "filter, got 'two_pass'");
  TORCH_CHECK_VALUE(constant || !two_pass, op,
                    ": backward: expected 'one_pass' for coefficients "
                    "that change with time, got 'two_pass'");
  if (!constant) check_like(op, {"a", a}, {"x", x});
  TORCH_CHECK_VALUE(shift == 0 || !zi.defined(), op, ": zi: expected None with a shift of ", shift,
                    ", got a tensor");
  const auto leading = broadcast_leading(op, {{"a", a, 2, true}, {"x", x}, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(leading, T), x.options());
  if (!x.is_meta()) {
    check_has_kernels(op, x);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) {
          return constant ? forward_cuda<scalar_t>(a.squeeze(-2), x, zi, reverse, sizes, y)
                          : lpv_forward_cuda<scalar_t>(a, x, zi, {shift, reverse}, sizes, y);
        }
      }
      if (constant) {
        forward_cpu<scalar_t>(a.squeeze(-2), x, zi, reverse, sizes, y);
      } else {
        lpv_forward_cpu<scalar_t>(a, x, zi, {shift, reverse}, sizes, y);
      }
    });
  }
  return y;
}

std::tuple<Tensor, Tensor, Tensor> allpole_backward(const Tensor& grad_y, const Tensor& a,
                                                    const OptionalTensor& y_,
                                                    const OptionalTensor& zi_, bool need_a,
                                                    bool need_x, bool need_zi, int64_t shift,
                                                    bool reverse) {
  const char* op = "allpole_backward";
  const Tensor y = value_or_undefined(y_), zi = value_or_undefined(zi_);
  check_signal(op, {"grad_y", grad_y});
  check_coefficients(op, {"a", a}, {"grad_y", grad_y}, 0);
  TORCH_CHECK_VALUE(!need_a || y.defined(), op, ": y: expected a tensor for grad_a, got None");
  const c10::SymInt N = a.sym_size(-1), T = grad_y.sym_size(-1);
  check_time_axis(op, {"a", a}, T);
  check_lags(op, shift, reverse);
  check_like(op, {"y", y}, {"grad_y", grad_y});
  check_last(op, {"y", y}, T, "T");
  check_like(op, {"zi", zi}, {"grad_y", grad_y});
  check_last(op, {"zi", zi}, N, "N");
  const bool constant = a.sym_size(-2) == 1;
  TORCH_CHECK_VALUE(!constant || !reverse, op,
                    ": reverse: expected False with constant coefficients, got True");
  if (!constant) check_like(op, {"a", a}, {"grad_y", grad_y});
  const auto leading =
      broadcast_leading(op, {{"grad_y", grad_y}, {"a", a, 2, true}, {"y", y}, {"zi", zi}});
  const auto signal = grad_y.options();
  const auto of_a = constant ? signal.dtype(acc_type(grad_y)) : signal;
  Tensor grad_a = empty_if(need_a, with_last(leading, a.sym_size(-2)), N, of_a),
         grad_zi = empty_if(need_zi, leading, N, signal),
         grad_x = empty_if(need_x || !constant, leading, T, signal);
  if (!grad_y.is_meta()) {
    check_has_kernels(op, grad_y);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(grad_y, [&] {
      if constexpr (kWithCuda) {
        if (grad_y.is_cuda()) {
          return constant ? backward_cuda<scalar_t>(grad_y, a.squeeze(-2), y, zi, sizes, grad_a,
                                                    grad_x, grad_zi)
                          : lpv_backward_cuda<scalar_t>(grad_y, a, y, zi, {shift, reverse}, sizes,
                                                        grad_a, grad_x, grad_zi);
        }
      }
      if (constant) {
        backward_cpu<scalar_t>(grad_y, a.squeeze(-2), y, zi, sizes, grad_a, grad_x, grad_zi);
      } else {
        lpv_backward_cpu<scalar_t>(grad_y, a, y, zi, {shift, reverse}, sizes, grad_a, grad_x,
                                   grad_zi);
      }
    });
  }
  if (!need_x) grad_x = empty_if(false, leading, T, signal);
  return {grad_a, grad_x, grad_zi};
}

}  // namespace polezero
