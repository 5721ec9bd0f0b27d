// The states of a cascade at the end of a tile from those at its beginning, s' = A^n s + sum_i
// A^(n - 1 - i) B x_i, where nobody asks for its output: an fma for each state and sample, half of
// what filtering costs, and rows are read as they lie in memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/cascade_rows.h"
#include "kernels/cpu/tile/double_double_lanes.h"
#include "math/double_double.h"

POLEZERO_ISA_BEGIN

// Lane i: the sum of the lanes of m[i], added up in the same order whatever i is.
template <int h = 1, int W>
POLEZERO_INLINE vec<double> lane_sums(vec<double> (&m)[W]) {
  if constexpr (h == W) {
    return m[0];
  } else {
    unroll<W>([&](auto i) POLEZERO_LAMBDA {
      if constexpr (i % (2 * h) == 0) {
        swap_lanes<h, double>(m[i], m[i + h], std::make_integer_sequence<int, W>{});
        m[i] += m[i + h];
      }
    });
    return lane_sums<2 * h>(m);
  }
}

// Of the rows of a CascadeRows. Where poles lie close to each other the powers of a transition grow
// and cancel (math/transition.h): rounded to float64 they would move the poles. They are therefore
// kept, and multiplied by the state, in twice the precision. The responses do not come back to
// themselves, and are rounded.
template <class T, int P>
class TileTransition {
 public:
  using Cascade = CascadeRows<T, P>;
  using V = vec<double>;
  using State = DirectFormState<V, P>;

  // Without tables, where they would cost more than they save in so many tiles, or overflow.
  TileTransition(const Cascade& cascade, bool one_filter, int64_t tiles)
      : one_filter_(one_filter), states_(cascade.K * P) {
    const int filters = one_filter ? 1 : kBatch;
    if (!kFma || states_ > kMaxStates || states_ * filters > kMaxResponses ||
        tiles < kLeastTiles * states_ * filters) {
      return;
    }
    usable_ = true;
    power_.resize(states_ * states_);
    responses_.resize(filters * states_ * kCascadeTile);
    for (int lane = 0; lane < filters; ++lane) {
      for (int64_t j = 0; j < states_; ++j) make_column(cascade, lane, j);
      make_responses(cascade, lane);
    }
  }

  // Through kCascadeTile samples of each of `rows` rows; lanes beyond repeat the last one. Whether
  // there are tables to do it.
  bool advance(const T* x, int64_t stride, int64_t rows, int64_t ahead, State* states) const {
    return usable_ && with_constant<kMaxStates / P>(states_ / P, [&](auto K) {
             one_filter_ ? advance_all<K, true>(x, stride, rows, ahead, states)
                         : advance_all<K, false>(x, stride, rows, ahead, states);
           });
  }

 private:
  static constexpr int kMaxStates = 8;
  static constexpr int kMaxResponses = 32;    // half of a first-level cache
  static constexpr int64_t kLeastTiles = 16;  // for each state of a filter
  // Sums in the registers: of so many states and rows.
  static constexpr int kStates = 4, kRows = std::min(kBatch, kRegisters / 8);

  template <int K, bool one_filter>
  [[gnu::noinline]] void advance_all(const T* x, int64_t stride, int64_t rows, int64_t ahead,
                                     State* states) const {
    constexpr int S = K * P;
    const T* row[kBatch];
    for (int64_t i = 0; i < kBatch; ++i) row[i] = x + std::min(i, rows - 1) * stride;
    DoubleDoubleLanes next[S];
    unroll<(S + kStates - 1) / kStates>([&](auto i) POLEZERO_LAMBDA {
      constexpr int first = i * kStates;
      respond<S, first, std::min(kStates, S - first), one_filter>(row, ahead, next);
    });
    unroll<S>([&](auto j) POLEZERO_LAMBDA {
      const V s = states[j / P].s[j % P];
      unroll<S>([&](auto i) POLEZERO_LAMBDA {  // filters only reach themselves and later ones
        if constexpr (i >= j / P * P) next[i].add_product(power_[j * S + i], s);
      });
    });
    unroll<S>([&](auto j) POLEZERO_LAMBDA { states[j / P].s[j % P] = next[j].high + next[j].low; });
  }

  // What x leaves in the states [first, first + J) of S.
  template <int S, int first, int J, bool one_filter>
  POLEZERO_INLINE void respond(const T* const* row, int64_t ahead, DoubleDoubleLanes* next) const {
    V sums[J][kBatch];
    for (int r = 0; r < kBatch; r += kRows) {
      V sum[kRows][J] = {};
      for (int64_t n = 0; n < kCascadeTile; n += kBatch) {
        unroll<kRows>([&](auto i) POLEZERO_LAMBDA {
          const V u = to_double(row[r + i] + n);
          if constexpr (first == 0) __builtin_prefetch(row[r + i] + n + ahead);
          const int64_t filter = one_filter ? 0 : r + i;
          const double* response = &responses_[(filter * S + first) * kCascadeTile + n].v;
          unroll<J>([&](auto j) POLEZERO_LAMBDA {
            sum[i][j] += load<double>(response + j * kCascadeTile) * u;
          });
        });
      }
      unroll<kRows>([&](auto i) POLEZERO_LAMBDA {
        unroll<J>([&](auto j) POLEZERO_LAMBDA { sums[j][r + i] = sum[i][j]; });
      });
    }
    unroll<J>([&](auto j) POLEZERO_LAMBDA { next[first + j].high = lane_sums(sums[j]); });
  }

  // One sample through the filters of a lane.
  static void step(const Cascade& cascade, int lane, DoubleDouble x, DoubleDouble* s) {
    for (int64_t k = 0; k < cascade.K; ++k, s += P) {
      const DirectForm<V, P>& c = cascade.filter(k);
      DoubleDouble y = s[0];
      add_product(y, c.b[0][lane], x);
      for (int j = 0; j < P; ++j) {
        s[j] = j + 1 < P ? s[j + 1] : DoubleDouble(0);
        add_product(s[j], c.b[j + 1][lane], x);
        subtract_product(s[j], c.a[j][lane], y);
      }
      x = y;
    }
  }
  void make_column(const Cascade& cascade, int lane, int64_t j) {
    DoubleDouble s[kMaxStates];
    s[j] = 1;
    for (int64_t n = 0; n < kCascadeTile; ++n) step(cascade, lane, 0, s);
    for (int64_t i = 0; i < states_; ++i) {
      DoubleDoubleLanes& power = power_[j * states_ + i];
      usable_ &= std::isfinite(s[i].high);
      for (int to = lane; to < (one_filter_ ? kBatch : lane + 1); ++to) {
        power.high[to] = s[i].high;
        power.low[to] = s[i].low;
      }
    }
  }
  void make_responses(const Cascade& cascade, int lane) {
    DoubleDouble s[kMaxStates];
    for (int64_t n = 0; n < kCascadeTile; ++n) {
      step(cascade, lane, n == 0 ? 1 : 0, s);
      for (int64_t i = 0; i < states_; ++i) {
        usable_ &= std::isfinite(s[i].high);
        responses_[(lane * states_ + i + 1) * kCascadeTile - 1 - n].v = s[i].rounded();
      }
    }
  }

  bool one_filter_, usable_ = false;
  int64_t states_;
  std::vector<DoubleDoubleLanes> power_;  // A^n by columns
  std::vector<Lane<double>> responses_;   // [rows, or 1][states][n]
};

// Complex rows go one at a time, which saves nothing here.
template <class T, int P>
class TileTransition<std::complex<T>, P> {
 public:
  TileTransition(const CascadeRows<std::complex<T>, P>&, bool, int64_t) {}
  template <class... Arguments>
  bool advance(const Arguments&...) const {
    return false;
  }
};

POLEZERO_ISA_END
