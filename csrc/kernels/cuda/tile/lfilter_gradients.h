// What comes before the filters of csrc/params/cuda/lfilter.h and after their adjoint, as a thread
// or a warp of a GPU computes it.
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "params/cuda/lfilter.h"

POLEZERO_ISA_BEGIN

POLEZERO_HD int64_t order_of(const cuda::GivenFilters& given) {
  return given.order_b > given.order_a ? given.order_b : given.order_a;
}

// Tap i of all filters' P + 1: divided by a_0, zero where the filter has none.
template <class T, class Tb, class Ta>
POLEZERO_HD void normalise_tap(const cuda::GivenFilters& given, int64_t i, acc_t<T>* b, acc_t<T>* a,
                               acc_t<T>* a0) {
  using A = acc_t<T>;
  const int64_t order = order_of(given), f = i / (order + 1), k = i % (order + 1);
  const auto* from_b = static_cast<const Tb*>(given.b) + f * given.b_stride;
  const auto* from_a = static_cast<const Ta*>(given.a) + f * given.a_stride;
  const auto read = [&](const auto* p) {
    const A v = static_cast<A>(*p);
    return given.conjugate ? conjugate(v) : v;
  };
  const A first = given.a == nullptr || given.monic ? A(1) : read(from_a);
  if (k == 0) a0[f] = first;
  const A value = given.b != nullptr ? read(from_b + (k <= given.order_b ? k : 0)) : A(1);
  b[i] = k <= given.order_b ? value / first : A(0);
  if (k == order) return;
  const bool has = given.a != nullptr && k < given.order_a;
  a[f * order + k] = has ? read(from_a + k + (given.monic ? 0 : 1)) / first : A(0);
}

// sum_n head[n] conj(past[k - n - 1]), n < k: lambda with the outputs before the row.
template <class T>
POLEZERO_HD acc_t<T> sum_with_past(const acc_t<T>* head, const T* past, int64_t k) {
  acc_t<T> sum(0);
  for (int64_t n = 0; n < k; ++n) {
    sum += multiply(head[n], conjugate(static_cast<acc_t<T>>(past[k - n - 1])));
  }
  return sum;
}

// Gradient i of the 2 (P + 1) of each row, by a warp: the sums of the tiles in a fixed order.
template <class Block, class T>
POLEZERO_HD void finish_gradient(Block& warp, const LfilterAdjointScan<T>& p, int64_t tiles,
                                 const acc_t<T>* a0, const cuda::LfilterGradients<T>& out,
                                 int64_t i) {
  using A = acc_t<T>;
  const Filters<T>& f = p.filters;
  const int64_t order = f.order, sums = 2 * (order + 1);
  const int64_t row = i / sums, k = i % sums % (order + 1);
  const bool of_a = i % sums > order;
  if ((of_a ? out.grad_a : out.grad_b) == nullptr || k > (of_a ? f.order_a : f.order_b)) return;
  A sum(0);
  for (int64_t tile = warp.lane(); tile < tiles; tile += kWarp) {
    sum += p.sums[(row * tiles + tile) * sums + i % sums];
  }
  sum = warp_sum(warp, sum);
  if (warp.lane() != 0) return;
  const A* head = p.head + row * order;
  const T* zi = out.zi != nullptr ? out.zi + row * order : nullptr;
  if (out.monic) {
    if (k == 0) return;
    if (zi != nullptr) sum += sum_with_past(head, zi, k);
    out.grad_a[row * f.order_a + k - 1] = -sum;
    return;
  }
  const A scale = A(1) / a0[row * f.filter_stride];
  if (!of_a) {
    out.grad_b[row * (f.order_b + 1) + k] = multiply(sum, scale);
    return;
  }
  for (int64_t j = 0; k == 0 && j < order; ++j) {  // a_0 scales y - zi, and zf - zi at the end
    if (zi != nullptr) sum -= multiply(head[j], conjugate(static_cast<A>(zi[j])));
    if (out.zf != nullptr && p.grad_zf != nullptr) {
      sum += multiply(static_cast<A>(p.grad_zf[row * order + j]),
                      conjugate(static_cast<A>(out.zf[row * order + j])));
    }
  }
  out.grad_a[row * (f.order_a + 1) + k] = -multiply(sum, scale);
}

// The gradient of state k of a row.
template <class T>
POLEZERO_HD void finish_grad_zi(const LfilterAdjointScan<T>& p,
                                const cuda::LfilterGradients<T>& out, int64_t row, int64_t k) {
  using A = acc_t<T>;
  const int64_t order = p.filters.order;
  const A* head = p.head + row * order;
  A sum = head[k];
  if (out.monic) {  // past output k + 1 samples ago meets a_{n + k + 1} at sample n
    const A* a = p.filters.a + row * p.filters.filter_stride * order;
    sum = A(0);
    for (int64_t n = 0; n + k < order; ++n) sum -= multiply(a[n + k], head[n]);
  }
  out.grad_zi[row * order + k] = static_cast<T>(sum);
}

POLEZERO_ISA_END
