// Constant FIR filters and correlations on the GPU's kernels.
#include "device.h"
#include "reference.h"

namespace polezero::test {
namespace {

template <class T>
class GpuFir : public ::testing::Test {};
TYPED_TEST_SUITE(GpuFir, ScalarTypes);

TYPED_TEST(GpuFir, ConstantFirIsItsDefinition) {
  using T = TypeParam;
  using D = cuda::on_device_t<T>;
  on_small_and_large_gpus([] {
    Random random(2);
    for (const int64_t M : {0, 1, 5, 20}) {
      for (const int64_t time : {1, 4, 30, 700}) {
        for (const bool a_row : {false, true}) {
          const bool with_nan = time == 30;
          SCOPED_TRACE(::testing::Message() << "order " << M << ", " << time << " samples" << (a_row ? ", a row" : "") << (with_nan ? ", NaN" : ""));
          const int64_t rows = 3;
          const FilterBank<T> bank(random, M, 0, a_row ? rows : 1, 0);
          auto x = random_rows<T>(random, rows, time, 2);
          if (with_nan) x.row(1)[11] = not_a_number<T>();
          for (const bool reverse : {false, true}) {
            std::vector<T> y(rows * time, T(-12345)), narrow;
            for (const auto& b : bank.b) narrow.push_back(static_cast<T>(acc_t<T>(2) * b));
            const std::vector<acc_t<T>> a0{acc_t<T>(2)};
            const std::vector<T> narrow_a0{T(2)};
            Gpu gpu;
            // coefficients in float64 in one of the two; of the signal's own type in the other, over an a_0 in either
            const GivenFilters given{.b = reverse ? static_cast<const void*>(gpu.in(bank.b.data(), bank.count * (M + 1))) : gpu.in(narrow.data(), bank.count * (M + 1)),
                                     .a = reverse ? nullptr : a_row ? static_cast<const void*>(gpu.in(a0.data(), 1)) : gpu.in(narrow_a0.data(), 1),
                                     .wide_b = reverse,
                                     .wide_a = reverse || a_row,
                                     .order_b = M,
                                     .b_stride = bank.count > 1 ? M + 1 : 0,
                                     .count = bank.count};
            const auto filters = cuda::normalise<D>(gpu.context(), given);
            cuda::fir<D>(gpu.context(), filters, reverse, rows, time, gpu.in(x.row(0), Gpu::extent(rows, time, x.stride)), x.stride, gpu.out(y.data(), rows * time));
            gpu.finish();
            for (int64_t r = 0; r < rows; ++r) {
              std::vector<exact_t<T>> s(M), want(time), lambda(time + M);
              if (reverse) {
                reference_backward(bank, r, x.row(r), time, s.data(), lambda.data(), want.data());
              } else {
                reference_forward(bank, r, x.row(r), time, s.data(), want.data());
              }
              ASSERT_LE(largest_error(y.data() + r * time, want.data(), time), tolerance<T>());
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(GpuFir, CorrelationsAreTheirDefinition) {
  using T = TypeParam;
  using D = cuda::on_device_t<T>;
  on_small_and_large_gpus([] {
    Random random(3);
    for (const int64_t time : {1, 2, 1000, 20000}) {
      for (const int64_t taps : {0, 1, 3, 17}) {
        SCOPED_TRACE(::testing::Message() << taps << " taps, " << time << " samples");
        const int64_t rows = 2;
        auto g = random_rows<T>(random, rows, time, 3), x = random_rows<T>(random, rows, time, 1);
        if (time == 1000) {  // in the sums of the first lags; in those of all but the last ones
          g.row(0)[2] = not_a_number<T>();
          x.row(1)[time - 10] = not_a_number<T>();
        }
        std::vector<acc_t<T>> c(rows * taps, acc_t<T>(-12345));
        Gpu gpu;
        cuda::lag_correlation<D>(gpu.context(),
                                 {taps, gpu.in(g.row(0), Gpu::extent(rows, time, g.stride)), g.stride, gpu.in(x.row(0), Gpu::extent(rows, time, x.stride)), x.stride,
                                  gpu.out(c.data(), rows * taps)},
                                 rows, time);
        gpu.finish();
        for (int64_t i = 0; i < rows * taps; ++i) {
          const int64_t row = i / taps;
          ASSERT_LE(error_of(c[i], reference_correlation(g.row(row), x.row(row), 0, time, i % taps, false)), 1e-10);
        }
      }
    }
  });
}

// What has no samples: the launchers that csrc/ops calls all the same.
TYPED_TEST(GpuFir, NoSamplesAndNoRows) {
  using T = TypeParam;
  using D = cuda::on_device_t<T>;
  Random random(4);
  const FilterBank<T> bank(random, 2, 0, 1, 0);
  const auto x = random.signal<T>(40);
  for (const auto& [rows, time] : {std::pair<int64_t, int64_t>{0, 10}, {3, 0}, {0, 0}}) {
    Gpu gpu;
    const auto filters = cuda::normalise<D>(gpu.context(), {.b = gpu.in(bank.b.data(), 3), .wide_b = true, .order_b = 2});
    T none;
    const D* in = gpu.in(x.data(), rows * time);
    D* out = gpu.out(&none, 0);
    cuda::fir<D>(gpu.context(), filters, false, rows, time, in, time, out);
    cuda::lpv_fir<D>(gpu.context(), {{0, false}, 2, in, 0, in, time, out, time}, rows, time);
    cuda::lag_product<D>(gpu.context(), {.lags = {0, false}, .taps = 2, .g = in, .g_stride = time, .x = in, .x_stride = time, .c = out}, rows, time);
    acc_t<T> c[6] = {};
    if (time > 0) cuda::lag_correlation<D>(gpu.context(), {2, in, time, in, time, gpu.out(c, rows * 2)}, rows, time);
    gpu.finish();
  }
}

}  // namespace
}  // namespace polezero::test
