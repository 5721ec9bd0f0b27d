// How the state of a filter moves on through many samples without input: s' = A^count s, with A
// of transposed direct form II, s'_j = s_{j+1} - a_{j+1} s_0. Direct form II has A transposed.
//
// It is made by squaring, in extended precision. Where many poles lie close to each other the
// powers of A first grow by orders of magnitude, and squaring multiplies their rounding errors
// (order 7, cutoff 0.05: A^30000 comes out as 1e116 in float64): such a power is not given out.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "math/isa.h"

POLEZERO_ISA_BEGIN

template <class A>
struct Extended {
  using type = long double;
};
template <class T>
struct Extended<std::complex<T>> {
  using type = std::complex<long double>;
};

// Row-major P x P.
template <class A>
std::vector<A> matrix_product(const std::vector<A>& u, const std::vector<A>& v, int64_t P) {
  std::vector<A> product(P * P, A(0));
  for (int64_t i = 0; i < P; ++i) {
    for (int64_t k = 0; k < P; ++k) {
      for (int64_t j = 0; j < P; ++j) product[i * P + j] += u[i * P + k] * v[k * P + j];
    }
  }
  return product;
}

template <class A>
long double largest(const std::vector<A>& values) {
  long double size = 0;
  for (const A& v : values) size = std::max<long double>(size, std::abs(v));
  return size;
}

// A^count, or nothing where its error, relative to the state, may be above `tolerance`. The error
// is that of the largest square, which the later ones inherit; two states never grow enough to
// matter.
template <class A>
std::vector<A> transition(const A* a, int64_t P, int64_t count, double tolerance) {
  using E = typename Extended<A>::type;
  std::vector<E> power(P * P, E(0)), square(P * P, E(0));
  for (int64_t j = 0; j < P; ++j) {
    power[j * P + j] = E(1);
    square[j * P] = -static_cast<E>(a[j]);
  }
  for (int64_t j = 0; j + 1 < P; ++j) square[j * P + j + 1] += E(1);
  for (; count > 0; count >>= 1) {
    if (count & 1) power = matrix_product(power, square, P);
    if (count > 1) square = matrix_product(square, square, P);
    const long double size = largest(square);
    const long double error = P * size * size * std::numeric_limits<long double>::epsilon();
    if (P > 2 && !(error <= tolerance)) return {};
  }
  std::vector<A> rounded(P * P);
  for (int64_t i = 0; i < P * P; ++i) rounded[i] = static_cast<A>(power[i]);
  return rounded;
}

POLEZERO_ISA_END
