// A row of the taps of a sparse filter, on every device; csrc/params/sparse.h has the equations.
#pragma once

#include <type_traits>

#include "math/interpolator.h"
#include "params/sparse.h"

POLEZERO_ISA_BEGIN

// Where a tap reads: at the samples from `first` back on, u between two of them.
struct ReadPoint {
  int64_t first;
  double u;
};

template <class T>
struct SparseTapsOfRow {
  using A = acc_t<T>;
  const SparseTaps<T>& taps;  // (a copy of its table would be put into a GPU's slow memory)
  const int64_t* d;
  const double* d_between;
  const float* d_between_single;
  const T* varying;
  const A* constant;

  POLEZERO_HD SparseTapsOfRow(const SparseTaps<T>& t, int64_t row)
      : taps(t),
        d(of_row(t.d, row * t.d_row)),
        d_between(of_row(t.d_between, row * t.d_row)),
        d_between_single(of_row(t.d_between_single, row * t.d_row)),
        varying(of_row(t.varying, row * t.c_row)),
        constant(of_row(t.constant, row * t.c_row)) {}

  // The coefficient of tap l; n counts from the first sample that taps make.
  POLEZERO_HD A coefficient(int64_t n, int64_t l) const {
    return varying != nullptr ? widen(varying[n * taps.count + l]) : constant[l];
  }
  // A whole delay. (On a GPU nobody has seen that it is one.)
  POLEZERO_HD int64_t delay(int64_t n, int64_t l) const {
    const int64_t found = d[(taps.d_time == 0 ? 0 : n * taps.count) + l];
    return found < 1 ? 1 : found;
  }
  // Too short a delay, and NaN, count as 1. (Neither fmin nor floor: the first would be a call of
  // the library, the second waits, as GCC 12 has it in single precision, for the sample before.)
  POLEZERO_HD ReadPoint point(int64_t n, int64_t l) const {
    if (taps.whole()) return {delay(n, l), 0};
    const double found = between(n, l), from = found >= 1 ? found : 1;
    const double legal = from < kFarthestDelay ? from : kFarthestDelay;
    const auto whole = static_cast<int64_t>(legal);
    const int64_t first = whole - taps.interpolator.before;
    return {first < 1 ? 1 : first, legal - static_cast<double>(whole)};
  }

  // f(d, w) for every sample that tap l reads, with its weight.
  template <int points, class F>
  POLEZERO_HD void each(int64_t n, int64_t l, F&& f) const {
    if constexpr (points == 1) {
      f(delay(n, l), 1.0);
    } else {
      const ReadPoint at = point(n, l);
      for (int j = 0; j < points; ++j) f(at.first + j, weight_of(taps.interpolator, j, at.u));
    }
  }

 private:
  POLEZERO_HD double between(int64_t n, int64_t l) const {
    const int64_t i = (taps.d_time == 0 ? 0 : n * taps.count) + l;
    return d_between != nullptr ? d_between[i] : d_between_single[i];
  }

  template <class P>
  POLEZERO_HD static P of_row(P first, int64_t offset) {
    return first == nullptr ? nullptr : first + offset;
  }
};

// f with the points of the taps' interpolation as a constant.
template <class T, class F>
POLEZERO_HD decltype(auto) with_points(const SparseTaps<T>& taps, F&& f) {
  if (taps.whole()) return f(std::integral_constant<int, 1>{});
  if (taps.interpolator.points == 2) return f(std::integral_constant<int, 2>{});
  return f(std::integral_constant<int, 4>{});
}

POLEZERO_ISA_END
