// The table of csrc/kernels/cpu/lattice.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lattice.h"

namespace polezero {

template <class T>
struct LatticeKernels {
  void (*forward)(const LatticeForwardParams<T>&, const Range&);
  void (*backward)(const LatticeBackwardParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lattice, FullTable<LatticeKernels>)
