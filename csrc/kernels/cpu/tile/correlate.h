// Lag correlation of a tile of two signals: sum[k] += sum_n g[n] x[n - k]. x begins at sample 0,
// g at sample `begin`.
#pragma once

#include <algorithm>

#include "kernels/cpu/tile/block.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

// Lags per load of x: a delay of more than one vector cannot be shifted in.
template <class T>
inline constexpr int kLagGroupOf = is_complex<T> || kLanes<T> >= 4 ? 4 : kLanes<T>;

enum class Conjugate { kNo, kYes };

// The lags first, first + 1, .. one at a time, in acc_t.
template <Conjugate conj, class T>
void correlate_serial(const T* g, const T* x, int64_t begin, int64_t end, int64_t first,
                      int64_t lags, acc_t<T>* sum) {
  for (int64_t i = 0; i < lags; ++i) {
    for (int64_t n = std::max(begin, first + i); n < end; ++n) {
      const acc_t<T> u = widen(x[n - first - i]);
      sum[i] += multiply(widen(g[n - begin]), conj == Conjugate::kYes ? conjugate(u) : u);
    }
  }
}

// A vector of float64 of complex samples, and with real and imaginary parts swapped.
template <class T>
POLEZERO_INLINE vec<double> load_complex(const std::complex<T>* p) {
  return to_double(reinterpret_cast<const T*>(p));
}
template <int... I>
POLEZERO_INLINE vec<double> swap_parts(vec<double> v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ 1)...);
}

// kLags lags from k on at once, in float64: each is four real sums, which lie in the even and odd
// lanes of two vectors.
template <int kLags, Conjugate conj, class T>
void correlate_complex_lags(const T* g, const T* x, int64_t begin, int64_t end, int64_t k,
                            acc_t<T>* sum) {
  constexpr int W = kLanes<double>, kSamples = W / 2;
  constexpr double sign = conj == Conjugate::kYes ? 1 : -1;
  vec<double> straight[kLags] = {}, crossed[kLags] = {};
  const int64_t first = std::min(std::max(begin, k + kLags - 1), end);  // x begins at sample 0
  int64_t n = first;
  for (; n + kSamples <= end; n += kSamples) {
    const vec<double> u = load_complex(g + (n - begin));
    const vec<double> swapped = swap_parts(u, std::make_integer_sequence<int, W>{});
    unroll<kLags>([&](auto i) POLEZERO_LAMBDA {
      const vec<double> v = load_complex(x + n - k - i);
      straight[i] += u * v;
      crossed[i] += swapped * v;
    });
  }
  for (int i = 0; i < kLags; ++i) {
    double re[2] = {}, im[2] = {};
    for (int lane = 0; lane < W; ++lane) {
      re[lane % 2] += straight[i][lane];
      im[lane % 2] += crossed[i][lane];
    }
    sum[i] += acc_t<T>(re[0] + sign * re[1], im[0] - sign * im[1]);
  }
  correlate_serial<conj>(g, x, begin, first, k, kLags, sum);
  correlate_serial<conj>(g + (n - begin), x, n, end, k, kLags, sum);
}

// Lanes of x[n - k .. n - k + W - 1] from the two vectors that hold them.
template <int k, class T, int... I>
POLEZERO_INLINE vec<T> delayed(vec<T> before, vec<T> now, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(before, now, (kLanes<T> - k + I)...);
}

// x[at .. at + W - 1], zero before the signal begins.
template <class T>
inline vec<T> load_or_zero(const T* x, int64_t at) {
  if (at >= 0) return load<T>(x + at);
  T padded[kLanes<T>] = {};
  for (int64_t i = std::max<int64_t>(-at, 0); i < kLanes<T>; ++i) padded[i] = x[at + i];
  return load<T>(padded);
}

// kLags lags from k on at once: x is loaded once and shifted in registers, since every unaligned
// load of 64 bytes touches two cache lines. Sums of at most kTile samples are in the precision of
// T.
template <int kLags, class T>
void correlate_lags(const T* g, const T* x, int64_t begin, int64_t end, int64_t k, double* sum) {
  constexpr int W = kLanes<T>;
  vec<T> acc[kLags] = {};
  int64_t n = begin;
  if (n + W <= end) {
    vec<T> before = load_or_zero(x, n - k - W);
    for (; n + W <= end; n += W) {
      const vec<T> gn = load<T>(g + (n - begin));
      const vec<T> now = n < k ? load_or_zero(x, n - k) : load<T>(x + n - k);
      unroll<kLags>([&](auto i) POLEZERO_LAMBDA {
        acc[i] += gn * delayed<i, T>(before, now, std::make_integer_sequence<int, W>{});
      });
      before = now;
    }
  }
  for (int i = 0; i < kLags; ++i) {
    double rest = static_cast<double>(horizontal_sum<T, W>(acc[i]));
    for (int64_t m = std::max(n, k + i); m < end; ++m)
      rest += widen(g[m - begin]) * widen(x[m - k - i]);
    if (!is_finite(rest)) {  // a zero before the signal may have met a NaN or an inf
      rest = 0;
      for (int64_t m = std::max(begin, k + i); m < end; ++m) {
        rest += widen(g[m - begin]) * widen(x[m - k - i]);
      }
    }
    sum[i] += rest;
  }
}

// Samples begin..end-1, at most kTile of them, and lags 0..taps-1.
template <Conjugate conj, class T>
void correlate(const T* g, const T* x, int64_t begin, int64_t end, int64_t taps, acc_t<T>* sum) {
  const auto lags_from = [&](auto lags, int64_t k) {
    if constexpr (is_complex<T>) {
      correlate_complex_lags<lags, conj>(g, x, begin, end, k, sum + k);
    } else {
      correlate_lags<lags>(g, x, begin, end, k, sum + k);
    }
  };
  constexpr int kLagGroup = kLagGroupOf<T>;
  int64_t k = 0;
  for (; k + kLagGroup <= taps; k += kLagGroup) {
    lags_from(std::integral_constant<int, kLagGroup>{}, k);
  }
  // the rest, fewer than a group
  with_constant<kLagGroup - 1>(taps - k, [&](auto lags) { lags_from(lags, k); });
}

POLEZERO_ISA_END
