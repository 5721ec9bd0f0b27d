// Direct forms of all orders, from coefficients as a user gives them to outputs and gradients, as
// csrc/ops/lfilter.cpp and allpole.cpp call the launchers, against the definition.
#include "device.h"
#include "reference.h"

namespace polezero::test {
namespace {

template <class T>
struct Given {
  FilterBank<T> bank;             // divided by a_0
  std::vector<acc_t<T>> a0, b, a;  // as given: [filters, M + 1], [filters, N + 1] or, monic, [filters, N]
  bool monic;

  Given(Random& random, int64_t M, int64_t N, int64_t filters, double radius, bool monic_)
      : bank(random, M, N, filters, radius), monic(monic_) {
    for (int64_t f = 0; f < filters; ++f) {
      // near the circle a power of two: that b a_0 is rounded would be seen
      a0.push_back(monic ? acc_t<T>(1) : radius > 0.9 ? acc_t<T>(-0.25) : random.normal<acc_t<T>>() + acc_t<T>(3));
      if (monic) {
        for (int64_t k = 0; k <= bank.order; ++k) bank.b[f * (bank.order + 1) + k] = k == 0 ? 1 : 0;
      }
      for (int64_t k = 0; k <= M; ++k) b.push_back(bank.b[f * (bank.order + 1) + k] * a0[f]);
      if (!monic) a.push_back(a0[f]);
      for (int64_t k = 0; k < N; ++k) a.push_back(bank.a[f * bank.order + k] * a0[f]);
    }
  }
  // In float64, as coefficients may be of any signal.
  GivenFilters on(Gpu& gpu, bool conjugate) const {
    const int64_t M = bank.order_b, N = bank.order_a;
    return {.b = monic ? nullptr : gpu.in(b.data(), static_cast<int64_t>(b.size())),
            .a = gpu.in(a.data(), static_cast<int64_t>(a.size())),
            .wide_b = true,
            .wide_a = true,
            .order_b = monic ? 0 : M,
            .order_a = N,
            .monic = monic,
            .conjugate = conjugate,
            .b_stride = bank.count > 1 ? M + 1 : 0,
            .a_stride = bank.count > 1 ? (monic ? N : N + 1) : 0,
            .count = bank.count};
  }
};

// Gradients, of which csrc/ops leaves out those that nobody needs, and what only they read.
enum Needs { kOfB = 1, kOfA = 2, kOfX = 4, kOfZi = 8, kAll = 15 };

struct Shape {
  int64_t M, N, rows, time;
  bool filter_a_row = false, state = true, monic = false;
  double radius = 0.9;
  int needs = kAll;
  int64_t nan_at = -1;   // in the first row's input
  bool silence = false;  // but for a last sample; no state
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << "orders (" << s.M << ", " << s.N << "), " << s.rows << " rows of " << s.time << (s.filter_a_row ? ", a filter a row" : "")
               << (s.state ? ", state" : "") << (s.monic ? ", monic" : "") << ", radius " << s.radius << ", gradients " << s.needs << ", NaN at " << s.nan_at
               << (s.silence ? ", silence" : "");
  }
};

template <class T>
double scale_of(const std::vector<exact_t<T>>& v) {
  double scale = 1;
  for (const auto& x : v) scale = std::max(scale, static_cast<double>(std::abs(x)));
  return scale;
}

// The input of a filter, or (backwards) of its adjoint.
template <class T>
Rows<T> input(Random& random, const Shape& s, bool backwards) {
  auto rows = random_rows<T>(random, s.rows, s.time, 3);
  if (s.silence) {
    std::fill(rows.data.begin(), rows.data.end(), T(0));
    for (int64_t r = 0; r < s.rows; ++r) rows.row(r)[backwards ? 1 : s.time - 2] = T(1);
  }
  if (s.nan_at >= 0) rows.row(0)[s.nan_at] = not_a_number<T>();
  return rows;
}

template <class T>
void check_forward(const Shape& s) {
  SCOPED_TRACE(::testing::Message() << "forward, " << s);
  using D = cuda::on_device_t<T>;
  Random random(1);
  const Given<T> given(random, s.M, s.N, s.filter_a_row ? s.rows : 1, s.radius, s.monic);
  const auto& bank = given.bank;
  const int64_t P = bank.order;
  const auto x = input<T>(random, s, false);
  Rows<T> y(s.rows, s.time, 5, T(-12345));
  const auto zi = random.signal<acc_t<T>>(s.rows * P);
  std::vector<acc_t<T>> zf(s.rows * P, acc_t<T>(-12345));
  Gpu gpu;
  const auto filters = cuda::normalise<D>(gpu.context(), given.on(gpu, false));
  const auto* state = s.state ? gpu.in(zi.data(), s.rows * P) : nullptr;
  cuda::lfilter_forward<D>(gpu.context(), filters,
                           {.rows = s.rows,
                            .time = s.time,
                            .x = gpu.in(x.row(0), Gpu::extent(s.rows, s.time, x.stride)),
                            .x_stride = x.stride,
                            .y = gpu.out(y.row(0), Gpu::extent(s.rows, s.time, y.stride)),
                            .y_stride = y.stride,
                            .zi = s.monic ? nullptr : state,
                            .past = s.monic ? state : nullptr,
                            .zf = s.state && !s.monic ? gpu.out(zf.data(), s.rows * P) : nullptr});
  gpu.finish();
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<exact_t<T>> v(P), want(s.time);
    for (int64_t j = 0; j < P && s.state; ++j) {
      if (!s.monic) v[j] = exact(zi[r * P + j]);
      for (int64_t i = j + 1; s.monic && i <= P; ++i) v[j] -= product(exact(bank.a_of(r)[i - 1]), exact(zi[r * P + i - j - 1]));
    }
    reference_forward(bank, r, x.row(r), s.time, v.data(), want.data());
    ASSERT_LE(largest_error(y.row(r), want.data(), s.time), tolerance<T>(s.radius)) << "y of row " << r;
    if (s.state && !s.monic) ASSERT_LE(largest_error(zf.data() + r * P, v.data(), P, scale_of<T>(want)), tolerance<T>(s.radius)) << "zf of row " << r;
    for (int64_t i = s.time; r + 1 < s.rows && i < y.stride; ++i) ASSERT_EQ(y.row(r)[i], T(-12345)) << "between rows";
  }
}

template <class T>
void check_backward(const Shape& s) {
  SCOPED_TRACE(::testing::Message() << "backward, " << s);
  using D = cuda::on_device_t<T>;
  using A = acc_t<T>;
  using E = exact_t<T>;
  Random random(2);
  const Given<T> given(random, s.M, s.N, s.filter_a_row ? s.rows : 1, s.radius, s.monic);
  const auto& bank = given.bank;
  const int64_t P = bank.order, taps_b = s.M + 1, taps_a = s.monic ? s.N : s.N + 1;
  // a reversed all-pole filter has past outputs for the state after its end, and no gradients
  const bool has_later = s.state && (!s.monic || s.needs == kOfX);
  const bool of_b = !s.monic && (s.needs & kOfB), of_a = taps_a > 0 && (s.needs & kOfA), of_x = s.needs & kOfX, of_zi = s.state && (s.needs & kOfZi);
  const auto g = input<T>(random, s, true), x = random_rows<T>(random, s.rows, s.time, 0), y = random_rows<T>(random, s.rows, s.time, 1);
  Rows<T> grad_x(s.rows, s.time, 5, T(-12345));
  const auto zi = random.signal<A>(s.rows * P), zf = random.signal<A>(s.rows * P), later = random.signal<A>(s.rows * P);
  std::vector<A> grad_zi(s.rows * P, A(-12345)), grad_b(s.rows * taps_b, A(-12345)), grad_a(s.rows * taps_a, A(-12345));
  Gpu gpu;
  const auto filters = cuda::normalise<D>(gpu.context(), given.on(gpu, true));
  cuda::LfilterGradients<D> gradients{.monic = s.monic,
                                      .grad_b = of_b ? gpu.out(grad_b.data(), s.rows * taps_b) : nullptr,
                                      .grad_a = of_a ? gpu.out(grad_a.data(), s.rows * taps_a) : nullptr,
                                      .grad_zi = of_zi ? gpu.out(grad_zi.data(), s.rows * P) : nullptr,
                                      .zi = s.state ? gpu.in(zi.data(), s.rows * P) : nullptr,
                                      .zf = s.state && !s.monic ? gpu.in(zf.data(), s.rows * P) : nullptr};
  cuda::lfilter_backward<D>(gpu.context(), filters,
                            {.rows = s.rows,
                             .time = s.time,
                             .grad_y = gpu.in(g.row(0), Gpu::extent(s.rows, s.time, g.stride)),
                             .grad_y_stride = g.stride,
                             .grad_zf = has_later ? gpu.in(later.data(), s.rows * P) : nullptr,
                             .grad_x = of_x ? gpu.out(grad_x.row(0), Gpu::extent(s.rows, s.time, grad_x.stride)) : nullptr,
                             .grad_x_stride = grad_x.stride,
                             .x = of_b ? gpu.in(x.row(0), Gpu::extent(s.rows, s.time, x.stride)) : nullptr,
                             .x_stride = x.stride,
                             .y = of_a ? gpu.in(y.row(0), Gpu::extent(s.rows, s.time, y.stride)) : nullptr,
                             .y_stride = y.stride},
                            gradients);
  gpu.finish();
  // The adjoint of a filter with conjugate coefficients.
  FilterBank<T> conjugated = bank;
  if constexpr (kComplex<T>) {
    for (auto& c : conjugated.b) c = std::conj(c);
    for (auto& c : conjugated.a) c = std::conj(c);
  }
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<E> v(P), lambda(s.time + P), want(s.time), after(P);
    for (int64_t i = 0; i < P; ++i) v[i] = after[i] = has_later ? exact(later[r * P + i]) : E(0);
    reference_backward(conjugated, r, g.row(r), s.time, v.data(), lambda.data(), want.data());
    for (int64_t i = 0; i < P; ++i) lambda[s.time + i] = after[i];
    if (of_x) ASSERT_LE(largest_error(grad_x.row(r), want.data(), s.time, 1, true), tolerance<T>(s.radius)) << "grad_x of row " << r;
    for (int64_t i = s.time; r + 1 < s.rows && i < grad_x.stride; ++i) ASSERT_EQ(grad_x.row(r)[i], T(-12345)) << "between rows";
    double size = 1;
    for (const E& l : lambda) {
      const auto power = static_cast<double>(std::norm(std::complex<long double>(l)));
      if (std::isfinite(power)) size += power;
    }
    const double bound = 30 * tolerance<T>(s.radius) * std::sqrt(size * static_cast<double>(s.time + P + 1));
    const E a0 = conjugate_exact(exact(given.a0[bank.count > 1 ? r : 0]));
    const auto sum = [&](const Rows<T>& u, int64_t k) {
      E total(0);
      for (int64_t n = 0; n < s.time; ++n) total += product(lambda[n + k], conjugate_exact(exact(u.row(r)[n])));
      return total;
    };
    for (int64_t k = 0; of_b && k < taps_b; ++k) {
      ASSERT_LE(error_of(grad_b[r * taps_b + k], sum(x, k) / a0), bound) << "grad_b " << k << " of row " << r;
    }
    for (int64_t k = 0; of_a && k < taps_a; ++k) {
      const int64_t i = s.monic ? k + 1 : k;
      E total = sum(y, i);
      if (s.monic) {
        for (int64_t n = 0; s.state && n < i; ++n) total += product(n < s.time + P ? lambda[n] : E(0), conjugate_exact(exact(zi[r * P + i - n - 1])));
      } else if (i == 0 && s.state) {
        for (int64_t j = 0; j < P; ++j) {
          total -= product(lambda[j], conjugate_exact(exact(zi[r * P + j])));
          total += product(after[j], conjugate_exact(exact(zf[r * P + j])));
        }
      }
      ASSERT_LE(error_of(grad_a[r * taps_a + k], -total / a0), bound) << "grad_a " << k << " of row " << r;
    }
    for (int64_t k = 0; of_zi && k < P; ++k) {
      E expected = lambda[k];
      if (s.monic) {
        expected = E(0);
        for (int64_t n = 0; n + k + 1 <= P; ++n) expected -= product(exact(conjugated.a_of(r)[n + k]), lambda[n]);
      }
      ASSERT_LE(error_of(grad_zi[r * P + k], expected), bound) << "grad_zi " << k << " of row " << r;
    }
  }
}

template <class T>
class GpuLfilter : public ::testing::Test {};
TYPED_TEST_SUITE(GpuLfilter, ScalarTypes);

template <class T>
void check(const Shape& s) {
  check_forward<T>(s);
  if (::testing::Test::HasFatalFailure()) return;
  check_backward<T>(s);
}

TYPED_TEST(GpuLfilter, OneBiquad) { check<TypeParam>({2, 2, 1, 1000}); }

TYPED_TEST(GpuLfilter, OrdersAndLengths) {
  on_gpus([] {
    for (const int64_t time : {1, 2, 3, 31, 128, 129, 700, 5000}) {
      for (const auto& [M, N] : {std::pair(0, 0), {1, 0}, {0, 1}, {1, 1}, {2, 0}, {0, 2}, {2, 2}, {1, 2}, {2, 1}}) {
        for (const int64_t rows : {1, 3}) {
          check<TypeParam>({M, N, rows, time, rows > 1 && time % 2 == 1, time != 128});
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TYPED_TEST(GpuLfilter, HigherOrders) {
  on_gpus([] {
    for (const int64_t time : {1, 5, 12, 130, 1500}) {
      for (const auto& [M, N] : {std::pair(3, 3), {0, 4}, {5, 2}, {8, 8}, {12, 12}, {7, 0}}) {
        check<TypeParam>({M, N, 2, time, time % 2 == 1, time != 12, false, 0.8});
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// Chunks of several groups, the last of which ends with a sample, and of a row each.
TYPED_TEST(GpuLfilter, ManyChunks) {
  on_small_and_large_gpus([] {
    check<TypeParam>({8, 8, 1, 64 * 300 + 1, false, true, false, 0.9});
    check<TypeParam>({3, 5, 2, 64 * 150 + 33, true, true, false, 0.9});
    check<TypeParam>({11, 12, 2, 128 * 140, false, true, false, 0.8});
    check<TypeParam>({4, 3, 150, 90, true});
  });
}

TYPED_TEST(GpuLfilter, Allpole) {
  on_gpus([] {
    for (const int64_t time : {1, 3, 100, 3000}) {
      for (const int64_t N : {1, 2, 5}) {
        check<TypeParam>({0, N, 2, time, N == 2, time != 3, true});
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TYPED_TEST(GpuLfilter, GradientsThatAreNeeded) {
  on_gpus([] {
    for (const int64_t time : {20, 3000}) {
      for (const int64_t order : {2, 5}) {
        for (const bool state : {false, true}) {
          for (const int needs : {0 + kOfB, 0 + kOfA, 0 + kOfX, 0 + kOfZi, kOfB | kOfZi, kOfA | kOfX}) {
            check_backward<TypeParam>({order, order, 2, time, false, state, false, 0.8, needs});
            if (needs != kOfB) check_backward<TypeParam>({0, order, 2, time, true, state, true, 0.8, needs});
            if (::testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

TYPED_TEST(GpuLfilter, ManyTiles) {  // three levels of the tree would be a million samples
  const int64_t tile = kComplex<TypeParam> ? 4 * 128 : 16 * 256;
  on_gpus([&] {
    check<TypeParam>({2, 2, 1, 40 * tile + 17, false, true, false, 0.999});
    if (::testing::Test::HasFatalFailure()) return;
    check<TypeParam>({1, 1, 2, 35 * tile, true, true, false, 0.99});
  });
}

TYPED_TEST(GpuLfilter, ManyRows) {
  on_gpus([] {
    check<TypeParam>({2, 2, 300, 90, true});
    if (::testing::Test::HasFatalFailure()) return;
    check<TypeParam>({2, 2, 90, 1300, false});
  });
}

// It stays where there is feedback, and leaves with its sample where there is none.
TYPED_TEST(GpuLfilter, NanReachesTheSamplesOfTheDefinition) {
  on_gpus([] {
    for (const auto& [time, at] : {std::pair<int64_t, int64_t>{40, 17}, {5000, 0}, {5000, 700}, {5000, 4999}, {64 * 140 + 1, 5}}) {
      for (const auto& [M, N] : {std::pair(2, 2), {2, 0}, {5, 3}, {5, 0}, {9, 7}}) {
        check<TypeParam>({M, N, 2, time, false, true, false, 0.8, kAll, at});
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// Beyond the circle a power of a long span overflows before a short output does, or one from rest.
TYPED_TEST(GpuLfilter, UnstableFilters) {
  on_gpus([] {
    for (const auto& [M, N] : {std::pair(2, 2), {0, 1}, {4, 4}}) {
      check<TypeParam>({M, N, 2, 1500, true, true, false, 1.02});
      check<TypeParam>({M, N, 1, 5000, false, false, false, 30, kOfX | kOfB | kOfA, -1, /*silence=*/true});
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// y of one row from rest, on 300 processors.
Rows<float> filtered(const FilterBank<float>& bank, const Rows<float>& x) {
  Rows<float> y(1, x.time, 0);
  std::vector<double> a{1};
  a.insert(a.end(), bank.a.begin(), bank.a.end());
  processors = 300;
  Gpu gpu;
  const auto filters = cuda::normalise<float>(gpu.context(), {.b = gpu.in(bank.b.data(), 3), .a = gpu.in(a.data(), 3), .wide_b = true, .wide_a = true, .order_b = 2, .order_a = 2, .count = 1});
  cuda::lfilter_forward<float>(gpu.context(), filters, {.rows = 1, .time = x.time, .x = gpu.in(x.row(0), x.time), .x_stride = x.time, .y = gpu.out(y.row(0), x.time), .y_stride = x.time});
  gpu.finish();
  return y;
}

// Zeros close to the poles: what the filter adds up, it takes away again.
TEST(GpuLfilterF32, ZerosThatCancelPolesNearTheCircle) {
  const int64_t time = 20000;
  const double r = 0.99999, w = 0.003;
  struct {
    std::vector<double> b, a;
  } const filters[] = {{{r, -r, 0}, {-(2 * r - 1), 0}},  // a DC blocker
                       {{1, -2, 1}, {-2 * 0.999 * std::cos(w), 0.999 * 0.999}}};
  for (const auto& [b, a] : filters) {
    Random random(5);
    FilterBank<float> bank(random, 2, 2, 1, 0);
    bank.b = b;
    bank.a = a;
    Rows<float> x(1, time, 0, 1.f);
    for (float& v : x.data) v += 0.01f * random.normal<float>();
    const auto y = filtered(bank, x);
    std::vector<long double> s(2), want(time);
    reference_forward(bank, 0, x.row(0), time, s.data(), want.data());
    EXPECT_LE(relative_rms(y.row(0), want.data(), time), 1e-7);
  }
}

// What a float32 signal shows of float64 in the threads, and of pairs where float64 is slow: the rounding of the outputs.
TEST(GpuLfilterF32, OutputsNearTheCircleAreRoundedOnce) {
  const int64_t time = 20000;
  for (const double radius : {0.99, 0.999, 0.9999, 0.99999}) {
    for (const double angle : {0.2, 0.01, 0.001, 0.0001}) {
      const std::vector<double> allpole{1, 0, 0}, highpass{1, -2, 1};
      for (const auto& b : {allpole, highpass}) {
        if (b == highpass && angle < 0.01) continue;  // the joins of float64 lose more
        SCOPED_TRACE(::testing::Message() << "radius " << radius << " angle " << angle << " b_1 " << b[1]);
        Random random(5);
        FilterBank<float> bank(random, 2, 2, 1, 0);
        bank.b = b;
        bank.a = {-2 * radius * std::cos(angle), radius * radius};
        const auto x = random_rows<float>(random, 1, time, 0);
        const auto y = filtered(bank, x);
        std::vector<long double> s(2), want(time);
        reference_forward(bank, 0, x.row(0), time, s.data(), want.data());
        EXPECT_LE(relative_rms(y.row(0), want.data(), time), 4e-8);
      }
    }
  }
}

TEST(GpuLfilterF32, SameBitsHoweverBlocksRun) {
  Random random(3);
  const FilterBank<float> bank(random, 2, 2, 1, 0.999);
  const auto x = random_rows<float>(random, 1, 40 * 4096, 0);
  std::vector<Rows<float>> runs;
  for (const int resident : {1, 3, 20}) {
    for (const int order : {0, 2}) {
      ptxrun_set("resident", resident);
      ptxrun_set("order", order);
      ptxrun_set("seed", resident + order);
      runs.push_back(filtered(bank, x));
    }
  }
  for (const auto& run : runs) ASSERT_TRUE(run == runs[0]);
}

TEST(GpuLfilterF32, ThreeLevelsOfTheTree) {
  processors = 300;
  ptxrun_set("resident", 40);
  check_forward<float>({2, 2, 1, 1030 * 4096 + 5, false, true, false, 0.9999});
}

}  // namespace
}  // namespace polezero::test
