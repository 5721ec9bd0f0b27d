// A recursive filter over blocks of L samples is a state-space system over blocks:
//
//     y = H x + G s        H: [L, L] Toeplitz, scalar_t; G: [L, P], float64
//     s' = Phi s + E x     Phi: [P, P], E: [P, L], float64
//
// H x is SIMD along time. Only the zero-state response inside one block is computed in the
// signal's precision; the state is exact to float64, so that no error outlives its block.
// (Block state-space form: Barnes and Shinnaka, IEEE Trans. CAS 27(8), 1980.)
#pragma once

#include "kernels/lfilter.h"
#include "tile/simd.h"

POLEZERO_ISA_BEGIN

inline constexpr int kBlock = 16;  // L: the widest vector of float32, and >= every P below

// Which block element can reach which: in ascending time a sample only reaches later ones,
// in descending time only earlier ones. Blocks lie in memory in ascending order either way.
enum class Time { kAscending, kDescending };

template <class T, int P>
struct Response {
  alignas(64) T h[kBlock][kBlock];  // h[j]: the response to x_j (column j of H)
  alignas(64) double g[P][kBlock];  // g[k]: the response to s_k
};

template <int P>
struct Carry {
  alignas(64) double e[P][kBlock];    // e[k][j]: the effect of x_j on s'_k
  alignas(64) double e_t[kBlock][P];  // the same by columns
  alignas(64) double phi[P][P];       // phi[k]: the effect of s_k on s' (column k of Phi)
};

// The tables are sums of products of their own earlier entries: for float64 signals they are
// made in extended precision, so that they are the best float64 numbers.
template <class T>
struct TableType {
  using type = double;
};
template <>
struct TableType<double> {
  using type = long double;
};
template <class T>
using table_t = typename TableType<T>::type;

// The state between two blocks. Two states stay in one register: through memory they would cost a
// store-to-load forwarding a block (measured: 0.31 against 0.22 ns a sample).
template <int P>
struct State {
  alignas(64) double v[P] = {};
  double operator[](int k) const { return v[k]; }
};
template <>
struct State<2> {
  vec<double, 2> v = {};
  double operator[](int k) const { return v[k]; }
};

// One step of transposed direct form II with P states; returns y.
template <int P, class R>
inline R tdf2_step(const double* b, const double* a, R* s, R x) {
  const R y = b[0] * x + s[0];
  for (int j = 0; j < P; ++j) s[j] = (j + 1 < P ? s[j + 1] : R(0)) + b[j + 1] * x - a[j] * y;
  return y;
}

// Tables of the forward filter: the state is that of transposed direct form II.
template <class T, int P>
void make_forward_tables(const double* b, const double* a, Response<T, P>& out, Carry<P>& carry) {
  using R = table_t<T>;
  R s[P] = {};
  R h[kBlock];
  for (int n = 0; n < kBlock; ++n) {
    h[n] = tdf2_step<P, R>(b, a, s, n == 0 ? 1 : 0);
    // after n more samples without input an impulse has become this state
    for (int k = 0; k < P; ++k) {
      carry.e[k][kBlock - 1 - n] = carry.e_t[kBlock - 1 - n][k] = static_cast<double>(s[k]);
    }
  }
  for (int j = 0; j < kBlock; ++j) {
    for (int n = 0; n < kBlock; ++n) out.h[j][n] = n >= j ? static_cast<T>(h[n - j]) : T(0);
  }
  for (int k = 0; k < P; ++k) {
    R unit[P] = {};
    unit[k] = 1;
    for (int n = 0; n < kBlock; ++n) {
      out.g[k][n] = static_cast<double>(tdf2_step<P, R>(b, a, unit, R(0)));
    }
    for (int j = 0; j < P; ++j) carry.phi[k][j] = static_cast<double>(unit[j]);
  }
}

// Tables of the backward filter: the state is that of direct form II, the P next lambdas.
// n counts samples in the order of processing, so n = 0 is the last of the block in memory.
template <class T, int P>
void make_backward_tables(const double* b, const double* a, Response<T, P>& lambda,
                          Response<T, P>& grad_x, Carry<P>& carry) {
  using R = table_t<T>;
  R w[P + kBlock];  // w[P + n] is lambda at n; w[P - 1 - k] is s_k
  auto run = [&](R input) {
    for (int n = 0; n < kBlock; ++n) {
      R sum = n == 0 ? input : R(0);
      for (int i = 1; i <= P; ++i) sum -= a[i - 1] * w[P + n - i];
      w[P + n] = sum;
    }
  };
  auto fir = [&](int n) {
    R sum = 0;
    for (int i = 0; i <= P; ++i) sum += b[i] * w[P + n - i];
    return sum;
  };
  for (int i = 0; i < P; ++i) w[i] = 0;
  run(R(1));
  for (int j = 0; j < kBlock; ++j) {
    for (int i = 0; i < kBlock; ++i) {
      lambda.h[j][i] = i <= j ? static_cast<T>(w[P + j - i]) : T(0);
      grad_x.h[j][i] = i <= j ? static_cast<T>(fir(j - i)) : T(0);
    }
    for (int k = 0; k < P; ++k) {
      carry.e[k][j] = carry.e_t[j][k] = j >= k ? static_cast<double>(w[P + j - k]) : 0.0;
    }
  }
  for (int k = 0; k < P; ++k) {
    for (int i = 0; i < P; ++i) w[i] = i == P - 1 - k ? 1 : 0;
    run(R(0));
    for (int i = 0; i < kBlock; ++i) {
      lambda.g[k][i] = static_cast<double>(w[P + kBlock - 1 - i]);
      grad_x.g[k][i] = static_cast<double>(fir(kBlock - 1 - i));
    }
    for (int j = 0; j < P; ++j) carry.phi[k][j] = static_cast<double>(w[P + kBlock - 1 - j]);
  }
}

inline constexpr int kDoubles = kLanes<double>;
inline constexpr int kDoubleVectors = kBlock / kDoubles;

// y = H x + G s for R responses to the same samples and state, which share what is broadcast.
// Adds to `poison`, which turns NaN as soon as a y is not finite. Only the last y is ever stored
// around the caches.
enum class Store { kCached, kAround };
template <Time time, int R, Store where = Store::kCached, class T, int P>
POLEZERO_INLINE void respond(const Response<T, P>* const (&r)[R], const T* x, const State<P>& s,
                             T* const (&y)[R], vec<T>& poison) {
  constexpr int W = kLanes<T>;
  constexpr int kVectors = kBlock / W;
  // Several chains of additions a vector: one chain of 16 fills the scheduler with waiting fmas,
  // and blocks stop overlapping (measured: 0.71 against 0.35 ns a sample).
  constexpr int kChains = kVectors == 1 ? 4 : 2;
  vec<T> chain[R][kVectors][kChains] = {};
  unroll<kBlock>([&](auto j) {
    const vec<T> xj = broadcast<T>(x[j]);
    unroll<R>([&](auto i) {
      unroll<kVectors>([&](auto v) {
        // vectors wholly above (below) the diagonal are zero
        if constexpr (time == Time::kAscending ? (v + 1) * W > j : v * W <= j) {
          chain[i][v][j % kChains] += load<T>(r[i]->h[j] + v * W) * xj;
        }
      });
    });
  });
  vec<double> from_state[R][kDoubleVectors][2] = {};
  unroll<P>([&](auto k) {
    const vec<double> sk = broadcast<double>(s[k]);
    unroll<R>([&](auto i) {
      unroll<kDoubleVectors>(
          [&](auto d) { from_state[i][d][k % 2] += load<double>(r[i]->g[k] + d * kDoubles) * sk; });
    });
  });
  unroll<R>([&](auto i) {
    unroll<kVectors>([&](auto v) {
      vec<T> out = chain[i][v][0] + chain[i][v][1];
      if constexpr (kChains == 4) out += chain[i][v][2] + chain[i][v][3];
      auto state_part = [&](int d) { return from_state[i][d][0] + from_state[i][d][1]; };
      if constexpr (sizeof(T) == sizeof(double)) {
        out += state_part(v);
      } else {
        out += to_float(state_part(2 * v), state_part(2 * v + 1));
      }
      poison += out * T(0);
      if constexpr (where == Store::kAround && i == R - 1) {
        store_around<T>(y[i] + v * W, out);
      } else {
        store<T>(y[i] + v * W, out);
      }
    });
  });
}

// s = Phi s + E x.
template <class T, int P>
POLEZERO_INLINE void carry_on(const Carry<P>& c, const T* x, State<P>& s) {
  vec<double> xd[kDoubleVectors];
  unroll<kDoubleVectors>([&](auto i) { xd[i] = to_double(x + i * kDoubles); });
  if constexpr (P == 2) {  // two dot products
    vec<double> dot[2] = {};
    unroll<kDoubleVectors>([&](auto i) {
      unroll<2>([&](auto k) { dot[k] += load<double>(c.e[k] + i * kDoubles) * xd[i]; });
    });
    vec<double, 2> next = pair_of_sums(dot[0], dot[1]);
    next += load<double, 2>(c.phi[0]) * broadcast<double, 2>(s[0]);
    next += load<double, 2>(c.phi[1]) * broadcast<double, 2>(s[1]);
    s.v = next;
  } else {  // sums of columns
    constexpr int W = P < kDoubles ? P : kDoubles;
    alignas(64) double xs[kBlock], next[P];
    unroll<kDoubleVectors>([&](auto i) { store<double>(xs + i * kDoubles, xd[i]); });
    unroll<P / W>([&](auto v) {
      vec<double, W> sum[4] = {};  // four chains hide the latency of the additions
      unroll<kBlock>([&](auto j) {
        sum[j % 4] += load<double, W>(c.e_t[j] + v * W) * broadcast<double, W>(xs[j]);
      });
      unroll<P>([&](auto k) {
        sum[k % 4] += load<double, W>(c.phi[k] + v * W) * broadcast<double, W>(s[k]);
      });
      store<double, W>(next + v * W, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    });
    unroll<P / W>([&](auto v) { store<double, W>(s.v + v * W, load<double, W>(next + v * W)); });
  }
}

// Whole blocks of x, count samples, s carried on. A function of its own for each use, so that
// the tables and the state have the registers to themselves.
template <Store where, class T, int P>
[[gnu::noinline]] void forward_blocks(const Response<T, P>& response, const Carry<P>& carry,
                                      const T* x, T* y, int64_t count, State<P>& state,
                                      vec<T>& poison) {
  State<P> s = state;
  vec<T> bad = poison;
  for (int64_t n = 0; n < count; n += kBlock) {
    respond<Time::kAscending, 1, where>({&response}, x + n, s, {y + n}, bad);
    carry_on(carry, x + n, s);
  }
  state = s;
  poison = bad;
}

// The same downwards, for any of the two outputs. `fetch_x` and `fetch_y` will be read next, over
// the same samples but upwards: they are fetched meanwhile.
template <bool with_lambda, bool with_grad_x, Store where, class T, int P>
[[gnu::noinline]] void backward_blocks(const Response<T, P>& to_lambda,
                                       const Response<T, P>& to_grad_x, const Carry<P>& carry,
                                       const T* g, T* lambda, T* grad_x, int64_t count,
                                       const T* fetch_x, const T* fetch_y, State<P>& state,
                                       vec<T>& poison) {
  State<P> s = state;
  vec<T> bad = poison;
  for (int64_t n = count - kBlock; n >= 0; n -= kBlock) {
    if constexpr (with_lambda) {
      __builtin_prefetch(fetch_x + n);
      __builtin_prefetch(fetch_y + n);
    }
    if constexpr (with_lambda && with_grad_x) {
      respond<Time::kDescending, 2, where>({&to_lambda, &to_grad_x}, g + n, s,
                                           {lambda + n, grad_x + n}, bad);
    } else if constexpr (with_lambda) {
      respond<Time::kDescending, 1>({&to_lambda}, g + n, s, {lambda + n}, bad);
    } else if constexpr (with_grad_x) {
      respond<Time::kDescending, 1, where>({&to_grad_x}, g + n, s, {grad_x + n}, bad);
    }
    carry_on(carry, g + n, s);
  }
  state = s;
  poison = bad;
}

// Only the state, upwards.
template <class T, int P>
[[gnu::noinline]] void carry_blocks(const Carry<P>& carry, const T* x, int64_t count,
                                    State<P>& state) {
  State<P> s = state;
  for (int64_t n = 0; n < count; n += kBlock) carry_on(carry, x + n, s);
  state = s;
}

POLEZERO_ISA_END
