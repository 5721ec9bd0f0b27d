// Filters of a few taps at delays far apart, which may change with time: plain data in, no Torch.
// A signal is `past` samples that are given, and T that the taps make; S takes it to
//
//   (S x)[n] = sum_{l=1..L} c_l[n] x[n - d_l[n]],  n >= past, and 0 before,
//
// d_l[n] >= 1, with zero before the first sample. sparse_allpole is (1 + S)^-1, sparse_fir is S.
// A delay d between samples reads the polynomial through the samples around it: in an Interpolator,
// k + u = d, and x[n - k] stands for x[k].
#pragma once

#include "math/interpolator.h"
#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

inline constexpr double kFarthestDelay = 1e15;  // longer ones read nothing either

// Strides are in elements; of rows 0: shared; of time 0: constant.
template <class scalar_t>
struct SparseTaps {
  int64_t count = 0;                          // L
  const int64_t* d = nullptr;                 // [B, T, L], or null
  const double* d_between = nullptr;          // d[B, T, L] between samples, or null
  const float* d_between_single = nullptr;    // the same in single precision, or null
  Interpolator interpolator{};                // of them
  int64_t d_row = 0, d_time = 0;              //
  const scalar_t* varying = nullptr;          // c[B, T, L], or null
  const acc_t<scalar_t>* constant = nullptr;  // c[B, L], or null
  int64_t c_row = 0;                          //

  // The taps of a sample are known without its time: those of S^T, too, can be gathered.
  bool constant_delays() const { return whole() && d_time == 0; }
  POLEZERO_HD bool whole() const { return d_between == nullptr && d_between_single == nullptr; }
  // Combs: with feedback, as many filters of first order, interleaved, as the delay has samples.
  bool are_comb() const { return count == 1 && constant_delays(); }
};

template <class scalar_t>
struct SparseParams {
  SparseTaps<scalar_t> taps;
  bool feedback;    // sparse_allpole
  bool transposed;  // of S
  int64_t past;
  const scalar_t* x;  // [B, past + T]
  int64_t x_stride;
  scalar_t* y;  // [B, past + T]
  int64_t y_stride;
  int64_t shortest = 1, longest = 1;  // of all samples that are read; not known on a GPU
};

// p_l[n] = g[n] x[n - d_l[n]], n >= past, or their sums over time.
template <class scalar_t>
struct SparseProductParams {
  SparseTaps<scalar_t> taps;  // without c
  int64_t past;
  const scalar_t* g;  // [B, past + T]
  int64_t g_stride;
  const scalar_t* x;  // [B, past + T]
  int64_t x_stride;
  scalar_t* p;              // [B, T, L], or null
  acc_t<scalar_t>* p_sums;  // [B, L], zero before, or null
};

}  // namespace polezero
