// The table of csrc/kernels/cpu/lfilter.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lfilter.h"

namespace polezero {

template <class T>
struct LfilterKernels {
  void (*forward)(const LfilterForwardParams<T>&, const Range&);
  void (*backward)(const LfilterBackwardParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lfilter, FullTable<LfilterKernels>)
