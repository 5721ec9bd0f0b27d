// What has no recurrence, one output at a time, as a thread or a block of a GPU computes it;
// csrc/params/lpv.h has the equations.
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "params/lag_correlation.h"
#include "params/lfilter.h"
#include "params/lpv.h"

POLEZERO_ISA_BEGIN

// sum_k b_k x[n - k] (reversed: x[n + k]) of a row
template <class T>
POLEZERO_HD T fir_output(const acc_t<T>* b, int64_t taps, bool reverse, int64_t time, const T* x,
                         int64_t n) {
  const int64_t left = reverse ? time - 1 - n : n;  // samples before this one
  acc_t<T> sum(0);
  for (int64_t k = 0; k < taps && k <= left; ++k) {
    sum += multiply(b[k], widen(x[reverse ? n + k : n - k]));
  }
  return static_cast<T>(sum);
}

template <class T>
POLEZERO_HD void lpv_fir_output(const LpvFirParams<T>& p, int64_t time, int64_t row, int64_t n) {
  const T* b = p.b + row * p.b_stride;
  const T* x = p.x + row * p.x_stride;
  const int64_t left = p.lags.reverse ? time - 1 - n : n;
  acc_t<T> sum(0);
  for (int64_t k = 0; k < p.taps && k <= left; ++k) {
    sum += multiply(widen(b[(n + p.lags.shift * k) * p.taps + k]),
                    widen(x[p.lags.reverse ? n + k : n - k]));
  }
  p.y[row * p.y_stride + n] = static_cast<T>(sum);
}

// The product that is written at time m, tap k: g there is of time m - shift (first + k).
template <class T>
POLEZERO_HD void lag_product_output(const LagProductParams<T>& p, int64_t time, int64_t row,
                                    int64_t m, int64_t k) {
  const int64_t lag = p.first + k, n = m - p.lags.shift * lag;
  const int64_t from = p.lags.reverse ? n + lag : n - lag;
  acc_t<T> value(0);
  if (0 <= n && n < time && 0 <= from && from < time) {
    const acc_t<T> x = widen(p.x[row * p.x_stride + from]);
    value = multiply(widen(p.g[row * p.g_stride + n]) * p.sign, p.conjugate_x ? conjugate(x) : x);
  }
  p.c[(row * time + m) * p.taps + k] = static_cast<T>(value);
}

// ---- correlation: sums over chunks of a row, to be added in a fixed order

inline constexpr int64_t kCorrelationChunk = 1 << 14;  // samples

POLEZERO_HD int64_t correlation_chunks(int64_t time) {
  return (time + kCorrelationChunk - 1) / kCorrelationChunk;
}

// Part i of [B, taps, chunks], by a block.
template <class Block, class T>
POLEZERO_HD void correlate_chunk(Block& block, acc_t<T>* scratch, const LagCorrelationParams<T>& p,
                                 int64_t time, int64_t i, acc_t<T>* parts) {
  const int64_t chunks = correlation_chunks(time);
  const int64_t row = i / (p.taps * chunks), k = i / chunks % p.taps;
  const int64_t begin = i % chunks * kCorrelationChunk, left = time - begin;
  const int64_t end = left < kCorrelationChunk ? time : begin + kCorrelationChunk;
  acc_t<T> sum(0);
  for (int64_t n = (begin > k ? begin : k) + block.thread(); n < end;
       n += int64_t{kWarp} * block.warps()) {
    sum += multiply(widen(p.g[row * p.g_stride + n]), widen(p.x[row * p.x_stride + n - k]));
  }
  sum = block_sum(block, scratch, sum);
  if (block.thread() == 0) parts[i] = sum;
}

POLEZERO_ISA_END
