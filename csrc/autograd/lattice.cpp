// Derivatives of the normalised lattice: its adjoint is the lattice turned back, backwards in time.
// What a stage does within a sample is made of ordinary operations. Math in docs/maths.md.
#include "autograd/ops.h"

namespace polezero::autograd {

namespace {

// Zeros before and after along the axis of the ports.
Tensor pad_ports(const Tensor& ports, const c10::SymInt& before, const c10::SymInt& after) {
  return at::constant_pad_nd_symint(ports, {0, 0, before, after});
}

// sqrt(1 - |k|^2), accurate as a real k nears 1; of the dtype of k, as real parts are below.
Tensor cosine(const Tensor& k) {
  return (k.is_complex() ? 1 - k * k.conj() : (1 - k) * (1 + k)).sqrt();
}
Tensor real_part(const Tensor& z) { return z.is_complex() ? (z + z.conj()) / 2 : z; }

// What goes into the stages: u (undefined: zero), and what came out of them a sample earlier.
Tensor into_stages(const Tensor& u, const Tensor& z, const Tensor& zi, bool adjoint) {
  const c10::SymInt N = z.sym_size(-2) - 1, T = z.sym_size(-1);
  const Tensor state = z.slice_symint(-2, adjoint ? 1 : 0, adjoint ? N + 1 : N);
  Tensor delayed = adjoint ? slice_last(pad_last(state, 0, 1), 1, T + 1)
                           : slice_last(pad_last(state, 1, 0), 0, T);
  if (zi.defined()) {
    const Tensor column = zi.unsqueeze(-1);
    delayed = delayed + (adjoint ? pad_last(column, T - 1, 0) : pad_last(column, 0, T - 1));
  }
  const Tensor ports = adjoint ? pad_ports(delayed, 0, 1) : pad_ports(delayed, 1, 0);
  return u.defined() ? ports + pad_ports(u, 0, N + 1 - u.sym_size(-2)) : ports;
}

// The gradient of k of Re sum conj(q) (p after the stages N, .., 1).
Tensor grad_of_k(const Tensor& k, const Tensor& p, const Tensor& q) {
  const int64_t N = k.size(-1);
  const std::vector<Tensor> in = p.unbind(-2), out = q.unbind(-2);
  const std::vector<Tensor> ks = k.unbind(-1), cs = cosine(k).unbind(-1);
  std::vector<Tensor> running(N + 1), grads(N);  // p_0 before stage i
  running[N] = in[0];
  for (int64_t i = N; i > 1; --i) running[i - 1] = cs[i - 1] * running[i] - ks[i - 1] * in[i];
  Tensor phi = out[0];  // the gradient of p_0 after stage i
  for (int64_t i = 1; i <= N; ++i) {
    const Tensor &k_i = ks[i - 1], &c_i = cs[i - 1], &f = running[i];
    const Tensor of_c = real_part(phi.conj() * f + out[i].conj() * in[i]);
    grads[i - 1] = out[i].conj() * f - phi * in[i].conj() - k_i / c_i * of_c;
    phi = c_i * phi + k_i * out[i];
  }
  const Tensor grad = at::stack(grads, -1);
  return is_constant(k) ? grad.sum(-2, /*keepdim=*/true) : grad;
}

// How what comes out of the stages moves with k, where p goes in.
Tensor tangent_of_stages(const Tensor& k, const Tensor& tangent_k, const Tensor& p, bool adjoint) {
  const int64_t N = k.size(-1);
  const Tensor signed_k = adjoint ? -k : k, signed_tangent = adjoint ? -tangent_k : tangent_k;
  const Tensor c = cosine(k), tangent_c = -real_part(signed_k.conj() * signed_tangent) / c;
  const std::vector<Tensor> ks = signed_k.unbind(-1), dks = signed_tangent.unbind(-1),
                            cs = c.unbind(-1), dcs = tangent_c.unbind(-1), in = p.unbind(-2);
  std::vector<Tensor> out(N + 1);
  Tensor f = in[0], moved = at::zeros_like(f);
  for (int64_t j = 1; j <= N; ++j) {
    const int64_t i = adjoint ? j : N + 1 - j;
    const Tensor &k_i = ks[i - 1], &dk = dks[i - 1], &c_i = cs[i - 1], &dc = dcs[i - 1];
    out[i] = dk.conj() * f + dc * in[i] + k_i.conj() * moved;
    moved = dc * f - dk * in[i] + c_i * moved;
    f = c_i * f - k_i * in[i];
  }
  out[0] = moved;
  return at::stack(out, -2);
}

// All ports, of which the op may have returned the first alone.
Tensor all_ports(const Tensors<3>& in, const Tensor& z, bool adjoint) {
  const bool has_all = z.sym_size(-2) == in[0].sym_size(-1) + 1;
  return has_all ? z : call<LatticeForward>(in, {true, adjoint})[0];
}

}  // namespace

Saved<LatticeForward> LatticeForward::saves(const Flags<3>& need) {
  return {{true, true, need[0]}, {need[0]}};
}

Tensors<3> LatticeForward::vjp(const Tensors<2>& grads, const Tensors<3>& in, const Tensors<2>& out,
                               const Attributes<LatticeForward>& attributes, const Flags<3>& need) {
  const auto& [k, u, zi] = in;
  const Tensor &g = grads[0], &grad_zf = grads[1];
  const bool adjoint = std::get<1>(attributes), need_k = need[0] && k.size(-1) > 0;
  const bool need_all = need_k || u.sym_size(-2) > 1;
  const auto [r, grad_zi] = call<LatticeForward>({k, g, grad_zf}, {need_all, !adjoint});
  Tensors<3> result{Tensor(), r.slice_symint(-2, 0, u.sym_size(-2)), grad_zi};
  if (need_k) {
    const Tensor ours = into_stages(u, all_ports(in, out[0], adjoint), zi, adjoint);
    const Tensor theirs = into_stages(g, r, grad_zf, !adjoint);
    result[0] = adjoint ? grad_of_k(k, theirs, ours) : grad_of_k(k, ours, theirs);
  } else if (need[0]) {
    result[0] = at::zeros_like(k);
  }
  return result;
}

Tensors<2> LatticeForward::jvp(const Tensors<3>& p, const Tensors<3>& t, const Tensors<2>& out,
                               const Attributes<LatticeForward>& attributes) {
  const auto& [k, u, zi] = p;
  const auto [all, adjoint] = attributes;
  Tensors<2> r;
  if (t[0].defined() && k.size(-1) > 0) {
    const Tensor z = all_ports(p, out[0], adjoint);
    // w joins the ports after the stages: at once in z, and a sample later in what goes in
    const Tensor w = tangent_of_stages(k, t[0], into_stages(u, z, zi, adjoint), adjoint);
    r = call<LatticeForward>({k, into_stages(t[1], w, Tensor(), adjoint), t[2]}, attributes);
    const c10::SymInt N = k.sym_size(-1), T = u.sym_size(-1);
    r[0] = r[0] + (all ? w : w.slice(-2, 0, 1));
    const Tensor last = adjoint ? slice_last(w, 0, 1).slice_symint(-2, 1, N + 1)
                                : slice_last(w, T - 1, T).slice_symint(-2, 0, N);
    r[1] = r[1] + last.sum(-1);  // of one column, or of none where T = 0
  } else {
    r = call<LatticeForward>({k, t[1].defined() ? t[1] : at::zeros_like(u), t[2]}, attributes);
  }
  return {r[0].expand_symint(out[0].sym_sizes()), r[1].expand_symint(out[1].sym_sizes())};
}

}  // namespace polezero::autograd
