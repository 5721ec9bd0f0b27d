// The table of csrc/kernels/cpu/sosfilt.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/sosfilt.h"

namespace polezero {

template <class T>
struct SosfiltKernels {
  void (*forward)(const SosfiltForwardParams<T>&, const Range&);
  void (*backward)(const SosfiltBackwardParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(sosfilt, FullTable<SosfiltKernels>)
