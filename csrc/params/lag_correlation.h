// Plain data in, no Torch.
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// c[k] = sum_n g[n] x[n - k], k = 0..taps-1, no conjugate; added to c.
template <class scalar_t>
struct LagCorrelationParams {
  int64_t taps;
  const scalar_t* g;  // [B, T]
  int64_t g_stride;
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  acc_t<scalar_t>* c;  // [B, taps]
};

}  // namespace polezero
