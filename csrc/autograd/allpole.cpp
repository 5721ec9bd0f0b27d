// Derivatives of y[n] = x[n] - sum_i a_i y[n-i] (reversed: y[n+i]); math in
// docs/derivatives.md. lambda is the adjoint filter's output.
#include "autograd/ops.h"

namespace polezero::autograd {

namespace {

// y with the outputs that the first (reversed: last) samples read: zi, or zeros.
Tensor with_past(const Tensor& y, const Tensor& zi, const c10::SymInt& N, bool reverse) {
  if (reverse) return zi.defined() ? join(y, zi) : pad_last(y, 0, N);
  return zi.defined() ? join(zi.flip(-1), y) : pad_last(y, N, 0);
}

// grad_a_i = -sum_n lambda[n] conj(y[n-i])
Tensor grad_of_a(const Tensor& lambda, const Tensor& y, const Tensor& zi, const c10::SymInt& N,
                 bool reverse) {
  const Tensor past = with_past(y, zi, N, reverse).conj();
  const Tensor c = reverse ? lag_correlation(past, pad_last(lambda, 0, N), N + 1)
                           : lag_correlation(pad_last(lambda, N, 0), past, N + 1);
  return -slice_last(c, 1, N + 1);
}

// grad_zi_k = -sum_{n >= 0, n + k <= N} conj(a_{n+k}) lambda[n]
Tensor grad_of_zi(const Tensor& lambda, const Tensor& a, bool reverse) {
  const c10::SymInt N = a.sym_size(-1), T = lambda.sym_size(-1);
  const Tensor from_end = reverse ? lambda.flip(-1) : lambda;
  const Tensor head = slice_last(T < N ? pad_last(from_end, 0, N - T) : from_end, 0, N);
  return -fir(head, a.conj().to(lambda.scalar_type()), /*reverse=*/true);
}

// The two-pass gradient of a: dy/da_i[n] = psi[n-i] - sum_{k=1..i} zi_k h[n-i+k] with
// psi = AllPole(-y) and h the impulse response.
Tensor two_pass_grad_of_a(const Tensor& g, const Tensor& a, const Tensor& y, const Tensor& zi) {
  const c10::SymInt N = a.sym_size(-1);
  const Tensor psi = allpole_forward(a, -y);
  Tensor grad = slice_last(lag_correlation(g, psi.conj(), N + 1), 1, N + 1);
  if (!zi.defined()) return grad;
  Tensor impulse = at::zeros_symint({g.sym_size(-1)}, g.options());
  impulse.slice(0, 0, 1).fill_(1);
  const Tensor h = allpole_forward(a, impulse);
  const Tensor past = wide(zi).conj();
  return grad - fir(past, lag_correlation(g, h.conj(), N));
}

}  // namespace

Saved<AllpoleForward> AllpoleForward::saves(const Flags<3>& need) {
  return {{true, false, need[0]}, {need[0]}};
}

Tensors<3> AllpoleForward::vjp(const Tensors<1>& grads, const Tensors<3>& in, const Tensors<1>& out,
                               const Attributes<AllpoleForward>& attributes, const Flags<3>& need) {
  const Tensor &g = grads[0], &a = in[0], &zi = in[2], &y = out[0];
  const auto [reverse, two_pass] = attributes;
  const c10::SymInt N = a.sym_size(-1);
  Tensors<3> r;
  if (N == 0) {  // no recurrence
    if (need[0]) r[0] = at::zeros_like(a);
    if (need[1]) r[1] = g;
    if (need[2]) r[2] = slice_last(at::zeros_like(g), 0, 0);
    return r;
  }
  if (reverse) {
    const Tensor lambda = allpole_forward(a.conj(), g);
    if (need[0]) r[0] = grad_of_a(lambda, y, zi, N, true);
    if (need[1]) r[1] = lambda;
    if (need[2]) r[2] = grad_of_zi(lambda, a, true);
    return r;
  }
  const bool one_pass_a = need[0] && !two_pass;
  if (one_pass_a || need[1] || need[2]) {
    const auto b = call<AllpoleBackward>({g, a, one_pass_a ? y : Tensor(), zi},
                                         {one_pass_a, need[1], need[2]});
    if (one_pass_a) r[0] = b[0];
    if (need[1]) r[1] = b[1];
    if (need[2]) r[2] = b[2];
  }
  if (need[0] && two_pass) r[0] = two_pass_grad_of_a(g, a, y, zi);
  return r;
}

Tensors<1> AllpoleForward::jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<1>& out,
                               const Attributes<AllpoleForward>& attributes) {
  const Tensor &a = p[0], &zi = p[2], &y = out[0];
  const bool reverse = std::get<0>(attributes);
  const c10::SymInt N = a.sym_size(-1), T = y.sym_size(-1);
  Tensor input = t[1];
  if (t[0].defined() && N > 0) {  // -sum_i tangent_a_i y[n-i]
    const Tensor u = fir(pad_last(t[0], 1, 0), with_past(y, zi, N, reverse), reverse);
    input = plus(input, reverse ? -slice_last(u, 0, T) : -slice_last(u, N, N + T));
  }
  if (!input.defined()) input = at::zeros_like(y);
  const Tensor zi_tangent = t[2].defined() || !zi.defined() ? t[2] : at::zeros_like(zi);
  return {allpole_forward(a, input, zi_tangent, reverse).expand_symint(y.sym_sizes())};
}

Saved<AllpoleBackward> AllpoleBackward::saves(const Flags<4>&) {
  return {{true, true, true, true}, {}};
}

// <c, backward(g)> = <tangent of the filter in the direction c, g>: so the gradient of g is that
// tangent w, and the others are those of w under the filter's own backward.
Tensors<4> AllpoleBackward::vjp(const Tensors<3>& grads, const Tensors<4>& in, const Tensors<3>&,
                                const Attributes<AllpoleBackward>& attributes,
                                const Flags<4>& need) {
  const auto& [g, a, y, zi] = in;
  const auto [need_a, need_x, need_zi] = attributes;
  const Tensor c_a = need_a ? grads[0] : Tensor(), c_x = need_x ? grads[1] : Tensor(),
               c_zi = need_zi ? grads[2] : Tensor();
  const c10::SymInt N = a.sym_size(-1), T = g.sym_size(-1);
  Tensor input = c_x, taps;
  if (c_a.defined()) {
    taps = pad_last(c_a, 1, 0);
    input = plus(input, -slice_last(fir(taps, with_past(y, zi, N, false)), N, N + T));
  }
  if (!input.defined()) input = at::zeros_like(g);
  const Tensor w = allpole_forward(a, input, c_zi);
  Tensors<4> r;
  r[0] = w;
  const auto b = call<AllpoleBackward>({g, a, w, c_zi}, {true, true, false});
  r[1] = b[0];
  if (c_a.defined()) {
    const Tensor past = -fir(taps.conj(), pad_last(b[1], N, 0), /*reverse=*/true);
    r[2] = slice_last(past, N, N + T);
    if (need[3]) r[3] = slice_last(past, 0, N).flip(-1);
  }
  return r;
}

Tensors<3> AllpoleBackward::unfused(const Tensors<4>& in,
                                    const Attributes<AllpoleBackward>& attributes) {
  const auto& [g, a, y, zi] = in;
  const auto [need_a, need_x, need_zi] = attributes;
  const Tensor lambda = allpole_forward(a.conj(), g, {}, /*reverse=*/true);
  const Tensor none = at::empty({0}, g.options());
  return {need_a ? grad_of_a(lambda, y, zi, a.sym_size(-1), false) : none, need_x ? lambda : none,
          need_zi ? grad_of_zi(lambda, a, false) : none};
}

}  // namespace polezero::autograd
