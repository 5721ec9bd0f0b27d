// A second-order section sample by sample, on every device: of one filter (V a scalar) or of
// several side by side (V a vector).
#pragma once

#include "math/scalar.h"

POLEZERO_ISA_BEGIN

template <class V>
struct Section {
  V b0, b1, b2, a1, a2;
};

// Transposed direct form II.
template <class V>
POLEZERO_HD_INLINE V section_forward(const Section<V>& c, V x, V& s0, V& s1) {
  const V y = multiply(c.b0, x) + s0;
  s0 = (multiply(c.b1, x) + s1) - multiply(c.a1, y);
  s1 = multiply(c.b2, x) - multiply(c.a2, y);
  return y;
}

// Its adjoint, direct form II backwards in time: the gradient of the input from that of the output.
// The state is the next two lambdas, and moves on when `lambda` becomes s0, and s0 s1.
template <class V>
POLEZERO_HD_INLINE V section_adjoint(const Section<V>& c, V g, V s0, V s1, V& lambda) {
  lambda = (g - multiply(c.a2, s1)) - multiply(c.a1, s0);
  return (multiply(c.b1, s0) + multiply(c.b2, s1)) + multiply(c.b0, lambda);
}

POLEZERO_ISA_END
