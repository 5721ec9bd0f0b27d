// Cascades of second-order sections on the CPU (cascade_rows.h).
#include "kernels/cpu/sosfilt.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/cascade_rows.h"

POLEZERO_ISA_BEGIN

template <class T>
using SosfiltRows = CascadeRows<T, 2>;

template <class T>
void sosfilt_forward(const SosfiltForwardParams<T>& p, const Range& range) {
  using L = Lanes<T>;
  for (int64_t r = range.row_begin; r < range.row_end; r += L::count) {
    const SosfiltRows<T> rows(p.sections, r, std::min<int64_t>(L::count, range.row_end - r));
    auto states = rows.read(p.state);
    typename L::V signal[kCascadeTile];
    for (int64_t n = range.time_begin; n < range.time_end; n += kCascadeTile) {
      const int64_t length = std::min(kCascadeTile, range.time_end - n);
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T>, signal);
      rows.template filter<false>(signal, length, states.data());
      rows.store(p.y, p.y_stride, n, length, signal);
    }
    rows.write(states, p.state);
  }
}

// The sums need every section's input and output. The states at the beginning of each tile are
// found first; then, from the last tile to the first, it is filtered once more and its adjoint
// follows.
template <class T>
void sosfilt_backward(const SosfiltBackwardParams<T>& p, const Range& range, int64_t begin,
                      int64_t count) {
  using V = typename Lanes<T>::V;
  const SosfiltRows<T> rows(p.sections, begin, count);
  const int64_t time = range.time_end - range.time_begin;
  const int64_t tiles = (time + kCascadeTile - 1) / kCascadeTile;
  auto tile = [&](int64_t i) {
    const int64_t n = range.time_begin + i * kCascadeTile;
    return std::pair(n, std::min(kCascadeTile, range.time_end - n));
  };
  V g[kCascadeTile];
  std::vector<typename SosfiltRows<T>::States> begins(p.x == nullptr ? 0 : tiles);
  std::vector<Lane<V>> kept(p.x == nullptr ? 0 : (rows.K + 1) * kCascadeTile);
  V* signal = kept.empty() ? nullptr : &kept[0].v;
  if (p.x != nullptr) {
    auto states = rows.read(p.zi);
    for (int64_t i = 0; i < tiles; ++i) {
      const auto [n, length] = tile(i);
      begins[i] = states;
      if (i + 1 == tiles) break;
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T>, g);
      rows.template filter<false>(g, length, states.data());
    }
  }
  auto states = rows.read(p.state);
  typename SosfiltRows<T>::Sums sums(rows.K);
  for (int64_t i = tiles - 1; i >= 0; --i) {
    const auto [n, length] = tile(i);
    rows.load(p.grad_y, p.grad_y_stride, n, length, kAheadInRow<T, true>, g);
    if (p.x != nullptr) {
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T, true>, signal);
      rows.template filter<true>(signal, length, begins[i].data());
      rows.template adjoint<true>(g, signal, length, states.data(), sums);
    } else {
      rows.template adjoint<false>(g, nullptr, length, states.data(), sums);
    }
    if (p.grad_x != nullptr) rows.store(p.grad_x, p.grad_x_stride, n, length, g);
  }
  rows.write(states, p.state);
  if (p.x != nullptr) rows.add(sums, p.sums);
}

template <class T>
void sosfilt_backward(const SosfiltBackwardParams<T>& p, const Range& range) {
  constexpr int64_t lanes = Lanes<T>::count;
  for (int64_t r = range.row_begin; r < range.row_end; r += lanes) {
    sosfilt_backward(p, range, r, std::min(lanes, range.row_end - r));
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr SosfiltKernels<T> kernels{.forward = sosfilt_forward<T>, .backward = sosfilt_backward<T>};
}  // namespace

constinit const FullTable<SosfiltKernels> sosfilt_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
