// Cascades that change with time, to threads: batch by batch.
#include <memory>
#include <vector>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/lpv_sosfilt.h"
#include "kernels/cpu/run_rows.h"

namespace polezero::cpu {
namespace {

// Samples of which the gradient of shared sections is kept for each batch, before it is summed.
constexpr int64_t kSpan = 16 * kSectionTile;

int64_t count_tiles(const Frames& frames, int64_t time) {
  int64_t count = 0;
  for (int64_t n = 0; n < time; n = section_tile_end(frames, n, time)) ++count;
  return count;
}

template <class T>
Batches batches_of(const VaryingSections<T>& sections, int64_t rows) {
  return {rows, sections.rows_per_set, lpv_sosfilt_kernels<T>().lanes};
}

// The kernels' rows are batches.
template <class T, class Params>
void run_batches(void (*kernel)(const Params&, const Range&), const Params& p, const Range& range) {
  const Batches batches = batches_of(p.sections, p.rows);
  const int64_t work = (range.time_end - range.time_begin) * batches.lanes * p.sections.count;
  const int64_t grain = std::max<int64_t>(1, kSamplesPerThread / std::max<int64_t>(work, 1));
  at::parallel_for(range.row_begin, range.row_end, grain, [&](int64_t begin, int64_t end) {
    FlushDenormals flush;
    kernel(p, Range{begin, end, range.time_begin, range.time_end});
  });
}

// The gradient of sections of every sample that rows share, a span at a time, from the last one on.
template <class T>
void backward_of_shared(LpvSosfiltBackwardParams<T> p, int64_t time) {
  const Batches batches = batches_of(p.sections, p.rows);
  const std::unique_ptr<acc_t<T>[]> parts(
      new acc_t<T>[batches.count() * p.sections.count * 5 * std::min(kSpan, time + kSectionTile)]);
  p.parts = parts.get();
  for (int64_t begin = (time - 1) / kSpan * kSpan; begin >= 0; begin -= kSpan) {
    const Range range{0, batches.count(), begin, std::min(time, begin + kSpan)};
    run_batches<T>(lpv_sosfilt_kernels<T>().backward, p, range);
    lpv_sosfilt_kernels<T>().sum({p.sections, batches, p.parts, p.grad, p.wide_grad},
                                 {0, batches.sets(), range.time_begin, range.time_end});
  }
}

}  // namespace

template <class scalar_t>
int64_t lpv_sosfilt_batches(const VaryingSections<scalar_t>& sections, int64_t rows) {
  return batches_of(sections, rows).count();
}

template <class scalar_t>
void lpv_sosfilt_forward(const LpvSosfiltForwardParams<scalar_t>& p, int64_t time) {
  const Range all{0, batches_of(p.sections, p.rows).count(), 0, time};
  run_batches<scalar_t>(lpv_sosfilt_kernels<scalar_t>().forward, p, all);
}

template <class scalar_t>
void lpv_sosfilt_backward(LpvSosfiltBackwardParams<scalar_t> p, const acc_t<scalar_t>* zi,
                          int64_t time) {
  const VaryingSections<scalar_t>& sections = p.sections;
  const Batches batches = batches_of(sections, p.rows);
  const Range all{0, batches.count(), 0, time};
  std::unique_ptr<acc_t<scalar_t>[]> before_tiles;
  if (p.x != nullptr && sections.count > 1) {
    const int64_t of_state = sections.count * 2;
    before_tiles.reset(new acc_t<scalar_t>[count_tiles(sections.frames, time) * batches.count() *
                                           of_state * batches.lanes]);
    p.before_tiles = before_tiles.get();
    std::vector<acc_t<scalar_t>> state(zi, zi + p.rows * of_state);
    run_batches<scalar_t>(lpv_sosfilt_kernels<scalar_t>().forward,
                          LpvSosfiltForwardParams<scalar_t>{.sections = sections,
                                                            .rows = p.rows,
                                                            .x = p.x,
                                                            .x_stride = p.x_stride,
                                                            .y = nullptr,
                                                            .y_stride = 0,
                                                            .state = state.data(),
                                                            .before_tiles = before_tiles.get()},
                          all);
  }
  if (p.x != nullptr && p.sums == nullptr && !batches.sets_differ()) {
    backward_of_shared(p, time);
  } else {
    run_batches<scalar_t>(lpv_sosfilt_kernels<scalar_t>().backward, p, all);
  }
}

#define POLEZERO_INSTANTIATE(scalar_t)                                                            \
  template int64_t lpv_sosfilt_batches<scalar_t>(const VaryingSections<scalar_t>&, int64_t);      \
  template void lpv_sosfilt_forward<scalar_t>(const LpvSosfiltForwardParams<scalar_t>&, int64_t); \
  template void lpv_sosfilt_backward<scalar_t>(LpvSosfiltBackwardParams<scalar_t>,                \
                                               const acc_t<scalar_t>*, int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cpu
