// Cascades of second-order sections that change with time, on the CPU: batches of rows side by
// side, through all sections of a tile before the next tile.
#include "kernels/cpu/lpv_sosfilt.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/varying_coefficients.h"

POLEZERO_ISA_BEGIN

// Batches that share the sections of every sample go through a tile one after another, while its
// table is in the cache.
inline constexpr int64_t kBatchesTogether = 4;

// The states of a batch.
template <class T>
class CascadeStates {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;

  CascadeStates(int64_t K, const Batches& batches, int64_t batch)
      : begin_(batches.begin(batch)), rows_(batches.size(batch)), states_(K) {}

  SectionState<V>* data() { return states_.data(); }
  void read(const A* state) {
    for_each([&](V& v, int64_t lane, int64_t i) { L::set(v, lane, state[i]); });
  }
  void write(A* state) {
    for_each([&](V& v, int64_t lane, int64_t i) { state[i] = L::get(v, lane); });
  }
  // All lanes as they are.
  int64_t size() const { return static_cast<int64_t>(states_.size()) * 2 * L::count; }
  void keep(A* to) const {
    std::memcpy(static_cast<void*>(to), states_.data(), size() * sizeof(A));
  }
  void restore(const A* from) {
    std::memcpy(static_cast<void*>(states_.data()), from, size() * sizeof(A));
  }

 private:
  template <class F>
  void for_each(F&& f) {
    const auto K = static_cast<int64_t>(states_.size());
    for (int64_t lane = 0; lane < rows_; ++lane) {
      for (int64_t k = 0; k < K; ++k) {
        const int64_t i = ((begin_ + lane) * K + k) * 2;
        f(states_[k].s0, lane, i);
        f(states_[k].s1, lane, i + 1);
      }
    }
  }

  int64_t begin_, rows_;
  std::vector<SectionState<V>> states_;
};

// f(begin, end) for batches that go through a tile together.
template <class F>
void for_each_group(const Batches& batches, const Range& range, bool share, F&& f) {
  for (int64_t b = range.row_begin; b < range.row_end;) {
    const int64_t of_set = (b / batches.per_set() + 1) * batches.per_set();
    const int64_t end = std::min({range.row_end, of_set, b + (share ? kBatchesTogether : 1)});
    f(b, end);
    b = end;
  }
}

// Where the states before a tile are among all.
template <class T>
acc_t<T>* place_of(acc_t<T>* before_tiles, const Batches& batches, int64_t K, int64_t tile,
                   int64_t batch) {
  return before_tiles + (tile * batches.count() + batch) * K * 2 * Lanes<T>::count;
}

template <class T>
void lpv_sosfilt_forward(const LpvSosfiltForwardParams<T>& p, const Range& range) {
  using L = Lanes<T>;
  const int64_t K = p.sections.count, filtered = p.y == nullptr ? K - 1 : K;
  const Batches batches{p.rows, p.sections.rows_per_set, L::count};
  const bool share = TileSections<T>(p.sections, batches).shared();
  for_each_group(batches, range, share, [&](int64_t first, int64_t last) {
    TileSections<T> sections(p.sections, batches);
    std::vector<CascadeStates<T>> states;
    for (int64_t b = first; b < last; ++b) {
      states.emplace_back(K, batches, b);
      states.back().read(p.state);
    }
    typename L::V signal[kSectionTile];
    int64_t tile = 0, end = 0;
    for (int64_t n = range.time_begin; n < range.time_end; n = end, ++tile) {
      end = section_tile_end(p.sections.frames, n, range.time_end);
      for (int64_t b = first; b < last; ++b) {
        const int64_t row = batches.begin(b), rows = batches.size(b), count = end - n;
        CascadeStates<T>& state = states[b - first];
        if (p.before_tiles != nullptr) {
          state.keep(place_of<T>(p.before_tiles, batches, K, tile, b));
        }
        L::load(p.x + row * p.x_stride + n, p.x_stride, rows, count, kAheadInRow<T>, signal);
        sections.of_tile(b, n, count, [&](const auto& source) {
          filter_cascade<false>(source, filtered, signal, count, state.data());
        });
        if (p.y != nullptr) {
          L::store(p.y + row * p.y_stride + n, p.y_stride, rows, count, signal);
        }
      }
    }
    for (CascadeStates<T>& state : states) state.write(p.state);
  });
}

// What the backward of a batch works on.
template <class T>
struct BackwardBatch {
  using V = typename Lanes<T>::V;

  BackwardBatch(const LpvSosfiltBackwardParams<T>& p, const Batches& batches, int64_t batch)
      : state(p.sections.count, batches, batch),
        filter_state(state),
        frames(p.sections, batches, batch, p.sums) {
    state.read(p.state);
  }

  CascadeStates<T> state, filter_state;  // of the adjoint, and of the tile that is filtered again
  FrameGradient<T> frames;
};

template <class T>
class Backward {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;

  Backward(const LpvSosfiltBackwardParams<T>& p, const Range& range)
      : p_(p),
        range_(range),
        K_(p.sections.count),
        batches_{p.rows, p.sections.rows_per_set, L::count},
        sections_(p.sections, batches_, /*reverse=*/true),
        kept_(p.x == nullptr ? 0 : (K_ + 1) * kSectionTile),
        gradients_(p.x == nullptr || p.parts != nullptr ? 0 : kSectionTile * K_ * kSectionTaps) {
    for (int64_t n = range.time_begin; n < range.time_end;) {
      tiles_.push_back(n);
      n = section_tile_end(p.sections.frames, n, range.time_end);
    }
  }

  void run() {
    for_each_group(batches_, range_, sections_.shared(), [&](int64_t first, int64_t last) {
      std::vector<BackwardBatch<T>> all;
      for (int64_t b = first; b < last; ++b) all.emplace_back(p_, batches_, b);
      int64_t end = range_.time_end;
      for (auto tile = static_cast<int64_t>(tiles_.size()) - 1; tile >= 0; end = tiles_[tile--]) {
        for (int64_t b = first; b < last; ++b) filter(b, tile, end, all[b - first]);
      }
      for (BackwardBatch<T>& one : all) {
        one.frames.end();
        one.state.write(p_.state);
      }
    });
  }

 private:
  void filter(int64_t b, int64_t tile, int64_t end, BackwardBatch<T>& one) {
    const int64_t n = tiles_[tile], count = end - n;
    const int64_t row = batches_.begin(b), rows = batches_.size(b);
    V g[kSectionTile];
    L::load(p_.grad_y + row * p_.grad_y_stride + n, p_.grad_y_stride, rows, count,
            kAheadInRow<T, true>, g);
    V* signal = kept_.empty() ? nullptr : &kept_[0].v;
    if (signal != nullptr && (K_ > 1 || !sections_.shared())) {
      L::load(p_.x + row * p_.x_stride + n, p_.x_stride, rows, count, kAheadInRow<T, true>, signal);
    }
    if (signal != nullptr && !sections_.shared()) {
      L::load(p_.y + row * p_.y_stride + n, p_.y_stride, rows, count, kAheadInRow<T, true>,
              signal + K_ * kSectionTile);
    }
    sections_.of_tile(b, n, count, [&](const auto& source) {
      const auto adjoint = [&](auto&& sink) {
        adjoint_of_cascade(source, K_, g, signal, count, one.state.data(), sink);
      };
      if (signal == nullptr) return adjoint(NoGradient<V>());
      if (K_ > 1) {
        CascadeStates<T>& state = one.filter_state;
        // tiles of every sample are counted from the beginning of the row, not of the range
        const int64_t before = p_.sections.frames.of_every_sample() ? range_.time_begin : 0;
        state.restore(place_of<T>(const_cast<A*>(p_.before_tiles), batches_, K_,
                                  before / kSectionTile + tile, b));
        filter_cascade<true>(source, K_ - 1, signal, count, state.data());
      }
      to_sink(b, tile, n, count, one, source, adjoint);
    });
    if (p_.grad_x != nullptr) {
      L::store(p_.grad_x + row * p_.grad_x_stride + n, p_.grad_x_stride, rows, count, g);
    }
  }

  // Where each source's gradient goes.
  template <class F>
  void to_sink(int64_t b, int64_t tile, int64_t n, int64_t count, BackwardBatch<T>&,
               const SharedSections<V, A>&, F&& adjoint) const {
    const auto tiles = static_cast<int64_t>(tiles_.size());
    const int64_t row = batches_.begin(b);
    A* to = p_.parts + (b * tiles + tile) * K_ * 5 * kSectionTile;
    adjoint(SharedGradient<V, T>(to, batches_.size(b), count, p_.x + row * p_.x_stride + n,
                                 p_.x_stride, p_.y + row * p_.y_stride + n, p_.y_stride));
  }
  template <bool linear, class F>
  void to_sink(int64_t, int64_t, int64_t n, int64_t, BackwardBatch<T>& one,
               const SectionFrame<V, linear>&, F&& adjoint) {
    adjoint(one.frames.template of_frame<linear>(n, sections_.part()));
  }
  template <class F>
  void to_sink(int64_t b, int64_t, int64_t n, int64_t count, BackwardBatch<T>& one,
               const SectionTable<V>&, F&& adjoint) {
    const SectionLanes<V> to = sections_.lanes(gradients_);
    adjoint(GradientOfSamples<V>{to, K_});
    if (p_.sums != nullptr) {
      one.frames.add(n, count, sections_.part(), gradients_.data());
    } else if (p_.grad) {
      store(p_.grad, to, b, n, count);
    } else {
      store(p_.wide_grad, to, b, n, count);
    }
  }
  template <class C>
  void store(const SectionNumbers<C>& to, const SectionLanes<V>& from, int64_t b, int64_t n,
             int64_t count) const {
    const int64_t stride = p_.sections.set_stride(), of_sample = K_ * p_.sections.stride;
    const SectionNumbers<C> at = to + (batches_.begin(b) * stride + n * of_sample);
    const auto put = [&](C* numbers, const Lane<V>* lanes) {
      Lanes<C>::store(numbers, stride, batches_.size(b), count * of_sample, &lanes->v);
    };
    put(at.b, from.b);
    if (p_.sections.stride != kSectionTaps) put(at.a, from.a);
  }

  const LpvSosfiltBackwardParams<T>& p_;
  const Range range_;
  const int64_t K_;
  const Batches batches_;
  TileSections<T> sections_;
  std::vector<Lane<V>> kept_, gradients_;
  std::vector<int64_t> tiles_;
};

template <class T>
void lpv_sosfilt_backward(const LpvSosfiltBackwardParams<T>& p, const Range& range) {
  Backward<T>(p, range).run();
}

// The gradients of a section from its five sums, [5, tile], for `count` samples that are `stride`
// numbers apart.
template <class C, class A, class G>
void write_gradients(SectionNumbers<const C> c, const A* sums, int64_t count, int64_t stride,
                     SectionNumbers<G> to) {
  for (int64_t n = 0; n < count; ++n, c = c + stride, to = to + stride) {
    const A inverse = A(1) / A(c[kInverse]), turned = conjugate(inverse);
    A of_a0(0);
    for (int j = 0; j < 5; ++j) {
      const int i = j < 3 ? j : j + 1;
      const A g = multiply(sums[j * kSectionTile + n], turned);
      of_a0 -= multiply(conjugate(A(c[i])), g);
      to[i] = static_cast<G>(g);
    }
    to[kInverse] = static_cast<G>(multiply(of_a0, turned));
  }
}

template <class T>
void lpv_sosfilt_sum(const LpvSosfiltSumParams<T>& p, const Range& range) {
  using A = acc_t<T>;
  const int64_t K = p.sections.count, of_tile = K * 5 * kSectionTile;
  const int64_t tiles = (range.time_end - range.time_begin + kSectionTile - 1) / kSectionTile;
  std::vector<A> sums(of_tile);
  for (int64_t set = range.row_begin; set < range.row_end; ++set) {
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const A* parts = p.parts + (set * p.batches.per_set() * tiles + tile) * of_tile;
      std::copy_n(parts, of_tile, sums.begin());
      for (int64_t i = 1; i < p.batches.per_set(); ++i) {
        const A* part = parts + i * tiles * of_tile;
        for (int64_t j = 0; j < of_tile; ++j) sums[j] += part[j];
      }
      const int64_t n = range.time_begin + tile * kSectionTile;
      const int64_t count = std::min(kSectionTile, range.time_end - n);
      const int64_t stride = K * p.sections.stride;
      for (int64_t k = 0; k < K; ++k) {
        const int64_t at = (set * p.sections.frames.count + n) * stride + k * p.sections.stride;
        const A* of_section = &sums[k * 5 * kSectionTile];
        if (p.sections.given) {
          write_gradients(p.sections.given + at, of_section, count, stride, p.grad + at);
        } else {
          write_gradients(p.sections.wide + at, of_section, count, stride, p.wide_grad + at);
        }
      }
    }
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LpvSosfiltKernels<T> kernels{.lanes = Lanes<T>::count,
                                       .forward = lpv_sosfilt_forward<T>,
                                       .backward = lpv_sosfilt_backward<T>,
                                       .sum = lpv_sosfilt_sum<T>};
}  // namespace

constinit const FullTable<LpvSosfiltKernels> lpv_sosfilt_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
