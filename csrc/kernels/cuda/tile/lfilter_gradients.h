// What comes after the adjoint of csrc/params/cuda/lfilter.h, as a thread or a warp of a GPU
// computes it.
#pragma once

#include "kernels/cuda/tile/scan.h"
#include "params/cuda/lfilter.h"

POLEZERO_ISA_BEGIN

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
  const auto of_row = [&](const A* states) {
    return states != nullptr ? states + row * order : nullptr;
  };
  const A* zi = of_row(out.zi);
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
  if (k == 0) sum -= sum_with_states(head, zi, of_row(p.grad_zf), of_row(out.zf), order);
  out.grad_a[row * (f.order_a + 1) + k] = -multiply(sum, scale);
}

// The gradient of state k of a row.
template <class T>
POLEZERO_HD void finish_grad_zi(const LfilterAdjointScan<T>& p,
                                const cuda::LfilterGradients<T>& out, int64_t row, int64_t k) {
  const int64_t order = p.filters.order;
  const acc_t<T>* head = p.head + row * order;
  const acc_t<T>* a = p.filters.a + row * p.filters.filter_stride * order;
  out.grad_zi[row * order + k] = out.monic ? gradient_of_past(a, order, head, k) : head[k];
}

POLEZERO_ISA_END
