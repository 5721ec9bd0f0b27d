// The table of csrc/kernels/cpu/sparse.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/sparse.h"

namespace polezero {

// Whole rows: samples [0, past + T).
template <class T>
struct SparseKernels {
  void (*filter)(const SparseParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(sparse, FullTable<SparseKernels>)
