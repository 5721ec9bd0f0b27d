// Splines on every instruction set and as a GPU sums them, against the B-splines themselves.
#include <map>

#include "params/spline_points.h"
#include "reference.h"

namespace polezero::test {
namespace {

using namespace host;

// The B-spline of degree n at t, or its derivative.
long double b_spline(int n, long double t, bool derivative) {
  if (derivative) return b_spline(n - 1, t + 0.5L, false) - b_spline(n - 1, t - 0.5L, false);
  if (n == 0) return -0.5L <= t && t < 0.5L ? 1 : 0;
  const long double half = (n + 1) / 2.0L;
  return ((half + t) * b_spline(n - 1, t + 0.5L, false) +
          (half - t) * b_spline(n - 1, t - 0.5L, false)) /
         n;
}

// The sample that is k, mirrored.
int64_t beyond(int64_t k, int64_t count, bool whole_sample) {
  while (k < 0 || k >= count) {
    if (count == 1) return 0;
    k = k < 0 ? -k - (whole_sample ? 0 : 1) : 2 * count - 2 - k + (whole_sample ? 0 : 1);
  }
  return k;
}

// How a row reads its coefficients at t: weights by coefficient.
std::map<int64_t, long double> weights(int degree, bool derivative, bool whole_sample,
                                       int64_t knots, double t) {
  const long double end = knots - 1;
  long double at = t, direction = 1;
  while (at < 0 || at > end) {
    at = end == 0 ? 0 : at < 0 ? -at : 2 * end - at;
    direction = -direction;
  }
  std::map<int64_t, long double> of;
  for (int64_t k = -3; k < knots + 3; ++k) {
    const long double w = b_spline(degree, at - k, derivative);
    if (w != 0) of[beyond(k, knots, whole_sample)] += derivative ? direction * w : w;
  }
  return of;
}

struct Shape {
  int degree;
  bool derivative, whole_sample;
  int64_t knots;
};
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int64_t knots : {1, 2, 3, 5, 40}) {
    for (const int degree : {2, 3}) {
      for (const int flags : {0, 1, 2, 3})
        all.push_back({degree, flags > 1, flags % 2 == 1, knots});
    }
  }
  return all;
}

template <class T>
class SplineOf : public ::testing::Test {};
TYPED_TEST_SUITE(SplineOf, ScalarTypes);

TYPED_TEST(SplineOf, ReadsAndHandsBackWhatBSplinesDo) {
  using T = TypeParam;
  Random random(1);
  constexpr int64_t kRows = 2, kPoints = 60;
  for (const Shape& s : shapes()) {
    SCOPED_TRACE(::testing::Message()
                 << "degree " << s.degree << (s.derivative ? "'" : "")
                 << (s.whole_sample ? ", whole_sample, " : ", ") << s.knots << " knots");
    std::vector<double> t(kRows * kPoints);
    for (double& v : t) v = random.uniform(-12, static_cast<double>(s.knots) + 12);
    const auto c = random_rows<T>(random, kRows, s.knots, 3);
    const auto g = random_rows<T>(random, kRows, kPoints, 1);
    std::vector<exact_t<T>> y(kRows * kPoints), h(kRows * s.knots);
    std::vector<std::multimap<int64_t, int64_t>> lists(kRows);  // reads by coefficient
    const Interpolator& basis = s.degree == 3 ? kCubicSpline : kQuadraticSpline;
    SplineParams<T> p{.basis = derived(basis, s.derivative),
                      .odd = s.derivative,
                      .shift = s.degree == 3 ? 0 : 0.5,
                      .whole_sample = s.whole_sample,
                      .knots = s.knots,
                      .t = t.data(),
                      .t_stride = kPoints,
                      .x = c.data.data(),
                      .x_stride = c.stride,
                      .y = nullptr};
    for (int64_t i = 0; i < kRows * kPoints; ++i) {
      const int64_t r = i / kPoints, n = i % kPoints;
      for (const auto& [k, w] : weights(s.degree, s.derivative, s.whole_sample, s.knots, t[i])) {
        y[i] += w * exact(c.row(r)[k]);
        h[r * s.knots + k] += w * exact(g.row(r)[n]);
      }
      for (int j = 0; j < basis.points; ++j) {
        const int64_t k = spline_point(p, r, n).first + j;
        lists[r].insert({mirrored(k, s.knots, s.whole_sample), n * basis.points + j});
      }
    }
    auto got = unwritten<T>(y.size()), back = unwritten<T>(h.size());
    on_every_isa<T>([&](const auto& kernels) {
      p.x = c.data.data(), p.x_stride = c.stride, p.y = got.data();
      kernels.spline(p, {0, kRows, 0, kPoints});
      ASSERT_LE(largest_error(got.data(), y.data(), y.size()), tolerance<T>());
      p.x = g.data.data(), p.x_stride = g.stride, p.y = back.data();
      kernels.spline_transposed(p, {0, kRows, 0, kPoints});
      ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>());
    });
    std::vector<int64_t> read, begin;
    for (const auto& list : lists) {
      for (int64_t k = 0; k <= s.knots; ++k) {
        begin.push_back(std::distance(list.begin(), list.lower_bound(k)));
      }
      for (const auto& [k, i] : list) read.push_back(i);
    }
    const SplineReads reads{read.data(), begin.data(), kRows};
    for (size_t i = 0; i < h.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / s.knots, k = static_cast<int64_t>(i) % s.knots;
      back[i] = spline_sum(p, reads, kPoints, row, k);
    }
    ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>()) << "a GPU";
    if (this->HasFatalFailure()) return;
  }
}

TYPED_TEST(SplineOf, UpsamplesAsItsValuesBetweenKnots) {
  using T = TypeParam;
  Random random(2);
  constexpr int64_t kRows = 2;
  for (const int64_t knots : {1, 2, 3, 4, 5, 50}) {
    for (const int64_t factor : {1, 2, 4, 8, 9}) {
      for (const bool whole_sample : {false, true}) {
        SCOPED_TRACE(::testing::Message() << knots << " knots, " << factor << " samples each"
                                          << (whole_sample ? ", whole_sample" : ""));
        const int64_t samples = (knots - 1) * factor + 1;
        const auto c = random_rows<T>(random, kRows, knots, 3);
        const auto g = random_rows<T>(random, kRows, samples, 1);
        std::vector<exact_t<T>> y(kRows * samples), h(kRows * knots);
        for (int64_t i = 0; i < kRows * samples; ++i) {
          const int64_t r = i / samples, n = i % samples;
          const double t = static_cast<double>(n) / static_cast<double>(factor);
          for (const auto& [k, w] : weights(3, false, whole_sample, knots, t)) {
            y[i] += w * exact(c.row(r)[k]);
            h[r * knots + k] += w * exact(g.row(r)[n]);
          }
        }
        auto got = unwritten<T>(y.size()), back = unwritten<T>(h.size());
        const UpsampleParams<T> forth{factor,        kCubicSpline, whole_sample, knots,
                                      c.data.data(), c.stride,     got.data()};
        const UpsampleParams<T> adjoint{factor,        kCubicSpline, whole_sample, knots,
                                        g.data.data(), g.stride,     back.data()};
        on_every_isa<T>([&](const auto& kernels) {
          kernels.upsample(forth, {0, kRows, 0, samples});
          ASSERT_LE(largest_error(got.data(), y.data(), y.size()), tolerance<T>());
          kernels.upsample_transposed(adjoint, {0, kRows, 0, samples});
          ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>());
        });
        for (int64_t i = 0; i < kRows * samples; ++i) {
          got[i] = upsampled(forth, i / samples, i % samples);
        }
        for (int64_t i = 0; i < kRows * knots; ++i) {
          back[i] = upsampled_transposed(adjoint, i / knots, i % knots);
        }
        ASSERT_LE(largest_error(got.data(), y.data(), y.size()), tolerance<T>()) << "a GPU";
        ASSERT_LE(largest_error(back.data(), h.data(), h.size()), tolerance<T>()) << "a GPU";
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
