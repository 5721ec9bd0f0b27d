// A recursive filter over blocks of L samples is a state-space system over blocks:
//
//     y = H x + G s        H: [L, L] Toeplitz, G: [L, P]
//     s' = Phi s + E x     Phi: [P, P], E: [P, L], float64
//
// H x is SIMD along time. Only what happens inside one block is computed in the signal's precision;
// the state is exact to float64, so that no error outlives its block: that of a direct form for two
// states, of a lattice for more (lattice_state.h). Columns of G can be large and
// nearly opposite, so a float32 signal gets G = Q R: R s in float64, Q, orthonormal, in float32.
// (Block state-space form: Barnes and Shinnaka, IEEE Trans. CAS 27(8), 1980.)
#pragma once

#include "kernels/cpu/tile/block_tables.h"

POLEZERO_ISA_BEGIN

// Samples after which a row's state and sums are looked at and written back. What a kernel reads
// twice, it reads while a tile of it is still in the cache.
inline constexpr int64_t kTile = 1024;

// The state between two blocks, in registers: through memory it would cost a store-to-load
// forwarding a block (measured at P = 2: 0.31 against 0.22 ns a sample).
template <int P>
struct State {
  static constexpr int W = P < kLanes<double> ? P : kLanes<double>;
  vec<double, W> v[P / W] = {};
  double operator[](int k) const { return v[k / W][k % W]; }
  void set(int k, double value) { v[k / W][k % W] = value; }

  // The sum of the columns m[k] times the states, plus `sum`.
  POLEZERO_INLINE State times(const double (&m)[P][P], State sum = {}) const {
    unroll<P / W>([&](auto i) POLEZERO_LAMBDA {
      // two chains hide some of the latency of the additions
      vec<double, W> other = {};
      unroll<P>([&](auto k) POLEZERO_LAMBDA {
        const auto sk = pick_one<k % W>(v[k / W]);
        (P > 2 && k % 2 == 1 ? other : sum.v[i]) += load<double, W>(m[k] + i * W) * sk;
      });
      if constexpr (P > 2) sum.v[i] += other;
    });
    return sum;
  }
};

inline constexpr int kDoubles = kLanes<double>;
inline constexpr int kDoubleVectors = kBlock / kDoubles;

// A response whose first columns of H are read once for all blocks: loads have two ports, as fmas
// have, and each fma has a sample to read already (measured: 0.41 against 0.29 ns a sample).
template <class T, int P, int kKept>
struct Responder {
  const Response<T, P>& response;
  vec<T> kept[kKept > 0 ? kKept : 1];

  POLEZERO_INLINE explicit Responder(const Response<T, P>& r) : response(r) {
    unroll<kKept>([&](auto i) POLEZERO_LAMBDA {
      kept[i] = load<T>(response.h[i]);
      keep_in_register(kept[i]);
    });
  }
  template <int i>
  POLEZERO_INLINE vec<T> column() const {
    if constexpr (i < kKept) {
      return kept[i];
    } else {
      return load<T>(response.h[i]);
    }
  }
};
// Columns of H that are kept: as many as leave registers for the rest of a block.
template <class T>
inline constexpr int kKeptColumns = kRegisters == 32 ? kBlock
                                    : kLanes<T> >= 8 ? kBlock / 2
                                                     : 0;

// What the state adds to the blocks of a tile, as Q takes it: w = R s.
template <class T, int P>
struct Drive {
  alignas(64) T w[kTile / kBlock][P];

  POLEZERO_INLINE void set(int64_t block, const Response<T, P>& response, const State<P>& s) {
    constexpr int W = State<P>::W;
    const State<P> rs = Response<T, P>::kFactored ? s.times(response.r) : s;
    unroll<P / W>([&](auto i) POLEZERO_LAMBDA { store_narrow<W>(w[block] + i * W, rs.v[i]); });
  }
};

// sum += u * v, or the first such product.
template <bool first, class V>
POLEZERO_INLINE void add_product(V& sum, V u, V v) {
  if constexpr (first) {
    sum = u * v;
  } else {
    sum += u * v;
  }
}

// y = H x + Q w for one or more responses to the same samples, which share what is broadcast. Adds
// to `poison`, which turns NaN as soon as a y is not finite. Only the last y is ever stored around
// the caches.
enum class Store { kCached, kAround };
template <Time time, Store where, class T, int P, class... R>
POLEZERO_INLINE void respond(const T* x, const T* const (&w)[sizeof...(R)],
                             T* const (&y)[sizeof...(R)], vec<T>& poison, const R&... responders) {
  constexpr int W = kLanes<T>, kVectors = kBlock / W, kResponses = sizeof...(R);
  // Several chains of additions a vector: one chain of 16 fills the scheduler with waiting fmas,
  // and blocks stop overlapping (measured: 0.36 against 0.29 ns a sample).
  constexpr int kChains = kVectors == 1 ? 4 : 2;
  vec<T> chain[kResponses][kVectors][kChains];
  unroll<kVectors>([&](auto from) POLEZERO_LAMBDA {
    unroll<W>([&](auto j) POLEZERO_LAMBDA {
      const vec<T> xj = broadcast<T>(x[from * W + j]);
      unroll<kVectors>([&](auto d) POLEZERO_LAMBDA {
        constexpr int to = time == Time::kAscending ? from + d : from - d;
        if constexpr (to >= 0 && to < kVectors) {
          constexpr bool first = j < kChains && (time == Time::kAscending ? from == 0 : d == 0);
          int r = 0;
          (add_product<first>(chain[r++][to][j % kChains], responders.template column<d * W + j>(),
                              xj),
           ...);
        }
      });
    });
  });
  unroll<P>([&](auto k) POLEZERO_LAMBDA {
    unroll<kVectors>([&](auto v) POLEZERO_LAMBDA {
      int r = 0;
      ((chain[r][v][k % kChains] +=
        load<T>(responders.response.q[k] + v * W) * broadcast<T>(w[r][k]),
        ++r),
       ...);
    });
  });
  unroll<kResponses>([&](auto r) POLEZERO_LAMBDA {
    unroll<kVectors>([&](auto v) POLEZERO_LAMBDA {
      vec<T> out = chain[r][v][0] + chain[r][v][1];
      if constexpr (kChains == 4) out += chain[r][v][2] + chain[r][v][3];
      poison += out - out;
      if constexpr (where == Store::kAround && r == kResponses - 1) {
        store_around<T>(y[r] + v * W, out);
      } else {
        store<T>(y[r] + v * W, out);
      }
    });
  });
}

// s = Phi s + E x.
template <class T, int P>
POLEZERO_INLINE void carry_on(const Carry<P>& c, const T* x, State<P>& s) {
  vec<double> xd[kDoubleVectors];
  unroll<kDoubleVectors>([&](auto i) POLEZERO_LAMBDA { xd[i] = to_double(x + i * kDoubles); });
  State<P> ex;
  if constexpr (P == 2) {  // two dot products
    vec<double> dot[2];
    unroll<kDoubleVectors>([&](auto i) POLEZERO_LAMBDA {
      unroll<2>([&](auto k) POLEZERO_LAMBDA {
        add_product<i == 0>(dot[k], load<double>(c.e[k] + i * kDoubles), xd[i]);
      });
    });
    ex.v[0] = pair_of_sums(dot[0], dot[1]);
  } else {  // sums of columns
    constexpr int W = State<P>::W;
    alignas(64) double xs[kBlock];
    unroll<kDoubleVectors>([&](auto i)
                               POLEZERO_LAMBDA { store<double>(xs + i * kDoubles, xd[i]); });
    unroll<P / W>([&](auto v) POLEZERO_LAMBDA {
      vec<double, W> sum[4];  // four chains hide the latency of the additions
      unroll<kBlock>([&](auto j) POLEZERO_LAMBDA {
        add_product<(j < 4)>(sum[j % 4], load<double, W>(c.e_t[j] + v * W),
                             broadcast<double, W>(xs[j]));
      });
      ex.v[v] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    });
  }
  s = s.times(c.phi, ex);
}

// How many blocks the state runs ahead of the responses, so that they do not wait for it: E x takes
// longer than a block (measured at P = 2: 0.315 ns a sample for 0, 0.29 for 2 to 8).
inline constexpr int64_t kAhead = 4;

// Whole blocks of x, count <= kTile samples, s carried on. A function of its own for each use, so
// that the tables and the state have the registers to themselves; `flatten` because GCC stops
// inlining in functions of this size.
template <Store where, class T, int P>
[[gnu::noinline]] void forward_blocks(const Response<T, P>& response, const Carry<P>& carry,
                                      const T* x, T* y, int64_t count, State<P>& state,
                                      vec<T>& poison) {
  const Responder<T, P, kKeptColumns<T>> responder(response);
  Drive<T, P> drive;
  State<P> s = state;
  vec<T> bad = poison;
  const int64_t blocks = count / kBlock;
  for (int64_t i = 0; i < blocks + kAhead; ++i) {
    if (i < blocks) {
      drive.set(i, response, s);
      carry_on(carry, x + i * kBlock, s);
    }
    if (const int64_t n = (i - kAhead) * kBlock; n >= 0) {
      respond<Time::kAscending, where, T, P>(x + n, {drive.w[i - kAhead]}, {y + n}, bad, responder);
    }
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
  constexpr auto down = Time::kDescending;
  const Responder<T, P, with_lambda ? kKeptColumns<T> : 0> lambda_of(to_lambda);
  const Responder<T, P, with_lambda ? 0 : kKeptColumns<T>> grad_x_of(to_grad_x);
  Drive<T, P> lambda_drive, grad_x_drive;
  State<P> s = state;
  vec<T> bad = poison;
  const int64_t blocks = count / kBlock;
  for (int64_t i = 0; i < blocks + kAhead; ++i) {
    if (const int64_t n = count - (i + 1) * kBlock; n >= 0) {
      if constexpr (with_lambda) lambda_drive.set(i, to_lambda, s);
      if constexpr (with_grad_x) grad_x_drive.set(i, to_grad_x, s);
      carry_on(carry, g + n, s);
      if constexpr (with_lambda) {
        __builtin_prefetch(fetch_x + n);
        __builtin_prefetch(fetch_y + n);
      }
    }
    if (i < kAhead) continue;
    const int64_t n = count - (i - kAhead + 1) * kBlock;
    const T *lw = lambda_drive.w[i - kAhead], *xw = grad_x_drive.w[i - kAhead];
    if constexpr (with_lambda && with_grad_x) {
      respond<down, where, T, P>(g + n, {lw, xw}, {lambda + n, grad_x + n}, bad, lambda_of,
                                 grad_x_of);
    } else if constexpr (with_lambda) {
      respond<down, Store::kCached, T, P>(g + n, {lw}, {lambda + n}, bad, lambda_of);
    } else if constexpr (with_grad_x) {
      respond<down, where, T, P>(g + n, {xw}, {grad_x + n}, bad, grad_x_of);
    }
  }
  state = s;
  poison = bad;
}

// Carries the state alone on, upwards.
template <class T, int P>
[[gnu::noinline]] void carry_blocks(const Carry<P>& carry, const T* x, int64_t count,
                                    State<P>& state) {
  State<P> s = state;
  for (int64_t n = 0; n < count; n += kBlock) carry_on(carry, x + n, s);
  state = s;
}

POLEZERO_ISA_END
