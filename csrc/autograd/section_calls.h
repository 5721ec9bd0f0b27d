// The differentiable calls of filters one after another, b[..., K, M+1] and a[..., K, N] without
// a_0 = 1: one of any order, or several of order 2.
#pragma once

#include <utility>

#include "autograd/calls.h"
#include "ops/sosfilt.h"
#include "ops/zero_phase_composed.h"

namespace polezero::autograd {

inline Tensor only_section(const Tensor& t) { return t.defined() ? t.squeeze(-2) : t; }

struct SectionCalls {
  static std::pair<Tensor, Tensor> forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                           const Tensor& zi) {
    if (count_of(b, -2) > 1) {
      const auto [y, zf] = call<&polezero::sosfilt_forward>({join(b, with_a0(a)), x, zi}, {});
      return {y, zf};
    }
    const auto [y, zf] =
        lfilter_forward(only_section(b), only_section(with_a0(a)), x, only_section(zi));
    return {y, zf.unsqueeze(-2)};
  }
  static AdjointOut adjoint(const AdjointOf& of, bool need_filter) {
    if (count_of(of.b, -2) > 1) {
      const auto r = call<&polezero::sosfilt_backward>(
          {of.g, of.g_zf, join(of.b, with_a0(of.a)), of.x, of.zi}, {need_filter, true, true});
      if (!need_filter) return {{}, {}, r[1], r[2]};
      return {r[0].slice(-1, 0, 3), r[0].slice(-1, 4, 6), r[1], r[2]};
    }
    const auto r = call<&polezero::lfilter_backward>(
        {of.g, only_section(of.g_zf), only_section(of.b), only_section(with_a0(of.a)), of.x, of.y,
         only_section(of.zi), only_section(of.zf)},
        {need_filter, need_filter, true, true});
    if (!need_filter) return {{}, {}, r[2], r[3].unsqueeze(-2)};
    return {r[0].unsqueeze(-2), r[1].unsqueeze(-2).slice(-1, 1), r[2], r[3].unsqueeze(-2)};
  }
};

}  // namespace polezero::autograd
