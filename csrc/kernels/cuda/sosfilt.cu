// Cascades of second-order sections: a scan for each section, the samples read and written once.
#include "kernels/cuda/powers.cuh"
#include "kernels/cuda/scan.cuh"
#include "kernels/cuda/tile/sosfilt_gradient.h"

namespace polezero {
namespace cuda {
namespace {

template <class T, int lanes, bool adjoint>
struct Sosfilt {
  using Scalar = T;
  using Params = SosfiltScan<T>;
  using Shared = std::conditional_t<std::is_same_v<T, float>, LfilterPairShared<T, 2, lanes>,
                                    ScanShared<SectionCarry<T>>>;
  using Used = std::conditional_t<kSlowDouble, Shared, ScanShared<SectionCarry<T>>>;
  using Block = DeviceBlock<T, kSamples<T>, lanes>;
  using Registers = std::conditional_t<is_complex<T>, Registers168, Registers128>;
  static int64_t messages(const Params& p) { return p.sections.count; }
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    sosfilt_block<T, adjoint>(block, static_cast<Used&>(shared), plan, p, ticket);
  }
};

// The adjoint with sums.
template <class T>
struct SosfiltGradientParams : SosfiltScan<T> {
  SosfiltSums<T> filter;
};
template <class T, int lanes>
struct SosfiltBackward {
  using Scalar = T;
  using Params = SosfiltGradientParams<T>;
  using Shared = SosfiltSumsShared<T>;
  using Block = DeviceBlock<T, kSamples<T>, lanes>;
  using Registers = Registers255;
  static int64_t messages(const Params& p) { return p.sections.count; }
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    sosfilt_gradient_block<T>(block, shared, plan, p, p.filter, ticket);
  }
};

// One warp a section.
template <class T>
__global__ void section_gradients_kernel(Sections<T> conjugated, const acc_t<T>* a0,
                                         const acc_t<T>* sums, int64_t tiles, int64_t count,
                                         acc_t<T>* grad_sos) {
  const DeviceThreads<> threads;
  for (int64_t i = grid_index() / kWarp; i < count; i += grid_stride() / kWarp) {
    finish_section(threads, conjugated, a0, sums, tiles, i, grad_sos);
  }
}

}  // namespace
}  // namespace cuda

namespace cuda {

// Launches a scan whose tiles have as many messages as sections; p may be that of a gradient.
template <class Filter, class T, class P>
void launch_sosfilt(const Context& context, const NormalisedFilters<T>& sections, P p) {
  const auto shape = ScanShape::of<Filter>(context, p.rows, p.time);
  const auto power = powers_of<T, 2>(context, sections, shape.powers());
  if (shape.whole_row && shape.tiles > 1) {
    p.carried = context.array<acc_t<T>>(p.rows * p.sections.count * 2);
  }
  launch_scan<Filter>(context, shape, power.data, power.filter_stride, p);
}

template <class T>
void sosfilt(const Context& context, const NormalisedFilters<T>& sections, SosfiltScan<T> p,
             bool adjoint) {
  p.sections = sections_of(sections.view, sections.count, p.sections.count);
  with_lanes<kSamples<T>>(p.time, [&](auto lanes) {
    adjoint ? launch_sosfilt<Sosfilt<T, lanes, true>>(context, sections, p)
            : launch_sosfilt<Sosfilt<T, lanes, false>>(context, sections, p);
  });
}

template <class T>
void sosfilt_backward(const Context& context, const NormalisedFilters<T>& sections,
                      const NormalisedFilters<T>& conjugated, const SosfiltScan<T>& adjoint,
                      const SosfiltGradient<T>& gradient) {
  using A = acc_t<T>;
  const int64_t K = adjoint.sections.count, rows = adjoint.rows, time = adjoint.time;
  A* unit_states = context.array<A>(rows * K * (time / kSamples<T>)*2);
  sosfilt<T>(context, sections,
             {.sections = {.count = K},
              .rows = rows,
              .time = time,
              .x = gradient.x,
              .x_stride = gradient.x_stride,
              .zi = gradient.zi,
              .unit_states = unit_states},
             /*adjoint=*/false);
  SosfiltGradientParams<T> p{adjoint, {gradient.x, gradient.x_stride, gradient.zi, unit_states}};
  p.sections = sections_of(conjugated.view, conjugated.count, K);
  with_lanes<kSamples<T>>(time, [&](auto lanes) {
    using Filter = SosfiltBackward<T, lanes>;
    const int64_t tiles = ScanShape::of<Filter>(context, rows, time).tiles;
    p.filter.sums = context.array<A>(rows * tiles * K * kSectionSums);
    launch_sosfilt<Filter>(context, conjugated, p);
    launch(context, rows * K * kWarp, section_gradients_kernel<T>, p.sections, conjugated.a0,
           p.filter.sums, tiles, rows * K, gradient.grad_sos);
  });
}

#define POLEZERO_INSTANTIATE(T)                                                                \
  template void sosfilt<T>(const Context&, const NormalisedFilters<T>&, SosfiltScan<T>, bool); \
  template void sosfilt_backward<T>(const Context&, const NormalisedFilters<T>&,               \
                                    const NormalisedFilters<T>&, const SosfiltScan<T>&,        \
                                    const SosfiltGradient<T>&);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
