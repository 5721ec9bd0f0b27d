// Zero phase out of the calls of lfilter and sosfilt, which `Calls` makes: the ops themselves, for
// the derivatives, or their fronts, on a GPU.
//
//   std::pair<Tensor, Tensor> Calls::forward(b, a, x, zi)  // y and zf
//   AdjointOut Calls::adjoint(AdjointOf, need_filter)
#pragma once

#include <utility>

#include "ops/tensors.h"

namespace polezero {

// a_0 = 1 before a_1..a_N.
inline Tensor with_a0(const Tensor& a) { return at::constant_pad_nd(a, {1, 0}, 1); }

struct AdjointOf {
  Tensor g, g_zf, b, a, x{}, y{}, zi{}, zf{};  // x, y, zi and zf for grad_b and grad_a
};
struct AdjointOut {
  Tensor grad_b, grad_a, grad_x, grad_zi;
};

struct Extension {
  c10::SymInt length;
  double of_end, of_mirrored;

  Tensor apply(const Tensor& x) const {
    if (length == 0) return x;
    const c10::SymInt T = x.sym_size(-1);
    const auto part = [&](const Tensor& end, const c10::SymInt& from) {
      return of_end * end + of_mirrored * slice_last(x, from, from + length).flip(-1);
    };
    return at::cat({part(slice_last(x, 0, 1), 1), x, part(slice_last(x, T - 1, T), T - 1 - length)},
                   -1);
  }
  // The transpose of apply.
  Tensor fold(const Tensor& u) const {
    if (length == 0) return u;
    const c10::SymInt L = u.sym_size(-1), T = L - 2 * length;
    const Tensor before = slice_last(u, 0, length), behind = slice_last(u, L - length, L);
    Tensor x = slice_last(u, length, L - length);
    x = x + pad_last(of_end * before.sum(-1, /*keepdim=*/true), 0, T - 1);
    x = x + pad_last(of_end * behind.sum(-1, /*keepdim=*/true), T - 1, 0);
    x = x + pad_last(of_mirrored * before.flip(-1), 1, T - 1 - length);
    return x + pad_last(of_mirrored * behind.flip(-1), T - 1 - length, 1);
  }
};

inline Tensor first_of(const Tensor& u) { return slice_last(u, 0, 1).unsqueeze(-1); }
inline Tensor last_of(const Tensor& u) {
  const c10::SymInt L = u.sym_size(-1);
  return slice_last(u, L - 1, L).unsqueeze(-1);
}
// sum conj(state) grad over the states of a filter, [..., 1]
inline Tensor of_level(const Tensor& state, const Tensor& grad) {
  return (conjugated(state) * grad).flatten(-2).sum(-1, /*keepdim=*/true);
}

// The filters and their states, in float64 or complex128.
struct SteadyFilter {
  Tensor b, a, zi, adjoint_zi;

  SteadyFilter(const Tensor& b, const Tensor& a, const Tensor& zi, const Tensor& adjoint_zi)
      : b(wide(b)), a(wide(a)), zi(wide(zi)), adjoint_zi(wide(adjoint_zi)) {}
};

// In float64 or complex128, and part of a longer signal. So is grad_x below.
template <class Calls>
Tensor zero_phase_composed(const SteadyFilter& filter, const Tensor& x,
                           const Extension& extension) {
  const auto& [b, a, zi, adjoint_zi] = filter;
  const c10::SymInt& length = extension.length;
  const Tensor u = extension.apply(wide(x));
  const Tensor w = Calls::forward(b, a, u, zi * first_of(u)).first;
  const Tensor y = Calls::adjoint({w, adjoint_zi * last_of(w), b, a}, false).grad_x;
  return slice_last(y, length, length + x.sym_size(-1));
}

// With u the extended signal, w = F u and g the gradient of y, zero where the extensions were:
// Re <g, F^H w> = Re <F g, w>, so that the two ways have gradients of one form.
template <class Calls>
std::array<Tensor, 5> zero_phase_backward_composed(const Tensor& grad_y, const SteadyFilter& filter,
                                                   const Tensor& x, const Extension& extension,
                                                   bool need_filter, bool need_x) {
  const auto& [b, a, zi, adjoint_zi] = filter;
  const c10::SymInt& length = extension.length;
  const Tensor none = at::empty({0}, grad_y.options());
  std::array<Tensor, 5> r{none, none, none, none, none};
  const Tensor g = pad_last(wide(grad_y), length, length), rest = at::zeros_like(zi);
  const auto [forth, state] = Calls::forward(b, a, g, rest);
  const c10::SymInt L = g.sym_size(-1);
  const Tensor of_w = forth + pad_last(of_level(adjoint_zi, state), L - 1, 0);
  AdjointOut out;
  if (need_filter) {
    const Tensor u = extension.apply(wide(x));
    const auto [w, zf] = Calls::forward(b, a, u, zi * first_of(u));
    const AdjointOut back =
        Calls::adjoint({w, adjoint_zi * last_of(w), b, a, g, forth, rest, state}, true);
    out = Calls::adjoint({of_w, Tensor(), b, a, u, w, zi * first_of(u), zf}, true);
    r = {back.grad_b + out.grad_b, back.grad_a + out.grad_a, out.grad_zi * conjugated(first_of(u)),
         state * conjugated(last_of(w)), none};
  } else {
    out = Calls::adjoint({of_w, Tensor(), b, a}, false);
  }
  if (need_x) {
    const Tensor of_u = out.grad_x + pad_last(of_level(zi, out.grad_zi), 0, L - 1);
    r[4] = extension.fold(of_u);
  }
  return r;
}

}  // namespace polezero
