#include "math/transition.h"

#include "support.h"

namespace polezero::test {
namespace {

constexpr double kAny = std::numeric_limits<double>::infinity();  // tolerance

// A^count column by column: the unit states of a filter that runs without input.
template <class A>
std::vector<exact_t<A>> transition_step_by_step(const std::vector<A>& a, int64_t count) {
  using E = exact_t<A>;
  const int64_t P = a.size();
  std::vector<E> power(P * P);
  for (int64_t k = 0; k < P; ++k) {
    std::vector<E> s(P);
    s[k] = E(1);
    for (int64_t n = 0; n < count; ++n) {
      const E y = s[0];
      for (int64_t j = 0; j < P; ++j) s[j] = (j + 1 < P ? s[j + 1] : E(0)) - E(a[j]) * y;
    }
    for (int64_t j = 0; j < P; ++j) power[j * P + k] = s[j];
  }
  return power;
}

template <class A>
class Transition : public ::testing::Test {};
using StateTypes = ::testing::Types<double, std::complex<double>>;
TYPED_TEST_SUITE(Transition, StateTypes);

TYPED_TEST(Transition, EqualsCountSteps) {
  Random random(1);
  for (const int64_t P : {1, 2, 3, 8, 16}) {
    for (const double radius : {0.5, 0.99, 0.99999}) {
      const auto a = denominator<TypeParam>(random, P, radius);
      for (const int64_t count : {0, 1, 2, 3, 7, 64, 1000}) {
        const auto got = host::transition(a.data(), P, count, kAny);
        const auto want = transition_step_by_step(a, count);
        EXPECT_LE(largest_error(got.data(), want.data(), P * P), 3e-13)  // measured: 3e-14
            << "order " << P << ", radius " << radius << ", count " << count;
      }
    }
  }
}

TYPED_TEST(Transition, IsEmptyWithoutStates) {
  EXPECT_TRUE(host::transition<TypeParam>(nullptr, 0, 100, kAny).empty());
}

TYPED_TEST(Transition, OfADelayEndsAtZero) {
  const std::vector<TypeParam> a(5);
  for (const TypeParam& entry : host::transition(a.data(), 5, 5, kAny))
    EXPECT_EQ(entry, TypeParam(0));
}

TYPED_TEST(Transition, OverflowIsNotFinite) {
  Random random(2);
  const auto a = denominator<TypeParam>(random, 2, 2.0);
  const auto power = host::transition(a.data(), 2, int64_t{1} << 15, kAny);
  EXPECT_FALSE(std::all_of(power.begin(), power.end(),
                           [](const TypeParam& entry) { return host::is_finite(entry); }));
}

// Poles in one place: the powers grow to 0.95^n n^(P-1) before they decay.
// Order 16 loses what even a long double of 128 bits has to lose (arm64).
TYPED_TEST(Transition, WithoutAccuracyIsNotGivenOut) {
  for (const int64_t P : {2, 3, 16}) {
    std::vector<double> poly = {1};
    for (int64_t i = 0; i < P; ++i) {
      poly.push_back(0);
      for (size_t k = poly.size() - 1; k > 0; --k) poly[k] -= 0.95 * poly[k - 1];
    }
    const std::vector<TypeParam> a(poly.begin() + 1, poly.end());
    const bool given = !host::transition(a.data(), P, int64_t{1} << 15, 1e-12).empty();
    EXPECT_EQ(given, P < 16) << "order " << P;
  }
}

// 1.9^1000 is 1e279; one squaring too many would overflow.
TYPED_TEST(Transition, OverflowsNoSoonerThanTheResult) {
  const std::vector<TypeParam> a = {TypeParam(-1.9)};
  const auto power = host::transition(a.data(), 1, 1000, kAny);
  EXPECT_NEAR(std::abs(power[0]) / std::pow(1.9, 1000), 1, 1e-12);
}

}  // namespace
}  // namespace polezero::test
