// The adjoint of reads at places that are data, for a GPU: what reads each sample, in one order in
// every run, so that sums made of it are the same bits.
#pragma once

#include <ATen/ATen.h>

#include "math/interpolator.h"

namespace polezero {

// Who reads which sample: of reads[lists, R], the sample that each reads, read[lists, R] are the
// numbers by sample, those of sample m at [begin[m], begin[m + 1]), begin[lists, samples + 1].
struct Readers {
  at::Tensor read, begin;

  Readers(const at::Tensor& reads, int64_t samples) {
    // dense, or the order would have the strides of permuted reads
    const std::optional<bool> stable = true;  // a plain bool would be taken for the dimension
    const auto [sorted, order] = at::sort(reads.contiguous(), stable, /*dim=*/-1);
    read = order;
    begin = at::searchsorted(sorted,
                             at::arange(samples + 1, reads.options()).repeat({reads.size(0), 1}));
  }
};

// What whole delays[..., T or 1, reads] of the T samples after `past` read, [lists, T reads]: one
// list where all rows share them, else one for each of `leading`. -1: nothing.
inline at::Tensor read_samples(const at::Tensor& delays, int64_t past, int64_t T,
                               at::IntArrayRef leading) {
  const at::Tensor n = at::arange(past, past + T, delays.options()).unsqueeze(-1);
  const at::Tensor read = (n - delays.clamp_min(1)).clamp_min(-1);
  bool shared = true;
  for (int64_t i = 0; i + 2 < read.dim(); ++i) shared &= read.size(i) == 1;
  if (shared) return read.reshape({1, T * read.size(-1)});
  at::DimVector sizes(leading.begin(), leading.end());
  sizes.insert(sizes.end(), {T, read.size(-1)});
  return read.expand(sizes).reshape({c10::multiply_integers(leading), T * read.size(-1)});
}

// What points t[lists, P] of a spline read, [lists, P points of the basis]: spline_point and
// mirrored of params/spline_points.h, on tensors.
inline at::Tensor read_coefficients(const at::Tensor& t, int64_t knots, const Interpolator& basis,
                                    double shift, bool whole_sample) {
  const double end = static_cast<double>(knots - 1);
  at::Tensor at = t.abs();
  at = end == 0 ? 0 * at : at.fmod(2 * end);
  at = at::where((t >= 0) & (t <= end), t, at::where(at > end, 2 * end - at, at));
  const at::Tensor k = at::nan_to_num((at + shift).floor(), 0.).to(at::kLong);
  at::Tensor read = (k - basis.before).unsqueeze(-1) + at::arange(basis.points, k.options());
  if (knots == 1) return at::zeros_like(read).flatten(-2);
  const int64_t period = whole_sample ? 2 * knots - 2 : 2 * knots;
  read = read.remainder(period);
  return at::where(read < knots, read, period - (whole_sample ? 0 : 1) - read).flatten(-2);
}

}  // namespace polezero
