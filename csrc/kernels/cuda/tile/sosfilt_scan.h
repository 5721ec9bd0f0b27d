// One tile of a cascade and of its adjoint, filtered by a block: a scan (Note [Scan] in scan.h) for
// each section, between which the samples stay in the threads, in float64.
#pragma once

#include "kernels/cuda/tile/lfilter_scan.h"
#include "math/section.h"
#include "params/cuda/sosfilt.h"

POLEZERO_ISA_BEGIN

template <class T>
POLEZERO_HD Section<acc_t<T>> section_of(const Sections<T>& sections, int64_t k, int64_t row) {
  const Filters<T> f = sections.section(k);
  const auto *b = f.b + row * f.filter_stride * 3, *a = f.a + row * f.filter_stride * 2;
  return {b[0], b[1], b[2], a[0], a[1]};
}

// One sample of a section, or of its adjoint, whose transition is the transposed one.
template <bool adjoint, class A>
POLEZERO_HD A section_step(const Section<A>& c, A x, StateVector<A, 2>& s) {
  if constexpr (adjoint) {
    A lambda;
    const A y = section_adjoint(c, x, s.v[0], s.v[1], lambda);
    s.v[1] = s.v[0];
    s.v[0] = lambda;
    return y;
  } else {
    return section_forward(c, x, s.v[0], s.v[1]);
  }
}

template <class T, bool adjoint>
using SectionCarry = ConstantCarry<acc_t<T>, 2, !adjoint>;

// Section k: `u` becomes what comes out of it.
template <class T, bool adjoint, int V, class Block>
POLEZERO_HD void filter_section(Block& block, ScanShared<SectionCarry<T, adjoint>>& shared,
                                const ScanPlan<acc_t<T>>& plan, const Nodes& nodes,
                                const SosfiltScan<T>& p, const TilePosition& at, int64_t k,
                                acc_t<T> (&u)[V]) {
  using A = acc_t<T>;
  const Section<A> c = section_of(p.sections, k, at.row);
  const SectionCarry<T, adjoint> carry{
      plan.power + (at.row * p.sections.filters.filter_stride + k) * plan.filter_stride};
  const int64_t place = (at.row * p.sections.count + k) * 2;
  A* carried = p.carried == nullptr ? nullptr : p.carried + place;
  auto begin = StateVector<A, 2>::zero();
  for (int j = 0; j < 2; ++j) {
    if (at.tile == 0 && p.zi != nullptr) begin.v[j] = p.zi[place + j];
    if (at.tile > 0 && carried != nullptr) begin.v[j] = carried[j];
  }
  auto own = StateVector<A, 2>::zero();
  for (int i = 0; i < V; ++i) section_step<adjoint>(c, u[i], own);
  auto s = state_of_thread(block, carry, shared, nodes, at.tile, own, begin);
  const Section<A> again = section_of(p.sections, k, at.row);  // not held in registers meanwhile
  const int last = last_sample<V>(block, p.zf != nullptr, p.time, at);
  for (int i = 0; i < V; ++i) {
    u[i] = section_step<adjoint>(again, u[i], s);
    for (int j = 0; i == last && j < 2; ++j) p.zf[place + j] = s.v[j];
  }
  block.sync();  // until all have read what they share
  for (int j = 0; block.thread() == 0 && carried != nullptr && j < 2; ++j) carried[j] = begin.v[j];
}

template <class T, bool adjoint, class Block>
POLEZERO_HD void sosfilt_block(Block& block, ScanShared<SectionCarry<T, adjoint>>& shared,
                               const ScanPlan<acc_t<T>>& plan, const SosfiltScan<T>& p,
                               int64_t ticket) {
  constexpr int step = adjoint ? -1 : 1, V = kSamples<T>;
  const int64_t words = node_count(plan.tiles) * kWords<StateVector<acc_t<T>, 2>>;
  for_each_tile(block, plan, p.rows, p.time, ticket,
                [&](const Nodes& nodes, const TilePosition& at) {
                  T samples[V];
                  acc_t<T> u[V];
                  block.load(Timeline<const T, step>(p.x + at.row * p.x_stride, p.time), at.begin,
                             at.count, samples);
                  for (int i = 0; i < V; ++i) u[i] = widen(samples[i]);
                  POLEZERO_ROLLED
                  for (int64_t i = 0; i < p.sections.count; ++i) {
                    const int64_t k = adjoint ? p.sections.count - 1 - i : i;
                    const Nodes of_section{
                        nodes.words == nullptr ? nullptr : nodes.words + k * words, nodes.tiles};
                    filter_section<T, adjoint>(block, shared, plan, of_section, p, at, k, u);
                  }
                  for (int i = 0; i < V; ++i) samples[i] = static_cast<T>(u[i]);
                  block.store(Timeline<T, step>(p.y + at.row * p.y_stride, p.time), at.begin,
                              at.count, samples);
                });
}

POLEZERO_ISA_END
