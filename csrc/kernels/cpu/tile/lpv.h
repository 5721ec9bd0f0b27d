// All-pole and FIR filters whose coefficients change with time: N states s of one filter, or of
// kBatch filters side by side, a lane each, in float64. The states of an all-pole filter:
//
// Coefficients are either those of the output's time; then s_i is the output i + 1 samples ago. Or
// they are those of the time of the sample that they multiply (`at_input`); then s_i is what
// earlier outputs add to the output i samples ahead, as in transposed direct form II.
#pragma once

#include "kernels/cpu/tile/batch.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

// The whole tiles, of kBatch samples, of a span of time in the order of processing, and the rest
// behind them.
template <bool reverse>
struct Tiles {
  int64_t begin, end;
  int64_t whole() const { return (end - begin) / kBatch; }
  int64_t operator[](int64_t i) const {
    return reverse ? end - (i + 1) * kBatch : begin + i * kBatch;
  }
  int64_t rest() const { return (end - begin) % kBatch; }
  int64_t rest_begin() const { return reverse ? begin : end - rest(); }
};

// A row that is filtered in chunks has a lane for each.
inline constexpr int64_t kChunk = 64;  // samples of a lane, at most

// The largest order of which kBatch filters fit in the registers.
inline constexpr int kLongestInRegisters = 4;

// One sample of one filter.
template <bool at_input, class A, class T>
POLEZERO_INLINE A lpv_step(A x, const T* a, int64_t order, A* s) {
  if constexpr (at_input) {
    const A y = x + s[0];
    for (int64_t i = 0; i + 1 < order; ++i) s[i] = s[i + 1] - multiply(widen(a[i]), y);
    s[order - 1] = -multiply(widen(a[order - 1]), y);
    return y;
  } else {
    A y = x;
    for (int64_t i = order - 1; i > 0; --i) {  // the newest last: it is the one that is waited for
      y -= multiply(widen(a[i]), s[i]);
      s[i] = s[i - 1];
    }
    y -= multiply(widen(a[0]), s[0]);
    return s[0] = y;
  }
}

// kBatch filters of an order known to the compiler, their states in registers.
template <int N, bool at_input>
struct LpvBatch {
  vec<double> s[N] = {};

  POLEZERO_INLINE vec<double> step(vec<double> x, const vec<double> (&a)[N]) {
    vec<double> y = x;
    if constexpr (at_input) {
      y += s[0];
      unroll<N - 1>([&](auto i) POLEZERO_LAMBDA { s[i] = s[i + 1] - a[i] * y; });
      s[N - 1] = vec<double>{} - a[N - 1] * y;
    } else {
      unroll<N>([&](auto i) POLEZERO_LAMBDA { y -= a[N - 1 - i] * s[N - 1 - i]; });
      unroll<N - 1>([&](auto i) POLEZERO_LAMBDA { s[N - 1 - i] = s[N - 2 - i]; });
      s[0] = y;
    }
    return y;
  }
};

// kBatch FIR filters with a number of taps known to the compiler: past inputs, newest first, or
// what past inputs still add.
template <int taps, bool at_input>
struct LpvFirBatch {
  vec<double> s[taps] = {};  // the last one stays zero

  POLEZERO_INLINE vec<double> step(vec<double> x, const vec<double> (&b)[taps]) {
    vec<double> y = b[0] * x;
    if constexpr (at_input) {
      y += s[0];
      unroll<taps - 1>([&](auto i) POLEZERO_LAMBDA { s[i] = s[i + 1] + b[i + 1] * x; });
    } else {
      unroll<taps - 1>([&](auto i) POLEZERO_LAMBDA { y += b[taps - 1 - i] * s[taps - 2 - i]; });
      unroll<(taps > 2 ? taps - 2 : 0)>([&](auto i)
                                            POLEZERO_LAMBDA { s[taps - 2 - i] = s[taps - 3 - i]; });
      if constexpr (taps > 1) s[0] = x;
    }
    return y;
  }
};

// kBatch samples of kBatch filters: a lane's value of time t is at [t], its coefficient i at
// [t * N + i].
template <class T, int N>
struct LpvTile {
  BatchSamples<T> x;
  vec<T, kBatch> a[kBatch * N];

  POLEZERO_INLINE void load_rows(const T* from_x, int64_t x_stride, const T* from_a,
                                 int64_t a_stride, int64_t rows, int64_t ahead) {
    x.load_rows(from_x, x_stride, rows, ahead);
    unroll<N>([&](auto i) POLEZERO_LAMBDA {
      BatchSamples<T> samples;
      samples.load_rows(from_a + i * kBatch, a_stride, rows, ahead);
      unroll<kBatch>([&](auto j) POLEZERO_LAMBDA { a[i * kBatch + j] = samples.at[j]; });
    });
  }
  POLEZERO_INLINE void coefficients(int64_t t, vec<double> (&out)[N]) const {
    unroll<N>([&](auto i) POLEZERO_LAMBDA { out[i] = widen_lanes(a[t * N + i]); });
  }

  // x becomes y.
  template <bool reverse, class Filters>
  POLEZERO_INLINE void filter(Filters& f) {
    unroll<kBatch>([&](auto step) POLEZERO_LAMBDA {
      constexpr int t = reverse ? kBatch - 1 - step : step;
      vec<double> c[N];
      coefficients(t, c);
      x.at[t] = narrow_lanes<T>(f.step(widen_lanes(x.at[t]), c));
    });
  }
};

// The state that kBatch filters leave behind, as a function of the one that they begin with:
// s -> forced + sum_k free[k] s_k.
template <int N, bool at_input>
struct LpvTransition {
  LpvBatch<N, at_input> forced, free[N];

  LpvTransition() {
    unroll<N>([&](auto k) POLEZERO_LAMBDA { free[k].s[k] = broadcast<double>(1); });
  }
  template <bool reverse, class T>
  POLEZERO_INLINE void pass(const LpvTile<T, N>& tile) {
    unroll<kBatch>([&](auto step) POLEZERO_LAMBDA {
      constexpr int t = reverse ? kBatch - 1 - step : step;
      vec<double> c[N];
      tile.coefficients(t, c);
      forced.step(widen_lanes(tile.x.at[t]), c);
      unroll<N>([&](auto k) POLEZERO_LAMBDA { free[k].step(vec<double>{}, c); });
    });
  }
  // The state after the chunk of lane i, from the one before it.
  POLEZERO_INLINE void apply(int i, double (&s)[N]) const {
    double next[N];
    for (int j = 0; j < N; ++j) {
      next[j] = forced.s[j][i];
      for (int k = 0; k < N; ++k) next[j] += free[k].s[j][i] * s[k];
    }
    for (int j = 0; j < N; ++j) s[j] = next[j];
  }
};

// kBatch filters of any order up to kLongest.
inline constexpr int64_t kLongest = 64;

template <class T, bool at_input>
class LongLpvBatch {
 public:
  explicit LongLpvBatch(int64_t order) : order_(order) {
    for (auto& v : line_) v = vec<double>{};
  }
  vec<double>& state(int64_t i) { return line_[at_input ? i : order_ - 1 - i]; }

  // `count` samples, at most kBatch, of which x becomes y.
  template <bool reverse>
  [[gnu::noinline]] void filter(const vec<T, kBatch>* a, vec<T, kBatch>* x, int64_t count) {
    for (int64_t step = 0; step < count; ++step) {
      const int64_t t = reverse ? count - 1 - step : step;
      x[t] = narrow_lanes<T>(filter_one(widen_lanes(x[t]), a + t * order_, line_ + step));
    }
    for (int64_t i = 0; i < order_; ++i) line_[i] = line_[i + count];
    if constexpr (at_input) {
      for (int64_t i = 0; i < count; ++i) line_[order_ + i] = vec<double>{};
    }
  }

 private:
  // line: what is to be added to this output and the next ones, or the outputs before, oldest
  // first.
  POLEZERO_INLINE vec<double> filter_one(vec<double> x, const vec<T, kBatch>* a,
                                         vec<double>* line) {
    if constexpr (at_input) {
      const vec<double> y = x + line[0];
      for (int64_t i = 0; i < order_; ++i) line[i + 1] -= widen_lanes(a[i]) * y;
      return y;
    } else {
      vec<double> even = x, odd = {};  // two chains
      int64_t i = order_ - 1;
      for (; i > 1; i -= 2) {
        even -= widen_lanes(a[i]) * line[order_ - 1 - i];
        odd -= widen_lanes(a[i - 1]) * line[order_ - i];
      }
      if (i == 1) odd -= widen_lanes(a[1]) * line[order_ - 2];
      const vec<double> y = (even + odd) - widen_lanes(a[0]) * line[order_ - 1];
      return line[order_] = y;
    }
  }

  int64_t order_;
  vec<double> line_[kLongest + kBatch];  // the state, and as many more as a tile has samples
};

POLEZERO_ISA_END
