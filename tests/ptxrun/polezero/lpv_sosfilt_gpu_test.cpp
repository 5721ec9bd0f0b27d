// Cascades that change with time: the cases of tests/cpp/lpv_sosfilt_cases.h on the GPU's kernels, as
// csrc/ops/lpv_sosfilt.cpp calls them.
#include "launchers.h"
#include "lpv_sosfilt_cases.h"

namespace polezero::test {
namespace {

// What is needed of the backward pass.
struct Needed {
  bool sos = true, x = true;
};

template <class T>
VaryingResult<T> run_on_gpu(const VaryingCase<T>& c, const Needed& needed = {}) {
  using A = acc_t<T>;
  VaryingResult<T> out = c.blank();
  OnGpu<T>::lpv_sosfilt_forward(c.forward(out), c.shape.time);
  auto p = c.backward(out);
  if (!needed.x) p.grad_x = nullptr;
  if (!needed.sos) p.x = nullptr;
  // in the type of the sections
  std::vector<T> gradient(c.given.size(), kUntouched<T>);
  std::vector<A> wide_gradient(c.wide.size(), kUntouched<A>);
  if (needed.sos && c.is_wide()) p.wide_grad = c.numbers(wide_gradient.data());
  if (needed.sos && !c.is_wide()) p.grad = c.numbers(gradient.data());
  OnGpu<T>::lpv_sosfilt_backward(p, needed.sos ? c.zi.data() : nullptr, c.shape.time);
  if (p.grad) c.take_gradient(gradient, out);
  if (p.wide_grad) c.take_gradient(wide_gradient, out);
  return out;
}

template <class T>
class GpuVaryingSections : public ::testing::Test {
 public:
  static void check(const VaryingShape& shape) {
    SCOPED_TRACE(shape);
    Random random(shape.rows + shape.time);
    const VaryingCase<T> c(random, shape);
    expect_its_definition(c, run_on_gpu(c));
  }
};
TYPED_TEST_SUITE(GpuVaryingSections, ScalarTypes);

const Frames kOfEverySample{}, kHeld{.hop = 5, .offset = 3}, kLinear{.hop = 40, .offset = 39, .linear = true};

// Rows that have each their own sections, or one set for all, or for some of them; of a chunk, and of many.
TYPED_TEST(GpuVaryingSections, EqualsItsDefinition) {
  on_small_and_large_gpus([] {
    for (const Frames& frames : {kOfEverySample, Frames{.hop = 2, .offset = 1, .linear = true}, kHeld, kLinear}) {
      for (const auto& [rows, rows_per_set] : {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {4, 4}, {8, 4}}) {
        for (const int64_t time : {1, 2, 41, 200}) {
          for (const int64_t sections : {1, 3}) {
            if (sections == 3 && rows * time > 600) continue;
            for (const bool monic : {true, false}) {
              // sections in float64 beside float32
              const bool wide = frames.of_every_sample() && sections == 1;
              const bool apart = sections == 1 && monic;
              GpuVaryingSections<TypeParam>::check({rows, time, sections, rows_per_set, frames, wide, monic, apart});
              if (::testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  });
}

// The few processors have chunks longer than the shortest.
TYPED_TEST(GpuVaryingSections, ManySamplesAndManyRows) {
  on_small_and_large_gpus([] {
    GpuVaryingSections<TypeParam>::check({1, 3000, 2, 1, kLinear, false, false});
    GpuVaryingSections<TypeParam>::check({2, 64 * 130 + 1, 1, 2, kHeld, false, false});
    GpuVaryingSections<TypeParam>::check({2, 1100, 2, 1, kOfEverySample});
    GpuVaryingSections<TypeParam>::check({90, 500, 1, 90, kOfEverySample});
    GpuVaryingSections<TypeParam>::check({300, 150, 1, 1, kHeld});
  });
}

// A gradient that is not needed makes no difference to the bits of the others.
TYPED_TEST(GpuVaryingSections, WhatIsNotNeededIsNotWritten) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    for (const Frames& frames : {kOfEverySample, kLinear}) {
      Random random(4);
      const VaryingCase<T> c(random, {4, 200, 2, 4, frames});
      const VaryingResult<T> all = run_on_gpu(c), no_sos = run_on_gpu(c, {.sos = false}), no_x = run_on_gpu(c, {.x = false}), blank = c.blank();
      EXPECT_EQ(no_sos.grad_x, all.grad_x);
      EXPECT_EQ(no_x.grad_x, blank.grad_x);
      EXPECT_EQ(no_x.gradient, all.gradient);
      for (const VaryingResult<T>* one : {&no_sos, &no_x}) EXPECT_EQ(one->adjoint_state, all.adjoint_state);
    }
  });
}

TYPED_TEST(GpuVaryingSections, NanReachesTheSamplesOfTheDefinition) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    for (const int64_t rows_per_set : {1, 4}) {
      for (const Frames& frames : {kOfEverySample, kLinear}) {
        for (const int64_t n : {0, 150, 1299}) {
          Random random(2);
          VaryingCase<T> c(random, {4, 1300, 2, rows_per_set, frames});
          c.x.row(0)[n] = c.g.row(2)[n] = not_a_number<T>();
          // states of the second section before, and of the first one after: heard in themselves alone
          c.zi[(2 * 2 + 1) * 2] = c.later[3 * 2 * 2 + 1] = not_a_number<acc_t<T>>();
          SCOPED_TRACE(::testing::Message() << c.shape << ", NaN at " << n);
          expect_its_definition(c, run_on_gpu(c));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

// A transition overflows where the filter itself, from rest, does not.
TYPED_TEST(GpuVaryingSections, UnstableSectionsAreExactUntilTheyOverflow) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    for (const Frames& frames : {kOfEverySample, kLinear}) {
      Random random(3);
      VaryingCase<T> c(random, {2, 1500, 2, 1, frames});
      for (size_t i = 0; i < c.wide_sos.size(); ++i) {
        if (i % 6 > 3) c.wide_sos[i] *= 1e6;  // a_1, a_2
      }
      c.lay_out();
      for (auto* state : {&c.zi, &c.later}) std::fill(state->begin(), state->end(), acc_t<T>(0));
      for (auto* signal : {&c.x.data, &c.g.data}) std::fill(signal->begin(), signal->end(), T(0));
      c.x.row(1)[1498] = c.g.row(1)[1] = T(1);
      expect_its_definition(c, run_on_gpu(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

}  // namespace
}  // namespace polezero::test
