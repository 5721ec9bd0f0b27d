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
  const cuda::on_device_t<scalar_t>* states(const Tensor& t, at::IntArrayRef leading);
  // A signal [B, T], rows at `stride`, or null where undefined.
  template <class scalar_t>
  struct Signal {
    const cuda::on_device_t<scalar_t>* data = nullptr;
    int64_t stride = 0;
  };
  template <class scalar_t>
  Signal<scalar_t> rows(const Tensor& t, at::IntArrayRef leading) {
    return t.defined() ? kept(rows_of<scalar_t>(t, leading)) : Signal<scalar_t>{};
  }
  // Coefficients [B, T, taps], likewise.
  template <class scalar_t>
  Signal<scalar_t> time_rows(const Tensor& t, at::IntArrayRef leading) {
    return t.defined() ? kept(time_rows_of<scalar_t>(t, leading)) : Signal<scalar_t>{};
  }
  // b and a of the user, undefined: 1; `monic`: `a` holds a_1..a_N.
  template <class scalar_t>
  cuda::NormalisedOnDevice<cuda::on_device_t<scalar_t>> normalise(const Tensor& b, const Tensor& a,
                                                                  bool monic,
                                                                  at::IntArrayRef leading,
                                                                  bool conjugate);
  // States [B, last] in float64, zero where undefined, for kernels that carry them on.
  Tensor carried(const Tensor& t, at::IntArrayRef leading, const Tensor& signal, int64_t last);

 private:
  template <class scalar_t>
  Signal<scalar_t> kept(const Rows<scalar_t>& rows) {
    keep(rows.keep);
    return {reinterpret_cast<const cuda::on_device_t<scalar_t>*>(rows.data), rows.stride};
  }

  c10::DeviceGuard guard_;
  std::vector<Tensor> memory_;
  cuda::Context context_;
};

template <class scalar_t>
const cuda::on_device_t<scalar_t>* CudaCall::states(const Tensor& t, at::IntArrayRef leading) {
  if (!t.defined()) return nullptr;
  const Tensor own = keep(dense_rows(t, leading));
  return static_cast<const cuda::on_device_t<scalar_t>*>(own.const_data_ptr());
}

}  // namespace polezero
