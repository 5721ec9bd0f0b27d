// A row of the taps of a sparse filter, on every device; csrc/kernels/sparse.h has the equations.
#pragma once

#include <cmath>
#include <type_traits>

#include "kernels/sparse.h"
#include "tile/interpolate.h"

POLEZERO_ISA_BEGIN

// The samples that a tap reads: `first` back, and those before it with weights.
struct Neighbours {
  int64_t first;
  double w[4];
};

template <class T>
struct SparseTapsOfRow {
  using A = acc_t<T>;
  const SparseTaps<T>& taps;  // (a copy of its table would be put into a GPU's slow memory)
  const int64_t* d;
  const double* d_between;
  const T* varying;
  const A* constant;

  POLEZERO_HD SparseTapsOfRow(const SparseTaps<T>& t, int64_t row)
      : taps(t),
        d(t.d == nullptr ? nullptr : t.d + row * t.d_row),
        d_between(t.d_between == nullptr ? nullptr : t.d_between + row * t.d_row),
        varying(t.varying == nullptr ? nullptr : t.varying + row * t.c_row),
        constant(t.constant == nullptr ? nullptr : t.constant + row * t.c_row) {}

  // Of tap l; n counts from the first sample that taps make.
  POLEZERO_HD A coefficient(int64_t n, int64_t l) const {
    return varying != nullptr ? widen(varying[n * taps.count + l]) : constant[l];
  }
  // A whole delay. (On a GPU nobody has seen that it is one.)
  POLEZERO_HD int64_t delay(int64_t n, int64_t l) const {
    const int64_t found = d[(taps.d_time == 0 ? 0 : n * taps.count) + l];
    return found < 1 ? 1 : found;
  }
  // The nearest sample that tap l reads.
  POLEZERO_HD int64_t first(int64_t n, int64_t l) const {
    if (d_between == nullptr) return delay(n, l);
    // NaN counts as 1. (fmin would be a call of the library for every sample.)
    const double nearest = between(n, l) - taps.interpolator.before;
    if (!(nearest >= 1)) return 1;
    return static_cast<int64_t>(nearest < kFarthestDelay ? nearest : kFarthestDelay);
  }
  // That of the j-th sample that it reads.
  POLEZERO_HD double weight(int64_t n, int64_t l, int64_t j) const {
    if (d_between == nullptr) return 1;
    const double found = between(n, l), u = found - floor(found);
    return weight_of(taps.interpolator, j, u);
  }
  template <int points>
  POLEZERO_HD Neighbours neighbours(int64_t n, int64_t l) const {
    Neighbours at{first(n, l), {}};
    for (int j = 0; j < points; ++j) at.w[j] = weight(n, l, j);
    return at;
  }

  // f(d, w) for every sample that tap l reads, with its weight.
  template <int points, class F>
  POLEZERO_HD void each(int64_t n, int64_t l, F&& f) const {
    if constexpr (points == 1) {
      f(delay(n, l), 1.0);
    } else {
      const Neighbours at = neighbours<points>(n, l);
      for (int j = 0; j < points; ++j) f(at.first + j, at.w[j]);
    }
  }

  POLEZERO_HD double between(int64_t n, int64_t l) const {
    return d_between[(taps.d_time == 0 ? 0 : n * taps.count) + l];
  }
};

// f with the points of the taps' interpolation as a constant.
template <class T, class F>
POLEZERO_HD decltype(auto) with_points(const SparseTaps<T>& taps, F&& f) {
  if (taps.d_between == nullptr) return f(std::integral_constant<int, 1>{});
  if (taps.interpolator.points == 2) return f(std::integral_constant<int, 2>{});
  return f(std::integral_constant<int, 4>{});
}

POLEZERO_ISA_END
