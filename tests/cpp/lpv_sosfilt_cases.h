// A problem for cascades that change with time, and their definition, with that of the gradient of
// the sections (params/lpv_sosfilt.h), in extended precision.
#pragma once

#include "kernel_cases.h"
#include "params/lpv_sosfilt.h"

namespace polezero::test {

struct VaryingShape {
  int64_t rows, time, sections;
  int64_t rows_per_set = 1;
  Frames frames{};
  bool wide = false, monic = true;
  bool apart = false;  // b and a are tensors of their own
};
inline std::ostream& operator<<(std::ostream& out, const VaryingShape& s) {
  return out << s.sections << " sections, " << s.rows << " rows of " << s.time << ", "
             << s.rows_per_set << " a set, hop " << s.frames.hop << ", offset " << s.frames.offset
             << (s.frames.linear ? ", linear" : ", held") << (s.wide ? ", in float64" : "")
             << (s.monic ? "" : ", a_0 is not 1") << (s.apart ? ", b and a apart" : "");
}

template <class T>
struct VaryingResult {
  Rows<T> y, grad_x;
  std::vector<acc_t<T>> state, adjoint_state, gradient;  // [sets, F, K, 6]
};

template <class T>
struct VaryingCase {
  using A = acc_t<T>;
  using E = exact_t<T>;
  VaryingShape shape;
  std::vector<A> wide_sos;  // what is filtered with, [sets, F, K, 6]
  std::vector<T> given;     // as it lies in memory, in the type of the signal,
  std::vector<A> wide;      // or in float64
  Rows<T> x, g;
  std::vector<A> zi, later;

  VaryingCase(Random& random, const VaryingShape& s)
      : shape(s),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 4)),
        zi(random.signal<A>(s.rows * s.sections * 2)),
        later(random.signal<A>(s.rows * s.sections * 2)) {
    const Frames& f = shape.frames;
    shape.frames.count = std::max<int64_t>((f.offset + s.time + f.hop - 1) / f.hop, 1) + s.time % 2;
    for (int64_t i = 0; i < sets() * shape.frames.count * s.sections; ++i) {
      const A a0 = s.monic ? A(1) : A(random.uniform(0.5, 2));
      for (int j = 0; j < 3; ++j) wide_sos.push_back(a0 * random.normal<A>() / 2.0);
      wide_sos.push_back(a0);
      for (const A& a : denominator<A>(random, 2, 0.9)) wide_sos.push_back(a0 * a);
    }
    lay_out();
  }
  // Puts wide_sos where the kernels find it, and rounds it as it is there.
  void lay_out() {
    if (is_wide()) {
      wide.resize(wide_sos.size());
      for (size_t i = 0; i < wide.size(); ++i) wide[place(i)] = wide_sos[i];
      return;
    }
    given.resize(wide_sos.size());
    for (size_t i = 0; i < given.size(); ++i) given[place(i)] = static_cast<T>(wide_sos[i]);
    // a loop of its own: in one with the rounding, GCC 12 reads complex numbers back unrounded
    for (size_t i = 0; i < given.size(); ++i) wide_sos[i] = A(given[place(i)]);
  }
  bool is_wide() const { return shape.frames.hop > 1 || shape.wide; }
  int64_t sets() const { return shape.rows / shape.rows_per_set; }
  // Where number i of wide_sos lies in memory.
  size_t place(size_t i) const {
    const size_t section = i / 6, tap = i % 6, half = wide_sos.size() / 2;
    if (!shape.apart) return i;
    return (tap < 3 ? 0 : half) + section * 3 + tap % 3;
  }
  template <class C>
  SectionNumbers<C> numbers(C* memory) const {
    if (memory == nullptr) return {};
    return {memory, memory + (shape.apart ? wide_sos.size() / 2 : 3)};
  }
  VaryingSections<T> view() const {
    return {.count = shape.sections,
            .frames = shape.frames,
            .rows_per_set = shape.rows_per_set,
            .stride = shape.apart ? 3 : 6,
            .given = numbers(given.empty() ? nullptr : given.data()),
            .wide = numbers(given.empty() ? wide.data() : nullptr)};
  }
  VaryingResult<T> blank() const {
    return {Rows<T>(shape.rows, shape.time, 2, kUntouched<T>),
            Rows<T>(shape.rows, shape.time, 1, kUntouched<T>), zi, later,
            std::vector<A>(wide_sos.size())};
  }
  LpvSosfiltForwardParams<T> forward(VaryingResult<T>& out) const {
    return {.sections = view(),
            .rows = shape.rows,
            .x = x.row(0),
            .x_stride = x.stride,
            .y = out.y.row(0),
            .y_stride = out.y.stride,
            .state = out.state.data()};
  }
  LpvSosfiltBackwardParams<T> backward(VaryingResult<T>& out) const {
    return {.sections = view(),
            .rows = shape.rows,
            .grad_y = g.row(0),
            .grad_y_stride = g.stride,
            .grad_x = out.grad_x.row(0),
            .grad_x_stride = out.grad_x.stride,
            .state = out.adjoint_state.data(),
            .x = x.row(0),
            .x_stride = x.stride,
            .y = out.y.row(0),
            .y_stride = out.y.stride};
  }
  // Into out.gradient, from where a kernel wrote it.
  template <class C>
  void take_gradient(const std::vector<C>& memory, VaryingResult<T>& out) const {
    for (size_t i = 0; i < out.gradient.size(); ++i) out.gradient[i] = A(memory[place(i)]);
  }
};

// The sections of a row at a sample, divided by a_0, which is at [3].
template <class T>
std::vector<exact_t<T>> exact_section(const VaryingCase<T>& c, int64_t row, int64_t n, int64_t k) {
  using E = exact_t<T>;
  const Frames& frames = c.shape.frames;
  const auto numbers = [&](int64_t frame) {
    const int64_t set = row / c.shape.rows_per_set * frames.count;
    return c.wide_sos.data() + ((set + frame) * c.shape.sections + k) * 6;
  };
  const auto *first = numbers(frames.before(n)), *after = numbers(frames.after(n));
  std::vector<E> h(6);
  for (int i = 0; i < 6; ++i) {
    h[i] = E(first[i]) + E(frames.part(n)) * (E(after[i]) - E(first[i]));
  }
  const E a0 = h[3];
  for (int i = 0; i < 6; ++i) h[i] = i == 3 ? a0 : h[i] / a0;
  return h;
}

template <class T>
void expect_its_definition(const VaryingCase<T>& c, const VaryingResult<T>& got) {
  using E = exact_t<T>;
  const int64_t time = c.shape.time, K = c.shape.sections;
  const Frames& frames = c.shape.frames;
  const double bound = tolerance<T>() * K, tight = 1e-11;
  std::vector<E> gradient(c.wide_sos.size());
  for (int64_t r = 0; r < c.shape.rows; ++r) {
    std::vector<std::vector<E>> u(K + 1, std::vector<E>(time));
    std::transform(c.x.row(r), c.x.row(r) + time, u[0].begin(), exact<T>);
    std::vector<E> g(time), state(2 * K), later(2 * K);
    for (int64_t k = 0; k < K; ++k) {
      E s0 = c.zi[(r * K + k) * 2], s1 = c.zi[(r * K + k) * 2 + 1];
      for (int64_t n = 0; n < time; ++n) {
        const auto h = exact_section(c, r, n, k);
        const E x = u[k][n], y = product(h[0], x) + s0;
        s0 = product(h[1], x) + s1 - product(h[4], y);
        s1 = product(h[2], x) - product(h[5], y);
        u[k + 1][n] = y;
      }
      state[2 * k] = s0;
      state[2 * k + 1] = s1;
    }
    std::transform(c.g.row(r), c.g.row(r) + time, g.begin(), exact<T>);
    for (int64_t k = K - 1; k >= 0; --k) {
      std::vector<E> lambda(time + 2);
      for (int j = 0; j < 2; ++j) lambda[time + j] = c.later[(r * K + k) * 2 + j];
      for (int64_t n = time - 1; n >= 0; --n) {
        const auto h = exact_section(c, r, n, k);
        const auto turned = [&](int i) { return conjugate_exact(h[i]); };
        lambda[n] = g[n] - product(turned(4), lambda[n + 1]) - product(turned(5), lambda[n + 2]);
        g[n] = E{};
        E of_taps[6] = {}, of_a0{};
        for (int i = 0; i < 3; ++i) {
          g[n] += product(turned(i), lambda[n + i]);
          of_taps[i] = product(lambda[n + i], conjugate_exact(u[k][n]));
          if (i > 0) of_taps[3 + i] = -product(lambda[n + i], conjugate_exact(u[k + 1][n]));
        }
        for (int i = 0; i < 6; ++i) {
          if (i == 3) continue;
          of_taps[i] /= turned(3);
          of_a0 -= product(turned(i), of_taps[i]);
        }
        of_taps[3] = of_a0;
        const E part = frames.part(n);
        for (int i = 0; i < 6; ++i) {
          const int64_t set = r / c.shape.rows_per_set * frames.count;
          gradient[((set + frames.before(n)) * K + k) * 6 + i] += of_taps[i] * (E(1) - part);
          gradient[((set + frames.after(n)) * K + k) * 6 + i] += of_taps[i] * part;
        }
      }
      later[2 * k] = lambda[0];
      later[2 * k + 1] = lambda[1];
    }
    ASSERT_LE(largest_error(got.y.row(r), u[K].data(), time), bound) << "y of row " << r;
    ASSERT_LE(largest_error(got.grad_x.row(r), g.data(), time, 1, true), bound)
        << "grad_x of row " << r;
    ASSERT_LE(largest_error(&got.state[r * K * 2], state.data(), 2 * K), tight) << r;
    ASSERT_LE(largest_error(&got.adjoint_state[r * K * 2], later.data(), 2 * K), tight) << r;
  }
  double largest = 0;
  for (const E& v : gradient) largest = std::max(largest, static_cast<double>(std::abs(v)));
  const auto size = static_cast<int64_t>(gradient.size());
  // y, of which it is made, is of the signal's type
  const double of_gradient = std::max(tight, tolerance<T>());
  ASSERT_LE(largest_error(got.gradient.data(), gradient.data(), size, largest), of_gradient);
  expect_gaps_untouched(got.y);
  expect_gaps_untouched(got.grad_x);
}

}  // namespace polezero::test
