#include "lpv_cases.h"

namespace polezero::test {
namespace {

template <class T>
class TimeVarying : public ::testing::Test {
 public:
  static void check(const LpvCase<T>& c) {
    SCOPED_TRACE(c.shape);
    const LpvTruth<T> truth(c);
    on_every_isa<T>([&](const auto& kernels) { truth.expect(c.run(kernels)); });
  }
};
TYPED_TEST_SUITE(TimeVarying, ScalarTypes);

TYPED_TEST(TimeVarying, EqualsItsDefinition) {
  Random random(1);
  for (const Lags& lags : kAllLags) {
    for (const bool shared : {false, true}) {
      for (const int64_t taps : {0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 20}) {
        for (const int64_t time : {0, 1, 2, 3, 7, 16, 17, 33, 70, 1000}) {  // below the order too
          this->check({random, {3, time, taps, lags, shared}});
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(TimeVarying, TakesNoRows) {
  Random random(2);
  for (const Lags& lags : kAllLags) this->check({random, {0, 5, 2, lags}});
}

// A sample that does not exist is no zero: 0 * NaN is NaN.
TYPED_TEST(TimeVarying, NonFiniteValuesGoWhereTheDefinitionSendsThem) {
  using T = TypeParam;
  Random random(3);
  constexpr int64_t kTime = 19, kTaps = 3;
  for (const Lags& lags : kAllLags) {
    const LpvCase<T> clean(random, {3, kTime, kTaps, lags});
    for (const double bad : {std::nan(""), HUGE_VAL}) {
      for (int64_t n = 0; n < kTime; ++n) {
        LpvCase<T> in_x = clean, in_g = clean, in_coefficients = clean;
        in_x.x.row(1)[n] = in_g.g.row(1)[n] = static_cast<T>(bad);
        in_coefficients.coefficients.row(1)[n * kTaps + n % kTaps] = static_cast<T>(bad);
        for (const LpvCase<T>* c : {&in_x, &in_g, &in_coefficients}) this->check(*c);
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

// What a thread gets is a range of rows: its bits do not depend on the other rows.
TYPED_TEST(TimeVarying, RowsInRangesHaveTheSameBits) {
  Random random(4);
  for (const Lags& lags : kAllLags) {
    for (const bool shared : {false, true}) {
      const LpvCase<TypeParam> c(random, {5, 111, 3, lags, shared});
      on_every_isa<TypeParam>([&](const auto& kernels) {
        const std::vector<Range> ranges = {
            {3, 5, 0, 111}, {0, 1, 0, 111}, {1, 1, 0, 111}, {1, 3, 0, 111}};
        ASSERT_TRUE(c.run(kernels, ranges) == c.run(kernels)) << c.shape;
      });
    }
  }
}

}  // namespace
}  // namespace polezero::test
