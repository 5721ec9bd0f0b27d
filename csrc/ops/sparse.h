// Filters of a few taps at delays far apart, which may change with time; csrc/params/sparse.h has
// the equations. x[..., past + T] begins with `past` samples that are given (of a filter with
// feedback: its outputs), and the taps make the T after them. Nothing is conjugated.
#pragma once

#include "ops/checks.h"

namespace polezero {

// How a delay between samples is read, the order of a Lagrange polynomial; delays are int64 where
// it is none, else floating.
enum class Interpolation : int64_t { none = 0, linear = 1, lagrange3 = 3 };
// Delays on a GPU, where they are not looked at: at least the shortest that can be read. NaN stays.
Tensor legal_delays(const Tensor& delays, Interpolation interpolation);

// (1 + S)^-1 x, or (transposed) the same of S^T; a[..., T or 1, L], delays[..., T or 1, L].
Tensor sparse_allpole_forward(const Tensor& a, const Tensor& delays, const Tensor& x,
                              c10::SymInt past, bool transposed, bool two_pass,
                              int64_t interpolation_order);
// S x, or S^T x; with `derivative` k of the taps' k-th derivative by their delays.
Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, c10::SymInt past,
                  bool transposed, int64_t interpolation_order, int64_t derivative);
// p_l[n] = g[n] x[n - d_l[n]], [..., T, L], or (sum) their sums over time, [..., 1, L] in float64.
Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays, c10::SymInt past,
                      bool sum, int64_t interpolation_order, int64_t derivative);

// k of delay = k + delta with 1/2 <= delta < 3/2, which is how comb_filter reads through an
// all-pass filter; int64. On the CPU a delay below 3/2 or NaN is an error, on a GPU it becomes 3/2.
Tensor thiran_delay(const Tensor& delay);

}  // namespace polezero
