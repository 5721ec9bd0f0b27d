// What a second-order section (math/section.h) holds, and the sums that its gradients are made of.
#pragma once

#include "kernels/cpu/tile/lanes.h"
#include "math/section.h"

POLEZERO_ISA_BEGIN

template <class V>
struct SectionState {
  V s0{}, s1{};
};

template <class V>
struct SectionSums {
  V b0{}, b1{}, b2{}, a1{}, a2{};
};

// What follows the adjoint of a sample: the sums with its input and output.
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
