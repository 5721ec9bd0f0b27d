// One tile of the adjoint of a cascade with the sums that the gradient of its coefficients is made
// of (params/sosfilt.h), by a block. Before it the filter itself goes through the row once more and
// leaves what each section has put out before each thread's samples, so that a thread here filters
// its samples again alone. A section needs its inputs and its outputs: those between sections are
// nowhere kept, and the sections before it filter the thread's samples anew for each section.
#pragma once

#include "kernels/cuda/tile/sosfilt_scan.h"

POLEZERO_ISA_BEGIN

inline constexpr int kSectionSums = 5;  // with b_0 b_1 b_2 a_1 a_2

template <class T>
struct SosfiltSumsShared : ScanShared<SectionCarry<T>> {
  alignas(16) double parts[kSectionSums * kMaxWarps * kWords<acc_t<T>>];
};

// The samples of a thread, whose first one in time is sample `begin`, through section k of the
// filter itself: `w` becomes its outputs, and `before`, the inputs before them, the outputs before.
template <class T, int V>
POLEZERO_HD void filter_again(const Sections<T>& conjugated, const SosfiltSums<T>& s, int64_t time,
                              int64_t row, int64_t k, int64_t begin, acc_t<T> (&w)[V],
                              History<acc_t<T>, 2>& before) {
  using A = acc_t<T>;
  auto c = section_form(conjugated, row, k);
  for (A& b : c.b) b = conjugate(b);
  for (A& a : c.a) a = conjugate(a);
  const int64_t section = row * conjugated.count + k;
  feed_forward(c, before, w);
  if (s.zi != nullptr && begin <= 1) {
    for (int i = 0; i < V; ++i) {
      for (int j = 0; j < 2; ++j) {
        if (begin + i == j) w[i] += s.zi[section * 2 + j];
      }
    }
  }
  before = History<A, 2>(StateVector<A, 2>::zero());
  if (begin >= 0) {
    const A* from = s.unit_states + (section * (time / V) + begin / V) * 2;
    for (int j = 0; j < 2; ++j) before.v[j] = from[j];
  }
  feed_back(c, before, w);
}

// sums[i - first] = sum_n lambda[n + i] conj(w[n]), i = first..2, over the samples of the block;
// the first `count` of a thread exist. lambda is in the order of filtering, backwards in time, w in
// that of time.
template <int first, class Block, class A, int V>
POLEZERO_HD void correlate_section(Block& block, A* scratch, const A (&lambda)[V],
                                   const History<A, 2>& before, const A (&w)[V], int count,
                                   A* sums) {
  A parts[3 - first] = {};
  const auto add = [&](int i) {
    for (int k = first; k <= 2; ++k) {
      const A l = i >= k ? lambda[i - k] : before.v[k - 1 - i];
      parts[k - first] += multiply(l, conjugate(w[V - 1 - i]));
    }
  };
  if (count == V) {
    for (int i = 0; i < V; ++i) add(i);
  } else {
    for (int i = 0; i < V; ++i) {
      if (i < count) add(i);
    }
  }
  block_sums(block, scratch, parts, sums);
}

// The two inputs before a thread's first sample in time, which the next lane has loaded.
template <class T, int V, class Block>
POLEZERO_HD History<acc_t<T>, 2> inputs_before(Block& block, const Timeline<const T, -1>& x,
                                               int64_t behind, const T (&samples)[V]) {
  StateVector<acc_t<T>, 2> last;
  for (int i = 0; i < 2; ++i) last.v[i] = widen(samples[i]);
  const bool alone = block.lane() == block.lanes() - 1;
  last = shuffle(block, last, alone ? block.lane() : block.lane() + 1);
  for (int i = 0; alone && i < 2; ++i) {
    last.v[i] = x.has(behind + i) ? widen(x[behind + i]) : acc_t<T>(0);
  }
  return History<acc_t<T>, 2>(last);
}

template <class T, class Block>
POLEZERO_HD void sosfilt_gradient_tile(Block& block, SosfiltSumsShared<T>& shared,
                                       const ScanPlan<acc_t<T>>& plan, const SosfiltScan<T>& p,
                                       const SosfiltSums<T>& s, const Nodes& nodes,
                                       const TilePosition& at) {
  using A = acc_t<T>;
  constexpr int V = kSamples<T>;
  const int64_t K = p.sections.count, words = plan.row_words / K;
  const int64_t own = at.begin + int64_t{block.thread()} * V, begin = p.time - own - V;
  const int count = static_cast<int>(begin >= 0 ? V : begin <= -V ? 0 : V + begin);
  const Timeline<const T, -1> x(s.x + at.row * s.x_stride, p.time);
  T samples[V];
  A g[V];
  block.load(Timeline<const T, -1>(p.x + at.row * p.x_stride, p.time), at.begin, at.count, samples);
  for (int i = 0; i < V; ++i) g[i] = widen(samples[i]);
  constexpr bool kKept = !is_complex<T>;  // between sections, or there are no registers left
  if (kKept) block.load(x, at.begin, at.count, samples);
  POLEZERO_ROLLED
  for (int64_t k = K - 1; k >= 0; --k) {
    const SectionPlace<T> place(plan, nodes, words, p.sections, at.row, k);
    auto lambda = find_lambda(block, shared, place, p, at, k, g);
    if (!kKept) block.load(x, at.begin, at.count, samples);
    A w[V];
    for (int i = 0; i < V; ++i) w[i] = widen(samples[V - 1 - i]);
    auto before = inputs_before(block, x, own + V, samples);  // not held in registers meanwhile
    POLEZERO_ROLLED
    for (int64_t j = 0; j < k; ++j) {
      filter_again(p.sections, s, p.time, at.row, j, begin, w, before);
    }
    A* const sums = s.sums + ((at.row * plan.tiles + at.tile) * K + k) * kSectionSums;
    A* const scratch = reinterpret_cast<A*>(shared.parts);
    correlate_section<0>(block, scratch, g, lambda, w, count, sums);
    filter_again(p.sections, s, p.time, at.row, k, begin, w, before);
    correlate_section<1>(block, scratch + 3 * kMaxWarps, g, lambda, w, count, sums + 3);
    feed_forward(section_form(p.sections, at.row, k), lambda, g);
  }
  if (p.y == nullptr) return;
  for (int i = 0; i < V; ++i) samples[i] = static_cast<T>(g[i]);
  block.store(Timeline<T, -1>(p.y + at.row * p.y_stride, p.time), at.begin, at.count, samples);
}

template <class T, class Block>
POLEZERO_HD void sosfilt_gradient_block(Block& block, SosfiltSumsShared<T>& shared,
                                        const ScanPlan<acc_t<T>>& plan, const SosfiltScan<T>& p,
                                        const SosfiltSums<T>& s, int64_t ticket) {
  for_each_tile(block, plan, p.rows, p.time, ticket,
                [&](const Nodes& nodes, const TilePosition& at) {
                  sosfilt_gradient_tile(block, shared, plan, p, s, nodes, at);
                });
}

// The gradient of section `section` of [B, K], by a warp: the sums of the tiles in a fixed order,
// over a_0, by which the other coefficients were divided.
template <class Block, class T>
POLEZERO_HD void finish_section(Block& warp, const Sections<T>& conjugated, const acc_t<T>* a0,
                                const acc_t<T>* sums, int64_t tiles, int64_t section,
                                acc_t<T>* grad_sos) {
  using A = acc_t<T>;
  const int64_t K = conjugated.count, row = section / K, k = section % K;
  A sum[kSectionSums] = {};
  for (int64_t tile = warp.lane(); tile < tiles; tile += kWarp) {
    const A* of_tile = sums + ((row * tiles + tile) * K + k) * kSectionSums;
    for (int i = 0; i < kSectionSums; ++i) sum[i] += of_tile[i];
  }
  for (A& value : sum) value = warp_sum(warp, value);
  if (warp.lane() != 0) return;
  const auto c = section_form(conjugated, row, k);
  const A scale = A(1) / a0[row * conjugated.filters.filter_stride + k];
  A* out = grad_sos + section * 6;
  A of_a0(0);  // all others are quotients by it
  for (int i = 0; i < kSectionSums; ++i) {
    const bool of_b = i < 3;
    const A gradient = multiply(of_b ? sum[i] : -sum[i], scale);
    out[of_b ? i : i + 1] = gradient;
    of_a0 -= multiply(of_b ? c.b[i] : c.a[i - 3], gradient);
  }
  out[3] = of_a0;
}

POLEZERO_ISA_END
