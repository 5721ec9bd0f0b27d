// Normalised lattices against their definition (params/lattice.h) in extended precision, and their
// adjoint, alone and fused with the gradient of k, against them.
#include "emulated_kernels.h"

namespace polezero::test {
namespace {

struct LatticeShape {
  int64_t rows, time, order, inputs, outputs;  // ports: 1 or order + 1
  bool constant = false, a_row = false;
};
inline std::ostream& operator<<(std::ostream& out, const LatticeShape& s) {
  return out << "order " << s.order << ", " << s.inputs << " to " << s.outputs << " ports, "
             << s.rows << " rows of " << s.time << (s.constant ? ", constant" : "")
             << (s.a_row ? ", a lattice a row" : "");
}

template <class T>
struct LatticeCase {
  using A = acc_t<T>;
  LatticeShape shape;
  std::vector<T> k;
  std::vector<A> constant_k;
  Rows<T> u, g;
  std::vector<A> zi, later;

  LatticeCase(Random& random, const LatticeShape& s)
      : shape(s),
        u(random_rows<T>(random, s.rows * s.inputs, s.time, 3)),
        g(random_rows<T>(random, s.rows * s.outputs, s.time, 1)),
        zi(random.signal<A>(s.rows * s.order)),
        later(random.signal<A>(s.rows * s.order)) {
    const int64_t sets = s.a_row ? s.rows : 1;
    if (s.constant) {
      constant_k = reflections<A>(random, sets * s.order);
    } else {
      k = reflections<T>(random, sets * s.time * s.order);
    }
  }
  template <class S>
  static std::vector<S> reflections(Random& random, int64_t count) {
    auto values = random.signal<S>(count);
    for (S& v : values) v = v / static_cast<S>(1.2 + 1.2 * std::abs(v));
    return values;
  }
  LatticeStages<T> stages() const {
    const int64_t N = shape.order;
    if (shape.constant) return {N, nullptr, constant_k.data(), shape.a_row ? N : 0};
    return {N, k.data(), nullptr, shape.a_row ? shape.time * N : 0};
  }
  // of stage i = 1..N
  A k_at(int64_t r, int64_t n, int64_t i) const {
    const int64_t at = r * stages().k_stride + i - 1;
    return shape.constant ? constant_k[at] : A(k[at + n * shape.order]);
  }
  static LatticePorts<const T> in(const Rows<T>& rows, int64_t count) {
    return {rows.row(0), rows.stride, count};
  }
  static LatticePorts<T> out(Rows<T>& rows, int64_t count) {
    return {rows.row(0), rows.stride, count};
  }
  Range all() const { return {0, shape.rows, 0, shape.time}; }

  std::pair<Rows<T>, std::vector<A>> run(const KernelsOf<T>& kernels, bool adjoint) const {
    const int64_t from = adjoint ? shape.outputs : shape.inputs;
    const int64_t to = adjoint ? shape.inputs : shape.outputs;
    Rows<T> z(shape.rows * to, shape.time, 2, kUntouched<T>);
    std::vector<A> state = adjoint ? later : zi;
    kernels.lattice_forward(
        {stages(), adjoint, in(adjoint ? g : u, from), out(z, to), state.data()}, all());
    return {z, state};
  }
  struct Fused {
    Rows<T> grad_u;
    std::vector<A> state, sum_k;
    std::vector<T> grad_k;
  };
  // tests/python has the gradient of k against other derivatives.
  Fused run_fused(const KernelsOf<T>& kernels) const {
    Fused r{Rows<T>(shape.rows * shape.inputs, shape.time, 2, kUntouched<T>), later,
            std::vector<A>(shape.constant ? shape.rows * shape.order : 0),
            unwritten<T>(shape.constant ? 0 : shape.rows * shape.time * shape.order)};
    kernels.lattice_backward(
        {stages(), in(u, shape.inputs), in(g, shape.outputs), out(r.grad_u, shape.inputs),
         zi.data(), r.state.data(), shape.constant ? nullptr : r.grad_k.data(),
         shape.constant ? r.sum_k.data() : nullptr},
        all());
    return r;
  }
};

template <class T>
void expect_its_definition(const LatticeCase<T>& c, const KernelsOf<T>& kernels) {
  using E = exact_t<T>;
  const auto& s = c.shape;
  const int64_t N = s.order;
  const auto [z, state] = c.run(kernels, false);
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<E> p(N + 1);
    std::copy_n(c.zi.begin() + r * N, N, p.begin());
    std::vector<std::vector<E>> want(s.outputs, std::vector<E>(s.time));
    for (int64_t n = 0; n < s.time; ++n) {
      std::vector<E> k(N + 1), cosine(N + 1), gain(N + 1, E(1));
      for (int64_t i = 1; i <= N; ++i) {
        k[i] = E(c.k_at(r, n, i));
        cosine[i] = std::sqrt(1 - std::norm(k[i]));
        gain[i] = product(gain[i - 1], cosine[i]);
      }
      for (int64_t i = N; i > 0; --i) p[i] = p[i - 1];
      p[0] = exact<T>(c.u.row(r * s.inputs)[n]) / gain[N];
      for (int64_t i = 1; i < s.inputs; ++i) p[i] += exact<T>(c.u.row(r * s.inputs + i)[n]);
      for (int64_t i = N; i > 0; --i) {
        const E f = p[0], other = p[i];
        p[0] = product(cosine[i], f) - product(k[i], other);
        p[i] = product(conjugate_exact(k[i]), f) + product(cosine[i], other);
      }
      for (int64_t i = 0; i < s.outputs; ++i) want[i][n] = product(gain[i], p[i]);
    }
    for (int64_t i = 0; i < s.outputs; ++i) {
      ASSERT_LE(largest_error(z.row(r * s.outputs + i), want[i].data(), s.time), tolerance<T>());
    }
    ASSERT_LE(largest_error(&state[r * N], p.data(), N), tolerance<double>());
  }
  expect_gaps_untouched(z);
}

// <z, g> + <zf, later> = <u, adjoint of g> + <zi, what it leaves before the beginning>
template <class T>
void expect_adjoint(const LatticeCase<T>& c, const KernelsOf<T>& kernels) {
  using E = exact_t<T>;
  const auto [z, zf] = c.run(kernels, false);
  const auto adjoint = c.run(kernels, true);
  E one(0), other(0);
  double size = 1;
  auto add = [&](E& sum, auto v, auto w) {
    sum += product(conjugate_exact(E(v)), E(w));
    size += std::norm(std::complex<double>(w));
  };
  for (int64_t r = 0; r < z.rows; ++r) {
    for (int64_t n = 0; n < z.time; ++n) add(one, c.g.row(r)[n], z.row(r)[n]);
  }
  for (int64_t r = 0; r < c.u.rows; ++r) {
    for (int64_t n = 0; n < z.time; ++n) add(other, adjoint.first.row(r)[n], c.u.row(r)[n]);
  }
  for (size_t i = 0; i < zf.size(); ++i) {
    add(one, c.later[i], zf[i]);
    add(other, adjoint.second[i], c.zi[i]);
  }
  ASSERT_LE(std::abs(one - other), 20 * tolerance<T>() * std::sqrt(size)) << one << ' ' << other;
  const auto fused = c.run_fused(kernels);
  for (int64_t r = 0; r < c.u.rows; ++r) {
    ASSERT_LE(largest_error(fused.grad_u.row(r), adjoint.first.row(r), z.time), tolerance<T>());
  }
  ASSERT_LE(largest_error(fused.state.data(), adjoint.second.data(), zf.size()),
            tolerance<double>());
  expect_gaps_untouched(fused.grad_u);
}

template <class T>
void expect_gradient_of_the_baseline(const LatticeCase<T>& c, const KernelsOf<T>& kernels) {
  const auto got = c.run_fused(kernels), want = c.run_fused(Emulated<T>::baseline_kernels());
  ASSERT_LE(largest_error(got.grad_k.data(), want.grad_k.data(), got.grad_k.size()),
            10 * tolerance<T>());
  // Both are float64, each with its own roundings (on arm64, whose compiler contracts: 3.4e-14).
  ASSERT_LE(largest_error(got.sum_k.data(), want.sum_k.data(), got.sum_k.size()),
            2 * tolerance<double>());
}

template <class T>
class Lattices : public ::testing::Test {};
TYPED_TEST_SUITE(Lattices, ScalarTypes);

TYPED_TEST(Lattices, EqualTheirDefinitionAndTheirAdjoint) {
  Random random(1);
  for (const bool constant : {false, true}) {
    for (const bool a_row : {false, true}) {
      for (const int64_t rows : {1, 3, 8, 11}) {
        for (const int64_t time : {1, 9, 16, 33, 100}) {
          for (const int64_t N : {1, 2, 3, 9}) {
            for (const auto& [inputs, outputs] :
                 {std::pair<int64_t, int64_t>{1, 1}, {1, N + 1}, {N + 1, 1}, {N + 1, N + 1}}) {
              const LatticeCase<TypeParam> c(random,
                                             {rows, time, N, inputs, outputs, constant, a_row});
              SCOPED_TRACE(c.shape);
              const auto check = [&](const auto& kernels) {
                expect_its_definition(c, kernels);
                expect_adjoint(c, kernels);
              };
              on_every_isa<TypeParam>(check);
              if (rows == 3) {
                on_an_emulated_gpu<TypeParam>([&](const auto& kernels) {
                  check(kernels);
                  expect_gradient_of_the_baseline(c, kernels);
                });
              }
              if (this->HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
