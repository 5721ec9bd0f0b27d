// All-pole filters that change with time, of any order, for Note [Chunks] in chunks.h; the
// equations are in csrc/params/lpv.h, the state is that of kernels/cpu/tile/lpv.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "params/lpv.h"

POLEZERO_ISA_BEGIN

// One sample y of one filter, which enters as x.
template <bool at_input, class E, class T, class State>
POLEZERO_HD void lpv_allpole_step(E& y, const T* a, int64_t order, State&& s) {
  if constexpr (at_input) {
    add_product(y, acc_t<T>(1), E(s[0]));
    const auto step = [&](int64_t i, E next) {
      subtract_product(next, widen(a[i]), y);
      s[i] = next;
    };
    for (int64_t i = 0; i + 1 < order; ++i) step(i, s[i + 1]);
    step(order - 1, E(acc_t<T>(0)));
  } else {
    for (int64_t i = order - 1; i > 0; --i) {  // the newest last: it is the one that is waited for
      subtract_product(y, widen(a[i]), E(s[i]));
      s[i] = s[i - 1];
    }
    subtract_product(y, widen(a[0]), E(s[0]));
    s[0] = y;
  }
}

template <class T, bool at_input>
struct LpvAllpoleChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  LpvAllpoleParams<T> p;
  int64_t time;
  int64_t rows = p.rows;

  POLEZERO_HD int64_t states() const { return p.order; }
  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool constant() const { return false; }
  POLEZERO_HD bool shared() const { return p.a_stride == 0; }
  POLEZERO_HD bool backwards() const { return p.lags.reverse; }
  POLEZERO_HD bool reaches(int64_t /*from*/, int64_t /*to*/) const { return true; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return 1;
  }
  POLEZERO_HD int64_t outputs() const { return 1; }
  POLEZERO_HD const T* input(int64_t row, int64_t /*i*/) const { return p.x + row * p.x_stride; }
  POLEZERO_HD T* output(int64_t row, int64_t /*i*/) const { return p.y + row * p.y_stride; }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const { return p.state[row * p.order + i]; }
  POLEZERO_HD void write_state(int64_t /*row*/, StateRef<A> /*s*/) const {}
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, StateRef<A> /*s*/) const {}

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    const T* a = p.a + row * p.a_stride;
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = p.lags.reverse ? time - 1 - step : step;
      E y(A(0));
      if constexpr (pass != Pass::kFree) y = E(widen(io.in(0, n)));
      lpv_allpole_step<at_input>(y, a + n * p.order, p.order, s);
      if constexpr (pass == Pass::kOutput) io.out(0, n, static_cast<T>(y));
    }
  }
};

POLEZERO_ISA_END
