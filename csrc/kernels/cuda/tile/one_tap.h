// A filter with one tap whose delay D is constant, on a GPU: y[n] = x[n] - c[n] y[n - D] is D
// filters of first order, each of every D-th sample, and the samples of neighbouring ones lie side
// by side. Each is cut in time as Note [Chunks] does it. But a state is one number, and a
// transition the product of a chunk's coefficients, of which no power grows before it decays:
// float64 will do, and the transition is found with what a chunk's input leaves behind.
#pragma once

#include "params/sparse_taps.h"

POLEZERO_ISA_BEGIN

inline constexpr int kStepsAtOnce = 8;  // samples of a chunk whose loads wait together
inline constexpr int64_t kShortestCombChunk = 8 * kStepsAtOnce;
inline constexpr int64_t kMostCombChunks = 64;  // a chunk looks at all that lie before it

// A row of a problem, in the order of filtering: position p is sample p or, transposed, the p-th
// from the end.
template <class T>
struct CombRow {
  using A = acc_t<T>;
  const SparseOnDevice<T>& p;
  SparseTapsOfRow<T> taps;
  const T* x;
  T* y;
  int64_t delay, steps;    // D, and the samples that each filter has at most
  int64_t chunks, length;  // of each filter; samples of a chunk

  POLEZERO_HD CombRow(const SparseOnDevice<T>& params, int64_t row)
      : p(params),
        taps(p.taps, row),
        x(p.x + row * p.x_stride),
        y(p.y + row * p.y_stride),
        delay(taps.delay(0, 0)) {
    delay = delay < p.time ? delay : p.time;
    steps = (p.time + delay - 1) / delay;
    chunks = p.comb_threads / delay;
    if (chunks > kMostCombChunks) chunks = kMostCombChunks;
    if (chunks > steps / kShortestCombChunk) chunks = steps / kShortestCombChunk;
    if (chunks < 1) chunks = 1;
    length = (steps + chunks - 1) / chunks;
  }

  // Chunk `chunk` of filter `of`, from state h: the state after it, and, where `output`, its
  // samples. `transition` is multiplied by what h is.
  template <bool output>
  POLEZERO_HD A run(int64_t of, int64_t chunk, A h, A& transition) const {
    const int64_t begin = chunk * length * delay + of;
    const int64_t behind = begin + length * delay, end = behind < p.time ? behind : p.time;
    for (int64_t at = begin; at < end; at += kStepsAtOnce * delay) {
      A in[kStepsAtOnce], tap[kStepsAtOnce];
      for (int i = 0; i < kStepsAtOnce; ++i) {
        const int64_t position = at + i * delay;
        in[i] = position < end ? widen(x[sample(position)]) : A(0);
        tap[i] = position < end ? coefficient(position) : A(0);
      }
      for (int i = 0; i < kStepsAtOnce; ++i) {
        const int64_t position = at + i * delay;
        if (position >= end) break;
        const bool reads = has_tap(position);  // (what is not read may be NaN)
        h = reads ? in[i] - multiply(tap[i], h) : in[i];
        if constexpr (output) {
          y[sample(position)] = static_cast<T>(h);
        } else {
          // (of what overflows the next product, or state, may be with a zero)
          transition = saturated(-multiply(tap[i], transition));
        }
      }
    }
    return h;
  }

  POLEZERO_HD bool has_tap(int64_t position) const {
    const int64_t n = tap_time(position);
    return p.past <= n && n < p.time;
  }

 private:
  POLEZERO_HD int64_t sample(int64_t position) const {
    return p.transposed ? p.time - 1 - position : position;
  }
  // The time of the tap that position p reads with.
  POLEZERO_HD int64_t tap_time(int64_t position) const {
    return p.transposed ? p.time - 1 - position + delay : position;
  }
  POLEZERO_HD A coefficient(int64_t position) const {
    return has_tap(position) ? taps.coefficient(tap_time(position) - p.past, 0) : A(0);
  }
};

// Thread i of [B, comb_threads]: what the input of a chunk leaves behind, and the chunk's
// transition. The last chunk leaves nothing to anybody.
template <class T>
POLEZERO_HD void find_comb_chunk(const SparseOnDevice<T>& p, int64_t i) {
  using A = acc_t<T>;
  const CombRow<T> row(p, i / p.comb_threads);
  const int64_t mine = i % p.comb_threads;
  if (mine >= (row.chunks - 1) * row.delay) return;
  A transition(1);
  const A left = row.template run<false>(mine % row.delay, mine / row.delay, A(0), transition);
  p.comb_states[2 * i] = left;
  p.comb_states[2 * i + 1] = transition;
}

// Thread i of [B, comb_threads]: the samples of a chunk, or of several.
template <class T>
POLEZERO_HD void filter_comb_chunk(const SparseOnDevice<T>& p, int64_t i) {
  using A = acc_t<T>;
  const CombRow<T> row(p, i / p.comb_threads);
  const A* states = p.comb_states + i / p.comb_threads * 2 * p.comb_threads;
  for (int64_t mine = i % p.comb_threads; mine < row.chunks * row.delay; mine += p.comb_threads) {
    const int64_t of = mine % row.delay;
    A h(0);
    for (int64_t at = of, first = of; at < mine; at += row.delay, first += row.length * row.delay) {
      // (A chunk whose first sample reads none leaves behind what it does from any state, and that
      // may be NaN. Where only the first ones read, nobody reads what the others leave behind.)
      h = row.has_tap(first) ? states[2 * at] + multiply(states[2 * at + 1], h) : states[2 * at];
    }
    A unused(0);
    row.template run<true>(of, mine / row.delay, h, unused);
  }
}

POLEZERO_ISA_END
