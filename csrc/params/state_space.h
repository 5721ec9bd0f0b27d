// State-space filters: plain data in, no Torch.
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// Row-major, that of row r and time n at data + r * row_stride + n * time_stride; null where there
// is none.
template <class scalar_t>
struct Matrices {
  const scalar_t* data = nullptr;
  int64_t row_stride = 0, time_stride = 0;  // 0: shared, constant
};

//    v[n+1] = A v[n] + B x[n],   y[n] = C v[n] + D x[n]
// B null: x goes straight into the state, C null: the state comes straight out, D null: zero.
// The adjoint runs backwards in time, its matrices conjugated and transposed, B and C in each
// other's place:
//    v[n-1] = A^H v[n] + C^H x[n],   y[n] = B^H v[n] + D^H x[n]
template <class scalar_t>
struct StateSpaceParams {
  bool adjoint;
  int64_t states, inputs, outputs;  // of the filter that runs
  Matrices<scalar_t> a, b, c, d;
  const scalar_t* x;  // [B, inputs, T], a channel every x_stride
  int64_t x_stride;
  scalar_t* y;  // [B, outputs, T]
  int64_t y_stride;
  acc_t<scalar_t>* state;  // [B, states], carried on
};

}  // namespace polezero
