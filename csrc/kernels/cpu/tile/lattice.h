// The stages of a normalised lattice at one sample, for one filter (V a scalar) or several side by
// side (V a vector). csrc/params/lattice.h has the equations.
#pragma once

#include "kernels/cpu/tile/lanes.h"

POLEZERO_ISA_BEGIN

POLEZERO_INLINE vec<double> real_part(vec<double> u) { return u; }
POLEZERO_INLINE vec<double> cosine(vec<double> k) { return square_root(1 - k * k); }

template <class V>
struct Stage {
  V k{}, c{};
};

// The ports p[0..N] of one sample.
template <class V>
struct LatticeSample {
  int64_t N;
  const Stage<V>* stages;  // [N]

  V gain() const {
    V h = stages[0].c;
    for (int64_t i = 1; i < N; ++i) h = multiply(h, stages[i].c);
    return h;
  }
  // f(i, h_i) for i = 1..N
  template <class F>
  POLEZERO_INLINE void for_each_gain(F&& f) const {
    V h = stages[0].c;
    for (int64_t i = 1; i <= N; ++i) {
      f(i, h);
      if (i < N) h = multiply(h, stages[i].c);
    }
  }

  // Stages N, .., 1; `seen` may keep what each stage saw of port 0, at [i].
  template <bool keep>
  POLEZERO_INLINE void turn(Lane<V>* p, Lane<V>* seen) const {
    V f = p[0].v;
    for (int64_t i = N; i > 0; --i) {
      const auto& [k, c] = stages[i - 1];
      const V other = p[i].v;
      if constexpr (keep) seen[i].v = f;
      p[i].v = multiply(conjugate(k), f) + multiply(c, other);
      f = multiply(c, f) - multiply(k, other);
    }
    p[0].v = f;
  }
  // Stages 1, .., N turned back.
  POLEZERO_INLINE void turn_back(Lane<V>* p) const {
    V f = p[0].v;
    for (int64_t i = 1; i <= N; ++i) {
      const auto& [k, c] = stages[i - 1];
      const V other = p[i].v;
      p[i].v = multiply(c, other) - multiply(conjugate(k), f);
      f = multiply(c, f) + multiply(k, other);
    }
    p[0].v = f;
  }
};

POLEZERO_ISA_END
