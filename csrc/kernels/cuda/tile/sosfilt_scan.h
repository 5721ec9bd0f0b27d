// One tile of a cascade and of its adjoint, filtered by a block: a scan (Note [Scan] in scan.h) for
// each section, between which the samples stay in the threads, in float64 or in pairs
// (pair_scan.h).
//
// A section is filtered in direct form I: u = b x, and y = u - a y. Then what the scan knows of a
// state are outputs, the past inputs of the next section, and a sample is multiplied by a alone
// where transposed direct form II would multiply it by all coefficients twice. The state that the
// op has is that of transposed direct form II: it is added to the first two u, and made of the last
// inputs and outputs. The adjoint is direct form II, with lambda = g - a lambda.
#pragma once

#include "kernels/cuda/tile/lfilter_scan.h"
#include "params/cuda/sosfilt.h"

POLEZERO_ISA_BEGIN

template <class T>
using SectionCarry = LfilterCarry<T, 2>;
template <class T>
POLEZERO_HD Filters<T> section_of(const Sections<T>& sections, int64_t k) {
  Filters<T> f = sections.section(k);
  f.order = 2;  // known to the compiler
  return f;
}
template <class T>
POLEZERO_HD DirectForm<acc_t<T>, 2> section_form(const Sections<T>& sections, int64_t row,
                                                 int64_t k) {
  return DirectForm<acc_t<T>, 2>(section_of(sections, k), row);
}

// The last two of a thread's first `count` samples, after those of `before`.
template <class A, int V>
POLEZERO_HD History<A, 2> last_two(const A (&samples)[V], History<A, 2> before, int count) {
  for (int i = 0; i < V; ++i) {
    if (i < count) before.push(samples[i]);
  }
  return before;
}

// u = b x, in place; `before`, the inputs before the thread's, becomes its last ones.
template <class A, int V>
POLEZERO_HD void feed_forward(const DirectForm<A, 2>& c, History<A, 2>& before, A (&u)[V]) {
  for (int i = 0; i < V; ++i) {
    const A now = u[i];
    u[i] = before.feed_forward(c.b, 2, now);
    before.push(now);
  }
}
// y = u - a y, in place, from the outputs before the thread's.
template <class A, int V>
POLEZERO_HD void feed_back(const DirectForm<A, 2>& c, History<A, 2> before, A (&u)[V]) {
  for (int i = 0; i < V; ++i) {
    u[i] = before.feed_back(c.a, u[i]);
    before.push(u[i]);
  }
}

// Where section k of a tile's row has what it carries on.
template <class T>
struct SectionPlace {
  SectionCarry<T> carry;
  int64_t state;  // in arrays [B, K, 2]
  Nodes nodes;

  // Of `words` numbers that a section has for the tiles of a row.
  POLEZERO_HD SectionPlace(const ScanPlan<acc_t<T>>& plan, const Nodes& of_row, int64_t words,
                           const Sections<T>& sections, int64_t row, int64_t k)
      : carry{plan.power + (row * sections.filters.filter_stride + k) * plan.filter_stride},
        state((row * sections.count + k) * 2),
        nodes(of_row) {
    if (nodes.words != nullptr) nodes.words += k * words;
  }
};

// The state of a section in the thread, which a block that goes through a row carries from tile to
// tile; `first`: that of the first tile.
template <class T, class Block, class Shared>
POLEZERO_HD StateVector<acc_t<T>, 2> section_state(
    Block& block, Shared& shared, const SectionPlace<T>& place, const TilePosition& at,
    const StateVector<acc_t<T>, 2>& own, StateVector<acc_t<T>, 2> first, acc_t<T>* carried) {
  if (carried != nullptr) carried += place.state;
  auto begin = first;
  for (int j = 0; carried != nullptr && at.tile > 0 && j < 2; ++j) begin.v[j] = carried[j];
  const auto s = state_of_thread(block, place.carry, shared, place.nodes, at.tile, own, begin);
  block.sync();  // until all have read what they share
  for (int j = 0; block.thread() == 0 && carried != nullptr && j < 2; ++j) carried[j] = begin.v[j];
  return s;
}

// Section k: `u` becomes what comes out of it, and `before`, the inputs before the thread's, its
// outputs before them.
template <class T, int V, class Block, class Shared, class Number>
POLEZERO_HD void filter_section(Block& block, Shared& shared, const SectionPlace<T>& place,
                                const SosfiltScan<T>& p, const TilePosition& at, int64_t k,
                                Number (&u)[V], History<Number, 2>& before) {
  using A = acc_t<T>;
  const int64_t own = at.begin + int64_t{block.thread()} * V;
  const A* zi = p.zi == nullptr ? nullptr : p.zi + place.state;
  const int last = last_sample<V>(block, p.zf != nullptr, p.time, at);
  A* zf = p.zf + place.state;
  using Form = DirectForm<A, 2>;
  const Filters<T> section = section_of(p.sections, k);
  share_form(block, shared, section, at.row);
  const auto c = form_of<Form>(shared, section, at.row);
  if (last < V) {  // the inputs' part of the state after the row
    const auto wide = section_form(p.sections, at.row, k);
    const auto x = converted<A>(last_two(u, before, last + 1));
    zf[0] = multiply(wide.b[1], x.v[0]) + multiply(wide.b[2], x.v[1]);
    zf[1] = multiply(wide.b[2], x.v[0]);
    if (zi != nullptr && p.time == 1) zf[0] += zi[1];
  }
  feed_forward(c, before, u);
  if (zi != nullptr && own == 0) {
    for (int j = 0; j < 2; ++j) u[j] += static_cast<Number>(zi[j]);
  }
  const auto s =
      section_state(block, shared, place, at, converted<A>(forced_state<Number, 2, V>(c.a, u)),
                    StateVector<A, 2>::zero(), p.carried);
  before = History<Number, 2>(converted<Number>(s));
  feed_back(form_of<Form>(shared, section, at.row), before, u);  // not held in registers meanwhile
  if (last < V) {
    const auto wide = section_form(p.sections, at.row, k);
    const auto y = converted<A>(last_two(u, before, last + 1));
    zf[0] -= multiply(wide.a[0], y.v[0]) + multiply(wide.a[1], y.v[1]);
    zf[1] -= multiply(wide.a[1], y.v[0]);
  }
  if (p.unit_states != nullptr && own / V < p.time / V) {
    const int offset = static_cast<int>(p.time % V);
    const auto y = converted<A>(offset == 0 ? before : last_two(u, before, offset));
    A* to = p.unit_states + (place.state / 2 * (p.time / V) + own / V) * 2;
    for (int j = 0; j < 2; ++j) to[j] = y.v[j];
  }
}

// Its adjoint, first half: `g` becomes lambda; the lambdas that come before the thread's, in the
// order of filtering.
template <class T, int V, class Block, class Shared, class Number>
POLEZERO_HD History<Number, 2> find_lambda(Block& block, Shared& shared,
                                           const SectionPlace<T>& place, const SosfiltScan<T>& p,
                                           const TilePosition& at, int64_t k, Number (&g)[V]) {
  using A = acc_t<T>;
  using Form = DirectForm<A, 2>;
  const Filters<T> section = section_of(p.sections, k);
  share_form(block, shared, section, at.row);
  const auto c = form_of<Form>(shared, section, at.row);
  const auto s =
      section_state(block, shared, place, at, converted<A>(forced_state<Number, 2, V>(c.a, g)),
                    row_state<A, 2>(p.zi, at.row * p.sections.count + k, 2), p.carried);
  const History<Number, 2> before(converted<Number>(s));
  feed_back(form_of<Form>(shared, section, at.row), before, g);
  const int last = last_sample<V>(block, p.zf != nullptr, p.time, at);
  if (last < V) {
    const auto first = last_two(g, before, last + 1);  // of the row, in time
    for (int j = 0; j < 2; ++j) p.zf[place.state + j] = static_cast<A>(first.v[j]);
  }
  return before;
}

template <class T, bool adjoint, class Block, class Shared>
POLEZERO_HD void sosfilt_block(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                               const SosfiltScan<T>& p, int64_t ticket) {
  using A = acc_t<T>;
  using Number = typename NumberOf<Shared, A>::type;
  constexpr int step = adjoint ? -1 : 1, V = kSamples<T>;
  const int64_t K = p.sections.count, words = plan.row_words / K;
  for_each_tile(
      block, plan, p.rows, p.time, ticket, [&](const Nodes& nodes, const TilePosition& at) {
        const Timeline<const T, step> x(p.x + at.row * p.x_stride, p.time);
        T samples[V];
        Number u[V];
        block.load(x, at.begin, at.count, samples);
        for (int i = 0; i < V; ++i) u[i] = static_cast<Number>(samples[i]);
        History<Number, 2> before(StateVector<Number, 2>::zero());
        if constexpr (!adjoint) {
          before = samples_before<Number, 2>(block, x, at.begin + int64_t{block.thread()} * V, 2,
                                             samples);
        }
        POLEZERO_ROLLED
        for (int64_t i = 0; i < K; ++i) {
          const int64_t k = adjoint ? K - 1 - i : i;
          const SectionPlace<T> place(plan, nodes, words, p.sections, at.row, k);
          if constexpr (adjoint) {
            auto lambda = find_lambda(block, shared, place, p, at, k, u);
            feed_forward(form_of<DirectForm<A, 2>>(shared, section_of(p.sections, k), at.row),
                         lambda, u);
          } else {
            filter_section(block, shared, place, p, at, k, u, before);
          }
        }
        for (int i = 0; i < V; ++i) samples[i] = static_cast<T>(u[i]);
        if (p.y != nullptr) {
          block.store(Timeline<T, step>(p.y + at.row * p.y_stride, p.time), at.begin, at.count,
                      samples);
        }
      });
}

POLEZERO_ISA_END
