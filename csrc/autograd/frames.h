// Coefficients of frames (csrc/params/frames.h) as those of each sample, in differentiable
// operations.
#pragma once

#include <tuple>

#include "ops/tensors.h"

namespace polezero::autograd {

// hop, offset, and whether coefficients between two frames are linear.
using FrameAttributes = std::tuple<c10::SymInt, c10::SymInt, bool>;

// Which of F frames each of T samples lies between, and how much of the second is in it.
struct BetweenFrames {
  Tensor before, after, part;  // [T]; the last two only where coefficients are linear

  BetweenFrames(const c10::SymInt& F, const c10::SymInt& T, const FrameAttributes& frames,
                const at::TensorOptions& options) {
    const auto& [hop, offset, linear] = frames;
    const Tensor place =
        at::arange(c10::Scalar(offset), c10::Scalar(offset + T), options.dtype(at::kLong));
    before = at::div(place, c10::Scalar(hop), "floor");
    if (!linear) return;
    after = at::clamp(before + 1, std::nullopt, c10::Scalar(F - 1));
    part = ((place - before * c10::Scalar(hop)).to(at::kDouble) / c10::Scalar(hop)).to(options);
  }
  // `part` along the axis (counted from the end) of coefficients.
  Tensor part_along(int64_t axis) const {
    Tensor out = part;
    for (int64_t i = axis; i < -1; ++i) out = out.unsqueeze(-1);
    return out;
  }
};

// Frames along `axis`, counted from the end, as samples.
inline Tensor of_samples(const Tensor& coefficients, int64_t axis, const c10::SymInt& T,
                         const FrameAttributes& frames) {
  if (std::get<0>(frames) == 1) return coefficients.slice_symint(axis, 0, T);
  const c10::SymInt F = coefficients.sym_size(axis);
  const BetweenFrames between(F, T, frames, coefficients.options());
  const Tensor first = at::index_select(coefficients, axis, between.before);
  if (!between.after.defined()) return first;
  const Tensor second = at::index_select(coefficients, axis, between.after);
  return first + between.part_along(axis) * (second - first);
}

}  // namespace polezero::autograd
