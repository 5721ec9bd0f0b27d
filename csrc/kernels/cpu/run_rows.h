// Rows of a problem to threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/flush_denormals.h"
#include "params/range.h"

namespace polezero::cpu {

// A thread pays from about this many samples on (waking one costs some 5 us).
inline constexpr int64_t kSamplesPerThread = int64_t{1} << 15;

// `samples_worth`: what a sample costs, in samples of a biquad.
template <class Params>
void run_rows(void (*kernel)(const Params&, const Range&), const std::type_identity_t<Params>& p,
              int64_t rows, int64_t time, int64_t samples_worth = 1) {
  const int64_t work = std::max<int64_t>(time * samples_worth, 1);
  const int64_t grain = std::max<int64_t>(1, kSamplesPerThread / work);
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    FlushDenormals flush;
    kernel(p, Range{begin, end, 0, time});
  });
}

}  // namespace polezero::cpu
