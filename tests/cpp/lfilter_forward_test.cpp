#include "kernel_cases.h"

namespace polezero::test {
namespace {

template <class T>
class LfilterForward : public ::testing::Test {
 public:
  // Runs on every instruction set; `work` gets the kernels.
  template <class Work>
  static void on_every_isa(Work&& work) {
    for (const CpuCapability& isa : instruction_sets()) {
      SCOPED_TRACE(isa.name);
      work(kernels_for<T>(isa));
      if (HasFatalFailure()) return;
    }
  }
  static void check(Random& random, const Shape& shape, const How& how = {}) {
    SCOPED_TRACE(shape);
    const ForwardCase<T> c(random, shape);
    const ForwardTruth<T> truth(c);
    on_every_isa([&](const KernelsOf<T>& kernels) { truth.expect(c.run(kernels, how)); });
  }
};
TYPED_TEST_SUITE(LfilterForward, ScalarTypes);

TYPED_TEST(LfilterForward, EqualsItsDefinitionAtEveryOrder) {
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

TYPED_TEST(LfilterForward, EqualsItsDefinitionAtEveryLength) {
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

TYPED_TEST(LfilterForward, ManyTilesKeepTheirPrecision) {
  Random random(3);
  for (const int64_t P : {1, 2, 4, 8, 16, 20}) {
    for (const double radius : {0.9, 0.999, 0.99999})
      this->check(random, {P, P, 2, 3000, false, radius});
  }
}

TYPED_TEST(LfilterForward, PolesBeyondTheCircleGrowAsTheyShould) {
  Random random(4);
  for (const int64_t P : {1, 2, 4, 7, 12, 20}) {
    for (const double radius : {1.0, 1.05, 1.6, 4.0}) {
      for (const int64_t time : {20, 70, 300}) this->check(random, {P, P, 3, time, false, radius});
    }
  }
}

// float overflows to inf on the way while the float64 state goes on: y is inf there, never NaN.
TEST(LfilterForwardOverflow, OfTheOutputIsInfAsInASerialFilter) {
  Random random(5);
  for (const double radius : {1e3, 1.0e5}) {
    ForwardCase<float> c(random, {0, 1, 3, 40, false});
    c.bank.a = {-radius};
    const ForwardTruth<float> truth(c);
    for (const CpuCapability& isa : instruction_sets()) {
      SCOPED_TRACE(isa.name);
      truth.expect(c.run(isa.kernels->f32));
    }
  }
}

TYPED_TEST(LfilterForward, CutAnywhereEqualsWhole) {
  Random random(6);
  for (const auto& [M, N] : {std::pair(2, 2), {5, 3}, {0, 8}, {16, 16}}) {
    for (int64_t cut = 0; cut <= 70; ++cut) this->check(random, {M, N, 2, 70}, {{cut}});
    this->check(random, {M, N, 1, 2500}, {{1, 17, 1030, 1031, 2100}});
  }
}

TYPED_TEST(LfilterForward, WithoutOutputTheStateIsCarriedOn) {
  using T = TypeParam;
  Random random(7);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {3, 0}, {0, 4}, {6, 8}, {16, 11}, {20, 20}}) {
    for (const int64_t time : {0, 3, 16, 67, 70, 1100}) {
      const ForwardCase<T> c(random, {M, N, 3, time});
      SCOPED_TRACE(c.shape);
      const ForwardTruth<T> truth(c);
      this->on_every_isa([&](const KernelsOf<T>& kernels) {
        const ForwardResult<T> got = c.run(kernels, {.state_only = true});
        truth.expect(got, true);
        for (const T& y : got.y.data) ASSERT_EQ(y, kUntouched<T>);
      });
    }
  }
}

TYPED_TEST(LfilterForward, StoresAroundTheCacheChangeNothing) {
  using T = TypeParam;
  Random random(8);
  for (const int64_t P : {1, 2, 4, 8, 16}) {
    for (int64_t gap = 0; gap < 6; ++gap) {  // rows at every alignment
      const ForwardCase<T> c(random, {P, P, 5, 80 + gap, false, 0.9, gap});
      this->on_every_isa([&](const KernelsOf<T>& kernels) {
        const ForwardResult<T> want = c.run(kernels), got = c.run(kernels, {.around_cache = true});
        ASSERT_EQ(got.y.data, want.y.data);
        ASSERT_EQ(got.state, want.state);
      });
    }
  }
}

// What a thread gets is a range of rows: its bits do not depend on the other rows.
TYPED_TEST(LfilterForward, RowsInRangesHaveTheSameBits) {
  using T = TypeParam;
  Random random(9);
  for (const bool filter_a_row : {false, true}) {
    for (const int64_t P : {0, 1, 2, 3, 8, 16, 19}) {
      const ForwardCase<T> c(random, {P, P, 5, 1111, filter_a_row});
      this->on_every_isa([&](const KernelsOf<T>& kernels) {
        const ForwardResult<T> want = c.run(kernels);
        ForwardResult<T> got = c.blank();
        kernels.lfilter_forward(c.params(got), {3, 5, 0, 1111});
        for (int64_t n = 0; n < 3 * got.y.stride; ++n) ASSERT_EQ(got.y.data[n], kUntouched<T>);
        kernels.lfilter_forward(c.params(got), {0, 1, 0, 1111});
        kernels.lfilter_forward(c.params(got), {1, 1, 0, 1111});
        kernels.lfilter_forward(c.params(got), {1, 3, 0, 1111});
        ASSERT_EQ(got.y.data, want.y.data);
        ASSERT_EQ(got.state, want.state);
      });
    }
  }
}

}  // namespace
}  // namespace polezero::test
