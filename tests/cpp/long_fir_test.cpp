// Long filters without feedback through the launchers, which filter them by FFTs.
#include "kernels/cpu/long_fir.h"

#include <ATen/Parallel.h>

#include "kernel_cases.h"
#include "kernels/cpu/launch.h"

namespace polezero::test {
namespace {

ForwardResult<float> launch(const ForwardCase<float>& c) {
  ForwardResult<float> out = c.blank();
  auto p = c.params(out);
  EXPECT_TRUE(cpu::long_fir_pays(p.filters, c.shape.time));
  cpu::lfilter_forward<float>(p, c.shape.rows, c.shape.time);
  return out;
}
BackwardResult<float> launch(const BackwardCase<float>& c) {
  BackwardResult<float> out = c.blank();
  auto p = c.params(out);
  EXPECT_TRUE(cpu::long_fir_pays(p.filters, c.shape.time));
  cpu::lfilter_backward<float>(p, c.shape.rows, c.shape.time);
  return out;
}

template <class Case>
class LauncherOfLongFir : public ::testing::Test {
 public:
  static void check(const Case& c) {
    SCOPED_TRACE(c.shape);
    typename Case::Truth(c).expect(launch(c));
  }
};
using Cases = ::testing::Types<ForwardCase<float>, BackwardCase<float>>;
TYPED_TEST_SUITE(LauncherOfLongFir, Cases);

TYPED_TEST(LauncherOfLongFir, EqualsItsDefinition) {
  Random random(1);
  for (const int64_t M : {320, 401, 1024}) {
    for (const int64_t time : {M, M + 1, 3000 + M, int64_t{6100}}) {
      this->check(TypeParam(random, {M, 0, 2, time, time % 2 == 0}));
      if (this->HasFatalFailure()) return;
    }
  }
  this->check(TypeParam(random, {320, 0, 1, 70000}));  // several calls of an FFT
}

TYPED_TEST(LauncherOfLongFir, HasTheSameBitsOnAnyNumberOfThreads) {
  Random random(2);
  const int threads = at::get_num_threads();
  for (const int64_t rows : {1, 5}) {
    for (const int64_t M : {320, 3000}) {
      const TypeParam c(random, {M, 0, rows, 20000, true});
      at::set_num_threads(1);
      const auto one = launch(c);
      for (const int count : {2, 4}) {
        at::set_num_threads(count);
        EXPECT_TRUE(launch(c) == one) << c.shape;
      }
      at::set_num_threads(threads);
    }
  }
}

// A bad value anywhere: at the ends, around the seams of blocks, in the last samples, which make
// the state.
TYPED_TEST(LauncherOfLongFir, BadValuesGoWhereASerialFilterSendsThem) {
  Random random(3);
  const TypeParam clean(random, {320, 0, 2, 10000});
  for (const double bad : {double{NAN}, double{HUGE_VAL}}) {
    for (const int64_t at : {0, 150, 3775, 3776, 3777, 7551, 7552, 9679, 9680, 9999}) {
      SCOPED_TRACE(at);
      TypeParam c = clean;
      if constexpr (std::is_same_v<TypeParam, ForwardCase<float>>) {
        c.x.row(1)[at] = static_cast<float>(bad);
        this->check(c);
      } else {
        c.grad_y.row(1)[at] = static_cast<float>(bad);
        this->check(c);
        c = clean;
        c.x.row(1)[at] = static_cast<float>(bad);
        this->check(c);
        c = clean;
        c.zi[320 + at % 320] = bad;
        this->check(c);
      }
    }
  }
}

TEST(LauncherOfLongFirForward, BadStateIsHeardForAsLongAsASerialFilterHearsIt) {
  Random random(4);
  ForwardCase<float> c(random, {320, 0, 2, 5000});
  c.zi[320 + 57] = NAN;
  ForwardTruth<float>(c).expect(launch(c));
}

TEST(LauncherOfLongFirBackward, GivesWhatIsAskedForAndNoMore) {
  Random random(5);
  BackwardCase<float> c(random, {350, 0, 2, 6000});
  for (int needs = 0; needs < 8; ++needs) {
    c.needs_grad_x = needs & 1;
    c.needs_sum_b = needs & 2;
    c.needs_sum_a = needs & 4;
    BackwardTruth<float>(c).expect(launch(c));
  }
}

// An FFT spreads its rounding over the block, relative to its loudest sample.
TEST(LauncherOfLongFirForward, QuietNoiseAfterABurstKeepsItsPrecision) {
  Random random(6);
  ForwardCase<float> c(random, {400, 0, 1, 3600});
  std::fill(c.zi.begin(), c.zi.end(), 0.0);
  for (int64_t n = 0; n < 100; ++n) c.x.row(0)[n] *= 1e6f;
  const ForwardTruth<float> truth(c);
  const ForwardResult<float> got = launch(c);
  EXPECT_LE(relative_rms(got.y.row(0) + 600, truth.y.row(0) + 600, 3000), 3e-8);
}

}  // namespace
}  // namespace polezero::test
