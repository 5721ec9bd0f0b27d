// The table of csrc/kernels/cpu/lag_correlation.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lag_correlation.h"

namespace polezero {

template <class T>
struct LagCorrelationKernels {
  void (*correlate)(const LagCorrelationParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lag_correlation, FullTable<LagCorrelationKernels>)
