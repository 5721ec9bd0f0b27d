// Cascades of second-order sections that change with time, for Note [Chunks] in chunks.h; the
// equations are in csrc/params/lpv_sosfilt.h.
#pragma once

#include "kernels/cuda/tile/chunks.h"
#include "math/section.h"
#include "params/lpv_sosfilt.h"

POLEZERO_ISA_BEGIN

// The sections of a row at one sample.
template <class T>
struct SectionsAt {
  using A = acc_t<T>;
  const VaryingSections<T>& sections;
  int64_t before, after;  // frames, from their first number on
  double part;

  POLEZERO_HD SectionsAt(const VaryingSections<T>& s, int64_t row, int64_t n)
      : sections(s), part(s.frames.part(n)) {
    const int64_t set = row / s.rows_per_set * s.set_stride();
    before = set + s.frames.before(n) * s.count * s.stride;
    after = set + s.frames.after(n) * s.count * s.stride;
  }

  // Coefficient i of section k, as it is given.
  POLEZERO_HD A tap(int64_t k, int i) const {
    const A first = number(before + k * sections.stride, i);
    if (part == 0) return first;
    return first + A(part) * (number(after + k * sections.stride, i) - first);
  }
  POLEZERO_HD Section<A> section(int64_t k) const {
    const A a0 = tap(k, 3);
    return {tap(k, 0) / a0, tap(k, 1) / a0, tap(k, 2) / a0, tap(k, 4) / a0, tap(k, 5) / a0};
  }

 private:
  POLEZERO_HD A number(int64_t section, int i) const {
    return sections.given ? widen((sections.given + section)[i]) : (sections.wide + section)[i];
  }
};

template <class T>
struct LpvSosfiltChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  LpvSosfiltForwardParams<T> p;
  int64_t rows, time;
  A* kept = nullptr;  // [B, K + 1, T], or null: the signals between the sections

  POLEZERO_HD int64_t states() const { return 2 * p.sections.count; }
  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool constant() const { return false; }
  POLEZERO_HD bool shared() const { return p.sections.rows_per_set == rows; }
  POLEZERO_HD bool backwards() const { return false; }
  // a section is heard in itself and in those after it
  POLEZERO_HD bool reaches(int64_t from, int64_t to) const { return from / 2 <= to / 2; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return 1;
  }
  POLEZERO_HD int64_t outputs() const { return p.y != nullptr ? 1 : 0; }
  POLEZERO_HD const T* input(int64_t row, int64_t /*i*/) const { return p.x + row * p.x_stride; }
  POLEZERO_HD T* output(int64_t row, int64_t /*i*/) const { return p.y + row * p.y_stride; }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const { return p.state[row * states() + i]; }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    write_numbers(s, p.state + row * states(), states());
  }
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, StateRef<A> /*s*/) const {}

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    const int64_t K = p.sections.count;
    for (int64_t n = begin; n < end; ++n) {
      const SectionsAt<T> at(p.sections, row, n);
      E u(A(0));
      if constexpr (pass != Pass::kFree) u = E(widen(io.in(0, n)));
      if (pass == Pass::kOutput) keep(row, 0, n, u);
      for (int64_t k = 0; k < K; ++k) {
        const Section<A> c = at.section(k);
        E y = s[2 * k], s0 = s[2 * k + 1], s1(A(0));
        add_product(y, c.b0, u);
        add_product(s0, c.b1, u);
        subtract_product(s0, c.a1, y);
        add_product(s1, c.b2, u);
        subtract_product(s1, c.a2, y);
        s[2 * k] = s0;
        s[2 * k + 1] = s1;
        u = y;
        if (pass == Pass::kOutput) keep(row, k + 1, n, u);
      }
      if constexpr (pass == Pass::kOutput) {
        if (p.y != nullptr) io.out(0, n, static_cast<T>(u));
      }
    }
  }

 private:
  template <class E>
  POLEZERO_HD void keep([[maybe_unused]] int64_t row, [[maybe_unused]] int64_t port,
                        [[maybe_unused]] int64_t n, [[maybe_unused]] const E& value) const {
    if constexpr (std::is_same_v<E, A>) {
      if (kept != nullptr) kept[(row * (p.sections.count + 1) + port) * time + n] = value;
    }
  }
};

// The adjoint, whose lambdas are kept for the gradient of the sections, with the two behind the
// last sample.
template <class T>
struct LpvSosfiltAdjointChunks {
  using Scalar = T;
  static constexpr int kRegisters = 0;
  using A = acc_t<T>;
  LpvSosfiltBackwardParams<T> p;
  int64_t rows, time;
  A* lambdas = nullptr;  // [B, K, T + 2], or null

  POLEZERO_HD int64_t states() const { return 2 * p.sections.count; }
  POLEZERO_HD int64_t storage() const { return states(); }
  POLEZERO_HD bool constant() const { return false; }
  POLEZERO_HD bool shared() const { return p.sections.rows_per_set == rows; }
  POLEZERO_HD bool backwards() const { return true; }
  POLEZERO_HD bool reaches(int64_t from, int64_t to) const { return from / 2 >= to / 2; }

  template <Pass pass>
  POLEZERO_HD int64_t inputs() const {
    return 1;
  }
  POLEZERO_HD int64_t outputs() const { return p.grad_x != nullptr ? 1 : 0; }
  POLEZERO_HD const T* input(int64_t row, int64_t /*i*/) const {
    return p.grad_y + row * p.grad_y_stride;
  }
  POLEZERO_HD T* output(int64_t row, int64_t /*i*/) const {
    return p.grad_x + row * p.grad_x_stride;
  }

  POLEZERO_HD A read_state(int64_t row, int64_t i) const {
    const A s = p.state[row * states() + i];
    if (lambdas != nullptr) lambda(row, i / 2, time + i % 2) = s;
    return s;
  }
  POLEZERO_HD void write_state(int64_t row, StateRef<A> s) const {
    write_numbers(s, p.state + row * states(), states());
  }
  POLEZERO_HD void finish(int64_t /*row*/, int64_t /*chunk*/, StateRef<A> /*s*/) const {}

  template <Pass pass, class E, class Io>
  POLEZERO_HD void run(int64_t row, int64_t begin, int64_t end, StateRef<E>& s,
                       const Io& io) const {
    for (int64_t step = begin; step < end; ++step) {
      const int64_t n = time - 1 - step;
      const SectionsAt<T> at(p.sections, row, n);
      E g(A(0));
      if constexpr (pass != Pass::kFree) g = E(widen(io.in(0, n)));
      for (int64_t k = p.sections.count - 1; k >= 0; --k) {
        const Section<A> c = at.section(k);
        const E s0 = s[2 * k], s1 = s[2 * k + 1];
        subtract_product(g, conjugate(c.a2), s1);
        subtract_product(g, conjugate(c.a1), s0);
        s[2 * k] = g;
        s[2 * k + 1] = s0;
        if constexpr (pass == Pass::kOutput) {
          if (lambdas != nullptr) lambda(row, k, n) = g;
        }
        E grad(A(0));
        add_product(grad, conjugate(c.b1), s0);
        add_product(grad, conjugate(c.b2), s1);
        add_product(grad, conjugate(c.b0), g);
        g = grad;
      }
      if constexpr (pass == Pass::kOutput) {
        if (p.grad_x != nullptr) io.out(0, n, static_cast<T>(g));
      }
    }
  }

 private:
  POLEZERO_HD A& lambda(int64_t row, int64_t k, int64_t n) const {
    return lambdas[(row * p.sections.count + k) * (time + 2) + n];
  }
};

// The gradient of one section of one frame: of all samples that it is in, of all its rows.
template <class T>
struct SectionGradient {
  using A = acc_t<T>;
  VaryingSections<T> sections;
  int64_t time;
  const T *x, *y;  // [B, T], what goes in and comes out
  int64_t x_stride, y_stride;
  const A *signals,
      *lambdas;            // [B, K + 1, T], of which those between sections are read; [B, K, T + 2]
  SectionNumbers<T> grad;  // [sets, F, K], or
  SectionNumbers<A> wide_grad;

  // i counts [sets, F, K].
  POLEZERO_HD void write(int64_t i) const {
    const Frames& frames = sections.frames;
    const int64_t k = i % sections.count, f = i / sections.count % frames.count;
    const int64_t set = i / sections.count / frames.count;
    A sums[6] = {};
    const int64_t first = (frames.linear && f > 0 ? f - 1 : f) * frames.hop - frames.offset;
    const int64_t behind = (f + 1) * frames.hop - frames.offset;
    for (int64_t n = first < 0 ? 0 : first; n < behind && n < time; ++n) {
      double weight = 0;
      if (frames.before(n) == f) weight += 1 - (frames.after(n) == f ? 0 : frames.part(n));
      if (frames.before(n) != f) weight += frames.part(n);
      add(set, k, n, weight, sums);
    }
    for (int j = 0; j < 6; ++j) {
      if (grad) {
        (grad + i * sections.stride)[j] = static_cast<T>(sums[j]);
      } else {
        (wide_grad + i * sections.stride)[j] = sums[j];
      }
    }
  }

 private:
  // What goes into section k, or comes out of the last one.
  POLEZERO_HD A signal(int64_t row, int64_t k, int64_t n) const {
    if (k == 0) return widen(x[row * x_stride + n]);
    if (k == sections.count) return widen(y[row * y_stride + n]);
    return signals[(row * (sections.count + 1) + k) * time + n];
  }
  POLEZERO_HD void add(int64_t set, int64_t k, int64_t n, double weight, A (&sums)[6]) const {
    const int64_t K = sections.count, row = set * sections.rows_per_set;
    const SectionsAt<T> at(sections, row, n);
    const Section<A> c = at.section(k);
    const A scale = A(weight) / conjugate(at.tap(k, 3));
    A p[5] = {};
    for (int64_t r = row; r < row + sections.rows_per_set; ++r) {
      const A u = conjugate(signal(r, k, n)), v = conjugate(signal(r, k + 1, n));
      const A* lambda = lambdas + (r * K + k) * (time + 2) + n;
      p[0] += multiply(lambda[0], u);
      p[1] += multiply(lambda[1], u);
      p[2] += multiply(lambda[2], u);
      p[3] -= multiply(lambda[1], v);
      p[4] -= multiply(lambda[2], v);
    }
    const A taps[5] = {c.b0, c.b1, c.b2, c.a1, c.a2};
    A of_a0(0);
    for (int j = 0; j < 5; ++j) {
      of_a0 -= multiply(conjugate(taps[j]), p[j]);
      sums[j < 3 ? j : j + 1] += multiply(p[j], scale);
    }
    sums[3] += multiply(of_a0, scale);
  }
};

POLEZERO_ISA_END
