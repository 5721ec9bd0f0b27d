// A state-space filter, time on the last axis, leading dimensions broadcast.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// v[n+1] = A v[n] + B x[n], y[n] = C v[n] + D x[n], from v[0] = zi (zero without) to v[T] = zf.
// A[..., T, S, S], B[..., T, S, I], C[..., T, O, S], D[..., T, O, I], each with 1 in place of T
// where it is constant; x[..., I, T], zi[..., S] -> y[..., O, T], zf[..., S]. Without B x goes
// straight into the state, without C the states come straight out, without D nothing of x comes out
// directly. The adjoint runs backwards in time, from zi after the end, with the matrices conjugated
// and transposed and B and C in each other's place; x has O channels then, y has I.
std::tuple<Tensor, Tensor> state_space_forward(const Tensor& A, const OptionalTensor& B,
                                               const OptionalTensor& C, const OptionalTensor& D,
                                               const Tensor& x, const OptionalTensor& zi,
                                               bool adjoint);

}  // namespace polezero
