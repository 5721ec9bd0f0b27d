// Taps that read four samples, as vectors.
#pragma once

#include "kernels/cpu/tile/simd.h"
#include "params/sparse.h"
#include "params/sparse_taps.h"

POLEZERO_ISA_BEGIN

// Four samples' numbers in float64, and whole ones.
using Four = vec<double, 4>;
using WholeFour = vec<int32_t, 4>;
inline constexpr int64_t kLongestOfFour = 1 << 30;  // a delay that is such a whole number

// The weights of a tap that reads four samples, a lane each, the nearest last: so they lie in
// memory.
struct FourWeights {
  Four w[4];  // of u^0, u^1 ..

  explicit FourWeights(const Interpolator& f) {
    for (int i = 0; i < 4; ++i) {
      for (int lane = 0; lane < 4; ++lane) w[i][lane] = f.w[3 - lane][i];
    }
  }
  POLEZERO_INLINE Four at(double u) const {
    const Four v = broadcast<double, 4>(u);
    return w[0] + v * (w[1] + v * (w[2] + v * w[3]));
  }
};

inline Four load_four(const double* p) { return load<double, 4>(p); }
inline Four load_four(const float* p) {
#if defined(__AVX__)
  return _mm256_cvtps_pd(_mm_loadu_ps(p));  // GCC 12's __builtin_convertvector goes through memory
#else
  return __builtin_convertvector((load<float, 4>(p)), Four);
#endif
}

// The delays of the only tap at four samples from n on.
template <class T>
POLEZERO_INLINE Four four_delays(const SparseTapsOfRow<T>& taps, int64_t n) {
  const int64_t i = taps.taps.d_time == 0 ? 0 : n;
  const auto load = [&](const auto* d) {
    return taps.taps.d_time == 0 ? broadcast<double, 4>(*d) : load_four(d);
  };
  return taps.d_between != nullptr ? load(taps.d_between + i) : load(taps.d_between_single + i);
}

// What four samples, a lane each, read by way of a tap whose delay lies between samples.
template <int points>
class FourReads {
 public:
  POLEZERO_INLINE FourReads(const Interpolator& f, Four delays)
      : f_(f),
        whole_(__builtin_convertvector(convertible(delays), WholeFour)),
        u_(delays - __builtin_convertvector(whole_, Four)) {}

  // Whether it all lies among the `behind` samples before the first, and the four. (Delays that
  // nobody has looked at may be anything.)
  POLEZERO_INLINE bool are_within(int64_t behind) const {
    bool all = true;
    for (int lane = 0; lane < 4; ++lane) {
      const int64_t first = int64_t{whole_[lane]} - f_.before;
      all &= first >= 1 && first + points - 1 <= behind + lane;
    }
    return all;
  }
  template <class X>
  POLEZERO_INLINE Four of(const X* now) const {
    static_assert(points == 4);
    Four row[4];  // of each lane, the farthest sample first
    for (int lane = 0; lane < 4; ++lane) {
      row[lane] = load_four(now + lane - (int64_t{whole_[lane]} - f_.before) - 3);
    }
    const Four even = __builtin_shufflevector(row[0], row[1], 0, 4, 2, 6);
    const Four odd = __builtin_shufflevector(row[0], row[1], 1, 5, 3, 7);
    const Four even_of_others = __builtin_shufflevector(row[2], row[3], 0, 4, 2, 6);
    const Four odd_of_others = __builtin_shufflevector(row[2], row[3], 1, 5, 3, 7);
    return weight(3) * __builtin_shufflevector(even, even_of_others, 0, 1, 4, 5) +
           weight(2) * __builtin_shufflevector(odd, odd_of_others, 0, 1, 4, 5) +
           weight(1) * __builtin_shufflevector(even, even_of_others, 2, 3, 6, 7) +
           weight(0) * __builtin_shufflevector(odd, odd_of_others, 2, 3, 6, 7);
  }

 private:
  // Others become 0, which reads nothing.
  POLEZERO_INLINE static Four convertible(Four delays) {
    constexpr auto kMost = static_cast<double>(kLongestOfFour);
    const Four none{};
    return (delays > -kMost) & (delays < kMost) ? delays : none;
  }
  POLEZERO_INLINE Four weight(int j) const {
    const auto w = [&](int i) { return broadcast<double, 4>(f_.w[j][i]); };
    return w(0) + u_ * (w(1) + u_ * (w(2) + u_ * w(3)));
  }

  const Interpolator& f_;
  WholeFour whole_;
  Four u_;
};

POLEZERO_ISA_END
