// Derivatives of the filter with a_0 and SciPy's state; math in docs/maths.md.
//
// Two facts give every formula. The transposed form takes zi as additive input and leaves zf as
// overhang: with samples n >= T for which x = 0,
//     a_0 (u[n] - zi[n]) = sum_k b_k x[n-k] - sum_{i >= 1, n-i < T} a_i y[n-i],
//     u[n] = y[n] for n < T,  u[T+j] = zf[j].
// And its adjoint is a filter backwards in time whose next lambdas at n = T are grad_zf.
#include "ops/lfilter.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"
#include "ops/lfilter.h"

namespace polezero::autograd {

namespace {

Tensor first(const Tensor& a) { return slice_last(a, 0, 1); }

// A filter without zeros: 1 / A(z).
Tensor one_like(const Tensor& a) { return at::ones({1}, a.options()); }

// Zero-padded on the right to `length`, or cut to it.
Tensor to_length(const Tensor& t, const c10::SymInt& length) {
  const c10::SymInt T = t.sym_size(-1);
  return T < length ? pad_last(t, 0, length - T) : slice_last(t, 0, length);
}

// The input of the filter 1 / A whose output is the tangent of y for tangents of b and a, by the
// equation at the top; with state it goes on for P samples after the end.
Tensor tangent_input(const Tensor& tangent_b, const Tensor& tangent_a, const Tensor& x,
                     const Tensor& y, const Tensor& zi, const Tensor& zf) {
  const c10::SymInt T = y.sym_size(-1), P = zi.defined() ? zi.sym_size(-1) : c10::SymInt(0);
  Tensor v = tangent_b.defined() ? fir(tangent_b, to_length(x, T + P)) : Tensor();
  if (tangent_a.defined()) {
    v = plus(v, -fir(tangent_a, to_length(y, T + P)));
    if (zi.defined()) {
      const Tensor u = to_length(zi, T + P) - pad_last(zf, T, 0);
      v = (v + first(tangent_a) * u).to(y.scalar_type());
    }
  }
  return v;
}

// The two-pass gradients of b and a: with phi = x / A and psi = -y / A (one filter pass each),
// dy/db_k[n] = phi[n-k] and dy/da_i[n] = psi[n-i]; a_0 filters zi - y.
std::pair<Tensor, Tensor> two_pass_grads(const Tensors<2>& grads, const Tensors<4>& in,
                                         const Tensors<2>& out, bool need_b, bool need_a) {
  const auto& [b, a, x, zi] = in;
  if (is_wider(zi, grads[0]) || is_wider(grads[1], grads[0])) {
    return two_pass_grads(widened(grads), widened(in), widened(out), need_b, need_a);
  }
  const auto& [y, zf] = out;
  const c10::SymInt P = max_order(b, a), taps_b = b.sym_size(-1), taps_a = a.sym_size(-1);
  const Tensor &grad_zf = grads[1], one = one_like(a);
  const bool tail = grad_zf.defined();
  Tensor g = grads[0], monic, tail_y;
  if (tail) {
    // zf[j] = sum_{i <= j} (a_i / a_0) y[T+j-i] of the outputs after the end: they extend time
    monic = wide(a) / wide(first(a));
    g = join(g, fir(monic.conj(), grad_zf, /*reverse=*/true));
  }
  const c10::SymInt length = g.sym_size(-1);
  // `a = a`: Clang 14 captures no structured binding by itself
  auto filtered = [&, &a = a](const Tensor& t) { return lfilter_forward(one, a, t)[0]; };
  Tensor grad_b, grad_a;
  if (need_b) {
    grad_b = lag_correlation(g, filtered(to_length(x, length)).conj(), taps_b);
  }
  if (need_a) {
    if (tail && P > 0) tail_y = allpole_forward(slice_last(monic, 1, taps_a), zf);
    const Tensor psi = filtered(-(tail_y.defined() ? join(y, tail_y) : y));
    grad_a = lag_correlation(g, psi.conj(), taps_a);
    Tensor grad_a0;
    if (zi.defined() && P > 0) {
      grad_a0 = lag_correlation(g, filtered(to_length(zi, length)).conj(), 1);
    }
    if (tail_y.defined()) {  // zf reads a once more
      const Tensor direct =
          pad_last(slice_last(lag_correlation(grad_zf, tail_y.conj(), taps_a), 1, taps_a), 1, 0) /
          wide(first(a)).conj();
      grad_a = grad_a + direct;
      grad_a0 = plus(grad_a0, -(direct * monic.conj()).sum(-1, /*keepdim=*/true));
    }
    if (grad_a0.defined()) grad_a = grad_a + pad_last(grad_a0, 0, taps_a - 1);
  }
  return {grad_b, grad_a};
}

struct LfilterForward : Op<&polezero::lfilter_forward, 1, 1, 1, 1> {
  static Saves saves(const Need& need) {
    return {{true, true, need[0], need[1]}, {need[1], need[1]}};
  }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const auto& [b, a, x, zi] = in;
    const bool two_pass = std::get<0>(attributes);
    const bool need_b = need[0] && !two_pass, need_a = need[1] && !two_pass;
    // zi was not given where zf is a placeholder
    const Tensor zf = need_a && zi.defined() ? out[1] : Tensor();
    const Tensor& grad_zf = grads[1];
    Tensors<4> r;
    if (need_b || need_a || need[2] || need[3]) {
      const auto back = call<&polezero::lfilter_backward>(
          {grads[0], grad_zf, b, a, need_b ? x : Tensor(), need_a ? out[0] : Tensor(),
           need_a ? zi : Tensor(), zf},
          {need_b, need_a, need[2], need[3]});
      if (need_b) r[0] = back[0];
      if (need_a) r[1] = back[1];
      if (need[2]) r[2] = back[2];
      if (need[3]) r[3] = back[3];
    }
    if (two_pass && (need[0] || need[1])) {
      std::tie(r[0], r[1]) = two_pass_grads({grads[0], grad_zf}, in, out, need[0], need[1]);
    }
    return r;
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const auto& [b, a, x, zi] = p;
    if (is_wider(zi, x)) return jvp(widened(p), widened(t), widened(out), attributes);
    const auto& [tangent_b, tangent_a, tangent_x, tangent_zi] = t;
    const auto& [y, zf] = out;
    const bool state = zi.defined();
    const c10::SymInt P = max_order(b, a), N = a.sym_size(-1) - 1, T = x.sym_size(-1);
    Tensor tangent_y, tangent_zf;
    if (tangent_x.defined() || tangent_zi.defined()) {
      const auto r =
          lfilter_forward(b, a, tangent_x.defined() ? tangent_x : at::zeros_like(x),
                          tangent_zi.defined() || !state ? tangent_zi : at::zeros_like(zi));
      tangent_y = r[0];
      if (state) tangent_zf = r[1];
    }
    if (tangent_b.defined() || tangent_a.defined()) {
      const Tensor v = tangent_input(tangent_b, tangent_a, x, y, zi, zf);
      const Tensor rest = state ? at::zeros_symint({N}, x.options()) : Tensor();
      const auto r = lfilter_forward(one_like(a), a, slice_last(v, 0, T), rest);
      tangent_y = plus(tangent_y, r[0]);
      if (state) {
        const Tensor tail = (slice_last(v, T, T + P) / first(a)).to(x.scalar_type());
        tangent_zf = plus(tangent_zf, pad_last(r[1], 0, P - N) + tail);
      }
    }
    return {tangent_y.expand_symint(y.sym_sizes()),
            state ? tangent_zf.expand_symint(zf.sym_sizes()) : Tensor()};
  }
};

struct LfilterBackward : Op<&polezero::lfilter_backward, 1, 1, 1, 1, 1, 1, 1, 1> {
  static Saves saves(const Need&) { return {{true, true, true, true, true, true, true, true}, {}}; }

  // <c, backward(g)> = <tangent of the filter in the direction c, g>: so the gradient of g is that
  // tangent, and the others are those of the two filters that make it (see jvp above), under the
  // filter's own backward.
  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const auto& [g, g_zf, b, a, x, y, zi_or_none, zf_or_none] = in;
    if (is_wider(g_zf, g) || is_wider(zi_or_none, g) || is_wider(zf_or_none, g)) {
      return vjp(widened(grads), widened(in), out, attributes, need);
    }
    const auto [need_b, need_a, need_x, need_zi] = attributes;
    const Tensor c_b = need_b ? grads[0] : Tensor(), c_a = need_a ? grads[1] : Tensor(),
                 c_x = need_x ? grads[2] : Tensor(), c_zi = need_zi ? grads[3] : Tensor();
    const c10::SymInt P = max_order(b, a), N = a.sym_size(-1) - 1, T = g.sym_size(-1);
    const bool state = zi_or_none.defined() || c_zi.defined() || g_zf.defined();
    const bool need_coefficients = need[2] || need[3];
    const bool need_signals = need[4] || need[5] || need[6] || need[7];
    Tensors<8> r;
    auto add_to = [&](size_t i, const Tensor& t) { r[i] = plus(r[i], t); };
    if (c_x.defined() || c_zi.defined()) {
      const Tensor rest = state ? at::zeros_symint({P}, g.options()) : Tensor();
      const Tensor direction = c_x.defined() ? c_x : at::zeros_like(g);
      const Tensor direction_zi = c_zi.defined() ? c_zi : rest;
      const auto w = lfilter_forward(b, a, direction, direction_zi);
      add_to(0, w[0]);
      if (state) add_to(1, w[1]);
      if (need_coefficients) {
        const auto back = call<&polezero::lfilter_backward>(
            {g, g_zf, b, a, direction, w[0], direction_zi, state ? w[1] : Tensor()},
            {need[2], need[3], false, false});
        if (need[2]) add_to(2, back[0]);
        if (need[3]) add_to(3, back[1]);
      }
    }
    if (c_b.defined() || c_a.defined()) {
      // a filter from rest whose final state is used has a state after all
      const Tensor zero = at::zeros_symint({P}, g.options());
      const Tensor zi = state && !zi_or_none.defined() ? zero : zi_or_none;
      const Tensor zf = state && !zf_or_none.defined() ? zero : zf_or_none;
      const Tensor one = one_like(a), rest = state ? slice_last(zero, 0, N) : Tensor();
      // without c_a only the length and dtype of y are read, and those are g's
      const Tensor v = tangent_input(c_b, c_a, x, y.defined() ? y : g, zi, zf);
      const auto w = lfilter_forward(one, a, slice_last(v, 0, T), rest);
      const Tensor tail_g = g_zf.defined() ? slice_last(g_zf, 0, N) : Tensor();
      const Tensor wf = state ? w[1] : Tensor();
      Tensor grad_v;
      add_to(0, w[0]);
      if (need[3] || need_signals) {
        const auto back = call<&polezero::lfilter_backward>({g, tail_g, one, a, {}, w[0], rest, wf},
                                                            {false, need[3], need_signals, false});
        if (need[3]) add_to(3, back[1]);
        if (need_signals) grad_v = back[2];
      }
      if (state) {
        const Tensor a0 = first(a), tail = slice_last(v, T, T + P) / a0;
        add_to(1, (pad_last(wf, 0, P - N) + tail).to(g.scalar_type()));
        Tensor grad_tail = at::zeros_like(zero);
        if (g_zf.defined()) {
          grad_tail = (g_zf / a0.conj()).to(g.scalar_type());
          add_to(3, pad_last(-(grad_tail * tail.conj()).sum(-1, /*keepdim=*/true), 0, N));
        }
        if (need_signals) grad_v = join(grad_v, grad_tail);
      }
      if (c_b.defined() && need[4]) {
        add_to(4, slice_last(fir(c_b.conj(), grad_v, /*reverse=*/true), 0, T));
      }
      if (c_a.defined() && need_signals) {
        if (need[5]) add_to(5, -slice_last(fir(c_a.conj(), grad_v, /*reverse=*/true), 0, T));
        const Tensor c_a0 = first(c_a).conj();
        if (need[6]) add_to(6, (c_a0 * to_length(grad_v, P)).to(g.scalar_type()));
        if (need[7]) add_to(7, -(c_a0 * slice_last(grad_v, T, T + P)).to(g.scalar_type()));
      }
    }
    return r;
  }

  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [grad_y, grad_zf, b, a, x, y, zi, zf] = in;
    if (is_wider(grad_zf, grad_y) || is_wider(zi, grad_y) || is_wider(zf, grad_y)) {
      Out r = unfused(widened(in), attributes);
      r[2] = r[2].to(grad_y.scalar_type());
      return r;
    }
    const auto [need_b, need_a, need_x, need_zi] = attributes;
    const c10::SymInt P = max_order(b, a), taps_b = b.sym_size(-1), taps_a = a.sym_size(-1),
                      T = grad_y.sym_size(-1);
    const bool tail = grad_zf.defined() && P > 0;
    const Tensor a0 = conjugated(wide(first(a))), monic = conjugated(wide(a)) / a0;
    Tensor lambda = grad_y;
    if (taps_a > 1) {
      lambda =
          allpole_forward(slice_last(monic, 1, taps_a), grad_y,
                          tail ? slice_last(grad_zf, 0, taps_a - 1) : Tensor(), /*reverse=*/true);
    }
    if (tail) lambda = join(lambda, grad_zf);
    const c10::SymInt length = lambda.sym_size(-1);
    const Tensor head = to_length(lambda, P);
    const Tensor none = at::empty({0}, grad_y.options());
    Tensors<4> r{none, none, none, none};
    if (need_b) r[0] = lag_correlation(lambda, to_length(x, length).conj(), taps_b) / a0;
    if (need_a) {
      Tensor sum = lag_correlation(lambda, to_length(y, length).conj(), taps_a);
      Tensor sum_a0;  // a_0 scales y - zi, and zf - zi where the rows have ended
      if (zi.defined() && P > 0) {
        sum_a0 = -(wide(head) * wide(zi).conj()).sum(-1, /*keepdim=*/true);
        if (tail) sum_a0 = sum_a0 + (wide(grad_zf) * wide(zf).conj()).sum(-1, /*keepdim=*/true);
        sum = sum + pad_last(sum_a0, 0, taps_a - 1);
      }
      r[1] = -sum / a0;
    }
    if (need_x) r[2] = slice_last(fir(conjugated(wide(b)) / a0, lambda, /*reverse=*/true), 0, T);
    if (need_zi) r[3] = wide(head);
    return r;
  }
};

const Registered<LfilterForward, LfilterBackward> registered;

}  // namespace

}  // namespace polezero::autograd
