// Filters of a few taps at delays far apart, which may change with time; csrc/kernels/sparse.h has
// the equations. x[..., past + T] begins with `past` samples that are given (of a filter with
// feedback: its outputs), and the taps make the T after them. Nothing is conjugated.
#pragma once

#include "ops/common.h"

namespace polezero {

// (1 + S)^-1 x, or (transposed) the same of S^T; a[..., T or 1, L], delays[..., T or 1, L].
Tensor sparse_allpole_forward(const Tensor& a, const Tensor& delays, const Tensor& x,
                              c10::SymInt past, bool transposed, bool two_pass);
// S x, or S^T x.
Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, c10::SymInt past,
                  bool transposed);
// p_l[n] = g[n] x[n - d_l[n]], [..., T, L], or (sum) their sums over time, [..., 1, L] in float64.
Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays, c10::SymInt past,
                      bool sum);

// How a delay is made of whole ones.
enum class Interpolation : int64_t { none, linear, lagrange3, thiran };
enum class DelayCaller : int64_t { comb_filter, feedforward_comb, allpass_comb };

// The shortest of the whole delays that `delay` is made of, int64. On the CPU one that is too short
// for that, NaN, or longer than the `past` samples before the first (0: they are zero) is an error;
// on a GPU it becomes the shortest one.
Tensor first_delay(const Tensor& delay, c10::SymInt past, int64_t interpolation, int64_t caller);

}  // namespace polezero
