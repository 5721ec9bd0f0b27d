// Banks of modes on a GPU; csrc/params/modal.h has the equations. Rows are cut into chunks of
// time: what every chunk makes of its own samples, then the state in which each begins, mode by
// mode (Note [Chunk tree]), then every chunk once more from its state, with its outputs or its part
// of the correlations. All sums are made in one order.
#pragma once

#include "kernels/cuda/tile/chunk_tree.h"
#include "params/modal.h"

POLEZERO_ISA_BEGIN

inline constexpr int kModalTile = 16;

template <class C>
struct ModalChunks {
  int64_t rows, time;
  int64_t length, count;  // samples of a chunk, a multiple of kModalTile; chunks of a row
  C* now;                 // states of the modes of a chunk, as they run, [B, count, K, J]
  ChunkTree<C> tree;      // a mode of a row is a row of it

  POLEZERO_HD C* states(const ModalPoles& p, int64_t row, int64_t chunk, int64_t k) const {
    return now + ((row * count + chunk) * p.modes + k) * p.orders;
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
template <class T>
POLEZERO_HD void load_tile(const T* row, int64_t time, bool reverse, int64_t n, int64_t end,
                           double (&out)[kModalTile]) {
  const T* const from = row + (reverse ? time - 1 - n : n);
  const int count = end - n < kModalTile ? static_cast<int>(end - n) : kModalTile;
  const auto load = [&](auto step) {
    POLEZERO_UNROLLED
    for (int i = 0; i < kModalTile; ++i) {
      out[i] = i < count ? static_cast<double>(from[i * step]) : 0.0;
    }
  };
  reverse ? load(std::integral_constant<int, -1>{}) : load(std::integral_constant<int, 1>{});
}

// The state after one more sample u, real or complex.
template <class C>
POLEZERO_HD C next_state(C pole, C s, double u) {
  return {u + pole.real() * s.real() - pole.imag() * s.imag(),
          pole.real() * s.imag() + pole.imag() * s.real()};
}
template <class C>
POLEZERO_HD C next_state(C pole, C s, C u) {
  return {u.real() + pole.real() * s.real() - pole.imag() * s.imag(),
          u.imag() + pole.real() * s.imag() + pole.imag() * s.real()};
}

// Takes the states s^(0..J) of a mode over `count` samples x; visit(j, states before, state after)
// gets those of s^(j): before each sample and, beyond `count`, after the last one.
template <class C, class Visit>
POLEZERO_HD void modal_tile(C pole, int64_t orders, const double (&x)[kModalTile], int count,
                            C* states, Visit&& visit) {
  C before[kModalTile];
  const auto run = [&](int64_t j, auto&& input) {
    C s = states[j];
    POLEZERO_UNROLLED
    for (int i = 0; i < kModalTile; ++i) {
      const auto u = input(i);
      before[i] = s;
      if (i < count) s = next_state(pole, s, u);
    }
    states[j] = s;
    visit(j, before, s);
  };
  if (orders > 0) run(0, [&](int i) { return x[i]; });
  for (int64_t j = 1; j < orders; ++j) run(j, [&](int i) { return before[i]; });
}

// f(J, states), where J is known to the compiler if it is 1, as it nearly always is: then the
// thread has its state in registers meanwhile.
template <class C, class F>
POLEZERO_HD void with_states(int64_t orders, C* states, F&& f) {
  if (orders == 1) {
    C state = states[0];
    f(std::integral_constant<int64_t, 1>{}, &state);
    states[0] = state;
  } else {
    f(orders, states);
  }
}

// Step 1, for mode i % K of a chunk: all but the last of each row.
template <class T, class C>
POLEZERO_HD void find_modal_states(const ModalPoles& p, const ModalChunks<C>& c, const T* x,
                                   int64_t x_stride, bool reverse, int64_t i) {
  const int64_t k = i % p.modes, chunk = i / p.modes % (c.count - 1);
  const int64_t row = i / p.modes / (c.count - 1);
  C* states = c.states(p, row, chunk, k);
  for (int64_t j = 0; j < p.orders; ++j) states[j] = C{};
  const C pole = pole_of<C>(p, row, k);
  with_states(p.orders, states, [&](auto orders, C* s) {
    for (int64_t n = chunk * c.length; n < c.end(chunk); n += kModalTile) {
      double in[kModalTile];
      load_tile(x + row * x_stride, c.time, reverse, n, n + kModalTile, in);
      modal_tile(pole, orders, in, kModalTile, s, [](int64_t, const C(&)[kModalTile], C) {});
    }
  });
  auto* const left = c.tree.left_by(row * p.modes + k, chunk);
  for (int64_t j = 0; j < p.orders; ++j) left[j] = states[j];
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

// Step 2: the transition of level i % levels, for mode i / levels % K of a row.
template <class C>
POLEZERO_HD void find_modal_transition(const ModalPoles& p, const ModalChunks<C>& c, int64_t i) {
  using E = ComplexDoubleDouble<C>;
  const int levels = c.tree.levels();
  const int64_t line = i / levels, level = i % levels, J = p.orders, n = c.length << level;
  const C pole = pole_of<C>(p, line / p.modes, line % p.modes);
  auto* const transition = c.tree.of_set(line, level);
  double binomial = 1;
  for (int64_t j = 0; j < J; ++j) {
    E b(C{});  // B_j[n], from each order to that j orders above it
    if (j <= n) b.add_product(E(C{binomial, 0}), power_in_double_double(pole, n - j));
    for (int64_t from = 0; from + j < J; ++from) {
      transition[from * J + from + j] = ComplexQuadDouble<C>(b);
    }
    binomial = binomial * static_cast<double>(n - j) / static_cast<double>(j + 1);
  }
}

// What the tree asks of a filter.
struct ModalStates {
  POLEZERO_HD bool reaches(int64_t from, int64_t to) const { return from <= to; }
};

// The states before each chunk, of mode line % K of row line / K, by a block.
template <class C, class Block>
POLEZERO_HD void carry_modal_states(Block& block, const ModalPoles& p, const ModalChunks<C>& c,
                                    const double* state, int64_t line) {
  for (int64_t j = block.thread(); j < p.orders; j += block.threads()) {
    c.tree.before(line, 0)[j] = initial_state<C>(p, state, line / p.modes, line % p.modes, j);
  }
  const TreePart all{0, c.tree.levels(), 0, c.count};
  join_left_behind(block, ModalStates{}, c.tree, line, all);
  block.sync();
  find_begins(block, ModalStates{}, c.tree, line, all);
}

// Step 3 begins: the states of a mode before a chunk.
template <class C>
POLEZERO_HD C* begin_states(const ModalPoles& p, const ModalChunks<C>& c, const double* state,
                            int64_t row, int64_t chunk, int64_t k) {
  C* states = c.states(p, row, chunk, k);
  for (int64_t j = 0; j < p.orders; ++j) {
    states[j] = c.count == 1 ? initial_state<C>(p, state, row, k, j)
                             : c.tree.before(row * p.modes + k, chunk)[j].rounded();
  }
  return states;
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
  for (int64_t k = block.thread(); k < K; k += block.threads()) {
    begin_states(p.poles, c, p.state, row, chunk, k);
  }
  // what a mode adds to the outputs from sample n on
  const auto add = [&](int64_t n, int count, C pole, auto orders, auto&& gain, C* states,
                       double (&y)[kModalTile]) {
    double in[kModalTile];
    load_tile(p.x + row * p.x_stride, c.time, p.reverse, n, n + count, in);
    modal_tile(pole, orders, in, count, states,
               [&](int64_t j, const C(&before)[kModalTile], C after) {
                 const C g = gain(j);
                 POLEZERO_UNROLLED
                 for (int m = 0; m < kModalTile; ++m) {
                   const C s = m + 1 < kModalTile ? before[m + 1] : after;
                   y[m] += g.real() * s.real() - g.imag() * s.imag();
                 }
               });
  };
  const auto write = [&](int64_t n, int count, double (&y)[kModalTile]) {
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
  };
  int64_t n = chunk * c.length;
  if (J == 1 && K <= block.threads()) {  // whole tiles of a mode a thread: in its registers
    const int64_t k = block.thread();
    C* const states = c.states(p.poles, row, chunk, k);
    C pole{}, gain{}, state{};
    if (k < K)
      pole = pole_of<C>(p.poles, row, k), gain = complex_at<C>(gains, k), state = states[0];
    for (; n + kModalTile <= end; n += kModalTile) {
      double y[kModalTile] = {};
      if (k < K) {
        add(
            n, kModalTile, pole, std::integral_constant<int64_t, 1>{},
            [&](int64_t) { return gain; }, &state, y);
      }
      write(n, kModalTile, y);
    }
    if (k < K) states[0] = state;
  }
  for (; n < end; n += kModalTile) {
    const int count = end - n < kModalTile ? static_cast<int>(end - n) : kModalTile;
    double y[kModalTile] = {};
    for (int64_t k = block.thread(); k < K; k += block.threads()) {
      add(
          n, count, pole_of<C>(p.poles, row, k), J,
          [&](int64_t j) { return complex_at<C>(gains, k * J + j); },
          c.states(p.poles, row, chunk, k), y);
    }
    write(n, count, y);
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
  C* states = begin_states(p.poles, c, p.state, row, chunk, k);
  C* part = parts + (row * K + k) * J * c.count + chunk;
  with_states(J, states, [&](auto orders, C* s) {
    for (int64_t j = 0; j < orders; ++j) part[j * c.count] = C{};
    const auto add = [&](int64_t n, int count, C* sums, int64_t stride) {
      double in[kModalTile], g[kModalTile];
      load_tile(p.x + row * p.x_stride, c.time, false, n, n + count, in);
      load_tile(p.g + row * p.g_stride, c.time, false, n, n + count, g);
      modal_tile(pole_of<C>(p.poles, row, k), orders, in, count, s,
                 [&](int64_t j, const C(&before)[kModalTile], C after) {
                   C sum = sums[j * stride];
                   POLEZERO_UNROLLED
                   for (int m = 0; m < kModalTile; ++m) {
                     const C s = m + 1 < kModalTile ? before[m + 1] : after;
                     if (m < count) sum += C{g[m] * s.real(), g[m] * s.imag()};
                   }
                   sums[j * stride] = sum;
                 });
    };
    int64_t n = chunk * c.length;
    if constexpr (!std::is_same_v<decltype(orders), int64_t>) {
      C sum{};
      for (; n + kModalTile <= end; n += kModalTile) {
        add(n, kModalTile, &sum, 0);
      }
      part[0] = sum;
    }
    for (; n < end; n += kModalTile) {
      add(n, end - n < kModalTile ? static_cast<int>(end - n) : kModalTile, part, c.count);
    }
  });
}

POLEZERO_ISA_END
