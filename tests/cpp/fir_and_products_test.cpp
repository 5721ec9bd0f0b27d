// What a thread of a GPU computes where there is no recurrence, one thread after another.
#include "kernels/cuda/tile/fir_and_products.h"

#include "emulated_block.h"
#include "lpv_cases.h"
#include "reference.h"

namespace polezero::test {
namespace {

template <class T>
class FirAndProducts : public ::testing::Test {};
TYPED_TEST_SUITE(FirAndProducts, ScalarTypes);

TYPED_TEST(FirAndProducts, TimeVaryingFirAndProductsAreTheirDefinitions) {
  using T = TypeParam;
  Random random(1);
  for (const Lags& lags : kAllLags) {
    for (const LpvShape& shape : {LpvShape{3, 40, 3, lags}, LpvShape{2, 5, 8, lags, true}}) {
      SCOPED_TRACE(::testing::Message() << shape);
      const LpvCase<T> problem(random, shape);
      LpvResult<T> got = problem.blank();
      const LpvTruth<T> want(problem);
      const LpvFirParams<T> fir = problem.fir(got);
      const LagProductParams<T> product = problem.product(got);
      for (int64_t r = 0; r < shape.rows; ++r) {
        for (int64_t n = 0; n < shape.time; ++n) {
          host::lpv_fir_output(fir, shape.time, r, n);
          for (int64_t k = 0; k < shape.taps; ++k) {
            host::lag_product_output(product, shape.time, r, n, k);
          }
        }
        EXPECT_LE(largest_error(got.fir.row(r), want.fir.row(r), shape.time), tolerance<T>());
        EXPECT_LE(largest_error(got.product.row(r), want.product.row(r), shape.time * shape.taps),
                  tolerance<T>());
      }
    }
  }
}

TYPED_TEST(FirAndProducts, ConstantFirIsItsDefinition) {
  using T = TypeParam;
  Random random(2);
  const FilterBank<T> bank(random, 5, 0, 1, 0);
  for (const int64_t time : {1, 4, 30}) {
    const auto x = random.signal<T>(time);
    std::vector<exact_t<T>> s(bank.order), want(time), lambda(time + bank.order), back(time);
    reference_forward(bank, 0, x.data(), time, s.data(), want.data());
    std::fill(s.begin(), s.end(), exact_t<T>{});
    reference_backward(bank, 0, x.data(), time, s.data(), lambda.data(), back.data());
    auto y = unwritten<T>(time), reversed = unwritten<T>(time);
    for (int64_t n = 0; n < time; ++n) {
      y[n] = host::fir_output(bank.b_of(0), 6, false, time, x.data(), n);
      reversed[n] = host::fir_output(bank.b_of(0), 6, true, time, x.data(), n);
    }
    EXPECT_LE(largest_error(y.data(), want.data(), time), tolerance<T>());
    EXPECT_LE(largest_error(reversed.data(), back.data(), time), tolerance<T>());
  }
}

TYPED_TEST(FirAndProducts, CorrelationsAreTheirDefinition) {
  using T = TypeParam;
  using A = acc_t<T>;
  Random random(3);
  const int64_t rows = 2, taps = 3;
  for (const int64_t time : {int64_t{2}, int64_t{1000}, host::kCorrelationChunk + 5}) {
    const auto g = random_rows<T>(random, rows, time, 3), x = random_rows<T>(random, rows, time, 1);
    const int64_t chunks = host::correlation_chunks(time);
    auto parts = unwritten<A>(rows * taps * chunks);
    const LagCorrelationParams<T> p{taps, g.row(0), g.stride, x.row(0), x.stride, nullptr};
    run_grid<std::array<A, 2>>(parts.size(), 2, 1, 0, [&](auto& block, auto& memory, int64_t i) {
      host::correlate_chunk(block, memory.data(), p, time, i, parts.data());
    });
    for (int64_t i = 0; i < rows * taps; ++i) {
      const int64_t row = i / taps;
      const auto want = reference_correlation(g.row(row), x.row(row), 0, time, i % taps, false);
      exact_t<T> got{};
      for (int64_t s = 0; s < chunks; ++s) got += parts[i * chunks + s];
      EXPECT_LE(std::abs(got - want), 1e-11);
    }
  }
}

}  // namespace
}  // namespace polezero::test
