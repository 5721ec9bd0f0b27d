// math/double_double.h in the lanes of vectors.
#pragma once

#include "kernels/cpu/tile/simd.h"

POLEZERO_ISA_BEGIN

// Whether a fused multiply-add is an instruction, and this worth its while.
#if defined(__FMA__) || defined(__aarch64__)
inline constexpr bool kFma = true;
#else
inline constexpr bool kFma = false;
#endif

// u v - product, rounded once: what rounding took from the product.
POLEZERO_INLINE vec<double> product_error(vec<double> u, vec<double> v, vec<double> product) {
#if defined(__AVX512F__)
  return _mm512_fmsub_pd(u, v, product);
#elif defined(__FMA__)
  return _mm256_fmsub_pd(u, v, product);
#else
  for (int i = 0; i < kLanes<double>; ++i) product[i] = __builtin_fma(u[i], v[i], -product[i]);
  return product;
#endif
}

// A DoubleDouble in each lane.
struct DoubleDoubleLanes {
  vec<double> high{}, low{};

  // += u v
  POLEZERO_INLINE void add_product(const DoubleDoubleLanes& u, vec<double> v) {
    vec<double> product = u.high * v;
    keep_in_register(product);  // rounded
    const vec<double> error = product_error(u.high, v, product), sum = high + product,
                      part = sum - high;
    low += ((high - (sum - part)) + (product - part)) + (u.low * v + error);
    high = sum;
  }
};

POLEZERO_ISA_END
