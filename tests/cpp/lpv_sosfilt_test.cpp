// Cascades that change with time, and their adjoint with the gradient of the sections, against
// their definition (lpv_sosfilt_cases.h): by the launchers of the CPU, which ctest forces to every
// instruction set, and as a GPU computes them, on the host.
#include "emulated_kernels.h"
#include "kernels/cuda/tile/lpv_sosfilt_chunks.h"
#include "lpv_sosfilt_cases.h"

namespace polezero::test {
namespace {

template <class T>
VaryingResult<T> run_on_cpu(const VaryingCase<T>& c) {
  using A = acc_t<T>;
  VaryingResult<T> out = c.blank();
  cpu::lpv_sosfilt_forward(c.forward(out), c.shape.time);
  auto p = c.backward(out);
  std::vector<T> gradient(c.given.size());
  std::vector<A> wide_gradient(c.wide.size());
  const auto of_set = static_cast<int64_t>(c.wide_sos.size()) / c.sets();
  std::vector<A> sums;
  if (c.shape.frames.hop > 1) {
    const int64_t rows = c.shape.rows_per_set == 1
                             ? c.shape.rows
                             : cpu::lpv_sosfilt_batches<T>(p.sections, c.shape.rows);
    sums.resize(rows * of_set);
    p.sums = sums.data();
  } else if (c.is_wide()) {
    p.wide_grad = c.numbers(wide_gradient.data());
  } else {
    p.grad = c.numbers(gradient.data());
  }
  cpu::lpv_sosfilt_backward(p, c.zi.data(), c.shape.time);
  const auto per_set = static_cast<int64_t>(sums.size()) / c.sets();
  for (size_t i = 0; i < sums.size(); ++i) {
    out.gradient[i / per_set * of_set + i % of_set] += sums[i];
  }
  if (p.grad) c.take_gradient(gradient, out);
  if (p.wide_grad) c.take_gradient(wide_gradient, out);
  return out;
}

template <class T>
VaryingResult<T> run_on_emulated_gpu(const VaryingCase<T>& c) {
  using A = acc_t<T>;
  VaryingResult<T> out = c.blank(), again = c.blank();
  const int64_t rows = c.shape.rows, K = c.shape.sections, time = c.shape.time;
  run_chunks(LpvSosfiltChunks<T>{c.forward(out), rows, time});
  auto signals = unwritten<A>(rows * (K + 1) * time), lambdas = unwritten<A>(rows * K * (time + 2));
  run_chunks(LpvSosfiltChunks<T>{c.forward(again), rows, time, signals.data()});
  run_chunks(LpvSosfiltAdjointChunks<T>{c.backward(out), rows, time, lambdas.data()});
  std::vector<A> memory(out.gradient.size());
  const SectionGradient<T> gradient{
      c.view(),     time,           c.x.row(0),     out.y.row(0), c.x.stride,
      out.y.stride, signals.data(), lambdas.data(), {},           c.numbers(memory.data())};
  for (int64_t i = 0; i < c.sets() * c.shape.frames.count * K; ++i) gradient.write(i);
  c.take_gradient(memory, out);
  return out;
}

template <class T>
class LauncherOfVaryingSections : public ::testing::Test {
 public:
  static void check(const VaryingShape& shape, bool on_gpu) {
    SCOPED_TRACE(shape);
    Random random(shape.rows + shape.time);
    const VaryingCase<T> c(random, shape);
    expect_its_definition(c, run_on_cpu(c));
    for (const int64_t length : {int64_t{1} << 40, int64_t{8}}) {
      if (!on_gpu || HasFatalFailure()) return;
      SCOPED_TRACE(::testing::Message() << "a GPU, chunks of " << length);
      chunk_length = length;
      expect_its_definition(c, run_on_emulated_gpu(c));
    }
  }
};
TYPED_TEST_SUITE(LauncherOfVaryingSections, ScalarTypes);

TYPED_TEST(LauncherOfVaryingSections, EqualsItsDefinition) {
  for (const Frames& frames :
       {Frames{}, Frames{.hop = 2, .offset = 1, .linear = true}, Frames{.hop = 5},
        Frames{.hop = 40, .offset = 39, .linear = true}, Frames{.hop = 50, .offset = 3}}) {
    for (const auto& [rows, rows_per_set] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 1}, {11, 1}, {4, 4}, {11, 11}, {36, 18}}) {
      for (const int64_t time : {1, 2, 31, 64, 65, 150}) {
        for (const int64_t sections : {1, 5}) {
          for (const bool monic : {true, false}) {
            const bool wide = frames.hop == 1 && sections == 1;
            this->check({rows, time, sections, rows_per_set, frames, wide, monic},
                        time < 70 && rows < 5);
            if (this->HasFatalFailure()) return;
            if (sections > 1) continue;
            this->check({rows, time, 1, rows_per_set, frames, false, monic, /*apart=*/true},
                        time < 70 && rows < 5);
            if (this->HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// A section hears those before it, and in the adjoint those after it.
TYPED_TEST(LauncherOfVaryingSections, KeepTheNanOfAStateInChunks) {
  using T = TypeParam;
  for (const int64_t n : {2, 3}) {
    Random random(6);
    VaryingCase<T> c(random, {2, 65, 3, 1, {.hop = 20, .linear = true}});
    c.zi[n] = c.later[n] = std::numeric_limits<double>::quiet_NaN();
    chunk_length = 8;
    expect_its_definition(c, run_on_emulated_gpu(c));
  }
}

// Spans of time of which the gradient is summed over batches, and threads.
TYPED_TEST(LauncherOfVaryingSections, EqualsItsDefinitionOverManySamples) {
  this->check({40, 1100, 2, 40, {}}, false);
  this->check({3, 1100, 2, 1, {.hop = 37, .linear = true}}, true);
}

// What a batch has beside it makes no difference to a row's bits.
TYPED_TEST(LauncherOfVaryingSections, KeepsNonFiniteValuesInTheirRows) {
  using T = TypeParam;
  for (const int64_t rows_per_set : {1, 5}) {
    for (const Frames& frames : {Frames{}, Frames{.hop = 40, .linear = true}}) {
      Random random(5);
      VaryingCase<T> c(random, {5, 90, 3, rows_per_set, frames});
      const VaryingResult<T> clean = run_on_cpu(c);
      c.x.row(2)[40] = c.g.row(2)[60] = std::numeric_limits<double>::quiet_NaN();
      const VaryingResult<T> got = run_on_cpu(c);
      for (int64_t r = 0; r < 5; ++r) {
        for (int64_t n = 0; n < 90; ++n) {
          const T y = got.y.row(r)[n], grad = got.grad_x.row(r)[n];
          EXPECT_EQ(y != y, r == 2 && n >= 40);
          EXPECT_EQ(grad != grad, r == 2 && n <= 60);
          EXPECT_TRUE(y != y || y == clean.y.row(r)[n]);
          EXPECT_TRUE(grad != grad || grad == clean.grad_x.row(r)[n]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
