// The table of csrc/kernels/cpu/lag_product.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/lpv.h"

namespace polezero {

template <class T>
struct LagProductKernels {
  void (*multiply)(const LagProductParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(lag_product, FullTable<LagProductKernels>)
