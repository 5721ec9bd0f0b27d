// Time-varying FIR filters and products on the CPU, one sample at a time.
#pragma once

#include <algorithm>

#include "kernels/lpv.h"
#include "tile/lag_product.h"

POLEZERO_ISA_BEGIN

inline bool within(int64_t n, int64_t time) { return n >= 0 && n < time; }

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

// The coefficient's time m is that of g or of x (`at_input`), the window is of the other.
template <class T>
void lag_product(const LagProductParams<T>& p, const Range& range) {
  const bool at_input = p.lags.at_input(), descending = at_input == p.lags.reverse;
  for (int64_t r = range.row_begin; p.taps > 0 && r < range.row_end; ++r) {
    const T* g = p.g + r * p.g_stride;
    const T* x = p.x + r * p.x_stride;
    const WindowProduct<T> product{.u = at_input ? x : g,
                                   .w = at_input ? g : x,
                                   .time = p.time,
                                   .first = p.first,
                                   .taps = p.taps,
                                   .sign = p.sign,
                                   .conjugate_u = p.conjugate_x && at_input,
                                   .conjugate_w = p.conjugate_x && !at_input,
                                   .c = p.c + r * p.time * p.taps};
    descending ? product.template run<-1>(range.time_begin, range.time_end)
               : product.template run<1>(range.time_begin, range.time_end);
  }
}

POLEZERO_ISA_END
