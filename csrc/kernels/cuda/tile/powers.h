// The powers of a filter's transition by which spans of its samples are joined (ConstantCarry in
// scan.h).
#pragma once

#include "kernels/cuda/tile/lfilter_scan.h"
#include "math/double_double.h"

POLEZERO_ISA_BEGIN

// A block's memory for fill_powers: [kWarp + 1, P, P].
template <class T, int P>
using PowersWork = double_double_t<acc_t<T>>[(kWarp + 1) * P * P];

// The carry's table, `count` matrices, of the companion matrix A that moves the last P outputs on;
// by the threads of one block. What overflows stops at the largest number there is: it may still
// meet a zero.
template <class T, int P, class Block>
POLEZERO_HD void fill_powers(Block& block, const Filters<T>& f, int64_t row, int64_t count,
                             acc_t<T>* power, PowersWork<T, P>& work) {
  using A = acc_t<T>;
  using E = double_double_t<A>;
  constexpr int kSize = P * P;
  const DirectForm<A, P> c(f, row);
  const int thread = block.thread(), threads = block.threads();
  const auto product = [&](int out, int u, int v, int at) {
    E sum(A(0));
    for (int k = 0; k < P; ++k) {
      sum.add_product(work[u * kSize + at / P * P + k], work[v * kSize + k * P + at % P]);
    }
    work[out * kSize + at] = sum;
  };
  const auto square = [&](int of) {
    if (thread < kSize) product(0, of, of, thread);
    block.sync();
    if (thread < kSize) work[of * kSize + thread] = work[thread];
    block.sync();
  };
  const auto rounded = [&](int from, int at) {
    return saturated(work[from * kSize + at].rounded());
  };
  if (thread < kSize) {
    const int i = thread / P, j = thread % P;
    work[kSize + thread] = E(i == 0 ? -c.a[j] : A(i == j + 1 ? 1 : 0));
  }
  block.sync();
  for (int length = 1; length < kSamples<T>; length *= 2) square(1);  // a unit
  for (int half = 1; half < kWarp; half *= 2) {                       // 2, .., kWarp units
    for (int i = thread; i < half * kSize; i += threads) {
      product(half + 1 + i / kSize, half, 1 + i / kSize, i % kSize);
    }
    block.sync();
  }
  for (int i = thread; i < kWarp * kSize; i += threads) {
    if (i % kWarp > 0) power[i] = rounded(i % kWarp, i / kWarp);
  }
  for (int64_t k = kWarp; k < count; ++k) {
    if (thread < kSize) power[k * kSize + thread] = rounded(kWarp, thread);
    square(kWarp);
  }
}

POLEZERO_ISA_END
