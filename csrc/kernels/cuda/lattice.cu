// Normalised lattices, in chunks.
#include "kernels/cuda/chunks.cuh"
#include "kernels/cuda/sums.cuh"
#include "kernels/cuda/tile/lattice_chunks.h"

namespace polezero::cuda {

template <class T>
void lattice_forward(const Context& context, const LatticeForwardParams<T>& p, int64_t rows,
                     int64_t time) {
  launch_chunks(context, ChunkShape(context, rows, time, p.stages.order),
                LatticeChunks<T>{p, rows, time});
}

// The filter runs once more, for its ports.
template <class T>
void lattice_backward(const Context& context, const LatticeBackwardParams<T>& p, int64_t rows,
                      int64_t time) {
  using A = acc_t<T>;
  const int64_t N = p.stages.order;
  const ChunkShape shape(context, rows, time, N);
  A* kept = context.array<A>(rows * time * (N + 1));
  A* state = context.array<A>(rows * N);
  check(
      cudaMemcpyAsync(state, p.zi, rows * N * sizeof(A), cudaMemcpyDeviceToDevice, context.stream));
  launch_chunks(context, shape,
                LatticeChunks<T>{{p.stages, false, p.u, {nullptr, 0, 0}, state}, rows, time, kept});
  A* parts = p.sum_k != nullptr ? context.array<A>(rows * N * shape.count) : nullptr;
  launch_chunks(context, shape, LatticeBackwardChunks<T>{p, kept, parts, shape.count, rows, time});
  if (p.sum_k != nullptr) {
    add_parts(context, parts, rows * N, shape.count, p.sum_k);
  }
}

#define POLEZERO_INSTANTIATE(T)                                                               \
  template void lattice_forward<T>(const Context&, const LatticeForwardParams<T>&, int64_t,   \
                                   int64_t);                                                  \
  template void lattice_backward<T>(const Context&, const LatticeBackwardParams<T>&, int64_t, \
                                    int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cuda
