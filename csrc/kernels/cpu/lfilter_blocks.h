// Rows of recursive filters on the CPU one after the other: blocks along time where tables pay,
// else serially in registers.
#pragma once

#include "kernels/cpu/lfilter_rows.h"
#include "kernels/cpu/tile/lattice_state.h"
#include "kernels/cpu/tile/serial_unrolled.h"

POLEZERO_ISA_BEGIN

// Above order 2 blocks carry the state of a lattice (lattice_state.h), whose numbers are rounded to
// float64. That is enough for float32 signals; float64 ones run serially.
template <class T, int P>
inline constexpr bool kBlocks = std::is_same_v<T, float> || P <= 2;

// Tables pay from about this many samples on (measured: making them takes 0.1, 0.5, 1.1, 3.1 us at
// P = 2, 4, 8, 16, in long double 0.4 us at P = 2; a serial filter takes 3 to 4 ns a sample).
// Rows of the whole problem, not of one thread: how many threads there are must not show in a
// result.
template <int P, class T>
bool tables_pay(const Filters<T>& filters, int64_t rows, const Range& range) {
  const int64_t rows_a_table = filters.filter_stride == 0 ? rows : 1;
  const int64_t time = range.time_end - range.time_begin;
  return rows_a_table * time >= (std::is_same_v<T, float> ? std::max(20 * P, 4 * P * P) : 80 * P);
}

// The state of a row, padded to P.
template <int P>
inline State<P> load_state(const double* from, int64_t order) {
  State<P> s;
  for (int64_t j = 0; j < order; ++j) s.set(j, from[j]);
  return s;
}
template <int P>
inline void store_state(const State<P>& s, double* to, int64_t order) {
  for (int64_t j = 0; j < order; ++j) to[j] = s[j];
}

template <int P>
inline bool all_finite(const State<P>& s) {
  double sum = 0;
  for (int i = 0; i < P; ++i) sum += s[i] * 0;
  return is_finite(sum);
}
template <class T>
inline bool all_finite(vec<T> poison) {
  return is_finite(static_cast<double>(horizontal_sum<T, kLanes<T>>(poison)));
}

template <class T>
inline bool is_aligned(const T* p) {
  return reinterpret_cast<uintptr_t>(p) % kVectorBytes == 0;
}

// The first samples of a row are whole blocks, if it has tables; those left are filtered serially.
// What is not finite is filtered again, serially, from the state before its tile: blocks multiply
// by zeros, and 0 * NaN is NaN.
template <int P, class T>
void forward_block_rows(const LfilterForwardParams<T>& p, const Range& range) {
  Response<T, P> response;
  Carry<P> carry;
  Coordinates<P> coordinates;
  const int64_t order = p.filters.order;
  const bool pay = kBlocks<T, P> && tables_pay<P>(p.filters, p.rows, range);
  bool blocks = false;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const PaddedFilter<P> padded(p.filters, r);
    if (pay && (r == range.row_begin || p.filters.filter_stride != 0)) {
      blocks = coordinates.forward_tables(padded.b, padded.a, response, carry);
    }
    const T* x = p.x + r * p.x_stride;
    T* y = p.y == nullptr ? nullptr : p.y + r * p.y_stride;
    double* state = p.state + r * order;
    auto serially = [&](int64_t n, int64_t count) {
      const RowFilter<T> f(p.filters, r);
      serial_forward<T>(p.filters, f.b, f.a, x + n, y == nullptr ? nullptr : y + n, count, state);
    };
    int64_t n = range.time_begin;
    if (blocks) {
      State<P> s = coordinates.enter_forward(load_state<P>(state, order));
      bool stored = true;  // `state` is s
      while (range.time_end - n >= kBlock) {
        const int64_t count = std::min(kTile, (range.time_end - n) / kBlock * kBlock);
        const State<P> before = s;
        vec<T> poison = {};
        if (y == nullptr) {
          carry_blocks(carry, x + n, count, s);
        } else if (p.around_cache && is_aligned(y + n)) {
          forward_blocks<Store::kAround>(response, carry, x + n, y + n, count, s, poison);
        } else {
          forward_blocks<Store::kCached>(response, carry, x + n, y + n, count, s, poison);
        }
        if (!all_finite<T>(poison) || !all_finite<P>(s)) {
          if (!stored) store_state(coordinates.leave_forward(before), state, order);
          serially(n, count);
          s = coordinates.enter_forward(load_state<P>(state, order));
          stored = true;
        } else {
          stored = false;
        }
        n += count;
      }
      if (!stored) store_state(coordinates.leave_forward(s), state, order);
    }
    for (int64_t count; n < range.time_end; n += count) {
      count = std::min(kTile, range.time_end - n);
      State<P> s = load_state<P>(state, order);
      vec<T> poison = {};
      unrolled_forward<P>(padded.b, padded.a, x + n, y == nullptr ? nullptr : y + n, count, s,
                          poison);
      if (!all_finite<T>(poison) || !all_finite<P>(s)) {
        serially(n, count);
      } else {
        store_state(s, state, order);
      }
    }
  }
  if (p.around_cache) fence_stores_around();
}

template <int P, class T>
void backward_block_rows(const LfilterBackwardParams<T>& p, const Range& range) {
  Response<T, P> to_lambda, to_grad_x;
  Carry<P> carry;
  Coordinates<P> coordinates;
  alignas(64) T scratch[kTile];
  const bool sums = p.x != nullptr || p.y != nullptr;
  const int64_t order = p.filters.order;
  const bool pay = kBlocks<T, P> && tables_pay<P>(p.filters, p.rows, range);
  bool blocks = false;
  // The last row is first: memory is then read downwards throughout, which prefetchers follow.
  for (int64_t r = range.row_end - 1; r >= range.row_begin; --r) {
    const PaddedFilter<P> padded(p.filters, r);
    if (pay && (r == range.row_end - 1 || p.filters.filter_stride != 0)) {
      blocks = coordinates.backward_tables(padded.b, padded.a, to_lambda, to_grad_x, carry);
    }
    const T* g = p.grad_y + r * p.grad_y_stride;
    T* grad_x = p.grad_x == nullptr ? nullptr : p.grad_x + r * p.grad_x_stride;
    // without zeros grad_x is lambda
    const bool same =
        grad_x != nullptr && p.filters.order_b == 0 && RowFilter<T>(p.filters, r).b[0] == 1;
    // What add_sums reads, upwards, once lambda is there: fetched while lambda is made, downwards.
    const T* fetch_x = p.x == nullptr ? g : p.x + r * p.x_stride;
    const T* fetch_y = p.y == nullptr ? g : p.y + r * p.y_stride;
    double* state = p.state + r * order;
    int64_t n = range.time_end;
    if (blocks) {
      State<P> s = coordinates.enter_backward(load_state<P>(state, order));
      bool stored = true;
      while (n - range.time_begin >= kBlock) {
        const int64_t count = std::min(kTile, (n - range.time_begin) / kBlock * kBlock);
        const State<P> before = s;
        vec<T> poison = {};
        n -= count;
        T* lambda = same ? grad_x + n : scratch;
        auto run = [&](auto blocks_of) {
          blocks_of(to_lambda, to_grad_x, carry, g + n, lambda,
                    grad_x + (grad_x == nullptr ? 0 : n), count, fetch_x + n, fetch_y + n, s,
                    poison);
        };
        constexpr auto around = Store::kAround, cached = Store::kCached;
        const bool past_cache = p.around_cache && grad_x != nullptr && is_aligned(grad_x + n);
        if (sums && grad_x != nullptr && !same) {
          past_cache ? run(backward_blocks<true, true, around, T, P>)
                     : run(backward_blocks<true, true, cached, T, P>);
        } else if (sums || same) {
          run(backward_blocks<true, false, cached, T, P>);
        } else if (grad_x != nullptr) {
          past_cache ? run(backward_blocks<false, true, around, T, P>)
                     : run(backward_blocks<false, true, cached, T, P>);
        } else {
          run(backward_blocks<false, false, cached, T, P>);
        }
        if (!all_finite<T>(poison) || !all_finite<P>(s)) {  // as in forward
          if (!stored) store_state(coordinates.leave_backward(before), state, order);
          backward_serial_row(p, r, n, n + count, lambda);
          s = coordinates.enter_backward(load_state<P>(state, order));
          stored = true;
        } else {
          add_sums(p, r, lambda, n, n + count);
          stored = false;
        }
      }
      if (!stored) store_state(coordinates.leave_backward(s), state, order);
    }
    while (n > range.time_begin) {
      const int64_t count = std::min(kTile, n - range.time_begin);
      State<P> s = load_state<P>(state, order);
      vec<T> poison = {};
      n -= count;
      T* lambda = same ? grad_x + n : scratch;
      unrolled_backward<P>(padded.b, padded.a, g + n, lambda,
                           grad_x == nullptr || same ? nullptr : grad_x + n, count, s, poison);
      if (!all_finite<T>(poison) || !all_finite<P>(s)) {
        backward_serial_row(p, r, n, n + count, lambda);
      } else {
        add_sums(p, r, lambda, n, n + count);
        store_state(s, state, order);
      }
    }
  }
  if (p.around_cache) fence_stores_around();
}

POLEZERO_ISA_END
