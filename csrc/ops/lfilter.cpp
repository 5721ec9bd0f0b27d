#include "ops/lfilter.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

template <class scalar_t>
void forward_cpu(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi,
                 at::IntArrayRef leading, Tensor& y, Tensor& zf) {
  const auto filters = normalise<scalar_t>("lfilter", b, a, leading, /*conjugate=*/false);
  const int64_t B = product(leading), T = x.size(-1), P = filters.view.order;
  const auto xs = rows_of<scalar_t>(x, leading);
  auto state = widened_rows<scalar_t>(zi, leading, P);
  cpu::lfilter_forward<scalar_t>({filters.view, xs.data, xs.stride,
                                  static_cast<scalar_t*>(y.mutable_data_ptr()), T, state.data()},
                                 B, T);
  put_rows<scalar_t>(state, zf);
}

template <class scalar_t>
void backward_cpu(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& b, const Tensor& a,
                  const Tensor& x, const Tensor& y, const Tensor& zi, const Tensor& zf,
                  at::IntArrayRef leading, Tensor& grad_b, Tensor& grad_a, Tensor& grad_x,
                  Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const auto filters = normalise<scalar_t>("lfilter", b, a, leading, /*conjugate=*/true);
  const int64_t B = product(leading), T = grad_y.size(-1), P = filters.view.order;
  const int64_t taps_b = filters.view.order_b + 1, taps_a = filters.view.order_a + 1;
  const auto gs = rows_of<scalar_t>(grad_y, leading);
  const auto xs = x.defined() ? rows_of<scalar_t>(x, leading) : Rows<scalar_t>{};
  const auto ys = y.defined() ? rows_of<scalar_t>(y, leading) : Rows<scalar_t>{};
  const auto tail = widened_rows<scalar_t>(grad_zf, leading, P);
  auto state = tail;
  A* sum_b = mutable_data<A>(grad_b);
  A* sum_a = mutable_data<A>(grad_a);
  std::fill_n(sum_b, grad_b.numel(), A(0));
  std::fill_n(sum_a, grad_a.numel(), A(0));
  cpu::lfilter_backward<scalar_t>(
      {filters.view, gs.data, gs.stride, mutable_data<scalar_t>(grad_x), T,
       sum_b != nullptr ? xs.data : nullptr, xs.stride, sum_a != nullptr ? ys.data : nullptr,
       ys.stride, state.data(), sum_b, sum_a},
      B, T);
  const auto zis = zi.defined() ? widened_rows<scalar_t>(zi, leading, P) : std::vector<A>();
  const auto zfs = zf.defined() ? widened_rows<scalar_t>(zf, leading, P) : std::vector<A>();
  for (int64_t r = 0; r < B; ++r) {
    // lambda where the state takes the place of samples: lambda[T + j] = grad_zf[j], and
    // lambda[0..P), which the kernel leaves in its state
    const A *after = tail.data() + r * P, *head = state.data() + r * P;
    const A scale = A(1) / filters.a0[filters.view.filter_stride * r];
    for (int64_t k = 0; sum_b != nullptr && k < taps_b; ++k) {
      A& sum = sum_b[r * taps_b + k];
      sum = (sum + cpu::tail_sum(after, P, xs.data + r * xs.stride, T, k)) * scale;
    }
    for (int64_t i = 0; sum_a != nullptr && i < taps_a; ++i) {
      A& sum = sum_a[r * taps_a + i];
      sum += cpu::tail_sum(after, P, ys.data + r * ys.stride, T, i);
      // a_0 scales y - zi, and zf - zi where the rows have ended
      for (int64_t j = 0; i == 0 && j < P; ++j) {
        if (!zis.empty()) sum -= head[j] * conjugate(zis[r * P + j]);
        if (!zfs.empty()) sum += after[j] * conjugate(zfs[r * P + j]);
      }
      sum *= -scale;
    }
  }
  put_rows<scalar_t>(state, grad_zi);
}

template <class scalar_t>
void forward_cuda(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi,
                  at::IntArrayRef leading, Tensor& y, Tensor& zf) {
  using D = cuda::on_device_t<scalar_t>;
  if (y.numel() == 0) {
    if (zf.numel() > 0) zf.copy_(zi);
    return;
  }
  CudaCall call(x);
  const int64_t T = x.size(-1);
  const auto xs = call.rows<scalar_t>(x, leading);
  cuda::lfilter_forward<D>(
      call.context(), call.normalise<scalar_t>(b, a, /*monic=*/false, leading, /*conjugate=*/false),
      {.rows = product(leading),
       .time = T,
       .x = xs.data,
       .x_stride = xs.stride,
       .y = mutable_data<D>(y),
       .y_stride = T,
       .zi = call.states<scalar_t>(zi, leading),
       .zf = mutable_data<D>(zf)});
}

template <class scalar_t>
void backward_cuda(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& b, const Tensor& a,
                   const Tensor& x, const Tensor& y, const Tensor& zi, const Tensor& zf,
                   at::IntArrayRef leading, Tensor& grad_b, Tensor& grad_a, Tensor& grad_x,
                   Tensor& grad_zi) {
  using D = cuda::on_device_t<scalar_t>;
  using A = acc_t<D>;
  const int64_t T = grad_y.size(-1);
  if (product(leading) * T == 0) {
    for (Tensor* sum : {&grad_b, &grad_a, &grad_zi}) sum->zero_();
    if (grad_zi.numel() > 0 && grad_zf.defined()) grad_zi.copy_(grad_zf);
    return;
  }
  CudaCall call(grad_y);
  const cuda::LfilterGradients<D> gradients{.grad_b = mutable_data<A>(grad_b),
                                            .grad_a = mutable_data<A>(grad_a),
                                            .grad_zi = mutable_data<D>(grad_zi),
                                            .zi = call.states<scalar_t>(zi, leading),
                                            .zf = call.states<scalar_t>(zf, leading)};
  const auto gs = call.rows<scalar_t>(grad_y, leading);
  const auto xs = call.rows<scalar_t>(gradients.grad_b != nullptr ? x : Tensor(), leading);
  const auto ys = call.rows<scalar_t>(gradients.grad_a != nullptr ? y : Tensor(), leading);
  cuda::lfilter_backward<D>(
      call.context(), call.normalise<scalar_t>(b, a, /*monic=*/false, leading, /*conjugate=*/true),
      {.rows = product(leading),
       .time = T,
       .grad_y = gs.data,
       .grad_y_stride = gs.stride,
       .grad_zf = call.states<scalar_t>(grad_zf, leading),
       .grad_x = mutable_data<D>(grad_x),
       .grad_x_stride = T,
       .x = xs.data,
       .x_stride = xs.stride,
       .y = ys.data,
       .y_stride = ys.stride},
      gradients);
}

}  // namespace

std::tuple<Tensor, Tensor> lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                           const OptionalTensor& zi_, bool /*two_pass*/) {
  const Tensor zi = value_or_undefined(zi_);
  check_signal("lfilter", {"x", x});
  check_coefficients("lfilter", {"b", b}, {"x", x}, 1);
  check_coefficients("lfilter", {"a", a}, {"x", x}, 1);
  check_like("lfilter", {"zi", zi}, {"x", x});
  const c10::SymInt P = max_order(b, a);
  check_last("lfilter", {"zi", zi}, P, "max(len(a), len(b)) - 1");
  const auto leading = broadcast_leading("lfilter", {{"b", b}, {"a", a}, {"x", x}, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  Tensor zf = empty_if(zi.defined(), leading, P, x.options());
  if (!x.is_meta()) {
    check_has_kernels("lfilter", x);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) return forward_cuda<scalar_t>(b, a, x, zi, sizes, y, zf);
      }
      forward_cpu<scalar_t>(b, a, x, zi, sizes, y, zf);
    });
  }
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
    check_like(op, state, {"grad_y", grad_y});
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
         grad_zi = empty_if(need_zi, leading, P, signal);
  if (!grad_y.is_meta()) {
    check_has_kernels(op, grad_y);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(grad_y, [&] {
      if constexpr (kWithCuda) {
        if (grad_y.is_cuda()) {
          return backward_cuda<scalar_t>(grad_y, grad_zf, b, a, x, y, zi, zf, sizes, grad_b, grad_a,
                                         grad_x, grad_zi);
        }
      }
      backward_cpu<scalar_t>(grad_y, grad_zf, b, a, x, y, zi, zf, sizes, grad_b, grad_a, grad_x,
                             grad_zi);
    });
  }
  return {grad_b, grad_a, grad_x, grad_zi};
}

}  // namespace polezero
