// Constant direct forms of any order, one sample after another, for Note [Chunks] in chunks.h; the
// equations are in csrc/params/lfilter.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "params/cuda/lfilter.h"

POLEZERO_ISA_BEGIN

// Orders up to this one have their state in registers, with the sums of the adjoint beside it where
// it is real: there are not so many of them.
inline constexpr int kMostRegisterStates = 8;

// Coefficients: in registers where the states are.
template <class A, int most>
struct Taps {
  A taps[most];
  POLEZERO_HD Taps(const A* from, int64_t count) {
    POLEZERO_UNROLLED
    for (int i = 0; i < most; ++i) taps[i] = i < count ? from[i] : A(0);
  }
  POLEZERO_HD A operator[](int i) const { return taps[i]; }
};
template <class A>
struct Taps<A, 0> {
  const A* taps;
  POLEZERO_HD Taps(const A* from, int64_t /*count*/) : taps(from) {}
  POLEZERO_HD A operator[](int64_t i) const { return taps[i]; }
};

// What the filter and its adjoint have in common.
template <class T, class Params>
struct ConstantChunks {
  using Scalar = T;
  using A = acc_t<T>;
  Params p;
  int64_t rows = p.rows, time = p.time;

  POLEZERO_HD int64_t states() const { return p.filters.order; }
  POLEZERO_HD bool constant() const { return true; }
  POLEZERO_HD bool shared() const { return p.filters.filter_stride == 0; }

  template <int most>
  POLEZERO_HD Taps<A, most == 0 ? 0 : most + 1> b_of(int64_t row) const {
    const auto& f = p.filters;
    return {f.b + row * f.filter_stride * (f.order + 1), f.order_b + 1};
  }
  template <int most>
  POLEZERO_HD Taps<A, most> a_of(int64_t row) const {
    const auto& f = p.filters;
    return {f.a + row * f.filter_stride * f.order, f.order_a};
  }
};

// N: states that have registers, or 0.
template <class T, int N = 0>
struct LfilterChunks : ConstantChunks<T, LfilterScan<T>> {
  using A = acc_t<T>;
  static constexpr int kRegisters = N;
  using ConstantChunks<T, LfilterScan<T>>::p;
  using ConstantChunks<T, LfilterScan<T>>::states;

  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool backwards() const { return false; }
  // Through an output that is fed back. (A sample that has left the filter takes its NaN with it.)
  POLEZERO_HD bool reaches(int64_t /*from*/, int64_t to) const { return to < p.filters.order_a; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return 1;
  }
  POLEZERO_HD int64_t outputs() const { return 1; }
  POLEZERO_HD const T* input(int64_t row, int64_t /*i*/) const { return p.x + row * p.x_stride; }
  POLEZERO_HD T* output(int64_t row, int64_t /*i*/) const { return p.y + row * p.y_stride; }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const {
    const Filters<T>& f = p.filters;
    const A* a = f.a + row * f.filter_stride * f.order;
    A sum = p.zi != nullptr ? p.zi[row * f.order + i] : A(0);
    if (p.past != nullptr) sum += state_of_past(a, f.order_a, p.past + row * f.order, i);
    return sum;
  }
  template <class State>
  POLEZERO_HD void write_state(int64_t row, State& s) const {
    if (p.zf != nullptr) write_numbers(s, p.zf + row * states(), states());
  }
  template <class State>
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, State& /*s*/) const {}

  template <Pass pass, class State, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, State& s, const Io& io) const {
    using E = typename State::Number;
    constexpr int kMost = State::kRegisters;
    const Filters<T>& f = p.filters;
    const auto b = this->template b_of<kMost>(row);
    const auto a = this->template a_of<kMost>(row);
    for (int64_t n = begin; n < end; ++n) {
      E y = s[0];
      A x(0);
      if constexpr (pass != Pass::kFree) {
        x = widen(io.in(0, n));
        add_product(y, b[0], x);
      }
      for_numbers<kMost>(f.order, [&](auto j) {
        E sum(A(0));
        if (j + 1 < (kMost > 0 ? kMost : f.order)) sum = s[j + 1];  // zero behind the order
        // only the taps that exist: 0 * NaN would keep a NaN in a filter without feedback for ever
        if constexpr (pass != Pass::kFree) {
          if (j < f.order_b) add_product(sum, b[j + 1], x);
        }
        if (j < f.order_a) subtract_product(sum, a[j], y);
        s[j] = sum;
      });
      if constexpr (pass == Pass::kOutput) io.out(0, n, static_cast<T>(y));
    }
  }
};

// Direct form II backwards in time. The sums of a chunk are those of a tile.
template <class T, int N = 0>
struct LfilterAdjointChunks : ConstantChunks<T, LfilterAdjointScan<T>> {
  using A = acc_t<T>;
  static constexpr int kRegisters = N == 0 ? 0 : N + 2 * (N + 1);
  using ConstantChunks<T, LfilterAdjointScan<T>>::p;
  using ConstantChunks<T, LfilterAdjointScan<T>>::states;
  int64_t chunks;  // of a row

  // Of as many states as there may be: the sums [2, P + 1] are behind them.
  POLEZERO_HD int64_t most_states() const { return N > 0 ? N : states(); }
  POLEZERO_HD int64_t storage() const { return sum_at(true, most_states() + 1); }
  POLEZERO_HD bool backwards() const { return true; }
  POLEZERO_HD bool reaches(int64_t from, int64_t /*to*/) const { return from < p.filters.order_a; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return pass == Pass::kOutput && p.sums != nullptr ? 3 : 1;
  }
  POLEZERO_HD int64_t outputs() const { return p.grad_x != nullptr ? 1 : 0; }
  // null: without the sums of it
  POLEZERO_HD const T* input(int64_t row, int64_t i) const {
    if (i == 0) return p.grad_y + row * p.grad_y_stride;
    const T* u = i == 1 ? p.x : p.y;
    return u == nullptr ? nullptr : u + row * (i == 1 ? p.x_stride : p.y_stride);
  }
  POLEZERO_HD T* output(int64_t row, int64_t /*i*/) const {
    return p.grad_x + row * p.grad_x_stride;
  }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const {
    return p.grad_zf != nullptr ? p.grad_zf[row * states() + i] : A(0);
  }
  template <class State>
  POLEZERO_HD void write_state(int64_t row, State& s) const {
    if (p.head != nullptr) write_numbers(s, p.head + row * states(), states());
  }
  template <class State>
  POLEZERO_HD void finish(int64_t row, int64_t chunk, State& s) const {
    if (p.sums == nullptr) return;
    const int64_t taps = states() + 1;
    POLEZERO_UNROLLED
    for (int of_a = 0; of_a < 2; ++of_a) {
      A* const to = p.sums + ((row * chunks + chunk) * 2 + of_a) * taps;
      for_numbers<N == 0 ? 0 : N + 1>(taps, [&](auto k) { to[k] = s[sum_at(of_a, k)]; });
    }
  }

  template <Pass pass, class State, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, State& s, const Io& io) const {
    using E = typename State::Number;
    constexpr int kMost = State::kRegisters == 0 ? 0 : N;
    const Filters<T>& f = p.filters;
    const auto b = this->template b_of<kMost>(row);
    const auto a = this->template a_of<kMost>(row);
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = p.time - 1 - step;
      E lambda(A(0));
      if constexpr (pass != Pass::kFree) lambda = E(widen(io.in(0, n)));
      // the newest state last: it is the one that is waited for
      numbers_down<kMost>(f.order_a, [&](auto i) { subtract_product(lambda, a[i], s[i]); });
      if constexpr (pass == Pass::kOutput) write_sample(b, n, lambda, s, io);
      numbers_down<kMost>(f.order, [&](auto k) { s[k] = k > 0 ? s[k > 0 ? k - 1 : 0] : lambda; });
    }
  }

 private:
  template <class Index>
  POLEZERO_HD Index sum_at(bool of_a, Index k) const {
    const auto most = static_cast<Index>(most_states());
    return most + of_a * (most + 1) + k;
  }
  // s_k is lambda[n + k + 1]
  template <class B, class State, class Io>
  POLEZERO_HD void write_sample(const B& b, int64_t n, A lambda, State& s, const Io& io) const {
    const Filters<T>& f = p.filters;
    if (p.grad_x != nullptr) {
      A sum = multiply(b[0], lambda);
      for_numbers<N>(f.order_b, [&](auto k) { sum += multiply(b[k + 1], s[k]); });
      io.out(0, n, static_cast<T>(sum));
    }
    if (p.sums == nullptr) return;
    POLEZERO_UNROLLED
    for (int of_a = 0; of_a < 2; ++of_a) {
      if ((of_a ? p.y : p.x) == nullptr) continue;
      const A v = conjugate(widen(io.in(1 + of_a, n)));
      s[sum_at(of_a, 0)] += multiply(lambda, v);
      for_numbers<N>(f.order, [&](auto k) { s[sum_at(of_a, k + 1)] += multiply(s[k], v); });
    }
  }
};

POLEZERO_ISA_END
