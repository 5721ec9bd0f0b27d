// Constant direct forms above order kLongestScan, in chunks.
#include "kernels/cuda/chunks.cuh"
#include "kernels/cuda/tile/lfilter_chunks.h"

namespace polezero::cuda {

template <class T>
void lfilter_forward_chunks(const Context& context, const LfilterScan<T>& p) {
  const ChunkShape shape(context, p.rows, p.time, p.filters.order);
  if (p.filters.order <= kMostRegisterStates) {
    launch_chunks(context, shape, LfilterChunks<T, kMostRegisterStates>{{p}});
  } else {
    launch_chunks(context, shape, LfilterChunks<T>{{p}});
  }
}

template <class T>
int64_t lfilter_adjoint_chunks(const Context& context, LfilterAdjointScan<T>& p, bool with_sums) {
  const ChunkShape shape(context, p.rows, p.time, p.filters.order);
  if (with_sums) {
    p.sums = context.array<acc_t<T>>(p.rows * shape.count * 2 * (p.filters.order + 1));
  }
  if constexpr (!is_complex<T>) {
    if (p.filters.order <= kMostRegisterStates) {
      launch_chunks(context, shape, LfilterAdjointChunks<T, kMostRegisterStates>{{p}, shape.count});
      return shape.count;
    }
  }
  launch_chunks(context, shape, LfilterAdjointChunks<T>{{p}, shape.count});
  return shape.count;
}

#define POLEZERO_INSTANTIATE(T)                                                   \
  template void lfilter_forward_chunks<T>(const Context&, const LfilterScan<T>&); \
  template int64_t lfilter_adjoint_chunks<T>(const Context&, LfilterAdjointScan<T>&, bool);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cuda
