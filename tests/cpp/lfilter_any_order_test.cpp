// The lfilter kernels above the orders that are known to the compiler: rows side by side, the
// chunks of a row, SIMD along the state.
#include "kernel_cases.h"

namespace polezero::test {
namespace {

template <class Case>
void check(const Case& c, const How& how = {}) {
  SCOPED_TRACE(c.shape);
  const typename Case::Truth truth(c);
  on_every_isa<typename Case::Scalar>(
      [&](const auto& kernels) { truth.expect(c.run(kernels, how)); });
}

template <class Case>
class AnyOrder : public ::testing::Test {};
using Cases =
    ::testing::Types<ForwardCase<float>, ForwardCase<double>, ForwardCase<std::complex<float>>,
                     BackwardCase<float>, BackwardCase<double>, BackwardCase<std::complex<float>>>;
TYPED_TEST_SUITE(AnyOrder, Cases);

// Orders of b and a: as many, many more of either, a few more, none.
std::vector<std::pair<int64_t, int64_t>> orders(int64_t P) {
  return {{P, P}, {P, P - 1}, {P - 3, P}, {P, P - 8}, {P / 3, P}, {2, P}, {P, 2}, {P, 0}, {0, P}};
}

TYPED_TEST(AnyOrder, EqualsItsDefinition) {
  Random random(1);
  for (const int64_t P : {17, 22, 25, 32, 40, 63, 64, 100}) {
    for (const auto& [M, N] : orders(P)) {
      for (const int64_t rows : {1, 3, 9}) {
        for (const int64_t time : {1, 7, 70, 333}) {
          check(TypeParam(random, {M, N, rows, time, time % 2 == 0}));
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

// Tiles and parts of one, in rows enough for chunks where there is no feedback.
TYPED_TEST(AnyOrder, EqualsItsDefinitionOverManyTiles) {
  Random random(2);
  for (const int64_t P : {17, 40}) {
    for (const auto& [M, N] : orders(P)) {
      for (const int64_t rows : {1, 2, 5, 11}) {
        check(TypeParam(random, {M, N, rows, 2100 + rows, false, 0.99}));
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(AnyOrder, LongFiltersWithoutFeedbackEqualTheirDefinition) {
  Random random(3);
  for (const int64_t rows : {1, 8, 9}) check(TypeParam(random, {300, 0, rows, 5000}));
}

TYPED_TEST(AnyOrder, CutAnywhereEqualsWhole) {
  Random random(4);
  for (const auto& [M, N] : {std::pair(22, 22), {3, 18}, {40, 0}}) {
    for (int64_t cut = 0; cut <= 20; ++cut) check(TypeParam(random, {M, N, 2, 70}), {{cut}});
    check(TypeParam(random, {M, N, 9, 2500}), {{1, 17, 1030, 1031, 2100}});
    check(TypeParam(random, {M, N, 1, 2500}), {{1, 17, 1030, 1031, 2100}});
  }
}

template <class T>
class ForwardAnyOrder : public ::testing::Test {};
TYPED_TEST_SUITE(ForwardAnyOrder, ScalarTypes);

// To the bit, whichever way the parts go.
TYPED_TEST(ForwardAnyOrder, CutAnywhereHasTheSameBits) {
  Random random(5);
  for (const auto& [M, N] : orders(24)) {
    for (const int64_t rows : {1, 5, 9}) {
      const ForwardCase<TypeParam> c(random, {M, N, rows, 1500});
      SCOPED_TRACE(c.shape);
      on_every_isa<TypeParam>([&](const auto& kernels) {
        ASSERT_TRUE(c.run(kernels, {{1, 17, 700, 705, 1400}}) == c.run(kernels));
      });
    }
  }
}

// Without feedback a row has the bits that it has alone, side by side with others or in chunks.
TYPED_TEST(ForwardAnyOrder, RowWithoutFeedbackHasTheBitsThatItHasAlone) {
  using T = TypeParam;
  Random random(6);
  const ForwardCase<T> c(random, {24, 0, 9, 1500, true});
  on_every_isa<T>([&](const auto& kernels) {
    const auto all = c.run(kernels);
    for (int64_t r = 0; r < c.shape.rows; ++r) {
      auto alone = c.blank();
      auto p = c.params(alone);
      p.rows = 1;
      (kernels.*c.kernel)(p, {r, r + 1, 0, c.shape.time});
      for (int64_t n = 0; n < c.shape.time; ++n) ASSERT_EQ(alone.y.row(r)[n], all.y.row(r)[n]);
    }
  });
}

}  // namespace
}  // namespace polezero::test
