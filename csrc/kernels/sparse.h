// Filters of a few taps at delays far apart, which may change with time: plain data in, no Torch.
// A signal is `past` samples that are given, and T that the taps make; S takes it to
//
//   (S x)[n] = sum_{l=1..L} c_l[n] x[n - d_l[n]],  n >= past, and 0 before,
//
// d_l[n] >= 1, with zero before the first sample. sparse_allpole is (1 + S)^-1, sparse_fir is S.
#pragma once

#include "kernels/range.h"
#include "tile/scalar.h"

namespace polezero {

// Strides are in elements; of rows 0: shared; of time 0: constant.
template <class scalar_t>
struct SparseTaps {
  int64_t count;                    // L
  const int64_t* d;                 // [B, T, L]
  int64_t d_row, d_time;            //
  const scalar_t* varying;          // c[B, T, L], or null
  const acc_t<scalar_t>* constant;  // c[B, L], or null
  int64_t c_row;                    //
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
  int64_t shortest = 1, longest = 1;  // of all delays; not known on a GPU
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
