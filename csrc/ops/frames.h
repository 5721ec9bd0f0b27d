// What ops are told of coefficients that are given for frames (csrc/params/frames.h), and its
// checks.
#pragma once

#include "ops/checks.h"

namespace polezero {

struct SymFrames {
  c10::SymInt hop, offset;
  bool linear;
};

inline void check_frames(const char* op, const SymFrames& frames) {
  const auto& [hop, offset, linear] = frames;
  TORCH_CHECK_VALUE(hop >= 1, op, ": hop: expected at least 1, got ", hop);
  TORCH_CHECK_VALUE(offset >= 0 && offset < hop, op, ": offset: expected 0 .. ", hop - 1, ", got ",
                    offset);
}

// Coefficients [..., F, ..], of whose dimensions `own` are not leading ones, for T samples.
inline void check_frames_of(const char* op, const Argument& coefficients, int64_t own,
                            const c10::SymInt& T, const SymFrames& frames) {
  const Tensor& t = coefficients.tensor;
  const c10::SymInt needed = (frames.offset + T + frames.hop - 1) / frames.hop;
  TORCH_CHECK_VALUE(t.sym_size(-own) >= needed, op, ": ", coefficients.name, ": expected at least ",
                    needed, " frames of ", frames.hop, " samples along the last axis but ",
                    own == 3 ? "two" : "one", ", got shape ", t.sym_sizes());
}

}  // namespace polezero
