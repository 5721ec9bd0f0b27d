// Constant direct forms of any order, one sample after another, for Note [Chunks] in chunks.h; the
// equations are in csrc/params/lfilter.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "params/cuda/lfilter.h"

POLEZERO_ISA_BEGIN

// What the filter and its adjoint have in common.
template <class T, class Params>
struct ConstantChunks {
  using Scalar = T;
  using A = acc_t<T>;
  Params p;
  int64_t rows = p.rows, time = p.time;

  POLEZERO_HD int64_t states() const { return p.filters.order; }
  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool constant() const { return true; }
  POLEZERO_HD bool shared() const { return p.filters.filter_stride == 0; }
  POLEZERO_HD bool feeds_back() const { return p.filters.order_a > 0; }
};

template <class T>
struct LfilterChunks : ConstantChunks<T, LfilterScan<T>> {
  using A = acc_t<T>;
  using ConstantChunks<T, LfilterScan<T>>::p;
  using ConstantChunks<T, LfilterScan<T>>::states;

  POLEZERO_HD void read_state(int64_t row, StateRef<A> s) const {
    const Filters<T>& f = p.filters;
    const A* a = f.a + row * f.filter_stride * f.order;
    for (int64_t j = 0; j < f.order; ++j) {
      A sum = p.zi != nullptr ? p.zi[row * f.order + j] : A(0);
      if (p.past != nullptr) sum += state_of_past(a, f.order_a, p.past + row * f.order, j);
      s[j] = sum;
    }
  }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    for (int64_t j = 0; p.zf != nullptr && j < states(); ++j) {
      p.zf[row * states() + j] = s[j];
    }
  }

  template <Pass pass, class E>
  POLEZERO_HD void run(int64_t row, int64_t /*chunk*/, int64_t begin, int64_t end,
                       StateRef<E> s) const {
    const Filters<T>& f = p.filters;
    const A* b = f.b + row * f.filter_stride * (f.order + 1);
    const A* a = f.a + row * f.filter_stride * f.order;
    for (int64_t n = begin; n < end; ++n) {
      E y = s[0];
      A x(0);
      if constexpr (pass != Pass::kFree) {
        x = widen(p.x[row * p.x_stride + n]);
        add_product(y, b[0], x);
      }
      for (int64_t j = 0; j < f.order; ++j) {
        E sum = j + 1 < f.order ? s[j + 1] : E(A(0));
        // only the taps that exist: 0 * NaN would keep a NaN in a filter without feedback for ever
        if constexpr (pass != Pass::kFree) {
          if (j < f.order_b) add_product(sum, b[j + 1], x);
        }
        if (j < f.order_a) subtract_product(sum, a[j], y);
        s[j] = sum;
      }
      if constexpr (pass == Pass::kOutput) p.y[row * p.y_stride + n] = static_cast<T>(y);
    }
  }
};

// Direct form II backwards in time. The sums of a chunk are those of a tile.
template <class T>
struct LfilterAdjointChunks : ConstantChunks<T, LfilterAdjointScan<T>> {
  using A = acc_t<T>;
  using ConstantChunks<T, LfilterAdjointScan<T>>::p;
  using ConstantChunks<T, LfilterAdjointScan<T>>::states;
  int64_t chunks;  // of a row

  POLEZERO_HD void read_state(int64_t row, StateRef<A> s) const {
    for (int64_t j = 0; j < states(); ++j) {
      s[j] = p.grad_zf != nullptr ? p.grad_zf[row * states() + j] : A(0);
    }
  }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    for (int64_t j = 0; p.head != nullptr && j < states(); ++j) p.head[row * states() + j] = s[j];
  }

  template <Pass pass, class E>
  POLEZERO_HD void run(int64_t row, int64_t chunk, int64_t begin, int64_t end,
                       StateRef<E> s) const {
    const Filters<T>& f = p.filters;
    const int64_t P = f.order;
    const A* a = f.a + row * f.filter_stride * P;
    A* sums = nullptr;  // [2][P + 1]
    if constexpr (pass == Pass::kOutput) {
      if (p.sums != nullptr) sums = p.sums + (row * chunks + chunk) * 2 * (P + 1);
      for (int64_t k = 0; sums != nullptr && k < 2 * (P + 1); ++k) sums[k] = A(0);
    }
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = p.time - 1 - step;
      E lambda(A(0));
      if constexpr (pass != Pass::kFree) lambda = E(widen(p.grad_y[row * p.grad_y_stride + n]));
      // the newest state last: it is the one that is waited for
      for (int64_t i = f.order_a - 1; i >= 0; --i) subtract_product(lambda, a[i], s[i]);
      if constexpr (pass == Pass::kOutput) write_sample(row, n, lambda, s, sums);
      for (int64_t k = P - 1; k > 0; --k) s[k] = s[k - 1];
      s[0] = lambda;
    }
  }

 private:
  // s_k is lambda[n + k + 1]
  POLEZERO_HD void write_sample(int64_t row, int64_t n, A lambda, StateRef<A> s, A* sums) const {
    const Filters<T>& f = p.filters;
    const A* b = f.b + row * f.filter_stride * (f.order + 1);
    if (p.grad_x != nullptr) {
      A sum = multiply(b[0], lambda);
      for (int64_t k = 0; k < f.order_b; ++k) sum += multiply(b[k + 1], s[k]);
      p.grad_x[row * p.grad_x_stride + n] = static_cast<T>(sum);
    }
    for (const bool of_a : {false, true}) {
      const T* u = of_a ? p.y : p.x;
      if (u == nullptr || sums == nullptr) continue;
      const A v = conjugate(widen(u[row * (of_a ? p.y_stride : p.x_stride) + n]));
      A* to = sums + of_a * (f.order + 1);
      to[0] += multiply(lambda, v);
      for (int64_t k = 0; k < f.order; ++k) to[k + 1] += multiply(s[k], v);
    }
  }
};

POLEZERO_ISA_END
