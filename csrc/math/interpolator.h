// How values between samples are made of the samples around them, on every device.
#pragma once

#include <cstdint>

#include "math/host_device.h"
#include "math/isa.h"

namespace polezero {

// sum_j w_j(u) x[k - before + j], j < points, at the point k + u, 0 <= u < 1; or a derivative of
// that by u.
struct Interpolator {
  int points = 1, before = 0;
  double w[4][4] = {{1}};  // w_j(u) = sum_i w[j][i] u^i
};

// Polynomials through 2 samples, and through those at -1, 0, 1, 2.
inline constexpr Interpolator kLinear{2, 0, {{1, -1}, {0, 1}}};
inline constexpr Interpolator kLagrange3{4,
                                         1,
                                         {{0, -1. / 3, 1. / 2, -1. / 6},
                                          {1, -1. / 2, -1, 1. / 2},
                                          {0, 1, 1. / 2, -1. / 2},
                                          {0, -1. / 6, 0, 1. / 6}}};
// The pieces of the B-spline of degree 3 from a knot to the next, and of degree 2 from half a
// sample before one to half a sample after it.
inline constexpr Interpolator kCubicSpline{4,
                                           1,
                                           {{1. / 6, -1. / 2, 1. / 2, -1. / 6},
                                            {2. / 3, 0, -1, 1. / 2},
                                            {1. / 6, 1. / 2, 1. / 2, -1. / 2},
                                            {0, 0, 0, 1. / 6}}};
inline constexpr Interpolator kQuadraticSpline{
    3, 1, {{1. / 2, -1, 1. / 2}, {1. / 2, 1, -1}, {0, 0, 1. / 2}}};

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

POLEZERO_ISA_BEGIN

POLEZERO_HD double weight_of(const Interpolator& f, int64_t j, double u) {
  const double* w = f.w[j];
  return w[0] + u * (w[1] + u * (w[2] + u * w[3]));
}

POLEZERO_ISA_END
