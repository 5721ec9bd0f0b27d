// Note [Chunks]
// How a row is filtered by several threads where the state is too large for the registers of a scan
// (Note [Scan]), whatever the filter is. A thread has a chunk of the row:
//
//   1. the transition of a chunk: the filter without input, from each unit state
//   2. every chunk from a zero state: what its input leaves behind
//   3. the state in which each chunk begins (Note [Chunk tree])
//   4. every chunk, from the state that is now known, with its output
//
// Rows that are many enough are a chunk each: then only step 4 is left, and it is the serial
// filter. A filter that does not change with time has one transition for all its chunks: that of a
// sample, squared.
//
// Steps 1 and 3 are in twice the precision of float64, and more. The powers of a direct form's
// transition may grow by a factor H before they decay (poles that lie close together): in float64
// what step 3 rounds away would grow by H once more, to H^2 of a rounding; so it is H, the serial
// filter's own.
//
// A Filter is plain data with
//   Scalar                     of its signals
//   kRegisters                 as many as storage() at least where a thread has them in registers,
//   or 0 rows, time, backwards()    in time states(), storage()        numbers a state has, and
//   that it needs in memory, the state first constant(), shared()       one transition for all
//   times, for all rows reaches(from, to)          whether of one state anything is in another, so
//   many samples later read_state(row, i), write_state(row, s)     before the row (number i) and
//   after it inputs<pass>(), outputs()                   signals that it reads and writes
//   input(row, i), output(row, i)               where they are
//   run<pass>(row, begin, end, s, io)           samples [begin, end) in the order of filtering,
//   that
//                                               it reads by io.in(i, n), and writes by io.out(i, n,
//                                               y)
//   finish(row, chunk, s)                       after all samples of a chunk; but for the state, s
//   was
//                                               zero before them
#pragma once

#include "kernels/cuda/tile/chunk_tree.h"

POLEZERO_ISA_BEGIN

enum class Pass { kFree, kForced, kOutput };  // without input; without output; all

// The numbers of a state, of which many lie side by side.
template <class E>
struct StateRef {
  using Number = E;
  static constexpr int kRegisters = 0;
  E* data;
  int64_t stride;

  POLEZERO_HD E& operator[](int64_t i) const { return data[i * stride]; }
};
// The same in registers, whose places the compiler must know.
template <class E, int count>
struct StateRegisters {
  using Number = E;
  static constexpr int kRegisters = count;
  E data[count];

  POLEZERO_HD E& operator[](int i) { return data[i]; }
};
template <class A, int registers>
using state_t = std::conditional_t<registers == 0, StateRef<A>, StateRegisters<A, registers>>;

// f(i) for i < count, which is no more than `most` where that is known to the compiler; 0: it is
// not.
template <int most, class F>
POLEZERO_HD void for_numbers(int64_t count, F&& f) {
  if constexpr (most == 0) {
    for (int64_t i = 0; i < count; ++i) f(i);
  } else {
    POLEZERO_UNROLLED
    for (int i = 0; i < most; ++i) {
      if (i < static_cast<int>(count)) f(i);
    }
  }
}
// The same, the last first.
template <int most, class F>
POLEZERO_HD void numbers_down(int64_t count, F&& f) {
  if constexpr (most == 0) {
    for (int64_t i = count - 1; i >= 0; --i) f(i);
  } else {
    POLEZERO_UNROLLED
    for (int i = most - 1; i >= 0; --i) {
      if (i < static_cast<int>(count)) f(i);
    }
  }
}
template <class State, class A>
POLEZERO_HD void write_numbers(State& s, A* to, int64_t count) {
  for_numbers<State::kRegisters>(count, [&](auto i) { to[i] = s[i]; });
}

// How a launch cuts the rows, and its memory. The chunks of a group are a block's; where a row is
// one chunk, those of so many rows.
template <class A>
struct ChunkPlan {
  int64_t length,
      count;  // samples of a chunk, chunks of a row; several: a power of two, 2^doublings
  int doublings;
  int group_levels;  // a group is 2^group_levels chunks, the last one of a row may be fewer
  double_double_t<A>* column;  // [columns, storage]: of the transitions that filters find
  A* state;  // [storage, slots]: of the filter that runs, of each thread; null: elsewhere
  ChunkTree<A> tree;

  POLEZERO_HD int64_t group() const { return int64_t{1} << group_levels; }
  POLEZERO_HD int64_t groups() const { return (count + group() - 1) >> group_levels; }  // of a row
  // Threads, a group of them in each block.
  POLEZERO_HD int64_t slots(int64_t rows) const {
    return ((count == 1 ? rows + group() - 1 : rows * groups() * group()) >> group_levels)
           << group_levels;
  }
  POLEZERO_HD TreePart of_group(int64_t group_of_row) const {
    return {0, group_levels, group_of_row * group(), (group_of_row + 1) * group()};
  }
  POLEZERO_HD TreePart above_groups() const { return {group_levels, tree.levels(), 0, count}; }
};

// The chunk of a thread.
struct ChunkPosition {
  int64_t row, chunk, begin;

  template <class A>
  POLEZERO_HD ChunkPosition(const ChunkPlan<A>& plan, int64_t slot) {
    const int64_t of_row = plan.groups() * plan.group();
    row = plan.count == 1 ? slot : slot / of_row;
    chunk = plan.count == 1 ? 0 : slot % of_row;
    begin = chunk * plan.length;
  }
};

// The order in which a filter goes through the samples of a signal.
template <class Filter>
POLEZERO_HD int64_t sample_at(const Filter& f, int64_t step) {
  return f.backwards() ? f.time - 1 - step : step;
}

// The signals of a filter, in memory.
template <class Filter>
struct DirectSignals {
  using T = typename Filter::Scalar;
  const Filter& f;
  int64_t row;

  POLEZERO_HD T in(int64_t i, int64_t n) const { return f.input(row, i)[n]; }
  POLEZERO_HD void out(int64_t i, int64_t n, T value) const { f.output(row, i)[n] = value; }
};

// What is left of unit state k after samples [begin, end), by way of s.
template <class Filter, class A>
POLEZERO_HD void free_column(const Filter& f, int64_t row, int64_t begin, int64_t end,
                             StateRef<double_double_t<A>> s, quad_double_t<A>* column, int64_t k) {
  using E = double_double_t<A>;
  for (int64_t j = 0; j < f.storage(); ++j) s[j] = E(A(j == k ? 1 : 0));
  f.template run<Pass::kFree>(row, begin, end, s, DirectSignals<Filter>{f, row});
  for (int64_t j = 0; j < f.states(); ++j) column[j] = finite<A>(quad_double_t<A>(s[j]));
}

// Step 1 of a filter that changes, for column i % S of chunk i / S % (count - 1) of a set.
template <class Filter, class A>
POLEZERO_HD void find_transition(const Filter& f, const ChunkPlan<A>& plan, int64_t i) {
  const int64_t S = f.states(), of_set = plan.count - 1;
  const int64_t row = i / S / of_set, chunk = i / S % of_set;
  free_column<Filter, A>(f, row, chunk * plan.length, (chunk + 1) * plan.length,
                         {plan.column + i * f.storage(), 1},
                         plan.tree.of_set(row, chunk) + i % S * S, i % S);
}

// Step 1 of a filter that does not change, for column i % S of a set and a sample; `work`
// [sets, 2, S, S].
template <class Filter, class A>
POLEZERO_HD void find_sample_transition(const Filter& f, const ChunkPlan<A>& plan,
                                        quad_double_t<A>* work, int64_t i) {
  const int64_t S = f.states(), set = i / S;
  free_column<Filter, A>(f, set, 0, 1, {plan.column + i * f.storage(), 1},
                         work + (set * 2 * S + i % S) * S, i % S);
}
// All of it, for a set, by a block.
template <class Block, class Filter, class A>
POLEZERO_HD void find_transitions(Block& block, const Filter& f, const ChunkPlan<A>& plan,
                                  quad_double_t<A>* work, int64_t set) {
  const int64_t S = f.states();
  auto* const of_set = work + set * 2 * S * S;
  for (int64_t k = block.thread(); k < S; k += block.threads()) {
    find_sample_transition(f, plan, work, set * S + k);
  }
  block.sync();
  square_transitions(block, plan.tree, set, plan.doublings, of_set);
}

// Step 2, and the groups' own part of step 3, for a group, by a block. run(pass, position, s,
// exists) filters the chunk of a slot, where it exists; run.state(slot) is its state.
template <class Block, class Filter, class A, class Run>
POLEZERO_HD void leave_behind(Block& block, const Filter& f, const ChunkPlan<A>& plan,
                              int64_t group, Run&& run) {
  const ChunkTree<A>& tree = plan.tree;
  const int64_t first = group * plan.group();
  for (int64_t slot = first + block.thread(); slot < first + plan.group();
       slot += block.threads()) {
    const ChunkPosition at(plan, slot);
    auto s = run.state(slot);
    const bool exists = at.chunk + 1 < plan.count;  // the last one of a row leaves nothing behind
    if (exists) for_numbers<Filter::kRegisters>(f.storage(), [&](auto j) { s[j] = A(0); });
    run(std::integral_constant<Pass, Pass::kForced>{}, at, s, exists);
    if (!exists) continue;
    auto* const left = tree.left_by(at.row, at.chunk);
    for_numbers<Filter::kRegisters>(f.states(), [&](auto j) { left[j] = s[j]; });
  }
  block.sync();
  join_left_behind(block, f, tree, group / plan.groups(), plan.of_group(group % plan.groups()));
}

// Step 3 above the groups, for a row, by a block.
template <class Block, class Filter, class A>
POLEZERO_HD void carry_states(Block& block, const Filter& f, const ChunkPlan<A>& plan,
                              int64_t row) {
  for (int64_t i = block.thread(); i < f.states(); i += block.threads()) {
    plan.tree.before(row, 0)[i] = f.read_state(row, i);
  }
  join_left_behind(block, f, plan.tree, row, plan.above_groups());
  block.sync();
  find_begins(block, f, plan.tree, row, plan.above_groups());
}

// The rest of step 3, and step 4, for a group, by a block.
template <class Block, class Filter, class A, class Run>
POLEZERO_HD void filter_group(Block& block, const Filter& f, const ChunkPlan<A>& plan,
                              int64_t group, Run&& run) {
  const ChunkTree<A>& tree = plan.tree;
  if (plan.count > 1) {
    find_begins(block, f, tree, group / plan.groups(), plan.of_group(group % plan.groups()));
  }
  const int64_t first = group * plan.group();
  for (int64_t slot = first + block.thread(); slot < first + plan.group();
       slot += block.threads()) {
    const ChunkPosition at(plan, slot);
    auto s = run.state(slot);
    const bool exists = at.row < f.rows && at.chunk < plan.count;
    if (exists) {
      for_numbers<Filter::kRegisters>(f.storage(), [&](auto j) {
        s[j] = j >= f.states()   ? A(0)
               : plan.count == 1 ? f.read_state(at.row, j)
                                 : tree.before(at.row, at.chunk)[j].rounded();
      });
    }
    run(std::integral_constant<Pass, Pass::kOutput>{}, at, s, exists);
    if (!exists) continue;
    f.finish(at.row, at.chunk, s);
    if (at.chunk + 1 == plan.count) f.write_state(at.row, s);
  }
}

// `run` of the steps, of a thread by itself.
template <class Filter, class A>
struct RunAlone {
  const Filter& f;
  const ChunkPlan<A>& plan;

  POLEZERO_HD auto state(int64_t slot) const {
    if constexpr (Filter::kRegisters > 0) {
      return StateRegisters<A, Filter::kRegisters>{};
    } else {
      return StateRef<A>{plan.state + slot, plan.slots(f.rows)};
    }
  }
  template <Pass pass, class State>
  POLEZERO_HD void operator()(std::integral_constant<Pass, pass>, const ChunkPosition& at, State& s,
                              bool exists) const {
    if (!exists) return;
    const int64_t end = at.begin + plan.length < f.time ? at.begin + plan.length : f.time;
    f.template run<pass>(at.row, at.begin, end, s, DirectSignals<Filter>{f, at.row});
  }
};

POLEZERO_ISA_END
