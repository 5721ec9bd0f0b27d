// The filters by their definition (params/lfilter.h), one sample at a time in extended precision.
// A product with a tap that does not exist is never formed, so that NaN and inf go where the
// definition sends them.
#pragma once

#include "support.h"

namespace polezero::test {

inline long double product(long double u, long double v) { return u * v; }
// std::complex's operator* would turn some NaNs into infinities.
inline std::complex<long double> product(std::complex<long double> u, std::complex<long double> v) {
  return {u.real() * v.real() - u.imag() * v.imag(), u.real() * v.imag() + u.imag() * v.real()};
}

template <class E>
E conjugate_exact(const E& v) {
  if constexpr (std::is_floating_point_v<E>) {
    return v;
  } else {
    return std::conj(v);
  }
}

template <class T>
exact_t<T> exact(T u) {
  return static_cast<exact_t<T>>(u);
}

// y of `count` samples; s[0..P) is the state before them, and then after them.
template <class T>
void reference_forward(const FilterBank<T>& f, int64_t row, const T* x, int64_t count,
                       exact_t<T>* s, exact_t<T>* y) {
  for (int64_t n = 0; n < count; ++n) {
    y[n] = product(exact(f.b_of(row)[0]), exact(x[n]));
    if (f.order > 0) y[n] += s[0];
    for (int64_t j = 0; j < f.order; ++j) {
      s[j] = j + 1 < f.order ? s[j + 1] : exact_t<T>{};
      if (j < f.order_b) s[j] += product(exact(f.b_of(row)[j + 1]), exact(x[n]));
      if (j < f.order_a) s[j] -= product(exact(f.a_of(row)[j]), y[n]);
    }
  }
}

// lambda and grad_x of `count` samples; s[0..P) is the state after them, and then before them.
template <class T>
void reference_backward(const FilterBank<T>& f, int64_t row, const T* g, int64_t count,
                        exact_t<T>* s, exact_t<T>* lambda, exact_t<T>* grad_x) {
  auto later = [&](int64_t n) { return n < count ? lambda[n] : s[n - count]; };
  for (int64_t n = count - 1; n >= 0; --n) {
    lambda[n] = exact(g[n]);
    for (int64_t i = 1; i <= f.order_a; ++i) {
      lambda[n] -= product(exact(f.a_of(row)[i - 1]), later(n + i));
    }
    grad_x[n] = exact_t<T>{};
    for (int64_t k = 0; k <= f.order_b; ++k) {
      grad_x[n] += product(exact(f.b_of(row)[k]), later(n + k));
    }
  }
  std::vector<exact_t<T>> before(f.order);
  for (int64_t k = 0; k < f.order; ++k) before[k] = later(k);
  std::copy(before.begin(), before.end(), s);
}

// sum_n g[n] u[n - k] over n in [begin, end) with n >= k; `conjugate` of u on request.
template <class T, class G>
exact_t<T> reference_correlation(const G* g, const T* u, int64_t begin, int64_t end, int64_t k,
                                 bool conjugate) {
  exact_t<T> sum{};
  for (int64_t n = std::max(begin, k); n < end; ++n) {
    exact_t<T> v = exact(u[n - k]);
    if constexpr (kComplex<T>) {
      if (conjugate) v = std::conj(v);
    }
    sum += product(static_cast<exact_t<T>>(g[n - begin]), v);
  }
  return sum;
}

}  // namespace polezero::test
