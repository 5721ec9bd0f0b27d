// Threads for the CPU kernels: rows side by side, or one row split in time.
#pragma once

#include "kernels/lag_correlation.h"
#include "kernels/lfilter.h"
#include "kernels/lpv.h"
#include "kernels/sosfilt.h"

namespace polezero::cpu {

// `time` is T; the Params' state is carried from one end of the rows to the other.
template <class scalar_t>
void lfilter_forward(LfilterForwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lfilter_backward(LfilterBackwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lag_correlation(const LagCorrelationParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_allpole(LpvAllpoleParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_allpole_backward(LpvAllpoleBackwardParams<scalar_t> p, int64_t rows, int64_t time);
template <class scalar_t>
void lpv_fir(const LpvFirParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lag_product(LagProductParams<scalar_t> p, int64_t rows, int64_t time);

template <class scalar_t>
void sosfilt_forward(const SosfiltForwardParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void sosfilt_backward(const SosfiltBackwardParams<scalar_t>& p, int64_t rows, int64_t time);

}  // namespace polezero::cpu
