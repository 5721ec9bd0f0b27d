// Derivatives of a cascade that changes with time, and of one section whose numerator and
// denominator are tensors of their own. Of the first order and reverse mode there is a fused
// backward; all others are those of the sections one after another.
#include "ops/lpv_sosfilt.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"
#include "autograd/frames.h"

namespace polezero::autograd {

namespace {

// The adjoint of of_samples(), of sections [..., F, K, 6].
Tensor of_frames(const Tensor& gradients, const Tensor& sos, const FrameAttributes& frames) {
  const c10::SymInt T = gradients.sym_size(-3), F = sos.sym_size(-3);
  if (std::get<0>(frames) == 1) {
    return at::constant_pad_nd_symint(gradients, {0, 0, 0, 0, 0, F - T});
  }
  const BetweenFrames between(F, T, frames, sos.options());
  c10::SymDimVector sizes(gradients.sym_sizes().begin(), gradients.sym_sizes().end());
  sizes[sizes.size() - 3] = F;
  const Tensor rest = at::zeros_symint(sizes, gradients.options());
  if (!between.after.defined()) return at::index_add(rest, -3, between.before, gradients);
  const Tensor later = between.part_along(-3) * gradients;
  return at::index_add(at::index_add(rest, -3, between.before, gradients - later), -3,
                       between.after, later);
}

// Section k of sections [..., T, K, 6], divided by a_0: b[..., T, 3], a[..., T, 2].
std::pair<Tensor, Tensor> section_of(const Tensor& sos, int64_t k) {
  const Tensor one = sos.select(-2, k);
  return monic(one.slice(-1, 0, 3), one.slice(-1, 3, 6));
}
Tensor tap(const Tensor& c, int64_t i) { return c.select(-1, i); }
Tensor state_of(const Tensor& states, int64_t k) {
  return states.defined() ? states.select(-2, k) : states;
}
Tensor value(const Tensor& state, int64_t i) { return state.slice(-1, i, i + 1); }

// Without the last sample.
Tensor but_last(const Tensor& t) { return slice_last(t, 0, t.sym_size(-1) - 1); }
Tensor last(const Tensor& t) {
  const c10::SymInt T = t.sym_size(-1);
  return slice_last(t, T - 1, T);
}

struct Output {
  Tensor y, state;
};

// One section from a state: u[n] is what does not come of y, and s_1[n], s_2[n] are the states.
Output filter_section(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi) {
  const auto of_b = [&](int64_t i) { return tap(b, i) * x; };
  const auto delayed = [](const Tensor& first, const Tensor& later) {
    return but_last(join(first, later));
  };
  const Tensor s2 = delayed(value(zi, 1), of_b(2));
  const Tensor u = of_b(0) + delayed(value(zi, 0), of_b(1) + s2);
  const Tensor y = allpole_over_time(a, u, {}, {-1, false});
  // the states after every sample, behind zi
  const Tensor second = join(value(zi, 1), of_b(2) - tap(a, 1) * y);
  const Tensor first = join(value(zi, 0), of_b(1) - tap(a, 0) * y + but_last(second));
  return {y, join(last(first), last(second))};
}

// All signals from x to the output of `count` sections, and the final states.
std::pair<std::vector<Tensor>, std::vector<Tensor>> filter(const Tensor& sos, const Tensor& x,
                                                           const Tensor& zi, int64_t count) {
  std::vector<Tensor> signals{x}, states;
  const Tensor rest = at::zeros({2}, x.options());
  for (int64_t k = 0; k < count; ++k) {
    const auto [b, a] = section_of(sos, k);
    const auto [y, zf] =
        filter_section(b, a, signals.back(), zi.defined() ? state_of(zi, k) : rest);
    signals.push_back(y);
    states.push_back(zf);
  }
  return {signals, states};
}

// Gradients [..., T, K, 6] of all rows, over rows that share their sections.
Tensor summed(Tensor gradients, int64_t shared) {
  for (int64_t i = 0; i < shared; ++i) gradients = gradients.sum(-4);
  return gradients;
}

Tensor stack(const std::vector<Tensor>& parts) { return at::stack(parts, -2); }

bool wider(const Tensor& sos, const Tensor& zi, const Tensor& signal) {
  return is_wider(sos, signal) || is_wider(zi, signal);
}

// A gradient that was summed over the last `shared` leading dimensions, with those of them that the
// coefficients have, of size 1, among `leading` ones.
Tensor with_shared(Tensor gradient, int64_t leading, int64_t shared, int64_t last) {
  for (int64_t d = leading; d > leading - shared && d > 0; --d) gradient = gradient.unsqueeze(last);
  return gradient;
}

struct LpvSosfiltForward : Op<&polezero::lpv_sosfilt_forward, 3, 1, 2> {
  static Saves saves(const Need& need) { return {{true, need[0], need[0]}, {need[0], false}}; }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const auto& [sos, x, zi] = in;
    const auto& [hop, offset, linear] = attributes;
    // where sos needs no gradient x and y are not there
    const int64_t shared = need[0] ? shared_dimensions(sos, x, zi) : 0;
    Tensors<3> r = call<&polezero::lpv_sosfilt_backward>(
        {grads[0], grads[1], sos, x, need[0] ? out[0] : Tensor(), zi},
        {need[0], need[1], need[2], shared, hop, offset, linear});
    for (size_t i = 0; i < 3; ++i) {
      if (!need[i]) r[i] = Tensor();
    }
    if (need[0]) r[0] = with_shared(r[0], sos.dim() - 3, shared, -4);
    return r;
  }

  static Out unfused(const In& in, const Attributes& attributes) {
    if (wider(in[0], in[2], in[1]) && in[1].scalar_type() != acc_type(in[1])) {
      Out out = unfused(widened(in), attributes);
      out[0] = out[0].to(in[1].scalar_type());
      if (in[2].defined()) out[1] = out[1].to(in[2].scalar_type());
      return out;
    }
    const auto& [given, x, zi] = in;
    const Tensor sos = of_samples(given, -3, x.sym_size(-1), attributes);
    const auto [signals, states] = filter(sos, x, zi, count_of(sos, -2));
    return {signals.back(), zi.defined() ? stack(states) : at::empty({0}, x.options())};
  }
};

struct LpvSosfiltBackward : Op<&polezero::lpv_sosfilt_backward, 1, 2, 3, 1, 1, 2> {
  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [need_sos, need_x, need_zi, shared, hop, offset, linear] = attributes;
    if (in[0].scalar_type() != acc_type(in[0])) {
      Out out = unfused(widened(in), attributes);
      if (need_sos) out[0] = out[0].to(in[2].scalar_type());
      if (need_x) out[1] = out[1].to(in[0].scalar_type());
      return out;
    }
    const auto& [given_grad, grad_zf, given, x, y, zi] = in;
    const auto leading = broadcast_leading("lpv.sosfilt", {{"grad_y", given_grad},
                                                           {"grad_zf", grad_zf, 2},
                                                           {"sos", given, 3},
                                                           {"x", x},
                                                           {"y", y},
                                                           {"zi", zi, 2}});
    const Tensor grad_y = given_grad.expand_symint(with_last(leading, given_grad.sym_size(-1)));
    const c10::SymInt T = grad_y.sym_size(-1);
    const FrameAttributes frames{hop, offset, linear};
    const Tensor sos = of_samples(given, -3, T, frames);
    const Tensor none = at::empty({0}, grad_y.options()), rest = at::zeros({2}, grad_y.options());
    const int64_t K = count_of(sos, -2);
    std::vector<Tensor> signals, of_sos(K), of_zi(K);
    if (need_sos) {
      signals = filter(sos, x, zi, K - 1).first;
      signals.push_back(y);
    }
    Tensor g = grad_y;
    for (int64_t k = K - 1; k >= 0; --k) {
      const auto [b, a] = section_of(conjugated(sos), k);
      const Tensor after = grad_zf.defined() ? state_of(grad_zf, k) : rest;
      const Tensor lambda = join(allpole_over_time(a, g, after, {0, true}), after);
      const auto at = [&](int64_t i) { return slice_last(lambda, i, T + i); };
      if (need_sos) of_sos[k] = gradient(b, a, g, lambda, signals[k], signals[k + 1], sos, k);
      if (need_zi) of_zi[k] = slice_last(lambda, 0, 2);
      g = tap(b, 0) * at(0) + tap(b, 1) * at(1) + tap(b, 2) * at(2);
    }
    return {need_sos ? of_frames(summed(stack(of_sos), shared), given, frames) : none,
            need_x ? g : none, need_zi ? stack(of_zi) : none};
  }

 private:
  // Of b_0 b_1 b_2 a_0 a_1 a_2 of a section, for each sample, [..., T, 6].
  static Tensor gradient(const Tensor& b, const Tensor& a, const Tensor& g, const Tensor& lambda,
                         const Tensor& input, const Tensor& output, const Tensor& sos, int64_t k) {
    const c10::SymInt T = g.sym_size(-1);
    const auto at = [&](int64_t i) { return slice_last(lambda, i, T + i); };
    const Tensor x = conjugated(input), y = conjugated(output);
    const Tensor b0 = at(0) * x, b1 = at(1) * x, b2 = at(2) * x;
    const Tensor a1 = -(at(1) * y), a2 = -(at(2) * y);
    const Tensor a0 =
        -(tap(b, 0) * b0 + tap(b, 1) * b1 + tap(b, 2) * b2 + tap(a, 0) * a1 + tap(a, 1) * a2);
    const Tensor first = conjugated(sos.select(-2, k)).slice(-1, 3, 4);
    return at::stack({b0, b1, b2, a0, a1, a2}, -1) / first;
  }
};

// b[..., F, 3] and a[..., F, 3] as sections [..., F, 1, 6].
Tensor as_sections(const Tensor& b, const Tensor& a) { return join(b, a).unsqueeze(-2); }
Tensor without_section(const Tensor& t) { return is_placeholder(t) ? t : t.squeeze(-2); }

struct LpvLfilterForward : Op<&polezero::lpv_lfilter_forward, 2, 2, 1, 1> {
  static Saves saves(const Need& need) {
    const bool need_filter = need[0] || need[1];
    return {{true, true, need_filter, need_filter}, {need_filter, false}};
  }

  static In vjp(const Out& grads, const In& in, const Out& out, const Attributes& attributes,
                const Need& need) {
    const auto& [b, a, x, zi] = in;
    const auto& [hop, offset, linear] = attributes;
    const bool need_filter = need[0] || need[1];
    const auto shared_by = [&](const Tensor& t) {
      return shared_dimensions(with_section(t), x, with_section(zi));
    };
    const int64_t shared = need_filter ? std::min(shared_by(b), shared_by(a)) : 0;
    const Tensor none;
    Tensors<4> r = call<&polezero::lpv_lfilter_backward>(
        {grads[0], grads[1], b, a, need_filter ? x : none, need_filter ? out[0] : none},
        {need_filter, need[2], need[3], shared, hop, offset, linear});
    for (size_t i = 0; i < 4; ++i) {
      if (!need[i]) r[i] = Tensor();
    }
    if (need[0]) r[0] = with_shared(r[0], b.dim() - 2, shared, -3);
    if (need[1]) r[1] = with_shared(r[1], a.dim() - 2, shared, -3);
    return r;
  }

  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [b, a, x, zi] = in;
    const Out out =
        LpvSosfiltForward::unfused({as_sections(b, a), x, with_section(zi)}, attributes);
    return {out[0], without_section(out[1])};
  }
};

struct LpvLfilterBackward : Op<&polezero::lpv_lfilter_backward, 1, 1, 2, 2, 1, 1> {
  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [grad_y, grad_zf, b, a, x, y] = in;
    const LpvSosfiltBackward::Out out = LpvSosfiltBackward::unfused(
        {grad_y, with_section(grad_zf), as_sections(b, a), x, y, Tensor()}, attributes);
    if (!std::get<0>(attributes)) return {out[0], out[0], out[1], without_section(out[2])};
    const Tensor of_section = out[0].squeeze(-2);
    return {of_section.slice(-1, 0, 3), of_section.slice(-1, 3, 6), out[1],
            without_section(out[2])};
  }
};

const Registered<LpvSosfiltForward, LpvSosfiltBackward, LpvLfilterForward, LpvLfilterBackward>
    registered;

}  // namespace

}  // namespace polezero::autograd
