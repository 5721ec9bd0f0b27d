// NaN and inf go where a serial filter sends them and never touch other rows, although blocks
// multiply by zeros.
#include "kernel_cases.h"

namespace polezero::test {
namespace {

constexpr double kBad[] = {NAN, HUGE_VAL, -HUGE_VAL};
// Orders with and without feedback, padded and not, in a table and beyond every table.
constexpr std::pair<int64_t, int64_t> kOrders[] = {
    {0, 0}, {2, 2},  {1, 0},  {0, 1},   {2, 0},  {5, 0},  {0, 4},  {3, 4}, {8, 3},
    {3, 8}, {16, 0}, {9, 16}, {17, 17}, {18, 0}, {0, 22}, {3, 24}, {24, 3}};
constexpr int64_t kTime = 70;  // four blocks and a rest
// Rows one after the other, with a bad value at every position; side by side, where the position
// within a block means nothing, at some.
constexpr std::pair<int64_t, int64_t> kRowsAndSteps[] = {{3, 1}, {16, 11}};

template <class T>
class NonFinite : public ::testing::Test {
 public:
  // Rows 0 and 2 have the bits that they have without the bad value.
  template <class V>
  static void expect_other_rows_equal(const std::vector<V>& got, const std::vector<V>& clean,
                                      int64_t stride, int64_t taken) {
    for (const int64_t r : {0, 2}) {
      for (int64_t i = 0; i < taken; ++i) ASSERT_EQ(got[r * stride + i], clean[r * stride + i]);
    }
  }
  static void check(const ForwardCase<T>& c, const ForwardCase<T>& clean_case) {
    const ForwardTruth<T> truth(c);
    for (const InstructionSet isa : available_instruction_sets()) {
      SCOPED_TRACE(name_of(isa));
      const KernelsOf<T> kernels = kernels_for<T>(isa);
      const ForwardResult<T> got = c.run(kernels), clean = clean_case.run(kernels);
      truth.expect(got);
      truth.expect(c.run(kernels, {.state_only = true}), true);
      const int64_t P = c.shape.order();
      expect_other_rows_equal(got.y.data, clean.y.data, got.y.stride, got.y.time);
      expect_other_rows_equal(got.state, clean.state, P, P);
    }
  }
  static void check(const BackwardCase<T>& c, const BackwardCase<T>& clean_case) {
    const BackwardTruth<T> truth(c);
    for (const InstructionSet isa : available_instruction_sets()) {
      SCOPED_TRACE(name_of(isa));
      const KernelsOf<T> kernels = kernels_for<T>(isa);
      const BackwardResult<T> got = c.run(kernels), clean = clean_case.run(kernels);
      truth.expect(got);
      const int64_t P = c.shape.order(), M = c.shape.order_b, N = c.shape.order_a;
      expect_other_rows_equal(got.grad_x.data, clean.grad_x.data, got.grad_x.stride, c.shape.time);
      expect_other_rows_equal(got.state, clean.state, P, P);
      expect_other_rows_equal(got.sum_b, clean.sum_b, M + 1, M + 1);
      expect_other_rows_equal(got.sum_a, clean.sum_a, N + 1, N + 1);
    }
  }
  // `place(c, bad)` puts a bad value somewhere in row 1 of a copy of the case.
  template <class Case, class Place>
  static void check_with(const Case& clean, Place&& place) {
    for (const double bad : kBad) {
      Case c = clean;
      place(c, bad);
      SCOPED_TRACE(::testing::Message() << bad << " in " << c.shape);
      check(c, clean);
    }
  }
};
TYPED_TEST_SUITE(NonFinite, ScalarTypes);

TYPED_TEST(NonFinite, SampleForwardActsAsInASerialFilter) {
  using T = TypeParam;
  Random random(1);
  for (const auto& [M, N] : kOrders) {
    for (const auto& [rows, step] : kRowsAndSteps) {
      const ForwardCase<T> clean(random, {M, N, rows, kTime});
      for (int64_t at = 0; at < kTime; at += step) {
        SCOPED_TRACE(at);
        this->check_with(clean, [&](auto& c, double bad) { c.x.row(1)[at] = static_cast<T>(bad); });
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(NonFinite, SampleBackwardActsAsInASerialFilter) {
  using T = TypeParam;
  Random random(2);
  for (const auto& [M, N] : kOrders) {
    for (const auto& [rows, step] : kRowsAndSteps) {
      BackwardCase<T> clean(random, {M, N, rows, kTime});
      for (const bool sums : {false, true}) {
        clean.needs_sum_b = clean.needs_sum_a = sums;
        for (int64_t at = 0; at < kTime; at += step) {
          SCOPED_TRACE(::testing::Message() << "at " << at << (sums ? ", sums" : ", no sums"));
          this->check_with(clean,
                           [&](auto& c, double bad) { c.grad_y.row(1)[at] = static_cast<T>(bad); });
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

// x and y meet lambda only in the sums.
TYPED_TEST(NonFinite, SavedSignalOnlyTouchesTheSumsThatMeetIt) {
  using T = TypeParam;
  Random random(3);
  for (const auto& [M, N] : {std::pair(0, 0), {2, 2}, {5, 0}, {0, 7}, {16, 16}, {18, 20}}) {
    for (const auto& [rows, step] : kRowsAndSteps) {
      const BackwardCase<T> clean(random, {M, N, rows, kTime});
      for (int64_t at = 0; at < kTime; at += step) {
        SCOPED_TRACE(at);
        this->check_with(clean, [&](auto& c, double bad) { c.x.row(1)[at] = static_cast<T>(bad); });
        this->check_with(clean, [&](auto& c, double bad) { c.y.row(1)[at] = static_cast<T>(bad); });
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(NonFinite, StateActsAsInASerialFilter) {
  using T = TypeParam;
  Random random(4);
  for (const auto& [M, N] : kOrders) {
    const int64_t P = std::max(M, N);
    for (const auto& [rows, step] : kRowsAndSteps) {
      const ForwardCase<T> forward(random, {M, N, rows, kTime});
      const BackwardCase<T> backward(random, {M, N, rows, kTime});
      for (int64_t k = 0; k < P; k += step) {
        SCOPED_TRACE(k);
        auto place = [&](auto& c, double bad) { c.zi[P + k] = static_cast<acc_t<T>>(bad); };
        this->check_with(forward, place);
        this->check_with(backward, place);
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

// Tiles of 1024 samples are done again as a whole: what comes before and after them must fit.
TYPED_TEST(NonFinite, SampleInAnyTileActsAsInASerialFilter) {
  using T = TypeParam;
  Random random(5);
  for (const auto& [M, N] : {std::pair(2, 2), {3, 0}, {5, 4}, {16, 0}, {20, 0}, {3, 24}, {24, 3}}) {
    const ForwardCase<T> forward(random, {M, N, 3, 2100});
    const BackwardCase<T> backward(random, {M, N, 3, 2100});
    for (const int64_t at : {0, 51, 52, 1023, 1024, 1075, 1076, 2047, 2048, 2099}) {
      SCOPED_TRACE(at);
      this->check_with(forward, [&](auto& c, double bad) { c.x.row(1)[at] = static_cast<T>(bad); });
      this->check_with(backward,
                       [&](auto& c, double bad) { c.grad_y.row(1)[at] = static_cast<T>(bad); });
    }
  }
}

// A product of finite float32 numbers may overflow where float64 does not.
TEST(NonFiniteFloat, LargeFiniteSamplesStayFinite) {
  Random random(6);
  ForwardCase<float> c(random, {2, 2, 3, kTime});
  c.bank.b = {1e-30, 0, 0};
  c.bank.a = {0, 0};
  for (float& u : c.x.data) u *= 1e37f;
  const ForwardTruth<float> truth(c);
  for (const InstructionSet isa : available_instruction_sets()) {
    SCOPED_TRACE(name_of(isa));
    truth.expect(c.run(kernels_for<float>(isa)));
  }
}

}  // namespace
}  // namespace polezero::test
