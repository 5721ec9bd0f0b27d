// State-space filters, in chunks.
#include "kernels/cuda/chunks.cuh"
#include "kernels/cuda/tile/state_space_chunks.h"

namespace polezero::cuda {

template <class T>
void state_space(const Context& context, const StateSpaceParams<T>& p, int64_t rows, int64_t time) {
  launch_chunks(context, ChunkShape(context, rows, time, p.states),
                StateSpaceChunks<T>{p, rows, time});
}

#define POLEZERO_INSTANTIATE(T) \
  template void state_space<T>(const Context&, const StateSpaceParams<T>&, int64_t, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cuda
