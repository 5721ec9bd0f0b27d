#include "ops/cuda_call.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace polezero {

template <class scalar_t>
CudaCall<scalar_t>::CudaCall(const char* op, const Tensor& signal, at::IntArrayRef leading)
    : Base(op, leading), guard_(signal.device()) {
  const c10::Stream stream =
      c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).getStream(signal.device());
  // torch gives memory that is freed to others only behind this call on the stream
  context_ = {
      static_cast<CUstream_st*>(stream.native_handle()), cuda::use_device(signal.device().index()),
      this, [](void* owner, size_t bytes) -> void* {
        auto* call = static_cast<CudaCall*>(owner);
        const auto options =
            at::TensorOptions().dtype(at::kByte).device(call->guard_.current_device());
        return call->keep(at::empty({static_cast<int64_t>(bytes)}, options)).mutable_data_ptr();
      }};
}

template <class scalar_t>
auto CudaCall<scalar_t>::carried(const Tensor& t, int64_t last) -> States {
  const at::DimVector sizes = with_last(this->leading(), last);
  const auto options = at::TensorOptions().dtype(this->wide_type()).device(guard_.current_device());
  const Tensor states = at::empty(sizes, options);
  return {this->keep(t.defined() ? states.copy_(t.expand(sizes)) : states.zero_())};
}

#define POLEZERO_INSTANTIATE(T) template class CudaCall<T>;
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero
