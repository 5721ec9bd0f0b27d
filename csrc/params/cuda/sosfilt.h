// Cascades of second-order sections as a GPU runs them (kernels/cuda/tile/sosfilt_scan.h): plain
// data in, no Torch. csrc/params/sosfilt.h has the equations.
#pragma once

#include "params/lfilter.h"

namespace polezero {

template <class scalar_t>
struct SosfiltScan {
  // Order 2; section k of row r is filter r * filter_stride + k. (Of the adjoint: conjugated.)
  Filters<scalar_t> sections{};
  int64_t count = 0;  // K
  int64_t rows = 0, time = 0;
  const scalar_t* x = nullptr;  // [B, T]; of the adjoint the gradient of y
  int64_t x_stride = 0;
  scalar_t* y = nullptr;  // [B, T]
  int64_t y_stride = 0;
  const scalar_t* zi = nullptr;        // [B, K, 2], or null: the state before, in the order of
  scalar_t* zf = nullptr;              // filtering, and after
  acc_t<scalar_t>* carried = nullptr;  // [B, K, 2]: from tile to tile, where a block filters a row

  POLEZERO_HD Filters<scalar_t> section(int64_t k) const {
    Filters<scalar_t> f = sections;
    f.b += 3 * k;
    f.a += 2 * k;
    return f;
  }
};

}  // namespace polezero
