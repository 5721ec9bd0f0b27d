// What every device computes in the same way around a direct form: its coefficients before, and
// what the two ends of a row add to its gradients after. Plain data in, no Torch.
#pragma once

#include "params/lfilter.h"

namespace polezero {

// Coefficients as the user gave them: sets of b_0..b_M and a_0..a_N (or, `monic`, a_1..a_N), one
// set a filter, in scalar_t or, `wide`, in acc_t<scalar_t>.
struct GivenFilters {
  const void* b = nullptr;  // null: 1
  const void* a = nullptr;  // null: 1
  bool wide_b = false, wide_a = false;
  int64_t order_b = 0, order_a = 0;  // M, N
  bool monic = false;
  bool conjugate = false;
  int64_t b_stride = 0, a_stride = 0;  // of filters
  int64_t count = 1;                   // 1: shared by all rows

  POLEZERO_HD int64_t order() const { return order_b > order_a ? order_b : order_a; }
};

// Divided by a_0, padded to P, in float64, and the a_0 of each.
template <class scalar_t>
struct NormalisedFilters {
  Filters<scalar_t> view;
  int64_t count;
  const acc_t<scalar_t>* a0;
};

}  // namespace polezero

POLEZERO_ISA_BEGIN

// Tap k of filter f, of its P + 1: divided by a_0, zero where the filter has none.
template <class T, class Tb, class Ta>
POLEZERO_HD void normalise_tap(const GivenFilters& given, int64_t f, int64_t k, acc_t<T>* b,
                               acc_t<T>* a, acc_t<T>* a0) {
  using A = acc_t<T>;
  const int64_t order = given.order();
  const auto* from_b = static_cast<const Tb*>(given.b) + f * given.b_stride;
  const auto* from_a = static_cast<const Ta*>(given.a) + f * given.a_stride;
  const auto read = [&](const auto* p) {
    const A v = static_cast<A>(*p);
    return given.conjugate ? conjugate(v) : v;
  };
  const A first = given.a == nullptr || given.monic ? A(1) : read(from_a);
  if (k == 0) a0[f] = first;
  const A value = given.b != nullptr ? read(from_b + (k <= given.order_b ? k : 0)) : A(1);
  b[f * (order + 1) + k] = k <= given.order_b ? value / first : A(0);
  if (k == order) return;
  const bool has = given.a != nullptr && k < given.order_a;
  a[f * order + k] = has ? read(from_a + k + (given.monic ? 0 : 1)) / first : A(0);
}

// s_j of the state that past outputs, newest first, leave behind: -sum_{i > j} a_i y[j - i].
template <class A>
POLEZERO_HD A state_of_past(const A* a, int64_t order_a, const A* past, int64_t j) {
  A sum(0);
  for (int64_t i = j + 1; i <= order_a; ++i) sum -= multiply(a[i - 1], past[i - j - 1]);
  return sum;
}

// In the gradients below `head` are the first lambdas of the adjoint, lambda[0..P).

// The gradient of past output k, which meets a_{n + k + 1} at sample n.
template <class A>
POLEZERO_HD A gradient_of_past(const A* a, int64_t order_a, const A* head, int64_t k) {
  A sum(0);
  for (int64_t n = 0; n + k < order_a; ++n) sum -= multiply(a[n + k], head[n]);
  return sum;
}

// What past outputs add to the sum of lambda with the outputs k samples ago.
template <class A>
POLEZERO_HD A sum_with_past(const A* head, const A* past, int64_t k) {
  A sum(0);
  for (int64_t n = 0; n < k; ++n) sum += multiply(head[n], conjugate(past[k - n - 1]));
  return sum;
}

// What is to be taken from the sum of a_0, which scales y - zi and, where the rows have ended,
// zf - zi. `after` are the lambdas that take the place of samples there, the gradient of zf. Null:
// zero.
template <class A>
POLEZERO_HD A sum_with_states(const A* head, const A* zi, const A* after, const A* zf,
                              int64_t order) {
  A sum(0);
  for (int64_t j = 0; j < order; ++j) {
    if (zi != nullptr) sum += multiply(head[j], conjugate(zi[j]));
    if (zf != nullptr && after != nullptr) sum -= multiply(after[j], conjugate(zf[j]));
  }
  return sum;
}

POLEZERO_ISA_END
