// All-pole filters that change with time: a scan up to order kLongestLpvScan, above it in chunks.
#include "kernels/cuda/chunks.cuh"
#include "kernels/cuda/scan.cuh"
#include "kernels/cuda/tile/fir_and_products.h"
#include "kernels/cuda/tile/lpv_scan.h"

namespace polezero {
namespace cuda {
namespace {

template <class T>
struct LpvAllpoleScan : LpvAllpoleParams<T> {
  int64_t time;
};

template <class T, int N, bool at_input, int step>
struct LpvAllpole {
  using Scalar = T;
  using Params = LpvAllpoleScan<T>;
  using Shared = ScanShared<LpvCarry<T, N>>;
  using Block = DeviceBlock<T, kLpvSamples<T, N>, kWarp, kLpvSamples<T, N> * N>;
  using Registers =
      std::conditional_t<N == 1, Registers128,
                         std::conditional_t<is_complex<T>, Registers255, Registers168>>;
  static int64_t messages(const Params&) { return 1; }
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    lpv_allpole_block<T, N, at_input, step>(block, shared, plan, p, p.time, ticket);
  }
};

template <class T, int N, bool at_input, int step>
void launch_lpv_scan(const cuda::Context& context, const LpvAllpoleScan<T>& p) {
  using Filter = LpvAllpole<T, N, at_input, step>;
  launch_scan<Filter>(context, ScanShape::of<Filter>(context, p.rows, p.time), nullptr, 0, p);
}

template <class T, bool at_input, int step>
void launch_lpv(const cuda::Context& context, const LpvAllpoleParams<T>& p, int64_t time) {
  if (p.order == 1) return launch_lpv_scan<T, 1, at_input, step>(context, {p, time});
  if constexpr (kLongestLpvScan<T> == 2) {
    if (p.order == 2) return launch_lpv_scan<T, 2, at_input, step>(context, {p, time});
  }
  launch_chunks(context, ChunkShape(context, p.rows, time, p.order),
                LpvAllpoleChunks<T, at_input>{p, time});
}

// One thread a past output.
template <class T>
__global__ void past_kernel(LpvAllpolePastParams<T> p) {
  for (int64_t i = cuda::grid_index(); i < p.rows * p.order; i += cuda::grid_stride()) {
    lpv_allpole_past(p, i / p.order, i % p.order);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

template <class T>
void lpv_allpole(const Context& context, const LpvAllpoleParams<T>& p, int64_t time) {
  const auto run = [&](auto step) {
    p.lags.at_input() ? launch_lpv<T, true, step>(context, p, time)
                      : launch_lpv<T, false, step>(context, p, time);
  };
  p.lags.reverse ? run(std::integral_constant<int, -1>{}) : run(std::integral_constant<int, 1>{});
}

template <class T>
void lpv_allpole_past(const Context& context, const LpvAllpolePastParams<T>& p) {
  launch(context, p.rows * p.order, past_kernel<T>, p);
}

#define POLEZERO_INSTANTIATE(T)                                                      \
  template void lpv_allpole<T>(const Context&, const LpvAllpoleParams<T>&, int64_t); \
  template void lpv_allpole_past<T>(const Context&, const LpvAllpolePastParams<T>&);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
