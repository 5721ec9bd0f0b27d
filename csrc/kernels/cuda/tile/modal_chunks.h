// Banks of modes on a GPU; csrc/params/modal.h has the equations. Rows are cut into chunks of
// time: what every chunk makes of its own samples, then the states carried from chunk to chunk, in
// twice the precision of float64, then every chunk once more from its state, with its outputs or
// its part of the correlations. All sums are made in one order.
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "math/double_double.h"
#include "params/modal.h"

POLEZERO_ISA_BEGIN

inline constexpr int kModalTile = 16;

template <class C>
struct ModalChunks {
  int64_t rows, time;
  int64_t length, count;            // samples of a chunk, a multiple of kModalTile; chunks of a row
  C* begin;                         // states before each chunk, [B, count, K, J]
  ComplexDoubleDouble<C>* carried;  // over a chunk, B_j[length], and the state, [B, K, 2, J]

  POLEZERO_HD C* states(const ModalPoles& p, int64_t row, int64_t chunk, int64_t k) const {
    return begin + ((row * count + chunk) * p.modes + k) * p.orders;
  }
  POLEZERO_HD int64_t end(int64_t chunk) const {
    const int64_t to = (chunk + 1) * length;
    return to < time ? to : time;
  }
};

template <class C>
POLEZERO_HD C complex_at(const double* pairs, int64_t i) {
  return {pairs[2 * i], pairs[2 * i + 1]};
}
template <class C>
POLEZERO_HD C pole_of(const ModalPoles& p, int64_t row, int64_t k) {
  return complex_at<C>(p.data + row * p.row_stride, k);
}
// The state of a row before its first sample.
template <class C>
POLEZERO_HD C initial_state(const ModalPoles& p, const double* state, int64_t row, int64_t k,
                            int64_t j) {
  return state == nullptr || j > 0 ? C{} : complex_at<C>(state, row * p.modes + k);
}

// Some samples from n on, in the order of filtering, and zeros.
template <class T, class V>
POLEZERO_HD void load_tile(const T* row, int64_t time, bool reverse, int64_t n, int64_t end,
                           V (&out)[kModalTile]) {
  POLEZERO_UNROLLED
  for (int i = 0; i < kModalTile; ++i) {
    const int64_t at = reverse ? time - 1 - n - i : n + i;
    out[i] = n + i < end ? V(static_cast<double>(row[at])) : V{};
  }
}

// Takes the states s^(0..J) of a mode over `count` samples; visit(j, states before, state after)
// gets those of s^(j): before each sample and, beyond `count`, after the last one.
template <class C, class Visit>
POLEZERO_HD void modal_tile(C pole, int64_t orders, C (&in)[kModalTile], int count, C* states,
                            Visit&& visit) {
  for (int64_t j = 0; j < orders; ++j) {
    C s = states[j];
    POLEZERO_UNROLLED
    for (int i = 0; i < kModalTile; ++i) {
      const C u = in[i];
      in[i] = s;
      if (i < count) s = multiply(pole, s) + u;
    }
    states[j] = s;
    visit(j, in, s);
  }
}

// Step 1, for mode i % K of a chunk: all but the last of each row.
template <class T, class C>
POLEZERO_HD void find_modal_states(const ModalPoles& p, const ModalChunks<C>& c, const T* x,
                                   int64_t x_stride, bool reverse, int64_t i) {
  const int64_t k = i % p.modes, chunk = i / p.modes % (c.count - 1);
  const int64_t row = i / p.modes / (c.count - 1);
  C* states = c.states(p, row, chunk + 1, k);
  for (int64_t j = 0; j < p.orders; ++j) states[j] = C{};
  const C pole = pole_of<C>(p, row, k);
  for (int64_t n = chunk * c.length; n < c.end(chunk); n += kModalTile) {
    C in[kModalTile];
    load_tile(x + row * x_stride, c.time, reverse, n, c.end(chunk), in);
    modal_tile(pole, p.orders, in, kModalTile, states, [](int64_t, const C(&)[kModalTile], C) {});
  }
}

// p^n
template <class C>
POLEZERO_HD ComplexDoubleDouble<C> power_in_double_double(C p, int64_t n) {
  ComplexDoubleDouble<C> power(C{1, 0}), square(p);
  for (; n > 0; n >>= 1) {
    if (n & 1) {
      ComplexDoubleDouble<C> next(C{});
      next.add_product(power, square);
      power = next;
    }
    ComplexDoubleDouble<C> next(C{});
    next.add_product(square, square);
    square = next;
  }
  return power;
}

// Step 2, for mode i % K of a row.
template <class C>
POLEZERO_HD void carry_modal_states(const ModalPoles& p, const ModalChunks<C>& c,
                                    const double* state, int64_t i) {
  using E = ComplexDoubleDouble<C>;
  const int64_t k = i % p.modes, row = i / p.modes;
  E* b = c.carried + i * 2 * p.orders;
  E* now = b + p.orders;
  double binomial = 1;
  for (int64_t j = 0; j < p.orders; ++j) {
    b[j] = E(C{});
    if (j <= c.length) {
      b[j].add_product(E(C{binomial, 0}),
                       power_in_double_double(pole_of<C>(p, row, k), c.length - j));
    }
    binomial = binomial * static_cast<double>(c.length - j) / static_cast<double>(j + 1);
    now[j] = E(initial_state<C>(p, state, row, k, j));
    c.states(p, row, 0, k)[j] = now[j].rounded();
  }
  for (int64_t chunk = 1; chunk < c.count; ++chunk) {
    C* states = c.states(p, row, chunk, k);
    for (int64_t j = p.orders - 1; j >= 0; --j) {
      E sum(states[j]);
      for (int64_t l = 0; l <= j; ++l) sum.add_product(b[l], now[j - l]);
      now[j] = sum;
      states[j] = sum.rounded();
    }
  }
}

template <int w, class Block>
POLEZERO_HD void fold_lanes(Block& block, double (&v)[kModalTile]) {
  const bool upper = (block.lane() & (2 * w)) != 0;
  POLEZERO_UNROLLED
  for (int i = 0; i < w; ++i) {
    const double low = v[i],
                 high = v[i + w];  // (chosen between as elements they would have addresses)
    v[i] = (upper ? high : low) + shuffle(block, upper ? low : high, block.lane() ^ (2 * w));
  }
  if constexpr (w > 1) fold_lanes<w / 2>(block, v);
}
// Sums kModalTile values over the lanes: lane l gets, as its first one, the sum of value l / 2.
template <class Block>
POLEZERO_HD void sum_over_lanes(Block& block, double (&v)[kModalTile]) {
  static_assert(kModalTile == kWarp / 2);
  fold_lanes<kModalTile / 2>(block, v);
  v[0] += shuffle(block, v[0], block.lane() ^ 1);
}

// Step 3 of the bank, for chunk i % count of a row, by a block; `scratch`: kModalTile numbers for
// each warp.
template <class C, class Block, class T>
POLEZERO_HD void modal_bank_chunk(Block& block, double* scratch, const ModalBankParams<T>& p,
                                  const ModalChunks<C>& c, int64_t i) {
  const int64_t row = i / c.count, chunk = i % c.count, end = c.end(chunk);
  const int64_t K = p.poles.modes, J = p.poles.orders;
  const double* gains = p.gains + row * p.gains_stride;
  for (int64_t k = block.thread(); c.count == 1 && k < K; k += block.threads()) {
    for (int64_t j = 0; j < J; ++j) {
      c.states(p.poles, row, 0, k)[j] = initial_state<C>(p.poles, p.state, row, k, j);
    }
  }
  for (int64_t n = chunk * c.length; n < end; n += kModalTile) {
    const int count = end - n < kModalTile ? static_cast<int>(end - n) : kModalTile;
    double y[kModalTile] = {};
    for (int64_t k = block.thread(); k < K; k += block.threads()) {
      C in[kModalTile];
      load_tile(p.x + row * p.x_stride, c.time, p.reverse, n, end, in);
      modal_tile(pole_of<C>(p.poles, row, k), J, in, count, c.states(p.poles, row, chunk, k),
                 [&](int64_t j, const C(&before)[kModalTile], C after) {
                   const C g = complex_at<C>(gains, k * J + j);
                   POLEZERO_UNROLLED
                   for (int m = 0; m < kModalTile; ++m) {
                     const C s = m + 1 < kModalTile ? before[m + 1] : after;
                     y[m] += g.real() * s.real() - g.imag() * s.imag();
                   }
                 });
    }
    sum_over_lanes(block, y);
    if (block.lane() % 2 == 0) scratch[block.warp() * kModalTile + block.lane() / 2] = y[0];
    block.sync();
    if (block.thread() < count) {
      double sum = 0;
      for (int w = 0; w < block.warps(); ++w) sum += scratch[w * kModalTile + block.thread()];
      const int64_t at = n + block.thread();
      p.y[row * p.y_stride + (p.reverse ? c.time - 1 - at : at)] = static_cast<T>(sum);
    }
    block.sync();
  }
  for (int64_t k = block.thread(); p.state != nullptr && chunk + 1 == c.count && k < K;
       k += block.threads()) {
    const C s = J > 0 ? c.states(p.poles, row, chunk, k)[0] : C{};
    p.state[2 * (row * K + k)] = s.real();
    p.state[2 * (row * K + k) + 1] = s.imag();
  }
}

// Step 3 of the correlation, for mode i % K of a chunk; parts[B, K, J, count].
template <class C, class T>
POLEZERO_HD void modal_correlation_chunk(const ModalCorrelationParams<T>& p,
                                         const ModalChunks<C>& c, C* parts, int64_t i) {
  const int64_t K = p.poles.modes, J = p.poles.orders;
  const int64_t k = i % K, chunk = i / K % c.count, row = i / K / c.count, end = c.end(chunk);
  C* states = c.states(p.poles, row, chunk, k);
  C* part = parts + (row * K + k) * J * c.count + chunk;
  for (int64_t j = 0; j < J; ++j) {
    part[j * c.count] = C{};
    if (c.count == 1) states[j] = initial_state<C>(p.poles, p.state, row, k, j);
  }
  for (int64_t n = chunk * c.length; n < end; n += kModalTile) {
    const int count = end - n < kModalTile ? static_cast<int>(end - n) : kModalTile;
    C in[kModalTile];
    double g[kModalTile];
    load_tile(p.x + row * p.x_stride, c.time, false, n, end, in);
    load_tile(p.g + row * p.g_stride, c.time, false, n, end, g);
    modal_tile(pole_of<C>(p.poles, row, k), J, in, count, states,
               [&](int64_t j, const C(&before)[kModalTile], C after) {
                 C sum = part[j * c.count];
                 POLEZERO_UNROLLED
                 for (int m = 0; m < kModalTile; ++m) {
                   const C s = m + 1 < kModalTile ? before[m + 1] : after;
                   if (m < count) sum += C{g[m] * s.real(), g[m] * s.imag()};
                 }
                 part[j * c.count] = sum;
               });
  }
}

POLEZERO_ISA_END
