// Normalised lattices: plain data in, no Torch.
#pragma once

#include "kernels/range.h"
#include "tile/scalar.h"

namespace polezero {

// Stage i of N turns two numbers, with c_i = sqrt(1 - |k_i|^2):
//    (p_0, p_i) -> (c_i p_0 - k_i p_i, conj(k_i) p_0 + c_i p_i)
// The filter feeds what comes out of a stage to the next one, a sample later:
//    p = (u_0, u_1 + z_0[n-1], .., u_N + z_{N-1}[n-1]),   z[n] = p after the stages N, .., 1
// The adjoint runs backwards in time, its stages in the other order and turned back (-k_i for k_i):
//    p = (u_0 + z_1[n+1], .., u_{N-1} + z_N[n+1], u_N),   z[n] = p after the stages 1, .., N
// The state is z_0..z_{N-1} of the sample before, or z_1..z_N of the sample after.
template <class scalar_t>
struct LatticeParams {
  bool adjoint;
  int64_t order;      // N
  const scalar_t* k;  // [B, T or 1, N]
  int64_t k_stride;   // of rows; 0: shared
  bool constant;      // one k for all times
  const scalar_t* u;  // [B, inputs, T], u_0 or u_0..u_N; a signal every u_stride
  int64_t u_stride;
  int64_t inputs;
  scalar_t* z;  // [B, outputs, T], z_0 or z_0..z_N
  int64_t z_stride;
  int64_t outputs;
  acc_t<scalar_t>* state;  // [B, N], carried on
};

}  // namespace polezero
