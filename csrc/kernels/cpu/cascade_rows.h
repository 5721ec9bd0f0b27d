// Rows of cascades, filters of P states one after another, while a tile of time is in the cache.
// Rows go side by side, a lane each; several filters follow each other in the registers, where they
// hide each other's chain of two fmas a sample. Complex rows go one at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile/direct_form.h"
#include "params/sosfilt.h"

POLEZERO_ISA_BEGIN

inline constexpr int64_t kCascadeTile = 64;  // samples
// Filters in the registers at once: their coefficients and states, backwards their sums too.
template <int P>
inline constexpr int kForwardFilters = P > 2              ? 1
                                       : kRegisters == 32 ? 4
                                                          : 2;
template <int P>
inline constexpr int kBackwardFilters = P > 2              ? 1
                                        : kRegisters == 32 ? 2
                                                           : 1;

// The rows [begin, begin + count) of a problem, at most Lanes<T>::count. Lanes beyond repeat the
// last row. Filters of an order below P are padded with zeros.
template <class T, int P>
class CascadeRows {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;
  using State = DirectFormState<V, P>;
  using States = std::vector<State>;
  using Sums = std::vector<DirectFormSums<V, P>>;

  CascadeRows(const Sections<T>& sections, int64_t begin, int64_t count)
      : K(sections.count), begin_(begin), count_(count), order_(sections.filters.order), table_(K) {
    const Filters<T>& f = sections.filters;
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t lane = 0; lane < L::count; ++lane) {
        const int64_t row = begin + std::min(lane, count - 1), filter = row * f.filter_stride + k;
        const A *b = f.b + filter * (order_ + 1), *a = f.a + filter * order_;
        for (int64_t i = 0; i <= order_; ++i) L::set(table_[k].b[i], lane, b[i]);
        for (int64_t i = 0; i < order_; ++i) L::set(table_[k].a[i], lane, a[i]);
      }
    }
  }

  const int64_t K;
  const DirectForm<V, P>& filter(int64_t k) const { return table_[k]; }

  States read(const A* state) const {
    States s(K);
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      for (int64_t j = 0; j < order_; ++j) L::set(s[k].s[j], lane, state[order_ * i + j]);
    });
    return s;
  }
  void write(const States& s, A* state) const {
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      for (int64_t j = 0; j < order_; ++j) state[order_ * i + j] = L::get(s[k].s[j], lane);
    });
  }
  void add(const Sums& sums, A* to) const {
    const int64_t taps = 2 * order_ + 1;
    for_each([&](int64_t lane, int64_t k, int64_t i) {
      const auto& [b, a] = sums[k];
      for (int64_t j = 0; j <= order_; ++j) to[taps * i + j] += L::get(b[j], lane);
      for (int64_t j = 0; j < order_; ++j) to[taps * i + order_ + 1 + j] += L::get(a[j], lane);
    });
  }

  // `count` samples of a signal.
  void load(const T* p, int64_t stride, int64_t n, int64_t count, int64_t ahead, V* signal) const {
    L::load(p + begin_ * stride + n, stride, count_, count, ahead, signal);
  }
  void store(T* p, int64_t stride, int64_t n, int64_t count, const V* signal) const {
    L::store(p + begin_ * stride + n, stride, count_, count, signal);
  }

  // All filters. With `keep` signal k + 1, at signal + (k + 1) * kCascadeTile, is the output of
  // filter k; otherwise the last output replaces the signal.
  template <bool keep>
  void filter(V* signal, int64_t count, State* states) const {
    for (int64_t k = 0; k < K; k += kForwardFilters<P>) {
      V* in = signal + (keep ? k * kCascadeTile : 0);
      // fewer at the end
      with_constant<kForwardFilters<P>>(std::min<int64_t>(kForwardFilters<P>, K - k), [&](auto J) {
        filter_some<J, keep>(k, in, count, states + k);
      });
    }
  }
  // The adjoint of all filters on the gradient g, in place; `signal` as `filter` keeps it.
  template <bool with_sums>
  void adjoint(V* g, const V* signal, int64_t count, State* states, Sums& sums) const {
    for (int64_t end = K; end > 0; end -= kBackwardFilters<P>) {
      with_constant<kBackwardFilters<P>>(std::min<int64_t>(kBackwardFilters<P>, end), [&](auto J) {
        const int64_t k = end - J;
        adjoint_of_some<J, with_sums>(k, g, signal == nullptr ? nullptr : signal + k * kCascadeTile,
                                      count, states + k, sums.data() + k);
      });
    }
  }

 private:
  template <int J, bool keep>
  [[gnu::noinline]] void filter_some(int64_t k, V* signal, int64_t count, State* states) const {
    DirectForm<V, P> c[J];
    State s[J];
    std::copy_n(table_.data() + k, J, c);
    std::copy_n(states, J, s);
    for (int64_t n = 0; n < count; ++n) {
      V v = signal[n];
      unroll<J>([&](auto j) POLEZERO_LAMBDA {
        v = filter_sample(c[j], v, s[j]);
        if constexpr (keep) signal[(j + 1) * kCascadeTile + n] = v;
      });
      if constexpr (!keep) signal[n] = v;
    }
    std::copy_n(s, J, states);
  }
  template <int J, bool with_sums>
  [[gnu::noinline]] void adjoint_of_some(int64_t k, V* g, const V* signal, int64_t count,
                                         State* states, DirectFormSums<V, P>* all_sums) const {
    DirectForm<V, P> c[J];
    State s[J];
    DirectFormSums<V, P> sums[J];
    for (int j = 0; j < J; ++j) c[j] = conjugated(table_[k + j]);
    std::copy_n(states, J, s);
    if constexpr (with_sums) std::copy_n(all_sums, J, sums);
    for (int64_t n = count - 1; n >= 0; --n) {
      V v = g[n];
      unroll<J>([&](auto i) POLEZERO_LAMBDA {
        constexpr int j = J - 1 - i;
        V lambda;
        v = adjoint_sample(c[j], v, s[j], lambda);
        if constexpr (with_sums) {
          correlate(lambda, s[j], signal[j * kCascadeTile + n], signal[(j + 1) * kCascadeTile + n],
                    sums[j]);
        }
        advance(s[j], lambda);
      });
      g[n] = v;
    }
    std::copy_n(s, J, states);
    if constexpr (with_sums) std::copy_n(sums, J, all_sums);
  }
  static DirectForm<V, P> conjugated(const DirectForm<V, P>& c) {
    DirectForm<V, P> r;
    for (int i = 0; i <= P; ++i) r.b[i] = conjugate(c.b[i]);
    for (int i = 0; i < P; ++i) r.a[i] = conjugate(c.a[i]);
    return r;
  }
  // f(lane, filter, its place among all rows' filters)
  template <class F>
  void for_each(F&& f) const {
    for (int64_t lane = 0; lane < count_; ++lane) {
      for (int64_t k = 0; k < K; ++k) f(lane, k, (begin_ + lane) * K + k);
    }
  }

  int64_t begin_, count_, order_;
  std::vector<DirectForm<V, P>> table_;
};

POLEZERO_ISA_END
