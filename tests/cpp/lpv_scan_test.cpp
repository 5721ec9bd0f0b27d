// Time-varying all-pole filters as a scan, on an emulated GPU, against their definition.
#include "kernels/cuda/tile/lpv_scan.h"

#include "emulated_kernels.h"
#include "lpv_cases.h"
#include "scan_launch.h"

namespace polezero::test {
namespace {

Launch launch;

template <class T, int N, bool at_input, int step>
void run_scan(const LpvAllpoleParams<T>& p, int64_t time) {
  using A = acc_t<T>;
  const PreparedTiles<A> prepared(launch, p.rows, time, kLpvSamples<T, N>, 1,
                                  kWords<typename LpvCarry<T, N>::Message>);
  run_grid<ScanShared<LpvCarry<T, N>>>(
      prepared.tickets, launch.warps, launch.resident, launch.delay,
      [&](auto& block, auto& memory, int64_t ticket) {
        lpv_allpole_block<T, N, at_input, step>(block, memory, prepared.plan, p, time, ticket);
      });
}
template <class T, int N>
void run_scan(const LpvAllpoleParams<T>& p, int64_t time) {
  if (p.lags.at_input()) {
    p.lags.reverse ? run_scan<T, N, true, -1>(p, time) : run_scan<T, N, true, 1>(p, time);
  } else {
    p.lags.reverse ? run_scan<T, N, false, -1>(p, time) : run_scan<T, N, false, 1>(p, time);
  }
}

template <class T>
struct Scan {
  static void allpole(const LpvAllpoleParams<T>& p, const Range& range) {
    if constexpr (kLongestLpvScan<T> == 2) {
      if (p.order == 2) return run_scan<T, 2>(p, range.time_end);
    }
    run_scan<T, 1>(p, range.time_end);
  }
  static void backward(const LpvAllpoleBackwardParams<T>& p, const Range& range) {
    allpole(p.adjoint, range);
    Emulated<T>::lag_product(p.product, range);
  }
  static KernelsOf<T> kernels() {
    KernelsOf<T> table{};
    table.lpv_allpole = allpole;
    table.lpv_allpole_backward = backward;
    table.lag_product = Emulated<T>::lag_product;
    table.lpv_fir = Emulated<T>::lpv_fir;
    return table;
  }
};

template <class T>
class LpvScanOf : public ::testing::Test {
 public:
  static void check(const LpvCase<T>& c, const Launch& how) {
    SCOPED_TRACE(c.shape);
    launch = how;
    LpvTruth<T>(c).expect(c.run(Scan<T>::kernels()), /*carries_state=*/false);
  }
};
TYPED_TEST_SUITE(LpvScanOf, ScalarTypes);

TYPED_TEST(LpvScanOf, EqualsItsDefinition) {
  Random random(1);
  for (const Lags& lags : kAllLags) {
    for (int64_t order = 1; order <= kLongestLpvScan<TypeParam>; ++order) {
      for (const int64_t time : {1, 2, 3, 9, 300, 1500}) {
        this->check({random, {2, time, order, lags, time == 300}}, {.warps = time < 300 ? 1 : 2});
        if (this->HasFatalFailure()) return;
      }
      this->check({random, {2, 1500, order, lags}}, kWholeRow);
    }
  }
}

TYPED_TEST(LpvScanOf, NanReachesTheSamplesOfTheDefinition) {
  using T = TypeParam;
  Random random(4);
  for (const Lags& lags : kAllLags) {
    for (const int64_t n : {0, 700, 1498}) {
      LpvCase<T> c(random, {2, 1500, kLongestLpvScan<T>, lags});
      c.x.row(0)[n] = c.g.row(0)[n] = T(NAN);
      this->check(c, {});
      if (this->HasFatalFailure()) return;
    }
  }
}

// Three levels of the tree.
TEST(LpvScan, ManyTiles) {
  Random random(2);
  LpvScanOf<float>::check({random, {1, 1100 * 128 - 50, 2, {0, false}}}, {.warps = 1});
}

// Poles close to 1: transitions are large and cancel. What is left must do for float32.
TEST(LpvScan, PolesNearTheCircleAtLowFrequencies) {
  const int64_t time = 40000;
  const double radius = 0.99999, angle = 0.003;
  Random random(3);
  LpvCase<float> c(random, {1, time, 2, {0, false}});
  std::fill(c.state.begin(), c.state.end(), 0);
  for (int64_t n = 0; n < time; ++n) {
    c.coefficients.row(0)[2 * n] = static_cast<float>(-2 * radius * std::cos(angle));
    c.coefficients.row(0)[2 * n + 1] = static_cast<float>(radius * radius);
  }
  launch = {};
  const LpvResult<float> got = c.run(Scan<float>::kernels());
  const LpvTruth<float> want(c);
  EXPECT_LE(relative_rms(got.allpole.row(0), want.allpole.row(0), time), 1e-6);
}

// A transition overflows where the filter itself, from rest, does not.
TYPED_TEST(LpvScanOf, UnstableFiltersAreExactUntilTheyOverflow) {
  using T = TypeParam;
  Random random(5);
  for (const Lags& lags : kAllLags) {
    LpvCase<T> c(random, {1, 1500, kLongestLpvScan<T>, lags});
    std::fill(c.state.begin(), c.state.end(), 0);
    for (T& a : c.coefficients.data) a *= T(1e9);
    for (T& x : c.x.data) x = T(0);
    for (T& g : c.g.data) g = T(0);
    const bool late = lags.reverse;  // where the filter comes to its sound after long silence
    c.x.row(0)[late ? 1 : 1498] = c.g.row(0)[late ? 1498 : 1] = T(1);
    this->check(c, {});
    if (this->HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace polezero::test
