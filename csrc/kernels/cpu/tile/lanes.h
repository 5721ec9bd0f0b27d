// How many rows a kernel filters at once: real ones in vectors, a lane each; complex ones one by
// one.
#pragma once

#include <algorithm>

#include "kernels/cpu/tile/batch.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

POLEZERO_INLINE vec<double> conjugate(vec<double> u) { return u; }
POLEZERO_INLINE bool are_equal(std::complex<double> u, std::complex<double> v) { return u == v; }

// A struct around a vector, so that it can be the element of a container.
template <class V>
struct Lane {
  V v{};
};

template <class T>
struct Lanes {
  using V = vec<double>;
  static constexpr int64_t count = kBatch;

  static void set(V& v, int64_t lane, double u) { v[lane] = u; }
  static double get(const V& v, int64_t lane) { return v[lane]; }
  // `n` values of each of `rows` rows; lanes beyond repeat the last row, and are not stored.
  static void load(const T* p, int64_t stride, int64_t rows, int64_t n, int64_t ahead, V* out) {
    load_lanes(p, stride, rows, n, ahead, out);
  }
  static void store(T* p, int64_t stride, int64_t rows, int64_t n, const V* in, int64_t ahead = 0) {
    store_lanes(p, stride, rows, n, in, ahead);
  }
};

template <class T>
struct Lanes<std::complex<T>> {
  using V = std::complex<double>;
  static constexpr int64_t count = 1;

  static void set(V& v, int64_t, V u) { v = u; }
  static V get(const V& v, int64_t) { return v; }
  static void load(const std::complex<T>* p, int64_t, int64_t, int64_t n, int64_t, V* out) {
    for (int64_t i = 0; i < n; ++i) out[i] = V(p[i]);
  }
  static void store(std::complex<T>* p, int64_t, int64_t, int64_t n, const V* in, int64_t = 0) {
    for (int64_t i = 0; i < n; ++i) p[i] = std::complex<T>(in[i]);
  }
};

// `n` values of each of the rows [begin, begin + rows) of states [B, n], a lane each, and back.
template <class T>
void read_states(const acc_t<T>* state, int64_t begin, int64_t rows, int64_t n,
                 Lane<typename Lanes<T>::V>* to) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t lane = 0; lane < Lanes<T>::count; ++lane) {
      Lanes<T>::set(to[i].v, lane, state[(begin + std::min(lane, rows - 1)) * n + i]);
    }
  }
}
template <class T>
void write_states(const Lane<typename Lanes<T>::V>* from, int64_t begin, int64_t rows, int64_t n,
                  acc_t<T>* state) {
  for (int64_t lane = 0; lane < rows; ++lane) {
    for (int64_t i = 0; i < n; ++i) state[(begin + lane) * n + i] = Lanes<T>::get(from[i].v, lane);
  }
}

POLEZERO_ISA_END
