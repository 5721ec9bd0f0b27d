// The recursive filter kernels: plain data in, no Torch. A filter is normalised (a_0 = 1) and
// padded to one order P = max(M, N), in float64; its state is P float64 numbers a row.
//
//   forward   transposed direct form II, time ascending; state = SciPy's zi
//                y[n] = b_0 x[n] + s_0,  s_j = s_{j+1} + b_{j+1} x[n] - a_{j+1} y[n]
//   backward  direct form II, time descending, the adjoint of forward (the duality);
//             state = the P next lambdas: v_j = lambda[n+1+j]
//                lambda[n] = g[n] - sum_i a_i lambda[n+i]
//                grad_x[n] = sum_k b_k lambda[n+k]
//             and, in the same pass over memory, the sums that grad_b and grad_a are made of
//                sum_b[k] = sum_n lambda[n] conj(x[n-k]),  sum_a[i] = sum_n lambda[n] conj(y[n-i])
//             The adjoint of a complex filter has conjugate coefficients: the caller conjugates.
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

// Filters of `order` P: coefficients of filter f at b + f * (P + 1) (b_0..b_P) and a + f * P
// (a_1..a_P), zero-padded; a row r uses filter r * filter_stride (0: one filter for all rows).
template <class scalar_t>
struct Filters {
  int64_t order_b = 0;  // M
  int64_t order_a = 0;  // N
  int64_t order = 0;    // P
  int64_t filter_stride = 0;
  const acc_t<scalar_t>* b = nullptr;
  const acc_t<scalar_t>* a = nullptr;
};

template <class scalar_t>
struct LfilterForwardParams {
  Filters<scalar_t> filters{};
  const scalar_t* x = nullptr;  // [B, T]
  int64_t x_stride = 0;
  scalar_t* y = nullptr;  // [B, T], or null: only the state is carried on
  int64_t y_stride = 0;
  acc_t<scalar_t>* state = nullptr;  // [B, P], in: before time_begin, out: after time_end
  int64_t rows = 1;                  // B
  bool around_cache = false;         // y is larger than any cache: write it around them
};

template <class scalar_t>
struct LfilterBackwardParams {
  Filters<scalar_t> filters{};
  const scalar_t* grad_y = nullptr;  // [B, T]
  int64_t grad_y_stride = 0;
  scalar_t* grad_x = nullptr;  // [B, T], or null: not needed
  int64_t grad_x_stride = 0;
  const scalar_t* x = nullptr;  // [B, T], or null: no sum_b
  int64_t x_stride = 0;
  const scalar_t* y = nullptr;  // [B, T], or null: no sum_a
  int64_t y_stride = 0;
  acc_t<scalar_t>* state = nullptr;  // [B, P], in: after time_end, out: before time_begin
  acc_t<scalar_t>* sum_b = nullptr;  // [B, M + 1], added to
  acc_t<scalar_t>* sum_a = nullptr;  // [B, N + 1], added to
  int64_t rows = 1;                  // B
  bool around_cache = false;         // as in forward, for grad_x
};

}  // namespace polezero
