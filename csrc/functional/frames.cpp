#include "functional/frames.h"

#include "ops/frames.h"

namespace polezero::functional {

Frames::Frames(const char* op, const std::optional<c10::SymInt>& hop,
               std::string_view interpolation, const c10::SymInt& offset)
    : op_(op), hop_(hop), linear_(interpolation == "linear"), offset_(offset) {
  TORCH_CHECK_VALUE(linear_ || interpolation == "hold", op,
                    ": interpolation: expected 'hold' or 'linear', got '", interpolation, "'");
  if (!hop) {
    TORCH_CHECK_VALUE(offset == 0, op, ": offset: expected 0 of coefficients of every sample, got ",
                      offset);
    return;
  }
  check_frames(op, {*hop, offset, linear_});
}

Tensor Frames::of_samples(const Argument& coefficients, const Tensor& x, int64_t own) const {
  const Tensor& t = coefficients.tensor;
  if (!given() || !t.defined() || t.dim() < own || x.dim() == 0 || t.sym_size(-own) == 1) return t;
  const c10::SymInt T = x.sym_size(-1);
  check_frames_of(op_, coefficients, own, T, {*hop_, offset_, linear_});
  return autograd::of_samples(t, -own, T, attributes());
}

}  // namespace polezero::functional
