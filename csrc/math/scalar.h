// The scalar types of a kernel: `scalar_t` is stored, `acc_t<scalar_t>` is accumulated.
#pragma once

#include <complex>
#include <limits>
#include <type_traits>

#include "math/host_device.h"
#include "math/isa.h"

namespace polezero {

// Coefficients, filter state and sums are kept in float64 whatever the signal: a float32 carry
// between blocks loses five digits at pole radius 0.99999.
template <class T>
struct Accumulate {
  using type = double;
};
#if !defined(__CUDACC__)  // there it would make wrong code: kernels/cuda/complex.h
template <class T>
struct Accumulate<std::complex<T>> {
  using type = std::complex<double>;
};
#endif
template <class T>
using acc_t = typename Accumulate<T>::type;

// F(T) for each type that a signal has; `complex` is std's or, on a GPU, the toolkit's.
#define POLEZERO_FOR_EACH_SCALAR(F, complex) F(float) F(double) F(complex<float>) F(complex<double>)

}  // namespace polezero

POLEZERO_ISA_BEGIN

template <class T>
inline constexpr bool is_complex = false;
template <class T>
inline constexpr bool is_complex<std::complex<T>> = true;

// std::complex's operator* checks for NaN and calls a library function; the plain formula is
// what a real recurrence on two channels would do.
POLEZERO_HD double multiply(double u, double v) { return u * v; }
template <class V>  // vectors of the compiler
  requires(!is_complex<V> && !std::is_arithmetic_v<V>)
POLEZERO_HD_INLINE V multiply(V u, V v) {
  return u * v;
}
template <class C>
  requires is_complex<C>
POLEZERO_HD C multiply(C u, C v) {
  return {u.real() * v.real() - u.imag() * v.imag(), u.real() * v.imag() + u.imag() * v.real()};
}

POLEZERO_HD double conjugate(double u) { return u; }
template <class C>
  requires is_complex<C>
POLEZERO_HD C conjugate(C u) {
  return {u.real(), -u.imag()};
}

POLEZERO_HD double real_part(double u) { return u; }
template <class C>
  requires is_complex<C>
POLEZERO_HD C real_part(C u) {
  return {u.real(), 0};
}

// True where neither u nor a part of it is inf or NaN.
POLEZERO_HD bool is_finite(double u) { return u - u == 0; }
template <class C>
  requires is_complex<C>
POLEZERO_HD bool is_finite(C u) {
  return is_finite(u.real()) && is_finite(u.imag());
}

// The nearest finite number; the largest for NaN. (Transitions need it, and one with a NaN in it
// has made a NaN of what its span filters too.)
POLEZERO_HD double saturated(double u) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  return is_finite(u) ? u : u < 0 ? -kLargest : kLargest;
}
template <class C>
  requires is_complex<C>
POLEZERO_HD C saturated(C u) {
  return {saturated(u.real()), saturated(u.imag())};
}

template <class T>
POLEZERO_HD acc_t<T> widen(T u) {
  return static_cast<acc_t<T>>(u);
}

POLEZERO_ISA_END
