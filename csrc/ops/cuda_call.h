// A call of kernels on a GPU: on the one of its signal, on the stream that is current there, with
// the memory of torch's allocator. Its verbs are those of a HostCall.
#pragma once

#include <ATen/ops/empty_like.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/cuda/launch.h"
#include "ops/device_call.h"

namespace polezero {

template <class scalar_t>
class CudaCall : public DeviceCall<scalar_t, cuda::on_device_t<scalar_t>> {
 public:
  using Base = DeviceCall<scalar_t, cuda::on_device_t<scalar_t>>;
  using typename Base::acc;
  using typename Base::scalar;
  static constexpr bool on_cuda = true;

  CudaCall(const char* op, const Tensor& signal, at::IntArrayRef leading);

  const cuda::Context& context() const { return context_; }

  struct States {
    Tensor memory;
    acc* data() const { return mutable_data<acc>(memory); }
  };
  // States [B, last] that kernels carry on, in float64 or complex128; zero where undefined.
  States carried(const Tensor& t, int64_t last);
  // The same, not set, for an output, which may be a placeholder.
  States states_like(const Tensor& out) {
    const bool itself = out.scalar_type() == this->wide_type();
    return {this->keep(itself ? out : at::empty_like(out, out.options().dtype(this->wide_type())))};
  }
  // Such states, as they are after the kernels, into an output, which may be a placeholder.
  void put(const States& states, const Tensor& out) const {
    if (out.numel() > 0 && !out.is_same(states.memory)) {
      out.copy_(states.memory.view(out.sizes()));
    }
  }
  // Sums that kernels set.
  acc* sums(const Tensor& out) const { return mutable_data<acc>(out); }

  // Coefficients divided by a_0, which nobody looks at.
  NormalisedFilters<scalar> normalise(const Tensor& b, const Tensor& a, bool monic,
                                      bool conjugate) {
    return cuda::normalise<scalar>(context_, this->given(b, a, monic, conjugate));
  }
  NormalisedFilters<scalar> normalise_sections(const Tensor& sos, bool conjugate) {
    return cuda::normalise<scalar>(context_, this->given_sections(sos, conjugate));
  }

 private:
  c10::DeviceGuard guard_;
  cuda::Context context_;
};

}  // namespace polezero
