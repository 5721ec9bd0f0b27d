// The table of csrc/kernels/cpu/spline.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/spline.h"

namespace polezero {

// Whole rows: points [0, P), or the knots.
template <class T>
struct SplineKernels {
  void (*evaluate)(const SplineParams<T>&, const Range&);
  void (*evaluate_transposed)(const SplineParams<T>&, const Range&);
  void (*upsample)(const UpsampleParams<T>&, const Range&);
  void (*upsample_transposed)(const UpsampleParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(spline, FullTable<SplineKernels>)
