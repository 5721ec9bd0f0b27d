// Numbers of four times the precision of float64, as an unevaluated sum of four, and sums of their
// products: for powers of a transition, whose growth comes into the error of a product several
// times over (Note [Chunk tree] in kernels/cuda/tile/chunk_tree.h). Every rounding of a sum or
// product goes to the next of the four (Knuth's two-sum; TAOCP 2, 4.2.2).
#pragma once

#include "math/double_double.h"

POLEZERO_ISA_BEGIN

// sum becomes sum + v rounded, v what was rounded away.
POLEZERO_HD void two_sum(double& sum, double& v) {
  const double s = sum + v, part = s - sum;
  v = (sum - (s - part)) + (v - part);
  sum = s;
}

struct QuadDouble {
  double parts[4] = {};

  POLEZERO_HD QuadDouble(double value = 0) : parts{value} {}
  POLEZERO_HD explicit QuadDouble(const DoubleDouble& v) : parts{v.high, v.low} {}
  POLEZERO_HD DoubleDouble in_double_double() const {
    DoubleDouble v(parts[0]);
    v.low = parts[1];
    return v;
  }

  // Of size 2^(-53 order) of the whole.
  template <int order>
  POLEZERO_HD void add(double v) {
    POLEZERO_UNROLLED
    for (int i = order; i < 3; ++i) two_sum(parts[i], v);
    parts[3] += v;
  }
  // *this += sign u v
  POLEZERO_HD void add_product(const QuadDouble& u, const QuadDouble& v, double sign = 1) {
    add_products<0>(u, v, sign);
    add_products<1>(u, v, sign);
    add_products<2>(u, v, sign);
    add_products<3>(u, v, sign);
  }
  // After a sum: each part no more than a rounding of the one before.
  POLEZERO_HD void normalise() {
    for (int pass = 0; pass < 2; ++pass) {
      POLEZERO_UNROLLED
      for (int i = 2; i >= 0; --i) two_sum(parts[i], parts[i + 1]);
    }
  }

 private:
  template <int order>
  POLEZERO_HD void add_products(const QuadDouble& u, const QuadDouble& v, double sign) {
    POLEZERO_UNROLLED
    for (int i = 0; i <= order; ++i) {
      const double first = sign * u.parts[i], second = v.parts[order - i];
      const double product = rounded_product(first, second);
      add<order>(product);
      if constexpr (order < 3) add<order + 1>(std::fma(first, second, -product));
    }
  }
};

template <class C>
struct ComplexQuadDouble {
  QuadDouble re, im;

  POLEZERO_HD explicit ComplexQuadDouble(C v = {}) : re(v.real()), im(v.imag()) {}
  POLEZERO_HD explicit ComplexQuadDouble(const ComplexDoubleDouble<C>& v) : re(v.re), im(v.im) {}
  POLEZERO_HD ComplexDoubleDouble<C> in_double_double() const {
    ComplexDoubleDouble<C> v;
    v.re = re.in_double_double();
    v.im = im.in_double_double();
    return v;
  }

  POLEZERO_HD void add_product(const ComplexQuadDouble& u, const ComplexQuadDouble& v) {
    re.add_product(u.re, v.re);
    re.add_product(u.im, v.im, -1);
    im.add_product(u.re, v.im);
    im.add_product(u.im, v.re);
  }
  POLEZERO_HD void normalise() {
    re.normalise();
    im.normalise();
  }
};

template <class A>
struct QuadDoubleOf {
  using type = QuadDouble;
};
template <class A>
  requires is_complex<A>
struct QuadDoubleOf<A> {
  using type = ComplexQuadDouble<A>;
};
template <class A>
using quad_double_t = typename QuadDoubleOf<A>::type;

POLEZERO_ISA_END
