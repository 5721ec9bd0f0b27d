// Products that float64, and numbers of twice its precision, round away.
#include "math/quad_double.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

namespace polezero::test {
namespace {

using host::ComplexQuadDouble;
using host::QuadDouble;
using C = std::complex<double>;

QuadDouble sum_of(double a, double b) {
  QuadDouble v(a);
  v.add<0>(b);
  return v;
}

// (1 + e) (1 - e) - 1 = -e^2
TEST(QuadDouble, KeepsWhatAProductLeavesAtTheFarEnd) {
  for (const int bits : {30, 60, 100}) {
    const double e = std::ldexp(1.0, -bits);
    QuadDouble sum(-1);
    sum.add_product(sum_of(1, e), sum_of(1, -e));
    sum.normalise();
    EXPECT_EQ(sum.parts[0], -e * e);
    EXPECT_EQ(sum.parts[1], 0);
    sum.add_product(e, -e, -1);
    sum.normalise();
    EXPECT_EQ(sum.parts[0], 0);
  }
}

// 1/3 in four parts, three times and squared.
TEST(QuadDouble, IsRoundedFarBehindTwiceThePrecision) {
  QuadDouble third;
  double left = 1;
  for (int i = 0; i < 4; ++i) {  // 1/3 = 0.010101.. in binary, 53 bits at a time
    const double part = left / 3;
    third.parts[i] = part;
    left = std::fma(-3.0, part, left);
  }
  QuadDouble sum(-1);
  for (int i = 0; i < 3; ++i) sum.add_product(third, 1);
  sum.normalise();
  EXPECT_LE(std::abs(sum.parts[0]), std::ldexp(1.0, -205));
  QuadDouble square(0);
  square.add_product(third, third);
  square.normalise();
  QuadDouble ninth(-1);
  ninth.add_product(square, 9);
  ninth.normalise();
  EXPECT_LE(std::abs(ninth.parts[0]), std::ldexp(1.0, -200));
}

TEST(QuadDouble, MultipliesComplexNumbers) {
  const double e = std::ldexp(1.0, -70);
  ComplexQuadDouble<C> u(C{1, 1}), v(C{1, -1}), sum(C{-2, 0});
  u.re.add<1>(e);
  sum.add_product(u, v);  // (1 + e + i) (1 - i) = 2 + e - i e
  sum.normalise();
  EXPECT_EQ(sum.in_double_double().rounded(), (C{e, -e}));
}

}  // namespace
}  // namespace polezero::test
