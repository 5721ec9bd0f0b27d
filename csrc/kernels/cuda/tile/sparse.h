// Sparse filters on a GPU; csrc/params/sparse.h has the equations. Every sample gathers what its
// taps make, so that sums are made in one order. With feedback a block filters a row, as many
// samples at once as the row's shortest delay has: they do not meet. (One tap with a constant
// delay: one_tap.h.)
#pragma once

#include "kernels/cuda/tile/fir_and_products.h"
#include "params/cuda/sparse.h"
#include "params/sparse_taps.h"

POLEZERO_ISA_BEGIN

// What tap l reads for sample n, v(m) being sample m, `made`: n, from the first that taps make.
template <class T, class V>
POLEZERO_HD acc_t<T> sparse_read(const SparseTapsOfRow<T>& taps, int64_t made, int64_t l, int64_t n,
                                 V&& v) {
  acc_t<T> sum(0);
  with_points(taps.taps, [&](auto points) {
    taps.template each<points>(made, l, [&](int64_t d, double w) {
      if (d <= n) sum += w * v(n - d);
    });
  });
  return sum;
}

// (S v)[n], or (S^T v)[n].
template <class T, class V>
POLEZERO_HD acc_t<T> sparse_sum(const SparseOnDevice<T>& p, const SparseTapsOfRow<T>& taps,
                                int64_t row, int64_t n, V&& v) {
  using A = acc_t<T>;
  const int64_t L = p.taps.count;
  A sum(0);
  if (p.begin != nullptr) {
    const int64_t points = p.taps.interpolator.points, reads = L * points;
    const int64_t list = p.lists == 1 ? 0 : row;
    const int64_t* tap = p.tap + list * (p.time - p.past) * reads;
    const int64_t* begin = p.begin + list * (p.time + 1);
    for (int64_t i = begin[n]; i < begin[n + 1]; ++i) {
      const int64_t m = tap[i] / reads, l = tap[i] % reads / points;
      const double w = weight_of(taps.taps.interpolator, tap[i] % points, taps.point(m, l).u);
      sum += w * multiply(taps.coefficient(m, l), v(p.past + m));
    }
  } else if (p.transposed) {
    for (int64_t l = 0; l < L; ++l) {
      const int64_t d = taps.delay(0, l), m = d < p.time ? n + d : p.time;
      if (p.past <= m && m < p.time) sum += multiply(taps.coefficient(m - p.past, l), v(m));
    }
  } else if (n >= p.past) {
    for (int64_t l = 0; l < L; ++l) {
      sum += multiply(taps.coefficient(n - p.past, l), sparse_read(taps, n - p.past, l, n, v));
    }
  }
  return sum;
}

// An output without feedback.
template <class T>
POLEZERO_HD void sparse_fir_output(const SparseOnDevice<T>& p, int64_t row, int64_t n) {
  const T* x = p.x + row * p.x_stride;
  const auto sample = [x](int64_t m) { return widen(x[m]); };
  p.y[row * p.y_stride + n] =
      static_cast<T>(sparse_sum(p, SparseTapsOfRow<T>(p.taps, row), row, n, sample));
}

// The shortest delay of a row, found by all threads, for all threads.
template <class Block, class T>
POLEZERO_HD int64_t shortest_delay(Block& block, double* scratch, const SparseOnDevice<T>& p,
                                   const SparseTapsOfRow<T>& taps) {
  const int64_t L = p.taps.count, count = L * (p.taps.d_time == 0 ? 1 : p.time - p.past);
  double least = static_cast<double>(p.time);
  for (int64_t i = block.thread(); i < count; i += block.threads()) {
    const auto d = static_cast<double>(taps.point(i / L, i % L).first);
    least = d < least ? d : least;
  }
  for (int lanes = 1; lanes < block.lanes(); lanes *= 2) {
    const double other = shuffle(block, least, block.lane() ^ lanes);
    least = other < least ? other : least;
  }
  if (block.lane() == 0) scratch[block.warp()] = least;
  block.sync();
  for (int w = 0; w < block.warps(); ++w) least = scratch[w] < least ? scratch[w] : least;
  block.sync();
  return static_cast<int64_t>(least);
}

// A row with feedback, by a block; `scratch`: a number for each warp.
template <class Block, class T>
POLEZERO_HD void sparse_allpole_row(Block& block, double* scratch, const SparseOnDevice<T>& p,
                                    int64_t row) {
  using A = acc_t<T>;
  const SparseTapsOfRow<T> taps(p.taps, row);
  const T* x = p.x + row * p.x_stride;
  T* y = p.y + row * p.y_stride;
  A* history = p.history + row * p.time;
  const auto sample = [history](int64_t m) { return history[m]; };
  const int64_t together = shortest_delay(block, scratch, p, taps);
  for (int64_t begin = 0; begin < p.time; begin += together) {
    const int64_t left = p.time - begin, count = left < together ? left : together;
    for (int64_t i = block.thread(); i < count; i += block.threads()) {
      const int64_t n = p.transposed ? p.time - 1 - begin - i : begin + i;
      const A out = widen(x[n]) - sparse_sum(p, taps, row, n, sample);
      history[n] = out;
      y[n] = static_cast<T>(out);
    }
    block.sync();
  }
}

// Product l at the n-th sample that taps make.
template <class T>
POLEZERO_HD acc_t<T> sparse_product_of(const SparseProductParams<T>& p, int64_t row, int64_t n,
                                       int64_t l) {
  const T* x = p.x + row * p.x_stride;
  const auto sample = [x](int64_t m) { return widen(x[m]); };
  return multiply(widen(p.g[row * p.g_stride + p.past + n]),
                  sparse_read(SparseTapsOfRow<T>(p.taps, row), n, l, p.past + n, sample));
}

// Part i of [B, taps, chunks] of the sums of products, by a block.
template <class Block, class T>
POLEZERO_HD void sparse_product_chunk(Block& block, acc_t<T>* scratch,
                                      const SparseProductParams<T>& p, int64_t time, int64_t i,
                                      acc_t<T>* parts) {
  const int64_t chunks = correlation_chunks(time), sum = i / chunks;
  const int64_t begin = i % chunks * kCorrelationChunk, left = time - begin;
  const int64_t count = left < kCorrelationChunk ? left : kCorrelationChunk;
  acc_t<T> part(0);
  for (int64_t n = block.thread(); n < count; n += block.threads()) {
    part += sparse_product_of(p, sum / p.taps.count, begin + n, sum % p.taps.count);
  }
  part = block_sum(block, scratch, part);
  if (block.thread() == 0) parts[i] = part;
}

POLEZERO_ISA_END
