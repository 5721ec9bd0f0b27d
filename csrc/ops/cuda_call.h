// What a call of CUDA kernels needs from torch: its GPU, its stream, its allocator.
#pragma once

#include <c10/core/DeviceGuard.h>

#include <vector>

#include "kernels/cuda/launch.h"
#include "ops/common.h"

namespace polezero {

// On the GPU of `tensor`, on the stream that is current there.
class CudaCall {
 public:
  explicit CudaCall(const Tensor& tensor);
  CudaCall(const CudaCall&) = delete;

  const cuda::Context& context() const { return context_; }
  // Keeps memory alive until the call has been put on the stream; torch reuses it only there.
  Tensor keep(const Tensor& tensor);

  // States [B, last], or null where undefined.
  template <class scalar_t>
  const scalar_t* states(const Tensor& t, at::IntArrayRef leading);
  // A signal, or null where undefined.
  template <class scalar_t>
  Rows<scalar_t> rows(const Tensor& t, at::IntArrayRef leading) {
    return t.defined() ? rows_of<scalar_t>(t, leading) : Rows<scalar_t>{};
  }
  // b and a of the user, undefined: 1; `monic`: `a` holds a_1..a_N.
  template <class scalar_t>
  cuda::NormalisedOnDevice<scalar_t> normalise(const Tensor& b, const Tensor& a, bool monic,
                                               at::IntArrayRef leading, bool conjugate);

 private:
  c10::DeviceGuard guard_;
  std::vector<Tensor> memory_;
  cuda::Context context_;
};

template <class scalar_t>
const scalar_t* CudaCall::states(const Tensor& t, at::IntArrayRef leading) {
  if (!t.defined()) return nullptr;
  const Tensor& own =
      keep(t.resolve_conj().resolve_neg().expand(with_last(leading, t.size(-1))).contiguous());
  return static_cast<const scalar_t*>(own.const_data_ptr());
}

}  // namespace polezero
