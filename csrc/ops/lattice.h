// A normalised lattice, time on the last axis, leading dimensions broadcast.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// N stages, each a rotation by k_i and sqrt(1 - |k_i|^2), from the input to a delay and back
// (csrc/params/lattice.h): k[..., T or 1, N], which may be wider than u where it is constant,
// u[..., 1 or N+1, T], zi[..., N] or none -> z[..., 1 or N+1 (`all`), T], zf[..., N].
std::tuple<Tensor, Tensor> lattice_forward(const Tensor& k, const Tensor& u,
                                           const OptionalTensor& zi, bool all, bool adjoint);

// The gradients of all inputs of lattice_forward with adjoint = false: grad_k[..., T or 1, N]
// (where k is constant in float64), grad_u and grad_zi in float64, one row for each row of the
// broadcast problem. The filter runs once more for its states.
std::tuple<Tensor, Tensor, Tensor> lattice_backward(const Tensor& grad_z,
                                                    const OptionalTensor& grad_zf, const Tensor& k,
                                                    const Tensor& u, const OptionalTensor& zi);

}  // namespace polezero
