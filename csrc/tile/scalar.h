// The scalar types of a kernel: `scalar_t` is stored, `acc_t<scalar_t>` is accumulated.
#pragma once

#include <complex>

#include "tile/isa.h"

namespace polezero {

// Coefficients, filter state and sums are kept in float64 whatever the signal: a float32 carry
// between blocks loses five digits at pole radius 0.99999.
template <class T>
struct Accumulate {
  using type = double;
};
template <class T>
struct Accumulate<std::complex<T>> {
  using type = std::complex<double>;
};
template <class T>
using acc_t = typename Accumulate<T>::type;

}  // namespace polezero

POLEZERO_ISA_BEGIN

template <class T>
inline constexpr bool is_complex = false;
template <class T>
inline constexpr bool is_complex<std::complex<T>> = true;

// std::complex's operator* checks for NaN and calls a library function; the plain formula is
// what a real recurrence on two channels would do.
inline double multiply(double u, double v) { return u * v; }
inline std::complex<double> multiply(std::complex<double> u, std::complex<double> v) {
  return {u.real() * v.real() - u.imag() * v.imag(), u.real() * v.imag() + u.imag() * v.real()};
}

inline double conjugate(double u) { return u; }
inline std::complex<double> conjugate(std::complex<double> u) { return {u.real(), -u.imag()}; }

// True where neither u nor a part of it is inf or NaN.
inline bool is_finite(double u) { return u - u == 0; }
inline bool is_finite(std::complex<double> u) { return is_finite(u.real()) && is_finite(u.imag()); }

template <class T>
inline acc_t<T> widen(T u) {
  return static_cast<acc_t<T>>(u);
}

POLEZERO_ISA_END
