#include "kernels/cpu/tile/correlate.h"

#include "reference.h"

namespace polezero::test {
namespace {

using host::Conjugate;

template <class T>
class Correlate : public ::testing::Test {
 public:
  // Sums of all lags over [begin, end), begun at 1. The buffers hold nothing else, so that
  // AddressSanitizer sees every step outside.
  template <Conjugate conj>
  static void check(Random& random, int64_t begin, int64_t end, int64_t taps) {
    const std::vector<T> g = random.signal<T>(std::max<int64_t>(end - begin, 1));
    const std::vector<T> x = random.signal<T>(end);
    std::vector<acc_t<T>> sum(taps, acc_t<T>(1));
    host::correlate<conj, T>(g.data(), x.data(), begin, end, taps, sum.data());
    std::vector<exact_t<T>> want(taps);
    for (int64_t k = 0; k < taps; ++k) {
      want[k] = exact_t<T>(1) + reference_correlation<T>(g.data(), x.data(), begin, end, k,
                                                         conj == Conjugate::kYes);
    }
    const double scale = std::max<double>(1, end - begin);
    ASSERT_LE(largest_error(sum.data(), want.data(), taps, scale), tolerance<T>())
        << "[" << begin << ", " << end << "), " << taps << " lags";
  }
};
TYPED_TEST_SUITE(Correlate, ScalarTypes);

TYPED_TEST(Correlate, SumsEveryLag) {
  Random random(1);
  for (int64_t taps = 1; taps <= 41; ++taps) {
    this->template check<Conjugate::kNo>(random, 0, 100, taps);
    this->template check<Conjugate::kYes>(random, 16, 1040, taps);
  }
}

TYPED_TEST(Correlate, BeginsAndEndsAnywhere) {
  Random random(2);
  for (int64_t begin = 0; begin <= 37; ++begin) {
    for (int64_t count = 0; count <= 70; ++count) {
      this->template check<Conjugate::kYes>(random, begin, begin + count, (begin + count) % 23 + 1);
    }
  }
}

TYPED_TEST(Correlate, LagsBeforeTheSignalAddNothing) {
  Random random(3);
  for (int64_t count = 0; count <= 33; ++count) {
    this->template check<Conjugate::kNo>(random, 0, count, count + 21);
  }
}

// The products with samples before the signal do not exist: no zero may stand in for them, since
// 0 * NaN is NaN.
TYPED_TEST(Correlate, NaNStaysInTheLagsThatMeetIt) {
  using T = TypeParam;
  Random random(4);
  const int64_t time = 50, taps = 21;
  const std::vector<T> x = random.signal<T>(time);
  for (int64_t at = 0; at < time; ++at) {
    std::vector<T> g = random.signal<T>(time);
    g[at] = T(std::nan(""));
    std::vector<acc_t<T>> sum(taps);
    host::correlate<Conjugate::kNo, T>(g.data(), x.data(), 0, time, taps, sum.data());
    for (int64_t k = 0; k < taps; ++k) {
      ASSERT_EQ(!host::is_finite(sum[k]), at >= k) << "NaN at " << at << ", lag " << k;
    }
  }
}

// Float32 products overflow where the float64 sums do not.
TEST(CorrelateFloat, LargeProductsStayFinite) {
  const std::vector<float> g(70, 1e25f), x(70, 1e25f);
  std::vector<double> sum(5);
  host::correlate<Conjugate::kNo, float>(g.data(), x.data(), 0, 70, 5, sum.data());
  for (int k = 0; k < 5; ++k) EXPECT_NEAR(sum[k] / (70 - k), 1e50, 1e44);
}

}  // namespace
}  // namespace polezero::test
