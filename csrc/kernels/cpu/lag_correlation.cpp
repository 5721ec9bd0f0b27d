// Lag correlation of rows on the CPU, a tile at a time.
#include "kernels/cpu/lag_correlation.h"

#include "kernels/cpu/tile/correlate.h"
#include "params/lag_correlation.h"

POLEZERO_ISA_BEGIN

template <class T>
void lag_correlation(const LagCorrelationParams<T>& p, const Range& range) {
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    for (int64_t n = range.time_begin; n < range.time_end; n += kTile) {
      correlate<Conjugate::kNo>(p.g + r * p.g_stride + n, p.x + r * p.x_stride, n,
                                std::min(n + kTile, range.time_end), p.taps, p.c + r * p.taps);
    }
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LagCorrelationKernels<T> kernels{.correlate = lag_correlation<T>};
}  // namespace

constinit const FullTable<LagCorrelationKernels> lag_correlation_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
