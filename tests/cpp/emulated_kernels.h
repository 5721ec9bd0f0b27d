// What a GPU computes in chunks (kernels/cuda/tile/chunks.h) and one output at a time
// (kernels/cuda/tile/fir_and_products.h), as one more instruction set: so the tests of the others
// hold it against the same definitions. Threads run one after another, in an order in which nothing
// is read before it is written.
#pragma once

#include <bit>

#include "emulated_block.h"
#include "kernel_cases.h"
#include "kernels/cpu/launch.h"
#include "kernels/cuda/tile/fir_and_products.h"
#include "kernels/cuda/tile/lattice_chunks.h"
#include "kernels/cuda/tile/lfilter_chunks.h"
#include "kernels/cuda/tile/lpv_chunks.h"
#include "kernels/cuda/tile/state_space_chunks.h"

namespace polezero::test {

using namespace host;

inline int64_t chunk_length = 8;        // samples; a power of two
inline int group_levels = 1;            // chunks of a group: 2^group_levels
inline bool carried_by_a_warp = false;  // by one thread otherwise: 32 are slow to start

// A chunk is no shorter than a sample stays in a filter without feedback.
inline void lengthen_chunks(int64_t states) {
  chunk_length = std::max(chunk_length, static_cast<int64_t>(std::bit_ceil(uint64_t(states))));
}
inline int64_t chunks_of(int64_t time) { return (time + chunk_length - 1) / chunk_length; }

// Work(block, i) for i < count.
template <class Work>
void in_blocks(int64_t count, Work&& work) {
  if (carried_by_a_warp) {
    run_grid<char>(count, 1, 2, 0, [&](auto& block, char&, int64_t i) { work(block, i); });
  } else {
    OneThread thread;
    for (int64_t i = 0; i < count; ++i) work(thread, i);
  }
}

template <class Filter>
void run_chunks(const Filter& f) {
  using A = acc_t<typename Filter::Scalar>;
  using E = double_double_t<A>;
  using Q = quad_double_t<A>;
  const int64_t count = chunks_of(f.time), sets = f.shared() ? 1 : f.rows;
  const auto S = static_cast<int>(f.states());
  ChunkPlan<A> plan{
      .length = std::min(chunk_length, f.time),
      .count = count,
      .doublings = std::countr_zero(static_cast<uint64_t>(chunk_length)),
      .group_levels = group_levels,
      .column = nullptr,
      .state = nullptr,
      .tree = {.count = count, .states = S, .constant = f.constant(), .shared = f.shared()}};
  ChunkTree<A>& tree = plan.tree;
  auto transition = unwritten<Q>(sets * tree.nodes() * S * S),
       work = unwritten<Q>(sets * 2 * S * S);
  auto left_behind = unwritten<E>(f.rows * count * S), begin = unwritten<E>(f.rows * count * S),
       column = unwritten<E>(sets * (f.constant() ? 1 : count) * S * f.storage());
  auto state = unwritten<A>(f.storage() * plan.slots(f.rows));
  tree.transition = transition.data();
  tree.left_behind = left_behind.data();
  tree.begin = begin.data();
  plan.column = column.data();
  plan.state = state.data();
  const int64_t groups = plan.slots(f.rows) >> plan.group_levels;
  const RunAlone<Filter, A> run{f, plan};
  if (count > 1) {
    if (f.constant()) {
      in_blocks(sets, [&](auto& block, int64_t set) {
        find_transitions(block, f, plan, work.data(), set);
      });
    } else {
      for (int64_t i = 0; i < sets * (count - 1) * S; ++i) find_transition(f, plan, i);
      in_blocks(sets * plan.groups(), [&](auto& block, int64_t i) {
        join_transitions(block, tree, i / plan.groups(), plan.of_group(i % plan.groups()));
      });
      in_blocks(sets, [&](auto& block, int64_t set) {
        join_transitions(block, tree, set, plan.above_groups());
      });
    }
    in_blocks(groups, [&](auto& block, int64_t i) { leave_behind(block, f, plan, i, run); });
    in_blocks(f.rows, [&](auto& block, int64_t row) { carry_states(block, f, plan, row); });
  }
  in_blocks(groups, [&](auto& block, int64_t i) { filter_group(block, f, plan, i, run); });
}

// A filter with a state in float64 that is carried on, as the kernels of the CPU have it.
template <class Filter>
struct WithState : Filter {
  using A = acc_t<typename Filter::Scalar>;
  A* state;

  A read_state(int64_t row, int64_t i) const { return state[row * this->states() + i]; }
  template <class State>
  void write_state(int64_t row, State& s) const {
    write_numbers(s, state + row * this->states(), this->states());
  }
};

template <class T>
struct Emulated {
  using A = acc_t<T>;

  static void lfilter_forward(const LfilterForwardParams<T>& p, const Range& range) {
    if (p.filters.order == 0 || range.time_end == 0) {
      return baseline_kernels().lfilter_forward(p, range);
    }
    lengthen_chunks(p.filters.order);
    const LfilterScan<T> scan{.filters = p.filters,
                              .rows = range.row_end,
                              .time = range.time_end,
                              .x = p.x,
                              .x_stride = p.x_stride,
                              .y = p.y,
                              .y_stride = p.y_stride};
    run_chunks(WithState<LfilterChunks<T>>{{{scan}}, p.state});
  }

  static void lfilter_backward(const LfilterBackwardParams<T>& p, const Range& range) {
    const int64_t P = p.filters.order, rows = range.row_end, time = range.time_end;
    if (P == 0 || time == 0) return baseline_kernels().lfilter_backward(p, range);
    lengthen_chunks(P);
    const int64_t chunks = chunks_of(time);
    std::vector<A> after(p.state, p.state + rows * P);
    auto sums = unwritten<A>(rows * chunks * 2 * (P + 1));
    const LfilterAdjointScan<T> scan{.filters = p.filters,
                                     .rows = rows,
                                     .time = time,
                                     .grad_y = p.grad_y,
                                     .grad_y_stride = p.grad_y_stride,
                                     .grad_x = p.grad_x,
                                     .grad_x_stride = p.grad_x_stride,
                                     .x = p.x,
                                     .x_stride = p.x_stride,
                                     .y = p.y,
                                     .y_stride = p.y_stride,
                                     .sums = sums.data()};
    run_chunks(WithState<LfilterAdjointChunks<T>>{{{scan}, chunks}, p.state});
    for (int64_t r = 0; r < rows; ++r) {
      for (const bool of_a : {false, true}) {
        const T* u = of_a ? p.y : p.x;
        if (u == nullptr) continue;
        const int64_t taps = (of_a ? p.filters.order_a : p.filters.order_b) + 1;
        for (int64_t k = 0; k < taps; ++k) {
          A& sum = (of_a ? p.sum_a : p.sum_b)[r * taps + k];
          // those of a GPU have the lambdas after the end in them
          sum -= cpu::tail_sum(&after[r * P], P, u + r * (of_a ? p.y_stride : p.x_stride), time, k);
          for (int64_t c = 0; c < chunks; ++c) {
            sum += sums[((r * chunks + c) * 2 + of_a) * (P + 1) + k];
          }
        }
      }
    }
  }

  static void lpv_allpole(const LpvAllpoleParams<T>& p, const Range& range) {
    if (p.order == 0 || range.time_end == 0) return baseline_kernels().lpv_allpole(p, range);
    if (p.lags.at_input()) {
      run_chunks(LpvAllpoleChunks<T, true>{p, range.time_end});
    } else {
      run_chunks(LpvAllpoleChunks<T, false>{p, range.time_end});
    }
  }
  static void lag_product(const LagProductParams<T>& p, const Range& range) {
    for (int64_t r = 0; r < range.row_end; ++r) {
      for (int64_t n = 0; n < range.time_end; ++n) {
        for (int64_t k = 0; k < p.taps; ++k) lag_product_output(p, range.time_end, r, n, k);
      }
    }
  }
  static void lpv_allpole_backward(const LpvAllpoleBackwardParams<T>& p, const Range& range) {
    lpv_allpole(p.adjoint, range);
    lag_product(p.product, range);
  }
  static void lpv_fir(const LpvFirParams<T>& p, const Range& range) {
    for (int64_t r = 0; r < range.row_end; ++r) {
      for (int64_t n = 0; n < range.time_end; ++n) lpv_fir_output(p, range.time_end, r, n);
    }
  }

  static void state_space(const StateSpaceParams<T>& p, const Range& range) {
    run_chunks(StateSpaceChunks<T>{p, range.row_end, range.time_end});
  }

  static void lattice_forward(const LatticeForwardParams<T>& p, const Range& range) {
    run_chunks(LatticeChunks<T>{p, range.row_end, range.time_end});
  }
  static void lattice_backward(const LatticeBackwardParams<T>& p, const Range& range) {
    const int64_t rows = range.row_end, time = range.time_end, N = p.stages.order;
    const int64_t chunks = chunks_of(time);
    auto kept = unwritten<A>(rows * time * (N + 1)), parts = unwritten<A>(rows * N * chunks);
    std::vector<A> state(p.zi, p.zi + rows * N);
    run_chunks(LatticeChunks<T>{
        {p.stages, false, p.u, {nullptr, 0, 0}, state.data()}, rows, time, kept.data()});
    run_chunks(LatticeBackwardChunks<T>{p, kept.data(), parts.data(), chunks, rows, time});
    for (int64_t i = 0; p.sum_k != nullptr && i < rows * N * chunks; ++i) {
      p.sum_k[i / chunks] += parts[i];
    }
  }

  static KernelsOf<T> baseline_kernels() { return kernels_for<T>(InstructionSet::kBaseline); }
  static const KernelsOf<T>& kernels() {
    static const KernelsOf<T> table = [] {
      KernelsOf<T> t{};  // null: no chunks, nor a thread for each output
      t.lfilter_forward = lfilter_forward;
      t.lfilter_backward = lfilter_backward;
      t.lpv_allpole = lpv_allpole;
      t.lpv_allpole_backward = lpv_allpole_backward;
      t.lag_product = lag_product;
      t.lpv_fir = lpv_fir;
      t.lattice_forward = lattice_forward;
      t.lattice_backward = lattice_backward;
      t.state_space = state_space;
      return t;
    }();
    return table;
  }
};

// A thread a row, and chunks of two lengths.
template <class T, class Work>
void on_an_emulated_gpu(Work&& work) {
  for (const int64_t length : {int64_t{1} << 40, int64_t{8}, int64_t{32}}) {
    SCOPED_TRACE(::testing::Message() << "a GPU, chunks of " << length);
    chunk_length = length;
    work(Emulated<T>::kernels());
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace polezero::test
