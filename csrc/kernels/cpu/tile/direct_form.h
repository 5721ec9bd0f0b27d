// A filter of P states sample by sample: of one row (V a scalar) or of several side by side (V a
// vector); and the sums that its gradients are made of.
#pragma once

#include "kernels/cpu/tile/lanes.h"

POLEZERO_ISA_BEGIN

template <class V, int P>
struct DirectForm {
  V b[P + 1]{}, a[P]{};  // a_1 .. a_P
};

template <class V, int P>
struct DirectFormState {
  V s[P]{};
};

// Of the taps of a DirectForm, in its order.
template <class V, int P>
struct DirectFormSums {
  V b[P + 1]{}, a[P]{};
};

// Transposed direct form II.
template <class V, int P>
POLEZERO_INLINE V filter_sample(const DirectForm<V, P>& c, V x, DirectFormState<V, P>& state) {
  auto& s = state.s;
  const V y = multiply(c.b[0], x) + s[0];
  unroll<P - 1>([&](auto j) POLEZERO_LAMBDA {
    s[j] = (multiply(c.b[j + 1], x) + s[j + 1]) - multiply(c.a[j], y);
  });
  s[P - 1] = multiply(c.b[P], x) - multiply(c.a[P - 1], y);
  return y;
}

// Its adjoint, direct form II backwards in time, on conjugate coefficients: the gradient of the
// input from that of the output. The state is the next P lambdas; `advance` makes lambda the first.
template <class V, int P>
POLEZERO_INLINE V adjoint_sample(const DirectForm<V, P>& c, V g, const DirectFormState<V, P>& state,
                                 V& lambda) {
  const auto& s = state.s;
  lambda = g;
  // the newest state last: it is the one that the chain waits for
  unroll<P>([&](auto k) POLEZERO_LAMBDA {
    constexpr int j = P - 1 - k;
    lambda = lambda - multiply(c.a[j], s[j]);
  });
  V sum = multiply(c.b[1], s[0]);
  unroll<P - 1>([&](auto j) POLEZERO_LAMBDA { sum = sum + multiply(c.b[j + 2], s[j + 1]); });
  return sum + multiply(c.b[0], lambda);
}
template <class V, int P>
POLEZERO_INLINE void advance(DirectFormState<V, P>& state, V lambda) {
  unroll<P - 1>([&](auto k) POLEZERO_LAMBDA { state.s[P - 1 - k] = state.s[P - 2 - k]; });
  state.s[0] = lambda;
}

// What follows the adjoint of a sample, before the state advances: the sums with the filter's input
// and output.
template <class V, int P>
POLEZERO_INLINE void correlate(V lambda, const DirectFormState<V, P>& state, V input, V output,
                               DirectFormSums<V, P>& sums) {
  const V x = conjugate(input), y = conjugate(output);
  sums.b[0] += multiply(lambda, x);
  unroll<P>([&](auto j) POLEZERO_LAMBDA {
    sums.b[j + 1] += multiply(state.s[j], x);
    sums.a[j] -= multiply(state.s[j], y);
  });
}

POLEZERO_ISA_END
