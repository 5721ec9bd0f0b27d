// Zero phase on the CPU: a first way through all tiles finds the states in which they begin, a
// second one, from the last to the first, filters each and takes it back. A second reading of the
// signal costs less than memory for float64 between the two would.
#include "kernels/cpu/zero_phase.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/cpu/padded_order.h"
#include "kernels/cpu/zero_phase_rows.h"

POLEZERO_ISA_BEGIN

// The states in which the tiles of some rows begin.
template <class State>
class Beginnings {
 public:
  Beginnings(int64_t tiles, int64_t K) : K_(K), states_(new State[tiles * K]) {}

  void put(int64_t tile, const std::vector<State>& states) {
    std::copy(states.begin(), states.end(), at(tile));
  }
  State* at(int64_t tile) { return states_.get() + tile * K_; }

 private:
  int64_t K_;
  std::unique_ptr<State[]> states_;
};

// A signal's first way.
template <class T, int P>
struct FirstWay {
  using Rows = ZeroPhaseRows<T, P>;
  using V = typename Rows::V;

  Beginnings<typename Rows::Cascade::State> begins;
  typename Rows::States states;  // at the end
  V first{}, last{};             // sample, and output

  // `unit`: the states before its first sample, if that is 1, or null.
  FirstWay(const Rows& rows, const typename Rows::Signal& x, const typename Rows::States* unit)
      : begins(rows.tiles, rows.cascade.K), states(rows.cascade.K) {
    V u[kCascadeTile];
    rows.load(x, 0, kAheadInRow<T>, u);
    first = u[0];
    if (unit != nullptr) states = scaled(*unit, first);
    for (int64_t i = 0; i < rows.tiles; ++i) {
      begins.put(i, states);
      if (i + 1 < rows.tiles && rows.pass_over(x, i, states.data())) continue;
      const int64_t length = rows.load(x, i, kAheadInRow<T>, u);
      rows.cascade.template filter<false>(u, length, states.data());
      last = u[length - 1];
    }
  }
};

template <class T, int P>
void forward(const ZeroPhaseForwardParams<T>& p, int64_t begin, int64_t count) {
  ZeroPhaseRows<T, P> rows(p, begin, count);
  const auto x = rows.signal(p.x, p.x_stride, p.ends);
  FirstWay<T, P> way(rows, x, &rows.zi);
  auto states = scaled(rows.adjoint_zi, way.last);
  typename CascadeRows<T, P>::V u[kCascadeTile];
  typename CascadeRows<T, P>::Sums none;
  for (int64_t i = rows.tiles - 1; i >= 0; --i) {
    const int64_t length = rows.load(x, i, kAheadInRow<T, true>, u);
    rows.cascade.template filter<false>(u, length, way.begins.at(i));
    rows.cascade.template adjoint<false>(u, nullptr, length, states.data(), none);
    rows.look_at(u, length);
    rows.store(p.y, i, u);
  }
  rows.report();
}

// The letters are those of zero_phase_backward_composed (ops/zero_phase_composed.h).
template <bool need_filter, class T, int P>
void backward(const ZeroPhaseBackwardParams<T>& p, int64_t begin, int64_t count) {
  ZeroPhaseRows<T, P> rows(p, begin, count);
  const auto& cascade = rows.cascade;
  using V = typename CascadeRows<T, P>::V;
  const auto grad_y = rows.signal(p.grad_y, p.grad_y_stride, {p.ends.length, 0, 0});
  const auto x = rows.signal(p.x, p.x_stride, p.ends);
  const int64_t K = cascade.K;
  // The signals of g and u before, between and behind the filters, and the last of each; or g
  // alone.
  const int64_t kept = need_filter ? (K + 1) * kCascadeTile : 0;
  std::vector<Lane<V>> memory(2 * (kept + kCascadeTile));
  V *g = &memory[0].v, *u = g + kept, *of_w = u + kept, *w = of_w + kCascadeTile;
  FirstWay<T, P> way_of_g(rows, grad_y, nullptr);
  std::optional<FirstWay<T, P>> way_of_u;
  typename CascadeRows<T, P>::States of_first(K), states;
  if constexpr (need_filter) {
    way_of_u.emplace(rows, x, &rows.zi);
    states = scaled(rows.adjoint_zi, way_of_u->last);
  }
  typename CascadeRows<T, P>::Sums sums(need_filter ? K : 0);
  FoldedEnds<T, P> ends(rows, p);
  for (int64_t i = rows.tiles - 1; i >= 0; --i) {
    const int64_t length = rows.load(grad_y, i, kAheadInRow<T, true>, g);
    cascade.template filter<need_filter>(g, length, way_of_g.begins.at(i));
    if constexpr (need_filter) {
      rows.load(x, i, kAheadInRow<T, true>, u);
      cascade.template filter<true>(u, length, way_of_u->begins.at(i));
      std::copy_n(g + K * kCascadeTile, length, of_w);
      std::copy_n(u + K * kCascadeTile, length, w);
      rows.look_at(w, length);
      rows.keep_own(i, g);
      rows.keep_own(i, u);
      cascade.template adjoint<true>(w, g, length, states.data(), sums);
    }
    if (i + 1 == rows.tiles) of_w[length - 1] += of_level(rows.adjoint_zi, way_of_g.states);
    if constexpr (need_filter) {
      cascade.template adjoint<true>(of_w, u, length, of_first.data(), sums);
    } else {
      cascade.template adjoint<false>(of_w, nullptr, length, of_first.data(), sums);
    }
    if (i == 0) of_w[0] += of_level(rows.zi, of_first);
    rows.look_at(of_w, length);
    if (p.grad_x == nullptr) continue;
    rows.store(p.grad_x, i, of_w);
    ends.keep(i, of_w);
  }
  if (p.grad_x != nullptr) ends.fold(p.grad_x);
  if constexpr (need_filter) {
    rows.add(sums, p.sums);
    rows.write_first(of_first, way_of_u->first, p.grad_zi);
    rows.write_last(way_of_g.states, way_of_u->last, p.grad_adjoint_zi);
  }
  rows.report();
}

// f(P, first row, rows) for the rows of a range, as many at a time as there are lanes. Pieces of
// different rows do not go together.
template <class T, class F>
void in_groups(const ZeroPhaseParams<T>& p, const Range& range, F&& f) {
  const int64_t pieces = p.pieces.count;
  const auto run = [&](auto P) {
    for (int64_t r = range.row_begin, end; r < range.row_end; r = end) {
      end = std::min(r + Lanes<T>::count, range.row_end);
      if (pieces > 1) end = std::min(end, (r / pieces + 1) * pieces);
      f(P, r, end - r);
    }
  };
  if constexpr (is_complex<T>) {
    run(std::integral_constant<int, 2>{});
  } else {
    with_padded_order(p.filters.filters.order, run);
  }
}

template <class T>
void zero_phase_forward(const ZeroPhaseForwardParams<T>& p, const Range& range) {
  in_groups(p, range, [&](auto P, int64_t row, int64_t rows) { forward<T, P>(p, row, rows); });
}

template <class T>
void zero_phase_backward(const ZeroPhaseBackwardParams<T>& p, const Range& range) {
  in_groups(p, range, [&](auto P, int64_t row, int64_t rows) {
    p.x == nullptr ? backward<false, T, P>(p, row, rows) : backward<true, T, P>(p, row, rows);
  });
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr ZeroPhaseKernels<T> kernels{.forward = zero_phase_forward<T>,
                                      .backward = zero_phase_backward<T>};
}  // namespace

constinit const FullTable<ZeroPhaseKernels> zero_phase_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
