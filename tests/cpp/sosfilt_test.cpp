// Cascades of sections, and their adjoint with its sums, against their definition
// (params/sosfilt.h) in extended precision.
#include "kernel_cases.h"

namespace polezero::test {
namespace {

struct SosShape {
  int64_t rows, time, sections;
  bool a_row = false;  // a cascade for each row
};
inline std::ostream& operator<<(std::ostream& out, const SosShape& s) {
  return out << s.sections << " sections, " << s.rows << " rows of " << s.time
             << (s.a_row ? ", a cascade a row" : ", one cascade");
}

template <class T>
struct SosResult {
  Rows<T> y, grad_x;
  std::vector<acc_t<T>> state, adjoint_state, sums;

  bool operator==(const SosResult&) const = default;
};

template <class T>
struct SosCase {
  using A = acc_t<T>;
  SosShape shape;
  std::vector<A> c;  // b_0 b_1 b_2 a_1 a_2 of each section
  std::vector<A> b, a;
  Rows<T> x, g;
  std::vector<A> zi, later;  // states of the filter before, of the adjoint after

  SosCase(Random& random, const SosShape& s)
      : shape(s),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 4)),
        zi(random.signal<A>(s.rows * s.sections * 2)),
        later(random.signal<A>(s.rows * s.sections * 2)) {
    for (int64_t i = 0; i < (s.a_row ? s.rows : 1) * s.sections; ++i) {
      for (int j = 0; j < 3; ++j) c.push_back(random.normal<A>() / 2.0);
      const std::vector<A> tail = denominator<A>(random, 2, 0.9);
      c.insert(c.end(), tail.begin(), tail.end());
      b.insert(b.end(), c.end() - 5, c.end() - 2);
      a.insert(a.end(), c.end() - 2, c.end());
    }
  }
  const A* section(int64_t row, int64_t k) const {
    return c.data() + 5 * ((shape.a_row ? row * shape.sections : 0) + k);
  }
  SosResult<T> run(const KernelsOf<T>& kernels, const std::vector<Range>& ranges,
                   bool with_sums = true) const {
    const Sections<T> sections{shape.sections,
                               {2, 2, 2, shape.a_row ? shape.sections : 0, b.data(), a.data()}};
    SosResult<T> out{Rows<T>(shape.rows, shape.time, 2, kUntouched<T>),
                     Rows<T>(shape.rows, shape.time, 1, kUntouched<T>), zi, later,
                     std::vector<A>(shape.rows * shape.sections * 5)};
    for (const Range& range : ranges) {
      kernels.sosfilt_forward(
          {sections, x.row(0), x.stride, out.y.row(0), out.y.stride, out.state.data()}, range);
      kernels.sosfilt_backward({sections, g.row(0), g.stride, out.grad_x.row(0), out.grad_x.stride,
                                with_sums ? x.row(0) : nullptr, x.stride, zi.data(),
                                out.adjoint_state.data(), out.sums.data()},
                               range);
    }
    return out;
  }
  SosResult<T> run(const KernelsOf<T>& kernels) const {
    return run(kernels, {{0, shape.rows, 0, shape.time}});
  }
};

template <class T>
void expect(const SosCase<T>& c, const SosResult<T>& got) {
  using E = exact_t<T>;
  const int64_t time = c.shape.time, K = c.shape.sections;
  for (int64_t r = 0; r < c.shape.rows; ++r) {
    std::vector<std::vector<E>> u(K + 1, std::vector<E>(time));  // the signals between sections
    std::transform(c.x.row(r), c.x.row(r) + time, u[0].begin(), exact<T>);
    std::vector<E> g(time), sums(5 * K), state(2 * K), later(2 * K);
    for (int64_t k = 0; k < K; ++k) {
      const acc_t<T>* h = c.section(r, k);
      E s0 = c.zi[(r * K + k) * 2], s1 = c.zi[(r * K + k) * 2 + 1];
      for (int64_t n = 0; n < time; ++n) {
        const E x = u[k][n], y = product(E(h[0]), x) + s0;
        s0 = product(E(h[1]), x) + s1 - product(E(h[3]), y);
        s1 = product(E(h[2]), x) - product(E(h[4]), y);
        u[k + 1][n] = y;
      }
      state[2 * k] = s0;
      state[2 * k + 1] = s1;
    }
    std::transform(c.g.row(r), c.g.row(r) + time, g.begin(), exact<T>);
    for (int64_t k = K - 1; k >= 0; --k) {
      const acc_t<T>* h = c.section(r, k);
      std::vector<E> lambda(time + 2);
      for (int j = 0; j < 2; ++j) lambda[time + j] = c.later[(r * K + k) * 2 + j];
      for (int64_t n = time - 1; n >= 0; --n) {
        lambda[n] = g[n];
        for (int i = 1; i <= 2; ++i) {
          lambda[n] -= product(conjugate_exact(E(h[2 + i])), lambda[n + i]);
        }
        g[n] = E{};
        for (int i = 0; i <= 2; ++i) {
          g[n] += product(conjugate_exact(E(h[i])), lambda[n + i]);
          sums[5 * k + i] += product(lambda[n + i], conjugate_exact(u[k][n]));
          if (i > 0) sums[5 * k + 2 + i] -= product(lambda[n + i], conjugate_exact(u[k + 1][n]));
        }
      }
      later[2 * k] = lambda[0];
      later[2 * k + 1] = lambda[1];
    }
    const double tight = 1e-11;  // of what is float64 throughout
    // A section amplifies what those before it have rounded: of float64, 4.9e-14 was measured
    // with 9.
    const double bound = tolerance<T>() * K;
    ASSERT_LE(largest_error(got.y.row(r), u[K].data(), time), bound) << "y of row " << r;
    ASSERT_LE(largest_error(got.grad_x.row(r), g.data(), time), bound) << "grad_x of row " << r;
    ASSERT_LE(largest_error(&got.state[r * K * 2], state.data(), 2 * K), tight) << r;
    ASSERT_LE(largest_error(&got.adjoint_state[r * K * 2], later.data(), 2 * K), tight) << r;
    ASSERT_LE(largest_error(&got.sums[r * K * 5], sums.data(), 5 * K), tight) << r;
  }
  expect_gaps_untouched(got.y);
  expect_gaps_untouched(got.grad_x);
}

template <class T>
class Sosfilt : public ::testing::Test {};
TYPED_TEST_SUITE(Sosfilt, ScalarTypes);

TYPED_TEST(Sosfilt, EqualTheirDefinition) {
  Random random(1);
  for (const bool a_row : {false, true}) {
    for (const int64_t rows : {1, 3, 8, 11}) {
      for (const int64_t sections : {1, 2, 3, 4, 5, 9}) {
        for (const int64_t time : {1, 2, 3, 9, 63, 64, 65, 200}) {
          const SosCase<TypeParam> c(random, {rows, time, sections, a_row});
          SCOPED_TRACE(c.shape);
          on_every_isa<TypeParam>([&](const auto& kernels) { expect(c, c.run(kernels)); });
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(Sosfilt, GradientOfTheSignalAloneIsTheSame) {
  Random random(2);
  const SosCase<TypeParam> c(random, {11, 150, 5});
  on_every_isa<TypeParam>([&](const auto& kernels) {
    const auto alone = c.run(kernels, {{0, 11, 0, 150}}, /*with_sums=*/false);
    const auto all = c.run(kernels);
    for (int64_t r = 0; r < 11; ++r) {
      ASSERT_LE(largest_error(alone.grad_x.row(r), all.grad_x.row(r), 150), tolerance<TypeParam>());
    }
  });
}

TYPED_TEST(Sosfilt, RowsInRangesHaveTheSameBits) {
  Random random(3);
  for (const bool a_row : {false, true}) {
    const SosCase<TypeParam> c(random, {13, 111, 6, a_row});
    on_every_isa<TypeParam>([&](const auto& kernels) {
      const std::vector<Range> ranges = {{9, 13, 0, 111}, {0, 0, 0, 111}, {0, 9, 0, 111}};
      ASSERT_TRUE(c.run(kernels, ranges) == c.run(kernels)) << c.shape;
    });
  }
}

TYPED_TEST(Sosfilt, NonFiniteSamplesStayInTheirRow) {
  using T = TypeParam;
  Random random(4);
  const SosCase<T> clean(random, {9, 100, 5});
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    SosCase<T> c = clean;
    c.x.row(4)[37] = static_cast<T>(bad);
    on_every_isa<T>([&](const auto& kernels) {
      const auto got = c.run(kernels), want = clean.run(kernels);
      for (int64_t r = 0; r < 9; ++r) {
        for (int64_t n = 0; n < 100; ++n) {
          if (r == 4 && n >= 37) {
            ASSERT_FALSE(std::isfinite(std::abs(got.y.row(r)[n]))) << n;
          } else {
            ASSERT_EQ(got.y.row(r)[n], want.y.row(r)[n]) << r << ' ' << n;
          }
        }
      }
    });
  }
}

}  // namespace
}  // namespace polezero::test
