// One tile of an all-pole filter that changes with time, filtered by a block (Note [Scan] in
// scan.h); the equations are in csrc/params/lpv.h, the state is that of kernels/cpu/tile/lpv.h.
#pragma once

#include "kernels/cuda/tile/lfilter_scan.h"
#include "kernels/cuda/tile/lpv_chunks.h"

POLEZERO_ISA_BEGIN

// Transitions of order 2 are large and cancel where poles lie close to 1 or -1, and joined in
// float64 they cost up to 6 digits there (docs/cuda.md): too many where the signal is float64 as
// well, and its rows go in chunks.
template <class T>
inline constexpr int kLongestLpvScan = sizeof(T) / (is_complex<T> ? 2 : 1) == 4 ? 2 : 1;

template <class T, int N>
inline constexpr int kLpvSamples = (is_complex<T>    ? 4
                                    : sizeof(T) <= 4 ? 16
                                                     : 8) /
                                   N;

template <class T, int N>
using LpvCarry = VaryingCarry<acc_t<T>, N>;

// A thread's coefficients, in the order of filtering.
template <class T, int N, int step>
struct LpvCoefficients {
  T at[kLpvSamples<T, N> * N];

  // The coefficients of sample i. Backwards in memory the last one comes first.
  POLEZERO_HD void of(int i, T (&a)[N]) const {
    for (int k = 0; k < N; ++k) a[k] = at[i * N + (step < 0 ? N - 1 - k : k)];
  }
};

// From here on nvcc knows nothing of a value, and keeps nothing that it has computed of it: it
// would hold every sample in registers in float64 too, while others are needed.
template <class T, int count>
POLEZERO_HD void forget([[maybe_unused]] T (&values)[count]) {
#if defined(__CUDA_ARCH__)
  constexpr int kParts = is_complex<T> ? 2 : 1;
  if constexpr (sizeof(T) / kParts == 4) {
    auto* parts = reinterpret_cast<float*>(values);
    for (int i = 0; i < count * kParts; ++i) asm volatile("" : "+f"(parts[i]));
  }
#endif
}

// What the thread's unit does.
template <class T, int N, bool at_input, int step>
POLEZERO_HD typename LpvCarry<T, N>::Message lpv_unit(const LpvCoefficients<T, N, step>& a,
                                                      const T* x) {
  using A = acc_t<T>;
  typename LpvCarry<T, N>::Message out;
  POLEZERO_UNROLLED
  for (int column = 0; column <= N; ++column) {  // the last one has the input
    auto s = StateVector<A, N>::zero();
    if (column < N) s.v[column] = A(1);
    for (int i = 0; i < kLpvSamples<T, N>; ++i) {
      T c[N];
      a.of(i, c);
      A y = column < N ? A(0) : widen(x[i]);
      lpv_allpole_step<at_input>(y, c, N, &s.v[0]);
    }
    if (column == N) {
      out.s = s;
    } else {
      for (int i = 0; i < N; ++i) out.m[i * N + column] = saturated(s.v[i]);
    }
  }
  return out;
}

// `begin`: the state in which the tile begins, if it is known; becomes the one after it.
template <class T, int N, bool at_input, int step, class Block>
POLEZERO_HD void lpv_allpole_tile(Block& block, ScanShared<LpvCarry<T, N>>& shared,
                                  const Nodes& nodes, const LpvAllpoleParams<T>& p, int64_t time,
                                  const TilePosition& at, typename LpvCarry<T, N>::Message& begin) {
  using A = acc_t<T>;
  constexpr int V = kLpvSamples<T, N>;
  T samples[V];
  LpvCoefficients<T, N, step> a;
  block.load(Timeline<const T, step>(p.x + at.row * p.x_stride, time), at.begin, at.count, samples);
  block.load(Timeline<const T, step>(p.a + at.row * p.a_stride, time * N), at.begin * N,
             at.count * N, a.at);
  const auto own = lpv_unit<T, N, at_input>(a, samples);
  forget(a.at);
  forget(samples);
  auto s = state_of_thread(block, LpvCarry<T, N>{}, shared, nodes, at.tile, own, begin).s;
  for (int i = 0; i < V; ++i) {
    T c[N];
    a.of(i, c);
    A y = widen(samples[i]);
    lpv_allpole_step<at_input>(y, c, N, &s.v[0]);
    samples[i] = static_cast<T>(y);
  }
  block.store(Timeline<T, step>(p.y + at.row * p.y_stride, time), at.begin, at.count, samples);
}

template <class T, int N, bool at_input, int step, class Block>
POLEZERO_HD void lpv_allpole_block(Block& block, ScanShared<LpvCarry<T, N>>& shared,
                                   const ScanPlan<acc_t<T>>& plan, const LpvAllpoleParams<T>& p,
                                   int64_t time, int64_t ticket) {
  // (only the first tile makes use of it)
  StateVector<acc_t<T>, N> s;
  for (int j = 0; j < N; ++j) s.v[j] = p.state[row_of(plan, p.rows, ticket) * N + j];
  auto begin = LpvCarry<T, N>::state(s);
  for_each_tile(block, plan, p.rows, time, ticket, [&](const Nodes& nodes, const TilePosition& at) {
    lpv_allpole_tile<T, N, at_input, step>(block, shared, nodes, p, time, at, begin);
  });
}

POLEZERO_ISA_END
