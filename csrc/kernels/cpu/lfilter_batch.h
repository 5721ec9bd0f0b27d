// Rows of recursive filters side by side on the CPU: many rows of a higher order, or with a filter
// each, for which blocks along time would do more arithmetic or need tables of their own.
#pragma once

#include "kernels/cpu/lfilter_blocks.h"
#include "kernels/cpu/tile/batch.h"

POLEZERO_ISA_BEGIN

// Up to which order two groups of rows fit in the registers.
template <int P>
inline constexpr int kGroups = P <= 4 ? 2 : 1;
// Between the rows of a tile of lambda, which would otherwise share the few lines of one cache set.
inline constexpr int64_t kLambdaGap = 16;

// Measured, in ns a sample: rows side by side, and one after the other (blocks; float64 above order
// 2: serially).
template <int P>
inline constexpr double kBatchCost = P == 2   ? 0.45
                                     : P == 4 ? 0.42
                                     : P == 8 ? 0.47
                                              : 0.72;
template <class T, int P>
inline constexpr double kRowCost = !kBlocks<T, P> ? 3.3
                                   : P == 2       ? 0.29
                                   : P == 4       ? 0.5
                                   : P == 8       ? 0.65
                                                  : 1.5;
// In ns: to begin a batch, a row, a table; a sample beyond the last block of a row.
inline constexpr double kBatchSetup = 80, kRowSetup = 20, kTableSetup = 300, kRestCost = 3.3;

// The rows are those of the whole problem, as for tables_pay.
template <int P, class T>
bool batch_pays(const Filters<T>& filters, int64_t rows, int64_t time) {
  const double samples = static_cast<double>(time);
  const double batches = static_cast<double>((rows + kBatch - 1) / kBatch);
  double row = kRowSetup + samples * kRowCost<T, P>;
  if (kBlocks<T, P>) {
    row += static_cast<double>(time % kBlock) * kRestCost;
    if (filters.filter_stride != 0) row += kTableSetup;
  }
  return batches * (kBatchSetup + kBatch * samples * kBatchCost<P>) <
         static_cast<double>(rows) * row;
}

// The rows [begin, begin + count) of a problem in G groups.
template <class T, int P, int G>
class Batch {
 public:
  Batch(const Filters<T>& filters, double* state, int64_t begin, int64_t count)
      : order_(filters.order), state_(state + begin * order_), count_(count) {
    for (int64_t i = 0; i < G * kBatch; ++i) {
      const PaddedFilter<P> f(filters, begin + std::min(i, count - 1));
      BatchFilter<P>& group = groups[i / kBatch];
      for (int j = 0; j <= P; ++j) group.b[j][i % kBatch] = f.b[j];
      for (int j = 0; j < P; ++j) group.a[j][i % kBatch] = f.a[j];
    }
    for (int64_t i = 0; i < count; ++i) read_state(i);
  }

  BatchFilter<P> groups[G];

  // After a tile: the rows in which everything was finite have their new state in memory. For each
  // other one, whose state is as before the tile, calls redo(i).
  template <class F>
  void end_tile(F&& redo) {
    for (BatchFilter<P>& g : groups) {
      for (const auto& s : g.s) g.poison += s - s;
    }
    for (int64_t i = 0; i < count_; ++i) {
      const BatchFilter<P>& g = groups[i / kBatch];
      if (is_finite(g.poison[i % kBatch])) {
        for (int64_t j = 0; j < order_; ++j) state_[i * order_ + j] = g.s[j][i % kBatch];
      } else {
        redo(i);
        read_state(i);
      }
    }
    for (BatchFilter<P>& g : groups) g.poison = vec<double>{};
  }

 private:
  void read_state(int64_t i) {
    for (int j = 0; j < P; ++j) {
      groups[i / kBatch].s[j][i % kBatch] = j < order_ ? state_[i * order_ + j] : 0;
    }
  }

  int64_t order_;
  double* state_;
  int64_t count_;
};

template <int P, int G, class T>
void forward_batch(const LfilterForwardParams<T>& p, const Range& range, int64_t begin,
                   int64_t count) {
  Batch<T, P, G> batch(p.filters, p.state, begin, count);
  for (int64_t n = range.time_begin; n < range.time_end; n += kTile) {
    const int64_t length = std::min(kTile, range.time_end - n);
    const T* x = p.x + begin * p.x_stride + n;
    T* y = p.y + begin * p.y_stride + n;
    batch_forward<T, P, G>(batch.groups, x, p.x_stride, y, p.y_stride, count, length);
    batch.end_tile([&](int64_t i) {
      const RowFilter<T> f(p.filters, begin + i);
      serial_forward<T>(p.filters, f.b, f.a, x + i * p.x_stride, y + i * p.y_stride, length,
                        p.state + (begin + i) * p.filters.order);
    });
  }
}

template <int P, int G, class T>
void backward_batch(const LfilterBackwardParams<T>& p, const Range& range, int64_t begin,
                    int64_t count) {
  Batch<T, P, G> batch(p.filters, p.state, begin, count);
  alignas(64) T lambda[G * kBatch][kTile + kLambdaGap];
  const bool sums = p.x != nullptr || p.y != nullptr;
  for (int64_t end = range.time_end; end > range.time_begin;) {
    const int64_t length = std::min(kTile, end - range.time_begin), n = end - length;
    end = n;
    const T* g = p.grad_y + begin * p.grad_y_stride + n;
    T* grad_x = p.grad_x == nullptr ? nullptr : p.grad_x + begin * p.grad_x_stride + n;
    auto run = [&](auto tile) {
      tile(batch.groups, g, p.grad_y_stride, lambda[0], kTile + kLambdaGap, grad_x, p.grad_x_stride,
           count, length);
    };
    if (sums && grad_x != nullptr) {
      run(batch_backward<true, true, T, P, G>);
    } else if (sums) {
      run(batch_backward<true, false, T, P, G>);
    } else if (grad_x != nullptr) {
      run(batch_backward<false, true, T, P, G>);
    } else {
      run(batch_backward<false, false, T, P, G>);
    }
    bool redone[G * kBatch] = {};
    batch.end_tile([&](int64_t i) {
      backward_serial_row(p, begin + i, n, n + length, lambda[i]);
      redone[i] = true;
    });
    for (int64_t i = 0; sums && i < count; ++i) {
      if (!redone[i]) add_sums(p, begin + i, lambda[i], n, n + length);
    }
  }
}

// Calls f(groups, first row, rows) for all rows of the range.
template <int P, class F>
void for_each_batch(const Range& range, F&& f) {
  constexpr int64_t full = kGroups<P> * kBatch;
  for (int64_t r = range.row_begin; r < range.row_end;) {
    const int64_t left = range.row_end - r;
    if (left <= kBatch) {
      f(std::integral_constant<int, 1>{}, r, left);
      return;
    }
    const int64_t rows = std::min(full, left);
    f(std::integral_constant<int, kGroups<P>>{}, r, rows);
    r += rows;
  }
}

POLEZERO_ISA_END
