// Structures of filters with coefficients [..., T or 1, taps], as other functions use them.
#pragma once

#include "ops/checks.h"

namespace polezero::functional {

struct Filtered {
  Tensor y, state;  // the state only where there was an initial one
};

// Transposed direct form II, a_0 = 1 left out: zi[..., P] is what is added to the first outputs.
Filtered tdf2(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi);

// The normalised lattice, with the gain that it has without its c_i = sqrt(1 - |k_i|^2): 1 / A(z)
// at constant k. With taps[..., T or 1, N+1] a ladder. zi[..., N] is what came out of ports 0..N-1
// before (csrc/params/lattice.h).
Filtered lattice(const Tensor& k, const Tensor& taps, const Tensor& x, const Tensor& zi);

}  // namespace polezero::functional
