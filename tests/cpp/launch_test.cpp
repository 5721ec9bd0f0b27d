// The launchers on threads: rows side by side, or one row split in time. Needs Torch.
#include "kernels/cpu/launch.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <limits>

#include "kernels/cpu/run_rows.h"
#include "lpv_cases.h"

namespace polezero::test {
namespace {

constexpr int64_t kLong = (int64_t{1} << 17) + 77;  // four chunks on four threads

// Threads and determinism as they were, at the end of the scope.
class Launch {
 public:
  Launch(int threads, bool deterministic)
      : threads_(at::get_num_threads()),
        deterministic_(at::globalContext().deterministicAlgorithms()) {
    at::set_num_threads(threads);
    at::globalContext().setDeterministicAlgorithms(deterministic, false);
  }
  ~Launch() {
    at::set_num_threads(threads_);
    at::globalContext().setDeterministicAlgorithms(deterministic_, false);
  }

 private:
  int threads_;
  bool deterministic_;
};

template <class T>
ForwardResult<T> launch(const ForwardCase<T>& c, int threads, bool deterministic = false) {
  const Launch scope(threads, deterministic);
  ForwardResult<T> out = c.blank();
  cpu::lfilter_forward<T>(c.params(out), c.shape.rows, c.shape.time);
  return out;
}
template <class T>
BackwardResult<T> launch(const BackwardCase<T>& c, int threads, bool deterministic = false) {
  const Launch scope(threads, deterministic);
  BackwardResult<T> out = c.blank();
  cpu::lfilter_backward<T>(c.params(out), c.shape.rows, c.shape.time);
  return out;
}
template <class T>
LpvResult<T> launch(const LpvCase<T>& c, int threads) {
  const Launch scope(threads, false);
  LpvResult<T> out = c.blank();
  const auto run = [&](auto kernel, const auto& params) {
    cpu::run_rows(kernel, params, c.shape.rows, c.shape.time);
  };
  run(cpu::lpv_allpole_kernels<T>().forward, c.allpole(out));
  run(cpu::lpv_allpole_kernels<T>().backward, c.backward(out));
  run(cpu::lpv_fir_kernels<T>().forward, c.fir(out));
  run(cpu::lag_product_kernels<T>().multiply, c.product(out));
  return out;
}

template <class T>
class Launcher : public ::testing::Test {};
TYPED_TEST_SUITE(Launcher, ScalarTypes);

TYPED_TEST(Launcher, SplitInTimeEqualsWhole) {
  using T = TypeParam;
  Random random(1);
  for (const auto& [M, N] : {std::pair(2, 2), {3, 0}, {4, 8}, {16, 0}}) {
    const Shape shape{M, N, 1, kLong, false, 0.999};
    SCOPED_TRACE(shape);
    const ForwardCase<T> forward(random, shape);
    const ForwardTruth<T> forward_truth(forward);
    const BackwardCase<T> backward(random, shape);
    const BackwardTruth<T> backward_truth(backward);
    for (const int threads : {1, 2, 4}) {
      SCOPED_TRACE(threads);
      forward_truth.expect(launch(forward, threads));
      backward_truth.expect(launch(backward, threads));
    }
  }
}

TYPED_TEST(Launcher, RowsBelowTheNumberOfThreadsAreSplitEach) {
  using T = TypeParam;
  Random random(2);
  const Shape shape{2, 3, 3, kLong, true};
  const ForwardCase<T> forward(random, shape);
  ForwardTruth<T>(forward).expect(launch(forward, 4));
  BackwardCase<T> backward(random, shape);
  BackwardTruth<T>(backward).expect(launch(backward, 4));
  backward.needs_grad_x = false;
  BackwardTruth<T>(backward).expect(launch(backward, 4));
  backward.needs_grad_x = true;
  backward.needs_sum_a = backward.needs_sum_b = false;
  BackwardTruth<T>(backward).expect(launch(backward, 4));
}

TYPED_TEST(Launcher, DeterministicAlgorithmsNeverSplit) {
  using T = TypeParam;
  Random random(3);
  const ForwardCase<T> forward(random, {2, 2, 1, kLong});
  const BackwardCase<T> backward(random, {2, 2, 1, kLong});
  EXPECT_TRUE(launch(forward, 4, true) == launch(forward, 1));
  EXPECT_TRUE(launch(backward, 4, true) == launch(backward, 1));
}

TYPED_TEST(Launcher, RowsForAllThreadsHaveTheSameBitsOnAnyNumber) {
  using T = TypeParam;
  Random random(4);
  for (const auto& [rows, time] : {std::pair(4, 40000), {7, 9000}, {3000, 33}, {50, 1500}}) {
    for (const bool filter_a_row : {false, true}) {
      const ForwardCase<T> forward(random, {2, 3, rows, time, filter_a_row});
      const BackwardCase<T> backward(random, {2, 3, rows, time, filter_a_row});
      for (const int threads : {2, 3, 4}) {
        EXPECT_TRUE(launch(forward, threads) == launch(forward, 1)) << forward.shape;
        EXPECT_TRUE(launch(backward, threads) == launch(backward, 1)) << backward.shape;
      }
    }
  }
}

TYPED_TEST(Launcher, TakesNoRowsAndNoSamples) {
  using T = TypeParam;
  Random random(5);
  for (const auto& [rows, time] : {std::pair(0, 0), {0, 5}, {2, 0}}) {
    const ForwardCase<T> forward(random, {2, 2, rows, time});
    EXPECT_TRUE(launch(forward, 2) == forward.blank()) << forward.shape;
    const BackwardCase<T> backward(random, {2, 2, rows, time});
    EXPECT_TRUE(launch(backward, 2) == backward.blank()) << backward.shape;
    const LpvCase<T> varying(random, {rows, time, 2, {0, false}});
    EXPECT_TRUE(launch(varying, 2) == varying.blank()) << varying.shape;
  }
}

// The transition over a chunk overflows: the row is filtered whole.
TYPED_TEST(Launcher, UnstableFiltersOfFiniteOutputStayFinite) {
  using T = TypeParam;
  Random random(6);
  const int64_t time = kLong;
  ForwardCase<T> forward(random, {0, 2, 1, time});
  forward.bank.a = {acc_t<T>(-3), acc_t<T>(0)};
  std::fill(forward.x.data.begin(), forward.x.data.end() - 20, T(0));
  std::fill(forward.zi.begin(), forward.zi.end(), acc_t<T>(0));
  ForwardTruth<T>(forward).expect(launch(forward, 4));
}

TYPED_TEST(Launcher, NonFiniteSamplesActTheSameInEveryChunk) {
  using T = TypeParam;
  Random random(7);
  for (const auto& [M, N] : {std::pair(2, 0), {0, 1}, {3, 2}}) {
    for (const int64_t at : {int64_t{5}, kLong / 2, kLong - 3}) {
      for (const double bad : {std::nan(""), HUGE_VAL}) {
        ForwardCase<T> forward(random, {M, N, 1, kLong});
        forward.x.row(0)[at] = static_cast<T>(bad);
        SCOPED_TRACE(::testing::Message() << bad << " at " << at << ", " << forward.shape);
        ForwardTruth<T>(forward).expect(launch(forward, 4));
        BackwardCase<T> backward(random, {M, N, 1, kLong});
        backward.grad_y.row(0)[at] = static_cast<T>(bad);
        BackwardTruth<T>(backward).expect(launch(backward, 4));
      }
    }
  }
}

TYPED_TEST(Launcher, TimeVaryingRowsHaveTheSameBitsOnAnyNumberOfThreads) {
  using T = TypeParam;
  Random random(10);
  for (const Lags& lags : kAllLags) {
    for (const auto& [rows, time] : {std::pair(1, 70000), {3, 40000}, {700, 333}}) {
      const LpvCase<T> c(random, {rows, time, 3, lags, rows == 3});
      SCOPED_TRACE(c.shape);
      const LpvResult<T> one = launch(c, 1);
      LpvTruth<T>(c).expect(one);
      for (const int threads : {2, 4}) EXPECT_TRUE(launch(c, threads) == one) << threads;
    }
  }
}

TEST(LauncherMode, OfDenormalsIsAsItWasOnEveryThread) {
  Random random(8);
  volatile float smallest = std::numeric_limits<float>::min();
  const ForwardCase<float> row(random, {2, 2, 1, kLong}), rows(random, {2, 2, 8, kLong / 4});
  const Launch scope(4, false);
  for (const ForwardCase<float>* c : {&row, &rows}) {
    ForwardResult<float> out = c->blank();
    cpu::lfilter_forward<float>(c->params(out), c->shape.rows, c->shape.time);
    at::parallel_for(0, 4, 1, [&](int64_t, int64_t) {
      volatile float half = smallest / 2;
      EXPECT_GT(half, 0.0f);
    });
  }
}

// A decaying tail ends in zeros, not in denormals.
TEST(LauncherMode, SilenceAfterSoundHasNoDenormals) {
  Random random(9);
  ForwardCase<float> c(random, {2, 2, 1, 40000, false, 0.9});
  std::fill(c.x.data.begin() + 1, c.x.data.end(), 0.0f);
  const ForwardResult<float> got = launch(c, 1);
  for (const float y : got.y.data) {
    ASSERT_TRUE(y == 0 || std::abs(y) >= std::numeric_limits<float>::min());
  }
  for (const double s : got.state) ASSERT_EQ(s, 0);
}

}  // namespace
}  // namespace polezero::test
