// The rows that zero phase takes side by side: whole ones, or the pieces of one. Tiles of the
// extended signal, counted from the beginning of each piece, and who begins, ends and owns what.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile_transition.h"
#include "params/zero_phase.h"

POLEZERO_ISA_BEGIN

template <class V, int P>
std::vector<DirectFormState<V, P>> scaled(std::vector<DirectFormState<V, P>> states, V level) {
  for (auto& state : states) {
    for (V& s : state.s) s = multiply(s, level);
  }
  return states;
}

// sum conj(unit) grad: the gradient of the sample by which `unit` was scaled.
template <class V, int P>
V of_level(const std::vector<DirectFormState<V, P>>& unit,
           const std::vector<DirectFormState<V, P>>& grad) {
  V sum{};
  for (size_t k = 0; k < unit.size(); ++k) {
    for (int j = 0; j < P; ++j) sum += multiply(conjugate(unit[k].s[j]), grad[k].s[j]);
  }
  return sum;
}

template <class T, int P>
class ZeroPhaseRows {
 public:
  using Cascade = CascadeRows<T, P>;
  using L = typename Cascade::L;
  using V = typename Cascade::V;
  using A = typename Cascade::A;
  using States = typename Cascade::States;

  // Rows [begin, begin + count) of the problem or, where there are several pieces, pieces of one
  // row: piece i of row r is number r * pieces + i.
  ZeroPhaseRows(const ZeroPhaseParams<T>& p, int64_t begin, int64_t count)
      : p_(p),
        pieces_(p.pieces.count > 1),
        count_(count),
        row_(begin / p.pieces.count),
        first_piece_(begin % p.pieces.count),
        span_(pieces_ ? p.pieces.span : p.ends.extended(p.time)),
        cascade(sections_from_row(), 0, count),
        tiles((span_ + kCascadeTile - 1) / kCascadeTile),
        transition_(cascade, pieces_ || p.filters.filters.filter_stride == 0, tiles),
        zi(unit(p.zi, first_lane())),
        adjoint_zi(unit(p.adjoint_zi, last_lane())) {}

 private:
  const ZeroPhaseParams<T>& p_;
  bool pieces_;
  int64_t count_, row_, first_piece_, span_;

 public:
  const Cascade cascade;
  const int64_t tiles;

 private:
  TileTransition<T, P> transition_;

 public:
  const States zi, adjoint_zi;  // of the lanes that begin, or end, a row; zero in others

  struct Signal {
    const T* data;   // of the first row
    int64_t stride;  // of lanes
    Ends ends;
  };
  Signal signal(const T* p, int64_t stride, const Ends& ends) const {
    return {p + (p == nullptr ? 0 : row_ * stride), pieces_ ? 0 : stride, ends};
  }

  // The samples of a tile; returns their number.
  int64_t load(const Signal& x, int64_t tile, int64_t ahead, V* out) const {
    const int64_t n = tile * kCascadeTile, count = length_of(tile);
    if (inside(tile)) {
      L::load(x.data + place(0, n), x.stride + step(), count_, count, ahead, out);
      return count;
    }
    for (int64_t lane = 0; lane < L::count; ++lane) {
      const int64_t of = std::min(lane, count_ - 1), begin = place(of, n);
      for (int64_t i = 0; i < count; ++i) {
        L::set(out[i], lane, sample(x.data + of * x.stride, x.ends, begin + i));
      }
    }
    return count;
  }
  // Takes the states through a tile without its samples' outputs; whether that can be done.
  bool pass_over(const Signal& x, int64_t tile, typename Cascade::State* states) const {
    return inside(tile) && length_of(tile) == kCascadeTile &&
           transition_.advance(x.data + place(0, tile * kCascadeTile), x.stride + step(), count_,
                               kAheadInRow<T>, states);
  }
  // What each lane owns of a tile, into y[B, T]; not the extensions.
  void store(T* y, int64_t tile, const V* in) const {
    const int64_t n = tile * kCascadeTile, count = length_of(tile), stride = pieces_ ? 0 : p_.time;
    T* const rows = y + row_ * p_.time;
    const auto [lane_begin, lane_end] = owners(tile);
    if (lane_begin == 0 && lane_end == count_ && inside(tile)) {
      L::store(rows + place(0, n), stride + step(), count_, count, in, kAheadInRow<T, true>);
      return;
    }
    for (int64_t lane = lane_begin; lane < lane_end; ++lane) {
      const int64_t begin = place(lane, n);
      const int64_t to = std::min(count, p_.time - begin);
      for (int64_t i = std::max<int64_t>(0, -begin); i < to; ++i) {
        rows[lane * stride + begin + i] = static_cast<T>(L::get(in[i], lane));
      }
    }
  }
  // Zero where a lane does not own the tile, in the signal before each filter and behind the last.
  void keep_own(int64_t tile, V* signals) const {
    const auto [lane_begin, lane_end] = owners(tile);
    if (lane_begin == 0 && lane_end == count_) return;
    for (int64_t i = 0; i < (cascade.K + 1) * kCascadeTile; ++i) {
      for (int64_t lane = 0; lane < L::count; ++lane) {
        if (lane < lane_begin || lane >= lane_end) L::set(signals[i], lane, A(0));
      }
    }
  }

  // Adds the sums of each lane to those of its row or piece.
  void add(const typename Cascade::Sums& sums, A* to) const {
    const int64_t begin = row_ * p_.pieces.count + first_piece_;
    cascade.add(sums, to + begin * cascade.K * (2 * p_.filters.filters.order + 1));
  }
  // The gradient of the states that the first, or last, sample of each row was multiplied by.
  void write_first(const States& of_state, V level, A* to) const {
    write(scaled(of_state, conjugate(level)), first_lane(), to);
  }
  void write_last(const States& of_state, V level, A* to) const {
    write(scaled(of_state, conjugate(level)), last_lane(), to);
  }

  // Looks for what is not finite, where zeros were padded; what was found is reported at the end.
  void look_at(const V* signal, int64_t count) {
    if (p_.filters.filters.order_b == P && p_.filters.filters.order_a == P) return;
    for (int64_t i = 0; i < count; ++i) poison_ += signal[i] - signal[i];
  }
  void report() const {
    bool finite = true;
    for (int64_t lane = 0; lane < count_; ++lane) finite &= is_finite(L::get(poison_, lane));
    if (!finite) p_.poisoned->store(true, std::memory_order_relaxed);
  }

  int64_t length_of(int64_t tile) const {
    return std::min(kCascadeTile, span_ - tile * kCascadeTile);
  }
  // Where sample n of a lane is in x; below 0 and from T on, it is in the extensions.
  int64_t place(int64_t lane, int64_t n) const {
    return (first_piece_ + lane) * step() + n - p_.ends.length;
  }
  // The lanes [begin, end) that own a tile. (Overlaps and steps are whole tiles.)
  std::pair<int64_t, int64_t> owners(int64_t tile) const {
    const int64_t n = tile * kCascadeTile, begin = p_.pieces.overlap, end = begin + p_.pieces.step;
    if (!pieces_ || (n >= begin && n < end)) return {0, count_};
    const int64_t lane = n < begin ? first_lane() : last_lane();
    return lane < 0 || lane >= count_ ? std::pair<int64_t, int64_t>(0, 0)
                                      : std::pair(lane, lane + 1);
  }
  int64_t count() const { return count_; }
  bool begins(int64_t lane) const { return !pieces_ || lane == first_lane(); }
  bool ends(int64_t lane) const { return !pieces_ || lane == last_lane(); }
  T* row_of(T* y, int64_t lane) const { return y + (row_ + (pieces_ ? 0 : lane)) * p_.time; }

 private:
  // Whether no lane's samples of a tile are in the extensions.
  bool inside(int64_t tile) const {
    const int64_t n = tile * kCascadeTile;
    return place(0, n) >= 0 && place(count_ - 1, n) + length_of(tile) <= p_.time;
  }
  int64_t step() const { return pieces_ ? p_.pieces.step : 0; }
  // The lanes that hold the first and the last piece, which may be none of these.
  int64_t first_lane() const { return -first_piece_; }
  int64_t last_lane() const { return p_.pieces.count - 1 - first_piece_; }

  Sections<T> sections_from_row() const {
    Sections<T> s = p_.filters;
    Filters<T>& f = s.filters;
    f.b += row_ * f.filter_stride * (f.order + 1);
    f.a += row_ * f.filter_stride * f.order;
    if (pieces_) f.filter_stride = 0;
    return s;
  }
  A sample(const T* x, const Ends& ends, int64_t n) const {
    const int64_t time = p_.time;
    if (n >= 0 && n < time) return static_cast<A>(x[n]);
    if (ends.of_end == 0 && ends.of_mirrored == 0) return A(0);
    return n < 0 ? ends.of_end * static_cast<A>(x[0]) + ends.of_mirrored * static_cast<A>(x[-n])
                 : ends.of_end * static_cast<A>(x[time - 1]) +
                       ends.of_mirrored * static_cast<A>(x[2 * (time - 1) - n]);
  }
  // f(lane, filter, state, its place in [B, K, P]) for each row's states: those of `piece_lane`,
  // or of all lanes where they are rows.
  template <class F>
  void for_each_state(int64_t piece_lane, F&& f) const {
    const int64_t order = p_.filters.filters.order, K = p_.filters.count;
    for (int64_t lane = 0; lane < count_; ++lane) {
      if (pieces_ && lane != piece_lane) continue;
      const int64_t row = row_ + (pieces_ ? 0 : lane);
      for (int64_t k = 0; k < K; ++k) {
        for (int64_t j = 0; j < order; ++j) f(lane, k, j, (row * K + k) * order + j);
      }
    }
  }
  States unit(const A* states, int64_t piece_lane) const {
    States s(p_.filters.count);
    for_each_state(piece_lane, [&](int64_t lane, int64_t k, int64_t j, int64_t i) {
      L::set(s[k].s[j], lane, states[i]);
    });
    return s;
  }
  void write(const States& s, int64_t piece_lane, A* to) const {
    for_each_state(piece_lane, [&](int64_t lane, int64_t k, int64_t j, int64_t i) {
      to[i] = L::get(s[k].s[j], lane);
    });
  }

  V poison_{};
};

// The gradients of the extensions, which belong to the samples that these were made of.
template <class T, int P>
class FoldedEnds {
 public:
  using Rows = ZeroPhaseRows<T, P>;
  using L = typename Rows::L;
  using V = typename Rows::V;
  using A = typename Rows::A;

  FoldedEnds(const Rows& rows, const ZeroPhaseBackwardParams<T>& p)
      : rows_(rows), p_(p), grads_(L::count * 2 * p.ends.length) {}

  void keep(int64_t tile, const V* in) {
    const int64_t n = tile * kCascadeTile, length = p_.ends.length;
    const auto [begin, end] = rows_.owners(tile);
    for (int64_t lane = begin; lane < end; ++lane) {
      const int64_t first = rows_.place(lane, n);
      for (int64_t i = 0; i < rows_.length_of(tile); ++i) {
        const int64_t place = first + i;
        if (place >= 0 && place < p_.time) {  // on to what lies behind x
          i += p_.time - place - 1;
          continue;
        }
        (place < 0 ? before(lane)[length + place] : behind(lane)[place - p_.time]) =
            L::get(in[i], lane);
      }
    }
  }
  // Adds them, all samples of x being stored.
  void fold(T* grad_x) {
    const int64_t time = p_.time;
    const auto [length, of_end, of_mirrored] = p_.ends;
    for (int64_t lane = 0; lane < rows_.count(); ++lane) {
      T* x = rows_.row_of(grad_x, lane);
      for (int64_t i = 0; i < length && rows_.begins(lane); ++i) {
        add(x[0], of_end * before(lane)[i]);
        add(x[length - i], of_mirrored * before(lane)[i]);
      }
      for (int64_t i = 0; i < length && rows_.ends(lane); ++i) {
        add(x[time - 1], of_end * behind(lane)[i]);
        add(x[time - 2 - i], of_mirrored * behind(lane)[i]);
      }
    }
  }

 private:
  static void add(T& x, A u) { x = static_cast<T>(static_cast<A>(x) + u); }
  A* before(int64_t lane) { return grads_.data() + 2 * lane * p_.ends.length; }
  A* behind(int64_t lane) { return before(lane) + p_.ends.length; }

  const Rows& rows_;
  const ZeroPhaseBackwardParams<T>& p_;
  std::vector<A> grads_;
};

POLEZERO_ISA_END
