// The scan for GPUs that compute float64 at 1/64 of float32, which are all but those of data
// centres: a thread filters its samples in pairs of float32 (math/float_pair.h). What units leave
// behind is joined in float64 as elsewhere (Note [Scan] in scan.h), for powers of a transition
// cancel, but by one warp for the whole block: its lanes go through kRun units each, some 25 joins
// where 8 warps would make a dozen each.
#pragma once

#include <bit>

#include "kernels/cuda/tile/scan.h"
#include "math/float_pair.h"
#include "params/direct_form.h"

POLEZERO_ISA_BEGIN

// Whether the GPU that code is compiled for is one of these. ("Throughput of Native Arithmetic
// Instructions" in NVIDIA's CUDA C++ Programming Guide.)
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ == 600 || __CUDA_ARCH__ == 700 || \
    __CUDA_ARCH__ == 800 || __CUDA_ARCH__ == 900 || __CUDA_ARCH__ == 1000
inline constexpr bool kSlowDouble = false;
#else
inline constexpr bool kSlowDouble = true;
#endif

inline constexpr int kRun = kMaxWarps;

// Form: the coefficients as pairs, which a block makes once.
template <class Carry, class Form, int lanes>
struct PairScanShared : ScanShared<Carry> {
  using Number = FloatPair;
  Form form;
};
template <class Carry, class Form>
struct PairScanShared<Carry, Form, kWarp> : ScanShared<Carry> {
  using Number = FloatPair;
  Form form;
  typename Carry::Message of_unit[kMaxWarps * kWarp / kRun * (kRun + 1)];

  // Runs are a message apart, and so at different banks.
  POLEZERO_HD typename Carry::Message& unit(int i) { return of_unit[i + i / kRun]; }
};

// The numbers in which a thread filters its samples: those of which `Shared` has the coefficients,
// or A.
template <class Shared, class A>
struct NumberOf {
  using type = A;
};
template <class Shared, class A>
  requires requires { typename Shared::Number; }
struct NumberOf<Shared, A> {
  using type = typename Shared::Number;
};

// The coefficients of a row as a thread reads them, which are of type Wide where it is float64.
template <class Wide, class Shared, class T>
POLEZERO_HD auto form_of(const Shared& shared, const Filters<T>& f, int64_t row) {
  if constexpr (requires { shared.form; }) {
    return shared.form;
  } else {
    return Wide(f, row);
  }
}
// What it needs for that, once for all threads: float64 is slow to convert, too.
template <class Block, class Shared, class T>
POLEZERO_HD void share_form(Block& block, Shared& shared, const Filters<T>& f, int64_t row) {
  if constexpr (requires { shared.form; }) {
    block.sync();  // until all have read the one before
    shared.form.read(f, row, block.thread(), block.threads());
    block.sync();
  }
}

// The same numbers as another type.
template <class To, class From, int S>
POLEZERO_HD StateVector<To, S> converted(const StateVector<From, S>& s) {
  StateVector<To, S> out;
  for (int i = 0; i < S; ++i) out.v[i] = static_cast<To>(s.v[i]);
  return out;
}

template <class Block, int S>
POLEZERO_HD StateVector<FloatPair, S> shuffle_up(Block& block, const StateVector<FloatPair, S>& s,
                                                 int lanes) {
  StateVector<double, S> words, out;
  StateVector<FloatPair, S> pairs;
  for (int i = 0; i < S; ++i) words.v[i] = std::bit_cast<double>(s.v[i]);
  out = shuffle_up(block, words, lanes);
  for (int i = 0; i < S; ++i) pairs.v[i] = std::bit_cast<FloatPair>(out.v[i]);
  return pairs;
}

// As scan.h has it.
template <class Block, class Carry, class Form>
POLEZERO_HD typename Carry::Message state_of_thread(Block& block, const Carry& carry,
                                                    PairScanShared<Carry, Form, kWarp>& shared,
                                                    const Nodes& nodes, int64_t tile,
                                                    const typename Carry::Message& own,
                                                    typename Carry::Message& begin) {
  using M = typename Carry::Message;
  shared.unit(block.thread()) = own;
  block.sync();
  if (block.warp() == 0) {
    const int lane = block.lane(), lanes = block.threads() / kRun, first = lane * kRun;
    const int64_t units = block.threads();
    M run = Carry::nothing();
    if (lane < lanes) {
      run = shared.unit(first);
      POLEZERO_ROLLED
      for (int i = 1; i < kRun; ++i) run = carry.join_lanes(run, shared.unit(first + i), 1);
    }
    const M up_to_run =
        inclusive_scan(block, run, lanes, [&](const M& earlier, const M& later, int d) {
          return carry.join(earlier, later, d * kRun);
        });
    const M all = shuffle(block, up_to_run, lanes - 1);
    if (nodes.tiles > 1 && nodes.words != nullptr) {
      // what the row begins with is in the first tile's message
      const M published = tile > 0 ? all : carry.join(begin, all, units);
      const M before = look_back(block, carry, nodes, tile, published, units);
      if (tile > 0) begin = before;
    }
    const M runs_before = shuffle_up(block, up_to_run, 1);
    if (lane < lanes) {
      M s = lane == 0 ? begin : carry.join(begin, runs_before, first);
      POLEZERO_ROLLED
      for (int i = first; i < first + kRun; ++i) {
        const M next = carry.join_lanes(s, shared.unit(i), 1);
        shared.unit(i) = s;
        s = next;
      }
    }
    if (lane == 0) shared.begin = carry.join(begin, all, units);
  }
  block.sync();
  begin = shared.begin;
  return shared.unit(block.thread());
}

POLEZERO_ISA_END
