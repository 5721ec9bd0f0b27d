// Rows of recursive filters side by side on the CPU: many rows of a higher order, or with a filter
// each, for which blocks along time would do more arithmetic or need tables of their own.
#pragma once

#include "kernels/cpu/lfilter_blocks.h"
#include "kernels/cpu/tile/batch.h"

POLEZERO_ISA_BEGIN

// Batches that are filtered at once: two where their states fit in the registers.
template <int P>
inline constexpr int kBatches = P <= 4 ? 2 : 1;
// Samples between the rows of a tile of lambda, which would otherwise share the few lines of one
// cache set.
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
// Costs in ns: to begin a batch, a row, a table; a sample beyond the last block of a row.
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

// The rows [begin, begin + count) of a problem in so many batches.
template <class T, int P, int batches>
class BatchRows {
 public:
  BatchRows(const Filters<T>& given, double* state, int64_t begin, int64_t count)
      : order_(given.order), state_(state + begin * order_), count_(count) {
    for (int64_t i = 0; i < batches * kBatch; ++i) {
      const PaddedFilter<P> f(given, begin + std::min(i, count - 1));
      BatchFilter<P>& filter = filters[i / kBatch];
      for (int j = 0; j <= P; ++j) filter.b[j][i % kBatch] = f.b[j];
      for (int j = 0; j < P; ++j) filter.a[j][i % kBatch] = f.a[j];
    }
    for (int64_t i = 0; i < count; ++i) read_state(i);
  }

  BatchFilter<P> filters[batches];

  // Ends a tile: rows in which everything was finite have their new state in memory. For each other
  // one, whose state is as before the tile, calls redo(i).
  template <class F>
  void end_tile(F&& redo) {
    for (BatchFilter<P>& g : filters) {
      for (const auto& s : g.s) g.poison += s - s;
    }
    for (int64_t i = 0; i < count_; ++i) {
      const BatchFilter<P>& g = filters[i / kBatch];
      if (is_finite(g.poison[i % kBatch])) {
        for (int64_t j = 0; j < order_; ++j) state_[i * order_ + j] = g.s[j][i % kBatch];
      } else {
        redo(i);
        read_state(i);
      }
    }
    for (BatchFilter<P>& g : filters) g.poison = vec<double>{};
  }

 private:
  void read_state(int64_t i) {
    for (int j = 0; j < P; ++j) {
      filters[i / kBatch].s[j][i % kBatch] = j < order_ ? state_[i * order_ + j] : 0;
    }
  }

  int64_t order_;
  double* state_;
  int64_t count_;
};

template <int P, int batches, class T>
void forward_batch_rows(const LfilterForwardParams<T>& p, const Range& range, int64_t begin,
                        int64_t count) {
  BatchRows<T, P, batches> rows(p.filters, p.state, begin, count);
  for (int64_t n = range.time_begin; n < range.time_end; n += kTile) {
    const int64_t length = std::min(kTile, range.time_end - n);
    const T* x = p.x + begin * p.x_stride + n;
    T* y = p.y + begin * p.y_stride + n;
    forward_batches<T, P, batches>(rows.filters, x, p.x_stride, y, p.y_stride, count, length);
    rows.end_tile([&](int64_t i) {
      const RowFilter<T> f(p.filters, begin + i);
      serial_forward<T>(p.filters, f.b, f.a, x + i * p.x_stride, y + i * p.y_stride, length,
                        p.state + (begin + i) * p.filters.order);
    });
  }
}

template <int P, int batches, class T>
void backward_batch_rows(const LfilterBackwardParams<T>& p, const Range& range, int64_t begin,
                         int64_t count) {
  BatchRows<T, P, batches> rows(p.filters, p.state, begin, count);
  alignas(64) T lambda[batches * kBatch][kTile + kLambdaGap];
  const bool sums = p.x != nullptr || p.y != nullptr;
  for (int64_t end = range.time_end; end > range.time_begin;) {
    const int64_t length = std::min(kTile, end - range.time_begin), n = end - length;
    end = n;
    const T* g = p.grad_y + begin * p.grad_y_stride + n;
    T* grad_x = p.grad_x == nullptr ? nullptr : p.grad_x + begin * p.grad_x_stride + n;
    auto run = [&](auto tile) {
      tile(rows.filters, g, p.grad_y_stride, lambda[0], kTile + kLambdaGap, grad_x, p.grad_x_stride,
           count, length);
    };
    if (sums && grad_x != nullptr) {
      run(backward_batches<true, true, T, P, batches>);
    } else if (sums) {
      run(backward_batches<true, false, T, P, batches>);
    } else if (grad_x != nullptr) {
      run(backward_batches<false, true, T, P, batches>);
    } else {
      run(backward_batches<false, false, T, P, batches>);
    }
    bool redone[batches * kBatch] = {};
    rows.end_tile([&](int64_t i) {
      backward_serial_row(p, begin + i, n, n + length, lambda[i]);
      redone[i] = true;
    });
    for (int64_t i = 0; sums && i < count; ++i) {
      if (!redone[i]) add_sums(p, begin + i, lambda[i], n, n + length);
    }
  }
}

// Calls f(batches, first row, rows) for all rows of the range.
template <int P, class F>
void for_all_batches(const Range& range, F&& f) {
  constexpr int64_t full = kBatches<P> * kBatch;
  for (int64_t r = range.row_begin; r < range.row_end;) {
    const int64_t left = range.row_end - r;
    if (left <= kBatch) {
      f(std::integral_constant<int, 1>{}, r, left);
      return;
    }
    const int64_t rows = std::min(full, left);
    f(std::integral_constant<int, kBatches<P>>{}, r, rows);
    r += rows;
  }
}

POLEZERO_ISA_END
