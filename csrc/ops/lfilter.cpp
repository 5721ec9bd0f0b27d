#include "ops/lfilter.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "ops/caller.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

template <class scalar_t>
void forward(HostCall<scalar_t>& call, const Tensor& b, const Tensor& a, const Tensor& x,
             const Tensor& zi, Tensor& y, Tensor& zf) {
  const auto filters = call.normalise(b, a, /*monic=*/false, /*conjugate=*/false);
  const int64_t time = x.size(-1);
  const auto xs = call.signal(x);
  auto state = call.carried(zi, filters.view.order);
  cpu::lfilter_forward<scalar_t>(
      {filters.view, xs.data, xs.stride, mutable_data<scalar_t>(y), time, state.data()},
      call.rows(), time);
  call.put(state, zf);
}

template <class scalar_t>
void backward(HostCall<scalar_t>& call, const Tensor& grad_y, const Tensor& grad_zf,
              const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& y, const Tensor& zi,
              const Tensor& zf, Tensor& grad_b, Tensor& grad_a, Tensor& grad_x, Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const auto filters = call.normalise(b, a, /*monic=*/false, /*conjugate=*/true);
  const int64_t time = grad_y.size(-1), P = filters.view.order;
  const int64_t taps_b = filters.view.order_b + 1, taps_a = filters.view.order_a + 1;
  A *sum_b = call.sums(grad_b), *sum_a = call.sums(grad_a);
  const auto gs = call.signal(grad_y), xs = call.signal(sum_b != nullptr ? x : Tensor()),
             ys = call.signal(sum_a != nullptr ? y : Tensor());
  const auto tail = call.carried(grad_zf, P);
  auto state = tail;
  cpu::lfilter_backward<scalar_t>(
      {filters.view, gs.data, gs.stride, mutable_data<scalar_t>(grad_x), time, xs.data, xs.stride,
       ys.data, ys.stride, state.data(), sum_b, sum_a},
      call.rows(), time);
  const A *zis = call.states(zi), *zfs = call.states(zf);
  const auto of_row = [&](const A* states, int64_t r) {
    return states == nullptr ? nullptr : states + r * P;
  };
  for (int64_t r = 0; r < call.rows(); ++r) {
    // lambda where the state takes the place of samples: lambda[T + j] = grad_zf[j], and
    // lambda[0..P), which the kernel leaves in its state
    const A *after = tail.data() + r * P, *head = state.data() + r * P;
    const A scale = A(1) / filters.a0[filters.view.filter_stride * r];
    const auto tail_sum = [&](const auto& signal, int64_t k) {
      if (!grad_zf.defined()) return A(0);  // P^2 products of zeros otherwise
      return cpu::tail_sum(after, P, signal.data + r * signal.stride, time, k);
    };
    for (int64_t k = 0; sum_b != nullptr && k < taps_b; ++k) {
      A& sum = sum_b[r * taps_b + k];
      sum = (sum + tail_sum(xs, k)) * scale;
    }
    for (int64_t i = 0; sum_a != nullptr && i < taps_a; ++i) {
      A& sum = sum_a[r * taps_a + i];
      sum += tail_sum(ys, i);
      if (i == 0) sum -= host::sum_with_states(head, of_row(zis, r), after, of_row(zfs, r), P);
      sum *= -scale;
    }
  }
  call.put(state, grad_zi);
}

#if defined(POLEZERO_WITH_CUDA)

template <class scalar_t>
void forward(CudaCall<scalar_t>& call, const Tensor& b, const Tensor& a, const Tensor& x,
             const Tensor& zi, Tensor& y, Tensor& zf) {
  using T = typename CudaCall<scalar_t>::scalar;
  if (y.numel() == 0) {
    if (zf.numel() > 0) zf.copy_(zi);
    return;
  }
  const int64_t time = x.size(-1);
  const auto xs = call.signal(x);
  const auto after = call.states_like(zf);
  cuda::lfilter_forward<T>(call.context(),
                           call.normalise(b, a, /*monic=*/false, /*conjugate=*/false),
                           {.rows = call.rows(),
                            .time = time,
                            .x = xs.data,
                            .x_stride = xs.stride,
                            .y = mutable_data<T>(y),
                            .y_stride = time,
                            .zi = call.states(zi),
                            .zf = after.data()});
  call.put(after, zf);
}

template <class scalar_t>
void backward(CudaCall<scalar_t>& call, const Tensor& grad_y, const Tensor& grad_zf,
              const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& y, const Tensor& zi,
              const Tensor& zf, Tensor& grad_b, Tensor& grad_a, Tensor& grad_x, Tensor& grad_zi) {
  using T = typename CudaCall<scalar_t>::scalar;
  const int64_t time = grad_y.size(-1);
  if (call.rows() * time == 0) {
    for (Tensor* sum : {&grad_b, &grad_a, &grad_zi}) sum->zero_();
    if (grad_zi.numel() > 0 && grad_zf.defined()) grad_zi.copy_(grad_zf);
    return;
  }
  const cuda::LfilterGradients<T> gradients{.grad_b = call.sums(grad_b),
                                            .grad_a = call.sums(grad_a),
                                            .grad_zi = call.sums(grad_zi),
                                            .zi = call.states(zi),
                                            .zf = call.states(zf)};
  const auto gs = call.signal(grad_y), xs = call.signal(gradients.grad_b != nullptr ? x : Tensor()),
             ys = call.signal(gradients.grad_a != nullptr ? y : Tensor());
  cuda::lfilter_backward<T>(call.context(),
                            call.normalise(b, a, /*monic=*/false, /*conjugate=*/true),
                            {.rows = call.rows(),
                             .time = time,
                             .grad_y = gs.data,
                             .grad_y_stride = gs.stride,
                             .grad_zf = call.states(grad_zf),
                             .grad_x = mutable_data<T>(grad_x),
                             .grad_x_stride = time,
                             .x = xs.data,
                             .x_stride = xs.stride,
                             .y = ys.data,
                             .y_stride = ys.stride},
                            gradients);
}

#endif

}  // namespace

std::tuple<Tensor, Tensor> lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                           const OptionalTensor& zi_, bool /*two_pass*/) {
  const Tensor zi = value_or_undefined(zi_);
  check_signal("lfilter", {"x", x});
  check_coefficients("lfilter", {"b", b}, {"x", x}, 1);
  check_coefficients("lfilter", {"a", a}, {"x", x}, 1);
  check_state("lfilter", {"zi", zi}, {"x", x});
  const c10::SymInt P = max_order(b, a);
  check_last("lfilter", {"zi", zi}, P, "max(len(a), len(b)) - 1");
  const auto leading = broadcast_leading("lfilter", {{"b", b}, {"a", a}, {"x", x}, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  Tensor zf = empty_if(zi.defined(), leading, P, (zi.defined() ? zi : x).options());
  on_device(Caller::function("lfilter"), x, leading,
            [&](auto& call) { forward(call, b, a, x, zi, y, zf); });
  return {y, zf};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> lfilter_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf_, const Tensor& b, const Tensor& a,
    const OptionalTensor& x_, const OptionalTensor& y_, const OptionalTensor& zi_,
    const OptionalTensor& zf_, bool need_b, bool need_a, bool need_x, bool need_zi) {
  const char* op = "lfilter_backward";
  const Tensor grad_zf = value_or_undefined(grad_zf_), x = value_or_undefined(x_),
               y = value_or_undefined(y_), zi = value_or_undefined(zi_),
               zf = value_or_undefined(zf_);
  check_signal(op, {"grad_y", grad_y});
  check_coefficients(op, {"b", b}, {"grad_y", grad_y}, 1);
  check_coefficients(op, {"a", a}, {"grad_y", grad_y}, 1);
  TORCH_CHECK_VALUE(!need_b || x.defined(), op, ": x: expected a tensor for grad_b, got None");
  TORCH_CHECK_VALUE(!need_a || y.defined(), op, ": y: expected a tensor for grad_a, got None");
  const c10::SymInt P = max_order(b, a), T = grad_y.sym_size(-1);
  for (const Argument& signal : {Argument{"x", x}, Argument{"y", y}}) {
    check_like(op, signal, {"grad_y", grad_y});
    check_last(op, signal, T, "T");
  }
  for (const Argument& state :
       {Argument{"grad_zf", grad_zf}, Argument{"zi", zi}, Argument{"zf", zf}}) {
    check_state(op, state, {"grad_y", grad_y});
    check_last(op, state, P, "max(len(a), len(b)) - 1");
  }
  const auto leading = broadcast_leading(op, {{"grad_y", grad_y},
                                              {"grad_zf", grad_zf},
                                              {"b", b},
                                              {"a", a},
                                              {"x", x},
                                              {"y", y},
                                              {"zi", zi},
                                              {"zf", zf}});
  const auto signal = grad_y.options(), sums = signal.dtype(acc_type(grad_y));
  Tensor grad_b = empty_if(need_b, leading, b.sym_size(-1), sums),
         grad_a = empty_if(need_a, leading, a.sym_size(-1), sums),
         grad_x = empty_if(need_x, leading, T, signal),
         grad_zi = empty_if(need_zi, leading, P, sums);
  on_device("lfilter", grad_y, leading, [&](auto& call) {
    backward(call, grad_y, grad_zf, b, a, x, y, zi, zf, grad_b, grad_a, grad_x, grad_zi);
  });
  return {grad_b, grad_a, grad_x, grad_zi};
}

}  // namespace polezero
