// Note [Chunks]
// How a row is filtered by several threads where the state is too large for the registers of a scan
// (Note [Scan]), whatever the filter is. A thread has a chunk of the row, thousands of samples:
//
//   1. the transition of a chunk, column by column: the filter without input, from each unit state
//   2. every chunk from a zero state: what its input leaves behind
//   3. one chunk after another: the state in which each begins
//   4. every chunk, from the state that is now known, with its output
//
// Rows that are many enough are a chunk each: then only step 4 is left, and it is the serial
// filter. A filter that does not change with time has one transition for all its chunks.
//
// Steps 1 and 3 are in twice the precision of float64. The powers of a direct form's transition may
// grow by a factor H before they decay (poles that lie close together): in float64 what step 3
// rounds away would grow by H once more, to H^2 of a rounding; so it is H, the serial filter's own.
//
// A Filter is plain data with
//   Scalar                     of its signals
//   rows, time
//   states(), storage()        numbers a state has, and that it needs in memory, the state first
//   constant(), shared()       one transition for all times, for all rows
//   feeds_back()               false: after as many samples as it has states nothing is left of one
//   read_state(row, s), write_state(row, s)     before the row and after it
//   run<pass>(row, chunk, begin, end, s)        samples [begin, end) in the order of filtering
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "math/double_double.h"

POLEZERO_ISA_BEGIN

enum class Pass { kFree, kForced, kOutput };  // without input; without output; all

// The numbers of a state, of which many lie side by side.
template <class E>
struct StateRef {
  E* data;
  int64_t stride;

  POLEZERO_HD E& operator[](int64_t i) const { return data[i * stride]; }
  POLEZERO_HD void read(const E* from, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) (*this)[i] = from[i];
  }
  POLEZERO_HD void write(E* to, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) to[i] = (*this)[i];
  }
};

// How a launch cuts the rows, and its memory. A message between chunks goes through `begin`: what
// the chunk before left behind, and then the state itself.
template <class A>
struct ChunkPlan {
  using E = double_double_t<A>;
  int64_t length, count;  // samples of a chunk, chunks of a row
  E* transition;          // [sets, S columns, storage]
  E* carried;             // [B, 2, S]
  A* begin;               // [storage, B * count]
};

template <class Filter>
POLEZERO_HD int64_t transition_sets(const Filter& f, int64_t count) {
  return (f.shared() ? 1 : f.rows) * (f.constant() ? 1 : count - 1);
}

// Whether a chunk is over before anything of the state in which it began comes out of it. (A sample
// that has left the filter takes its NaN with it.)
template <class Filter, class A>
POLEZERO_HD bool forgets(const Filter& f, const ChunkPlan<A>& plan) {
  return !f.feeds_back() && plan.length >= f.states();
}

// Step 1, for column i % S of set i / S.
template <class Filter, class A>
POLEZERO_HD void find_transition(const Filter& f, const ChunkPlan<A>& plan, int64_t i) {
  using E = double_double_t<A>;
  const int64_t S = f.states(), of_row = f.constant() ? 1 : plan.count - 1;
  const int64_t row = i / S / of_row, chunk = i / S % of_row, begin = chunk * plan.length;
  const StateRef<E> s{plan.transition + i * f.storage(), 1};
  for (int64_t j = 0; j < f.storage(); ++j) s[j] = E(A(j == i % S ? 1 : 0));
  f.template run<Pass::kFree>(row, chunk, begin, begin + plan.length, s);
  for (int64_t j = 0; j < S; ++j) {
    // what overflows may still meet a zero
    if (!is_finite(s[j].rounded())) s[j] = E(saturated(s[j].rounded()));
  }
}

template <class A>
POLEZERO_HD StateRef<A> begin_of(const ChunkPlan<A>& plan, int64_t rows, int64_t row,
                                 int64_t chunk) {
  return {plan.begin + row * plan.count + chunk, rows * plan.count};
}

// Step 2, for chunk i % (count - 1) of a row: all but the last.
template <class Filter, class A>
POLEZERO_HD void find_forced(const Filter& f, const ChunkPlan<A>& plan, int64_t i) {
  const int64_t row = i / (plan.count - 1), chunk = i % (plan.count - 1);
  const int64_t begin = chunk * plan.length;
  const StateRef<A> s = begin_of(plan, f.rows, row, chunk + 1);
  for (int64_t j = 0; j < f.storage(); ++j) s[j] = A(0);
  f.template run<Pass::kForced>(row, chunk, begin, begin + plan.length, s);
}

// Step 3, for a row, by a block.
template <class Block, class Filter, class A>
POLEZERO_HD void carry_states(Block& block, const Filter& f, const ChunkPlan<A>& plan,
                              int64_t row) {
  using E = double_double_t<A>;
  const int64_t S = f.states();
  const int64_t of_row = f.constant() ? 1 : plan.count - 1;
  E* now = plan.carried + row * 2 * S;
  E* next = now + S;
  if (block.thread() == 0) {
    const StateRef<A> first = begin_of(plan, f.rows, row, 0);
    f.read_state(row, first);
    for (int64_t i = 0; i < S; ++i) now[i] = E(first[i]);
  }
  block.sync();
  if (forgets(f, plan)) return;  // what step 2 found are the states
  for (int64_t chunk = 0; chunk + 1 < plan.count; ++chunk) {
    const int64_t set = (f.shared() ? 0 : row * of_row) + (f.constant() ? 0 : chunk);
    const E* m = plan.transition + set * S * f.storage();
    const StateRef<A> begin = begin_of(plan, f.rows, row, chunk + 1);
    for (int64_t i = block.thread(); i < S; i += block.threads()) {
      E sum(begin[i]);
      for (int64_t k = 0; k < S; ++k) sum.add_product(m[k * f.storage() + i], now[k]);
      next[i] = sum;
      begin[i] = sum.rounded();
    }
    E* const other = now;
    now = next;
    next = other;
    block.sync();
  }
}

// Step 4, for chunk i % count of a row.
template <class Filter, class A>
POLEZERO_HD void filter_chunk(const Filter& f, const ChunkPlan<A>& plan, int64_t i) {
  const int64_t row = i / plan.count, chunk = i % plan.count, begin = chunk * plan.length;
  const bool last = chunk + 1 == plan.count;
  const StateRef<A> s = begin_of(plan, f.rows, row, chunk);
  if (plan.count == 1) f.read_state(row, s);
  f.template run<Pass::kOutput>(row, chunk, begin, last ? f.time : begin + plan.length, s);
  if (last) f.write_state(row, s);
}

POLEZERO_ISA_END
