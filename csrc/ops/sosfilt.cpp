#include "ops/sosfilt.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "ops/cuda_call.h"
#include "ops/lfilter.h"

namespace polezero {

namespace {

constexpr const char* kOp = "sosfilt";

void check_sections(const Argument& sos, const Argument& signal) {
  check_coefficients(kOp, sos, signal, 6);
  TORCH_CHECK_VALUE(
      sos.tensor.dim() >= 2 && sos.tensor.sym_size(-1) == 6 && sos.tensor.sym_size(-2) >= 1, kOp,
      ": ", sos.name, ": expected [..., sections, 6], got shape ", sos.tensor.sym_sizes());
}

void check_state(const Argument& state, const Argument& signal, const c10::SymInt& K) {
  if (!state.tensor.defined()) return;
  check_like(kOp, state, signal);
  TORCH_CHECK_VALUE(
      state.tensor.dim() >= 2 && state.tensor.sym_size(-2) == K && state.tensor.sym_size(-1) == 2,
      kOp, ": ", state.name, ": expected [..., ", K, ", 2], got shape ", state.tensor.sym_sizes());
}

// Coefficients for the kernels, and the a_0 that was divided out.
template <class scalar_t>
struct NormalisedSections {
  std::vector<acc_t<scalar_t>> c, a0;
  int64_t count, row_stride;
  Sections<scalar_t> view() const { return {count, row_stride, c.data()}; }
};

template <class scalar_t>
NormalisedSections<scalar_t> normalise_sections(const Tensor& sos, at::IntArrayRef leading) {
  using A = acc_t<scalar_t>;
  const int64_t K = sos.size(-2);
  const CoefficientRows<A> rows = coefficient_rows<A>(sos.flatten(-2), leading);
  NormalisedSections<scalar_t> out{{}, {}, K, rows.row_stride == 0 ? 0 : 5 * K};
  const int64_t sections = static_cast<int64_t>(rows.values.size()) / 6;
  for (int64_t i = 0; i < sections; ++i) {
    const A* c = rows.values.data() + 6 * i;
    TORCH_CHECK_VALUE(c[3] != A(0), kOp, ": sos: expected sos[..., 3] (a_0) != 0, got 0");
    for (const int64_t j : {0, 1, 2, 4, 5}) out.c.push_back(c[j] / c[3]);
    out.a0.push_back(c[3]);
  }
  return out;
}

// zi[..., K, 2] as [B, K, 2].
template <class scalar_t>
std::vector<acc_t<scalar_t>> states_of(const Tensor& zi, at::IntArrayRef leading, int64_t K) {
  return widened_rows<scalar_t>(zi.defined() ? zi.flatten(-2) : zi, leading, 2 * K);
}

template <class scalar_t>
void forward_cpu(const Tensor& sos, const Tensor& x, const Tensor& zi, at::IntArrayRef leading,
                 Tensor& y, Tensor& zf) {
  const auto sections = normalise_sections<scalar_t>(sos, leading);
  const auto xs = rows_of<scalar_t>(x, leading);
  const int64_t T = x.size(-1);
  auto state = states_of<scalar_t>(zi, leading, sections.count);
  cpu::sosfilt_forward<scalar_t>({sections.view(), xs.data, xs.stride,
                                  static_cast<scalar_t*>(y.mutable_data_ptr()), T, state.data()},
                                 product(leading), T);
  put_rows<scalar_t>(state, zf);
}

template <class scalar_t>
void backward_cpu(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& sos, const Tensor& x,
                  const Tensor& zi, at::IntArrayRef leading, Tensor& grad_sos, Tensor& grad_x,
                  Tensor& grad_zi) {
  using A = acc_t<scalar_t>;
  const auto sections = normalise_sections<scalar_t>(sos, leading);
  const int64_t B = product(leading), K = sections.count, T = grad_y.size(-1);
  const bool need_sos = grad_sos.numel() > 0;
  const auto gs = rows_of<scalar_t>(grad_y, leading);
  const auto xs = need_sos ? rows_of<scalar_t>(x, leading) : Rows<scalar_t>{};
  const auto begin = states_of<scalar_t>(need_sos ? zi : Tensor(), leading, K);
  auto state = states_of<scalar_t>(grad_zf, leading, K);
  std::vector<A> sums(need_sos ? B * K * 5 : 0);
  cpu::sosfilt_backward<scalar_t>(
      {sections.view(), gs.data, gs.stride, mutable_data<scalar_t>(grad_x), T, xs.data, xs.stride,
       begin.data(), state.data(), sums.data()},
      B, T);
  put_rows<scalar_t>(state, grad_zi);
  A* out = mutable_data<A>(grad_sos);
  for (int64_t i = 0; out != nullptr && i < B * K; ++i) {
    const int64_t section = sections.row_stride == 0 ? i % K : i;
    const A* c = sections.c.data() + 5 * section;
    const A* g = sums.data() + 5 * i;
    const A a0 = conjugate(sections.a0[section]);
    A of_a0(0);  // all others are quotients by it
    for (int64_t j = 0; j < 5; ++j) {
      out[6 * i + j + (j > 2)] = g[j] / a0;
      of_a0 -= conjugate(c[j]) * g[j] / a0;
    }
    out[6 * i + 3] = of_a0;
  }
}

// All rows' sections as filters of the second order.
template <class scalar_t>
cuda::NormalisedOnDevice<cuda::on_device_t<scalar_t>> normalise_on_cuda(CudaCall& call,
                                                                        const Tensor& sos,
                                                                        at::IntArrayRef leading,
                                                                        bool conjugate) {
  const Tensor sets = coefficient_sets(sos.flatten(-2), leading).view({-1, 6});
  const at::DimVector one_each{sets.size(0)};
  return call.normalise<scalar_t>(sets.slice(-1, 0, 3), sets.slice(-1, 3, 6), /*monic=*/false,
                                  one_each, conjugate);
}

template <class scalar_t>
void forward_cuda(const Tensor& sos, const Tensor& x, const Tensor& zi, at::IntArrayRef leading,
                  Tensor& y, Tensor& zf) {
  using D = cuda::on_device_t<scalar_t>;
  if (y.numel() == 0) {
    if (zf.numel() > 0) zf.copy_(zi);
    return;
  }
  CudaCall call(x);
  const int64_t T = x.size(-1);
  const auto xs = call.rows<scalar_t>(x, leading);
  cuda::sosfilt<D>(call.context(),
                   normalise_on_cuda<scalar_t>(call, sos, leading, /*conjugate=*/false),
                   {.count = sos.size(-2),
                    .rows = product(leading),
                    .time = T,
                    .x = xs.data,
                    .x_stride = xs.stride,
                    .y = mutable_data<D>(y),
                    .y_stride = T,
                    .zi = call.states<scalar_t>(zi.defined() ? zi.flatten(-2) : zi, leading),
                    .zf = mutable_data<D>(zf)},
                   /*adjoint=*/false);
}

// Without sums: one pass over memory.
template <class scalar_t>
void adjoint_cuda(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& sos,
                  at::IntArrayRef leading, Tensor& grad_x, Tensor& grad_zi) {
  using D = cuda::on_device_t<scalar_t>;
  CudaCall call(grad_y);
  const int64_t T = grad_y.size(-1);
  const auto gs = call.rows<scalar_t>(grad_y, leading);
  const Tensor out =
      call.keep(grad_x.numel() > 0 ? grad_x : at::empty(with_last(leading, T), grad_y.options()));
  cuda::sosfilt<D>(
      call.context(), normalise_on_cuda<scalar_t>(call, sos, leading, /*conjugate=*/true),
      {.count = sos.size(-2),
       .rows = product(leading),
       .time = T,
       .x = gs.data,
       .x_stride = gs.stride,
       .y = mutable_data<D>(out),
       .y_stride = T,
       .zi = call.states<scalar_t>(grad_zf.defined() ? grad_zf.flatten(-2) : grad_zf, leading),
       .zf = mutable_data<D>(grad_zi)},
      /*adjoint=*/true);
}

// With sums: they need the signals between the sections, which are written to memory, and the
// sections go backwards one by one.
void backward_by_sections(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& sos,
                          const Tensor& x, const Tensor& zi, Tensor& grad_sos, Tensor& grad_x,
                          Tensor& grad_zi) {
  const int64_t K = sos.size(-2);
  const bool need_x = grad_x.numel() > 0, need_zi = grad_zi.numel() > 0;
  auto b = [&](int64_t k) { return sos.select(-2, k).slice(-1, 0, 3); };
  auto a = [&](int64_t k) { return sos.select(-2, k).slice(-1, 3, 6); };
  auto state = [&](const Tensor& t, int64_t k) {
    return t.defined() ? OptionalTensor(t.select(-2, k)) : std::nullopt;
  };
  std::vector<Tensor> signals{x}, states;
  for (int64_t k = 0; k < K; ++k) {
    auto [y, zf] = lfilter_forward(b(k), a(k), signals.back(), state(zi, k), false);
    signals.push_back(y);
    states.push_back(zf);
  }
  Tensor g = grad_y;
  for (int64_t k = K - 1; k >= 0; --k) {
    const auto [of_b, of_a, of_x, of_zi] =
        lfilter_backward(g, state(grad_zf, k), b(k), a(k), signals[k], signals[k + 1], state(zi, k),
                         zi.defined() ? OptionalTensor(states[k]) : std::nullopt, true, true,
                         k > 0 || need_x, need_zi);
    Tensor out = grad_sos.select(-2, k);
    out.slice(-1, 0, 3).copy_(of_b);
    out.slice(-1, 3, 6).copy_(of_a);
    if (need_zi) grad_zi.select(-2, k).copy_(of_zi);
    g = of_x;
    signals.pop_back();
  }
  if (need_x) grad_x = g;
}

template <class scalar_t>
void backward_cuda(const Tensor& grad_y, const Tensor& grad_zf, const Tensor& sos, const Tensor& x,
                   const Tensor& zi, at::IntArrayRef leading, Tensor& grad_sos, Tensor& grad_x,
                   Tensor& grad_zi) {
  if (product(leading) * grad_y.size(-1) == 0) {
    grad_sos.zero_();
    grad_zi.zero_();
    if (grad_zi.numel() > 0 && grad_zf.defined()) grad_zi.copy_(grad_zf);
  } else if (grad_sos.numel() > 0) {
    backward_by_sections(grad_y, grad_zf, sos, x, zi, grad_sos, grad_x, grad_zi);
  } else {
    adjoint_cuda<scalar_t>(grad_y, grad_zf, sos, leading, grad_x, grad_zi);
  }
}

}  // namespace

std::tuple<Tensor, Tensor> sosfilt_forward(const Tensor& sos, const Tensor& x,
                                           const OptionalTensor& zi_) {
  const Tensor zi = value_or_undefined(zi_);
  check_signal(kOp, {"x", x});
  check_sections({"sos", sos}, {"x", x});
  const c10::SymInt K = sos.sym_size(-2), T = x.sym_size(-1);
  check_state({"zi", zi}, {"x", x}, K);
  const auto leading = broadcast_leading(kOp, {{"sos", sos, 2}, {"x", x}, {"zi", zi, 2}});
  Tensor y = at::empty_symint(with_last(leading, T), x.options());
  Tensor zf = empty_if(zi.defined(), with_last(leading, K), 2, x.options());
  if (!x.is_meta()) {
    check_has_kernels(kOp, x);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) return forward_cuda<scalar_t>(sos, x, zi, sizes, y, zf);
      }
      forward_cpu<scalar_t>(sos, x, zi, sizes, y, zf);
    });
  }
  return {y, zf};
}

std::tuple<Tensor, Tensor, Tensor> sosfilt_backward(const Tensor& grad_y,
                                                    const OptionalTensor& grad_zf_,
                                                    const Tensor& sos, const OptionalTensor& x_,
                                                    const OptionalTensor& zi_, bool need_sos,
                                                    bool need_x, bool need_zi) {
  const Tensor grad_zf = value_or_undefined(grad_zf_), x = value_or_undefined(x_),
               zi = value_or_undefined(zi_);
  check_signal(kOp, {"grad_y", grad_y});
  check_sections({"sos", sos}, {"grad_y", grad_y});
  TORCH_CHECK_VALUE(!need_sos || x.defined(), kOp, ": x: expected a tensor for grad_sos, got None");
  const c10::SymInt K = sos.sym_size(-2), T = grad_y.sym_size(-1);
  check_state({"grad_zf", grad_zf}, {"grad_y", grad_y}, K);
  check_state({"zi", zi}, {"grad_y", grad_y}, K);
  check_like(kOp, {"x", x}, {"grad_y", grad_y});
  check_last(kOp, {"x", x}, T, "T");
  const auto leading = broadcast_leading(
      kOp, {{"grad_y", grad_y}, {"grad_zf", grad_zf, 2}, {"sos", sos, 2}, {"x", x}, {"zi", zi, 2}});
  const auto signal = grad_y.options();
  const auto of_sections = with_last(leading, K);
  Tensor grad_sos = empty_if(need_sos, of_sections, 6, signal.dtype(acc_type(grad_y))),
         grad_x = empty_if(need_x, leading, T, signal),
         grad_zi = empty_if(need_zi, of_sections, 2, signal);
  if (!grad_y.is_meta()) {
    check_has_kernels(kOp, grad_y);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(grad_y, [&] {
      if constexpr (kWithCuda) {
        if (grad_y.is_cuda()) {
          return backward_cuda<scalar_t>(grad_y, grad_zf, sos, x, zi, sizes, grad_sos, grad_x,
                                         grad_zi);
        }
      }
      backward_cpu<scalar_t>(grad_y, grad_zf, sos, x, zi, sizes, grad_sos, grad_x, grad_zi);
    });
  }
  return {grad_sos, grad_x, grad_zi};
}

}  // namespace polezero
