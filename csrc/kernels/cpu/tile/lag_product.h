// Products of one signal with a window of another: c_k[m] = sign u[m] w[m + d (first + k)] for k in
// [0, taps), d = 1 or -1, zero where w has no such sample.
#pragma once

#include <algorithm>

#include "kernels/cpu/tile/simd.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

template <class T>
struct WindowProduct {
  const T* u;
  const T* w;
  int64_t time;  // of u and w
  int64_t first, taps;
  double sign;
  bool conjugate_u, conjugate_w;
  T* c;  // [T, taps]

  // One sample after another.
  template <int d>
  void serial(int64_t begin, int64_t end) const {
    for (int64_t m = begin; m < end; ++m) {
      for (int64_t k = 0; k < taps; ++k) {
        const int64_t n = m + d * (first + k);
        c[m * taps + k] = n >= 0 && n < time ? product(u[m], w[n]) : T(0);
      }
    }
  }

  // Whole windows.
  template <int d>
  void inside(int64_t begin, int64_t end) const {
    if constexpr (!is_complex<T>) {
      if (with_constant<4>(taps, [&](auto N) { few<d, N>(begin, end); })) return;
      if (taps <= kLongest) {
        return taps < kLanes<T> ? many<d, kLanes<T> / 2>(begin, end)
                                : many<d, kLanes<T>>(begin, end);
      }
    }
    serial<d>(begin, end);
  }

  template <int d>
  void run(int64_t begin, int64_t end) const {
    const int64_t reach = first + taps - 1;
    if constexpr (d < 0) {
      const int64_t middle = std::clamp(reach, begin, end);
      serial<d>(begin, middle);
      inside<d>(middle, end);
    } else {
      const int64_t middle = std::clamp(time - reach, begin, end);
      inside<d>(begin, middle);
      serial<d>(middle, end);
    }
  }

 private:
  static constexpr int64_t kLongest = 64, kTile = 256;

  T product(T v, T z) const {
    const acc_t<T> left = conjugate_u ? conjugate(widen(v)) : widen(v);
    const acc_t<T> right = conjugate_w ? conjugate(widen(z)) : widen(z);
    return static_cast<T>(multiply(left * sign, right));
  }

  // The compiler makes vectors of it.
  template <int d, int N>
  void few(int64_t begin, int64_t end) const {
    const T* from = w + d * first;
    for (int64_t m = begin; m < end; ++m) {
      const T v = static_cast<T>(sign) * u[m];
      for (int k = 0; k < N; ++k) c[m * N + k] = v * from[m + d * k];
    }
  }

  // W taps at a time; what is written too much is written again for the next sample.
  template <int d, int W>
  void many(int64_t begin, int64_t end) const {
    const int64_t beyond = (taps + W - 1) / W * W - taps;
    const int64_t last = std::max(begin, end - (beyond + taps - 1) / taps);
    for (int64_t tile = begin; tile < last; tile += kTile) {
      const int64_t stop = std::min(tile + kTile, last);
      T line[kTile + kLongest + W];  // the windows of this tile, in the order of k
      const int64_t length = stop - tile + taps - 1;
      for (int64_t i = 0; i < length; ++i) {
        line[i] = d > 0 ? w[tile + first + i] : w[stop - 1 - first - i];
      }
      std::fill_n(line + length, W, T(0));
      for (int64_t m = tile; m < stop; ++m) {
        const T* window = line + (d > 0 ? m - tile : stop - 1 - m);
        const vec<T, W> v = broadcast<T, W>(static_cast<T>(sign) * u[m]);
        for (int64_t k = 0; k < taps; k += W) {
          store<T, W>(c + m * taps + k, v * load<T, W>(window + k));
        }
      }
    }
    serial<d>(last, end);
  }
};

POLEZERO_ISA_END
