// What changes with time: the cases of tests/cpp/lpv_cases.h on the GPU's kernels, scans and chunks.
#include "launchers.h"
#include "lpv_cases.h"

namespace polezero::test {
namespace {

template <class T>
class GpuLpv : public ::testing::Test {
 public:
  static void check(Random& random, const LpvShape& shape) {
    const LpvCase<T> c(random, shape);
    SCOPED_TRACE(::testing::Message() << shape);
    LpvTruth<T>(c).expect(c.run(OnGpu<T>::kernels()), /*carries_state=*/false);
  }
};
TYPED_TEST_SUITE(GpuLpv, ScalarTypes);

TYPED_TEST(GpuLpv, EqualsItsDefinition) {
  on_gpus([] {
    Random random(1);
    for (const Lags& lags : kAllLags) {
      for (const int64_t order : {1, 2, 3, 8}) {
        for (const int64_t time : {1, 2, 3, 9, 130, 1500}) {
          GpuLpv<TypeParam>::check(random, {2, time, order, lags, time == 130});
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TYPED_TEST(GpuLpv, ManyTilesAndManyRows) {
  on_gpus([] {
    Random random(2);
    for (const Lags& lags : kAllLags) {
      for (const int64_t order : {1, 2}) {
        // of as many warps as csrc/kernels/cuda/lpv_allpole.cu gives a block
        const int64_t samples = kComplex<TypeParam> ? 4 : sizeof(TypeParam) == 4 ? 16 : 8;
        const int64_t tile = order == 1 ? 256 * samples : 128 * samples / 2;
        GpuLpv<TypeParam>::check(random, {1, 34 * tile + 17, order, lags});
        GpuLpv<TypeParam>::check(random, {5, tile + 100, order, lags, true});
        GpuLpv<TypeParam>::check(random, {90, 150, order, lags});
        if (::testing::Test::HasFatalFailure()) return;
      }
      GpuLpv<TypeParam>::check(random, {1, 64 * 140 + 1, 3, lags});
      GpuLpv<TypeParam>::check(random, {2, 1300, 5, lags, true});
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TYPED_TEST(GpuLpv, NanReachesTheSamplesOfTheDefinition) {
  using T = TypeParam;
  on_gpus([] {
    Random random(4);
    for (const Lags& lags : kAllLags) {
      for (const int64_t n : {0, 700, 1498}) {
        LpvCase<T> c(random, {2, 1500, 2, lags});
        c.x.row(0)[n] = c.g.row(0)[n] = not_a_number<T>();
        LpvTruth<T>(c).expect(c.run(OnGpu<T>::kernels()), /*carries_state=*/false);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// A transition overflows where the filter itself, from rest, does not.
TYPED_TEST(GpuLpv, UnstableFiltersAreExactUntilTheyOverflow) {
  using T = TypeParam;
  on_gpus([] {
    Random random(6);
    for (const Lags& lags : kAllLags) {
      for (const int64_t order : {1, 2, 3}) {
        LpvCase<T> c(random, {2, 1500, order, lags});
        std::fill(c.state.begin(), c.state.end(), acc_t<T>(0));
        for (T& a : c.coefficients.data) a *= T(1e9);
        for (auto* signal : {&c.x.data, &c.g.data}) std::fill(signal->begin(), signal->end(), T(0));
        const bool late = lags.reverse;  // where the filter comes to its sound after long silence
        c.x.row(1)[late ? 1 : 1498] = c.g.row(1)[late ? 1498 : 1] = T(1);
        SCOPED_TRACE(::testing::Message() << c.shape);
        LpvTruth<T>(c).expect(c.run(OnGpu<T>::kernels()), /*carries_state=*/false);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// Three levels of the tree.
TEST(GpuLpvC64, ManyTiles) {
  using T = std::complex<float>;
  processors = 300;
  ptxrun_set("resident", 40);
  Random random(7);
  const LpvCase<T> c(random, {1, 1030 * 256 + 5, 2, {0, false}});
  auto out = c.blank();
  OnGpu<T>::lpv_allpole(c.allpole(out), {0, 1, 0, c.shape.time});
  const LpvTruth<T> truth(c);
  ASSERT_LE(largest_error(out.allpole.row(0), truth.allpole.row(0), c.shape.time), tolerance<T>());
}

// Poles close to 1: transitions are large and cancel. What is left must do for float32.
TEST(GpuLpvF32, PolesNearTheCircleAtLowFrequencies) {
  const int64_t time = 40000;
  const double radius = 0.99999, angle = 0.003;
  processors = 300;
  Random random(3);
  LpvCase<float> c(random, {1, time, 2, {0, false}});
  std::fill(c.state.begin(), c.state.end(), 0);
  for (int64_t n = 0; n < time; ++n) {
    c.coefficients.row(0)[2 * n] = static_cast<float>(-2 * radius * std::cos(angle));
    c.coefficients.row(0)[2 * n + 1] = static_cast<float>(radius * radius);
  }
  auto out = c.blank();
  OnGpu<float>::lpv_allpole(c.allpole(out), {0, 1, 0, time});
  const LpvTruth<float> want(c);
  EXPECT_LE(relative_rms(out.allpole.row(0), want.allpole.row(0), time), 1e-6);
}

// What past outputs add to the gradients, as csrc/ops/allpole.cpp asks for it.
TYPED_TEST(GpuLpv, GradientsOfPastOutputs) {
  using T = TypeParam;
  using A = acc_t<T>;
  using E = exact_t<T>;
  on_gpus([] {
    Random random(5);
    for (const bool reverse : {false, true}) {
      for (const int64_t time : {1, 2, 50}) {
        for (const auto& [N, of_a, of_zi] : {std::tuple<int64_t, bool, bool>{1, true, true}, {3, true, true}, {3, true, false}, {3, false, true}}) {
          const int64_t rows = 3;
          const auto a = random.signal<T>(rows * time * N), lambda = random.signal<T>(rows * time);
          const auto zi = random.signal<A>(rows * N);
          std::vector<T> grad_a = random.signal<T>(rows * time * N);
          std::vector<A> grad_zi(rows * N, A(-1));
          const auto before = grad_a;
          Gpu gpu;
          cuda::lpv_allpole_past<cuda::on_device_t<T>>(gpu.context(), {.reverse = reverse,
                                                                      .rows = rows,
                                                                      .time = time,
                                                                      .order = N,
                                                                      .a = gpu.in(a.data(), rows * time * N),
                                                                      .a_stride = time * N,
                                                                      .lambda = gpu.in(lambda.data(), rows * time),
                                                                      .zi = of_a ? gpu.in(zi.data(), rows * N) : nullptr,
                                                                      .grad_a = of_a ? gpu.out(grad_a.data(), rows * time * N, true) : nullptr,
                                                                      .grad_zi = of_zi ? gpu.out(grad_zi.data(), rows * N) : nullptr});
          gpu.finish();
          for (int64_t r = 0; r < rows; ++r) {
            const auto at = [&](int64_t step) { return reverse ? time - 1 - step : step; };
            std::vector<E> want(N);
            for (int64_t n = 0; n < time; ++n) {
              for (int64_t i = 1; i <= N; ++i) {
                const int64_t m = (r * time + at(n)) * N + i - 1;
                if (n >= i) {  // the filter's own outputs: as they were
                  ASSERT_EQ(grad_a[m], before[m]);
                  continue;
                }
                const E l = exact(lambda[r * time + at(n)]);
                if (of_a) ASSERT_LE(error_of(grad_a[m], -product(l, conjugate_exact(exact(zi[r * N + i - n - 1])))), 10 * tolerance<T>());
                want[i - n - 1] -= product(exact(a[m]), l);
              }
            }
            if (of_zi) ASSERT_LE(largest_error(grad_zi.data() + r * N, want.data(), N), 10 * tolerance<T>());
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace polezero::test
