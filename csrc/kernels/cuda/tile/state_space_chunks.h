// State-space filters for Note [Chunks] in chunks.h; the equations are in
// csrc/params/state_space.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "params/state_space.h"

POLEZERO_ISA_BEGIN

// One of the four matrices of the filter that runs, at one time.
template <class T>
struct MatrixView {
  const T* data;  // null: there is none
  int64_t row_step, column_step;
  bool conjugated;

  POLEZERO_HD acc_t<T> operator()(int64_t i, int64_t j) const {
    const acc_t<T> v = widen(data[i * row_step + j * column_step]);
    return conjugated ? conjugate(v) : v;
  }
};

template <class T>
struct StateSpaceChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  StateSpaceParams<T> p;
  int64_t rows, time;

  POLEZERO_HD int64_t states() const { return p.states; }
  POLEZERO_HD int64_t storage() const { return 2 * p.states; }  // the next state too
  POLEZERO_HD bool constant() const { return p.a.time_stride == 0; }
  POLEZERO_HD bool shared() const { return p.a.row_stride == 0; }
  POLEZERO_HD bool backwards() const { return p.adjoint; }
  POLEZERO_HD bool reaches(int64_t /*from*/, int64_t /*to*/) const { return true; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return p.inputs;
  }
  POLEZERO_HD int64_t outputs() const { return p.outputs; }
  POLEZERO_HD const T* input(int64_t row, int64_t i) const {
    return p.x + (row * p.inputs + i) * p.x_stride;
  }
  POLEZERO_HD T* output(int64_t row, int64_t i) const {
    return p.y + (row * p.outputs + i) * p.y_stride;
  }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const { return p.state[row * p.states + i]; }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    write_numbers(s, p.state + row * p.states, p.states);
  }
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, StateRef<A> /*s*/) const {}

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    const int64_t S = p.states, I = p.inputs, O = p.outputs;
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = p.adjoint ? time - 1 - step : step;
      const MatrixView<T> a = at(p.a, row, n, S, S);
      const MatrixView<T> into = at(p.adjoint ? p.c : p.b, row, n, S, I);
      if constexpr (pass == Pass::kOutput) {
        const MatrixView<T> out_of = at(p.adjoint ? p.b : p.c, row, n, O, S);
        const MatrixView<T> through = at(p.d, row, n, O, I);
        for (int64_t o = 0; o < O; ++o) {
          A sum = out_of.data == nullptr ? s[o] : A(0);
          for (int64_t j = 0; out_of.data != nullptr && j < S; ++j) {
            sum += multiply(out_of(o, j), s[j]);
          }
          for (int64_t i = 0; through.data != nullptr && i < I; ++i) {
            sum += multiply(through(o, i), widen(io.in(i, n)));
          }
          io.out(o, n, static_cast<T>(sum));
        }
      }
      for (int64_t i = 0; i < S; ++i) {
        E sum(A(0));
        if constexpr (pass != Pass::kFree) {
          if (into.data == nullptr) sum = E(widen(io.in(i, n)));
          for (int64_t j = 0; into.data != nullptr && j < I; ++j) {
            add_product(sum, into(i, j), E(widen(io.in(j, n))));
          }
        }
        for (int64_t j = 0; j < S; ++j) add_product(sum, a(i, j), E(s[j]));
        s[S + i] = sum;
      }
      for (int64_t i = 0; i < S; ++i) s[i] = s[S + i];
    }
  }

 private:
  // [rows, columns] of the filter that runs; the adjoint reads the other's, transposed.
  POLEZERO_HD MatrixView<T> at(const Matrices<T>& m, int64_t row, int64_t n, int64_t m_rows,
                               int64_t m_columns) const {
    if (m.data == nullptr) return {nullptr, 0, 0, false};
    const T* data = m.data + row * m.row_stride + n * m.time_stride;
    return {data, p.adjoint ? 1 : m_columns, p.adjoint ? m_rows : 1, p.adjoint};
  }
};

POLEZERO_ISA_END
