// Note [Chunk tree]
// How the states in which the chunks of a row begin are found from what each chunk leaves behind of
// its own samples: not one chunk after another, but in a tree. A node of level l is 2^l chunks, and
// what it does to a state is its transition and what it leaves behind:
//
//   up     what a node leaves behind is that of its left half, moved on by its right half, and that
//          of the right half
//   down   a left half begins where the node begins; a right half with that, moved on by the left
//          half, and what the left half leaves behind
//
// Twice as many states are moved as in a chain, but no more than twice as many as there are levels
// one after another. Sums are made in one order. The lower levels of some chunks side by side,
// their group, are a block's, those above the groups are one block's of the row.
//
// States are in twice the precision of float64 (Note [Chunks] has the reason), transitions in four
// times: a rounding of M^n is multiplied by M^n when that is squared, and by all that is to come,
// so that the powers of a direct form, growing by H before they decay, are wrong by some H^3 of it.
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "math/quad_double.h"

POLEZERO_ISA_BEGIN

// The states of the chunks of all rows, and what moves them.
template <class A>
struct ChunkTree {
  using E = double_double_t<A>;
  using Q = quad_double_t<A>;
  int64_t count;            // chunks of a row
  int states;               // S
  bool constant, shared;    // one transition for all nodes of a level, for all rows
  Q* transition = nullptr;  // [sets, nodes, S columns, S]
  E* left_behind =
      nullptr;         // [B, count, S]: by the node that ends with a chunk; but for the last one
  E* begin = nullptr;  // [B, count, S]: the state before a chunk

  POLEZERO_HD int levels() const {
    int l = 0;
    while ((int64_t{1} << l) < count) ++l;
    return l;
  }
  // Where the nodes of a level begin. Those with the last chunk in them move nothing.
  POLEZERO_HD int64_t nodes_below(int level) const {
    if (constant) return level;
    int64_t sum = 0;
    for (int l = 0; l < level; ++l) sum += (count - 1) >> l;
    return sum;
  }
  POLEZERO_HD int64_t nodes() const { return nodes_below(levels()); }

  POLEZERO_HD Q* of_set(int64_t set, int64_t node) const {
    return transition + (set * nodes() + node) * states * states;
  }
  POLEZERO_HD const Q* moves(int64_t row, int64_t nodes_below, int64_t node) const {
    return of_set(shared ? 0 : row, nodes_below + (constant ? 0 : node));
  }
  POLEZERO_HD E* left_by(int64_t row, int64_t chunk) const {
    return left_behind + (row * count + chunk) * states;
  }
  POLEZERO_HD E* before(int64_t row, int64_t chunk) const {
    return begin + (row * count + chunk) * states;
  }
};

// Levels [from, to) above chunks [first, end) of a row: the part of a tree that a block does. A
// node of level `to` begins with the first.
struct TreePart {
  int from, to;
  int64_t first, end;
};

// `sum` and number i of a state, moved on by `transition`.
template <class Filter, class E, class Q>
POLEZERO_HD E moved(const Filter& f, E sum, const Q* transition, const E* state, int states,
                    int i) {
  for (int k = 0; k < states; ++k) {
    // 0 * NaN would be NaN where the filter keeps the two apart
    if (f.reaches(k, i)) sum.add_product(transition[k * states + i].in_double_double(), state[k]);
  }
  return sum;
}

// Up the tree, for a row.
template <class Block, class Filter, class A>
POLEZERO_HD void join_left_behind(Block& block, const Filter& f, const ChunkTree<A>& tree,
                                  int64_t row, const TreePart& part) {
  const int S = tree.states;
  const int64_t end = part.end < tree.count ? part.end : tree.count - 1;
  for (int level = part.from; level < part.to; ++level) {
    const int64_t half = int64_t{1} << level, below = tree.nodes_below(level);
    const int numbers = static_cast<int>((end - part.first) >> (level + 1)) * S;
    for (int t = block.thread(); t < numbers; t += block.threads()) {
      const int i = t % S;
      const int64_t right = part.first + (t / S + 1) * 2 * half - 1;
      auto* const sum = tree.left_by(row, right) + i;
      *sum = moved(f, *sum, tree.moves(row, below, right >> level), tree.left_by(row, right - half),
                   S, i);
    }
    block.sync();
  }
}

// Down the tree, for a row.
template <class Block, class Filter, class A>
POLEZERO_HD void find_begins(Block& block, const Filter& f, const ChunkTree<A>& tree, int64_t row,
                             const TreePart& part) {
  const int S = tree.states;
  const int64_t end = part.end < tree.count ? part.end : tree.count;
  for (int level = part.to - 1; level >= part.from; --level) {
    const int64_t half = int64_t{1} << level, below = tree.nodes_below(level);
    const int numbers = static_cast<int>((end - part.first + half - 1) >> (level + 1)) * S;
    for (int t = block.thread(); t < numbers; t += block.threads()) {
      const int i = t % S;
      const int64_t right = part.first + t / S * 2 * half + half;
      tree.before(row, right)[i] =
          moved(f, tree.left_by(row, right - 1)[i], tree.moves(row, below, (right >> level) - 1),
                tree.before(row, right - half), S, i);
    }
    block.sync();
  }
}

// What overflows may still meet a zero.
template <class A>
POLEZERO_HD quad_double_t<A> finite(const quad_double_t<A>& v) {
  const A rounded = v.in_double_double().rounded();
  return is_finite(rounded) ? v : quad_double_t<A>(saturated(rounded));
}

// Number i of a column of what the left half and then the right half of a node do.
template <class A>
POLEZERO_HD quad_double_t<A> joined(const quad_double_t<A>* left, const quad_double_t<A>* right,
                                    int states, int column, int i) {
  quad_double_t<A> sum{};
  for (int k = 0; k < states; ++k) {
    sum.add_product(right[k * states + i], left[column * states + k]);
  }
  sum.normalise();
  return finite<A>(sum);
}

// Up the tree, for one set of transitions that change from chunk to chunk.
template <class Block, class A>
POLEZERO_HD void join_transitions(Block& block, const ChunkTree<A>& tree, int64_t set,
                                  const TreePart& part) {
  const int S = tree.states;
  const int64_t end = part.end < tree.count ? part.end : tree.count - 1;
  for (int level = part.from; level < part.to; ++level) {
    const int64_t below = tree.nodes_below(level), above = tree.nodes_below(level + 1);
    const int64_t numbers = ((end - part.first) >> (level + 1)) * S * S;
    for (int64_t t = block.thread(); t < numbers; t += block.threads()) {
      const int64_t node = (part.first >> (level + 1)) + t / (S * S);
      const int column = static_cast<int>(t % (S * S)) / S, i = static_cast<int>(t % S);
      tree.of_set(set, above + node)[column * S + i] = joined<A>(
          tree.of_set(set, below + 2 * node), tree.of_set(set, below + 2 * node + 1), S, column, i);
    }
    block.sync();
  }
}

// The transitions of one set that do not change: `work` [2, S, S] begins with that of a sample,
// whose square d > 0 is that of 2^d samples, and so, from a chunk of 2^doublings samples on, of a
// level.
template <class A>
POLEZERO_HD quad_double_t<A>* squared_transition(const ChunkTree<A>& tree, int64_t set,
                                                 int doublings, quad_double_t<A>* work, int d) {
  return d < doublings ? work + d % 2 * tree.states * tree.states : tree.of_set(set, d - doublings);
}
// Number t of square d.
template <class A>
POLEZERO_HD void square_transition(const ChunkTree<A>& tree, int64_t set, int doublings,
                                   quad_double_t<A>* work, int d, int t) {
  const int S = tree.states;
  const auto* const now = squared_transition(tree, set, doublings, work, d - 1);
  squared_transition(tree, set, doublings, work, d)[t] = joined<A>(now, now, S, t / S, t % S);
}
// All of them, by a block.
template <class Block, class A>
POLEZERO_HD void square_transitions(Block& block, const ChunkTree<A>& tree, int64_t set,
                                    int doublings, quad_double_t<A>* work) {
  for (int d = 1; d < doublings + tree.levels(); ++d) {
    for (int t = block.thread(); t < tree.states * tree.states; t += block.threads()) {
      square_transition(tree, set, doublings, work, d, t);
    }
    block.sync();
  }
}

POLEZERO_ISA_END
