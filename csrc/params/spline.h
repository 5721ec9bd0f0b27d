// Splines of coefficients c[0..K): plain data in, no Torch. Beyond its ends c is mirrored with
// whole-sample symmetry, about the end itself (c[-1] = c[1]), or with half-sample symmetry, half a
// sample beyond (c[-1] = c[0]).
#pragma once

#include "math/interpolator.h"
#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// y[i] = sum_j w_j(u) c[k - before + j], k + u = t[i] + shift; t is mirrored about the ends, 0 and
// K - 1, and `derivative` is by t.
template <class scalar_t>
struct SplineParams {
  Interpolator basis;  // or a derivative of it, of odd order or not
  bool odd;
  double shift;
  bool whole_sample;
  int64_t knots;    // K
  const double* t;  // [B, P]
  int64_t t_stride;
  const scalar_t* x;  // c[B, K]; transposed: [B, P]
  int64_t x_stride;
  scalar_t* y;  // [B, P]; transposed: [B, K]; dense
};

// The reads i points + j of all samples by the coefficient that is read: those of coefficient k are
// read[begin[k]..begin[k + 1]).
struct SplineReads {
  const int64_t* read;   // [lists, P points]
  const int64_t* begin;  // [lists, K + 1]
  int64_t lists;         // B, or 1: shared
};

// y[n m + r] = sum_j w_j(r / m) c[n - 1 + j], j < 4, of (K - 1) m + 1 samples; or the transposed.
template <class scalar_t>
struct UpsampleParams {
  int64_t factor;  // m
  Interpolator basis;
  bool whole_sample;
  int64_t knots;      // K
  const scalar_t* x;  // c[B, K]; transposed: [B, (K - 1) m + 1]
  int64_t x_stride;
  scalar_t* y;  // dense

  POLEZERO_HD int64_t samples() const { return (knots - 1) * factor + 1; }
};

}  // namespace polezero
