// Vectors of the native width by compiler vector extensions (GCC and Clang): +, -, * work lane by
// lane, a * b + c contracts to an fma where the instruction set has one.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "math/isa.h"

// Loops over blocks are large functions to GCC, which stops inlining in them.
#define POLEZERO_INLINE [[gnu::always_inline]] inline
#define POLEZERO_LAMBDA __attribute__((always_inline))  // behind the parameters of a lambda

POLEZERO_ISA_BEGIN

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

// How many vector registers there are.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif

// f(0), f(1), ... f(N - 1) with constants, so that arrays of vectors stay in registers.
template <int N, class F, int... I>
POLEZERO_INLINE void unroll(F&& f, std::integer_sequence<int, I...>) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int N, class F>
POLEZERO_INLINE void unroll(F&& f) {
  unroll<N>(f, std::make_integer_sequence<int, N>{});
}

// f(n) with n as a constant, where 1 <= n <= N; whether that is so.
template <int N, class F>
POLEZERO_INLINE bool with_constant(int64_t n, F&& f) {
  unroll<N>([&](auto i) {
    if (n == i + 1) f(std::integral_constant<int, i + 1>{});
  });
  return n >= 1 && n <= N;
}

template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T, int W>
struct VectorOf {
  typedef T type __attribute__((vector_size(W * sizeof(T))));
};
template <class T, int W = kLanes<T>>
using vec = typename VectorOf<T, W>::type;

template <class T, int W = kLanes<T>>
POLEZERO_INLINE vec<T, W> load(const T* p) {
  vec<T, W> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Hides from the compiler that v came from memory: GCC otherwise reads a constant of a loop anew in
// every round, as an operand of the instruction that uses it.
template <class V>
POLEZERO_INLINE void keep_in_register(V& v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#endif
}

template <class T, int W = kLanes<T>>
POLEZERO_INLINE void store(T* p, vec<T, W> v) {
  std::memcpy(p, &v, sizeof v);
}

// A store around the caches, p aligned to the vector; and what makes such stores visible.
template <class T>
POLEZERO_INLINE void store_around(T* p, vec<T> v) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(v));
#elif defined(__AVX__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(v));
#else
  store<T>(p, v);
#endif
}
POLEZERO_INLINE void fence_stores_around() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

template <class T, int W = kLanes<T>>
POLEZERO_INLINE vec<T, W> broadcast(T u) {
  return u - vec<T, W>{};  // u - 0 keeps every u, -0 too
}

template <class V, int... I>
POLEZERO_INLINE auto pick(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, I...);
}
template <class V, int... I>
POLEZERO_INLINE auto pick_high(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I + static_cast<int>(sizeof...(I)))...);
}

// The lower and upper half of v.
template <class T, int W>
POLEZERO_INLINE vec<T, W / 2> low_half(vec<T, W> v) {
  return pick(v, std::make_integer_sequence<int, W / 2>{});
}
template <class T, int W>
POLEZERO_INLINE vec<T, W / 2> high_half(vec<T, W> v) {
  return pick_high(v, std::make_integer_sequence<int, W / 2>{});
}

template <class T, int W>
POLEZERO_INLINE T horizontal_sum(vec<T, W> v) {
  if constexpr (W == 2) {
    return v[0] + v[1];
  } else {
    return horizontal_sum<T, W / 2>(low_half<T, W>(v) + high_half<T, W>(v));
  }
}

// Lane i of v in all lanes.
template <int i, class V, int... I>
POLEZERO_INLINE V pick_one(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (i + 0 * I)...);
}
template <int i, class V>
POLEZERO_INLINE V pick_one(V v) {
  return pick_one<i>(v, std::make_integer_sequence<int, sizeof(V) / sizeof(v[0])>{});
}

// One native vector of float64 from half a native vector of float32, and the first W floats at p
// from float64. Written out where GCC 12 turns __builtin_convertvector into conversions and
// shuffles.
POLEZERO_INLINE vec<double> to_double(const float* p) {
#if defined(__AVX512F__)
  return _mm512_cvtps_pd(_mm256_loadu_ps(p));
#elif defined(__AVX__)
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
#else
  return __builtin_convertvector((load<float, kLanes<double>>(p)), vec<double>);
#endif
}
POLEZERO_INLINE vec<double> to_double(const double* p) { return load<double>(p); }

template <int W>
POLEZERO_INLINE void store_narrow(float* p, vec<double, W> v) {
#if defined(__AVX512F__)
  if constexpr (W == 8) return _mm256_storeu_ps(p, _mm512_cvtpd_ps(v));
#endif
#if defined(__AVX__)
  if constexpr (W == 4) return _mm_storeu_ps(p, _mm256_cvtpd_ps(v));
  if constexpr (W == 2) {
    const double both = _mm_cvtsd_f64(_mm_castps_pd(_mm_cvtpd_ps(v)));
    return static_cast<void>(std::memcpy(p, &both, sizeof both));
  }
#endif
  store<float, W>(p, __builtin_convertvector(v, vec<float, W>));
}
template <int W>
POLEZERO_INLINE void store_narrow(double* p, vec<double, W> v) {
  store<double, W>(p, v);
}

// Conversions of as many lanes as a native vector of float64 has, in registers.
POLEZERO_INLINE vec<double> widen_lanes(vec<double> v) { return v; }
POLEZERO_INLINE vec<double> widen_lanes(vec<float, kLanes<double>> v) {
#if defined(__AVX512F__)
  return _mm512_cvtps_pd(v);
#elif defined(__AVX__)
  return _mm256_cvtps_pd(v);
#else
  return __builtin_convertvector(v, vec<double>);
#endif
}
template <class T>
POLEZERO_INLINE vec<T, kLanes<double>> narrow_lanes(vec<double> v) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return v;
  } else {
#if defined(__AVX512F__)
    return _mm512_cvtpd_ps(v);
#elif defined(__AVX__)
    return _mm256_cvtpd_ps(v);
#else
    return __builtin_convertvector(v, vec<float, kLanes<double>>);
#endif
  }
}

// NaN where a lane is negative.
POLEZERO_INLINE vec<double> square_root(vec<double> v) {
#if defined(__AVX512F__)
  return _mm512_sqrt_pd(v);
#elif defined(__AVX__)
  return _mm256_sqrt_pd(v);
#else
  for (int i = 0; i < kLanes<double>; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
#endif
}

// Whether every lane of u is that of v.
POLEZERO_INLINE bool are_equal(vec<double> u, vec<double> v) {
#if defined(__AVX512F__)
  return _mm512_cmp_pd_mask(u, v, _CMP_NEQ_UQ) == 0;
#elif defined(__AVX__)
  return _mm256_movemask_pd(_mm256_cmp_pd(u, v, _CMP_NEQ_UQ)) == 0;
#else
  bool equal = true;
  for (int i = 0; i < kLanes<double>; ++i) equal &= u[i] == v[i];
  return equal;
#endif
}

// Adds halves to each other down to one pair.
template <int W>
POLEZERO_INLINE vec<double, 2> fold_to_pair(vec<double, W> v) {
  if constexpr (W == 2) {
    return v;
  } else {
    return fold_to_pair<W / 2>(low_half<double, W>(v) + high_half<double, W>(v));
  }
}

// {sum of u, sum of v}.
POLEZERO_INLINE vec<double, 2> pair_of_sums(vec<double> u, vec<double> v) {
  constexpr int W = kLanes<double>;
  vec<double> even, odd;  // pairs (u, v) of one pair of lanes each
#if defined(__AVX512F__)
  even = _mm512_unpacklo_pd(u, v);
  odd = _mm512_unpackhi_pd(u, v);
#elif defined(__AVX__)
  even = _mm256_unpacklo_pd(u, v);
  odd = _mm256_unpackhi_pd(u, v);
#else
  even = __builtin_shufflevector(u, v, 0, 2);
  odd = __builtin_shufflevector(u, v, 1, 3);
#endif
  return fold_to_pair<W>(even + odd);
}

POLEZERO_ISA_END
