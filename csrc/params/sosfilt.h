// Cascades of second-order sections: plain data in, no Torch. Section k of a row filters what
// section k - 1 gave, each in transposed direct form II with a_0 = 1; so the states are SciPy's.
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// b_0 b_1 b_2 a_1 a_2 of section k for row r at c + r * row_stride + 5 * k.
template <class scalar_t>
struct Sections {
  int64_t count;       // K
  int64_t row_stride;  // 0: shared
  const acc_t<scalar_t>* c;
};

template <class scalar_t>
struct SosfiltForwardParams {
  Sections<scalar_t> sections;
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T]
  int64_t y_stride;
  acc_t<scalar_t>* state;  // [B, K, 2], carried on
};

// The adjoint, time descending: through the sections from the last to the first, each in direct
// form II, whose state is the next two values of its lambda (params/lfilter.h). With the sections'
// inputs u and outputs v the sums, beside b_0 b_1 b_2 a_1 a_2, are
//    sum_n lambda[n + i] conj(u[n]), i = 0, 1, 2;   -sum_n lambda[n + i] conj(v[n]), i = 1, 2
template <class scalar_t>
struct SosfiltBackwardParams {
  Sections<scalar_t> sections;
  const scalar_t* grad_y;  // [B, T]
  int64_t grad_y_stride;
  scalar_t* grad_x;  // [B, T], or null: not needed
  int64_t grad_x_stride;
  const scalar_t* x;  // [B, T], or null: no sums
  int64_t x_stride;
  const acc_t<scalar_t>* zi;  // [B, K, 2], that of the filter itself; with x
  acc_t<scalar_t>* state;  // [B, K, 2], of the adjoint: in after the end, out before the beginning
  acc_t<scalar_t>* sums;   // [B, K, 5], added to
};

}  // namespace polezero
