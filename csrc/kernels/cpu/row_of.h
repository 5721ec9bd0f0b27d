// One row of a problem, for launchers that filter rows for themselves.
#pragma once

#include "params/lfilter.h"

namespace polezero::cpu {

// The same problem with `row` as its row 0.
template <class scalar_t>
Filters<scalar_t> filter_of(const Filters<scalar_t>& f, int64_t row) {
  Filters<scalar_t> one = f;
  one.b += row * f.filter_stride * (f.order + 1);
  one.a += row * f.filter_stride * f.order;
  one.filter_stride = 0;
  return one;
}
template <class scalar_t>
LfilterForwardParams<scalar_t> row_of(const LfilterForwardParams<scalar_t>& p, int64_t row) {
  LfilterForwardParams<scalar_t> one = p;
  one.filters = filter_of(p.filters, row);
  one.rows = 1;
  one.x += row * p.x_stride;
  one.y += row * p.y_stride;
  one.state += row * p.filters.order;
  return one;
}
template <class scalar_t>
LfilterBackwardParams<scalar_t> row_of(const LfilterBackwardParams<scalar_t>& p, int64_t row) {
  LfilterBackwardParams<scalar_t> one = p;
  one.filters = filter_of(p.filters, row);
  one.rows = 1;
  one.grad_y += row * p.grad_y_stride;
  if (p.grad_x != nullptr) one.grad_x += row * p.grad_x_stride;
  if (p.x != nullptr) one.x += row * p.x_stride;
  if (p.y != nullptr) one.y += row * p.y_stride;
  one.state += row * p.filters.order;
  if (p.x != nullptr) one.sum_b += row * (p.filters.order_b + 1);
  if (p.y != nullptr) one.sum_a += row * (p.filters.order_a + 1);
  return one;
}

}  // namespace polezero::cpu
