// The recursive filters as a GPU runs them (kernels/cuda/tile/scan.h): plain data in, no Torch.
// Pointers are to memory of the device. csrc/params/lfilter.h has the equations.
#pragma once

#include "params/direct_form.h"

namespace polezero {

// Above this order rows are filtered in chunks. Powers of the transition of more states, where
// poles lie close together, are large and cancel: joined in float64 they would be worth less than
// the serial filter (math/transition.h).
inline constexpr int64_t kLongestScan = 2;

// Transposed direct form II.
template <class scalar_t>
struct LfilterScan {
  Filters<scalar_t> filters{};
  int64_t rows = 0, time = 0;
  const scalar_t* x = nullptr;  // [B, T]
  int64_t x_stride = 0;
  scalar_t* y = nullptr;  // [B, T]
  int64_t y_stride = 0;
  const acc_t<scalar_t>* zi = nullptr;    // [B, P]: what is added to the first outputs, or null
  const acc_t<scalar_t>* past = nullptr;  // [B, P]: the outputs before, newest first, or null
  acc_t<scalar_t>* zf = nullptr;          // [B, P], or null
};

// Direct form II backwards in time, with sums over all rows' samples.
template <class scalar_t>
struct LfilterAdjointScan {
  Filters<scalar_t> filters{};  // conjugated
  int64_t rows = 0, time = 0;
  const scalar_t* grad_y = nullptr;  // [B, T]
  int64_t grad_y_stride = 0;
  const acc_t<scalar_t>* grad_zf = nullptr;  // [B, P]: the lambdas after the end, or null
  scalar_t* grad_x = nullptr;                // [B, T], or null
  int64_t grad_x_stride = 0;
  const scalar_t* x = nullptr;  // [B, T], or null: no sum_b
  int64_t x_stride = 0;
  const scalar_t* y = nullptr;  // [B, T], or null: no sum_a
  int64_t y_stride = 0;
  acc_t<scalar_t>* head = nullptr;  // [B, P], or null: the first lambdas
  // [B, tiles, 2, P + 1]: sum_b[k] = sum_n lambda[n + k] conj(x[n]) over the samples of a tile,
  // the lambdas after the end included, and sum_a[k] with y; with x or y
  acc_t<scalar_t>* sums = nullptr;
};

namespace cuda {

// What the adjoint gives beside grad_x; null: not needed. Where the filters are monic
// (GivenFilters), zi are past outputs, and grad_a is that of a_1..a_N.
template <class scalar_t>
struct LfilterGradients {
  bool monic = false;
  acc_t<scalar_t>* grad_b = nullptr;    // [B, M + 1]
  acc_t<scalar_t>* grad_a = nullptr;    // [B, N + 1], or [B, N]
  acc_t<scalar_t>* grad_zi = nullptr;   // [B, P]
  const acc_t<scalar_t>* zi = nullptr;  // [B, P]: what the filter itself had, or null
  const acc_t<scalar_t>* zf = nullptr;
};

}  // namespace cuda
}  // namespace polezero
