// c of a lattice's stage: with k it makes a rotation (csrc/kernels/lattice.h).
#pragma once

#include <cmath>

#include "tile/scalar.h"

POLEZERO_ISA_BEGIN

// sqrt(1 - |k|^2); NaN where |k| > 1.
POLEZERO_HD double cosine(double k) { return std::sqrt(1 - k * k); }
template <class C>
  requires is_complex<C>
POLEZERO_HD C cosine(C k) {
  return std::sqrt(1 - (k.real() * k.real() + k.imag() * k.imag()));
}

POLEZERO_ISA_END
