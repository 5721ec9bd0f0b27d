// Constant direct forms up to order kLongestScan as a scan. Above it: lfilter_chunks.cu.
#include "kernels/cuda/powers.cuh"
#include "kernels/cuda/scan.cuh"
#include "kernels/cuda/tile/lfilter_gradients.h"

namespace polezero {
namespace cuda {
namespace {

// One thread a tap.
template <class T, class Tb, class Ta>
__global__ void normalise_kernel(GivenFilters given, acc_t<T>* b, acc_t<T>* a, acc_t<T>* a0) {
  const int64_t taps = given.order() + 1;
  for (int64_t i = grid_index(); i < given.count * taps; i += grid_stride()) {
    normalise_tap<T, Tb, Ta>(given, i / taps, i % taps, b, a, a0);
  }
}

// P: LfilterScan or LfilterAdjointScan
template <class T, int N, int lanes, class P>
struct Lfilter {
  using Scalar = T;
  using Params = P;
  // of a size that does not depend on the architecture, for the host knows none
  using Shared = std::conditional_t<std::is_same_v<T, float>, LfilterPairShared<T, N, lanes>,
                                    ScanShared<LfilterCarry<T, N>>>;
  using Used = std::conditional_t<kSlowDouble, Shared, ScanShared<LfilterCarry<T, N>>>;
  using Block = DeviceBlock<T, kSamples<T>, lanes>;
  using Registers = std::conditional_t<is_complex<T>, Registers168, Registers128>;
  static int64_t messages(const Params&) { return 1; }
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    lfilter_block<T, N>(block, static_cast<Used&>(shared), plan, p, ticket);
  }
};

// f(P, lanes), known to the compiler: an order that holds `order`, and the lanes of a row.
template <class T, class F>
void with_order(int64_t order, int64_t time, F&& f) {
  static_assert(kLongestScan == 2);
  with_lanes<kSamples<T>>(time, [&](auto lanes) {
    order <= 1 ? f(std::integral_constant<int, 1>{}, lanes)
               : f(std::integral_constant<int, 2>{}, lanes);
  });
}

// One warp a gradient.
template <class T>
__global__ void gradients_kernel(LfilterAdjointScan<T> p, int64_t tiles, const acc_t<T>* a0,
                                 cuda::LfilterGradients<T> out) {
  const DeviceThreads<> threads;
  for (int64_t i = cuda::grid_index() / kWarp; i < p.rows * 2 * (p.filters.order + 1);
       i += cuda::grid_stride() / kWarp) {
    finish_gradient(threads, p, tiles, a0, out, i);
  }
}

template <class T>
__global__ void grad_zi_kernel(LfilterAdjointScan<T> p, cuda::LfilterGradients<T> out) {
  const int64_t order = p.filters.order;
  for (int64_t i = cuda::grid_index(); i < p.rows * order; i += cuda::grid_stride()) {
    finish_grad_zi(p, out, i / order, i % order);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

int use_device(int device) {
  int processors = 0;
  check(cudaSetDevice(device));
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  return processors;
}

template <class T>
NormalisedFilters<T> normalise(const Context& context, const GivenFilters& given) {
  using A = acc_t<T>;
  const int64_t order = given.order();
  A* b = context.array<A>(given.count * (order + 1));
  A* a = context.array<A>(given.count * order);
  A* a0 = context.array<A>(given.count);
  const auto kernel = given.wide_b
                          ? given.wide_a ? normalise_kernel<T, A, A> : normalise_kernel<T, A, T>
                      : given.wide_a ? normalise_kernel<T, T, A>
                                     : normalise_kernel<T, T, T>;
  launch(context, given.count * (order + 1), kernel, given, b, a, a0);
  return {{given.order_b, given.order_a, order, given.count > 1 ? 1 : 0, b, a}, given.count, a0};
}

template <class T>
void lfilter_forward(const Context& context, const NormalisedFilters<T>& filters,
                     LfilterScan<T> p) {
  p.filters = filters.view;
  if (p.filters.order > kLongestScan) return lfilter_forward_chunks(context, p);
  with_order<T>(p.filters.order, p.time, [&](auto P, auto lanes) {
    using Filter = Lfilter<T, P, lanes, LfilterScan<T>>;
    const auto shape = ScanShape::of<Filter>(context, p.rows, p.time);
    const auto power = powers_of<T, P>(context, filters, shape.powers());
    launch_scan<Filter>(context, shape, power.data, power.filter_stride, p);
  });
}

template <class T>
void lfilter_backward(const Context& context, const NormalisedFilters<T>& filters,
                      LfilterAdjointScan<T> p, const LfilterGradients<T>& gradients) {
  using A = acc_t<T>;
  p.filters = filters.view;
  const int64_t order = p.filters.order;
  const bool with_sums = gradients.grad_b != nullptr || gradients.grad_a != nullptr;
  if (with_sums || gradients.grad_zi != nullptr) p.head = context.array<A>(p.rows * order);
  int64_t tiles = 0;
  if (order > kLongestScan) {
    tiles = lfilter_adjoint_chunks(context, p, with_sums);
  } else {
    with_order<T>(order, p.time, [&](auto P, auto lanes) {
      using Filter = Lfilter<T, P, lanes, LfilterAdjointScan<T>>;
      const auto shape = ScanShape::of<Filter>(context, p.rows, p.time);
      tiles = shape.tiles;
      if (with_sums) p.sums = context.array<A>(p.rows * tiles * 2 * (order + 1));
      const auto power = powers_of<T, P>(context, filters, shape.powers());
      launch_scan<Filter>(context, shape, power.data, power.filter_stride, p);
    });
  }
  if (with_sums) {
    launch(context, p.rows * 2 * (order + 1) * kWarp, gradients_kernel<T>, p, tiles, filters.a0,
           gradients);
  }
  if (gradients.grad_zi != nullptr) {
    launch(context, p.rows * order, grad_zi_kernel<T>, p, gradients);
  }
}

#define POLEZERO_INSTANTIATE(T)                                                                  \
  template NormalisedFilters<T> normalise<T>(const Context&, const GivenFilters&);               \
  template void lfilter_forward<T>(const Context&, const NormalisedFilters<T>&, LfilterScan<T>); \
  template void lfilter_backward<T>(const Context&, const NormalisedFilters<T>&,                 \
                                    LfilterAdjointScan<T>, const LfilterGradients<T>&);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
