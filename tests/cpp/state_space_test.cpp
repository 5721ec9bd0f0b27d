// State-space filters against their definition (params/state_space.h) in extended precision, and
// their adjoint against them.
#include "emulated_kernels.h"

namespace polezero::test {
namespace {

struct SystemShape {
  int64_t rows, time, states, inputs, outputs;
  bool varying = false, a_row = false;  // matrices over time; a system for each row
};
inline std::ostream& operator<<(std::ostream& out, const SystemShape& s) {
  return out << s.states << " states, " << s.inputs << " to " << s.outputs << " signals, " << s.rows
             << " rows of " << s.time << (s.varying ? ", varying" : "")
             << (s.a_row ? ", a row" : "");
}

template <class T>
struct SystemCase {
  using A = acc_t<T>;
  SystemShape shape;
  std::vector<T> a, b, c, d;
  Rows<T> x, g;              // of the filter and of its adjoint
  std::vector<A> zi, later;  // likewise

  SystemCase(Random& random, const SystemShape& s)
      : shape(s),
        a(matrices(random, s.states * s.states)),
        b(matrices(random, s.states * s.inputs)),
        c(matrices(random, s.outputs * s.states)),
        d(matrices(random, s.outputs * s.inputs)),
        x(random_rows<T>(random, s.rows * s.inputs, s.time, 3)),
        g(random_rows<T>(random, s.rows * s.outputs, s.time, 1)),
        zi(random.signal<A>(s.rows * s.states)),
        later(random.signal<A>(s.rows * s.states)) {
    for (T& v : a) v = v / static_cast<T>(1.2 * s.states * (1 + std::abs(v)));  // stable
  }

  std::vector<T> matrices(Random& random, int64_t size) const {
    const int64_t count = (shape.a_row ? shape.rows : 1) * (shape.varying ? shape.time : 1);
    return random.signal<T>(count * size);
  }
  Matrices<T> view(const std::vector<T>& m, int64_t size) const {
    const int64_t times = shape.varying ? shape.time : 1;
    return {m.data(), shape.a_row ? times * size : 0, shape.varying ? size : 0};
  }
  const T* at(const std::vector<T>& m, int64_t size, int64_t r, int64_t n) const {
    const Matrices<T> v = view(m, size);
    return v.data + r * v.row_stride + n * v.time_stride;
  }

  // The output and the last state.
  std::pair<Rows<T>, std::vector<A>> run(const KernelsOf<T>& kernels, bool adjoint) const {
    const SystemShape& s = shape;
    const int64_t inputs = adjoint ? s.outputs : s.inputs, outputs = adjoint ? s.inputs : s.outputs;
    Rows<T> y(s.rows * outputs, s.time, 2, kUntouched<T>);
    std::vector<A> state = adjoint ? later : zi;
    const Rows<T>& in = adjoint ? g : x;
    kernels.state_space(
        {adjoint, s.states, inputs, outputs, view(a, s.states * s.states),
         view(b, s.states * s.inputs), view(c, s.outputs * s.states), view(d, s.outputs * s.inputs),
         in.row(0), in.stride, y.row(0), y.stride, state.data()},
        {0, s.rows, 0, s.time});
    return {y, state};
  }
};

template <class T>
void expect_its_definition(const SystemCase<T>& c, const KernelsOf<T>& kernels) {
  using E = exact_t<T>;
  const auto& s = c.shape;
  const auto [y, state] = c.run(kernels, false);
  auto times = [&](const T* m, const std::vector<E>& v, int64_t i) {
    E sum(0);
    for (size_t j = 0; j < v.size(); ++j) sum += product(exact<T>(m[i * v.size() + j]), v[j]);
    return sum;
  };
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<E> v(c.zi.begin() + r * s.states, c.zi.begin() + (r + 1) * s.states), u(s.inputs);
    std::vector<std::vector<E>> want(s.outputs, std::vector<E>(s.time));
    for (int64_t n = 0; n < s.time; ++n) {
      for (int64_t i = 0; i < s.inputs; ++i) u[i] = exact<T>(c.x.row(r * s.inputs + i)[n]);
      for (int64_t o = 0; o < s.outputs; ++o) {
        want[o][n] = times(c.at(c.c, s.outputs * s.states, r, n), v, o) +
                     times(c.at(c.d, s.outputs * s.inputs, r, n), u, o);
      }
      std::vector<E> next(s.states);
      for (int64_t i = 0; i < s.states; ++i) {
        next[i] = times(c.at(c.a, s.states * s.states, r, n), v, i) +
                  times(c.at(c.b, s.states * s.inputs, r, n), u, i);
      }
      v = next;
    }
    for (int64_t o = 0; o < s.outputs; ++o) {
      ASSERT_LE(largest_error(y.row(r * s.outputs + o), want[o].data(), s.time), tolerance<T>());
    }
    ASSERT_LE(largest_error(&state[r * s.states], v.data(), s.states), tolerance<double>());
  }
  expect_gaps_untouched(y);
}

// <y, g> + <zf, later> = <x, adjoint of g> + <zi, what it leaves before the beginning>
template <class T>
void expect_adjoint(const SystemCase<T>& c, const KernelsOf<T>& kernels) {
  using E = exact_t<T>;
  const auto [y, zf] = c.run(kernels, false);
  const auto [z, before] = c.run(kernels, true);
  E one(0), other(0);
  auto add = [](E& sum, auto u, auto v) { sum += product(conjugate_exact(E(u)), E(v)); };
  for (int64_t r = 0; r < y.rows; ++r) {
    for (int64_t n = 0; n < y.time; ++n) add(one, c.g.row(r)[n], y.row(r)[n]);
  }
  for (int64_t r = 0; r < z.rows; ++r) {
    for (int64_t n = 0; n < z.time; ++n) add(other, z.row(r)[n], c.x.row(r)[n]);
  }
  for (size_t i = 0; i < zf.size(); ++i) {
    add(one, c.later[i], zf[i]);
    add(other, before[i], c.zi[i]);
  }
  const double size = std::sqrt(static_cast<double>(y.rows * y.time + 1));
  ASSERT_LE(std::abs(one - other), 20 * tolerance<T>() * size) << one << ' ' << other;
}

template <class T>
class StateSpaces : public ::testing::Test {};
TYPED_TEST_SUITE(StateSpaces, ScalarTypes);

TYPED_TEST(StateSpaces, EqualTheirDefinitionAndTheirAdjoint) {
  Random random(1);
  for (const bool varying : {false, true}) {
    for (const bool a_row : {false, true}) {
      for (const int64_t rows : {1, 3, 8, 11}) {
        for (const int64_t time : {1, 9, 64, 130}) {
          for (const auto& [S, I, O] : {std::array<int64_t, 3>{1, 1, 1},
                                        {2, 1, 1},
                                        {4, 1, 1},
                                        {3, 2, 1},
                                        {4, 1, 3},
                                        {7, 2, 2}}) {
            const SystemCase<TypeParam> c(random, {rows, time, S, I, O, varying, a_row});
            SCOPED_TRACE(c.shape);
            const auto check = [&](const auto& kernels) {
              expect_its_definition(c, kernels);
              expect_adjoint(c, kernels);
            };
            on_every_isa<TypeParam>(check);
            if (rows == 3) on_an_emulated_gpu<TypeParam>(check);
            if (this->HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
