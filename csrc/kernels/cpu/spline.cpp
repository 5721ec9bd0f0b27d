// Splines on the CPU.
#include "kernels/cpu/spline.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile/simd.h"
#include "params/spline.h"
#include "params/spline_points.h"

POLEZERO_ISA_BEGIN

template <class T>
void spline(const SplineParams<T>& p, const Range& range) {
  const int64_t points = range.time_end;
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    for (int64_t i = 0; i < points; ++i) p.y[row * points + i] = spline_value(p, row, i);
  }
}

// Every sample is handed on to the coefficients that it was made of.
template <class T>
void spline_transposed(const SplineParams<T>& p, const Range& range) {
  using A = acc_t<T>;
  std::vector<A> sums(p.knots);
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    std::fill(sums.begin(), sums.end(), A(0));
    const T* g = p.x + row * p.x_stride;
    for (int64_t i = 0; i < range.time_end; ++i) {
      const SplinePoint at = spline_point(p, row, i);
      const A from = at.direction * widen(g[i]);
      for (int j = 0; j < p.basis.points; ++j) {
        sums[mirrored(at.first + j, p.knots, p.whole_sample)] += weight_of(p.basis, j, at.u) * from;
      }
    }
    for (int64_t k = 0; k < p.knots; ++k) p.y[row * p.knots + k] = static_cast<T>(sums[k]);
  }
}

// The `factor` samples from a knot on, `c` its coefficient; w is [4, factor].
template <class T, class Factor>
POLEZERO_INLINE void upsample_knot(const double* w, const T* c, Factor factor, T* y) {
  const acc_t<T> before = widen(c[-1]), here = widen(c[0]), next = widen(c[1]), after = widen(c[2]);
  for (int r = 0; r < factor; ++r) {
    y[r] = static_cast<T>(w[r] * before + w[factor + r] * here + w[2 * factor + r] * next +
                          w[3 * factor + r] * after);
  }
}

template <class T>
void upsample(const UpsampleParams<T>& p, const Range& range) {
  const int64_t m = p.factor, K = p.knots;
  std::vector<double> w(K < 4 ? 0 : 4 * m);  // of inner knots
  for (int64_t i = 0; i < std::ssize(w); ++i) w[i] = upsampling_weight(p, i % m, i / m);
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    const T* c = p.x + row * p.x_stride;
    T* y = p.y + row * p.samples();
    const auto ends = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = upsampled(p, row, i);
    };
    const int64_t inner = K < 4 ? 1 : K - 2;  // knots 1..inner - 1 have all their neighbours
    ends(0, K < 4 ? p.samples() : m);
    if (!with_constant<8>(m, [&](auto factor) {
          for (int64_t n = 1; n < inner; ++n) upsample_knot(w.data(), c + n, factor, y + n * m);
        })) {
      for (int64_t n = 1; n < inner; ++n) upsample_knot(w.data(), c + n, m, y + n * m);
    }
    if (K >= 4) ends(inner * m, p.samples());
  }
}

// The sum over the samples around a coefficient, `g` the first of them; w is [4 factor].
template <class T>
POLEZERO_INLINE acc_t<T> weighted_sum(const double* w, const T* g, int64_t count) {
  acc_t<T> sum(0);
  int64_t i = 0;
  if constexpr (!is_complex<T>) {
    constexpr int W = kLanes<double>;
    vec<double> sums{};
    for (; i + W <= count; i += W) sums += load<double>(w + i) * to_double(g + i);
    sum = horizontal_sum<double, W>(sums);
  }
  for (; i < count; ++i) sum += w[i] * widen(g[i]);
  return sum;
}

template <class T>
void upsample_transposed(const UpsampleParams<T>& p, const Range& range) {
  const int64_t m = p.factor, K = p.knots;
  std::vector<double> w(K < 5 ? 0 : 4 * m);  // of g[(k - 2) m + i], of inner knots
  for (int64_t i = 0; i < std::ssize(w); ++i) w[i] = upsampling_weight(p, i % m, 3 - i / m);
  for (int64_t row = range.row_begin; row < range.row_end; ++row) {
    const T* g = p.x + row * p.x_stride;
    T* y = p.y + row * K;
    for (int64_t k = 0; k < K; ++k) {
      const bool inner = 2 <= k && k + 2 < K;  // nothing of what lies beyond the ends
      y[k] = inner ? static_cast<T>(weighted_sum(w.data(), g + (k - 2) * m, 4 * m))
                   : upsampled_transposed(p, row, k);
    }
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr SplineKernels<T> kernels{.evaluate = spline<T>,
                                   .evaluate_transposed = spline_transposed<T>,
                                   .upsample = upsample<T>,
                                   .upsample_transposed = upsample_transposed<T>};
}  // namespace

constinit const FullTable<SplineKernels> spline_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
