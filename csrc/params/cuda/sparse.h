// Sparse filters as a GPU runs them (kernels/cuda/tile/sparse.h): plain data in, no Torch. Delays
// there are not read by the host; one below 1 counts as 1.
#pragma once

#include "params/sparse.h"

namespace polezero {

template <class scalar_t>
struct SparseOnDevice : SparseParams<scalar_t> {
  int64_t rows = 0, time = 0;          // B, past + T
  acc_t<scalar_t>* history = nullptr;  // [B, past + T], of a filter with feedback
  // Transposed, with delays that are not constant: the reads ((n - past) L + l) points + j by the
  // sample that they read. Those of sample m are tap[begin[m]..begin[m + 1]).
  const int64_t* tap = nullptr;    // [lists, T L points]
  const int64_t* begin = nullptr;  // [lists, past + T + 1]
  int64_t lists = 0;               // B, or 1: shared
  // A filter with feedback and one tap, whose delay is constant, has threads for each row, and what
  // the input of each of its chunks leaves behind, with the chunk's transition.
  int64_t comb_threads = 0;
  acc_t<scalar_t>* comb_states = nullptr;  // [B, comb_threads, 2]
};

}  // namespace polezero
