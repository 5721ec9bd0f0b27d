// From a front, whose checks have passed, to the kernels of its signal's device and dtype.
#pragma once

#include "kernels/cuda/launch.h"
#include "ops/checks.h"
#include "ops/host_call.h"
#if defined(POLEZERO_WITH_CUDA)
#include "ops/cuda_call.h"
#endif

namespace polezero {

// The CPU has kernels, and in a build with CUDA a GPU.
void check_has_kernels(const char* op, const Tensor& signal);

namespace detail {

template <class scalar_t>
inline constexpr at::ScalarType kScalarType = c10::CppTypeToScalarType<scalar_t>::value;
template <class T>
inline constexpr at::ScalarType kScalarType<std::complex<T>> =
    c10::CppTypeToScalarType<c10::complex<T>>::value;

template <class scalar_t, class F>
bool call_if(const char* op, const Tensor& signal, at::IntArrayRef leading, F&& f) {
  if (signal.scalar_type() != kScalarType<scalar_t>) return false;
#if defined(POLEZERO_WITH_CUDA)
  if (signal.is_cuda()) {
    CudaCall<scalar_t> call(op, signal, leading);
    f(call);
    return true;
  }
#endif
  HostCall<scalar_t> call(op, signal, leading);
  f(call);
  return true;
}

}  // namespace detail

// f(call), a HostCall or CudaCall of the signal's type, one of `Scalars`; nothing where tensors
// have no memory.
template <class... Scalars, class F>
void on_device_of(const char* op, const Tensor& signal, const c10::SymDimVector& leading, F&& f) {
  if (signal.is_meta()) return;
  check_has_kernels(op, signal);
  const at::DimVector sizes = concrete(leading);
  const bool called = (detail::call_if<Scalars>(op, signal, sizes, f) || ...);
  TORCH_INTERNAL_ASSERT(called, "check_signal let a dtype pass");
}
template <class F>
void on_device(const char* op, const Tensor& signal, const c10::SymDimVector& leading, F&& f) {
  on_device_of<float, double, std::complex<float>, std::complex<double>>(op, signal, leading, f);
}

}  // namespace polezero
