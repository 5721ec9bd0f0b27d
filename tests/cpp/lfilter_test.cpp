// The lfilter kernels against their definition: what holds for both directions of time, then what
// one of them has alone.
#include "emulated_kernels.h"

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
void expect_same_around_cache(const Case& c) {
  on_every_isa<typename Case::Scalar>([&](const auto& kernels) {
    ASSERT_TRUE(c.run(kernels, {.around_cache = true}) == c.run(kernels)) << c.shape;
  });
}

template <class Case>
class Lfilter : public ::testing::Test {
 public:
  static constexpr bool kForward = std::is_same_v<Case, ForwardCase<typename Case::Scalar>>;
  static void check(Random& random, const Shape& shape, const How& how = {}) {
    test::check(Case(random, shape), how);
  }
};
using Cases =
    ::testing::Types<ForwardCase<float>, ForwardCase<double>, ForwardCase<std::complex<float>>,
                     ForwardCase<std::complex<double>>, BackwardCase<float>, BackwardCase<double>,
                     BackwardCase<std::complex<float>>, BackwardCase<std::complex<double>>>;
struct CaseNames {
  template <class Case>
  static std::string GetName(int i) {
    return (Lfilter<Case>::kForward ? "Forward" : "Backward") + std::to_string(i);
  }
};
TYPED_TEST_SUITE(Lfilter, Cases, CaseNames);

TYPED_TEST(Lfilter, EqualsItsDefinitionAtEveryOrder) {
  Random random(1);
  for (int64_t P = 0; P <= 20; ++P) {
    for (const auto& [M, N] :
         {std::pair(P, P), {P, P / 2}, {P / 3, P}, {P, int64_t{0}}, {int64_t{0}, P}}) {
      for (const int64_t time : {0, 1, 5, 16, 31, 64, 70}) {
        this->check(random, {M, N, 3, time, time % 2 == 0});
        if (this->HasFatalFailure()) return;
      }
      this->check(random, {M, N, 2, 1000, false, 0.99});
    }
  }
}

TYPED_TEST(Lfilter, EqualsItsDefinitionInChunks) {
  using Case = TypeParam;
  Random random(11);
  for (const int64_t P : {1, 2, 3, 5, 8, 13, 20}) {
    for (const auto& [M, N] :
         {std::pair(P, P), {P, P / 2}, {P / 3, P}, {P, int64_t{0}}, {int64_t{0}, P}}) {
      for (const int64_t time : {1, 9, 70}) {
        const Case c(random, {M, N, 3, time, time % 2 == 0, time == 70 ? 0.99 : 0.9});
        SCOPED_TRACE(c.shape);
        const typename Case::Truth truth(c);
        on_an_emulated_gpu<typename Case::Scalar>(
            [&](const auto& kernels) { truth.expect(c.run(kernels)); });
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(Lfilter, EqualsItsDefinitionAtEveryLength) {
  Random random(2);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {1, 3}, {7, 5}, {16, 16}, {3, 18}}) {
    for (int64_t time = 0; time <= 70; ++time) {
      this->check(random, {M, N, 3, time, false});
      this->check(random, {M, N, 2, time, true});
      this->check(random, {M, N, 1, time, false, 0.9, 0});
      if (this->HasFatalFailure()) return;
    }
  }
}

// Rows side by side, whole batches and parts of one.
TYPED_TEST(Lfilter, EqualsItsDefinitionAtAnyNumberOfRows) {
  Random random(8);
  for (const int64_t rows : {2, 7, 8, 9, 16, 17, 33}) {
    for (const auto& [M, N] : {std::pair(2, 2), {1, 3}, {0, 4}, {8, 6}, {16, 16}}) {
      for (const int64_t time : {1, 7, 8, 41, 100, 1100}) {
        this->check(random, {M, N, rows, time, time % 2 == 0});
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(Lfilter, ManyTilesKeepTheirPrecision) {
  Random random(3);
  for (const int64_t P : {1, 2, 4, 8, 16, 20}) {
    for (const double radius : {0.9, 0.999, 0.99999}) {
      this->check(random, {P, P, 2, 3000, false, radius});
      this->check(random, {P, P, 16, 3000, false, radius});
    }
  }
}

TYPED_TEST(Lfilter, PolesBeyondTheCircleGrowAsTheyShould) {
  Random random(4);
  for (const int64_t P : {1, 2, 4, 7, 12, 20}) {
    for (const double radius : {1.0, 1.05, 1.6, 4.0}) {
      for (const int64_t time : {20, 70, 300}) this->check(random, {P, P, 3, time, false, radius});
    }
  }
}

TYPED_TEST(Lfilter, CutAnywhereEqualsWhole) {
  Random random(5);
  for (const auto& [M, N] : {std::pair(2, 2), {5, 3}, {0, 8}, {16, 16}}) {
    for (int64_t cut = 0; cut <= 70; ++cut) this->check(random, {M, N, 2, 70}, {{cut}});
    this->check(random, {M, N, 1, 2500}, {{1, 17, 1030, 1031, 2100}});
  }
}

TYPED_TEST(Lfilter, StoresAroundTheCacheChangeNothing) {
  Random random(6);
  for (const int64_t P : {1, 2, 4, 8, 16}) {
    for (int64_t gap = 0; gap < 6; ++gap) {  // rows at every alignment
      expect_same_around_cache(TypeParam(random, {P, P, 5, 80 + gap, false, 0.9, gap}));
    }
  }
}

// What a thread gets is a range of rows: its bits do not depend on the other rows.
TYPED_TEST(Lfilter, RowsInRangesHaveTheSameBits) {
  using T = typename TypeParam::Scalar;
  Random random(7);
  for (const bool filter_a_row : {false, true}) {
    for (const int64_t P : {0, 1, 2, 3, 8, 16, 19}) {
      const TypeParam c(random, {P, P, 37, 1111, filter_a_row});
      on_every_isa<T>([&](const auto& kernels) {
        auto got = c.blank();
        auto run = [&](int64_t begin, int64_t end) {
          (kernels.*c.kernel)(c.params(got), {begin, end, 0, 1111});
        };
        run(3, 20);
        const Rows<T>& signal = got.signal();
        for (int64_t n = 0; n < 3 * signal.stride; ++n) ASSERT_EQ(signal.data[n], kUntouched<T>);
        run(0, 1);
        run(1, 1);
        run(1, 3);
        run(20, 37);
        ASSERT_TRUE(got == c.run(kernels)) << c.shape;
      });
    }
  }
}

// ---- forward

template <class T>
class LfilterForward : public ::testing::Test {};
TYPED_TEST_SUITE(LfilterForward, ScalarTypes);

TYPED_TEST(LfilterForward, WithoutOutputTheStateIsCarriedOn) {
  using T = TypeParam;
  Random random(1);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {3, 0}, {0, 4}, {6, 8}, {16, 11}, {20, 20}}) {
    for (const int64_t time : {0, 3, 16, 67, 70, 1100}) {
      const ForwardCase<T> c(random, {M, N, 3, time});
      SCOPED_TRACE(c.shape);
      const ForwardTruth<T> truth(c);
      on_every_isa<T>([&](const auto& kernels) {
        const ForwardResult<T> got = c.run(kernels, {.state_only = true});
        truth.expect(got, true);
        for (const T& y : got.y.data) ASSERT_EQ(y, kUntouched<T>);
      });
    }
  }
}

// float overflows to inf on the way while the float64 state goes on: y is inf there, never NaN.
TEST(LfilterForwardOverflow, OfTheOutputIsInfAsInASerialFilter) {
  Random random(2);
  for (const double radius : {1e3, 1.0e5}) {
    ForwardCase<float> c(random, {0, 1, 3, 40, false});
    c.bank.a = {-radius};
    check(c);
  }
}

// ---- backward

template <class T>
class LfilterBackward : public ::testing::Test {};
TYPED_TEST_SUITE(LfilterBackward, ScalarTypes);

// Without zeros grad_x is lambda, and the kernel may take the one for the other.
TYPED_TEST(LfilterBackward, OfAnAllPoleFilterIsLambda) {
  using T = TypeParam;
  Random random(1);
  for (const int64_t N : {0, 1, 2, 5, 8, 16, 18}) {
    for (const int64_t time : {0, 7, 64, 70, 1100}) {
      BackwardCase<T> c(random, {0, N, 3, time});
      for (int64_t i = 0; i <= N; ++i) c.bank.b[i] = acc_t<T>(i == 0 ? 1 : 0);
      for (const bool sums : {true, false}) {
        c.needs_sum_b = c.needs_sum_a = sums;
        check(c);
      }
    }
  }
}

TYPED_TEST(LfilterBackward, GivesWhatIsAskedForAndNoMore) {
  using T = TypeParam;
  Random random(2);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {0, 3}, {4, 0}, {9, 12}, {20, 20}}) {
    for (const int64_t time : {5, 70, 1100}) {
      BackwardCase<T> c(random, {M, N, 2, time});
      for (int needs = 0; needs < 8; ++needs) {
        c.needs_grad_x = needs & 1;
        c.needs_sum_b = needs & 2;
        c.needs_sum_a = needs & 4;
        check(c);
      }
    }
  }
}

TYPED_TEST(LfilterBackward, StoresAroundTheCacheChangeNothingWithoutSums) {
  Random random(3);
  for (const int64_t P : {1, 2, 4, 8, 16}) {
    for (int64_t gap = 0; gap < 6; ++gap) {
      BackwardCase<TypeParam> c(random, {P, P, 5, 80 + gap, false, 0.9, gap});
      c.needs_sum_b = c.needs_sum_a = false;
      expect_same_around_cache(c);
    }
  }
}

}  // namespace
}  // namespace polezero::test
