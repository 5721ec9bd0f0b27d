// Normalised lattices: plain data in, no Torch.
#pragma once

#include <cmath>

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// Stage i of N turns two numbers, with c_i = sqrt(1 - |k_i|^2):
//    (p_0, p_i) -> (c_i p_0 - k_i p_i, conj(k_i) p_0 + c_i p_i)
// The filter feeds what comes out of the stages to them again, a sample later. With the gains
// h_i = c_1 .. c_i, which make it the filter that it would be if the stages had no c:
//    p = (u_0 / h_N, u_1 + s_0[n-1], .., u_N + s_{N-1}[n-1]),   s[n] = p after the stages N, .., 1
//    z_i[n] = h_i s_i[n]
// The adjoint runs backwards in time, its stages in the other order and turned back (-k_i for k_i):
//    p = (u_0 + s_1[n+1], h_1 u_1 + s_2[n+1], .., h_N u_N),   s[n] = p after the stages 1, .., N
//    z_0[n] = s_0[n] / h_N,   z_i[n] = s_i[n]
// The state is s_0..s_{N-1} of the sample before, or s_1..s_N of the sample after.
template <class scalar_t>
struct LatticeStages {
  int64_t order;                      // N
  const scalar_t* k;                  // [B, T, N]; null where one k is that of all times:
  const acc_t<scalar_t>* constant_k;  // [B, N], else null
  int64_t k_stride;                   // of rows of either; 0: shared

  POLEZERO_HD bool constant() const { return constant_k != nullptr; }
};

// [B, count, T], count 1 (port 0 alone) or N + 1, a signal every `stride`.
template <class scalar_t>
struct LatticePorts {
  scalar_t* data;
  int64_t stride;
  int64_t count;
};

template <class scalar_t>
struct LatticeForwardParams {
  LatticeStages<scalar_t> stages;
  bool adjoint;
  LatticePorts<const scalar_t> u;
  LatticePorts<scalar_t> z;
  acc_t<scalar_t>* state;  // [B, N], carried on
};

// The adjoint of the filter of u, from the gradient of z, and the gradient of k with it: the filter
// runs once more, for the states.
template <class scalar_t>
struct LatticeBackwardParams {
  LatticeStages<scalar_t> stages;
  LatticePorts<const scalar_t> u, grad_z;
  LatticePorts<scalar_t> grad_u;
  const acc_t<scalar_t>* zi;  // [B, N], of the filter
  acc_t<scalar_t>* state;     // [B, N], of the adjoint: in after the end, out before the beginning
  scalar_t* grad_k;           // [B, T, N], where k is not constant
  acc_t<scalar_t>* sum_k;     // [B, N], added to, where it is
};

}  // namespace polezero

POLEZERO_ISA_BEGIN

// c of a stage: sqrt(1 - |k|^2); NaN where |k| > 1.
POLEZERO_HD double cosine(double k) { return std::sqrt(1 - k * k); }
template <class C>
  requires is_complex<C>
POLEZERO_HD C cosine(C k) {
  return std::sqrt(1 - (k.real() * k.real() + k.imag() * k.imag()));
}

POLEZERO_ISA_END
