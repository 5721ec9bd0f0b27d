// The table of csrc/kernels/cpu/lpv_sosfilt.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lpv_sosfilt.h"

namespace polezero {

template <class T>
struct LpvSosfiltKernels {
  int64_t lanes;  // of a batch
  void (*forward)(const LpvSosfiltForwardParams<T>&, const Range&);
  void (*backward)(const LpvSosfiltBackwardParams<T>&, const Range&);
  void (*sum)(const LpvSosfiltSumParams<T>&, const Range&);  // of sets
};

}  // namespace polezero

POLEZERO_TABLES(lpv_sosfilt, FullTable<LpvSosfiltKernels>)
