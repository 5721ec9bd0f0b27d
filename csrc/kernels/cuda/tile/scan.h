// Note [Scan]
// How one row is filtered by many threads. A thread has V samples in a row, a unit; a tile is the
// units of a block; a row has many tiles. A filter is linear in its state, so what any span of
// samples does to a state s is s -> (transition) s + v, and spans join:
//
//   1. every thread filters its samples from a zero state: v of its unit
//   2. a scan over the threads of a warp, then over the warps of the block: v of the tile
//   3. the look-back: v of everything before the tile, hence the state in which the tile begins
//   4. every thread filters its samples again, from the state that it now knows
//
// Memory is read once and written once. v is float64 for every signal (math/scalar.h has the
// reason). A filter that does not change with time has one transition for all spans of a
// length, the power A^length, from a table; then a message is v alone. Of another one a message is
// the transition, made by filtering the unit states, and v.
//
// The look-back is a tree, 32 children to a node, and not a chain: what a tile publishes is its v,
// without the samples before it; the last tile of a node joins the 32 and publishes theirs. Tile
// 1234 of a row, 1 * 1024 + 6 * 32 + 18, reads one node of 1024, 6 nodes of 32 and 18 tiles. So no
// message waits for more than one other message a level, and sums are made in the same order in
// every run: the same bits, without a flag to ask for them. (Decoupled look-back: Merrill and
// Garland, NVIDIA NVR-2016-002, where a chain of prefixes depends on which tile was faster.)
//
// A word that was not yet published holds a NaN that no arithmetic makes (all ones), so it needs
// no flag and no fence. Tiles are handed out by a ticket, in the order of time: whoever waits,
// waits for a block that runs.
//
// `Block` is the block that runs this: on a GPU, or emulated by threads of the host (tests/cpp).
// Rows so short that they would leave most of a warp without work have a block of a few lanes.
#pragma once

#include <cstdint>

#include "math/host_device.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

inline constexpr int kWarp = 32;
inline constexpr int kMaxWarps = 8;

// A state of S variables.
template <class A, int S>
struct StateVector {
  A v[S];
  POLEZERO_HD static StateVector zero() {
    StateVector s;
    for (int i = 0; i < S; ++i) s.v[i] = A(0);
    return s;
  }
};

// sum + m s; element (i, j) of m is m[(i S + j) stride].
template <int stride = 1, class A, int S>
POLEZERO_HD StateVector<A, S> add_product(StateVector<A, S> sum, const A* m,
                                          const StateVector<A, S>& s) {
  for (int i = 0; i < S; ++i) {
    for (int j = 0; j < S; ++j) sum.v[i] += multiply(m[(i * S + j) * stride], s.v[j]);
  }
  return sum;
}

// What moves the messages of a filter that does not change with time.
template <class A, int S>
struct ConstantCarry {
  using Message = StateVector<A, S>;
  // [S, S, kWarp] and then [.., S, S]: of the first matrix l moves a state on by l units (none is
  // nobody's); of the others matrix k by kWarp 2^k. Neighbouring lanes read neighbours.
  const A* power;

  POLEZERO_HD static Message nothing() { return Message::zero(); }

  // What `earlier` and then `later`, which spans `units` units, do; where `earlier` is a state, the
  // state after them.
  POLEZERO_HD Message join(Message earlier, const Message& later, int64_t units) const {
    const A* m = power + kWarp * S * S;
    for (int64_t warps = units / kWarp; warps > 0; warps &= warps - 1) {
      const Message none = nothing();
      earlier = add_product(none, m + lowest_bit(warps) * (S * S), earlier);
    }
    if (units % kWarp != 0) return join_lanes(earlier, later, static_cast<int>(units % kWarp));
    for (int i = 0; i < S; ++i) earlier.v[i] += later.v[i];
    return earlier;
  }
  // The same of 1 to kWarp - 1 units.
  POLEZERO_HD Message join_lanes(const Message& earlier, const Message& later, int units) const {
    return add_product<kWarp>(later, power + units, earlier);
  }
};

// The matrices of a table that joins spans of up to `units` units.
POLEZERO_HD int64_t power_count(int64_t units) {
  int64_t count = kWarp;
  for (int64_t warps = units / kWarp; warps > 0; warps /= 2) ++count;
  return count;
}

// The carry of a filter that does change: the transition goes with v.
template <class A, int S>
struct VaryingCarry {
  struct Message {
    A m[S * S];
    StateVector<A, S> s;
  };

  POLEZERO_HD static Message nothing() {
    Message out{{}, StateVector<A, S>::zero()};
    for (int i = 0; i < S * S; ++i) out.m[i] = A(i % (S + 1) == 0 ? 1 : 0);
    return out;
  }
  // A state: whatever was before it is forgotten.
  POLEZERO_HD static Message state(const StateVector<A, S>& s) {
    Message out{{}, s};
    for (int i = 0; i < S * S; ++i) out.m[i] = A(0);
    return out;
  }
  POLEZERO_HD Message join(const Message& earlier, const Message& later, int64_t /*units*/) const {
    Message out;
    for (int i = 0; i < S; ++i) {
      for (int j = 0; j < S; ++j) {
        A sum(0);
        for (int k = 0; k < S; ++k) sum += multiply(later.m[i * S + k], earlier.m[k * S + j]);
        out.m[i * S + j] = saturated(sum);  // what overflows may still meet a zero
      }
    }
    out.s = add_product(later.s, later.m, earlier.s);
    return out;
  }
  POLEZERO_HD Message join_lanes(const Message& earlier, const Message& later, int units) const {
    return join(earlier, later, units);
  }
};

// ---- a warp

// A message is so many numbers.
template <class M>
inline constexpr int kWords = sizeof(M) / sizeof(double);
template <class M>
POLEZERO_HD double* words_of(M& m) {
  return reinterpret_cast<double*>(&m);
}
template <class M>
POLEZERO_HD const double* words_of(const M& m) {
  return reinterpret_cast<const double*>(&m);
}

template <class Block, class M>
POLEZERO_HD M shuffle_up(Block& block, const M& m, int lanes) {
  M out;
  block.shuffle_up(words_of(m), words_of(out), kWords<M>, lanes);
  return out;
}
template <class Block, class M>
POLEZERO_HD M shuffle(Block& block, const M& m, int lane) {
  M out;
  block.shuffle(words_of(m), words_of(out), kWords<M>, lane);
  return out;
}

// Each of the first `lanes` lanes gets what the lanes up to it and itself make;
// join(before, m, d): of d lanes.
template <class Block, class M, class Join>
POLEZERO_HD M inclusive_scan(Block& block, M m, int lanes, Join&& join) {
  POLEZERO_ROLLED  // five tables at once would not leave registers for samples
  for (int d = 1; d < lanes; d *= 2) {
    const M before = shuffle_up(block, m, d);
    if (block.lane() >= d) m = join(before, m, d);
  }
  return m;
}
// The sum over the lanes, in all of them.
template <class Block, class A>
POLEZERO_HD A warp_sum(Block& block, A sum) {
  for (int d = 1; d < block.lanes(); d *= 2) sum += shuffle(block, sum, block.lane() ^ d);
  return sum;
}
// The sum over all threads of the block, in thread 0; `scratch`: a number for each warp.
template <class Block, class A>
POLEZERO_HD A block_sum(Block& block, A* scratch, A value) {
  A sum = warp_sum(block, value);
  if (block.lane() == 0) scratch[block.warp()] = sum;
  block.sync();
  for (int w = 1; w < block.warps(); ++w) {
    if (block.thread() == 0) sum += scratch[w];
  }
  block.sync();
  return sum;
}

// The same of N values, in out[0..N); `scratch`: N numbers for each warp, which others may write
// after another barrier.
template <int N, class Block, class A>
POLEZERO_HD void block_sums(Block& block, A* scratch, const A (&values)[N], A* out) {
  for (int i = 0; i < N; ++i) {
    const A sum = warp_sum(block, values[i]);
    if (block.lane() == 0) scratch[block.warp() * N + i] = sum;
  }
  block.sync();
  const int i = block.thread();
  if (i >= N) return;
  A sum = scratch[i];
  for (int w = 1; w < block.warps(); ++w) sum += scratch[w * N + i];
  out[i] = sum;
}

// ---- the look-back

// Where the tiles of one row publish: [level][node], a message each.
struct Nodes {
  double* words;  // null: one block filters all tiles of the row, one after the other
  int64_t tiles;
};
// How many there are.
POLEZERO_HD int64_t node_count(int64_t tiles) {
  int64_t total = 0;
  for (int64_t n = tiles; n > 0; n /= kWarp) total += n;
  return total;
}

template <class Block, class M>
POLEZERO_HD void publish(Block& block, double* words, const M& m) {
  if (block.lane() == kWarp - 1) {
    for (int i = 0; i < kWords<M>; ++i) block.publish(words + i, words_of(m)[i]);
  }
}
template <class Block, class M>
POLEZERO_HD void receive(Block& block, const double* words, M& m) {
  for (int i = 0; i < kWords<M>; ++i) words_of(m)[i] = block.receive(words + i);
}

// One warp publishes what tile `tile` does, in all lanes, and gets what all tiles before it do, in
// all lanes.
template <class Block, class Carry>
POLEZERO_HD typename Carry::Message look_back(Block& block, const Carry& carry, const Nodes& nodes,
                                              int64_t tile, typename Carry::Message own,
                                              int64_t units) {
  using M = typename Carry::Message;
  M before = Carry::nothing();
  int64_t units_before = 0;  // the length of `before`; `units`: of a node of this level
  double* level = nodes.words;
  auto node = static_cast<unsigned>(tile);  // `own` is this node of the level
  bool complete = true;                     // `own` is the whole of it
  POLEZERO_ROLLED
  for (auto count = static_cast<unsigned>(nodes.tiles); count > 0; count /= kWarp) {
    if (complete) publish(block, level + int64_t{node} * kWords<M>, own);
    const int siblings = node % kWarp;
    if (siblings > 0) {
      M m = Carry::nothing();
      // in the last lanes, so that the last one ends up with all
      const int mine = block.lane() - (kWarp - siblings);
      if (mine >= 0) receive(block, level + int64_t{node - siblings + mine} * kWords<M>, m);
      m = inclusive_scan(block, m, siblings, [&](const M& earlier, const M& later, int d) {
        return carry.join(earlier, later, d * units);
      });
      m = shuffle(block, m, kWarp - 1);
      before = carry.join(m, before, units_before);
      if (siblings == kWarp - 1 && complete) own = carry.join(m, own, units);
    }
    complete = complete && siblings == kWarp - 1;
    units_before += siblings * units;
    level += int64_t{count} * kWords<M>;
    node /= kWarp;
    units *= kWarp;
  }
  return before;
}

// ---- a block

template <class Carry>
struct ScanShared {
  using Message = typename Carry::Message;
  Message of_warp[kMaxWarps], begin;
  double sums[2 * kMaxWarps];
};

// In: what each thread's unit does, and the state in which the tile begins, in every thread; for
// a tile > 0 that is found by the look-back where `nodes` has words. Out: the state in which the
// unit begins; where a block filters all tiles, `begin` becomes the state after this one.
template <class Block, class Carry>
POLEZERO_HD typename Carry::Message state_of_thread(Block& block, const Carry& carry,
                                                    ScanShared<Carry>& shared, const Nodes& nodes,
                                                    int64_t tile,
                                                    const typename Carry::Message& own,
                                                    typename Carry::Message& begin) {
  using M = typename Carry::Message;
  const int warps = block.warps(), lanes = block.lanes(), lane = block.lane();
  const int64_t units = int64_t{lanes} * warps;
  const M up_to_lane = inclusive_scan(
      block, own, lanes,
      [&](const M& earlier, const M& later, int d) { return carry.join_lanes(earlier, later, d); });
  if (lane == lanes - 1) shared.of_warp[block.warp()] = up_to_lane;
  block.sync();
  const auto through_warps = [&](M state, int first, int last) {
    POLEZERO_ROLLED
    for (int w = first; w < last; ++w) state = carry.join(state, shared.of_warp[w], lanes);
    return state;
  };
  if (nodes.tiles > 1 && nodes.words != nullptr) {
    if (block.warp() == 0) {
      // what the row begins with is in the first tile's message
      const M published = through_warps(tile > 0 ? Carry::nothing() : begin, 0, warps);
      const M before = look_back(block, carry, nodes, tile, published, units);
      if (tile > 0) begin = before;
      if (lane == 0) shared.begin = begin;
    }
    block.sync();
    begin = shared.begin;
  }
  const M of_warp = through_warps(begin, 0, block.warp());
  if (nodes.words == nullptr && tile + 1 < nodes.tiles) {
    begin = through_warps(of_warp, block.warp(), warps);
  }
  const M lanes_before = shuffle_up(block, up_to_lane, 1);
  return lane == 0 ? of_warp : carry.join_lanes(of_warp, lanes_before, lane);
}

POLEZERO_ISA_END
