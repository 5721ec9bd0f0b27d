// Cascades as a GPU filters them, on an emulated one: against their definition, and the adjoint
// against them.
#include "kernels/cuda/tile/sosfilt_gradient.h"
#include "scan_launch.h"

namespace polezero::test {
namespace {

struct SosScanShape {
  int64_t rows, time, sections;
  bool a_row = false;
  double radius = 0.9;
};
inline std::ostream& operator<<(std::ostream& out, const SosScanShape& s) {
  return out << s.sections << " sections, " << s.rows << " rows of " << s.time
             << (s.a_row ? ", a cascade a row" : "") << ", radius " << s.radius;
}

template <class T>
struct SosScanCase {
  SosScanShape shape;
  FilterBank<T> bank;  // all sections of all rows
  Rows<T> x, g;
  std::vector<acc_t<T>> zi, later;

  SosScanCase(Random& random, const SosScanShape& s)
      : shape(s),
        bank(random, 2, 2, (s.a_row ? s.rows : 1) * s.sections, s.radius),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 1)),
        zi(random.signal<acc_t<T>>(s.rows * s.sections * 2)),
        later(random.signal<acc_t<T>>(s.rows * s.sections * 2)) {}

  struct Result {
    Rows<T> y;
    std::vector<acc_t<T>> zf;
    bool operator==(const Result&) const = default;
  };
  // In float64, or in the pairs of GPUs whose float64 is slow.
  template <bool adjoint, bool pairs = false>
  Result run(const Launch& launch) const {
    const int64_t K = shape.sections;
    Result out{Rows<T>(shape.rows, shape.time, 2, T(-1)), std::vector<acc_t<T>>(zi.size())};
    FilterBank<T> sections = bank;
    if constexpr (adjoint && kComplex<T>) {
      for (auto& c : sections.b) c = std::conj(c);
      for (auto& c : sections.a) c = std::conj(c);
    }
    std::vector<acc_t<T>> carried(launch.look_back ? 0 : zi.size());
    const Rows<T>& in = adjoint ? g : x;
    Sections<T> of_rows{K, sections.view()};
    of_rows.filters.filter_stride = shape.a_row ? K : 0;
    SosfiltScan<T> p{.sections = of_rows,
                     .rows = shape.rows,
                     .time = shape.time,
                     .x = in.row(0),
                     .x_stride = in.stride,
                     .y = out.y.row(0),
                     .y_stride = out.y.stride,
                     .zi = (adjoint ? later : zi).data(),
                     .zf = out.zf.data(),
                     .carried = launch.look_back ? nullptr : carried.data()};
    const Prepared<T, 2> prepared(launch, sections.view(), sections.count, shape.rows, shape.time,
                                  K);
    const auto with = [&](auto lanes) {
      run_grid<
          std::conditional_t<pairs, LfilterPairShared<T, 2, lanes>, ScanShared<SectionCarry<T>>>>(
          prepared.tickets, launch.warps, launch.resident, launch.delay,
          [&](auto& block, auto& memory, int64_t ticket) {
            sosfilt_block<T, adjoint>(block, memory, prepared.plan, p, ticket);
          },
          lanes);
    };
    launch.lanes == kWarp ? with(std::integral_constant<int, kWarp>{})
                          : with(std::integral_constant<int, 8>{});
    return out;
  }
};

template <class T>
void expect_its_definition(const SosScanCase<T>& c, const typename SosScanCase<T>::Result& got) {
  const auto& s = c.shape;
  const double bound = 10 * tolerance<T>(s.radius);
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<exact_t<T>> u(c.x.row(r), c.x.row(r) + s.time), zf;
    double scale = 1;
    for (int64_t k = 0; k < s.sections; ++k) {
      const int64_t f = (s.a_row ? r * s.sections : 0) + k, place = (r * s.sections + k) * 2;
      const auto *b = c.bank.b.data() + 3 * f, *a = c.bank.a.data() + 2 * f;
      exact_t<T> s0 = exact(c.zi[place]), s1 = exact(c.zi[place + 1]);
      for (auto& v : u) {
        const exact_t<T> x = v;
        v = product(exact(b[0]), x) + s0;
        s0 = product(exact(b[1]), x) + s1 - product(exact(a[0]), v);
        s1 = product(exact(b[2]), x) - product(exact(a[1]), v);
        scale = std::max(scale, static_cast<double>(std::abs(v)));
      }
      zf.insert(zf.end(), {s0, s1});
    }
    ASSERT_LE(largest_error(got.y.row(r), u.data(), s.time, scale), bound);
    ASSERT_LE(largest_error(&got.zf[r * zf.size()], zf.data(), zf.size(), scale), bound);
  }
}

// <y, g> + <zf, later> = <x, adjoint of g> + <zi, what it leaves before the beginning>
template <class T>
void expect_adjoint(const SosScanCase<T>& c, const typename SosScanCase<T>::Result& filtered,
                    const typename SosScanCase<T>::Result& adjoint) {
  using E = exact_t<T>;
  E one(0), other(0);
  double size = 1;
  auto add = [&](E& sum, auto u, auto v) {
    sum += product(conjugate_exact(exact(u)), exact(v));
    size += static_cast<double>(std::norm(std::complex<long double>(exact(v))));
    size += static_cast<double>(std::norm(std::complex<long double>(exact(u))));
  };
  for (int64_t r = 0; r < c.shape.rows; ++r) {
    for (int64_t n = 0; n < c.shape.time; ++n) {
      add(one, c.g.row(r)[n], filtered.y.row(r)[n]);
      add(other, adjoint.y.row(r)[n], c.x.row(r)[n]);
    }
  }
  for (size_t i = 0; i < c.zi.size(); ++i) {
    add(one, c.later[i], filtered.zf[i]);
    add(other, adjoint.zf[i], c.zi[i]);
  }
  ASSERT_LE(std::abs(one - other), tolerance<T>(c.shape.radius) * size) << one << ' ' << other;
}

template <class T>
struct SosGradient {
  Rows<T> grad_x;
  std::vector<acc_t<T>> grad_zi, grad_sos;
  bool operator==(const SosGradient&) const = default;

  explicit SosGradient(const SosScanCase<T>& c)
      : grad_x(c.shape.rows, c.shape.time, 2, T(-1)),
        grad_zi(c.zi.size(), acc_t<T>(-1)),
        grad_sos(c.zi.size() * 3, acc_t<T>(-1)) {}
};
constexpr double kSosA0 = 2;  // what the sections are given over

// The filter, its adjoint with sums, and what becomes of them, as csrc/kernels/cuda/sosfilt.cu
// launches them.
template <class T>
SosGradient<T> gradient_of(const SosScanCase<T>& c, const Launch& launch) {
  using A = acc_t<T>;
  const int64_t K = c.shape.sections, time = c.shape.time, rows = c.shape.rows;
  SosGradient<T> out(c);
  FilterBank<T> conjugated = c.bank;
  if constexpr (kComplex<T>) {
    for (auto& v : conjugated.b) v = std::conj(v);
    for (auto& v : conjugated.a) v = std::conj(v);
  }
  const auto sections = [&](const FilterBank<T>& bank) {
    Sections<T> of_rows{K, bank.view()};
    of_rows.filters.filter_stride = c.shape.a_row ? K : 0;
    return of_rows;
  };
  std::vector<A> carried(c.zi.size()), states(rows * K * (time / kSamples<T>)*2);
  SosfiltScan<T> p{.sections = sections(c.bank),
                   .rows = rows,
                   .time = time,
                   .x = c.x.row(0),
                   .x_stride = c.x.stride,
                   .zi = c.zi.data(),
                   .carried = launch.look_back ? nullptr : carried.data(),
                   .unit_states = states.data()};
  const Prepared<T, 2> forward(launch, c.bank.view(), c.bank.count, rows, time, K);
  run_grid<ScanShared<SectionCarry<T>>>(
      forward.tickets, launch.warps, launch.resident, launch.delay,
      [&](auto& block, auto& memory, int64_t ticket) {
        sosfilt_block<T, false>(block, memory, forward.plan, p, ticket);
      },
      launch.lanes);
  const Prepared<T, 2> backward(launch, conjugated.view(), c.bank.count, rows, time, K);
  const int64_t tiles = backward.plan.tiles;
  std::vector<A> sums(rows * tiles * K * kSectionSums);
  p.sections = sections(conjugated);
  p.x = c.g.row(0);
  p.x_stride = c.g.stride;
  p.y = out.grad_x.row(0);
  p.y_stride = out.grad_x.stride;
  p.zi = c.later.data();
  p.zf = out.grad_zi.data();
  const SosfiltSums<T> filter{c.x.row(0), c.x.stride, c.zi.data(), states.data(), sums.data()};
  run_grid<SosfiltSumsShared<T>>(
      backward.tickets, launch.warps, launch.resident, launch.delay,
      [&](auto& block, auto& memory, int64_t ticket) {
        sosfilt_gradient_block<T>(block, memory, backward.plan, p, filter, ticket);
      },
      launch.lanes);
  const std::vector<A> a0(c.bank.count, A(kSosA0));
  run_grid<int>(rows * K, 1, 1, 0, [&](auto& block, int&, int64_t section) {
    finish_section(block, p.sections, a0.data(), sums.data(), tiles, section, out.grad_sos.data());
  });
  return out;
}

// Sums over time as they stand in params/sosfilt.h, of signals in extended precision.
template <class T>
void expect_gradient(const SosScanCase<T>& c, const SosGradient<T>& got) {
  using E = exact_t<T>;
  const auto& s = c.shape;
  const int64_t K = s.sections, T_ = s.time;
  const double bound = 10 * tolerance<T>(s.radius), tight = 10 * tolerance<double>(s.radius);
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<std::vector<E>> u(K + 1, std::vector<E>(T_));
    std::transform(c.x.row(r), c.x.row(r) + T_, u[0].begin(), exact<T>);
    std::vector<E> g(T_), first(2 * K);
    std::transform(c.g.row(r), c.g.row(r) + T_, g.begin(), exact<T>);
    const auto coefficients = [&](int64_t k) {
      const int64_t f = (s.a_row ? r * K : 0) + k;
      const auto *b = &c.bank.b[3 * f], *a = &c.bank.a[2 * f];
      return std::vector<E>{exact(b[0]), exact(b[1]), exact(b[2]), exact(a[0]), exact(a[1])};
    };
    double scale = 1;
    for (int64_t k = 0; k < K; ++k) {
      const auto h = coefficients(k);
      E s0 = exact(c.zi[(r * K + k) * 2]), s1 = exact(c.zi[(r * K + k) * 2 + 1]);
      for (int64_t n = 0; n < T_; ++n) {
        const E x = u[k][n], y = u[k + 1][n] = product(h[0], x) + s0;
        s0 = product(h[1], x) + s1 - product(h[3], y);
        s1 = product(h[2], x) - product(h[4], y);
      }
    }
    for (int64_t k = K - 1; k >= 0; --k) {
      const auto h = coefficients(k);
      std::vector<E> lambda(T_ + 2), sums(5);
      for (int j = 0; j < 2; ++j) lambda[T_ + j] = exact(c.later[(r * K + k) * 2 + j]);
      double size = 1;
      for (int64_t n = T_ - 1; n >= 0; --n) {
        lambda[n] = g[n];
        for (int i = 1; i <= 2; ++i) {
          lambda[n] -= product(conjugate_exact(h[2 + i]), lambda[n + i]);
        }
        g[n] = E{};
        for (int i = 0; i <= 2; ++i) {
          g[n] += product(conjugate_exact(h[i]), lambda[n + i]);
          sums[i] += product(lambda[n + i], conjugate_exact(u[k][n]));
          if (i > 0) sums[2 + i] -= product(lambda[n + i], conjugate_exact(u[k + 1][n]));
        }
        for (const E& v : {u[k][n], u[k + 1][n], lambda[n]}) {
          const auto square = static_cast<double>(std::norm(std::complex<long double>(v)));
          if (std::isfinite(square)) size += square;
        }
        const auto of_g = static_cast<double>(std::abs(g[n]));
        if (std::isfinite(of_g)) scale = std::max(scale, of_g);
      }
      first[2 * k] = lambda[0];
      first[2 * k + 1] = lambda[1];
      std::vector<E> grad(6);
      for (int i = 0; i < 5; ++i) {
        grad[i < 3 ? i : i + 1] = sums[i] / static_cast<long double>(kSosA0);
        grad[3] -= product(conjugate_exact(h[i]), sums[i]) / static_cast<long double>(kSosA0);
      }
      ASSERT_LE(largest_error(&got.grad_sos[(r * K + k) * 6], grad.data(), 6, size, true), tight)
          << "section " << k << " of row " << r;
    }
    ASSERT_LE(largest_error(got.grad_x.row(r), g.data(), T_, scale, true), bound) << "row " << r;
    ASSERT_LE(largest_error(&got.grad_zi[r * 2 * K], first.data(), 2 * K, scale, true), bound) << r;
  }
}

template <class T>
class SosfiltScanOf : public ::testing::Test {};
TYPED_TEST_SUITE(SosfiltScanOf, ScalarTypes);

TYPED_TEST(SosfiltScanOf, EqualsItsDefinitionAndItsAdjoint) {
  Random random(1);
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    for (const SosScanShape& shape :
         {SosScanShape{2, 3000, 3}, {3, 1100, 2, true}, {1, 1, 4}, {2, 17, 1, true, 0.5}}) {
      SCOPED_TRACE(shape);
      const SosScanCase<TypeParam> c(random, shape);
      const auto filtered = c.template run<false>(launch), adjoint = c.template run<true>(launch);
      expect_its_definition(c, filtered);
      expect_adjoint(c, filtered, adjoint);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(SosfiltScanOf, NanReachesTheSamplesOfTheDefinition) {
  Random random(5);
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    for (const int64_t n : {0, 700, 2998}) {
      SosScanCase<TypeParam> c(random, {2, 3000, 3});
      c.x.row(0)[n] = TypeParam(NAN);
      expect_its_definition(c, c.template run<false>(launch));
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(SosfiltScanOf, RowsOfAGroup) {
  using T = TypeParam;
  Random random(4);
  for (const int time : {1, 5, 17, 8 * kSamples<T>}) {
    for (const bool a_row : {false, true}) {
      const SosScanCase<T> c(random, {3, time, 3, a_row});
      const auto filtered = c.template run<false>(kGroup), adjoint = c.template run<true>(kGroup);
      expect_its_definition(c, filtered);
      expect_adjoint(c, filtered, adjoint);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(SosfiltScanOf, GradientsEqualTheirDefinition) {
  constexpr int V = kSamples<TypeParam>;
  Random random(6);
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    for (const SosScanShape& shape :
         {SosScanShape{2, 2500, 3}, {2, 64 * V, 2, true}, {1, 1, 2}, {3, V + 1, 1}}) {
      SCOPED_TRACE(shape);
      const SosScanCase<TypeParam> c(random, shape);
      expect_gradient(c, gradient_of(c, launch));
      if (this->HasFatalFailure()) return;
    }
  }
  for (const int64_t time : {1, V - 1, 8 * V}) {
    const SosScanCase<TypeParam> c(random, {3, time, 2, true});
    expect_gradient(c, gradient_of(c, kGroup));
    if (this->HasFatalFailure()) return;
  }
}

TEST(SosfiltScan, PolesNearTheCircle) {
  Random random(2);
  const SosScanCase<float> c(random, {1, 20000, 2, false, 0.99999});
  expect_its_definition(c, c.run<false>({}));
  expect_its_definition(c, c.run<false, true>({}));
}

TEST(SosfiltScan, PairsEqualTheDefinitionAndItsAdjoint) {
  Random random(6);
  for (const auto& [launch, shape] :
       std::vector<std::pair<Launch, SosScanShape>>{{{}, {2, 3000, 3}},
                                                    {{}, {3, 1100, 2, true}},
                                                    {kWholeRow, {2, 3000, 3}},
                                                    {kWholeRow, {1, 1, 4}},
                                                    {kGroup, {3, 17, 3, true}},
                                                    {kGroup, {2, 128, 2}}}) {
    SCOPED_TRACE(shape);
    SosScanCase<float> c(random, shape);
    const auto filtered = c.run<false, true>(launch), adjoint = c.run<true, true>(launch);
    expect_its_definition(c, filtered);
    expect_adjoint(c, filtered, adjoint);
    c.x.row(0)[shape.time / 2] = NAN;
    expect_its_definition(c, c.run<false, true>(launch));
    if (HasFatalFailure()) return;
  }
}

// Whatever the order in which blocks come to publish.
TEST(SosfiltScan, SameBitsInEveryRun) {
  Random random(3);
  const SosScanCase<float> c(random, {1, 10 * 512, 3, false, 0.999});
  const auto first = c.run<false>({.warps = 1, .resident = 1});
  for (const int resident : {2, 4}) {
    ASSERT_TRUE(c.run<false>({.warps = 1, .resident = resident, .delay = 200}) == first);
  }
}

}  // namespace
}  // namespace polezero::test
