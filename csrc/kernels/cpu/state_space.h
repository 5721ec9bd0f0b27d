// The table of csrc/kernels/cpu/state_space.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/state_space.h"

namespace polezero {

template <class T>
struct StateSpaceKernels {
  void (*forward)(const StateSpaceParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(state_space, FullTable<StateSpaceKernels>)
