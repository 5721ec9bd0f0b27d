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
    int64_t most = p.comb_threads / delay;
    if (most > kMostCombChunks) most = kMostCombChunks;
    if (most < 1) most = 1;
    length = (steps + most - 1) / most;
    if (length < kShortestCombChunk) length = kShortestCombChunk;
    chunks = (steps + length - 1) / length;
  }

  // Chunk `chunk` of filter `of`, from state h: the state after it, and, where `output`, its
  // samples. `transition` is multiplied by what h is.
  template <bool output>
  POLEZERO_HD A run(int64_t of, int64_t chunk, A h, A& transition) const {
    const int64_t first = chunk * length * delay + of;
    // its samples: the last one of all steps is there for the first filters alone
    const int64_t left = steps - chunk * length - (of + (steps - 1) * delay < p.time ? 0 : 1);
    const int count = static_cast<int>(left < length ? left : length);
    Walk walk(*this, first);
    int i = 0;
    for (; i + kStepsAtOnce <= count; i += kStepsAtOnce) {
      walk.template go<kStepsAtOnce, output>(h, transition);
    }
    for (; i < count; ++i) walk.template go<1, output>(h, transition);
    return h;
  }

  POLEZERO_HD bool has_tap(int64_t position) const {
    const int64_t n = tap_time(position);
    return p.past <= n && n < p.time;
  }

 private:
  // The time of the tap that position p reads with.
  POLEZERO_HD int64_t tap_time(int64_t position) const {
    return p.transposed ? p.time - 1 - position + delay : position;
  }

  // Goes through the samples of one filter: nothing is multiplied at a step.
  struct Walk {
    const T* x;
    T* y;
    const T* varying;  // the coefficient of the tap, or null: it is `constant`
    A constant;
    int64_t step;           // from one sample to the next
    int64_t n, past, time;  // the time of the tap; it is read where past <= n < time
    POLEZERO_HD Walk(const CombRow& row, int64_t position)
        : x(row.x + row.sample(position)),
          y(row.y + row.sample(position)),
          varying(row.taps.varying),
          constant(varying == nullptr ? row.taps.constant[0] : A(0)),
          step(row.p.transposed ? -row.delay : row.delay),
          n(row.tap_time(position)),
          past(row.p.past),
          time(row.p.time) {}

    template <int steps, bool output>
    POLEZERO_HD void go(A& h, A& transition) {
      A in[steps], tap[steps];
      bool reads[steps];  // (what is not read may be NaN)
      for (int i = 0; i < steps; ++i) {
        in[i] = widen(*x);
        x += step;
      }
      for (int i = 0; i < steps; ++i) {
        reads[i] = past <= n && n < time;
        tap[i] = !reads[i] ? A(0) : varying == nullptr ? constant : widen(varying[n - past]);
        n += step;
      }
      for (int i = 0; i < steps; ++i) {
        h = reads[i] ? in[i] - multiply(tap[i], h) : in[i];
        if constexpr (output) {
          *y = static_cast<T>(h);
          y += step;
        } else {
          // (of what overflows the next product, or state, may be with a zero)
          transition = saturated(-multiply(tap[i], transition));
        }
      }
    }
  };

  POLEZERO_HD int64_t sample(int64_t position) const {
    return p.transposed ? p.time - 1 - position : position;
  }
};

// Threads of [B, comb_threads] that have nothing to do: the delay is too short for so many.
template <class T>
POLEZERO_HD bool beyond_comb(const SparseOnDevice<T>& p, int64_t row, int64_t mine) {
  return mine >= kMostCombChunks &&
         mine / kMostCombChunks >= SparseTapsOfRow<T>(p.taps, row).delay(0, 0);
}

// Thread `mine` of comb_threads of a row: what the input of a chunk leaves behind, and the chunk's
// transition. The last chunk leaves nothing to anybody.
template <class T>
POLEZERO_HD void find_comb_chunk(const SparseOnDevice<T>& p, int64_t r, int64_t mine) {
  using A = acc_t<T>;
  if (beyond_comb(p, r, mine)) return;
  const CombRow<T> row(p, r);
  if (mine >= (row.chunks - 1) * row.delay) return;
  A transition(1);
  const A left = row.template run<false>(mine % row.delay, mine / row.delay, A(0), transition);
  A* state = p.comb_states + 2 * (r * p.comb_threads + mine);
  state[0] = left;
  state[1] = transition;
}

// Thread `mine` of comb_threads of a row: the samples of a chunk, or of several.
template <class T>
POLEZERO_HD void filter_comb_chunk(const SparseOnDevice<T>& p, int64_t r, int64_t mine) {
  using A = acc_t<T>;
  if (beyond_comb(p, r, mine)) return;
  const CombRow<T> row(p, r);
  const A* states = p.comb_states + r * 2 * p.comb_threads;
  for (; mine < row.chunks * row.delay; mine += p.comb_threads) {
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
