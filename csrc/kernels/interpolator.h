// How values between samples are made of the samples around them: plain data in, no Torch.
#pragma once

#include <cstdint>

namespace polezero {

// sum_j w_j(u) x[k - before + j], j < points, at the point k + u, 0 <= u < 1; or a derivative of
// that by u.
struct Interpolator {
  int points = 1, before = 0;
  double w[4][4] = {{1}};  // w_j(u) = sum_i w[j][i] u^i
};

inline Interpolator derived(Interpolator f, int64_t times) {
  for (times = times < 4 ? times : 4; times > 0; --times) {  // after that all is zero
    for (auto& w : f.w) {
      for (int i = 0; i < 3; ++i) w[i] = (i + 1) * w[i + 1];
      w[3] = 0;
    }
  }
  return f;
}

}  // namespace polezero
