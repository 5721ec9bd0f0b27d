// The table of csrc/kernels/cpu/sparse_product.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/sparse.h"

namespace polezero {

// Whole rows: samples [0, past + T).
template <class T>
struct SparseProductKernels {
  void (*multiply)(const SparseProductParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(sparse_product, FullTable<SparseProductKernels>)
