#include "ops/allpole.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lpv_allpole.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

// ---- coefficients that change with time

template <class Call>
LpvAllpoleParams<typename Call::scalar> varying_params(
    Call& call, int64_t order, const RowPointer<const typename Call::scalar>& as, const Tensor& x,
    const Lags& lags, Tensor& y, typename Call::acc* state) {
  using T = typename Call::scalar;
  const auto xs = call.signal(x);
  return {.lags = lags,
          .order = order,
          .a = as.data,
          .a_stride = as.stride,
          .x = xs.data,
          .x_stride = xs.stride,
          .y = mutable_data<T>(y),
          .y_stride = x.size(-1),
          .state = state,
          .rows = call.rows()};
}

template <class Call>
void varying_forward(Call& call, int64_t order, const RowPointer<const typename Call::scalar>& as,
                     const Tensor& x, const Tensor& zi, const Lags& lags, Tensor& y) {
  const int64_t time = x.size(-1);
  if (y.numel() == 0) return;
  auto state = call.carried(zi, order);
  const auto p = varying_params(call, order, as, x, lags, y, state.data());
  if constexpr (!Call::on_cuda) {
    cpu::run_rows(cpu::lpv_allpole_kernels<typename Call::scalar>().forward, p, call.rows(), time);
  } else if (p.order == 0) {
    y.copy_(x);
  } else {
    cuda::lpv_allpole(call.context(), p, time);
  }
}

// lambda goes into grad_x. On a CPU the products of the gradient of a follow it in the cache.
template <class Call>
void varying_backward(Call& call, const Tensor& grad_y, const Tensor& a, const Tensor& y,
                      const Tensor& zi, const Lags& lags, Tensor& grad_a, Tensor& grad_x,
                      Tensor& grad_zi) {
  using T = typename Call::scalar;
  const int64_t N = a.size(-1), time = grad_y.size(-1);
  if (grad_x.numel() == 0) {
    grad_zi.zero_();
    return;
  }
  const Tensor conjugates = a.is_complex() ? a.conj().resolve_conj() : a;
  const auto as = call.over_time(conjugates);
  const auto ys = call.signal(y);
  T* out_a = mutable_data<T>(grad_a);
  // grad_a_i[n + shift i] = -lambda[n] conj(y[n - i])
  const LagProductParams<T> product{.lags = lags,
                                    .taps = N,
                                    .g = mutable_data<T>(grad_x),
                                    .g_stride = time,
                                    .x = ys.data,
                                    .x_stride = ys.stride,
                                    .c = out_a,
                                    .first = 1,
                                    .sign = -1,
                                    .conjugate_x = true,
                                    .time = time};
  if (Call::on_cuda || out_a == nullptr) {
    varying_forward(call, N, as, grad_y, Tensor(), lags.adjoint(), grad_x);
  }
  if constexpr (Call::on_cuda) {
    if (out_a != nullptr) cuda::lag_product(call.context(), product, call.rows(), time);
  } else if (out_a != nullptr) {
    auto state = call.carried(Tensor(), N);
    const auto adjoint = varying_params(call, N, as, grad_y, lags.adjoint(), grad_x, state.data());
    cpu::run_rows(cpu::lpv_allpole_kernels<T>().backward, {adjoint, product}, call.rows(), time);
  }
  if (!zi.defined() && grad_zi.numel() == 0) return;
  const LpvAllpolePastParams<T> past{.reverse = lags.reverse,
                                     .rows = call.rows(),
                                     .time = time,
                                     .order = N,
                                     .a = as.data,
                                     .a_stride = as.stride,
                                     .lambda = product.g,
                                     .zi = call.states(zi),
                                     .grad_a = out_a,
                                     .grad_zi = call.sums(grad_zi)};
  if constexpr (Call::on_cuda) {
    cuda::lpv_allpole_past(call.context(), past);
  } else {
    for (int64_t i = 0; i < past.rows * N; ++i) host::lpv_allpole_past(past, i / N, i % N);
  }
}

// ---- constant coefficients: the filters of lfilter

template <class scalar_t>
void constant_forward(HostCall<scalar_t>& call, const Tensor& a, const Tensor& x, const Tensor& zi,
                      bool reverse, Tensor& y) {
  const auto filters = call.normalise(Tensor(), a, /*monic=*/true, /*conjugate=*/false);
  const int64_t time = x.size(-1), N = filters.view.order;
  const auto xs = call.signal(x);
  auto state = call.carried(zi, N);
  // (in reverse the state of direct form II is the past outputs themselves)
  if (zi.defined() && !reverse) {
    const auto past = state;
    for (int64_t r = 0; r < call.rows(); ++r) {
      const auto* ar = filters.view.a + r * filters.view.filter_stride * N;
      for (int64_t j = 0; j < N; ++j) {
        state[r * N + j] = host::state_of_past(ar, N, past.data() + r * N, j);
      }
    }
  }
  cpu::lfilter_either_way<scalar_t>(
      reverse, {filters.view, xs.data, xs.stride, mutable_data<scalar_t>(y), time, state.data()},
      call.rows(), time);
}

template <class scalar_t>
void constant_backward(HostCall<scalar_t>& call, const Tensor& grad_y, const Tensor& a,
                       const Tensor& y, const Tensor& zi, Tensor& grad_a, Tensor& grad_x,
                       Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const auto filters = call.normalise(Tensor(), a, /*monic=*/true, /*conjugate=*/true);
  const int64_t B = call.rows(), time = grad_y.size(-1), N = filters.view.order;
  A *out_a = mutable_data<A>(grad_a), *out_zi = mutable_data<A>(grad_zi);
  const auto gs = call.signal(grad_y), ys = call.signal(out_a != nullptr ? y : Tensor());
  std::vector<A> sums(out_a != nullptr ? B * (N + 1) : 0), head(B * N);
  cpu::lfilter_backward<scalar_t>({.filters = filters.view,
                                   .grad_y = gs.data,
                                   .grad_y_stride = gs.stride,
                                   .grad_x = mutable_data<scalar_t>(grad_x),
                                   .grad_x_stride = time,
                                   .y = ys.data,
                                   .y_stride = ys.stride,
                                   .state = head.data(),
                                   .sum_a = sums.data()},
                                  B, time);
  const A* past = call.states(zi);
  for (int64_t r = 0; r < B; ++r) {
    const A* ar = filters.view.a + r * filters.view.filter_stride * N;
    const A* head_r = head.data() + r * N;
    for (int64_t i = 1; out_a != nullptr && i <= N; ++i) {
      A sum = sums[r * (N + 1) + i];
      if (past != nullptr) sum += host::sum_with_past(head_r, past + r * N, i);
      out_a[r * N + i - 1] = -sum;
    }
    for (int64_t k = 0; out_zi != nullptr && k < N; ++k) {
      out_zi[r * N + k] = host::gradient_of_past(ar, N, head_r, k);
    }
  }
}

#if defined(POLEZERO_WITH_CUDA)

template <class scalar_t>
void constant_forward(CudaCall<scalar_t>& call, const Tensor& a, const Tensor& x, const Tensor& zi,
                      bool reverse, Tensor& y) {
  using T = typename CudaCall<scalar_t>::scalar;
  if (y.numel() == 0) return;
  const int64_t time = x.size(-1);
  const auto xs = call.signal(x);
  const auto* past = call.states(zi);
  const auto filters = call.normalise(Tensor(), a, /*monic=*/true, /*conjugate=*/false);
  if (reverse) {  // the state of direct form II is the past outputs themselves
    cuda::lfilter_backward<T>(call.context(), filters,
                              {.rows = call.rows(),
                               .time = time,
                               .grad_y = xs.data,
                               .grad_y_stride = xs.stride,
                               .grad_zf = past,
                               .grad_x = mutable_data<T>(y),
                               .grad_x_stride = time},
                              {});
  } else {
    cuda::lfilter_forward<T>(call.context(), filters,
                             {.rows = call.rows(),
                              .time = time,
                              .x = xs.data,
                              .x_stride = xs.stride,
                              .y = mutable_data<T>(y),
                              .y_stride = time,
                              .past = past});
  }
}

template <class scalar_t>
void constant_backward(CudaCall<scalar_t>& call, const Tensor& grad_y, const Tensor& a,
                       const Tensor& y, const Tensor& zi, Tensor& grad_a, Tensor& grad_x,
                       Tensor& grad_zi) {
  using T = typename CudaCall<scalar_t>::scalar;
  const int64_t time = grad_y.size(-1);
  if (call.rows() * time == 0) {
    for (Tensor* sum : {&grad_a, &grad_zi}) sum->zero_();
    return;
  }
  const cuda::LfilterGradients<T> gradients{.monic = true,
                                            .grad_a = call.sums(grad_a),
                                            .grad_zi = call.sums(grad_zi),
                                            .zi = call.states(zi)};
  const auto gs = call.signal(grad_y), ys = call.signal(gradients.grad_a != nullptr ? y : Tensor());
  cuda::lfilter_backward<T>(call.context(),
                            call.normalise(Tensor(), a, /*monic=*/true, /*conjugate=*/true),
                            {.rows = call.rows(),
                             .time = time,
                             .grad_y = gs.data,
                             .grad_y_stride = gs.stride,
                             .grad_x = mutable_data<T>(grad_x),
                             .grad_x_stride = time,
                             .y = ys.data,
                             .y_stride = ys.stride},
                            gradients);
}

#endif

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
  on_device(op, x, leading, [&](auto& call) {
    if (constant) {
      constant_forward(call, a.squeeze(-2), x, zi, reverse, y);
    } else {
      varying_forward(call, a.size(-1), call.over_time(a), x, zi, {shift, reverse}, y);
    }
  });
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
  const auto wide = signal.dtype(acc_type(grad_y));
  Tensor grad_a = empty_if(need_a, with_last(leading, a.sym_size(-2)), N, constant ? wide : signal),
         grad_zi = empty_if(need_zi, leading, N, wide),
         grad_x = empty_if(need_x || !constant, leading, T, signal);
  on_device(op, grad_y, leading, [&](auto& call) {
    if (constant) {
      constant_backward(call, grad_y, a.squeeze(-2), y, zi, grad_a, grad_x, grad_zi);
    } else {
      varying_backward(call, grad_y, a, y, zi, {shift, reverse}, grad_a, grad_x, grad_zi);
    }
  });
  if (!need_x) grad_x = empty_if(false, leading, T, signal);
  return {grad_a, grad_x, grad_zi};
}

}  // namespace polezero
