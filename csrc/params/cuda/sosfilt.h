// Cascades of second-order sections as a GPU runs them (kernels/cuda/tile/sosfilt_scan.h): plain
// data in, no Torch. csrc/params/sosfilt.h has the equations.
#pragma once

#include "params/sosfilt.h"

namespace polezero {

template <class scalar_t>
struct SosfiltScan {
  Sections<scalar_t> sections{};  // of the adjoint: conjugated
  int64_t rows = 0, time = 0;
  const scalar_t* x = nullptr;  // [B, T]; of the adjoint the gradient of y
  int64_t x_stride = 0;
  scalar_t* y = nullptr;  // [B, T]
  int64_t y_stride = 0;
  const acc_t<scalar_t>* zi = nullptr;  // [B, K, 2], or null: the state before, in the order of
  acc_t<scalar_t>* zf = nullptr;        // filtering, and after
  acc_t<scalar_t>* carried = nullptr;   // [B, K, 2]: from tile to tile, where a block filters a row
};

}  // namespace polezero
