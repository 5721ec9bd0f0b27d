// Filters that are cut in time or by sections before they go to threads; the kernels of all others
// go there by run_rows.h.
#pragma once

#include <algorithm>

#include "params/lfilter.h"
#include "params/lpv_sosfilt.h"
#include "params/sosfilt.h"

namespace polezero::cpu {

// `time` is T; the Params' state is carried from one end of the rows to the other.
template <class scalar_t>
void lfilter_forward(LfilterForwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lfilter_backward(LfilterBackwardParams<scalar_t> p, int64_t rows, int64_t time);
// lfilter_forward, or (reverse) lfilter_backward without sums: x and y in their places.
template <class scalar_t>
void lfilter_either_way(bool reverse, const LfilterForwardParams<scalar_t>& p, int64_t rows,
                        int64_t time) {
  if (!reverse) return lfilter_forward<scalar_t>(p, rows, time);
  lfilter_backward<scalar_t>({.filters = p.filters,
                              .grad_y = p.x,
                              .grad_y_stride = p.x_stride,
                              .grad_x = p.y,
                              .grad_x_stride = p.y_stride,
                              .state = p.state},
                             rows, time);
}
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
void sosfilt_forward(const SosfiltForwardParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void sosfilt_backward(const SosfiltBackwardParams<scalar_t>& p, int64_t rows, int64_t time);

// How many batches of rows side by side these have.
template <class scalar_t>
int64_t lpv_sosfilt_batches(const VaryingSections<scalar_t>& sections, int64_t rows);
template <class scalar_t>
void lpv_sosfilt_forward(const LpvSosfiltForwardParams<scalar_t>& p, int64_t time);
// zi [B, K, 2] is the filter's own; with x.
template <class scalar_t>
void lpv_sosfilt_backward(LpvSosfiltBackwardParams<scalar_t> p, const acc_t<scalar_t>* zi,
                          int64_t time);

}  // namespace polezero::cpu
