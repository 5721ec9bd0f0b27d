// Several rows side by side, a row a lane: the serial filters of serial.h in float64, with the same
// operations in the same order whatever the other lanes hold. P states known to the compiler,
// coefficients padded to P; `poison` as in serial_unrolled.h, a lane each.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/tile/simd.h"

POLEZERO_ISA_BEGIN

inline constexpr int kBatch = kLanes<double>;  // rows

// Swaps rows and columns (Eklundh, IEEE Trans. Computers 21(7), 1972): 1, 2, 4, .. lanes at a
// time.
template <int h, class T, int... I>
POLEZERO_INLINE void swap_lanes(vec<T, sizeof...(I)>& u, vec<T, sizeof...(I)>& v,
                                std::integer_sequence<int, I...>) {
  constexpr int W = sizeof...(I);
  const auto low = __builtin_shufflevector(u, v, (I & h ? W + I - h : I)...);
  v = __builtin_shufflevector(u, v, (I & h ? W + I : I + h)...);
  u = low;
}
template <int h = 1, class T, int W>
POLEZERO_INLINE void transpose(vec<T, W> (&m)[W]) {
  if constexpr (h < W) {
    unroll<W>([&](auto i) POLEZERO_LAMBDA {
      if constexpr ((i & h) == 0) {
        swap_lanes<h, T>(m[i], m[i + h], std::make_integer_sequence<int, W>{});
      }
    });
    transpose<2 * h, T, W>(m);
  }
}

// Filters of kBatch rows.
template <int P>
struct BatchFilter {
  vec<double> b[P + 1] = {};
  vec<double> a[P] = {};
  vec<double> s[P] = {};
  vec<double> poison = {};

  // Transposed direct form II.
  POLEZERO_INLINE vec<double> forward(vec<double> x) {
    const vec<double> y = b[0] * x + s[0];
    unroll<P - 1>([&](auto j) POLEZERO_LAMBDA { s[j] = (b[j + 1] * x + s[j + 1]) - a[j] * y; });
    s[P - 1] = b[P] * x - a[P - 1] * y;
    poison += y - y;
    return y;
  }

  // Direct form II, backwards in time: lambda, and grad_x where it is wanted.
  template <bool with_grad_x>
  POLEZERO_INLINE vec<double> backward(vec<double> g, vec<double>& grad_x) {
    vec<double> lambda = g, sum = {};
    // the newest state last: it is the one that the chain waits for
    unroll<P>([&](auto k) POLEZERO_LAMBDA {
      constexpr int j = P - 1 - k;
      lambda -= a[j] * s[j];
      if constexpr (with_grad_x) sum += b[j + 1] * s[j];
    });
    if constexpr (with_grad_x) grad_x = b[0] * lambda + sum;
    unroll<P - 1>([&](auto k) POLEZERO_LAMBDA { s[P - 1 - k] = s[P - 2 - k]; });
    s[0] = lambda;
    poison += lambda - lambda;
    return lambda;
  }
};

// How far ahead of its use a row is fetched, in the direction of processing (measured: 512 to 2048
// bytes do equally well).
template <class T, bool reverse = false>
inline constexpr int64_t kAheadInRow = (reverse ? -1024 : 1024) / static_cast<int64_t>(sizeof(T));

// kBatch samples of kBatch rows as vectors of one sample each, and back. Rows from `rows` on do not
// exist: they repeat the last one, and are not written.
template <class T>
struct BatchSamples {
  vec<T, kBatch> at[kBatch];

  // Rows are as many streams of memory, more than the processor foresees by itself: those samples
  // are fetched that are `ahead` of these.
  POLEZERO_INLINE void load_rows(const T* x, int64_t stride, int64_t rows, int64_t ahead) {
    unroll<kBatch>([&](auto i) POLEZERO_LAMBDA {
      const T* row = x + std::min<int64_t>(i, rows - 1) * stride;
      at[i] = load<T, kBatch>(row);
      __builtin_prefetch(row + ahead);
    });
    transpose<1, T, kBatch>(at);
  }
  // Likewise, where `ahead` is not 0: downwards, a processor does not foresee what is written.
  POLEZERO_INLINE void store_rows(T* y, int64_t stride, int64_t rows, int64_t ahead = 0) {
    transpose<1, T, kBatch>(at);
    unroll<kBatch>([&](auto i) POLEZERO_LAMBDA {
      if (i >= rows) return;
      T* row = y + i * stride;
      store<T, kBatch>(row, at[i]);
      if (ahead != 0) __builtin_prefetch(row + ahead, 1);
    });
  }
};

// `count` values of each of `rows` rows as vectors V of one value of each, in their own precision
// or in float64, and back.
template <class V, class T>
inline void load_lanes(const T* p, int64_t stride, int64_t rows, int64_t count, int64_t ahead,
                       V* out) {
  constexpr bool as_is = std::is_same_v<V, vec<T, kBatch>>;
  int64_t n = 0;
  for (; n + kBatch <= count; n += kBatch) {
    BatchSamples<T> samples;
    samples.load_rows(p + n, stride, rows, ahead);
    unroll<kBatch>([&](auto t) POLEZERO_LAMBDA {
      if constexpr (as_is) {
        out[n + t] = samples.at[t];
      } else {
        out[n + t] = widen_lanes(samples.at[t]);
      }
    });
  }
  for (int64_t rest = count % kBatch; rest > 0; --rest, ++n) {
    for (int64_t i = 0; i < kBatch; ++i) out[n][i] = p[std::min(i, rows - 1) * stride + n];
  }
}
template <class V, class T>
inline void store_lanes(T* p, int64_t stride, int64_t rows, int64_t count, const V* in,
                        int64_t ahead = 0) {
  constexpr bool as_is = std::is_same_v<V, vec<T, kBatch>>;
  int64_t n = 0;
  for (; n + kBatch <= count; n += kBatch) {
    BatchSamples<T> samples;
    unroll<kBatch>([&](auto t) POLEZERO_LAMBDA {
      if constexpr (as_is) {
        samples.at[t] = in[n + t];
      } else {
        samples.at[t] = narrow_lanes<T>(in[n + t]);
      }
    });
    samples.store_rows(p + n, stride, rows, ahead);
  }
  for (; n < count; ++n) {
    for (int64_t i = 0; i < rows; ++i) p[i * stride + n] = static_cast<T>(in[n][i]);
  }
}

// One sample of each row.
template <class T>
inline vec<double> load_sample(const T* x, int64_t stride, int64_t rows) {
  vec<double> v;
  for (int64_t i = 0; i < kBatch; ++i) v[i] = x[std::min(i, rows - 1) * stride];
  return v;
}
template <class T>
inline void store_sample(T* y, int64_t stride, int64_t rows, vec<double> v) {
  for (int64_t i = 0; i < rows; ++i) y[i * stride] = static_cast<T>(v[i]);
}

// `count` samples of `rows` rows, in so many batches: several of them at once hide the chain of two
// fmas from one sample to the next.
template <class T, int P, int batches>
[[gnu::noinline]] void forward_batches(BatchFilter<P> (&filters)[batches], const T* x,
                                       int64_t x_stride, T* y, int64_t y_stride, int64_t rows,
                                       int64_t count) {
  BatchFilter<P> f[batches];
  unroll<batches>([&](auto g) POLEZERO_LAMBDA { f[g] = filters[g]; });
  int64_t n = 0;
  for (; n + kBatch <= count; n += kBatch) {
    BatchSamples<T> samples[batches];
    unroll<batches>([&](auto g) POLEZERO_LAMBDA {
      constexpr int first = g * kBatch;
      samples[g].load_rows(x + first * x_stride + n, x_stride, rows - first, kAheadInRow<T>);
    });
    unroll<kBatch>([&](auto t) POLEZERO_LAMBDA {
      unroll<batches>([&](auto g) POLEZERO_LAMBDA {
        vec<T, kBatch>& sample = samples[g].at[t];
        sample = narrow_lanes<T>(f[g].forward(widen_lanes(sample)));
      });
    });
    unroll<batches>([&](auto g) POLEZERO_LAMBDA {
      constexpr int first = g * kBatch;
      samples[g].store_rows(y + first * y_stride + n, y_stride, rows - first);
    });
  }
  for (; n < count; ++n) {
    for (int g = 0; g < batches; ++g) {
      const T* from = x + g * kBatch * x_stride + n;
      const int64_t left = std::min<int64_t>(rows - g * kBatch, kBatch);
      const vec<double> out = f[g].forward(load_sample(from, x_stride, left));
      store_sample(y + g * kBatch * y_stride + n, y_stride, left, out);
    }
  }
  unroll<batches>([&](auto g) POLEZERO_LAMBDA { filters[g] = f[g]; });
}

// The same downwards. Either output may be left out.
template <bool with_lambda, bool with_grad_x, class T, int P, int batches>
[[gnu::noinline]] void backward_batches(BatchFilter<P> (&filters)[batches], const T* x,
                                        int64_t x_stride, T* lambda, int64_t lambda_stride,
                                        T* grad_x, int64_t grad_x_stride, int64_t rows,
                                        int64_t count) {
  BatchFilter<P> f[batches];
  unroll<batches>([&](auto g) POLEZERO_LAMBDA { f[g] = filters[g]; });
  int64_t n = count;
  for (; n % kBatch != 0; --n) {
    for (int g = 0; g < batches; ++g) {
      const int64_t first = g * kBatch, left = std::min<int64_t>(rows - first, kBatch);
      vec<double> out = {};
      const vec<double> l = f[g].template backward<with_grad_x>(
          load_sample(x + first * x_stride + n - 1, x_stride, left), out);
      if constexpr (with_lambda) {
        store_sample(lambda + first * lambda_stride + n - 1, lambda_stride, left, l);
      }
      if constexpr (with_grad_x) {
        store_sample(grad_x + first * grad_x_stride + n - 1, grad_x_stride, left, out);
      }
    }
  }
  while (n > 0) {
    n -= kBatch;
    BatchSamples<T> samples[batches], outs[batches];
    unroll<batches>([&](auto g) POLEZERO_LAMBDA {
      constexpr int first = g * kBatch;
      samples[g].load_rows(x + first * x_stride + n, x_stride, rows - first, kAheadInRow<T, true>);
    });
    unroll<kBatch>([&](auto i) POLEZERO_LAMBDA {
      constexpr int t = kBatch - 1 - i;
      unroll<batches>([&](auto g) POLEZERO_LAMBDA {
        vec<double> out = {};
        const vec<double> sample = widen_lanes(samples[g].at[t]);
        samples[g].at[t] = narrow_lanes<T>(f[g].template backward<with_grad_x>(sample, out));
        if constexpr (with_grad_x) outs[g].at[t] = narrow_lanes<T>(out);
      });
    });
    unroll<batches>([&](auto g) POLEZERO_LAMBDA {
      constexpr int first = g * kBatch;
      if constexpr (with_lambda) {
        samples[g].store_rows(lambda + first * lambda_stride + n, lambda_stride, rows - first);
      }
      if constexpr (with_grad_x) {
        outs[g].store_rows(grad_x + first * grad_x_stride + n, grad_x_stride, rows - first);
      }
    });
  }
  unroll<batches>([&](auto g) POLEZERO_LAMBDA { filters[g] = f[g]; });
}

POLEZERO_ISA_END
