// Rows of filters of any order on the CPU, real or complex: side by side; without feedback the
// chunks of a row too; a few real rows with feedback one after the other, SIMD along the state.
#pragma once

#include <vector>

#include "kernels/cpu/lfilter_rows.h"
#include "kernels/cpu/tile/batch_any_order.h"
#include "kernels/cpu/tile/serial_any_order.h"

POLEZERO_ISA_BEGIN

// Rows with feedback from which on they are filtered side by side (measured).
template <class T>
inline constexpr int64_t kRowsOfBatch = is_complex<T> ? 0 : kBatch / 2;
// Samples of rows side by side that lie in the cache in float64.
inline constexpr int64_t kLaneTile = 128;
// Samples of a step: the more, the fewer loads an fma, as long as they stay in registers. Backward
// a step needs eight sums, two a sample where there are zeros and poles, to keep the units busy.
inline constexpr int kForwardStep = kRegisters == 32 ? 8 : 4;
inline constexpr int kBackwardStep = 8, kBackwardStepOfTwo = 4;

// Signals of the rows of a batch, or of the chunks of one row.
template <class T>
struct LaneSignals {
  T* data;  // null: there are none
  int64_t stride, rows;

  explicit operator bool() const { return data != nullptr; }
};

// The filters of some rows, a lane each, beginning with row `begin`.
template <class T>
class AnyOrderBatch {
 public:
  using L = RowLanes<T>;
  using V = typename L::V;
  using State = std::vector<Lane<V>>;

  AnyOrderBatch(const Filters<T>& f, int64_t begin, int64_t rows)
      : M(f.order_b), N(f.order_a), P(f.order), begin_(begin), rows_(rows), b_(P + 1), a_(P + 1) {
    for (int64_t lane = 0; lane < kBatch; ++lane) {
      const RowFilter<T> from(f, begin + std::min(lane, rows - 1));
      for (int64_t k = 0; k <= P; ++k) L::set(b_[k].v, lane, from.b[k]);
      for (int64_t k = 0; k < P; ++k) L::set(a_[k + 1].v, lane, from.a[k]);
    }
  }

  const int64_t M, N, P;

  // The states [B, P] of the rows, a lane each, and back.
  void read(const acc_t<T>* state, Lane<V>* to) const {
    for (int64_t lane = 0; lane < kBatch; ++lane) {
      const acc_t<T>* from = state + (begin_ + std::min(lane, rows_ - 1)) * P;
      for (int64_t j = 0; j < P; ++j) L::set(to[j].v, lane, from[j]);
    }
  }
  void write(const Lane<V>* from, acc_t<T>* state) const {
    for (int64_t lane = 0; lane < rows_; ++lane) {
      for (int64_t j = 0; j < P; ++j) state[(begin_ + lane) * P + j] = L::get(from[j].v, lane);
    }
  }

  // Room for a state, at rest.
  State forward_state() const { return State(P + kForwardStep); }

  void forward(const LaneSignals<const T>& x, const LaneSignals<T>& y, int64_t count,
               State& s) const {
    const auto steps = filter<kForwardStep>();
    const auto rest = filter<1>();
    Lane<V> u[kLaneTile];
    for (int64_t n = 0; n < count; n += kLaneTile) {
      const int64_t length = std::min(kLaneTile, count - n);
      L::load(x.data + n, x.stride, x.rows, length, kAheadInRow<T>, &u[0].v);
      int64_t t = 0;
      for (; t + kForwardStep <= length; t += kForwardStep) forward_step(steps, &u[t].v, &s[0].v);
      for (; t < length; ++t) forward_step(rest, &u[t].v, &s[0].v);
      if (y) L::store(y.data + n, y.stride, y.rows, length, &u[0].v);
    }
  }

  // The P next lambdas, behind room for those of a tile.
  State backward_state() const { return State(kLaneTile + P); }

  void backward(const LaneSignals<const T>& g, const LaneSignals<T>& lambda,
                const LaneSignals<T>& grad_x, int64_t count, State& line) const {
    if (grad_x && M > 0 && N > 0) {
      backward<true, kBackwardStepOfTwo>(g, lambda, grad_x, count, line);
    } else if (grad_x && M > 0) {
      backward<true, kBackwardStep>(g, lambda, grad_x, count, line);
    } else {
      backward<false, kBackwardStep>(g, lambda, grad_x, count, line);
    }
  }

 private:
  template <int kSteps>
  AnyOrderFilter<kSteps, V> filter() const {
    return {M, N, &b_[0].v, &a_[0].v};
  }

  template <bool taps_of_b, int kSteps>
  void backward(const LaneSignals<const T>& g, const LaneSignals<T>& lambda,
                const LaneSignals<T>& grad_x, int64_t count, State& line) const {
    const auto steps = filter<kSteps>();
    const auto rest = filter<1>();
    Lane<V> u[kLaneTile], out[kLaneTile];
    for (int64_t end = count; end > 0;) {
      const int64_t length = std::min(kLaneTile, end), n = end - length;
      L::load(g.data + n, g.stride, g.rows, length, kAheadInRow<T, true>, &u[0].v);
      Lane<V>* l = &line[kLaneTile - length];
      int64_t t = length - 1;
      for (; t + 1 >= kSteps; t -= kSteps)
        backward_step<taps_of_b>(steps, &u[t].v, &l[t].v, &out[t].v);
      for (; t >= 0; --t) backward_step<taps_of_b>(rest, &u[t].v, &l[t].v, &out[t].v);
      if (lambda) L::store(lambda.data + n, lambda.stride, lambda.rows, length, &l->v);
      if (grad_x) {
        for (int64_t i = 0; !taps_of_b && i < length; ++i) out[i].v = multiply(b_[0].v, l[i].v);
        L::store(grad_x.data + n, grad_x.stride, grad_x.rows, length, &out[0].v);
      }
      std::copy_backward(l, l + P, line.data() + kLaneTile + P);
      end = n;
    }
  }

  int64_t begin_, rows_;
  State b_, a_;
};

// The rows `begin` to `end` of [B, T], or of nothing, from sample n on.
template <class T>
LaneSignals<T> lanes_of(T* data, int64_t stride, int64_t begin, int64_t end, int64_t n) {
  return {data == nullptr ? nullptr : data + begin * stride + n, stride, end - begin};
}

// Up to kBatch rows side by side.
template <class T>
void forward_batch_of_any_order(const LfilterForwardParams<T>& p, const Range& range) {
  const auto [begin, end, n, time_end] = range;
  const AnyOrderBatch<T> batch(p.filters, begin, end - begin);
  auto s = batch.forward_state();
  batch.read(p.state, s.data());
  batch.forward(lanes_of(p.x, p.x_stride, begin, end, n), lanes_of(p.y, p.y_stride, begin, end, n),
                time_end - n, s);
  batch.write(s.data(), p.state);
}

template <class T>
void backward_batch_of_any_order(const LfilterBackwardParams<T>& p, const Range& range) {
  constexpr int64_t kStride = kTile + 16;  // not all rows in one cache set
  alignas(64) T scratch[kBatch][kStride];
  const auto [begin, end, time_begin, time_end] = range;
  const int64_t rows = end - begin;
  const AnyOrderBatch<T> batch(p.filters, begin, rows);
  const bool sums = p.x != nullptr || p.y != nullptr;
  const LaneSignals<T> lambda{sums ? scratch[0] : nullptr, kStride, rows};
  auto line = batch.backward_state();
  batch.read(p.state, &line[kLaneTile]);
  for (int64_t n = time_end; n > time_begin;) {
    const int64_t count = std::min(kTile, n - time_begin);
    n -= count;
    batch.backward(lanes_of(p.grad_y, p.grad_y_stride, begin, end, n), lambda,
                   lanes_of(p.grad_x, p.grad_x_stride, begin, end, n), count, line);
    for (int64_t i = 0; sums && i < rows; ++i) add_sums(p, begin + i, scratch[i], n, n + count);
  }
  batch.write(&line[kLaneTile], p.state);
}

// Without feedback a state is what the P samples before it make of rest: kBatch chunks of a row are
// filtered side by side. The few samples that are left, the last ones, are a batch of one row.
inline bool chunks_pay(int64_t order, int64_t time) { return time >= 2 * kBatch * order; }

template <class T>
void forward_chunks(const LfilterForwardParams<T>& p, int64_t row, int64_t begin, int64_t end) {
  using L = RowLanes<T>;
  const AnyOrderBatch<T> batch(p.filters, row, 1);
  const int64_t P = batch.P, length = (end - begin) / kBatch;
  const LaneSignals<const T> x{p.x + row * p.x_stride + begin, length, kBatch};
  LaneSignals<T> y = lanes_of(p.y, p.y_stride, row, row + 1, begin);
  y.stride = length, y.rows = kBatch;
  auto s = batch.forward_state();
  batch.forward({x.data + length - P, length, kBatch - 1}, {}, P, s);
  for (int64_t j = 0; j < P; ++j) {  // lane i has the state of chunk i + 1
    for (int64_t i = kBatch - 1; i > 0; --i) L::set(s[j].v, i, L::get(s[j].v, i - 1));
    L::set(s[j].v, 0, p.state[row * P + j]);
  }
  batch.forward(x, y, length, s);
  for (int64_t j = 0; j < P; ++j) p.state[row * P + j] = L::get(s[j].v, kBatch - 1);
  forward_batch_of_any_order(p, {row, row + 1, begin + kBatch * length, end});
}

template <class T>
void backward_chunks(const LfilterBackwardParams<T>& p, int64_t row, int64_t begin, int64_t end) {
  using L = RowLanes<T>;
  const AnyOrderBatch<T> batch(p.filters, row, 1);
  const int64_t P = batch.P, length = (end - begin) / kBatch, rest = begin + kBatch * length;
  backward_batch_of_any_order(p, {row, row + 1, rest, end});
  const LaneSignals<const T> g{p.grad_y + row * p.grad_y_stride + begin, length, kBatch};
  LaneSignals<T> grad_x = lanes_of(p.grad_x, p.grad_x_stride, row, row + 1, begin);
  grad_x.stride = length, grad_x.rows = kBatch;
  auto line = batch.backward_state();
  for (int64_t j = 0; j < P; ++j) {
    auto& state = line[kLaneTile + j].v;
    for (int64_t i = 0; i + 1 < kBatch; ++i) L::set(state, i, widen(g.data[(i + 1) * length + j]));
    L::set(state, kBatch - 1, p.state[row * P + j]);
  }
  batch.backward(g, {}, grad_x, length, line);
  for (int64_t j = 0; j < P; ++j) p.state[row * P + j] = L::get(line[kLaneTile + j].v, 0);
}

// Coefficients and states of one row, padded with zeros for steps that reach beyond them.
struct PaddedRow {
  std::vector<double> b, a, state;

  template <class T>
  PaddedRow(const Filters<T>& f, int64_t row, int64_t tile)
      : b(f.order + 2 * kStep), a(b.size()), state(tile + b.size()) {
    const RowFilter<T> from(f, row);
    std::copy_n(from.b, f.order + 1, b.begin());
    std::copy_n(from.a, f.order, a.begin() + 1);
  }
};

template <class T>
void forward_row_along_state(const LfilterForwardParams<T>& p, int64_t row, int64_t begin,
                             int64_t end) {
  const int64_t P = p.filters.order;
  PaddedRow f(p.filters, row, 0);
  const T* x = p.x + row * p.x_stride;
  T* y = p.y == nullptr ? nullptr : p.y + row * p.y_stride;
  double *state = p.state + row * P, *s = f.state.data();
  for (int64_t n = begin, count; n < end; n += count) {
    T* yn = y == nullptr ? nullptr : y + n;
    count = std::min(kTile, end - n);
    const int64_t rest = count % kStep, whole = count - rest;
    double poison = 0;
    std::fill(std::copy_n(state, P, f.state.begin()), f.state.end(), 0.0);
    const double *b = f.b.data(), *a = f.a.data();
    forward_along_state<kStep>(P, b, a, x + n, yn, whole / kStep, s, poison);
    forward_along_state<1>(P, b, a, x + n + whole, yn == nullptr ? nullptr : yn + whole, rest, s,
                           poison);
    for (int64_t j = 0; j < P; ++j) poison += s[j] * 0;
    if (is_finite(poison)) {
      std::copy_n(s, P, state);
    } else {  // zeros of the padding were multiplied: again, from the state before the tile
      serial_forward<T>(p.filters, b, a + 1, x + n, yn, count, state);
    }
  }
}

template <class T>
void backward_row_along_state(const LfilterBackwardParams<T>& p, int64_t row, int64_t begin,
                              int64_t end) {
  const int64_t P = p.filters.order;
  PaddedRow f(p.filters, row, kTile);
  T lambda[kTile];
  const T* g = p.grad_y + row * p.grad_y_stride;
  T* grad_x = p.grad_x == nullptr ? nullptr : p.grad_x + row * p.grad_x_stride;
  double *state = p.state + row * P, *line = f.state.data();
  const int64_t rest = (end - begin) % kStep;
  backward_serial_row(p, row, end - rest, end, lambda);
  for (int64_t n = end - rest; n > begin;) {
    const int64_t count = std::min(kTile, n - begin);
    n -= count;
    double* l = line + kTile - count;
    double poison = 0;
    std::copy_n(state, P, line + kTile);
    const bool zeros = grad_x != nullptr && p.filters.order_b > 0;
    backward_along_state<T>(P, f.b.data(), f.a.data(), g + n + count - 1, l + count - 1,
                            zeros ? grad_x + n + count - 1 : nullptr, count / kStep, poison);
    if (!is_finite(poison)) {
      backward_serial_row(p, row, n, n + count, lambda);
      continue;
    }
    std::copy_n(l, P, state);
    for (int64_t i = 0; i < count; ++i) lambda[i] = static_cast<T>(l[i]);
    for (int64_t i = 0; grad_x != nullptr && !zeros && i < count; ++i) {
      grad_x[n + i] = static_cast<T>(f.b[0] * l[i]);
    }
    add_sums(p, row, lambda, n, n + count);
  }
}

// A batch at a time; but the chunks of rows that would leave lanes idle, and few rows along their
// state. Where there is no feedback no bit depends on the way; else it is that of the whole
// problem.
template <class T, class Params, class Batch, class Row, class Chunks>
void for_rows_of_any_order(const Params& p, const Range& range, Batch&& batch, Row&& along_state,
                           Chunks&& chunks) {
  const auto [begin, end, time_begin, time_end] = range;
  const bool feedback = p.filters.order_a > 0;
  const bool in_chunks = !feedback && chunks_pay(p.filters.order, time_end - time_begin);
  for (int64_t r = begin, next; r < end; r = next) {
    next = std::min<int64_t>(r + kBatch, end);
    if (feedback && p.rows < kRowsOfBatch<T>) {
      for (; r < next; ++r) along_state(p, r, time_begin, time_end);
    } else if (in_chunks && next - r < kBatch) {
      for (; r < next; ++r) chunks(p, r, time_begin, time_end);
    } else {
      batch(p, {r, next, time_begin, time_end});
    }
  }
}

template <class T>
void forward_rows_of_any_order(const LfilterForwardParams<T>& p, const Range& range) {
  const auto along_state = [](const auto&... row) {
    if constexpr (!is_complex<T>) forward_row_along_state<T>(row...);
  };
  for_rows_of_any_order<T>(p, range, forward_batch_of_any_order<T>, along_state, forward_chunks<T>);
}

template <class T>
void backward_rows_of_any_order(const LfilterBackwardParams<T>& p, const Range& range) {
  const auto along_state = [](const auto&... row) {
    if constexpr (!is_complex<T>) backward_row_along_state<T>(row...);
  };
  if (p.filters.order_a == 0 && (p.x != nullptr || p.y != nullptr)) {  // lambda is grad_y
    for (int64_t r = range.row_begin; r < range.row_end; ++r) {
      const T* g = p.grad_y + r * p.grad_y_stride;
      for (int64_t n = range.time_end, end; end = n, n > range.time_begin;) {
        n = std::max(end - kTile, range.time_begin);
        add_sums(p, r, g + n, n, end);
      }
    }
    LfilterBackwardParams<T> without_sums = p;
    without_sums.x = without_sums.y = nullptr;
    return backward_rows_of_any_order(without_sums, range);
  }
  for_rows_of_any_order<T>(p, range, backward_batch_of_any_order<T>, along_state,
                           backward_chunks<T>);
}

POLEZERO_ISA_END
