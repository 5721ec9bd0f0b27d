// Zero phase on the CPU: by its kernels (params/zero_phase.h) or, for complex filters and those of
// an order for which there are none, some rows at a time by the launches of lfilter.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "kernels/cpu/padded_order.h"
#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/zero_phase.h"
#include "math/transition.h"
#include "ops/host_call.h"
#include "ops/tensors.h"

namespace polezero::host_zero_phase {

inline constexpr int64_t kMaxOrder = host::kMaxOrder, kMaxComplexOrder = 2;  // of the kernels

// Filters b[..., K, M+1], a[..., K, N] without a_0 as kernels take them, padded to one order.
template <class scalar_t>
Sections<scalar_t> sections(HostCall<scalar_t>& call, const Tensor& b, const Tensor& a) {
  using A = acc_t<scalar_t>;
  const int64_t K = b.size(-2), M = b.size(-1) - 1, N = a.size(-1), P = std::max(M, N);
  const auto padded = [&](const Tensor& c, int64_t taps) {
    return pad_last(wide(c), 0, taps - c.size(-1)).flatten(-2);
  };
  const Rows sets = coefficient_sets(join(padded(b, P + 1), padded(a, P)), call.leading());
  const Tensor all = sets.memory.view({-1, K * (2 * P + 1)});
  const auto part = [&](int64_t begin, int64_t end) {
    return static_cast<const A*>(
        call.keep(all.slice(-1, begin, end).contiguous()).const_data_ptr());
  };
  const int64_t in_b = K * (P + 1);
  return {K, {M, N, P, sets.stride == 0 ? 0 : K, part(0, in_b), part(in_b, all.size(-1))}};
}

// After how many samples without input no state of a row's filters is more than 1e-24 of what it
// was: a power of two, or nothing where that takes more than `most`.
template <class scalar_t>
std::optional<int64_t> decay(const Sections<scalar_t>& s, int64_t row, int64_t most) {
  const auto& f = s.filters;
  const int64_t P = f.order, states = s.count * P;
  const double *b = f.b + row * f.filter_stride * (P + 1), *a = f.a + row * f.filter_stride * P;
  std::vector<long double> power(states * states);  // column i: what a sample makes of state i
  for (int64_t i = 0; i < states; ++i) {
    std::vector<long double> z(states, 0);
    z[i] = 1;
    long double v = 0;
    for (int64_t k = 0; k < s.count; ++k) {
      long double* state = z.data() + k * P;
      const double *b_k = b + k * (P + 1), *a_k = a + k * P;
      const long double y = b_k[0] * v + state[0];
      for (int64_t j = 0; j < P; ++j) {
        state[j] = (j + 1 < P ? state[j + 1] : 0) + b_k[j + 1] * v - a_k[j] * y;
      }
      v = y;
    }
    for (int64_t j = 0; j < states; ++j) power[j * states + i] = z[j];
  }
  for (int64_t count = 1; count <= most; count *= 2) {
    if (host::largest(power) * static_cast<long double>(states) < 1e-24L) return count;
    power = host::matrix_product(power, power, states);
  }
  return std::nullopt;
}

// How each row is cut, where rows side by side would leave most lanes without one. The same however
// many threads there are.
template <class scalar_t>
Pieces pieces(const Sections<scalar_t>& s, int64_t rows, const Ends& ends, int64_t time) {
  if constexpr (!host::is_complex<scalar_t>) {
    constexpr int64_t kSideBySide = 8, kTile = 64, kLeast = int64_t{1} << 14;
    const int64_t length = ends.extended(time), states = s.count * s.filters.order;
    // The powers of the transition take a small part of the time that the filter does.
    if (rows >= kSideBySide || length < std::max(kLeast, 128 * states * states * states)) {
      return {};
    }
    int64_t overlap = kTile;
    for (int64_t r = 0; r < (s.filters.filter_stride == 0 ? 1 : rows); ++r) {
      const auto own = decay(s, r, length / (4 * kSideBySide));
      if (!own) return {};
      overlap = std::max(overlap, *own);
    }
    const int64_t least = std::max(8 * overlap, kLeast);
    const int64_t groups = std::clamp<int64_t>(length / (kSideBySide * least), 1, 8);
    const int64_t count = kSideBySide * groups;
    const int64_t step = (length - 2 * overlap) / count / kTile * kTile;
    if (step < 4 * ends.length || 5 * rows * groups * (step + 2 * overlap) > 4 * length) return {};
    return {count, step, overlap, length - (count - 1) * step};
  }
  return {};
}

}  // namespace polezero::host_zero_phase
