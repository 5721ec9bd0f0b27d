// The same filters one sample at a time, for any order and any scalar: the rest of a row that is
// no whole block, problems too small for tables, and blocks in which something is not finite.
#pragma once

#include "params/lfilter.h"

POLEZERO_ISA_BEGIN

// Transposed direct form II over x[0..count), s[0..P) carried on. y null: only the state.
template <class T>
void serial_forward(const Filters<T>& f, const acc_t<T>* b, const acc_t<T>* a, const T* x, T* y,
                    int64_t count, acc_t<T>* s) {
  using A = acc_t<T>;
  const int64_t P = f.order;
  for (int64_t n = 0; n < count; ++n) {
    const A u = widen(x[n]);
    const A v = multiply(b[0], u) + (P > 0 ? s[0] : A(0));
    for (int64_t j = 0; j + 1 < P; ++j) s[j] = s[j + 1];
    if (P > 0) s[P - 1] = A(0);
    // only the taps that exist: 0 * NaN would keep a NaN in a filter without feedback for ever
    for (int64_t j = 0; j < f.order_b; ++j) s[j] += multiply(b[j + 1], u);
    for (int64_t j = 0; j < f.order_a; ++j) s[j] -= multiply(a[j], v);
    if (y != nullptr) y[n] = static_cast<T>(v);
  }
}

// Direct form II backwards over g[0..count), from the last sample to the first; s[k] is lambda
// k + 1 samples later. Either output may be null.
template <class T>
void serial_backward(const Filters<T>& f, const acc_t<T>* b, const acc_t<T>* a, const T* g,
                     T* lambda, T* grad_x, int64_t count, acc_t<T>* s) {
  using A = acc_t<T>;
  const int64_t P = f.order;
  for (int64_t n = count - 1; n >= 0; --n) {
    A l = widen(g[n]);
    for (int64_t i = 0; i < f.order_a; ++i) l -= multiply(a[i], s[i]);
    if (grad_x != nullptr) {
      A sum = multiply(b[0], l);
      for (int64_t k = 0; k < f.order_b; ++k) sum += multiply(b[k + 1], s[k]);
      grad_x[n] = static_cast<T>(sum);
    }
    if (lambda != nullptr) lambda[n] = static_cast<T>(l);
    for (int64_t k = P - 1; k > 0; --k) s[k] = s[k - 1];
    if (P > 0) s[0] = l;
  }
}

POLEZERO_ISA_END
