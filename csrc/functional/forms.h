// The direct forms with monic coefficients [..., T or 1, taps], as other functions use them.
#pragma once

#include "ops/common.h"

namespace polezero::functional {

struct Filtered {
  Tensor y, state;  // the state only where there was an initial one
};

// Transposed direct form II: zi[..., P] is what is added to the first outputs.
Filtered tdf2(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi);

}  // namespace polezero::functional
