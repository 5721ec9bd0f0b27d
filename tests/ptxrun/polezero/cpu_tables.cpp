// The tables of CPU kernels that the cases of tests/cpp name and no test here runs: all but those of
// the baseline's lattice, whose gradient of k is what the GPU's is held against.
#include "kernels/cpu/modal.h"
#include "support.h"

namespace polezero {

#define POLEZERO_NO_KERNELS(op, Tables) const Tables op##_table{};
#define POLEZERO_NO_OTHERS                                      \
  POLEZERO_NO_KERNELS(lfilter, FullTable<LfilterKernels>)       \
  POLEZERO_NO_KERNELS(lag_correlation, FullTable<LagCorrelationKernels>) \
  POLEZERO_NO_KERNELS(lag_product, FullTable<LagProductKernels>) \
  POLEZERO_NO_KERNELS(lpv_allpole, FullTable<LpvAllpoleKernels>) \
  POLEZERO_NO_KERNELS(lpv_fir, FullTable<LpvFirKernels>)        \
  POLEZERO_NO_KERNELS(modal, RealTable<ModalKernels>)           \
  POLEZERO_NO_KERNELS(sosfilt, FullTable<SosfiltKernels>)       \
  POLEZERO_NO_KERNELS(sparse, FullTable<SparseKernels>)         \
  POLEZERO_NO_KERNELS(sparse_product, FullTable<SparseProductKernels>) \
  POLEZERO_NO_KERNELS(spline, FullTable<SplineKernels>)         \
  POLEZERO_NO_KERNELS(state_space, FullTable<StateSpaceKernels>)

namespace baseline {
POLEZERO_NO_OTHERS
}
namespace avx2 {
POLEZERO_NO_OTHERS
POLEZERO_NO_KERNELS(lattice, FullTable<LatticeKernels>)
}  // namespace avx2
namespace avx512 {
POLEZERO_NO_OTHERS
POLEZERO_NO_KERNELS(lattice, FullTable<LatticeKernels>)
}  // namespace avx512

}  // namespace polezero
