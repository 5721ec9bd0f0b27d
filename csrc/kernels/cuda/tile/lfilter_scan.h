// One tile of lfilter and of its adjoint, filtered by a block (Note [Scan] in scan.h). The message
// is the last P outputs, newest first; csrc/params/cuda/lfilter.h has the parameters.
#pragma once

#include "kernels/cuda/tile/pair_scan.h"
#include "kernels/cuda/tile/scan.h"
#include "params/cuda/lfilter.h"

POLEZERO_ISA_BEGIN

// Samples a thread: as many as fit in its registers.
template <class T>
inline constexpr int kSamples = !is_complex<T>   ? 16
                                : sizeof(T) == 8 ? 8
                                                 : 4;

// A row in the order in which it is filtered: step 1, or -1 backwards in time.
template <class T, int step>
struct Timeline {
  T* data;
  int64_t time;

  POLEZERO_HD Timeline(T* row, int64_t samples)
      : data(step < 0 ? row + (samples - 1) : row), time(samples) {}
  POLEZERO_HD T& operator[](int64_t i) const { return data[i * step]; }
  POLEZERO_HD bool has(int64_t i) const { return 0 <= i && i < time; }
};

// The last P values of a signal, newest first.
template <class A, int P>
struct History : StateVector<A, P> {
  using StateVector<A, P>::v;

  POLEZERO_HD explicit History(const StateVector<A, P>& s) : StateVector<A, P>(s) {}
  POLEZERO_HD void push(A value) {
    for (int i = P - 1; i > 0; --i) v[i] = v[i - 1];
    v[0] = value;
  }
  // from - c_1 v_1 - .. - c_P v_P; the newest last, because it is the one that is waited for
  POLEZERO_HD A feed_back(const A* c, A from) const {
    for (int i = P - 1; i >= 0; --i) from += multiply(-c[i], v[i]);  // (one instruction)
    return normalised(from);
  }
  // c_0 now + c_1 v_1 + .. + c_order v_order: a tap that is not there never meets a NaN
  POLEZERO_HD A feed_forward(const A* c, int64_t order, A now) const {
    A sum = multiply(c[0], now);
    for (int i = 0; i < P; ++i) {
      if (i < order) sum += multiply(c[i + 1], v[i]);
    }
    return sum;
  }
};

// The `count` samples before `begin`; before the row there are those of `before_row`.
template <class A, int P, class Line>
POLEZERO_HD History<A, P> samples_before(
    const Line& x, int64_t begin, int64_t count,
    const StateVector<A, P>& before_row = StateVector<A, P>::zero()) {
  History<A, P> h(StateVector<A, P>::zero());
  for (int i = 0; i < P; ++i) {
    const int64_t n = begin - 1 - i;
    if (i < count && x.has(n)) h.v[i] = static_cast<A>(x[n]);
    for (int j = 0; j < P; ++j) {
      if (n == -1 - j) h.v[i] = before_row.v[j];
    }
  }
  return h;
}
// The same before a thread's samples, of which each lane but the first finds them in its neighbour.
template <class A, int P, int V, class Block, class T, class Line>
POLEZERO_HD History<A, P> samples_before(Block& block, const Line& x, int64_t begin, int64_t count,
                                         const T (&samples)[V]) {
  static_assert(P <= V);
  StateVector<A, P> last, before;
  for (int i = 0; i < P; ++i) last.v[i] = static_cast<A>(samples[V - 1 - i]);
  before = shuffle_up(block, last, 1);
  if (block.lane() == 0) return samples_before<A, P>(x, begin, count);
  for (int i = 0; i < P; ++i) {
    if (i >= count) before.v[i] = A(0);
  }
  return History<A, P>(before);
}
// `values` [rows, order] of a row, zero where null.
template <class A, int P>
POLEZERO_HD StateVector<A, P> row_state(const A* values, int64_t row, int64_t order) {
  StateVector<A, P> s;
  for (int i = 0; i < P; ++i) {
    s.v[i] = values != nullptr && i < order ? values[row * order + i] : A(0);
  }
  return s;
}

// The coefficients of a row, padded from the order they have to P.
template <class A, int P>
struct DirectForm {
  A b[P + 1], a[P];

  DirectForm() = default;
  template <class T>
  POLEZERO_HD DirectForm(const Filters<T>& f, int64_t row) {
    read(f, row, 0, 1);
  }
  // Every `step`th from `first` on.
  template <class T>
  POLEZERO_HD void read(const Filters<T>& f, int64_t row, int first, int step) {
    const auto* from_b = f.b + row * f.filter_stride * (f.order + 1);
    const auto* from_a = f.a + row * f.filter_stride * f.order;
    for (int i = first; i <= P; i += step) b[i] = i <= f.order ? static_cast<A>(from_b[i]) : A(0);
    for (int i = first; i < P; i += step) a[i] = i < f.order ? static_cast<A>(from_a[i]) : A(0);
  }
};

// How a launch cuts the rows.
template <class A>
struct ScanPlan {
  int64_t tiles;          // of a row
  int64_t tile;           // samples of one
  double* words;          // [B, nodes, a message]: a block for each tile; null: one for each row
  int64_t row_words;      // of a row
  const A* power;         // [filters, .., S, S]: the table of each (ConstantCarry)
  int64_t filter_stride;  // of power, in elements; 0: one filter for all rows
};

// Where a tile lies.
struct TilePosition {
  int64_t row, tile;
  int64_t begin;  // its first sample, in the order of filtering
  int64_t count;  // of its samples; the last tile of a row has fewer
};

// Which of the thread's samples is the last one of the row; V where none is, or it is not `wanted`.
template <int V, class Block>
POLEZERO_HD int last_sample(Block& block, bool wanted, int64_t time, const TilePosition& at) {
  const int64_t i = time - 1 - (at.begin + int64_t{block.thread()} * V);
  return wanted && 0 <= i && i < V ? static_cast<int>(i) : V;
}

// What `V` samples u leave of a zero state.
template <class A, int P, int V>
POLEZERO_HD StateVector<A, P> forced_state(const A* a, const A* u) {
  History<A, P> h(StateVector<A, P>::zero());
  for (int i = 0; i < V; ++i) h.push(h.feed_back(a, u[i]));
  return h;
}

template <class T, int P>
using LfilterCarry = ConstantCarry<acc_t<T>, P>;
// What a block shares where a thread filters in pairs; elsewhere: ScanShared<LfilterCarry<T, P>>.
template <class T, int P, int lanes>
using LfilterPairShared = PairScanShared<LfilterCarry<T, P>, DirectForm<FloatPair, P>, lanes>;

// `begin`: the state in which the tile begins, if it is known; becomes the one after it.
template <class T, int P, class Block, class Shared>
POLEZERO_HD void lfilter_forward_tile(Block& block, Shared& shared, const LfilterCarry<T, P>& carry,
                                      const Nodes& nodes, const LfilterScan<T>& p,
                                      const TilePosition& at, StateVector<acc_t<T>, P>& begin) {
  using A = acc_t<T>;
  using Number = typename NumberOf<Shared, A>::type;
  constexpr int V = kSamples<T>;
  const int64_t order = p.filters.order;
  const Timeline<const T, 1> x(p.x + at.row * p.x_stride, p.time);
  const Timeline<T, 1> y(p.y + at.row * p.y_stride, p.time);
  const int64_t own = at.begin + int64_t{block.thread()} * V;  // the thread's first sample

  T samples[V];
  block.load(x, at.begin, at.count, samples);
  const auto c = form_of<DirectForm<A, P>>(shared, p.filters, at.row);
  Number u[V];
  auto past = samples_before<Number, P>(block, x, own, p.filters.order_b, samples);
  for (int i = 0; i < V; ++i) {
    const auto now = static_cast<Number>(samples[i]);
    u[i] = past.feed_forward(c.b, p.filters.order_b, now);
    past.push(now);
  }
  if (p.zi != nullptr && own < order) {  // the state of transposed direct form II is an input
    for (int i = 0; i < V; ++i) {
      if (own + i < order) u[i] += static_cast<Number>(p.zi[at.row * order + own + i]);
    }
  }
  auto s = StateVector<A, P>::zero();
  if (p.filters.order_a > 0) {
    s = state_of_thread(block, carry, shared, nodes, at.tile,
                        converted<A>(forced_state<Number, P, V>(c.a, u)), begin);
  }
  const auto again =
      form_of<DirectForm<A, P>>(shared, p.filters, at.row);  // not held in registers meanwhile
  History<Number, P> h(converted<Number>(s));
  for (int i = 0; i < V; ++i) {
    const Number out = p.filters.order_a > 0 ? h.feed_back(again.a, u[i]) : u[i];
    h.push(out);
    u[i] = out;
  }
  if (p.zf != nullptr && own < p.time && p.time <= own + V) {
    final_state<P>(p, at.row, x, own, s);
  }
  for (int i = 0; i < V; ++i) samples[i] = static_cast<T>(u[i]);
  block.store(y, at.begin, at.count, samples);
}

// The overhang of a row, by the thread of its last sample, which begins at `own` in state `s`; in
// float64.
template <int P, class T>
POLEZERO_HD void final_state(const LfilterScan<T>& p, int64_t row, const Timeline<const T, 1>& x,
                             int64_t own, const StateVector<acc_t<T>, P>& s) {
  using A = acc_t<T>;
  const Filters<T>& f = p.filters;
  const DirectForm<A, P> c(f, row);
  const A* zi = p.zi != nullptr ? p.zi + row * f.order : nullptr;
  auto xs = samples_before<A, P>(x, own, f.order_b);
  History<A, P> ys(s);
  POLEZERO_ROLLED
  for (int64_t n = own; n < p.time; ++n) {
    const A now = static_cast<A>(x[n]);
    A u = xs.feed_forward(c.b, f.order_b, now);
    if (zi != nullptr && n < f.order) u += zi[n];
    ys.push(f.order_a > 0 ? ys.feed_back(c.a, u) : u);
    xs.push(now);
  }
  for (int j = 0; j < P; ++j) {
    A sum(0);
    if (zi != nullptr && p.time + j < f.order) sum = zi[p.time + j];
    for (int k = j + 1; k <= P; ++k) {
      if (k <= f.order_b) sum += multiply(c.b[k], xs.v[k - 1 - j]);
      if (k <= f.order_a) sum -= multiply(c.a[k - 1], ys.v[k - 1 - j]);
    }
    if (j < f.order) p.zf[row * f.order + j] = sum;
  }
}

// sums[k] = sum_i lambda[i - k] conj(u[i]), k = 0..order, over the samples of the block; the first
// `count` of a thread exist, `before` holds its lambda[-1], lambda[-2], ..
template <int P, int V, class Block, class T, class Number, class A>
POLEZERO_HD void correlate(Block& block, double* scratch, const Number* lambda,
                           const History<Number, P>& before, const T* u, int64_t count,
                           int64_t order, A* sums) {
  POLEZERO_UNROLLED  // all of lambda stays in registers
  for (int k = 0; k <= P; ++k) {
    if (k > order) break;
    Number part(0);
    for (int i = 0; i < V; ++i) {
      const Number l = i >= k ? lambda[i - k] : before.v[k - 1 - i];
      if (i < count) part += multiply(l, conjugate(static_cast<Number>(u[i])));
    }
    const A sum = block_sum(block, reinterpret_cast<A*>(scratch), static_cast<A>(part));
    if (block.thread() == 0) sums[k] = sum;
  }
}

template <class T, int P, class Block, class Shared>
POLEZERO_HD void lfilter_adjoint_tile(Block& block, Shared& shared, const LfilterCarry<T, P>& carry,
                                      const Nodes& nodes, const LfilterAdjointScan<T>& p,
                                      const TilePosition& at, int64_t tiles,
                                      StateVector<acc_t<T>, P>& begin) {
  using A = acc_t<T>;
  using Number = typename NumberOf<Shared, A>::type;
  constexpr int V = kSamples<T>;
  const int64_t order = p.filters.order;
  using Line = Timeline<const T, -1>;
  const Line g(p.grad_y + at.row * p.grad_y_stride, p.time);
  const int64_t own = at.begin + int64_t{block.thread()} * V;

  T samples[V];
  block.load(g, at.begin, at.count, samples);
  const auto c = form_of<DirectForm<A, P>>(shared, p.filters, at.row);
  Number lambda[V];
  for (int i = 0; i < V; ++i) lambda[i] = static_cast<Number>(samples[i]);
  StateVector<A, P> s;
  if (p.filters.order_a > 0) {
    s = state_of_thread(block, carry, shared, nodes, at.tile,
                        converted<A>(forced_state<Number, P, V>(c.a, lambda)), begin);
  } else {  // lambda is g: no zero of a padded a may meet a NaN
    s = samples_before<A, P>(g, own, P, row_state<A, P>(p.grad_zf, at.row, order));
  }
  const auto again = form_of<DirectForm<A, P>>(shared, p.filters, at.row);
  if (p.head != nullptr && own < p.time && p.time <= own + V) {
    History<Number, P> h(converted<Number>(s));
    POLEZERO_ROLLED
    for (int64_t n = own; n < p.time; ++n) {
      const auto now = static_cast<Number>(g[n]);
      h.push(p.filters.order_a > 0 ? h.feed_back(again.a, now) : now);
    }
    for (int i = 0; i < P; ++i) {
      if (i < order) p.head[at.row * order + i] = static_cast<A>(h.v[i]);
    }
  }
  History<Number, P> h(converted<Number>(s));
  const auto first = h;
  for (int i = 0; i < V; ++i) {
    if (p.filters.order_a > 0) lambda[i] = h.feed_back(again.a, lambda[i]);
    samples[i] = static_cast<T>(h.feed_forward(again.b, p.filters.order_b, lambda[i]));
    h.push(lambda[i]);
  }
  if (p.grad_x != nullptr) {
    block.store(Timeline<T, -1>(p.grad_x + at.row * p.grad_x_stride, p.time), at.begin, at.count,
                samples);
  }
  // [2][order + 1] of this tile
  A* sums = p.sums == nullptr ? nullptr : p.sums + (at.row * tiles + at.tile) * 2 * (order + 1);
  if (p.x != nullptr) {
    block.load(Line(p.x + at.row * p.x_stride, p.time), at.begin, at.count, samples);
    correlate<P, V>(block, shared.sums, lambda, first, samples, p.time - own, order, sums);
  }
  if (p.y != nullptr) {
    block.load(Line(p.y + at.row * p.y_stride, p.time), at.begin, at.count, samples);
    correlate<P, V>(block, shared.sums, lambda, first, samples, p.time - own, order,
                    sums + order + 1);
  }
}

// ---- a block's work: one tile, or all tiles of a row; `ticket` says which. Tickets go through all
// rows before they come to the next tile of one, so that neighbours in time wait least.

template <class A>
POLEZERO_HD int64_t row_of(const ScanPlan<A>& plan, int64_t rows, int64_t ticket) {
  return plan.words == nullptr ? ticket : ticket % rows;
}
template <class Block, class A, class F>
POLEZERO_HD void for_each_tile(Block& block, const ScanPlan<A>& plan, int64_t rows, int64_t time,
                               int64_t ticket, F&& filter) {
  const bool whole_row = plan.words == nullptr;
  const int64_t row = row_of(plan, rows, ticket);
  const int64_t first = whole_row ? 0 : ticket / rows;
  const int64_t last = whole_row ? plan.tiles : first + 1;
  const Nodes nodes{whole_row ? nullptr : plan.words + row * plan.row_words, plan.tiles};
  for (int64_t tile = first; tile < last; ++tile) {
    if (tile > first) block.sync();  // until nobody reads the shared memory of the tile before
    const int64_t from = tile * plan.tile, left = time - from;
    filter(nodes, TilePosition{row, tile, from, left < plan.tile ? left : plan.tile});
  }
}

template <class T, int P, class Block, class Shared>
POLEZERO_HD void lfilter_block(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                               const LfilterScan<T>& p, int64_t ticket) {
  const int64_t row = row_of(plan, p.rows, ticket);
  const LfilterCarry<T, P> carry{plan.power + row * plan.filter_stride};
  share_form(block, shared, p.filters, row);
  auto begin = row_state<acc_t<T>, P>(p.past, row, p.filters.order);
  for_each_tile(block, plan, p.rows, p.time, ticket,
                [&](const Nodes& nodes, const TilePosition& at) {
                  lfilter_forward_tile<T, P>(block, shared, carry, nodes, p, at, begin);
                });
}

template <class T, int P, class Block, class Shared>
POLEZERO_HD void lfilter_block(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                               const LfilterAdjointScan<T>& p, int64_t ticket) {
  using A = acc_t<T>;
  const int64_t row = row_of(plan, p.rows, ticket);
  const LfilterCarry<T, P> carry{plan.power + row * plan.filter_stride};
  share_form(block, shared, p.filters, row);
  auto begin = row_state<A, P>(p.grad_zf, row, p.filters.order);
  for_each_tile(block, plan, p.rows, p.time, ticket,
                [&](const Nodes& nodes, const TilePosition& at) {
                  lfilter_adjoint_tile<T, P>(block, shared, carry, nodes, p, at, plan.tiles, begin);
                });
}

POLEZERO_ISA_END
