// The adjoint of reads at places that are data, for a GPU: what reads each sample, in one order in
// every run, so that sums made of it are the same bits.
#pragma once

#include <ATen/ATen.h>

namespace polezero {

// Of reads[lists, R], the sample that each reads: read[lists, R] are their numbers by sample, those
// of sample m at [begin[m], begin[m + 1]), begin[lists, samples + 1]. Other samples have none.
struct Readers {
  at::Tensor read, begin;

  Readers(const at::Tensor& reads, int64_t samples) {
    // dense, or the order would have the strides of permuted reads
    const std::optional<bool> stable = true;  // a plain bool would be taken for the dimension
    const auto [sorted, order] = at::sort(reads.contiguous(), stable, /*dim=*/-1);
    read = order;
    begin = at::searchsorted(sorted,
                             at::arange(samples + 1, reads.options()).repeat({reads.size(0), 1}));
  }
};

}  // namespace polezero
