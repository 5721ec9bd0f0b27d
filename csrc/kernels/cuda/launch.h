// The kernels of a GPU, on one stream of it. They never wait for the host, and never ask it for a
// value: they can be captured in a graph.
#pragma once

#include <cstddef>

#include "kernels/cuda/complex.h"
#include "params/cuda/lfilter.h"
#include "params/cuda/sosfilt.h"
#include "params/cuda/sparse.h"
#include "params/lag_correlation.h"
#include "params/lattice.h"
#include "params/lpv.h"
#include "params/lpv_sosfilt.h"
#include "params/modal.h"
#include "params/spline.h"
#include "params/state_space.h"

struct CUstream_st;

namespace polezero::cuda {

// Where a call runs. `allocate` gives memory of the device that lives until the stream has come
// past the call.
struct Context {
  CUstream_st* stream;
  int processors;  // of the GPU
  void* owner;
  void* (*allocate)(void* owner, size_t bytes);

  template <class T>
  T* array(int64_t count) const {
    return static_cast<T*>(allocate(owner, count * sizeof(T)));
  }
};

// Makes a GPU the one that launches go to; its number of processors.
int use_device(int device);

// Filters divided by a_0, in memory of the call.
template <class scalar_t>
NormalisedFilters<scalar_t> normalise(const Context& context, const GivenFilters& given);

template <class scalar_t>
void lfilter_forward(const Context& context, const NormalisedFilters<scalar_t>& filters,
                     LfilterScan<scalar_t> p);

template <class scalar_t>
void lfilter_backward(const Context& context, const NormalisedFilters<scalar_t>& filters,
                      LfilterAdjointScan<scalar_t> p, const LfilterGradients<scalar_t>& gradients);

// Orders above kLongestScan. The adjoint sets p.sums, where there are to be some, and returns the
// number of its tiles.
template <class scalar_t>
void lfilter_forward_chunks(const Context& context, const LfilterScan<scalar_t>& p);
template <class scalar_t>
int64_t lfilter_adjoint_chunks(const Context& context, LfilterAdjointScan<scalar_t>& p,
                               bool with_sums);

// p.state is read alone: no op asks for the one after the rows. Orders above 0.
template <class scalar_t>
void lpv_allpole(const Context& context, const LpvAllpoleParams<scalar_t>& p, int64_t time);
template <class scalar_t>
void lpv_allpole_past(const Context& context, const LpvAllpolePastParams<scalar_t>& p);
// The sections as `normalise` gives them, sets of one row after those of another.
template <class scalar_t>
void sosfilt(const Context& context, const NormalisedFilters<scalar_t>& sections,
             SosfiltScan<scalar_t> p, bool adjoint);
// The adjoint, whose sections are conjugated, with the gradient of the sections.
template <class scalar_t>
void sosfilt_backward(const Context& context, const NormalisedFilters<scalar_t>& sections,
                      const NormalisedFilters<scalar_t>& conjugated,
                      const SosfiltScan<scalar_t>& adjoint,
                      const SosfiltGradient<scalar_t>& gradient);
template <class scalar_t>
void state_space(const Context& context, const StateSpaceParams<scalar_t>& p, int64_t rows,
                 int64_t time);
template <class scalar_t>
void lpv_sosfilt_forward(const Context& context, const LpvSosfiltForwardParams<scalar_t>& p,
                         int64_t time);
// grad_sos or wide_grad_sos is set, of frames too; zi [B, K, 2] is the filter's own, with x.
template <class scalar_t>
void lpv_sosfilt_backward(const Context& context, const LpvSosfiltBackwardParams<scalar_t>& p,
                          const acc_t<scalar_t>* zi, int64_t time);
template <class scalar_t>
void lattice_forward(const Context& context, const LatticeForwardParams<scalar_t>& p, int64_t rows,
                     int64_t time);
// sum_k is set, not added to.
template <class scalar_t>
void lattice_backward(const Context& context, const LatticeBackwardParams<scalar_t>& p,
                      int64_t rows, int64_t time);

// `filters` has no denominator; `reverse`: y[n] = sum_k b_k x[n + k]. y is dense.
template <class scalar_t>
void fir(const Context& context, const NormalisedFilters<scalar_t>& filters, bool reverse,
         int64_t rows, int64_t time, const scalar_t* x, int64_t x_stride, scalar_t* y);
template <class scalar_t>
void lpv_fir(const Context& context, const LpvFirParams<scalar_t>& p, int64_t rows, int64_t time);
template <class scalar_t>
void lag_product(const Context& context, const LagProductParams<scalar_t>& p, int64_t rows,
                 int64_t time);
// p.c is set, not added to.
template <class scalar_t>
void lag_correlation(const Context& context, const LagCorrelationParams<scalar_t>& p, int64_t rows,
                     int64_t time);

template <class scalar_t>
void sparse(const Context& context, SparseOnDevice<scalar_t> p);
// p.p_sums is set, not added to.
template <class scalar_t>
void sparse_product(const Context& context, const SparseProductParams<scalar_t>& p, int64_t rows,
                    int64_t past_and_time);

template <class scalar_t>
void spline(const Context& context, const SplineParams<scalar_t>& p, int64_t rows, int64_t points);
template <class scalar_t>
void spline_transposed(const Context& context, const SplineParams<scalar_t>& p,
                       const SplineReads& reads, int64_t rows, int64_t points);
template <class scalar_t>
void upsample(const Context& context, const UpsampleParams<scalar_t>& p, bool transposed,
              int64_t rows);
// float and double only; p.c is set, not added to.
template <class scalar_t>
void modal_bank(const Context& context, const ModalBankParams<scalar_t>& p, int64_t rows,
                int64_t time);
template <class scalar_t>
void modal_correlation(const Context& context, const ModalCorrelationParams<scalar_t>& p,
                       int64_t rows, int64_t time);

}  // namespace polezero::cuda
