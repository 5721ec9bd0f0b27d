// Rows side by side as in batch.h, for any order: states and coefficients lie in the cache. A few
// samples, a step, go through them at a time, so that they are read once for all of these. The sums
// are those of serial.h, in an order that does not depend on where steps begin, and only taps that
// exist are multiplied: NaN and inf go where they go there.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/tile/row_lanes.h"

POLEZERO_ISA_BEGIN

// Which of some taps exist.
enum class Taps { kNone, kSome, kAll };

// Filters of kBatch rows, b[0..M] and a[1..N], in steps of kSteps samples. State k of P meets the
// taps k + 1 .. k + kSteps.
template <int kSteps, class V>
struct AnyOrderFilter {
  int64_t M, N;
  const V *b, *a;

  AnyOrderFilter(int64_t M, int64_t N, const V* b, const V* a) : M(M), N(N), b(b), a(a) {
    int64_t cuts[] = {0, std::max<int64_t>(M - kSteps + 1, 0), M,
                      std::max<int64_t>(N - kSteps + 1, 0), N};
    std::sort(std::begin(cuts), std::end(cuts));
    for (int i = 0; i < kRanges; ++i) {
      ranges_[i] = {cuts[i], cuts[i + 1], taps_at(cuts[i], M), taps_at(cuts[i], N)};
    }
  }

  // f(k, taps of b, taps of a) for all states, upwards or downwards.
  template <bool up, class F>
  POLEZERO_INLINE void for_each_state(F&& f) const {
    for (int i = 0; i < kRanges; ++i) {
      const Range& range = ranges_[up ? i : kRanges - 1 - i];
      const auto run = [&](auto taps_b, auto taps_a) POLEZERO_LAMBDA {
        for (int64_t n = range.begin; n < range.end; ++n) {
          f(up ? n : range.begin + range.end - 1 - n, taps_b, taps_a);
        }
      };
      constexpr std::integral_constant<Taps, Taps::kNone> none;
      constexpr std::integral_constant<Taps, Taps::kSome> some;
      constexpr std::integral_constant<Taps, Taps::kAll> all;
      if (range.b == Taps::kSome || range.a == Taps::kSome) {
        run(some, some);
      } else if (range.a == Taps::kNone) {
        run(all, none);
      } else if (range.b == Taps::kNone) {
        run(none, all);
      } else {
        run(all, all);
      }
    }
  }

 private:
  static constexpr int kRanges = 4;
  struct Range {
    int64_t begin, end;
    Taps b, a;
  };
  static Taps taps_at(int64_t k, int64_t order) {
    return k + kSteps <= order ? Taps::kAll : k < order ? Taps::kSome : Taps::kNone;
  }
  Range ranges_[kRanges];
};

template <Taps taps>
POLEZERO_INLINE bool has_tap(int64_t i, int64_t order) {
  return taps == Taps::kAll || (taps == Taps::kSome && i <= order);
}

// Transposed direct form II: a step of samples, y in the place of x. s[0..P + kSteps), of which the
// last kSteps are zero.
template <int kSteps, class V>
POLEZERO_INLINE void forward_step(const AnyOrderFilter<kSteps, V>& f, V* x, V* s) {
  V u[kSteps], v[kSteps];
  unroll<kSteps>([&](auto t) POLEZERO_LAMBDA {
    u[t] = x[t];
    V sum = s[t];
    unroll<t>([&](auto e) POLEZERO_LAMBDA {  // what the samples before it in this step have added
      constexpr int i = t - e;
      if (i <= f.M) sum = plus_product(sum, f.b[i], u[e]);
      if (i <= f.N) sum = minus_product(sum, f.a[i], v[e]);
    });
    x[t] = v[t] = plus_product(sum, f.b[0], u[t]);
  });
  f.template for_each_state<true>([&](int64_t k, auto taps_b, auto taps_a) POLEZERO_LAMBDA {
    V sum = s[k + kSteps];
    unroll<kSteps>([&](auto e) POLEZERO_LAMBDA {
      const int64_t i = k + kSteps - e;
      if (has_tap<taps_b>(i, f.M)) sum = plus_product(sum, f.b[i], u[e]);
      if (has_tap<taps_a>(i, f.N)) sum = minus_product(sum, f.a[i], v[e]);
    });
    s[k] = sum;
  });
}

// Direct form II backwards in time: a step of samples, the last of which is at g[0], lambda[0] and
// grad_x[0], which is left out where it is not wanted. lambda[1..P] are the state.
template <bool with_grad_x, int kSteps, class V>
POLEZERO_INLINE void backward_step(const AnyOrderFilter<kSteps, V>& f, const V* g, V* lambda,
                                   V* grad_x) {
  V l[kSteps], out[kSteps] = {};
  unroll<kSteps>([&](auto t) POLEZERO_LAMBDA { l[t] = g[-t]; });
  f.template for_each_state<false>([&](int64_t k, auto taps_b, auto taps_a) POLEZERO_LAMBDA {
    const V state = lambda[k + 1];
    unroll<kSteps>([&](auto t) POLEZERO_LAMBDA {
      const int64_t i = k + 1 + t;
      if (has_tap<taps_a>(i, f.N)) l[t] = minus_product(l[t], f.a[i], state);
      if (with_grad_x && has_tap<taps_b>(i, f.M)) out[t] = plus_product(out[t], f.b[i], state);
    });
  });
  unroll<kSteps>([&](auto t) POLEZERO_LAMBDA {
    unroll<t>([&](auto e) POLEZERO_LAMBDA {
      constexpr int i = t - e;
      if (i <= f.N) l[t] = minus_product(l[t], f.a[i], l[e]);
      if (with_grad_x && i <= f.M) out[t] = plus_product(out[t], f.b[i], l[e]);
    });
    lambda[-t] = l[t];
    if constexpr (with_grad_x) grad_x[-t] = plus_product(out[t], f.b[0], l[t]);
  });
}

POLEZERO_ISA_END
