// Cascades: the cases of tests/cpp/sosfilt_scan_test.cpp on the GPU's kernels.
#include "device.h"
#include "sosfilt_scan_test.cpp"

namespace polezero::test {
namespace {

template <bool adjoint, class T>
typename SosScanCase<T>::Result on_gpu(const SosScanCase<T>& c) {
  using D = cuda::on_device_t<T>;
  const auto& s = c.shape;
  const int64_t K = s.sections, filters = c.bank.count;
  typename SosScanCase<T>::Result out{Rows<T>(s.rows, s.time, 2, T(-1)), std::vector<acc_t<T>>(c.zi.size(), acc_t<T>(-1))};
  std::vector<acc_t<T>> sos;  // over an a_0 of 2
  for (int64_t f = 0; f < filters; ++f) {
    for (int64_t k = 0; k < 3; ++k) sos.push_back(acc_t<T>(2) * c.bank.b[3 * f + k]);
    for (int64_t k = 0; k < 3; ++k) sos.push_back(acc_t<T>(2) * (k == 0 ? acc_t<T>(1) : c.bank.a[2 * f + k - 1]));
  }
  Gpu gpu;
  const auto* coefficients = gpu.in(sos.data(), 6 * filters);
  const GivenFilters given{.b = coefficients,
                           .a = coefficients + 3,
                           .wide_b = true,
                           .wide_a = true,
                           .order_b = 2,
                           .order_a = 2,
                           .conjugate = adjoint,
                           .b_stride = 6,
                           .a_stride = 6,
                           .count = filters};
  const auto sections = cuda::normalise<D>(gpu.context(), given);
  const Rows<T>& in = adjoint ? c.g : c.x;
  cuda::sosfilt<D>(gpu.context(), sections,
                   {.sections = {.count = K},
                    .rows = s.rows,
                    .time = s.time,
                    .x = gpu.in(in.row(0), Gpu::extent(s.rows, s.time, in.stride)),
                    .x_stride = in.stride,
                    .y = gpu.out(out.y.row(0), Gpu::extent(s.rows, s.time, out.y.stride)),
                    .y_stride = out.y.stride,
                    .zi = gpu.in((adjoint ? c.later : c.zi).data(), s.rows * K * 2),
                    .zf = gpu.out(out.zf.data(), s.rows * K * 2)},
                   adjoint);
  gpu.finish();
  return out;
}

template <class T>
class GpuSosfilt : public ::testing::Test {};
TYPED_TEST_SUITE(GpuSosfilt, ScalarTypes);

TYPED_TEST(GpuSosfilt, EqualsItsDefinitionAndItsAdjoint) {
  on_gpus([] {
    Random random(1);
    for (const SosScanShape& shape : {SosScanShape{2, 3000, 3}, {3, 1100, 2, true}, {1, 1, 4}, {2, 17, 1, true, 0.5}, {3, 20, 3}, {2, 128, 2, true},
                                      {1, 129, 1}, {1, 30000, 4}, {90, 1100, 2, true}, {40, 60, 2, false}, {2, 5000, 1}}) {
      SCOPED_TRACE(shape);
      const SosScanCase<TypeParam> c(random, shape);
      const auto filtered = on_gpu<false>(c), adjoint = on_gpu<true>(c);
      expect_its_definition(c, filtered);
      expect_adjoint(c, filtered, adjoint);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TYPED_TEST(GpuSosfilt, NanReachesTheSamplesOfTheDefinition) {
  on_gpus([] {
    Random random(5);
    for (const int64_t n : {0, 700, 2998}) {
      SosScanCase<TypeParam> c(random, {2, 3000, 3});
      c.x.row(0)[n] = TypeParam(NAN);
      expect_its_definition(c, on_gpu<false>(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(GpuSosfiltF32, SameBitsHoweverBlocksRun) {
  Random random(3);
  const SosScanCase<float> c(random, {1, 30000, 3, false, 0.999});
  processors = 300;
  std::vector<SosScanCase<float>::Result> results;
  for (const int resident : {1, 3, 20}) {
    for (const int order : {0, 2}) {
      ptxrun_set("resident", resident);
      ptxrun_set("order", order);
      ptxrun_set("seed", resident + order);
      results.push_back(on_gpu<false>(c));
    }
  }
  for (const auto& r : results) ASSERT_TRUE(r == results[0]);
}

}  // namespace
}  // namespace polezero::test
