// Pairs of float32 against float64 and long double.
#include "math/float_pair.h"

#include <gtest/gtest.h>

#include <limits>

#include "support.h"

namespace polezero::test {
namespace {

using host::FloatPair;

TEST(FloatPair, HoldsFortySevenBits) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto v = random.normal<double>();
    EXPECT_LE(std::abs(static_cast<double>(FloatPair(v)) - v), std::ldexp(std::abs(v), -48));
  }
}

TEST(FloatPair, SumsAndProductsAreOfFortySixBits) {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const FloatPair u(random.normal<double>()), v(random.normal<double>()),
        from(random.normal<double>());
    const auto exact = [](const FloatPair& p) { return static_cast<long double>(double(p)); };
    const auto size = std::abs(exact(from)) + std::abs(exact(u) * exact(v));
    FloatPair sum = from, difference = from;
    sum += multiply(u, v);
    difference += multiply(-u, v);
    const long double bound = std::ldexp(size, -46);
    EXPECT_LE(std::abs(exact(normalised(sum)) - (exact(from) + exact(u) * exact(v))), bound);
    EXPECT_LE(std::abs(exact(normalised(difference)) - (exact(from) - exact(u) * exact(v))), bound);
  }
}

TEST(FloatPair, KeepsInfAndNan) {
  const float inf = std::numeric_limits<float>::infinity();
  FloatPair sum(1.);
  sum += multiply(FloatPair(2.), FloatPair(inf));
  EXPECT_EQ(static_cast<float>(sum), inf);
  EXPECT_EQ(static_cast<double>(normalised(sum)), inf);
  EXPECT_EQ(static_cast<float>(FloatPair(-1e300)), -inf);  // beyond float32
  sum += -FloatPair(inf);
  EXPECT_TRUE(std::isnan(static_cast<float>(sum)));
}

}  // namespace
}  // namespace polezero::test
