// Structures of filters with coefficients [..., T or 1, taps], as other functions use them.
#pragma once

#include "ops/common.h"

namespace polezero::functional {

struct Filtered {
  Tensor y, state;  // the state only where there was an initial one
};

// Transposed direct form II, a_0 = 1 left out: zi[..., P] is what is added to the first outputs.
Filtered tdf2(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi);

// The normalised lattice: with constant k and without taps the gain is that of 1 / A(z), so
// x / (c_1 .. c_N) goes in, c_i = sqrt(1 - |k_i|^2). A ladder takes c_1 .. c_i times port i, as if
// the stages had no c. zi[..., N] is what came out of ports 0..N-1 before.
Filtered lattice(const Tensor& k, const Tensor& taps, const Tensor& x, const Tensor& zi);

}  // namespace polezero::functional
