// One second-order section, for one filter (V a scalar) or several side by side (V a vector).
#pragma once

#include "kernels/cpu/tile/lanes.h"

POLEZERO_ISA_BEGIN

template <class V>
struct Section {
  V b0, b1, b2, a1, a2;
};

template <class V>
struct SectionState {
  V s0{}, s1{};
};

template <class V>
struct SectionSums {
  V b0{}, b1{}, b2{}, a1{}, a2{};
};

// Transposed direct form II.
template <class V>
POLEZERO_INLINE V forward(const Section<V>& c, V x, SectionState<V>& s) {
  const V y = multiply(c.b0, x) + s.s0;
  s.s0 = (multiply(c.b1, x) + s.s1) - multiply(c.a1, y);
  s.s1 = multiply(c.b2, x) - multiply(c.a2, y);
  return y;
}

// Its adjoint, direct form II backwards in time: the gradient of the input from that of the output.
// The state is the next two lambdas.
template <class V>
POLEZERO_INLINE V backward(const Section<V>& c, V g, SectionState<V>& s, V& lambda) {
  lambda = (g - multiply(c.a2, s.s1)) - multiply(c.a1, s.s0);
  return (multiply(c.b1, s.s0) + multiply(c.b2, s.s1)) + multiply(c.b0, lambda);
}
// What follows it: the sums with this sample's input and output, and the step of the state.
template <class V>
POLEZERO_INLINE void correlate(V lambda, const SectionState<V>& s, V input, V output,
                               SectionSums<V>& sums) {
  const V x = conjugate(input), y = conjugate(output);
  sums.b0 += multiply(lambda, x);
  sums.b1 += multiply(s.s0, x);
  sums.b2 += multiply(s.s1, x);
  sums.a1 -= multiply(s.s0, y);
  sums.a2 -= multiply(s.s1, y);
}

POLEZERO_ISA_END
