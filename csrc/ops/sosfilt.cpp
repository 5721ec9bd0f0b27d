#include "ops/sosfilt.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"
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

// The filter, or its adjoint, whose sections are conjugated.
template <class scalar_t>
SosfiltScan<typename CudaCall<scalar_t>::scalar> scan_of(CudaCall<scalar_t>& call, int64_t K,
                                                         const Tensor& x, const Tensor& zi,
                                                         const Tensor& y, const Tensor& zf) {
  using T = typename CudaCall<scalar_t>::scalar;
  const auto xs = call.signal(x);
  return {.sections = {.count = K},
          .rows = call.rows(),
          .time = x.size(-1),
          .x = xs.data,
          .x_stride = xs.stride,
          .y = mutable_data<T>(y),
          .y_stride = x.size(-1),
          .zi = call.states(flat(zi)),
          .zf = mutable_data<acc_t<T>>(zf)};
}

template <class scalar_t>
void forward(CudaCall<scalar_t>& call, const Tensor& sos, const Tensor& x, const Tensor& zi,
             Tensor& y, Tensor& zf) {
  if (y.numel() == 0) {
    if (zf.numel() > 0) zf.copy_(zi);
    return;
  }
  const auto after = call.states_like(zf);
  cuda::sosfilt(call.context(), call.normalise_sections(sos, /*conjugate=*/false),
                scan_of(call, sos.size(-2), x, zi, y, after.memory), /*adjoint=*/false);
  call.put(after, zf);
}

template <class scalar_t>
void backward(CudaCall<scalar_t>& call, const Tensor& grad_y, const Tensor& grad_zf,
              const Tensor& sos, const Tensor& x, const Tensor& zi, Tensor& grad_sos,
              Tensor& grad_x, Tensor& grad_zi) {
  using T = typename CudaCall<scalar_t>::scalar;
  if (call.rows() * grad_y.size(-1) == 0) {
    grad_sos.zero_();
    grad_zi.zero_();
    if (grad_zi.numel() > 0 && grad_zf.defined()) grad_zi.copy_(grad_zf);
    return;
  }
  const auto conjugated = call.normalise_sections(sos, /*conjugate=*/true);
  const auto after = call.states_like(grad_zi);
  const auto adjoint = scan_of(call, sos.size(-2), grad_y, grad_zf, grad_x, after.memory);
  if (grad_sos.numel() == 0) {
    cuda::sosfilt(call.context(), conjugated, adjoint, /*adjoint=*/true);
  } else {
    const auto xs = call.signal(x);
    const auto sections =
        host::is_complex<scalar_t> ? call.normalise_sections(sos, /*conjugate=*/false) : conjugated;
    cuda::sosfilt_backward<T>(call.context(), sections, conjugated, adjoint,
                              {xs.data, xs.stride, call.states(flat(zi)), call.sums(grad_sos)});
  }
  call.put(after, grad_zi);
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
