#include "ops/cuda_call.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace polezero {

CudaCall::CudaCall(const Tensor& tensor) : guard_(tensor.device()) {
  const c10::Stream stream =
      c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).getStream(tensor.device());
  const int device = tensor.device().index();
  context_ = {
      static_cast<CUstream_st*>(stream.native_handle()), cuda::use_device(device), this,
      [](void* owner, size_t bytes) -> void* {
        auto* call = static_cast<CudaCall*>(owner);
        const auto options =
            at::TensorOptions().dtype(at::kByte).device(call->guard_.current_device());
        return call->keep(at::empty({static_cast<int64_t>(bytes)}, options)).mutable_data_ptr();
      }};
}

Tensor CudaCall::keep(const Tensor& tensor) { return memory_.emplace_back(tensor); }

template <class scalar_t>
cuda::NormalisedOnDevice<cuda::on_device_t<scalar_t>> CudaCall::normalise(
    const Tensor& b, const Tensor& a, bool monic, at::IntArrayRef leading, bool conjugate) {
  cuda::GivenFilters given{.monic = monic, .conjugate = conjugate};
  const auto take = [&](const Tensor& c, const void*& data, bool& wide, int64_t& stride) {
    if (!c.defined()) return;
    const Tensor own = keep(coefficient_sets(c, leading));
    data = own.const_data_ptr();
    wide = own.scalar_type() == at::kDouble || own.scalar_type() == at::kComplexDouble;
    if (own.dim() == 2) {
      stride = own.size(1);
      given.count = own.size(0);
    }
  };
  take(b, given.b, given.wide_b, given.b_stride);
  take(a, given.a, given.wide_a, given.a_stride);
  if (b.defined()) given.order_b = b.size(-1) - 1;
  if (a.defined()) given.order_a = a.size(-1) - (monic ? 0 : 1);
  return cuda::normalise<cuda::on_device_t<scalar_t>>(context_, given);
}

Tensor CudaCall::carried(const Tensor& t, at::IntArrayRef leading, const Tensor& signal,
                         int64_t last) {
  const at::DimVector sizes = with_last(leading, last);
  Tensor state = at::empty(sizes, signal.options().dtype(acc_type(signal)));
  return keep(t.defined() ? state.copy_(t.expand(sizes)) : state.zero_());
}

#define POLEZERO_INSTANTIATE(T)                                                   \
  template cuda::NormalisedOnDevice<cuda::on_device_t<T>> CudaCall::normalise<T>( \
      const Tensor&, const Tensor&, bool, at::IntArrayRef, bool);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero
