// Cascades on the CPU: a tile of time passes through all sections while it is in the cache. Rows go
// side by side, a lane each; several sections follow each other in the registers, where they hide
// each other's chain of two fmas a sample. Complex rows go one at a time.
#include "kernels/cpu/sosfilt.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile/biquad.h"
#include "params/sosfilt.h"

POLEZERO_ISA_BEGIN

inline constexpr int64_t kSosTile = 64;  // samples
// Sections in the registers at once: their coefficients and states, backwards their sums too.
inline constexpr int kForwardSections = kRegisters == 32 ? 4 : 2;
inline constexpr int kBackwardSections = kRegisters == 32 ? 2 : 1;

// The rows [begin, begin + count) of a problem, at most Lanes<T>::count. Lanes beyond repeat the
// last row.
template <class T>
class SosfiltRows {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;
  using States = std::vector<SectionState<V>>;
  using Sums = std::vector<SectionSums<V>>;

  SosfiltRows(const Sections<T>& sections, int64_t begin, int64_t count)
      : K(sections.count), begin_(begin), count_(count), table_(K) {
    for (int64_t k = 0; k < K; ++k) {
      const Filters<T> f = sections.section(k);
      Section<V>& s = table_[k];
      for (int64_t lane = 0; lane < L::count; ++lane) {
        const int64_t row = begin + std::min(lane, count - 1);
        const A *b = f.b + row * f.filter_stride * 3, *a = f.a + row * f.filter_stride * 2;
        L::set(s.b0, lane, b[0]);
        L::set(s.b1, lane, b[1]);
        L::set(s.b2, lane, b[2]);
        L::set(s.a1, lane, a[0]);
        L::set(s.a2, lane, a[1]);
      }
    }
  }

  const int64_t K;

  States read(const A* state) const {
    States s(K);
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      L::set(s[k].s0, lane, state[2 * i]);
      L::set(s[k].s1, lane, state[2 * i + 1]);
    });
    return s;
  }
  void write(const States& s, A* state) const {
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      state[2 * i] = L::get(s[k].s0, lane);
      state[2 * i + 1] = L::get(s[k].s1, lane);
    });
  }
  void add(const Sums& sums, A* to) const {
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      const SectionSums<V>& s = sums[k];
      const V* const from[] = {&s.b0, &s.b1, &s.b2, &s.a1, &s.a2};
      for (int j = 0; j < 5; ++j) to[5 * i + j] += L::get(*from[j], lane);
    });
  }

  // `count` samples of a signal.
  void load(const T* p, int64_t stride, int64_t n, int64_t count, int64_t ahead, V* signal) const {
    L::load(p + begin_ * stride + n, stride, count_, count, ahead, signal);
  }
  void store(T* p, int64_t stride, int64_t n, int64_t count, const V* signal) const {
    L::store(p + begin_ * stride + n, stride, count_, count, signal);
  }

  // All sections. With `keep` signal k + 1, at signal + (k + 1) * kSosTile, is the output of
  // section k; otherwise the last output replaces the signal.
  template <bool keep>
  void filter(V* signal, int64_t count, States& states) const {
    for (int64_t k = 0; k < K; k += kForwardSections) {
      V* in = signal + (keep ? k * kSosTile : 0);
      // fewer at the end
      with_constant<kForwardSections>(std::min<int64_t>(kForwardSections, K - k), [&](auto J) {
        filter_some<J, keep>(k, in, count, states.data() + k);
      });
    }
  }
  // The adjoint of all sections on the gradient g, in place; `signal` as `filter` keeps it.
  template <bool with_sums>
  void adjoint(V* g, const V* signal, int64_t count, States& states, Sums& sums) const {
    for (int64_t end = K; end > 0; end -= kBackwardSections) {
      with_constant<kBackwardSections>(std::min<int64_t>(kBackwardSections, end), [&](auto J) {
        const int64_t k = end - J;
        adjoint_of_some<J, with_sums>(k, g, signal == nullptr ? nullptr : signal + k * kSosTile,
                                      count, states.data() + k, sums.data() + k);
      });
    }
  }

 private:
  template <int J, bool keep>
  [[gnu::noinline]] void filter_some(int64_t k, V* signal, int64_t count,
                                     SectionState<V>* states) const {
    Section<V> c[J];
    SectionState<V> s[J];
    std::copy_n(table_.data() + k, J, c);
    std::copy_n(states, J, s);
    for (int64_t n = 0; n < count; ++n) {
      V v = signal[n];
      unroll<J>([&](auto j) POLEZERO_LAMBDA {
        v = section_forward(c[j], v, s[j].s0, s[j].s1);
        if constexpr (keep) signal[(j + 1) * kSosTile + n] = v;
      });
      if constexpr (!keep) signal[n] = v;
    }
    std::copy_n(s, J, states);
  }
  template <int J, bool with_sums>
  [[gnu::noinline]] void adjoint_of_some(int64_t k, V* g, const V* signal, int64_t count,
                                         SectionState<V>* states, SectionSums<V>* all_sums) const {
    Section<V> c[J];
    SectionState<V> s[J];
    SectionSums<V> sums[J];
    for (int j = 0; j < J; ++j) c[j] = conjugated(table_[k + j]);
    std::copy_n(states, J, s);
    std::copy_n(all_sums, J, sums);
    for (int64_t n = count - 1; n >= 0; --n) {
      V v = g[n];
      unroll<J>([&](auto i) POLEZERO_LAMBDA {
        constexpr int j = J - 1 - i;
        V lambda;
        v = section_adjoint(c[j], v, s[j].s0, s[j].s1, lambda);
        if constexpr (with_sums) {
          correlate(lambda, s[j], signal[j * kSosTile + n], signal[(j + 1) * kSosTile + n],
                    sums[j]);
        }
        s[j] = {lambda, s[j].s0};
      });
      g[n] = v;
    }
    std::copy_n(s, J, states);
    std::copy_n(sums, J, all_sums);
  }
  static Section<V> conjugated(const Section<V>& c) {
    return {conjugate(c.b0), conjugate(c.b1), conjugate(c.b2), conjugate(c.a1), conjugate(c.a2)};
  }
  // f(lane, section, its place among all rows' sections)
  template <class F>
  void for_each(F&& f) const {
    for (int64_t lane = 0; lane < count_; ++lane) {
      for (int64_t k = 0; k < K; ++k) f(lane, k, (begin_ + lane) * K + k);
    }
  }

  int64_t begin_, count_;
  std::vector<Section<V>> table_;
};

template <class T>
void sosfilt_forward(const SosfiltForwardParams<T>& p, const Range& range) {
  using L = Lanes<T>;
  for (int64_t r = range.row_begin; r < range.row_end; r += L::count) {
    const SosfiltRows<T> rows(p.sections, r, std::min<int64_t>(L::count, range.row_end - r));
    auto states = rows.read(p.state);
    typename L::V signal[kSosTile];
    for (int64_t n = range.time_begin; n < range.time_end; n += kSosTile) {
      const int64_t length = std::min(kSosTile, range.time_end - n);
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T>, signal);
      rows.template filter<false>(signal, length, states);
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
  const int64_t tiles = (time + kSosTile - 1) / kSosTile;
  auto tile = [&](int64_t i) {
    const int64_t n = range.time_begin + i * kSosTile;
    return std::pair(n, std::min(kSosTile, range.time_end - n));
  };
  V g[kSosTile];
  std::vector<typename SosfiltRows<T>::States> begins(p.x == nullptr ? 0 : tiles);
  std::vector<Lane<V>> kept(p.x == nullptr ? 0 : (rows.K + 1) * kSosTile);
  V* signal = kept.empty() ? nullptr : &kept[0].v;
  if (p.x != nullptr) {
    auto states = rows.read(p.zi);
    for (int64_t i = 0; i < tiles; ++i) {
      const auto [n, length] = tile(i);
      begins[i] = states;
      if (i + 1 == tiles) break;
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T>, g);
      rows.template filter<false>(g, length, states);
    }
  }
  auto states = rows.read(p.state);
  typename SosfiltRows<T>::Sums sums(rows.K);
  for (int64_t i = tiles - 1; i >= 0; --i) {
    const auto [n, length] = tile(i);
    rows.load(p.grad_y, p.grad_y_stride, n, length, kAheadInRow<T, true>, g);
    if (p.x != nullptr) {
      rows.load(p.x, p.x_stride, n, length, kAheadInRow<T, true>, signal);
      rows.template filter<true>(signal, length, begins[i]);
      rows.template adjoint<true>(g, signal, length, states, sums);
    } else {
      rows.template adjoint<false>(g, nullptr, length, states, sums);
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
