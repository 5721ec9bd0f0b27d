// The table of csrc/kernels/cpu/zero_phase.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/zero_phase.h"

namespace polezero {

template <class T>
struct ZeroPhaseKernels {
  // Rows are those of the problem, or their pieces.
  void (*forward)(const ZeroPhaseForwardParams<T>&, const Range&);
  void (*backward)(const ZeroPhaseBackwardParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(zero_phase, FullTable<ZeroPhaseKernels>)
