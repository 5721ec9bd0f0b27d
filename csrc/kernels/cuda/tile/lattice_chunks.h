// Normalised lattices for Note [Chunks] in chunks.h; the equations are in csrc/params/lattice.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "params/lattice.h"

POLEZERO_ISA_BEGIN

// The stages of one sample.
template <class T>
struct LatticeAt {
  using A = acc_t<T>;
  const LatticeStages<T>& stages;
  int64_t begin, N;

  POLEZERO_HD LatticeAt(const LatticeStages<T>& s, int64_t row, int64_t n)
      : stages(s), begin(row * s.k_stride + (s.constant() ? 0 : n * s.order)), N(s.order) {}

  // of stage i = 1..N
  POLEZERO_HD A k(int64_t i) const {
    const int64_t at = begin + i - 1;
    return stages.constant() ? stages.constant_k[at] : widen(stages.k[at]);
  }
  POLEZERO_HD A c(int64_t i) const { return cosine(k(i)); }
  POLEZERO_HD A gain() const {  // h_N
    A h(1);
    for (int64_t i = 1; i <= N; ++i) h = multiply(h, c(i));
    return h;
  }
};

template <class T>
struct LatticeChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  LatticeForwardParams<T> p;
  int64_t rows, time;
  A* kept = nullptr;  // [B, T, N + 1], or null: all ports after the stages (of the filter itself)

  POLEZERO_HD int64_t states() const { return p.stages.order; }
  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool constant() const { return p.stages.constant(); }
  POLEZERO_HD bool shared() const { return p.stages.k_stride == 0; }
  POLEZERO_HD bool backwards() const { return p.adjoint; }
  POLEZERO_HD bool reaches(int64_t /*from*/, int64_t /*to*/) const { return true; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return p.u.count;
  }
  POLEZERO_HD int64_t outputs() const { return p.z.data != nullptr ? p.z.count : 0; }
  POLEZERO_HD const T* input(int64_t row, int64_t port) const {
    return p.u.data + (row * p.u.count + port) * p.u.stride;
  }
  POLEZERO_HD T* output(int64_t row, int64_t port) const {
    return p.z.data + (row * p.z.count + port) * p.z.stride;
  }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const { return p.state[row * states() + i]; }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    write_numbers(s, p.state + row * states(), states());
  }
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, StateRef<A> /*s*/) const {}

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = p.adjoint ? time - 1 - step : step;
      const LatticeAt<T> at(p.stages, row, n);
      p.adjoint ? turn_back<pass>(at, n, s, io) : turn<pass>(at, row, n, s, io);
    }
  }

 private:
  template <class Io>
  POLEZERO_HD void put(const Io& io, int64_t port, int64_t n, A value) const {
    if (port < outputs()) io.out(port, n, static_cast<T>(value));
  }

  // Stages N, .., 1: s_{i-1} enters stage i, which leaves s_i.
  template <Pass pass, class E, class Io>
  POLEZERO_HD void turn(const LatticeAt<T>& at, [[maybe_unused]] int64_t row, int64_t n,
                        StateRef<E> s, const Io& io) const {
    const int64_t N = at.N;
    E f(A(0)), last(A(0));
    if constexpr (pass != Pass::kFree) f = E(widen(io.in(0, n)) / at.gain());
    for (int64_t i = N; i > 0; --i) {
      const A k = at.k(i), c = at.c(i);
      E other = s[i - 1], up(A(0)), next(A(0));
      if constexpr (pass != Pass::kFree) {
        if (i < p.u.count) other += E(widen(io.in(i, n)));
      }
      add_product(up, conjugate(k), f);
      add_product(up, c, other);
      add_product(next, c, f);
      subtract_product(next, k, other);
      f = next;
      if (i < N) {
        s[i] = up;
      } else {
        last = up;
      }
    }
    s[0] = f;
    if constexpr (pass == Pass::kOutput) {
      put(io, 0, n, f);
      A h(1);
      for (int64_t i = 1; i < p.z.count; ++i) {
        h = multiply(h, at.c(i));
        put(io, i, n, multiply(h, i < N ? s[i] : last));
      }
      for (int64_t i = 0; kept != nullptr && i <= N; ++i) {
        kept[(row * time + n) * (N + 1) + i] = i < N ? s[i] : last;
      }
    }
  }

  // Stages 1, .., N turned back: s_{i-1} here is port i.
  template <Pass pass, class E, class Io>
  POLEZERO_HD void turn_back(const LatticeAt<T>& at, int64_t n, StateRef<E> s, const Io& io) const {
    const int64_t N = at.N;
    E f = s[0];
    if constexpr (pass != Pass::kFree) f += E(widen(io.in(0, n)));
    A h(1);
    for (int64_t i = 1; i <= N; ++i) {
      const A k = at.k(i), c = at.c(i);
      E other = i < N ? s[i] : E(A(0)), down(A(0)), next(A(0));
      h = multiply(h, c);
      if constexpr (pass != Pass::kFree) {
        if (i < p.u.count) other += E(multiply(h, widen(io.in(i, n))));
      }
      add_product(down, c, other);
      subtract_product(down, conjugate(k), f);
      add_product(next, c, f);
      add_product(next, k, other);
      f = next;
      s[i - 1] = down;
      if constexpr (pass == Pass::kOutput) put(io, i, n, down);
    }
    if constexpr (pass == Pass::kOutput) put(io, 0, n, f / h);
  }
};

// The adjoint with the gradient of k, which it takes from the ports that the filter kept: a stage
// is a rotation, so what came out of it tells what went in. docs/maths_structures.md has the
// gradient.
template <class T>
struct LatticeBackwardChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  LatticeBackwardParams<T> p;
  const A* kept;   // [B, T, N + 1]
  A* parts;        // [B, N, chunks]: the sums of constant stages
  int64_t chunks;  // of a row
  int64_t rows, time;

  POLEZERO_HD LatticeChunks<T> adjoint() const {
    return {{p.stages, true, p.grad_z, p.grad_u, p.state}, rows, time};
  }
  POLEZERO_HD int64_t states() const { return p.stages.order; }
  POLEZERO_HD int64_t storage() const { return 3 * states(); }  // a sample's gradient of k; sums
  POLEZERO_HD bool constant() const { return p.stages.constant(); }
  POLEZERO_HD bool shared() const { return p.stages.k_stride == 0; }
  POLEZERO_HD bool backwards() const { return true; }
  POLEZERO_HD bool reaches(int64_t /*from*/, int64_t /*to*/) const { return true; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return p.grad_z.count;
  }
  POLEZERO_HD int64_t outputs() const { return p.grad_u.count; }
  POLEZERO_HD const T* input(int64_t row, int64_t port) const { return adjoint().input(row, port); }
  POLEZERO_HD T* output(int64_t row, int64_t port) const { return adjoint().output(row, port); }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const { return adjoint().read_state(row, i); }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const { adjoint().write_state(row, s); }
  POLEZERO_HD void finish(int64_t row, int64_t chunk, StateRef<A> s) const {
    const int64_t N = states();
    for (int64_t i = 0; p.sum_k != nullptr && i < N; ++i) {
      parts[(row * N + i) * chunks + chunk] = s[2 * N + i];
    }
  }

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    if constexpr (pass != Pass::kOutput) {
      adjoint().template run<pass>(row, begin, end, s, io);
    } else {
      const int64_t N = states();
      for (int64_t step = begin; step < end; ++step) {
        const int64_t n = time - 1 - step;
        turn_back(row, n, s, io);
        for (int64_t i = 0; i < N; ++i) {
          if (p.sum_k != nullptr) s[2 * N + i] += s[N + i];
          if (p.grad_k != nullptr) p.grad_k[(row * time + n) * N + i] = static_cast<T>(s[N + i]);
        }
      }
    }
  }

 private:
  template <class Io>
  POLEZERO_HD void put(const Io& io, int64_t port, int64_t n, A value) const {
    if (port < outputs()) io.out(port, n, static_cast<T>(value));
  }

  template <class Io>
  POLEZERO_HD void turn_back(int64_t row, int64_t n, StateRef<A> s, const Io& io) const {
    const LatticeAt<T> at(p.stages, row, n);
    const int64_t N = at.N;
    const A* came = kept + (row * time + n) * (N + 1);
    A phi = s[0] + widen(io.in(0, n)), h(1);
    A f = came[0];  // what was at port 0 after the stages i, .., 1
    for (int64_t i = 1; i <= N; ++i) {
      const A k = at.k(i), c = at.c(i);
      h = multiply(h, c);
      A zeta = i < N ? s[i] : A(0);
      if (i < p.grad_z.count) zeta += multiply(h, widen(io.in(i, n)));
      const A before = multiply(c, f) + multiply(k, came[i]);
      const A other = multiply(c, came[i]) - multiply(conjugate(k), f);
      const A of_c = real_part(multiply(conjugate(phi), before) + multiply(conjugate(zeta), other));
      s[N + i - 1] = multiply(conjugate(zeta), before) - multiply(phi, conjugate(other)) -
                     multiply(k, of_c) / c;
      const A down = multiply(c, zeta) - multiply(conjugate(k), phi);
      s[i - 1] = down;
      put(io, i, n, down);
      phi = multiply(c, phi) + multiply(k, zeta);
      f = before;
    }
    put(io, 0, n, phi / h);
    // what the gains do: 1 / h_N at the input, h_i at the outputs i
    A of_gains = real_part(multiply(conjugate(phi), f));
    for (int64_t i = N; i > 0; --i) {
      const A k = at.k(i), c = at.c(i);
      if (p.grad_z.count > 1) {
        of_gains -= real_part(multiply(conjugate(widen(io.in(i, n))), multiply(h, came[i])));
        h = h / c;
      }
      s[N + i - 1] += multiply(k, of_gains) / multiply(c, c);
    }
  }
};

POLEZERO_ISA_END
