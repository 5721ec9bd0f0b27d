// Cascades of second-order sections: a scan for each section, the samples read and written once.
#include "kernels/cuda/powers.cuh"
#include "kernels/cuda/scan.cuh"
#include "kernels/cuda/tile/sosfilt_scan.h"

namespace polezero {
namespace cuda {
namespace {

template <class T, int lanes, bool adjoint>
struct Sosfilt {
  using Scalar = T;
  using Params = SosfiltScan<T>;
  using Shared = ScanShared<SectionCarry<T>>;
  using Block = DeviceBlock<T, kSamples<T>, lanes>;
  using Registers = std::conditional_t<is_complex<T>, Registers168, Registers128>;
  static int64_t messages(const Params& p) { return p.sections.count; }
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    sosfilt_block<T, adjoint>(block, shared, plan, p, ticket);
  }
};

}  // namespace
}  // namespace cuda

namespace cuda {

template <class Filter, class T>
void launch_sosfilt(const Context& context, const NormalisedFilters<T>& sections,
                    SosfiltScan<T> p) {
  const auto shape = ScanShape::of<Filter>(context, p.rows, p.time);
  const auto power = powers_of<T, 2>(context, sections, shape.powers());
  if (shape.whole_row && shape.tiles > 1)
    p.carried = context.array<acc_t<T>>(p.rows * p.sections.count * 2);
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

#define POLEZERO_INSTANTIATE(T) \
  template void sosfilt<T>(const Context&, const NormalisedFilters<T>&, SosfiltScan<T>, bool);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, complex)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
