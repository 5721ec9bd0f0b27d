// Threads for the CPU kernels: rows side by side, or one row split in time.
#pragma once

#include <algorithm>

#include "params/lag_correlation.h"
#include "params/lattice.h"
#include "params/lfilter.h"
#include "params/lpv.h"
#include "params/modal.h"
#include "params/sosfilt.h"
#include "params/sparse.h"
#include "params/spline.h"
#include "params/state_space.h"

namespace polezero::cpu {

// `time` is T; the Params' state is carried from one end of the rows to the other.
template <class scalar_t>
void lfilter_forward(LfilterForwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lfilter_backward(LfilterBackwardParams<scalar_t> p, int64_t rows, int64_t time);
// What the sums of lfilter_backward leave out: sum_j lambda[T + j] conj(u[T + j - k]) over the
// samples of u[0..T) that exist, lambda[T..T + P) being the state that it began with.
template <class A, class scalar_t>
A tail_sum(const A* lambda_after, int64_t P, const scalar_t* u, int64_t time, int64_t k) {
  A sum(0);
  for (int64_t j = std::max<int64_t>(0, k - time); j < std::min(k, P); ++j) {
    sum += lambda_after[j] * host::conjugate(static_cast<A>(u[time + j - k]));
  }
  return sum;
}
template <class scalar_t>
void lag_correlation(const LagCorrelationParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_allpole(LpvAllpoleParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_allpole_backward(LpvAllpoleBackwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_allpole_past(const LpvAllpolePastParams<scalar_t>& p);
template <class scalar_t>
void lpv_fir(const LpvFirParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lag_product(LagProductParams<scalar_t> p, int64_t rows, int64_t time);

template <class scalar_t>
void sosfilt_forward(const SosfiltForwardParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void sosfilt_backward(const SosfiltBackwardParams<scalar_t>& p, int64_t rows, int64_t time);

template <class scalar_t>
void lattice_forward(const LatticeForwardParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lattice_backward(const LatticeBackwardParams<scalar_t>& p, int64_t rows, int64_t time);

template <class scalar_t>
void state_space(const StateSpaceParams<scalar_t>& p, int64_t rows, int64_t time);

// `time` is past + T.
template <class scalar_t>
void sparse(const SparseParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void sparse_product(const SparseProductParams<scalar_t>& p, int64_t rows, int64_t time);

template <class scalar_t>
void spline(const SplineParams<scalar_t>& p, bool transposed, int64_t rows, int64_t points);
template <class scalar_t>
void upsample(const UpsampleParams<scalar_t>& p, bool transposed, int64_t rows);
// float and double only.
template <class scalar_t>
void modal_bank(const ModalBankParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void modal_correlation(const ModalCorrelationParams<scalar_t>& p, int64_t rows, int64_t time);

}  // namespace polezero::cpu
