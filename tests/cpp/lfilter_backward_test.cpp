#include "kernel_cases.h"

namespace polezero::test {
namespace {

template <class T>
class LfilterBackward : public ::testing::Test {
 public:
  template <class Work>
  static void on_every_isa(Work&& work) {
    for (const CpuCapability& isa : instruction_sets()) {
      SCOPED_TRACE(isa.name);
      work(kernels_for<T>(isa));
      if (HasFatalFailure()) return;
    }
  }
  static void check(const BackwardCase<T>& c, const How& how = {}) {
    SCOPED_TRACE(c.shape);
    const BackwardTruth<T> truth(c);
    on_every_isa([&](const KernelsOf<T>& kernels) { truth.expect(c, c.run(kernels, how)); });
  }
  static void check(Random& random, const Shape& shape, const How& how = {}) {
    check(BackwardCase<T>(random, shape), how);
  }
  static void expect_same_bits(const BackwardResult<T>& got, const BackwardResult<T>& want) {
    ASSERT_EQ(got.grad_x.data, want.grad_x.data);
    ASSERT_EQ(got.state, want.state);
    ASSERT_EQ(got.sum_b, want.sum_b);
    ASSERT_EQ(got.sum_a, want.sum_a);
  }
};
TYPED_TEST_SUITE(LfilterBackward, ScalarTypes);

TYPED_TEST(LfilterBackward, EqualsItsDefinitionAtEveryOrder) {
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

TYPED_TEST(LfilterBackward, EqualsItsDefinitionAtEveryLength) {
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

TYPED_TEST(LfilterBackward, ManyTilesKeepTheirPrecision) {
  Random random(3);
  for (const int64_t P : {1, 2, 4, 8, 16, 20}) {
    for (const double radius : {0.9, 0.999, 0.99999})
      this->check(random, {P, P, 2, 3000, false, radius});
  }
}

TYPED_TEST(LfilterBackward, PolesBeyondTheCircleGrowAsTheyShould) {
  Random random(4);
  for (const int64_t P : {1, 2, 4, 7, 12, 20}) {
    for (const double radius : {1.0, 1.05, 1.2}) {
      for (const int64_t time : {20, 70, 300}) this->check(random, {P, P, 3, time, false, radius});
    }
  }
}

// Without zeros grad_x is lambda, and the kernel may take the one for the other.
TYPED_TEST(LfilterBackward, OfAnAllPoleFilterIsLambda) {
  using T = TypeParam;
  Random random(5);
  for (const int64_t N : {0, 1, 2, 5, 8, 16, 18}) {
    for (const int64_t time : {0, 7, 64, 70, 1100}) {
      BackwardCase<T> c(random, {0, N, 3, time});
      for (int64_t i = 0; i <= N; ++i) c.bank.b[i] = acc_t<T>(i == 0 ? 1 : 0);
      for (const bool sums : {true, false}) {
        c.needs_sum_b = c.needs_sum_a = sums;
        this->check(c);
      }
    }
  }
}

TYPED_TEST(LfilterBackward, GivesWhatIsAskedForAndNoMore) {
  using T = TypeParam;
  Random random(6);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {0, 3}, {4, 0}, {9, 12}, {20, 20}}) {
    for (const int64_t time : {5, 70, 1100}) {
      BackwardCase<T> c(random, {M, N, 2, time});
      for (int needs = 0; needs < 8; ++needs) {
        c.needs_grad_x = needs & 1;
        c.needs_sum_b = needs & 2;
        c.needs_sum_a = needs & 4;
        this->check(c);
      }
    }
  }
}

TYPED_TEST(LfilterBackward, CutAnywhereEqualsWhole) {
  Random random(7);
  for (const auto& [M, N] : {std::pair(2, 2), {5, 3}, {0, 8}, {16, 16}}) {
    for (int64_t cut = 0; cut <= 70; ++cut) this->check(random, {M, N, 2, 70}, {{cut}});
    this->check(random, {M, N, 1, 2500}, {{1, 17, 1030, 1031, 2100}});
  }
}

TYPED_TEST(LfilterBackward, StoresAroundTheCacheChangeNothing) {
  using T = TypeParam;
  Random random(8);
  for (const int64_t P : {1, 2, 4, 8, 16}) {
    for (int64_t gap = 0; gap < 6; ++gap) {  // rows at every alignment
      BackwardCase<T> c(random, {P, P, 5, 80 + gap, false, 0.9, gap});
      for (const bool sums : {true, false}) {
        c.needs_sum_b = c.needs_sum_a = sums;
        this->on_every_isa([&](const KernelsOf<T>& kernels) {
          this->expect_same_bits(c.run(kernels, {.around_cache = true}), c.run(kernels));
        });
      }
    }
  }
}

// What a thread gets is a range of rows: its bits do not depend on the other rows.
TYPED_TEST(LfilterBackward, RowsInRangesHaveTheSameBits) {
  using T = TypeParam;
  Random random(9);
  for (const bool filter_a_row : {false, true}) {
    for (const int64_t P : {0, 1, 2, 3, 8, 16, 19}) {
      const BackwardCase<T> c(random, {P, P, 5, 1111, filter_a_row});
      this->on_every_isa([&](const KernelsOf<T>& kernels) {
        BackwardResult<T> got = c.blank();
        kernels.lfilter_backward(c.params(got), {3, 5, 0, 1111});
        for (int64_t n = 0; n < 3 * got.grad_x.stride; ++n) {
          ASSERT_EQ(got.grad_x.data[n], kUntouched<T>);
        }
        kernels.lfilter_backward(c.params(got), {0, 1, 0, 1111});
        kernels.lfilter_backward(c.params(got), {1, 1, 0, 1111});
        kernels.lfilter_backward(c.params(got), {1, 3, 0, 1111});
        this->expect_same_bits(got, c.run(kernels));
      });
    }
  }
}

}  // namespace
}  // namespace polezero::test
