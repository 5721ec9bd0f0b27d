// The complex numbers of a GPU. nvcc compiles most operations of libstdc++'s std::complex, which is
// made of the compiler's own _Complex, to nothing, and says so nowhere; so on a GPU they are the
// toolkit's, which lie in memory as std::complex does.
#pragma once

#include "math/scalar.h"

#if defined(__CUDACC__) || defined(POLEZERO_WITH_CUDA)
#include <cuda/std/complex>

namespace polezero {

template <class T>
struct Accumulate<::cuda::std::complex<T>> {
  using type = ::cuda::std::complex<double>;
};

}  // namespace polezero

POLEZERO_ISA_BEGIN

template <class T>
inline constexpr bool is_complex<::cuda::std::complex<T>> = true;

POLEZERO_ISA_END

namespace polezero::cuda {

template <class T>
using complex = ::cuda::std::complex<T>;

// What stands for a scalar of the host on a GPU.
template <class T>
struct OnDevice {
  using type = T;
};
template <class T>
struct OnDevice<std::complex<T>> {
  using type = complex<T>;
};
template <class T>
using on_device_t = typename OnDevice<T>::type;

}  // namespace polezero::cuda
#else
namespace polezero::cuda {

template <class T>
using on_device_t = T;

}  // namespace polezero::cuda
#endif
