// The table of csrc/kernels/cpu/lpv_fir.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lpv.h"

namespace polezero {

// Whole rows: samples [0, T).
template <class T>
struct LpvFirKernels {
  void (*forward)(const LpvFirParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lpv_fir, FullTable<LpvFirKernels>)
