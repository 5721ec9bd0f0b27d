// Products of signals at time-varying lags on the CPU.
#pragma once

#include "kernels/cpu/tile/lag_product.h"
#include "params/lpv.h"

POLEZERO_ISA_BEGIN

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
