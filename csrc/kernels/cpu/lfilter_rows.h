// Rows of recursive filters on the CPU, serially, and what all ways to filter rows share.
#pragma once

#include <type_traits>

#include "kernels/cpu/tile/correlate.h"
#include "kernels/cpu/tile/serial.h"

POLEZERO_ISA_BEGIN

// The coefficients of a row as they are.
template <class T>
struct RowFilter {
  const acc_t<T>* b;
  const acc_t<T>* a;
  RowFilter(const Filters<T>& f, int64_t row)
      : b(f.b + row * f.filter_stride * (f.order + 1)), a(f.a + row * f.filter_stride * f.order) {}
};

// The same, padded to the order P of a table.
template <int P>
struct PaddedFilter {
  double b[P + 1] = {};
  double a[P] = {};
  template <class T>
  PaddedFilter(const Filters<T>& f, int64_t row) {
    const RowFilter<T> from(f, row);
    for (int64_t i = 0; i <= f.order; ++i) b[i] = from.b[i];
    for (int64_t i = 0; i < f.order; ++i) a[i] = from.a[i];
  }
};

template <class T>
void forward_serial_rows(const LfilterForwardParams<T>& p, const Range& range) {
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const RowFilter<T> f(p.filters, r);
    T* y = p.y == nullptr ? nullptr : p.y + r * p.y_stride + range.time_begin;
    serial_forward<T>(p.filters, f.b, f.a, p.x + r * p.x_stride + range.time_begin, y,
                      range.time_end - range.time_begin, p.state + r * p.filters.order);
  }
}

// Sums over the tile [begin, end) of a row whose lambda lies at lambda[0..end-begin).
template <class T>
void add_sums(const LfilterBackwardParams<T>& p, int64_t row, const T* lambda, int64_t begin,
              int64_t end) {
  const int64_t taps_b = p.filters.order_b + 1, taps_a = p.filters.order_a + 1;
  if (p.x != nullptr) {
    correlate<Conjugate::kYes>(lambda, p.x + row * p.x_stride, begin, end, taps_b,
                               p.sum_b + row * taps_b);
  }
  if (p.y != nullptr) {
    correlate<Conjugate::kYes>(lambda, p.y + row * p.y_stride, begin, end, taps_a,
                               p.sum_a + row * taps_a);
  }
}

// The adjoint of a row serially, from `end` down to `begin`, a tile at a time (lambda stays in the
// cache).
template <class T>
void backward_serial_row(const LfilterBackwardParams<T>& p, int64_t row, int64_t begin, int64_t end,
                         T* lambda) {
  const RowFilter<T> f(p.filters, row);
  const T* g = p.grad_y + row * p.grad_y_stride;
  for (int64_t e = end; e > begin; e = std::max(e - kTile, begin)) {
    const int64_t n = std::max(e - kTile, begin);
    serial_backward<T>(p.filters, f.b, f.a, g + n, lambda,
                       p.grad_x == nullptr ? nullptr : p.grad_x + row * p.grad_x_stride + n, e - n,
                       p.state + row * p.filters.order);
    add_sums(p, row, lambda, n, e);
  }
}

template <class T>
void backward_serial_rows(const LfilterBackwardParams<T>& p, const Range& range) {
  T lambda[kTile];
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    backward_serial_row(p, r, range.time_begin, range.time_end, lambda);
  }
}

POLEZERO_ISA_END
