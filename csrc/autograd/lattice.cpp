// Derivatives of the normalised lattice: its adjoint is the lattice turned back, backwards in time.
// Reverse mode of the first order has a fused backward; in all others what a stage does
// within a sample is made of ordinary operations. Math in docs/maths_structures.md.
#include "ops/lattice.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

// Zeros before and after along the axis of the ports.
Tensor pad_ports(const Tensor& ports, const c10::SymInt& before, const c10::SymInt& after) {
  return at::constant_pad_nd_symint(ports, {0, 0, before, after});
}
Tensor port_0(const Tensor& ports) { return ports.slice(-2, 0, 1); }
Tensor other_ports(const Tensor& ports) { return ports.slice(-2, 1); }

// Real parts keep the dtype.
Tensor real_part(const Tensor& z) { return z.is_complex() ? (z + conjugated(z)) / 2 : z; }
// 1 - |k|^2, accurate as a real k nears 1.
Tensor squared_cosine(const Tensor& k) {
  return k.is_complex() ? 1 - k * conjugated(k) : (1 - k) * (1 + k);
}
// A constant k may be wider than the signals. What is made of it is made in its own precision, for
// as it nears 1 rounding it would spoil c, and then rounded to the dtype of the signals.

// The gains h_1..h_N, and ports (all of them, or port 0 alone) times or over them.
struct Gains {
  Gains(const Tensor& k, at::ScalarType type)
      : h(squared_cosine(k).sqrt().cumprod(-1).mT().to(type)) {}

  Tensor h;  // [..., N, T or 1]

  Tensor last() const { return h.slice_symint(-2, h.sym_size(-2) - 1); }
  Tensor divide_0(const Tensor& ports) const {
    const Tensor first = port_0(ports) / last();
    return has_others(ports) ? put_together(first, other_ports(ports)) : first;
  }
  Tensor multiply_others(const Tensor& ports) const {
    return has_others(ports) ? put_together(port_0(ports), other_ports(ports) * h) : ports;
  }
  Tensor divide_others(const Tensor& ports) const {
    return has_others(ports) ? put_together(port_0(ports), other_ports(ports) / h) : ports;
  }

 private:
  static bool has_others(const Tensor& ports) { return ports.sym_size(-2) > 1; }
  static Tensor put_together(const Tensor& first, const Tensor& others) {
    return join(first.mT(), others.mT()).mT();
  }
};

// What goes into the stages: u (undefined: zero), and what came out of them a sample earlier.
Tensor into_stages(const Tensor& u, const Tensor& s, const Tensor& zi, bool adjoint) {
  const c10::SymInt N = s.sym_size(-2) - 1, T = s.sym_size(-1);
  const Tensor state = s.slice_symint(-2, adjoint ? 1 : 0, adjoint ? N + 1 : N);
  Tensor delayed = adjoint ? slice_last(pad_last(state, 0, 1), 1, T + 1)
                           : slice_last(pad_last(state, 1, 0), 0, T);
  if (zi.defined()) {
    const Tensor column = zi.unsqueeze(-1);
    delayed = delayed + (adjoint ? pad_last(column, T - 1, 0) : pad_last(column, 0, T - 1));
  }
  const Tensor ports = adjoint ? pad_ports(delayed, 0, 1) : pad_ports(delayed, 1, 0);
  return u.defined() ? ports + pad_ports(u, 0, N + 1 - u.sym_size(-2)) : ports;
}

// One direction of a lattice: what went into the op and all that came out of it.
struct Run {
  Tensor u, z, state;

  // what its stages saw
  Tensor fed(const Gains& gains, bool adjoint) const {
    return adjoint ? into_stages(gains.multiply_others(u), z, state, true)
                   : into_stages(gains.divide_0(u), gains.divide_others(z), state, false);
  }
};

// The gradient of k from the filter's run and that of its adjoint.
Tensor grad_of_k(const Tensor& k, const Run& forward, const Run& backward) {
  const int64_t N = count_of(k, -1);
  const at::ScalarType type = forward.u.scalar_type();
  const Gains gains(k, type);
  const std::vector<Tensor> in = forward.fed(gains, false).unbind(-2),
                            out = backward.fed(gains, true).unbind(-2);
  const Tensor square = squared_cosine(k), c = square.sqrt();
  const std::vector<Tensor> ks = k.to(type).unbind(-1), cs = c.to(type).unbind(-1),
                            over_c = (k / c).to(type).unbind(-1);
  std::vector<Tensor> seen(N + 1), grads(N);  // port 0 before stage i
  seen[N] = in[0];
  for (int64_t i = N; i > 1; --i) seen[i - 1] = cs[i - 1] * seen[i] - ks[i - 1] * in[i];
  Tensor phi = out[0];  // the gradient of port 0 after stage i
  for (int64_t i = 1; i <= N; ++i) {
    const Tensor &k_i = ks[i - 1], &c_i = cs[i - 1], &f = seen[i];
    const Tensor of_c = real_part(conjugated(phi) * f + conjugated(out[i]) * in[i]);
    grads[i - 1] = conjugated(out[i]) * f - phi * conjugated(in[i]) - over_c[i - 1] * of_c;
    phi = c_i * phi + k_i * out[i];
  }
  // 1 / h_N at the input, h_i at the outputs i
  Tensor of_gains = real_part(conjugated(phi) * in[0]).unsqueeze(-1);
  if (backward.u.sym_size(-2) > 1) {
    const Tensor of_outputs =
        real_part(conjugated(other_ports(backward.u)) * other_ports(forward.z)).mT();
    of_gains = of_gains - of_outputs.flip(-1).cumsum(-1).flip(-1);
  }
  const Tensor grad = at::stack(grads, -1) + (k / square).to(type) * of_gains;
  return is_constant(k) ? wide(grad).sum(-2, /*keepdim=*/true) : grad;
}

// How what comes out of the stages moves with k, where p goes in.
Tensor tangent_of_stages(const Tensor& k, const Tensor& tangent_k, const Tensor& p, bool adjoint) {
  const int64_t N = count_of(k, -1);
  const Tensor signed_k = adjoint ? -k : k, signed_tangent = adjoint ? -tangent_k : tangent_k;
  const Tensor c = squared_cosine(k).sqrt(),
               tangent_c = -real_part(conjugated(signed_k) * signed_tangent) / c;
  const auto stages = [&](const Tensor& t) { return t.to(p.scalar_type()).unbind(-1); };
  const std::vector<Tensor> ks = stages(signed_k), dks = stages(signed_tangent), cs = stages(c),
                            dcs = stages(tangent_c), in = p.unbind(-2);
  std::vector<Tensor> out(N + 1);
  Tensor f = in[0], moved = at::zeros_like(f);
  for (int64_t j = 1; j <= N; ++j) {
    const int64_t i = adjoint ? j : N + 1 - j;
    const Tensor &k_i = ks[i - 1], &dk = dks[i - 1], &c_i = cs[i - 1], &dc = dcs[i - 1];
    out[i] = conjugated(dk) * f + dc * in[i] + conjugated(k_i) * moved;
    moved = dc * f - dk * in[i] + c_i * moved;
    f = c_i * f - k_i * in[i];
  }
  out[0] = moved;
  return at::stack(out, -2);
}

Tensor all_ports(const Tensors<3>& in, bool adjoint) {
  return call<&polezero::lattice_forward>(in, {true, adjoint})[0];
}

Tensors<3> composed_backward(const Tensors<2>& grads, const Tensors<3>& in, bool adjoint) {
  const auto& [k, u, zi] = in;
  if (is_wider(zi, u) || is_wider(grads[1], u)) {
    auto r = composed_backward(widened(grads), widened(in), adjoint);
    if (!is_constant(k)) r[0] = r[0].to(k.scalar_type());
    r[1] = r[1].to(u.scalar_type());
    return r;
  }
  const auto [r, grad_zi] =
      call<&polezero::lattice_forward>({k, grads[0], grads[1]}, {true, !adjoint});
  const Run ours{u, all_ports(in, adjoint), zi}, theirs{grads[0], r, grads[1]};
  return {adjoint ? grad_of_k(k, theirs, ours) : grad_of_k(k, ours, theirs),
          r.slice_symint(-2, 0, u.sym_size(-2)), wide(grad_zi)};
}

struct LatticeForward : Op<&polezero::lattice_forward, 2, 2, 1> {
  static Saves saves(const Need& need) { return {{true, true, need[0]}, {}}; }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [k, u, zi] = in;
    const bool adjoint = std::get<1>(attributes);
    if (need[0]) {
      if (adjoint) return composed_backward(grads, in, adjoint);
      return call<&polezero::lattice_backward>({grads[0], grads[1], k, u, zi}, {});
    }
    const bool all = u.sym_size(-2) > 1;
    const Tensor grad_zf = need[2] ? or_rest(grads[1], k.sym_size(-1), grads[0]) : grads[1];
    const auto [r, grad_zi] =
        call<&polezero::lattice_forward>({k, grads[0], grad_zf}, {all, !adjoint});
    return {Tensor(), r, grad_zi};
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const auto& [k, u, zi] = p;
    if (is_wider(zi, u)) return jvp(widened(p), widened(t), widened(out), attributes);
    const auto [all, adjoint] = attributes;
    Tensors<2> r;
    if (t[0].defined()) {
      const at::ScalarType type = u.scalar_type();
      const Gains gains(k, type);
      const Tensor z = all ? out[0] : all_ports(p, adjoint);
      // the tangents of log h_1 .. log h_N, and of the first alone, as ports
      const Tensor log =
          -(real_part(conjugated(k) * t[0]) / squared_cosine(k)).cumsum(-1).mT().to(type);
      const Tensor of_0 =
                       pad_ports(-log.slice_symint(-2, log.sym_size(-2) - 1), 0, log.sym_size(-2)),
                   of_others = pad_ports(log, 1, 0);
      const Tensor w = tangent_of_stages(k, t[0], Run{u, z, zi}.fed(gains, adjoint), adjoint);
      // w joins what comes out of the stages: at once, and a sample later in what goes in
      const Tensor delayed = into_stages(Tensor(), w, Tensor(), adjoint);
      const Tensor of_u = (adjoint ? of_others : of_0).slice_symint(-2, 0, u.sym_size(-2)) * u;
      const Tensor moved = plus(t[1], of_u);
      const Tensor more = adjoint ? gains.divide_others(delayed) : delayed;
      const c10::SymInt N = k.sym_size(-1), T = u.sym_size(-1);
      const Tensor input = more + pad_ports(moved, 0, N + 1 - u.sym_size(-2));
      r = call<&polezero::lattice_forward>({k, input, t[2]}, attributes);
      const Tensor of_z = (adjoint ? gains.divide_0(w) : gains.multiply_others(w)) +
                          (adjoint ? of_0 : of_others) * z;
      r[0] = r[0] + (all ? of_z : port_0(of_z));
      const Tensor last = adjoint ? slice_last(w, 0, 1).slice_symint(-2, 1, N + 1)
                                  : slice_last(w, T - 1, T).slice_symint(-2, 0, N);
      r[1] = r[1] + last.sum(-1);  // of one column, or of none where T = 0
    } else {
      r = call<&polezero::lattice_forward>({k, t[1].defined() ? t[1] : at::zeros_like(u), t[2]},
                                           attributes);
    }
    return {r[0].expand_symint(out[0].sym_sizes()), r[1].expand_symint(out[1].sym_sizes())};
  }
};

struct LatticeBackward : Op<&polezero::lattice_backward, 2, 1, 2, 2, 1> {
  static Out unfused(const In& in, const Attributes&) {
    const auto& [grad_z, grad_zf, k, u, zi] = in;
    return composed_backward({grad_z, grad_zf}, {k, u, zi}, /*adjoint=*/false);
  }
};

const Registered<LatticeForward, LatticeBackward> registered;

}  // namespace

}  // namespace polezero::autograd
