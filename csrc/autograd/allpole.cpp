// Derivatives of y[n] = x[n] - sum_i a_i[n + s i] y[n-i] (reversed: y[n+i]); math in
// docs/maths.md. lambda is the adjoint filter's output.
#include "ops/allpole.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

// Where the N past outputs lie: so many samples before the signal, and so many after it.
std::pair<c10::SymInt, c10::SymInt> past_room(const c10::SymInt& N, bool reverse) {
  return reverse ? std::pair(c10::SymInt(0), N) : std::pair(N, c10::SymInt(0));
}

// y with the outputs that the first (reversed: last) samples read: zi, or zeros.
Tensor with_past(const Tensor& y, const Tensor& zi, const c10::SymInt& N, bool reverse) {
  const auto [before, after] = past_room(N, reverse);
  if (!zi.defined()) return pad_last(y, before, after);
  return reverse ? join(y, zi) : join(zi.flip(-1), y);
}

// sum_i a_i[n + s i] y[n-i], what feeds back into the input.
Tensor feedback(const Tensor& a, const Tensor& y, const Tensor& zi, const Lags& lags) {
  const c10::SymInt N = a.sym_size(-1), T = y.sym_size(-1);
  const Tensor taps = pad_last(a, 1, 0);  // there is no lag 0
  if (!zi.defined()) return fir_over_time(taps, y, lags);
  const auto [before, after] = past_room(N, lags.reverse);
  const Tensor outputs = with_past(y, zi, N, lags.reverse);
  return slice_last(fir_over_time(pad_time(taps, before, after), outputs, lags), before,
                    before + T);
}

// grad_a_i = -sum_n lambda[n] conj(y[n-i]) of constant coefficients
Tensor grad_of_a(const Tensor& lambda, const Tensor& y, const Tensor& zi, const c10::SymInt& N,
                 bool reverse) {
  const auto [before, after] = past_room(N, reverse);
  const Tensor past = with_past(y, zi, N, reverse).conj(), room = pad_last(lambda, before, after);
  const Tensor c =
      reverse ? lag_correlation(past, room, N + 1) : lag_correlation(room, past, N + 1);
  return -slice_last(c, 1, N + 1);
}

// grad_a_i[m] = -lambda[n] conj(y[n-i]), m = n + s i
Tensor lpv_grad_of_a(const Tensor& lambda, const Tensor& y, const Tensor& zi, const c10::SymInt& N,
                     const Lags& lags) {
  const c10::SymInt T = lambda.sym_size(-1);
  Tensor c;
  if (!zi.defined()) {
    c = lag_product(lambda, y.conj(), N + 1, lags);
  } else {
    const auto [before, after] = past_room(N, lags.reverse);
    c = lag_product(pad_last(lambda, before, after), with_past(y, zi, N, lags.reverse).conj(),
                    N + 1, lags)
            .slice_symint(-2, before, before + T);
  }
  return -slice_last(c, 1, N + 1);
}

// What the outputs are multiplied with in sum_n lambda[n] (-c_i[n + s i] y[n-i]), and what the past
// ones are: the adjoint of `feedback`.
std::pair<Tensor, Tensor> feedback_adjoint(const Tensor& c, const Tensor& lambda,
                                           const Lags& lags) {
  const c10::SymInt N = c.sym_size(-1), T = lambda.sym_size(-1);
  const auto [before, after] = past_room(N, lags.reverse);
  const Tensor taps = pad_time(pad_last(c.conj(), 1, 0), before, after);
  const Tensor u = -fir_over_time(taps, pad_last(lambda, before, after), lags.adjoint());
  const Tensor past = lags.reverse ? slice_last(u, T, T + N) : slice_last(u, 0, N).flip(-1);
  return {slice_last(u, before, before + T), past};
}

// The adjoint filter, gone on with for the N samples at which the past outputs would lie:
// grad_zi_k = -sum_{i >= k} conj(a_i[i-k + s i]) lambda[i-k]
Tensor grad_of_zi(const Tensor& lambda, const Tensor& a, const Lags& lags) {
  const c10::SymInt N = a.sym_size(-1), T = lambda.sym_size(-1), near = T < N ? T : N;
  const c10::SymInt begin = lags.reverse ? T - near : 0, end = lags.reverse ? T : near;
  const Tensor taps = is_constant(a) ? a : a.slice_symint(-2, begin, end);
  return feedback_adjoint(taps, slice_last(lambda, begin, end), lags).second;
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

struct AllpoleBackward : Op<&polezero::allpole_backward, 1, 2, 1, 1> {
  static Saves saves(const Need&) { return {{true, true, true, true}, {}}; }

  // <c, backward(g)> = <tangent of the filter in the direction c, g>: so the gradient of g is that
  // tangent w, and the others are those of w under the filter's own backward.
  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [g, a, y, zi] = in;
    const auto [need_a, need_x, need_zi, shift, reverse] = attributes;
    const Lags lags{shift, reverse};
    const Tensor c_a = need_a ? grads[0] : Tensor(), c_x = need_x ? grads[1] : Tensor(),
                 c_zi = need_zi && grads[2].defined() ? grads[2].to(g.scalar_type()) : Tensor();
    const bool need_outputs = c_a.defined() && (need[2] || need[3]);
    Tensor input = c_x;
    if (c_a.defined()) input = plus(input, -feedback(c_a, y, zi, lags));
    if (!input.defined()) input = at::zeros_like(g);
    const Tensor w = allpole_over_time(a, input, c_zi, lags);
    Tensors<4> r;
    r[0] = w;
    if (!need[1] && !need_outputs) return r;
    const auto b = call<&polezero::allpole_backward>(
        {g, a, w, c_zi}, {need[1], need_outputs, false, shift, reverse});
    if (need[1]) r[1] = b[0];
    if (need_outputs) std::tie(r[2], r[3]) = feedback_adjoint(c_a, b[1], lags);
    if (!need[3]) r[3] = Tensor();
    return r;
  }

  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [g, a, y, zi] = in;
    const auto [need_a, need_x, need_zi, shift, reverse] = attributes;
    const Lags lags{shift, reverse};
    const c10::SymInt N = a.sym_size(-1);
    const Tensor lambda = allpole_over_time(a.conj(), g, {}, lags.adjoint());
    const Tensor none = at::empty({0}, g.options());
    Tensors<3> r{none, need_x ? lambda : none, need_zi ? wide(grad_of_zi(lambda, a, lags)) : none};
    if (need_a) {
      r[0] = is_constant(a) ? constant(grad_of_a(lambda, y, zi, N, reverse))
                            : lpv_grad_of_a(lambda, y, zi, N, lags);
    }
    return r;
  }
};

struct AllpoleForward : Op<&polezero::allpole_forward, 2, 1, 1> {
  static Saves saves(const Need& need) { return {{true, false, need[0]}, {need[0]}}; }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const Tensor &g = grads[0], &a = in[0], &zi = in[2], &y = out[0];
    const auto [shift, reverse, two_pass] = attributes;
    const c10::SymInt N = a.sym_size(-1);
    Tensors<3> r;
    if (N == 0) {  // no recurrence
      if (need[0]) r[0] = at::zeros_like(a);
      if (need[1]) r[1] = g;
      if (need[2]) r[2] = slice_last(at::zeros_like(g), 0, 0);
      return r;
    }
    const bool one_pass_a = need[0] && !two_pass;
    if (one_pass_a || need[1] || need[2]) {
      const Tensors<4> args{g, a, one_pass_a ? y : Tensor(), zi};
      const AllpoleBackward::Attributes how{one_pass_a, need[1], need[2], shift, reverse};
      const bool fused = !reverse || !is_constant(a);
      const auto b = fused ? call<&polezero::allpole_backward>(args, how)
                           : AllpoleBackward::unfused(args, how);
      if (one_pass_a) r[0] = b[0];
      if (need[1]) r[1] = b[1];
      if (need[2]) r[2] = b[2];
    }
    if (need[0] && two_pass) r[0] = constant(two_pass_grad_of_a(g, a.squeeze(-2), y, zi));
    return r;
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const Tensor &a = p[0], &zi = p[2], &y = out[0];
    const Lags lags{std::get<0>(attributes), std::get<1>(attributes)};
    Tensor input = t[1];
    if (t[0].defined() && a.sym_size(-1) > 0) input = plus(input, -feedback(t[0], y, zi, lags));
    if (!input.defined()) input = at::zeros_like(y);
    const Tensor zi_tangent = t[2].defined() || !zi.defined() ? t[2] : at::zeros_like(zi);
    return {allpole_over_time(a, input, zi_tangent, lags).expand_symint(y.sym_sizes())};
  }
};

const Registered<AllpoleBackward, AllpoleForward> registered;

}  // namespace

}  // namespace polezero::autograd
