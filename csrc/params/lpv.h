// The primitives whose coefficients change with time: plain data in, no Torch. Lag k at time n
// reads the coefficient of time n + shift k and the sample at n - k (reversed: n + k); what lies
// outside 0..T-1 is zero. Coefficient k of time n is at c + row * c_stride + n * taps + k.
#pragma once

#include "math/scalar.h"
#include "params/range.h"

namespace polezero {

struct Lags {
  int64_t shift;
  bool reverse;
  // The lags of the adjoint filter.
  Lags adjoint() const { return {reverse ? shift - 1 : shift + 1, !reverse}; }
  // Whether a coefficient is that of the time of the sample that it multiplies, not the output's.
  bool at_input() const { return shift != 0; }
};

// y[n] = x[n] - sum_{i=1..N} a_i[n + shift i] y[n - i]
template <class scalar_t>
struct LpvAllpoleParams {
  Lags lags;
  int64_t order;      // N
  const scalar_t* a;  // [B, T, N]
  int64_t a_stride;   // of rows; 0: shared
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T]
  int64_t y_stride;
  // [B, N] as in kernels/cpu/tile/lpv.h: past outputs, newest first, where shift is 0. The kernels
  // of a CPU carry it on.
  acc_t<scalar_t>* state;
  int64_t rows = 0;  // B
};

// y[n] = sum_{k=0..taps-1} b_k[n + shift k] x[n - k]
template <class scalar_t>
struct LpvFirParams {
  Lags lags;
  int64_t taps;
  const scalar_t* b;  // [B, T, taps]
  int64_t b_stride;
  const scalar_t* x;
  int64_t x_stride;
  scalar_t* y;
  int64_t y_stride;
};

// c_k[n + shift (first + k)] = sign g[n] x[n - first - k], k = 0..taps-1
template <class scalar_t>
struct LagProductParams {
  Lags lags;
  int64_t taps;
  const scalar_t* g;
  int64_t g_stride;
  const scalar_t* x;
  int64_t x_stride;
  scalar_t* c;  // [B, T, taps]
  int64_t first = 0;
  double sign = 1;
  bool conjugate_x = false;
  int64_t time = 0;  // T
};

// The backward of an all-pole filter: its adjoint, and the products of the adjoint's output with
// the filter's for the gradient of a, while they are in the cache.
template <class scalar_t>
struct LpvAllpoleBackwardParams {
  LpvAllpoleParams<scalar_t> adjoint;
  LagProductParams<scalar_t> product;
};

// What past outputs, newest first, add to the gradients of a filter whose coefficients are those of
// the output's time (shift 0): y[n - i] = zi[i - n - 1], n < i, counted in the order of filtering.
template <class scalar_t>
struct LpvAllpolePastParams {
  bool reverse;  // of the filter
  int64_t rows, time, order;
  const scalar_t* a;  // [B, T, N], conjugated
  int64_t a_stride;
  const scalar_t* lambda;     // [B, T], dense
  const acc_t<scalar_t>* zi;  // [B, N], or null: the gradient of a does not meet them
  scalar_t* grad_a;           // [B, T, N], set there, or null
  acc_t<scalar_t>* grad_zi;   // [B, N], or null
};

}  // namespace polezero

POLEZERO_ISA_BEGIN

// Past output k of a row.
template <class T>
POLEZERO_HD void lpv_allpole_past(const LpvAllpolePastParams<T>& p, int64_t row, int64_t k) {
  using A = acc_t<T>;
  const int64_t N = p.order;
  A sum(0);
  for (int64_t n = 0; n < p.time && n + k < N; ++n) {
    const int64_t m = p.reverse ? p.time - 1 - n : n, tap = n + k;
    const A lambda = widen(p.lambda[row * p.time + m]);
    if (p.grad_a != nullptr && p.zi != nullptr) {
      p.grad_a[(row * p.time + m) * N + tap] =
          static_cast<T>(-multiply(lambda, conjugate(p.zi[row * N + k])));
    }
    sum -= multiply(widen(p.a[row * p.a_stride + m * N + tap]), lambda);
  }
  if (p.grad_zi != nullptr) p.grad_zi[row * N + k] = sum;
}

POLEZERO_ISA_END
