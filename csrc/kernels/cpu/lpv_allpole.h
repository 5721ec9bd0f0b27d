// The table of csrc/kernels/cpu/lpv_allpole.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lpv.h"

namespace polezero {

template <class T>
struct LpvAllpoleKernels {
  void (*forward)(const LpvAllpoleParams<T>&, const Range&);
  void (*backward)(const LpvAllpoleBackwardParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lpv_allpole, FullTable<LpvAllpoleKernels>)
