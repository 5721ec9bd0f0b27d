// Numbers of twice the precision of float64, as an unevaluated sum of two (Dekker, Numerische
// Mathematik 18, 1971): for what a filter does to a state through many samples, where powers of
// its transition grow and cancel (math/transition.h, which has a long double for it; a GPU has
// none).
#pragma once

#include <cmath>
#include <type_traits>

#include "math/host_device.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

// u v rounded: never part of a fused multiply-add, by which compilers would take the error out of
// it.
POLEZERO_HD double rounded_product(double u, double v) {
#if defined(__CUDA_ARCH__)
  return __dmul_rn(u, v);
#else
  double product = u * v;
#if defined(__x86_64__)
  asm("" : "+x"(product));
#elif defined(__aarch64__)
  asm("" : "+w"(product));
#else
  asm("" : "+m"(product));
#endif
  return product;
#endif
}

struct DoubleDouble {
  double high, low = 0;

  POLEZERO_HD DoubleDouble(double value = 0) : high(value) {}
  POLEZERO_HD double rounded() const { return high; }

  // *this += sign u v
  POLEZERO_HD void add_product(const DoubleDouble& u, const DoubleDouble& v, double sign = 1) {
    const double product = rounded_product(sign * u.high, v.high);
    const double error =
        std::fma(sign * u.high, v.high, -product) + sign * (u.high * v.low + u.low * v.high);
    const double sum = high + product, part = sum - high;
    const double rest = (high - (sum - part)) + (product - part) + low + error;
    high = sum + rest;
    low = rest - (high - sum);
  }
};

template <class C>
struct ComplexDoubleDouble {
  DoubleDouble re, im;

  POLEZERO_HD ComplexDoubleDouble(C value = {}) : re(value.real()), im(value.imag()) {}
  POLEZERO_HD C rounded() const { return {re.rounded(), im.rounded()}; }

  POLEZERO_HD void add_product(const ComplexDoubleDouble& u, const ComplexDoubleDouble& v) {
    re.add_product(u.re, v.re);
    re.add_product(u.im, v.im, -1);
    im.add_product(u.re, v.im);
    im.add_product(u.im, v.re);
  }
};

template <class A>
struct DoubleDoubleOf {
  using type = DoubleDouble;
};
template <class A>
  requires is_complex<A>
struct DoubleDoubleOf<A> {
  using type = ComplexDoubleDouble<A>;
};
template <class A>
using double_double_t = typename DoubleDoubleOf<A>::type;

// sum += m v, sum -= m v, for a filter that may run in either precision; m: a coefficient.
template <class E, class A>
POLEZERO_HD void add_product(E& sum, const A& m, const E& v) {
  if constexpr (std::is_same_v<E, A>) {
    sum += multiply(m, v);
  } else {
    sum.add_product(m, v);
  }
}
template <class E, class A>
POLEZERO_HD void subtract_product(E& sum, const A& m, const E& v) {
  add_product(sum, -m, v);
}

POLEZERO_HD DoubleDouble product(const DoubleDouble& u, const DoubleDouble& v) {
  DoubleDouble result;
  result.add_product(u, v);
  return result;
}

// 1 / v, by a step of Newton's from its float64 value.
POLEZERO_HD DoubleDouble reciprocal(const DoubleDouble& v) {
  const DoubleDouble first = 1 / v.high;
  DoubleDouble left = 1, quotient = first;
  left.add_product(v, first, -1);
  quotient.add_product(first, left);
  return quotient;
}

POLEZERO_ISA_END
