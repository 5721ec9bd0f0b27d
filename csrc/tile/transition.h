// How the state of a filter moves on through many samples without input: s' = A^count s, with A
// of transposed direct form II, s'_j = s_{j+1} - a_{j+1} s_0. Direct form II has A transposed.
#pragma once

#include <vector>

#include "kernels/lfilter.h"

POLEZERO_ISA_BEGIN

// Row-major P x P.
template <class A>
std::vector<A> matrix_product(const std::vector<A>& u, const std::vector<A>& v, int64_t P) {
  std::vector<A> product(P * P, A(0));
  for (int64_t i = 0; i < P; ++i) {
    for (int64_t k = 0; k < P; ++k) {
      for (int64_t j = 0; j < P; ++j) product[i * P + j] += multiply(u[i * P + k], v[k * P + j]);
    }
  }
  return product;
}

// A^count by squaring.
template <class A>
std::vector<A> transition(const A* a, int64_t P, int64_t count) {
  std::vector<A> power(P * P, A(0)), square(P * P, A(0));
  for (int64_t j = 0; j < P; ++j) {
    power[j * P + j] = A(1);
    square[j * P] = -a[j];
  }
  for (int64_t j = 0; j + 1 < P; ++j) square[j * P + j + 1] += A(1);
  for (; count > 0; count >>= 1) {
    if (count & 1) power = matrix_product(power, square, P);
    if (count > 1) square = matrix_product(square, square, P);
  }
  return power;
}

POLEZERO_ISA_END
