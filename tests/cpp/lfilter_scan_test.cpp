// The filters as a GPU runs them, on an emulated one, against the definition.
#include "kernels/cuda/tile/lfilter_scan.h"

#include "scan_launch.h"

namespace polezero::test {
namespace {

using namespace host;

// A scan in float64, or in the pairs of GPUs whose float64 is slow.
template <class T>
struct Wide {
  using Scalar = T;
  template <int P, int lanes>
  using Shared = ScanShared<LfilterCarry<T, P>>;
};
struct Pairs {
  using Scalar = float;
  template <int P, int lanes>
  using Shared = LfilterPairShared<float, P, lanes>;
};

template <class Way, int P, class Params>
void run_scan(const Launch& launch, const Prepared<typename Way::Scalar, P>& prepared,
              const Params& p) {
  const auto with = [&](auto lanes) {
    run_grid<typename Way::template Shared<P, lanes>>(
        prepared.tickets, launch.warps, launch.resident, launch.delay,
        [&](auto& block, auto& memory, int64_t ticket) {
          lfilter_block<typename Way::Scalar, P>(block, memory, prepared.plan, p, ticket);
        },
        lanes);
  };
  launch.lanes == kWarp ? with(std::integral_constant<int, kWarp>{})
                        : with(std::integral_constant<int, 8>{});
}

// y and zf of all rows, and their largest error relative to the largest value so far. The first row
// has a NaN at `nan_at`.
template <class Way, int P>
void check_forward(const Launch& launch, int64_t M, int64_t N, double radius, int64_t rows,
                   int64_t time, int64_t filter_count = 1, int64_t nan_at = -1) {
  SCOPED_TRACE(::testing::Message() << "M " << M << " N " << N << " radius " << radius << " rows "
                                    << rows << " time " << time);
  using T = typename Way::Scalar;
  Random random(1);
  const FilterBank<T> bank(random, M, N, filter_count, radius);
  auto x = random_rows<T>(random, rows, time, 3);
  if (nan_at >= 0) x.row(0)[nan_at] = T(NAN);
  Rows<T> y(rows, time, 5, T(NAN));
  const auto zi = random.signal<acc_t<T>>(rows * bank.order);
  auto zf = unwritten<acc_t<T>>(rows * bank.order);
  const LfilterScan<T> p{.filters = bank.view(),
                         .rows = rows,
                         .time = time,
                         .x = x.data.data(),
                         .x_stride = x.stride,
                         .y = y.data.data(),
                         .y_stride = y.stride,
                         .zi = zi.data(),
                         .zf = zf.data()};
  const Prepared<T, P> prepared(launch, p.filters, filter_count, rows, time);
  run_scan<Way, P>(launch, prepared, p);
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<exact_t<T>> s(bank.order), want(time);
    for (int64_t i = 0; i < bank.order; ++i) s[i] = exact(zi[r * bank.order + i]);
    reference_forward(bank, r, x.row(r), time, s.data(), want.data());
    EXPECT_LE(largest_error(y.row(r), want.data(), time), tolerance<T>(radius));
    double scale = 1;
    for (const auto& v : want) scale = std::max(scale, static_cast<double>(std::abs(v)));
    EXPECT_LE(largest_error(zf.data() + r * bank.order, s.data(), bank.order, scale),
              tolerance<T>(radius));
  }
}

// grad_x, the first lambdas and the sums.
template <class Way, int P>
void check_adjoint(const Launch& launch, int64_t M, int64_t N, double radius, int64_t rows,
                   int64_t time, int64_t filter_count = 1, int64_t nan_at = -1) {
  SCOPED_TRACE(::testing::Message() << "M " << M << " N " << N << " radius " << radius << " rows "
                                    << rows << " time " << time);
  using T = typename Way::Scalar;
  using A = acc_t<T>;
  Random random(2);
  const FilterBank<T> bank(random, M, N, filter_count, radius);
  const int64_t order = bank.order;
  auto g = random_rows<T>(random, rows, time, 3);
  const auto x = random_rows<T>(random, rows, time, 0), y = random_rows<T>(random, rows, time, 1);
  if (nan_at >= 0) g.row(0)[nan_at] = T(NAN);
  Rows<T> grad_x(rows, time, 5, T(NAN));
  const auto grad_zf = random.signal<A>(rows * order);
  auto head = unwritten<A>(rows * order);
  const LfilterAdjointScan<T> p{.filters = bank.view(),
                                .rows = rows,
                                .time = time,
                                .grad_y = g.data.data(),
                                .grad_y_stride = g.stride,
                                .grad_zf = grad_zf.data(),
                                .grad_x = grad_x.data.data(),
                                .grad_x_stride = grad_x.stride,
                                .x = x.data.data(),
                                .x_stride = x.stride,
                                .y = y.data.data(),
                                .y_stride = y.stride,
                                .head = head.data()};
  const Prepared<T, P> prepared(launch, p.filters, filter_count, rows, time);
  const int64_t parts = prepared.plan.tiles;
  auto sums = unwritten<A>(rows * parts * 2 * (order + 1));
  LfilterAdjointScan<T> with_sums = p;
  with_sums.sums = sums.data();
  run_scan<Way, P>(launch, prepared, with_sums);
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<exact_t<T>> s(order), lambda(time + order), want(time);
    for (int64_t i = 0; i < order; ++i) s[i] = lambda[time + i] = exact(grad_zf[r * order + i]);
    reference_backward(bank, r, g.row(r), time, s.data(), lambda.data(), want.data());
    for (int64_t i = 0; i < order; ++i) lambda[time + i] = exact(grad_zf[r * order + i]);
    EXPECT_LE(largest_error(grad_x.row(r), want.data(), time, 1, /*descending=*/true),
              tolerance<T>(radius));
    double scale = 1;
    for (const auto& v : want) scale = std::max(scale, static_cast<double>(std::abs(v)));
    EXPECT_LE(largest_error(head.data() + r * order, s.data(), order, scale), tolerance<T>(radius));
    for (int64_t k = 0; k <= order; ++k) {
      for (const bool of_a : {false, true}) {
        exact_t<T> sum{}, got{};
        double size_l = 0, size_u = 0;
        for (int64_t n = 0; n < time; ++n) {
          const auto u = conjugate_exact(exact((of_a ? y : x).row(r)[n]));
          sum += product(lambda[n + k], u);
          size_l += static_cast<double>(std::norm(std::complex<long double>(lambda[n + k])));
          size_u += static_cast<double>(std::norm(std::complex<long double>(u)));
        }
        for (int64_t part = 0; part < parts; ++part) {
          got += sums[((r * parts + part) * 2 + of_a) * (order + 1) + k];
        }
        if (std::isnan(size_l)) {  // it is in all sums, whose chunks have no end
          EXPECT_TRUE(std::isnan(std::abs(got)));
          continue;
        }
        EXPECT_LE(static_cast<double>(std::abs(got - sum)),
                  tolerance<T>(radius) * (1 + std::sqrt(size_l * size_u)))
            << "sum " << (of_a ? "a" : "b") << k;
      }
    }
  }
}

template <class Way>
class LfilterScanOf : public ::testing::Test {};
using Ways = ::testing::Types<Wide<float>, Wide<double>, Wide<std::complex<float>>,
                              Wide<std::complex<double>>, Pairs>;
TYPED_TEST_SUITE(LfilterScanOf, Ways);

TYPED_TEST(LfilterScanOf, ForwardIsTheDefinition) {
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    check_forward<TypeParam, 2>(launch, 2, 2, 0.9, 3, 5000);
    check_forward<TypeParam, 2>(launch, 1, 2, 0.999, 2, 3000, 2);
    check_forward<TypeParam, 1>(launch, 0, 1, 0.99, 1, 2500);
    check_forward<TypeParam, 2>(launch, 2, 0, 0, 1, 1500);
  }
}

TYPED_TEST(LfilterScanOf, AdjointIsTheDefinition) {
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    check_adjoint<TypeParam, 2>(launch, 2, 2, 0.9, 3, 5000);
    check_adjoint<TypeParam, 2>(launch, 1, 2, 0.999, 2, 3000, 2);
    check_adjoint<TypeParam, 1>(launch, 0, 1, 0.99, 1, 2500);
    check_adjoint<TypeParam, 2>(launch, 2, 0, 0, 1, 1500);
  }
}

TYPED_TEST(LfilterScanOf, RowsShorterThanTheFilterOrAThread) {
  for (const int64_t time : {1, 2, 3, 5, 9, 17, 33}) {
    check_forward<TypeParam, 2>({.warps = 1}, 2, 2, 0.9, 2, time);
    check_forward<TypeParam, 2>({.warps = 1}, 1, 2, 0.9, 1, time);
    check_forward<TypeParam, 2>({.warps = 1}, 2, 1, 0.9, 1, time);
    check_adjoint<TypeParam, 2>({.warps = 1}, 2, 2, 0.9, 2, time);
    check_adjoint<TypeParam, 2>({.warps = 1}, 2, 1, 0.9, 1, time);
  }
}

TYPED_TEST(LfilterScanOf, RowsOfAGroup) {
  for (const int time : {1, 2, 5, 17, 8 * kSamples<typename TypeParam::Scalar>}) {
    for (const auto& [M, N] : {std::pair(2, 2), {1, 2}, {2, 1}, {2, 0}}) {
      check_forward<TypeParam, 2>(kGroup, M, N, 0.99, 3, time, 3);
      check_adjoint<TypeParam, 2>(kGroup, M, N, 0.99, 3, time, 3);
    }
    check_forward<TypeParam, 1>(kGroup, 1, 1, 0.99, 2, time);
    check_adjoint<TypeParam, 1>(kGroup, 1, 1, 0.99, 2, time);
  }
}

// It stays where there is feedback, and leaves with its sample where there is none.
TYPED_TEST(LfilterScanOf, NanReachesTheSamplesOfTheDefinition) {
  for (const Launch& launch : {Launch{}, kWholeRow}) {
    for (const int64_t n : {0, 700, 2998}) {
      check_forward<TypeParam, 2>(launch, 2, 2, 0.9, 2, 3000, 1, n);
      check_forward<TypeParam, 2>(launch, 2, 0, 0, 2, 3000, 1, n);
      check_adjoint<TypeParam, 2>(launch, 2, 2, 0.9, 2, 3000, 1, n);
    }
  }
  check_forward<TypeParam, 2>(kGroup, 2, 2, 0.9, 2, 50, 1, 17);
  check_adjoint<TypeParam, 2>(kGroup, 2, 2, 0.9, 2, 50, 1, 17);
}

// Beyond the circle a power of a long span overflows before a short output does.
TYPED_TEST(LfilterScanOf, UnstableFiltersOverShortRows) {
  check_forward<TypeParam, 2>({.warps = 8, .resident = 1}, 2, 2, 1.02, 1, 1500);
  check_adjoint<TypeParam, 2>({.warps = 8, .resident = 1}, 2, 2, 1.02, 1, 1500);
  check_forward<TypeParam, 1>({.warps = 8, .resident = 1}, 0, 1, 30, 1, 20);
}

// 1100 tiles: three levels of the tree.
TEST(LfilterScan, ManyTilesNearTheCircle) {
  check_forward<Wide<float>, 2>({.warps = 1}, 2, 2, 0.99999, 1, 1100 * 512 - 100);
}

// Zeros close to the poles: what the filter adds up, it takes away again.
TEST(LfilterScan, ZerosThatCancelPolesNearTheCircle) {
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
    Rows<float> x(1, time, 0, 1.f), y(1, time, 0);
    for (float& v : x.data) v += 0.01f * random.normal<float>();
    const LfilterScan<float> p{.filters = bank.view(),
                               .rows = 1,
                               .time = time,
                               .x = x.row(0),
                               .x_stride = time,
                               .y = y.row(0),
                               .y_stride = time};
    const Prepared<float, 2> prepared({}, p.filters, 1, 1, time);
    run_grid<ScanShared<LfilterCarry<float, 2>>>(
        prepared.tickets, 2, 2, 0, [&](auto& block, auto& memory, int64_t ticket) {
          lfilter_block<float, 2>(block, memory, prepared.plan, p, ticket);
        });
    std::vector<long double> s(2), want(time);
    reference_forward(bank, 0, x.row(0), time, s.data(), want.data());
    EXPECT_LE(relative_rms(y.row(0), want.data(), time), 1e-7);
  }
}

// y of one row from rest, less what the definition gives: its relative RMS.
template <class Way>
double error_of(const FilterBank<float>& bank, const Rows<float>& x) {
  const int64_t time = x.time;
  Rows<float> y(1, time, 0);
  const LfilterScan<float> p{.filters = bank.view(),
                             .rows = 1,
                             .time = time,
                             .x = x.row(0),
                             .x_stride = time,
                             .y = y.row(0),
                             .y_stride = time};
  const Launch launch{.warps = 1, .resident = 1};
  run_scan<Way, 2>(launch, Prepared<float, 2>(launch, p.filters, 1, 1, time), p);
  std::vector<long double> s(2), want(time);
  reference_forward(bank, 0, x.row(0), time, s.data(), want.data());
  return relative_rms(y.row(0), want.data(), time);
}

// docs/cuda.md has more of this table.
TEST(LfilterScan, PairsAreAsAccurateAsFloat64) {
  for (const double radius : {0.99, 0.99999}) {
    for (const double angle : {0.2, 0.001, 0.0001}) {
      const double zero = (1 + radius) / 2;
      for (const std::vector<double>& b :
           {std::vector<double>{1, 0, 0},
            {1, -2, 1},
            {1, -2 * zero * std::cos(angle), zero * zero}}) {  // zeros that cancel poles
        SCOPED_TRACE(::testing::Message()
                     << "radius " << radius << " angle " << angle << " b_1 " << b[1]);
        Random random(5);
        FilterBank<float> bank(random, 2, 2, 1, 0);
        bank.b = b;
        bank.a = {-2 * radius * std::cos(angle), radius * radius};
        const auto x = random_rows<float>(random, 1, 20000, 0);
        EXPECT_LE(error_of<Pairs>(bank, x), 4 * error_of<Wide<float>>(bank, x));
      }
    }
  }
}

// Whatever the order in which blocks come to publish.
TEST(LfilterScan, SameBitsInEveryRun) {
  const int64_t time = 40 * 512;
  Random random(3);
  const FilterBank<float> bank(random, 2, 2, 1, 0.999);
  const auto x = random_rows<float>(random, 1, time, 0);
  std::vector<Rows<float>> runs;
  for (int run = 0; run < 4; ++run) {
    const Launch launch{.warps = 1, .resident = 1 + run, .delay = 200u * run};
    Rows<float> y(1, time, 0);
    const LfilterScan<float> p{.filters = bank.view(),
                               .rows = 1,
                               .time = time,
                               .x = x.data.data(),
                               .x_stride = time,
                               .y = y.data.data(),
                               .y_stride = time};
    const Prepared<float, 2> prepared(launch, p.filters, 1, 1, time);
    run_grid<ScanShared<LfilterCarry<float, 2>>>(
        prepared.tickets, launch.warps, launch.resident, launch.delay,
        [&](auto& block, auto& memory, int64_t ticket) {
          lfilter_block<float, 2>(block, memory, prepared.plan, p, ticket);
        });
    runs.push_back(y);
  }
  for (const auto& run : runs) EXPECT_EQ(run, runs[0]);
}

}  // namespace
}  // namespace polezero::test
