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
  scalar_t* y = nullptr;  // [B, T], or null: not needed
  int64_t y_stride = 0;
  const acc_t<scalar_t>* zi = nullptr;  // [B, K, 2], or null: the state before, in the order of
  acc_t<scalar_t>* zf = nullptr;        // filtering, and after
  acc_t<scalar_t>* carried = nullptr;   // [B, K, 2]: from tile to tile, where a block filters a row
  // [B, K, T / V, 2], or null: what a section has put out before sample T % V + V i, newest first;
  // V: the samples of a thread. The adjoint, whose threads' samples begin at the row's end, needs
  // it.
  acc_t<scalar_t>* unit_states = nullptr;
};

// What the adjoint needs beside that for its sums, of the filter itself.
template <class scalar_t>
struct SosfiltSums {
  const scalar_t* x = nullptr;  // [B, T]
  int64_t x_stride = 0;
  const acc_t<scalar_t>* zi = nullptr;           // [B, K, 2], or null
  const acc_t<scalar_t>* unit_states = nullptr;  // see above
  acc_t<scalar_t>* sums = nullptr;               // [B, tiles, K, 5], of params/sosfilt.h, of a tile
};

namespace cuda {

// What a cascade's gradient is made of beside that of y.
template <class scalar_t>
struct SosfiltGradient {
  const scalar_t* x = nullptr;  // [B, T]
  int64_t x_stride = 0;
  const acc_t<scalar_t>* zi = nullptr;  // [B, K, 2], or null
  acc_t<scalar_t>* grad_sos = nullptr;  // [B, K, 6]
};

}  // namespace cuda
}  // namespace polezero
