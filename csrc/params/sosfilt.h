// Cascades of second-order sections: plain data in, no Torch. Section k of a row filters what
// section k - 1 gave, each in transposed direct form II with a_0 = 1; so the states are SciPy's.
#pragma once

#include "params/lfilter.h"

namespace polezero {

// Filters of order 2, K a row: section k of row r is filter r * filter_stride + k.
template <class scalar_t>
struct Sections {
  int64_t count = 0;  // K
  Filters<scalar_t> filters{};

  // Section k of all rows.
  POLEZERO_HD Filters<scalar_t> section(int64_t k) const {
    Filters<scalar_t> f = filters;
    f.b += 3 * k;
    f.a += 2 * k;
    return f;
  }
};
template <class scalar_t>
Sections<scalar_t> sections_of(Filters<scalar_t> filters, int64_t filter_count, int64_t count) {
  filters.filter_stride = filter_count > count ? count : 0;
  return {count, filters};
}

template <class scalar_t>
struct SosfiltForwardParams {
  Sections<scalar_t> sections;
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T]
  int64_t y_stride;
  acc_t<scalar_t>* state;   // [B, K, 2], carried on
  bool in_float64 = false;  // between the sections too, whatever the signal's type
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
