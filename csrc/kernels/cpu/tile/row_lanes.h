// kBatch rows side by side whether they are real or complex, for filters whose states lie in the
// cache; Lanes<T> of lanes.h takes complex rows one by one.
#pragma once

#include "kernels/cpu/tile/lanes.h"

POLEZERO_ISA_BEGIN

// sum + u v and sum - u v, fused wherever there is an instruction for it: GCC contracts such sums
// in one place and, beside a branch, not in another.
POLEZERO_INLINE vec<double> plus_product(vec<double> sum, vec<double> u, vec<double> v) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(u, v, sum);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(u, v, sum);
#else
  return sum + u * v;
#endif
}
POLEZERO_INLINE vec<double> minus_product(vec<double> sum, vec<double> u, vec<double> v) {
#if defined(__AVX512F__)
  return _mm512_fnmadd_pd(u, v, sum);
#elif defined(__FMA__)
  return _mm256_fnmadd_pd(u, v, sum);
#else
  return sum - u * v;
#endif
}

struct ComplexLanes {
  vec<double> re{}, im{};
};
// The product first: each sum is then rounded once.
POLEZERO_INLINE ComplexLanes multiply(const ComplexLanes& u, const ComplexLanes& v) {
  return {minus_product(u.re * v.re, u.im, v.im), plus_product(u.re * v.im, u.im, v.re)};
}
POLEZERO_INLINE ComplexLanes plus_product(const ComplexLanes& sum, const ComplexLanes& u,
                                          const ComplexLanes& v) {
  const ComplexLanes product = multiply(u, v);
  return {sum.re + product.re, sum.im + product.im};
}
POLEZERO_INLINE ComplexLanes minus_product(const ComplexLanes& sum, const ComplexLanes& u,
                                           const ComplexLanes& v) {
  const ComplexLanes product = multiply(u, v);
  return {sum.re - product.re, sum.im - product.im};
}

template <class T>
struct RowLanes : Lanes<T> {};

// A complex sample is two real ones.
template <class T>
struct RowLanes<std::complex<T>> {
  using V = ComplexLanes;
  static constexpr int64_t count = kBatch;

  static void set(V& v, int64_t lane, std::complex<double> u) {
    v.re[lane] = u.real();
    v.im[lane] = u.imag();
  }
  static std::complex<double> get(const V& v, int64_t lane) { return {v.re[lane], v.im[lane]}; }
  static void load(const std::complex<T>* p, int64_t stride, int64_t rows, int64_t n, int64_t ahead,
                   V* out) {
    load_lanes(reinterpret_cast<const T*>(p), 2 * stride, rows, 2 * n, 2 * ahead, &out->re);
  }
  static void store(std::complex<T>* p, int64_t stride, int64_t rows, int64_t n, const V* in) {
    store_lanes(reinterpret_cast<T*>(p), 2 * stride, rows, 2 * n, &in->re);
  }
};

POLEZERO_ISA_END
