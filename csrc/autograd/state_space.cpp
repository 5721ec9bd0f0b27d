// Derivatives of a state-space filter: its adjoint is the adjoint system, backwards in time, and
// the gradients of the matrices are products of the two filters' states and signals; math in
// docs/maths_structures.md. The states are found again, not kept.
#include "ops/state_space.h"

#include "autograd/calls.h"
#include "autograd/differentiable.h"

namespace polezero::autograd {

namespace {

// The matrices that a filter has, each [..., T or 1, rows, columns] or undefined.
struct System {
  Tensor A, B, C, D;

  System adjoint() const { return {of(A), of(C), of(B), of(D)}; }

 private:
  static Tensor of(const Tensor& m) { return m.defined() ? m.mH() : m; }
};

// The system that runs.
System running(const Tensors<6>& in, bool adjoint) {
  const System s{in[0], in[1], in[2], in[3]};
  return adjoint ? s.adjoint() : s;
}

bool is_constant_matrix(const Tensor& m) { return m.sym_size(-3) == 1; }

// m[n] v[n], v[..., columns, T]; undefined where one of them is.
Tensor times(const Tensor& m, const Tensor& v) {
  if (!m.defined() || !v.defined()) return {};
  if (is_constant_matrix(m)) return at::matmul(m.squeeze(-3), v);
  return at::matmul(m, v.mT().unsqueeze(-1)).squeeze(-1).mT();
}

// The gradient of a matrix m that v goes into and u, as a gradient, comes out of: u v^H, summed
// over the times, and over the rows, that share it.
Tensor outer(const Tensor& u, const Tensor& v, const Tensor& m) {
  if (is_constant_matrix(m)) return at::matmul(wide(u), wide(v).mH()).unsqueeze(-3);
  const auto rows = [](const Tensor& t) { return t.sym_sizes().slice(0, t.dim() - 2); };
  const auto leading = at::infer_size_symdimvector(rows(u), rows(v));
  const int64_t dims = leading.size(), missing = dims - (m.dim() - 3);
  std::vector<int64_t> own, shared;  // dimensions in which m has rows of its own, and others
  for (int64_t i = 0; i < dims; ++i) {
    (i >= missing && m.sym_size(i - missing) != 1 ? own : shared).push_back(i);
  }
  if (shared.empty()) return at::mul(u.mT().unsqueeze(-1), v.mT().conj().unsqueeze(-2));
  // The rows that share m are added up by a matrix product. Of a sum over them Inductor of
  // torch 2.11 makes one that writes past the end of a buffer where T is dynamic.
  std::vector<int64_t> order = own;
  order.insert(order.end(), {dims + 1, dims});
  order.insert(order.end(), shared.begin(), shared.end());
  c10::SymInt rows_that_share = 1;
  for (const int64_t i : shared) rows_that_share = rows_that_share * leading[i];
  const auto arranged = [&](const Tensor& t) {  // [own.., T, channels, shared]
    c10::SymDimVector sizes(leading.begin(), leading.end());
    sizes.insert(sizes.end(), {t.sym_size(-2), t.sym_size(-1)});
    c10::SymDimVector merged;
    for (size_t i = 0; i < own.size() + 2; ++i) merged.push_back(sizes[order[i]]);
    merged.push_back(rows_that_share);
    return t.expand_symint(sizes).permute(order).reshape_symint(merged);
  };
  Tensor product = at::matmul(arranged(u), arranged(v).mH());
  for (const int64_t i : shared) product = product.unsqueeze(i);
  return product;
}

// The states v[0..T) and the last one, v[T], of the filter that runs.
Tensors<2> states(const Tensors<6>& in, const Tensor& x, const Tensor& zi, bool adjoint) {
  const Tensor none;
  return adjoint ? call<&polezero::state_space_forward>({in[0], none, in[2], none, x, zi}, {true})
                 : call<&polezero::state_space_forward>({in[0], in[1], none, none, x, zi}, {false});
}

struct StateSpaceForward : Op<&polezero::state_space_forward, 3, 3, 3, 3, 2, 1> {
  static Saves saves(const Need& need) {
    const bool matrices = need[0] || need[1] || need[2] || need[3];
    return {{true, true, true, true, matrices, matrices}, {}};
  }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const bool adjoint = std::get<0>(attributes);
    const auto& [A, B, C, D, x, zi] = in;
    const Tensor& g = grads[0];
    const Tensor grad_zf = need[5] ? or_rest(grads[1], A.sym_size(-1), g) : grads[1];
    if (!(need[0] || need[1] || need[2] || need[3])) {
      const auto b = call<&polezero::state_space_forward>({A, B, C, D, g, grad_zf}, {!adjoint});
      return {Tensor(), Tensor(), Tensor(), Tensor(), b[0], b[1]};
    }
    Tensors<6> r;
    const bool need_theirs = need[0] || need[adjoint ? 2 : 1] || need[4] || need[5];
    Tensor theirs;
    if (need_theirs) {
      const auto s = states(in, g, grad_zf, !adjoint);
      theirs = s[0];
      r[5] = s[1];
    }
    if (need[4]) {
      const System s = running(in, !adjoint);
      r[4] = plus(s.C.defined() ? times(s.C, theirs) : theirs, times(s.D, g));
    }
    const bool need_ours = need[0] || need[adjoint ? 1 : 2];
    const Tensor ours = need_ours ? states(in, x, zi, adjoint)[0] : Tensor();
    // v and the input of the filter forwards in time, w and that of its adjoint
    const Tensor &v = adjoint ? theirs : ours, &input = adjoint ? g : x;
    const Tensor &w = adjoint ? ours : theirs, &output_grad = adjoint ? x : g;
    if (need[0]) r[0] = outer(w, v, A);
    if (need[1]) r[1] = outer(w, input, B);
    if (need[2]) r[2] = outer(output_grad, v, C);
    if (need[3]) r[3] = outer(output_grad, input, D);
    return r;
  }

  static Out jvp(const In& p, const In& t, const Out& out, const Attributes& attributes) {
    const bool adjoint = std::get<0>(attributes);
    const auto& [A, B, C, D, x, zi] = p;
    const Tensor none, &tangent_x = t[4], &tangent_zi = t[5];
    const System s = running(p, adjoint), moved = running(t, adjoint);
    const Tensor v = moved.A.defined() || moved.C.defined() ? states(p, x, zi, adjoint)[0] : none;
    // what the matrices' tangents add to the state and to the output
    const Tensor input = plus(times(moved.A, v), times(moved.B, x));
    const Tensor direct = plus(times(moved.C, v), times(moved.D, x));
    Tensors<2> r;
    if (input.defined()) {
      const Tensor full = plus(input, s.B.defined() ? times(s.B, tangent_x) : tangent_x);
      r = adjoint
              ? call<&polezero::state_space_forward>({A, B, none, none, full, tangent_zi}, {true})
              : call<&polezero::state_space_forward>({A, none, C, none, full, tangent_zi}, {false});
      r[0] = plus(r[0], times(s.D, tangent_x));
    } else {
      const Tensor u = tangent_x.defined() ? tangent_x : at::zeros_like(x);
      r = call<&polezero::state_space_forward>({A, B, C, D, u, tangent_zi}, {adjoint});
    }
    return {plus(r[0], direct).expand_symint(out[0].sym_sizes()),
            r[1].expand_symint(out[1].sym_sizes())};
  }
};

const Registered<StateSpaceForward> registered;

}  // namespace

}  // namespace polezero::autograd
