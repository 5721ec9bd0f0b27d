// Coefficients that change with time and are given for frames of `hop` samples: frame f is that of
// sample n where offset + n = f hop. Between two frames they are linear, or the earlier ones are
// held; behind the last one it is held. A hop of 1: coefficients of every sample.
#pragma once

#include <cstdint>

#include "math/host_device.h"

namespace polezero {

struct Frames {
  int64_t count = 0;  // F
  int64_t hop = 1;
  int64_t offset = 0;  // 0 .. hop - 1
  bool linear = false;

  POLEZERO_HD_INLINE bool of_every_sample() const { return hop == 1; }
  POLEZERO_HD_INLINE bool long_ones(int64_t samples) const { return hop >= samples; }
  // The frame before sample n, and the one after it, which is the same where there is none.
  POLEZERO_HD_INLINE int64_t before(int64_t n) const { return (offset + n) / hop; }
  POLEZERO_HD_INLINE int64_t after(int64_t n) const {
    const int64_t f = before(n);
    return linear && f + 1 < count ? f + 1 : f;
  }
  // How much of the one after it is in sample n.
  POLEZERO_HD_INLINE double part(int64_t n) const {
    return linear ? static_cast<double>((offset + n) % hop) / static_cast<double>(hop) : 0;
  }
  // The first sample after n that has another frame before it.
  POLEZERO_HD_INLINE int64_t end(int64_t n) const { return (before(n) + 1) * hop - offset; }
};

}  // namespace polezero
