// Compiled once per instruction set (-DPOLEZERO_ISA=baseline, avx2, avx512), without Torch. The
// only thing that leaves this file is its table of kernels.

// GCC 12 takes the undefined pass-through operand of its own AVX-512 intrinsics for a variable
// that is used before it is set (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernels/cpu/capability.h"
#include "kernels/cpu/lag_correlation_kernel.h"
#include "kernels/cpu/lattice_kernel.h"
#include "kernels/cpu/lfilter_kernel.h"
#include "kernels/cpu/lpv_allpole_kernel.h"
#include "kernels/cpu/lpv_fir_kernel.h"
#include "kernels/cpu/modal_kernel.h"
#include "kernels/cpu/sosfilt_kernel.h"
#include "kernels/cpu/sparse_kernel.h"
#include "kernels/cpu/sparse_product_kernel.h"
#include "kernels/cpu/spline_kernel.h"
#include "kernels/cpu/state_space_kernel.h"

namespace polezero::POLEZERO_ISA {
namespace {
template <class T>
constexpr KernelsOf<T> kernels_of() {
  return {lfilter_forward<T>,
          lfilter_backward<T>,
          lag_correlation<T>,
          lpv_allpole<T>,
          lpv_allpole_backward<T>,
          lag_product<T>,
          lpv_fir<T>,
          sosfilt_forward<T>,
          sosfilt_backward<T>,
          lattice_forward<T>,
          lattice_backward<T>,
          state_space<T>,
          sparse<T>,
          sparse_product<T>,
          spline<T>,
          spline_transposed<T>,
          upsample<T>,
          upsample_transposed<T>};
}
}  // namespace

const Kernels kernels = {kernels_of<float>(),
                         kernels_of<double>(),
                         kernels_of<std::complex<float>>(),
                         kernels_of<std::complex<double>>(),
                         {modal_bank<float>, modal_correlation<float>},
                         {modal_bank<double>, modal_correlation<double>}};
}  // namespace polezero::POLEZERO_ISA
