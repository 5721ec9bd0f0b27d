#include "ops/sosfilt.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
#include "ops/lfilter.h"
#include "ops/on_device.h"
#include "ops/tensors.h"

namespace polezero {

namespace {

constexpr const char* kOp = "sosfilt";

void check_sections(const Argument& sos, const Argument& signal) {
  check_coefficients(kOp, sos, signal, 6);
  TORCH_CHECK_VALUE(
      sos.tensor.dim() >= 2 && sos.tensor.sym_size(-1) == 6 && sos.tensor.sym_size(-2) >= 1, kOp,
      ": ", sos.name, ": expected [..., sections, 6], got shape ", sos.tensor.sym_sizes());
}

void check_states(const Argument& state, const Argument& signal, const c10::SymInt& K) {
  if (!state.tensor.defined()) return;
  check_state(kOp, state, signal);
  TORCH_CHECK_VALUE(
      state.tensor.dim() >= 2 && state.tensor.sym_size(-2) == K && state.tensor.sym_size(-1) == 2,
      kOp, ": ", state.name, ": expected [..., ", K, ", 2], got shape ", state.tensor.sym_sizes());
}

// States [..., K, 2] as [..., 2 K].
Tensor flat(const Tensor& state) { return state.defined() ? state.flatten(-2) : state; }

template <class scalar_t>
void forward(HostCall<scalar_t>& call, const Tensor& sos, const Tensor& x, const Tensor& zi,
             Tensor& y, Tensor& zf) {
  if (call.rows() == 0) return;  // nor are there coefficients
  const int64_t K = sos.size(-2), time = x.size(-1);
  const auto filters = call.normalise_sections(sos, /*conjugate=*/false);
  const auto xs = call.signal(x);
  auto state = call.carried(flat(zi), 2 * K);
  // a state in float64 is not to see signals that were rounded between the sections
  cpu::sosfilt_forward<scalar_t>({sections_of(filters.view, filters.count, K), xs.data, xs.stride,
                                  mutable_data<scalar_t>(y), time, state.data(),
                                  /*in_float64=*/is_wider(zi, x)},
                                 call.rows(), time);
  call.put(state, zf);
}

template <class scalar_t>
void backward(HostCall<scalar_t>& call, const Tensor& grad_y, const Tensor& grad_zf,
              const Tensor& sos, const Tensor& x, const Tensor& zi, Tensor& grad_sos,
              Tensor& grad_x, Tensor& grad_zi) {
  if (call.rows() == 0) return;
  using A = acc_t<scalar_t>;
  const int64_t B = call.rows(), K = sos.size(-2), time = grad_y.size(-1);
  const auto filters = call.normalise_sections(sos, /*conjugate=*/false);
  const bool need_sos = grad_sos.numel() > 0;
  const auto gs = call.signal(grad_y), xs = call.signal(need_sos ? x : Tensor());
  const auto begin = call.carried(need_sos ? flat(zi) : Tensor(), 2 * K);
  auto state = call.carried(flat(grad_zf), 2 * K);
  std::vector<A> sums(need_sos ? B * K * 5 : 0);
  const Sections<scalar_t> sections = sections_of(filters.view, filters.count, K);
  cpu::sosfilt_backward<scalar_t>(
      {sections, gs.data, gs.stride, mutable_data<scalar_t>(grad_x), time, xs.data, xs.stride,
       begin.data(), state.data(), sums.data()},
      B, time);
  call.put(state, grad_zi);
  A* out = mutable_data<A>(grad_sos);
  for (int64_t i = 0; out != nullptr && i < B * K; ++i) {
    const int64_t f = filters.count > K ? i : i % K;
    const A *b = filters.view.b + 3 * f, *a = filters.view.a + 2 * f;
    const A c[] = {b[0], b[1], b[2], a[0], a[1]};
    const A* g = sums.data() + 5 * i;
    const A a0 = host::conjugate(filters.a0[f]);
    A of_a0(0);  // all others are quotients by it
    for (int64_t j = 0; j < 5; ++j) {
      out[6 * i + j + (j > 2)] = g[j] / a0;
      of_a0 -= host::conjugate(c[j]) * g[j] / a0;
    }
    out[6 * i + 3] = of_a0;
  }
}

#if defined(POLEZERO_WITH_CUDA)

// The filter, or (adjoint) its adjoint without sums: one pass over memory.
template <class scalar_t>
void filter(CudaCall<scalar_t>& call, const Tensor& sos, const Tensor& x, const Tensor& zi,
            bool adjoint, const Tensor& y, const Tensor& zf) {
  using T = typename CudaCall<scalar_t>::scalar;
  const int64_t K = sos.size(-2), time = x.size(-1);
  const auto filters = call.normalise_sections(sos, /*conjugate=*/adjoint);
  const auto xs = call.signal(x);
  const Tensor out =
      call.keep(y.numel() > 0 ? y : at::empty(with_last(call.leading(), time), x.options()));
  const auto after = call.states_like(zf);
  cuda::sosfilt<T>(call.context(), filters,
                   {.sections = {.count = K},
                    .rows = call.rows(),
                    .time = time,
                    .x = xs.data,
                    .x_stride = xs.stride,
                    .y = mutable_data<T>(out),
                    .y_stride = time,
                    .zi = call.states(flat(zi)),
                    .zf = after.data()},
                   adjoint);
  call.put(after, zf);
}

template <class scalar_t>
void forward(CudaCall<scalar_t>& call, const Tensor& sos, const Tensor& x, const Tensor& zi,
             Tensor& y, Tensor& zf) {
  if (y.numel() > 0) {
    filter(call, sos, x, zi, /*adjoint=*/false, y, zf);
  } else if (zf.numel() > 0) {
    zf.copy_(zi);
  }
}

// The sums need the signals between the sections, which are written to memory, and the sections go
// backwards one by one.
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
void backward(CudaCall<scalar_t>& call, const Tensor& grad_y, const Tensor& grad_zf,
              const Tensor& sos, const Tensor& x, const Tensor& zi, Tensor& grad_sos,
              Tensor& grad_x, Tensor& grad_zi) {
  if (call.rows() * grad_y.size(-1) == 0) {
    grad_sos.zero_();
    grad_zi.zero_();
    if (grad_zi.numel() > 0 && grad_zf.defined()) grad_zi.copy_(grad_zf);
  } else if (grad_sos.numel() > 0) {
    backward_by_sections(grad_y, grad_zf, sos, x, zi, grad_sos, grad_x, grad_zi);
  } else {
    filter(call, sos, grad_y, grad_zf, /*adjoint=*/true, grad_x, grad_zi);
  }
}

#endif

}  // namespace

std::tuple<Tensor, Tensor> sosfilt_forward(const Tensor& sos, const Tensor& x,
                                           const OptionalTensor& zi_) {
  const Tensor zi = value_or_undefined(zi_);
  check_signal(kOp, {"x", x});
  check_sections({"sos", sos}, {"x", x});
  const c10::SymInt K = sos.sym_size(-2), T = x.sym_size(-1);
  check_states({"zi", zi}, {"x", x}, K);
  const auto leading = broadcast_leading(kOp, {{"sos", sos, 2}, {"x", x}, {"zi", zi, 2}});
  Tensor y = at::empty_symint(with_last(leading, T), x.options());
  Tensor zf = empty_if(zi.defined(), with_last(leading, K), 2, (zi.defined() ? zi : x).options());
  on_device(kOp, x, leading, [&](auto& call) { forward(call, sos, x, zi, y, zf); });
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
  check_states({"grad_zf", grad_zf}, {"grad_y", grad_y}, K);
  check_states({"zi", zi}, {"grad_y", grad_y}, K);
  check_like(kOp, {"x", x}, {"grad_y", grad_y});
  check_last(kOp, {"x", x}, T, "T");
  const auto leading = broadcast_leading(
      kOp, {{"grad_y", grad_y}, {"grad_zf", grad_zf, 2}, {"sos", sos, 2}, {"x", x}, {"zi", zi, 2}});
  const auto signal = grad_y.options(), wide = signal.dtype(acc_type(grad_y));
  const auto of_sections = with_last(leading, K);
  Tensor grad_sos = empty_if(need_sos, of_sections, 6, wide),
         grad_x = empty_if(need_x, leading, T, signal),
         grad_zi = empty_if(need_zi, of_sections, 2, wide);
  on_device(kOp, grad_y, leading, [&](auto& call) {
    backward(call, grad_y, grad_zf, sos, x, zi, grad_sos, grad_x, grad_zi);
  });
  return {grad_sos, grad_x, grad_zi};
}

}  // namespace polezero
