// Recursive filters: rows to threads, or the time of one row.
#include <ATen/Context.h>

#include <algorithm>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lfilter.h"
#include "kernels/cpu/long_fir.h"
#include "kernels/cpu/row_of.h"
#include "kernels/cpu/run_rows.h"
#include "math/transition.h"

namespace polezero::cpu {
namespace {

using host::transition;

// The transition over a chunk takes about this many P^3 ns.
constexpr int64_t kMaxSplitOrder = 16, kTransitionCost = 64;

// An output from this size on leaves nothing of itself in the caches: written around them it
// spares the processor from reading what it is about to overwrite.
constexpr int64_t kAroundCacheBytes = int64_t{64} << 20;
template <class scalar_t>
bool around_cache(int64_t rows, int64_t time) {
  return rows * time * static_cast<int64_t>(sizeof(scalar_t)) >= kAroundCacheBytes;
}

// How many chunks each row is cut into: one more than there are threads, because of two phases
// (below); 1 is none. Cut rows round differently, so never where there are rows for all threads,
// nor where determinism is asked for.
template <class scalar_t>
int64_t chunks_of_row(const Filters<scalar_t>& f, int64_t rows, int64_t time) {
  const int64_t threads = at::get_num_threads();
  if (rows >= threads || threads == 1 || at::in_parallel_region() || f.order > kMaxSplitOrder ||
      at::globalContext().deterministicAlgorithms()) {
    return 1;
  }
  const int64_t samples =
      std::max(kSamplesPerThread, kTransitionCost * f.order * f.order * f.order);
  const int64_t busy = std::min<int64_t>(time / samples, threads);
  return busy < 2 ? 1 : busy + 1;
}

// What carrying the state on costs beside filtering (measured, orders 2 to 16: 0.54 to 0.65
// forward, 0.3 backward).
constexpr double kForwardStateCost = 0.6, kBackwardStateCost = 0.3;
// The largest error of a transition: far below what the signal's own rounding does.
template <class scalar_t>
constexpr double kTransitionTolerance =
    std::is_same_v<scalar_t, float> || std::is_same_v<scalar_t, std::complex<float>> ? 1e-9 : 1e-12;

template <class A>
bool all_finite(const std::vector<A>& values) {
  return std::all_of(values.begin(), values.end(), [](const A& v) { return host::is_finite(v); });
}

// Filters one row in `count` chunks. First the first chunk in the order of processing is
// filtered, and beside it the state is found that the others, but the last, leave behind when they
// begin at rest. Then every chunk knows the state it really begins with, and all but the first are
// filtered. The first chunk is shorter, so that the first phase takes all its threads equally long.
// `whole(range, i, state)` filters chunk i, `state_only(range, state)` carries the state on. False,
// with `state` as it was, where the transition over a chunk is not to be trusted or overflows (the
// output of an unstable filter may still be finite), or something in the signal is not finite.
template <class scalar_t, class Whole, class StateOnly>
bool filter_in_chunks(const Filters<scalar_t>& f, int64_t time, int64_t count, bool descending,
                      double state_cost, acc_t<scalar_t>* state, Whole&& whole,
                      StateOnly&& state_only) {
  using A = acc_t<scalar_t>;
  const int64_t P = f.order;
  const int64_t length = static_cast<int64_t>(time / (count - 1 + state_cost));
  const int64_t first = time - (count - 1) * length;
  auto range = [&](int64_t i) {
    const int64_t begin = i == 0 ? 0 : first + (i - 1) * length, end = first + i * length;
    return descending ? Range{0, 1, time - end, time - begin} : Range{0, 1, begin, end};
  };
  const std::vector<A> power = transition(f.a, P, length, kTransitionTolerance<scalar_t>);
  if (power.size() != static_cast<size_t>(P * P) || !all_finite(power)) return false;
  auto each = [&](int64_t begin, int64_t end, auto&& body) {
    at::parallel_for(begin, end, 1, [&](int64_t from, int64_t to) {
      FlushDenormals flush;
      for (int64_t i = from; i < to; ++i) body(i);
    });
  };
  std::vector<A> states(count * P, A(0));  // after chunk i
  std::copy_n(state, P, states.begin());
  each(0, count - 1, [&](int64_t i) {
    if (i == 0) {
      whole(range(0), 0, states.data());
    } else {
      state_only(range(i), states.data() + i * P);
    }
  });
  // all chunks but the first have `length` samples; without feedback nothing lasts that long
  for (int64_t i = 1; i + 1 < count && f.order_a > 0; ++i) {
    for (int64_t j = 0; j < P; ++j) {
      for (int64_t k = 0; k < P; ++k) {
        states[i * P + j] +=
            host::multiply(power[descending ? k * P + j : j * P + k], states[(i - 1) * P + k]);
      }
    }
  }
  if (!all_finite(states)) return false;  // 0 * inf in a transition is NaN, in a filter it is not
  std::vector<A> begins = states;
  each(1, count, [&](int64_t i) {
    std::copy_n(begins.begin() + (i - 1) * P, P, states.begin() + i * P);
    whole(range(i), i, states.data() + i * P);
  });
  std::copy_n(states.begin() + (count - 1) * P, P, state);
  return true;
}

// All rows; `in_chunks(row, count)` filters one in chunks, or returns false where it has to stay
// whole.
template <template <class> class Params, class scalar_t, class InChunks>
void filter_rows(void (*kernel)(const Params<scalar_t>&, const Range&), Params<scalar_t> p,
                 int64_t rows, int64_t time, InChunks&& in_chunks) {
  p.rows = rows;
  p.around_cache = around_cache<scalar_t>(rows, time);
  const int64_t count = chunks_of_row(p.filters, rows, time);
  if (count == 1) return run_rows(kernel, p, rows, time);
  for (int64_t r = 0; r < rows; ++r) {
    const Params<scalar_t> row = row_of(p, r);
    if (!in_chunks(row, count)) {
      FlushDenormals flush;
      kernel(row, Range{0, 1, 0, time});
    }
  }
}

}  // namespace

template <class scalar_t>
void lfilter_forward(LfilterForwardParams<scalar_t> p, int64_t rows, int64_t time) {
  if constexpr (std::is_same_v<scalar_t, float>) {
    if (long_fir_pays(p.filters, time)) return long_fir_forward(p, rows, time);
  }
  using A = acc_t<scalar_t>;
  using Params = LfilterForwardParams<scalar_t>;
  const auto kernel = lfilter_kernels<scalar_t>().forward;
  filter_rows(kernel, p, rows, time, [&](const Params& row, int64_t count) {
    auto run = [&](const Range& range, scalar_t* y, A* state) {
      Params chunk = row;
      chunk.y = y;
      chunk.state = state;
      kernel(chunk, range);
    };
    return filter_in_chunks(
        row.filters, time, count, /*descending=*/false, kForwardStateCost, row.state,
        [&](const Range& range, int64_t, A* state) { run(range, row.y, state); },
        [&](const Range& range, A* state) { run(range, nullptr, state); });
  });
}

template <class scalar_t>
void lfilter_backward(LfilterBackwardParams<scalar_t> p, int64_t rows, int64_t time) {
  if constexpr (std::is_same_v<scalar_t, float>) {
    if (long_fir_pays(p.filters, time)) return long_fir_backward(p, rows, time);
  }
  using A = acc_t<scalar_t>;
  using Params = LfilterBackwardParams<scalar_t>;
  const auto kernel = lfilter_kernels<scalar_t>().backward;
  const int64_t taps_b = p.filters.order_b + 1, taps_a = p.filters.order_a + 1;
  filter_rows(kernel, p, rows, time, [&](const Params& row, int64_t count) {
    std::vector<A> sum_b(count * taps_b, A(0)), sum_a(count * taps_a, A(0));  // a chunk each
    auto whole = [&](const Range& range, int64_t i, A* state) {
      Params chunk = row;
      chunk.state = state;
      chunk.sum_b = sum_b.data() + i * taps_b;
      chunk.sum_a = sum_a.data() + i * taps_a;
      kernel(chunk, range);
    };
    auto state_only = [&](const Range& range, A* state) {
      Params chunk = row;
      chunk.grad_x = nullptr;
      chunk.x = chunk.y = nullptr;
      chunk.state = state;
      kernel(chunk, range);
    };
    if (!filter_in_chunks(row.filters, time, count, /*descending=*/true, kBackwardStateCost,
                          row.state, whole, state_only)) {
      return false;
    }
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t k = 0; p.x != nullptr && k < taps_b; ++k) row.sum_b[k] += sum_b[i * taps_b + k];
      for (int64_t k = 0; p.y != nullptr && k < taps_a; ++k) row.sum_a[k] += sum_a[i * taps_a + k];
    }
    return true;
  });
}

#define POLEZERO_INSTANTIATE(scalar_t)                                                       \
  template void lfilter_forward<scalar_t>(LfilterForwardParams<scalar_t>, int64_t, int64_t); \
  template void lfilter_backward<scalar_t>(LfilterBackwardParams<scalar_t>, int64_t, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cpu
