// The kernels of a GPU, on one stream of it. They never wait for the host, and never ask it for a
// value: they can be captured in a graph.
#pragma once

#include <cstddef>

#include "kernels/cuda/lfilter.h"
#include "kernels/lag_correlation.h"
#include "kernels/lpv.h"

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

// Coefficients as the user gave them, in memory of the device: sets of b_0..b_M and a_0..a_N (or,
// `monic`, a_1..a_N), one set a filter, in scalar_t or, `wide`, in acc_t<scalar_t>.
struct GivenFilters {
  const void* b = nullptr;  // null: 1
  const void* a = nullptr;  // null: 1
  bool wide_b = false, wide_a = false;
  int64_t order_b = 0, order_a = 0;  // M, N
  bool monic = false;
  bool conjugate = false;
  int64_t b_stride = 0, a_stride = 0;  // of filters
  int64_t count = 1;                   // 1: shared by all rows
};

// Divided by a_0, padded to P, in float64: [filters, P + 1], [filters, P]; with a_0 [filters].
template <class scalar_t>
struct NormalisedOnDevice {
  Filters<scalar_t> view;
  int64_t count;
  const acc_t<scalar_t>* a0;
};
template <class scalar_t>
NormalisedOnDevice<scalar_t> normalise(const Context& context, const GivenFilters& given);

template <class scalar_t>
void lfilter_forward(const Context& context, const NormalisedOnDevice<scalar_t>& filters,
                     LfilterScan<scalar_t> p);

// What the adjoint gives beside grad_x; null: not needed. With the filters' numerator null
// (GivenFilters::monic), zi are past outputs, and grad_a is that of a_1..a_N.
template <class scalar_t>
struct LfilterGradients {
  bool monic = false;
  acc_t<scalar_t>* grad_b = nullptr;  // [B, M + 1]
  acc_t<scalar_t>* grad_a = nullptr;  // [B, N + 1], or [B, N]
  scalar_t* grad_zi = nullptr;        // [B, P]
  const scalar_t* zi = nullptr;       // [B, P]: what the filter itself had, or null
  const scalar_t* zf = nullptr;
};
template <class scalar_t>
void lfilter_backward(const Context& context, const NormalisedOnDevice<scalar_t>& filters,
                      LfilterAdjointScan<scalar_t> p, const LfilterGradients<scalar_t>& gradients);

// Orders above kLongestScan.
template <class scalar_t>
void lfilter_forward_rows(const Context& context, const LfilterScan<scalar_t>& p);
template <class scalar_t>
void lfilter_adjoint_rows(const Context& context, const LfilterAdjointScan<scalar_t>& p);

// `filters` has no denominator; `reverse`: y[n] = sum_k b_k x[n + k]. y is dense.
template <class scalar_t>
void fir(const Context& context, const NormalisedOnDevice<scalar_t>& filters, bool reverse,
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

}  // namespace polezero::cuda
