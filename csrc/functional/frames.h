// Coefficients that are given for frames, as the functions of polezero::lpv take them.
#pragma once

#include <optional>
#include <string_view>

#include "autograd/frames.h"

namespace polezero::functional {

class Frames {
 public:
  Frames(const char* op, const std::optional<c10::SymInt>& hop, std::string_view interpolation,
         const c10::SymInt& offset);

  bool given() const { return hop_.has_value(); }
  // Those of every sample are frames a sample apart.
  autograd::FrameAttributes attributes() const { return {hop_.value_or(1), offset_, linear_}; }

  // Coefficients [..., F, ..], of whose dimensions `own` are not leading ones, as those of each
  // sample of x; as they are where nothing is given for frames, or where F = 1 says that they stay.
  Tensor of_samples(const Argument& coefficients, const Tensor& x, int64_t own = 2) const;

 private:
  const char* op_;
  std::optional<c10::SymInt> hop_;
  bool linear_;
  c10::SymInt offset_;
};

}  // namespace polezero::functional
