// Banks of modes, first-order filters with complex poles, summed: plain data in, no Torch. With
//
//   s_k^(0)[n] = p_k s_k^(0)[n-1] + x[n],   s_k^(j)[n] = p_k s_k^(j)[n-1] + s_k^(j-1)[n-1],
//
// s^(j) is s^(0) differentiated j times by its pole and divided by j!. The bank and the correlation
// are
//
//   y[n] = Re sum_k sum_{j<J} g_kj s_k^(j)[n],   c_kj = sum_n g[n] s_k^(j)[n].
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// Complex numbers are pairs of float64; strides are in elements, of rows 0: shared.
struct ModalPoles {
  int64_t modes, orders;  // K, J
  const double* data;     // [B, K, 2]
  int64_t row_stride;
};

template <class scalar_t>
struct ModalBankParams {
  ModalPoles poles;
  const double* gains;  // [B, K, J, 2]
  int64_t gains_stride;
  bool reverse;       // backwards in time
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T]
  int64_t y_stride;
  double* state;  // s^(0), [B, K, 2], carried on; the others are zero before; null: all are
};

template <class scalar_t>
struct ModalCorrelationParams {
  ModalPoles poles;
  const scalar_t* g;  // [B, T]
  int64_t g_stride;
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  const double* state;  // s^(0) before, [B, K, 2], or null
  double* c;            // [B, K, J, 2]
};

}  // namespace polezero
