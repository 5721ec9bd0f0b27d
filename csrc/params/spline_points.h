// Splines on every device, an output at a time; csrc/params/spline.h has the equations.
#pragma once

#include <cmath>

#include "math/interpolator.h"
#include "params/spline.h"

POLEZERO_ISA_BEGIN

// The sample that is k, mirrored as often as it takes.
POLEZERO_HD int64_t mirrored(int64_t k, int64_t count, bool whole_sample) {
  if (0 <= k && k < count) return k;
  if (count == 1) return 0;
  const int64_t period = whole_sample ? 2 * count - 2 : 2 * count;
  k %= period;
  if (k < 0) k += period;
  return k < count ? k : period - k - (whole_sample ? 0 : 1);
}

// Where a spline is read: from coefficient `first` on, u beyond a knot, on a side on which time
// runs backwards or not.
struct SplinePoint {
  int64_t first;
  double u;
  double direction;
};
template <class T>
POLEZERO_HD SplinePoint spline_point(const SplineParams<T>& p, int64_t row, int64_t i) {
  const double end = static_cast<double>(p.knots - 1);
  double t = p.t[row * p.t_stride + i], direction = 1;
  if (!(0 <= t && t <= end)) {
    if (t < 0) direction = -1;
    t = end == 0 ? 0 * t : fmod(fabs(t), 2 * end);
    if (t > end) {
      t = 2 * end - t;
      direction = -direction;
    }
  }
  const double k = floor(t + p.shift);
  // (NaN reads any samples)
  return {(k >= 0 ? static_cast<int64_t>(k) : 0) - p.basis.before, t + p.shift - k,
          p.odd ? direction : 1};
}

template <class T>
POLEZERO_HD T spline_value(const SplineParams<T>& p, int64_t row, int64_t i) {
  const SplinePoint at = spline_point(p, row, i);
  const T* c = p.x + row * p.x_stride;
  acc_t<T> sum(0);
  for (int j = 0; j < p.basis.points; ++j) {
    sum += weight_of(p.basis, j, at.u) * widen(c[mirrored(at.first + j, p.knots, p.whole_sample)]);
  }
  return static_cast<T>(at.direction * sum);
}

// The transposed, for coefficient k.
template <class T>
POLEZERO_HD T spline_sum(const SplineParams<T>& p, const SplineReads& reads, int64_t points,
                         int64_t row, int64_t k) {
  const int64_t list = reads.lists == 1 ? 0 : row;
  const int64_t* read = reads.read + list * points * p.basis.points;
  const int64_t* begin = reads.begin + list * (p.knots + 1);
  acc_t<T> sum(0);
  for (int64_t r = begin[k]; r < begin[k + 1]; ++r) {
    const int64_t i = read[r] / p.basis.points, j = read[r] % p.basis.points;
    const SplinePoint at = spline_point(p, row, i);
    sum += at.direction * weight_of(p.basis, j, at.u) * widen(p.x[row * p.x_stride + i]);
  }
  return static_cast<T>(sum);
}

template <class T>
POLEZERO_HD double upsampling_weight(const UpsampleParams<T>& p, int64_t r, int64_t j) {
  return weight_of(p.basis, j, static_cast<double>(r) / static_cast<double>(p.factor));
}

template <class T>
POLEZERO_HD T upsampled(const UpsampleParams<T>& p, int64_t row, int64_t i) {
  const T* c = p.x + row * p.x_stride;
  const int64_t n = i / p.factor, r = i % p.factor;
  acc_t<T> sum(0);
  for (int j = 0; j < 4; ++j) {
    sum += upsampling_weight(p, r, j) * widen(c[mirrored(n - 1 + j, p.knots, p.whole_sample)]);
  }
  return static_cast<T>(sum);
}

// What all samples together would give to coefficient k, -1 <= k <= K.
template <class T>
POLEZERO_HD acc_t<T> of_coefficient(const UpsampleParams<T>& p, const T* g, int64_t k) {
  const int64_t m = p.factor, begin = k < 2 ? 0 : (k - 2) * m;
  const int64_t after = (k + 2) * m, end = after < p.samples() ? after : p.samples();
  acc_t<T> sum(0);
  for (int64_t i = begin; i < end; ++i) {
    sum += upsampling_weight(p, i % m, k - i / m + 1) * widen(g[i]);
  }
  return sum;
}
template <class T>
POLEZERO_HD T upsampled_transposed(const UpsampleParams<T>& p, int64_t row, int64_t k) {
  const T* g = p.x + row * p.x_stride;
  acc_t<T> sum = of_coefficient(p, g, k);
  if (mirrored(-1, p.knots, p.whole_sample) == k) sum += of_coefficient(p, g, -1);
  if (mirrored(p.knots, p.knots, p.whole_sample) == k) sum += of_coefficient(p, g, p.knots);
  return static_cast<T>(sum);
}

POLEZERO_ISA_END
