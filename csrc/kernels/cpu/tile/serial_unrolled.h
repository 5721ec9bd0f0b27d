// The serial filters of serial.h for P states known to the compiler, with coefficients padded to P:
// everything stays in registers, and the chain from one sample to the next is two fmas. They add
// to `poison`, which turns NaN as soon as something is not finite: then the padding may have
// multiplied a zero by it, and serial.h has to do it again.
#pragma once

#include "kernels/cpu/tile/block.h"

POLEZERO_ISA_BEGIN

template <int P, class T>
void unrolled_forward(const double* b, const double* a, const T* x, T* y, int64_t count,
                      State<P>& state, vec<T>& poison) {
  double s[P], bad = 0;
  for (int j = 0; j < P; ++j) s[j] = state[j];
  for (int64_t n = 0; n < count; ++n) {
    const double u = static_cast<double>(x[n]);
    const double v = b[0] * u + s[0];
    for (int j = 0; j + 1 < P; ++j) s[j] = (b[j + 1] * u + s[j + 1]) - a[j] * v;
    s[P - 1] = b[P] * u - a[P - 1] * v;
    bad += v * 0;
    if (y != nullptr) y[n] = static_cast<T>(v);
  }
  for (int j = 0; j < P; ++j) state.set(j, s[j]);
  poison[0] += static_cast<T>(bad);
}

template <int P, class T>
void unrolled_backward(const double* b, const double* a, const T* g, T* lambda, T* grad_x,
                       int64_t count, State<P>& state, vec<T>& poison) {
  double s[P], bad = 0;
  for (int j = 0; j < P; ++j) s[j] = state[j];
  for (int64_t n = count - 1; n >= 0; --n) {
    double l = static_cast<double>(g[n]), sum = 0;
    // the newest state last: it is the one that the chain waits for
    for (int j = P - 1; j >= 0; --j) l -= a[j] * s[j];
    for (int j = P - 1; j >= 0; --j) sum += b[j + 1] * s[j];
    if (grad_x != nullptr) grad_x[n] = static_cast<T>(b[0] * l + sum);
    lambda[n] = static_cast<T>(l);
    for (int j = P - 1; j > 0; --j) s[j] = s[j - 1];
    s[0] = l;
    bad += l * 0;
  }
  for (int j = 0; j < P; ++j) state.set(j, s[j]);
  poison[0] += static_cast<T>(bad);
}

POLEZERO_ISA_END
