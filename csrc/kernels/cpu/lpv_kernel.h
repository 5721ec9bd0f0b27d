// Time-varying primitives on the CPU, one sample at a time.
#pragma once

#include <algorithm>

#include "kernels/lpv.h"

POLEZERO_ISA_BEGIN

inline bool within(int64_t n, int64_t time) { return n >= 0 && n < time; }

template <class T>
void lpv_allpole(const LpvAllpoleParams<T>& p, const Range& range) {
  const int64_t time = range.time_end;
  using A = acc_t<T>;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const T* a = p.a + r * p.a_stride;
    const T* x = p.x + r * p.x_stride;
    T* y = p.y + r * p.y_stride;
    A* past = p.past + r * p.order;
    for (int64_t step = 0; step < time; ++step) {
      const int64_t n = p.lags.reverse ? time - 1 - step : step;
      A sum = widen(x[n]);
      for (int64_t i = 1; i <= p.order; ++i) {
        const int64_t m = n + p.lags.shift * i;
        if (within(m, time)) sum -= multiply(widen(a[m * p.order + i - 1]), past[i - 1]);
      }
      for (int64_t i = p.order - 1; i > 0; --i) past[i] = past[i - 1];
      if (p.order > 0) past[0] = sum;
      y[n] = static_cast<T>(sum);
    }
  }
}

template <class T>
void lpv_fir(const LpvFirParams<T>& p, const Range& range) {
  const int64_t time = range.time_end;
  using A = acc_t<T>;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const T* b = p.b + r * p.b_stride;
    const T* x = p.x + r * p.x_stride;
    for (int64_t n = 0; n < time; ++n) {
      A sum(0);
      for (int64_t k = 0; k < p.taps; ++k) {
        const int64_t m = n + p.lags.shift * k, from = p.lags.reverse ? n + k : n - k;
        if (within(m, time) && within(from, time)) {
          sum += multiply(widen(b[m * p.taps + k]), widen(x[from]));
        }
      }
      p.y[r * p.y_stride + n] = static_cast<T>(sum);
    }
  }
}

template <class T>
void lag_product(const LagProductParams<T>& p, const Range& range) {
  const int64_t time = range.time_end;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const T* g = p.g + r * p.g_stride;
    const T* x = p.x + r * p.x_stride;
    T* c = p.c + r * time * p.taps;
    for (int64_t m = 0; m < time; ++m) {
      for (int64_t k = 0; k < p.taps; ++k) {
        const int64_t n = m - p.lags.shift * k, from = p.lags.reverse ? n + k : n - k;
        const bool exists = within(n, time) && within(from, time);
        c[m * p.taps + k] = exists ? static_cast<T>(multiply(widen(g[n]), widen(x[from]))) : T(0);
      }
    }
  }
}

POLEZERO_ISA_END
