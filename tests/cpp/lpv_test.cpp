#include "emulated_kernels.h"
#include "lpv_cases.h"

namespace polezero::test {
namespace {

template <class T>
class TimeVarying : public ::testing::Test {
 public:
  static void check(const LpvCase<T>& c, bool on_gpu = false) {
    SCOPED_TRACE(c.shape);
    const LpvTruth<T> truth(c);
    on_every_isa<T>([&](const auto& kernels) { truth.expect(c.run(kernels)); });
    if (!on_gpu) return;
    on_an_emulated_gpu<T>(
        [&](const auto& kernels) { truth.expect(c.run(kernels), /*carries_state=*/false); });
  }
};
TYPED_TEST_SUITE(TimeVarying, ScalarTypes);

TYPED_TEST(TimeVarying, EqualsItsDefinition) {
  Random random(1);
  for (const Lags& lags : kAllLags) {
    for (const bool shared : {false, true}) {
      for (const int64_t taps : {0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 20}) {
        for (const int64_t time : {0, 1, 2, 3, 7, 16, 17, 33, 70, 1000}) {  // below the order too
          for (const int64_t rows : {1, 3, 11}) {  // chunks, and rows side by side
            this->check({random, {rows, time, taps, lags, shared}}, rows == 3 && time < 100);
            if (this->HasFatalFailure()) return;
          }
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
  struct Size {
    int64_t rows, time, taps;
  };
  // serially, side by side in registers and in memory, in chunks
  for (const auto& [rows, time, taps] : {Size{3, 19, 3}, {9, 19, 3}, {9, 19, 6}, {1, 140, 2}}) {
    for (const Lags& lags : kAllLags) {
      const LpvCase<T> clean(random, {rows, time, taps, lags});
      for (const double bad : {std::nan(""), HUGE_VAL}) {
        for (int64_t n = 0; n < time; ++n) {
          LpvCase<T> in_x = clean, in_g = clean, in_coefficients = clean;
          in_x.x.row(rows / 2)[n] = in_g.g.row(rows / 2)[n] = static_cast<T>(bad);
          in_coefficients.coefficients.row(rows / 2)[n * taps + n % taps] = static_cast<T>(bad);
          for (const LpvCase<T>* c : {&in_x, &in_g, &in_coefficients}) this->check(*c);
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

// The transition over a chunk overflows where the filter itself, from rest, does not.
TYPED_TEST(TimeVarying, UnstableFiltersAreExactUntilTheyOverflow) {
  using T = TypeParam;
  Random random(5);
  for (const Lags& lags : kAllLags) {
    LpvCase<T> c(random, {1, 300, 2, lags});
    std::fill(c.state.begin(), c.state.end(), 0);
    for (T& a : c.coefficients.data) a *= T(1e9);
    for (T& x : c.x.data) x = T(0);
    for (T& g : c.g.data) g = T(0);
    const bool late = lags.reverse;  // where the filter comes to its sound after long silence
    c.x.row(0)[late ? 1 : 298] = c.g.row(0)[late ? 298 : 1] = T(1);
    this->check(c, /*on_gpu=*/true);
  }
}

// What a thread gets is a range of rows: its bits do not depend on the other rows.
TYPED_TEST(TimeVarying, RowsInRangesHaveTheSameBits) {
  Random random(4);
  for (const Lags& lags : kAllLags) {
    for (const bool shared : {false, true}) {
      for (const int64_t taps : {3, 6}) {
        for (const int64_t rows : {2, 5, 9}) {
          const LpvCase<TypeParam> c(random, {rows, 111, taps, lags, shared});
          on_every_isa<TypeParam>([&](const auto& kernels) {
            const std::vector<Range> ranges = {{1, rows, 0, 111}, {0, 0, 0, 111}, {0, 1, 0, 111}};
            ASSERT_TRUE(c.run(kernels, ranges) == c.run(kernels)) << c.shape;
          });
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
