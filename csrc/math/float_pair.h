// Numbers of 47 bits, as an unevaluated sum of two float32 (Dekker, Numerische Mathematik 18,
// 1971): float64 for GPUs that compute it at 1/64 of float32. They have the range of float32, and
// what is below 2^-102 loses bits.
#pragma once

#include <cmath>

#include "math/host_device.h"
#include "math/scalar.h"

POLEZERO_ISA_BEGIN

// Rounded each for itself: no sum and product become a fused multiply-add, by which a compiler
// would take the errors out that are computed here.
POLEZERO_HD float rounded_product(float u, float v) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(u, v);
#else
  return static_cast<float>(double{u} * double{v});  // exact in between
#endif
}
POLEZERO_HD float rounded_sum(float u, float v) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(u, v);
#else
  return u + v;
#endif
}
POLEZERO_HD float rounded_difference(float u, float v) {
#if defined(__CUDA_ARCH__)
  return __fsub_rn(u, v);
#else
  return u - v;
#endif
}

// `low` is of the size of an error of `high`, and means nothing where that is inf or NaN.
struct alignas(8) FloatPair {
  float high, low;

  FloatPair() = default;
  POLEZERO_HD FloatPair(float of_high, float of_low) : high(of_high), low(of_low) {}
  POLEZERO_HD explicit FloatPair(int value) : FloatPair(static_cast<float>(value), 0) {}
  POLEZERO_HD explicit FloatPair(float value) : FloatPair(value, 0) {}
  POLEZERO_HD explicit FloatPair(double value)
      : high(static_cast<float>(value)), low(static_cast<float>(value - double{high})) {}

  POLEZERO_HD explicit operator float() const { return rounded_sum(high, rest()); }
  POLEZERO_HD explicit operator double() const { return double{high} + double{rest()}; }
  POLEZERO_HD FloatPair operator-() const { return {-high, -low}; }
  // The error of the sum of the high ones is exact (Knuth); `low` grows by it until somebody
  // normalises.
  POLEZERO_HD FloatPair& operator+=(const FloatPair& v) {
    const float sum = rounded_sum(high, v.high), part = rounded_difference(sum, high);
    const float error = rounded_sum(rounded_difference(high, rounded_difference(sum, part)),
                                    rounded_difference(v.high, part));
    low = rounded_sum(rounded_sum(low, v.low), error);
    high = sum;
    return *this;
  }
  // Zero where `high` is inf or NaN.
  POLEZERO_HD float rest() const { return high - high == 0 ? low : 0; }
};

POLEZERO_HD FloatPair multiply(const FloatPair& u, const FloatPair& v) {
  const float product = rounded_product(u.high, v.high);
  const float error = std::fma(u.high, v.high, -product);
  return {product, std::fma(u.low, v.high, std::fma(u.high, v.low, error))};
}
POLEZERO_HD FloatPair conjugate(const FloatPair& u) { return u; }

// With a `low` of at most half a unit of `high`, which a recurrence needs at each step.
POLEZERO_HD FloatPair normalised(const FloatPair& u) {
  const float rest = u.rest(), high = rounded_sum(u.high, rest);
  return {high, rounded_difference(rest, rounded_difference(high, u.high))};
}
template <class A>
POLEZERO_HD A normalised(const A& u) {
  return u;
}

POLEZERO_ISA_END
