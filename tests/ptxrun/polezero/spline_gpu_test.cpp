// Splines and upsampling on the GPU's kernels, against the definitions of tests/cpp/spline_test.cpp.
#include "device.h"
#include "spline_test.cpp"

namespace polezero::test {
namespace {

template <class T>
class GpuSpline : public ::testing::Test {};
TYPED_TEST_SUITE(GpuSpline, ScalarTypes);

TYPED_TEST(GpuSpline, ReadsAndHandsBackWhatBSplinesDo) {
  using T = TypeParam;
  using D = cuda::on_device_t<T>;
  on_small_and_large_gpus([] {
    Random random(1);
    constexpr int64_t kRows = 2, kPoints = 60;
    for (const Shape& s : shapes()) {
      SCOPED_TRACE(::testing::Message() << "degree " << s.degree << (s.derivative ? "'" : "") << (s.whole_sample ? ", whole_sample, " : ", ") << s.knots << " knots");
      std::vector<double> t(kRows * kPoints);
      for (double& v : t) v = random.uniform(-12, static_cast<double>(s.knots) + 12);
      auto c = random_rows<T>(random, kRows, s.knots, 3);
      auto g = random_rows<T>(random, kRows, kPoints, 1);
      if (s.knots == 40) c.row(1)[20] = g.row(1)[30] = not_a_number<T>();
      std::vector<exact_t<T>> y(kRows * kPoints), h(kRows * s.knots);
      std::vector<std::multimap<int64_t, int64_t>> lists(kRows);
      const Interpolator& basis = s.degree == 3 ? kCubicSpline : kQuadraticSpline;
      SplineParams<T> host{.basis = derived(basis, s.derivative), .odd = s.derivative, .shift = s.degree == 3 ? 0 : 0.5, .whole_sample = s.whole_sample, .knots = s.knots, .t = t.data(), .t_stride = kPoints, .x = nullptr, .x_stride = 0, .y = nullptr};
      for (int64_t i = 0; i < kRows * kPoints; ++i) {
        const int64_t r = i / kPoints, n = i % kPoints;
        for (const auto& [k, w] : weights(s.degree, s.derivative, s.whole_sample, s.knots, t[i])) {
          y[i] += w * exact(c.row(r)[k]);
          h[r * s.knots + k] += w * exact(g.row(r)[n]);
        }
        for (int j = 0; j < basis.points; ++j) {
          const int64_t k = spline_point(host, r, n).first + j;
          lists[r].insert({mirrored(k, s.knots, s.whole_sample), n * basis.points + j});
        }
      }
      std::vector<int64_t> read, begin;
      for (const auto& list : lists) {
        for (int64_t k = 0; k <= s.knots; ++k) begin.push_back(std::distance(list.begin(), list.lower_bound(k)));
        for (const auto& [k, i] : list) read.push_back(i);
      }
      std::vector<T> got(y.size(), T(-12345)), back(h.size(), T(-12345));
      Gpu gpu;
      SplineParams<D> p{.basis = host.basis, .odd = host.odd, .shift = host.shift, .whole_sample = host.whole_sample, .knots = s.knots, .t = gpu.in(t.data(), kRows * kPoints), .t_stride = kPoints,
                        .x = gpu.in(c.data.data(), Gpu::extent(kRows, s.knots, c.stride)), .x_stride = c.stride, .y = gpu.out(got.data(), kRows * kPoints)};
      cuda::spline<D>(gpu.context(), p, kRows, kPoints);
      p.x = gpu.in(g.data.data(), Gpu::extent(kRows, kPoints, g.stride)), p.x_stride = g.stride, p.y = gpu.out(back.data(), kRows * s.knots);
      cuda::spline_transposed<D>(gpu.context(), p, {gpu.in(read.data(), static_cast<int64_t>(read.size())), gpu.in(begin.data(), static_cast<int64_t>(begin.size())), kRows}, kRows, kPoints);
      gpu.finish();
      ASSERT_LE(largest_error(got.data(), y.data(), y.size()), tolerance<T>());
      ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>());
    }
  });
}

TYPED_TEST(GpuSpline, UpsamplesAsItsValuesBetweenKnots) {
  using T = TypeParam;
  using D = cuda::on_device_t<T>;
  on_small_and_large_gpus([] {
    Random random(2);
    constexpr int64_t kRows = 2;
    for (const int64_t knots : {1, 2, 3, 4, 5, 50}) {
      for (const int64_t factor : {1, 2, 4, 8, 9}) {
        for (const bool whole_sample : {false, true}) {
          SCOPED_TRACE(::testing::Message() << knots << " knots, " << factor << " samples each" << (whole_sample ? ", whole_sample" : ""));
          const int64_t samples = (knots - 1) * factor + 1;
          auto c = random_rows<T>(random, kRows, knots, 3);
          auto g = random_rows<T>(random, kRows, samples, 1);
          if (knots == 50) c.row(1)[20] = g.row(1)[30] = not_a_number<T>();
          std::vector<exact_t<T>> y(kRows * samples), h(kRows * knots);
          for (int64_t i = 0; i < kRows * samples; ++i) {
            const int64_t r = i / samples, n = i % samples;
            for (const auto& [k, w] : weights(3, false, whole_sample, knots, static_cast<double>(n) / static_cast<double>(factor))) {
              y[i] += w * exact(c.row(r)[k]);
              h[r * knots + k] += w * exact(g.row(r)[n]);
            }
            for (int64_t j = 0; j < 4; ++j) {  // where its weight is 0, too, a NaN comes through
              const int64_t k = beyond(n / factor - 1 + j, knots, whole_sample);
              y[i] += 0.0L * exact(c.row(r)[k]);
              h[r * knots + k] += 0.0L * exact(g.row(r)[n]);
            }
          }
          std::vector<T> got(y.size(), T(-12345)), back(h.size(), T(-12345));
          Gpu gpu;
          cuda::upsample<D>(gpu.context(), {factor, kCubicSpline, whole_sample, knots, gpu.in(c.data.data(), Gpu::extent(kRows, knots, c.stride)), c.stride, gpu.out(got.data(), kRows * samples)}, false, kRows);
          cuda::upsample<D>(gpu.context(), {factor, kCubicSpline, whole_sample, knots, gpu.in(g.data.data(), Gpu::extent(kRows, samples, g.stride)), g.stride, gpu.out(back.data(), kRows * knots)}, true, kRows);
          gpu.finish();
          ASSERT_LE(largest_error(got.data(), y.data(), y.size()), tolerance<T>());
          ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>());
        }
      }
    }
  });
}

}  // namespace
}  // namespace polezero::test
