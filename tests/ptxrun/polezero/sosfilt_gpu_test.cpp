// Cascades: the cases of tests/cpp/sosfilt_scan_test.cpp on the GPU's kernels.
#include "device.h"
#include "sosfilt_scan_test.cpp"

namespace polezero::test {
namespace {

// The sections as a user gives them.
template <class T>
NormalisedFilters<cuda::on_device_t<T>> sections_on(Gpu& gpu, const SosScanCase<T>& c, bool conjugate) {
  const int64_t filters = c.bank.count;
  std::vector<acc_t<T>> sos;
  for (int64_t f = 0; f < filters; ++f) {
    for (int64_t k = 0; k < 3; ++k) sos.push_back(kSosA0 * c.bank.b[3 * f + k]);
    for (int64_t k = 0; k < 3; ++k) sos.push_back(kSosA0 * (k == 0 ? acc_t<T>(1) : c.bank.a[2 * f + k - 1]));
  }
  const auto* coefficients = gpu.in(sos.data(), 6 * filters);
  return cuda::normalise<cuda::on_device_t<T>>(gpu.context(), {.b = coefficients,
                                                               .a = coefficients + 3,
                                                               .wide_b = true,
                                                               .wide_a = true,
                                                               .order_b = 2,
                                                               .order_a = 2,
                                                               .conjugate = conjugate,
                                                               .b_stride = 6,
                                                               .a_stride = 6,
                                                               .count = filters});
}

template <bool adjoint, class T>
typename SosScanCase<T>::Result on_gpu(const SosScanCase<T>& c) {
  using D = cuda::on_device_t<T>;
  const auto& s = c.shape;
  const int64_t K = s.sections;
  typename SosScanCase<T>::Result out{Rows<T>(s.rows, s.time, 2, T(-1)), std::vector<acc_t<T>>(c.zi.size(), acc_t<T>(-1))};
  Gpu gpu;
  const auto sections = sections_on(gpu, c, adjoint);
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
SosGradient<T> gradient_on_gpu(const SosScanCase<T>& c) {
  using D = cuda::on_device_t<T>;
  const auto& s = c.shape;
  const int64_t K = s.sections, states = s.rows * K * 2;
  SosGradient<T> out(c);
  Gpu gpu;
  cuda::sosfilt_backward<D>(gpu.context(), sections_on(gpu, c, false), sections_on(gpu, c, true),
                            {.sections = {.count = K},
                             .rows = s.rows,
                             .time = s.time,
                             .x = gpu.in(c.g.row(0), Gpu::extent(s.rows, s.time, c.g.stride)),
                             .x_stride = c.g.stride,
                             .y = gpu.out(out.grad_x.row(0), Gpu::extent(s.rows, s.time, out.grad_x.stride)),
                             .y_stride = out.grad_x.stride,
                             .zi = gpu.in(c.later.data(), states),
                             .zf = gpu.out(out.grad_zi.data(), states)},
                            {gpu.in(c.x.row(0), Gpu::extent(s.rows, s.time, c.x.stride)), c.x.stride, gpu.in(c.zi.data(), states),
                             gpu.out(out.grad_sos.data(), states * 3)});
  gpu.finish();
  return out;
}

// Sections backwards, each by its definition.
template <class T>
void expect_its_adjoint(const SosScanCase<T>& c, const typename SosScanCase<T>::Result& got) {
  using E = exact_t<T>;
  const auto& s = c.shape;
  const double bound = 10 * tolerance<T>(s.radius);
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<E> u(c.g.row(r), c.g.row(r) + s.time), zf(s.sections * 2);
    double scale = 1;
    for (int64_t k = s.sections - 1; k >= 0; --k) {
      const int64_t f = (s.a_row ? r * s.sections : 0) + k, place = (r * s.sections + k) * 2;
      const auto tap = [](const acc_t<T>& v) { return conjugate_exact(exact(v)); };
      const auto *b = c.bank.b.data() + 3 * f, *a = c.bank.a.data() + 2 * f;
      E next = exact(c.later[place]), after = exact(c.later[place + 1]);  // lambda[n + 1], lambda[n + 2]
      for (int64_t n = s.time - 1; n >= 0; --n) {
        const E lambda = u[n] - product(tap(a[0]), next) - product(tap(a[1]), after);
        u[n] = product(tap(b[0]), lambda) + product(tap(b[1]), next) + product(tap(b[2]), after);
        after = next;
        next = lambda;
        for (const E& v : {u[n], lambda}) {
          const auto size = static_cast<double>(std::abs(v));
          if (std::isfinite(size)) scale = std::max(scale, size);
        }
      }
      zf[2 * k] = next;
      zf[2 * k + 1] = after;
    }
    ASSERT_LE(largest_error(got.y.row(r), u.data(), s.time, scale, true), bound) << "row " << r;
    ASSERT_LE(largest_error(&got.zf[r * zf.size()], zf.data(), zf.size(), scale), bound) << "state of row " << r;
  }
}

template <class T>
class GpuSosfilt : public ::testing::Test {};
TYPED_TEST_SUITE(GpuSosfilt, ScalarTypes);

TYPED_TEST(GpuSosfilt, EqualsItsDefinitionForwardsAndBackwards) {
  on_gpus([] {
    Random random(1);
    for (const SosScanShape& shape : {SosScanShape{2, 3000, 3}, {3, 1100, 2, true}, {1, 1, 4}, {2, 17, 1, true, 0.5}, {3, 20, 3}, {2, 128, 2, true},
                                      {1, 129, 1}, {1, 30000, 4}, {90, 1100, 2, true}, {40, 60, 2, false}, {2, 5000, 1},
                                      {3, 32, 3}, {3, 5, 3, true}}) {
      SCOPED_TRACE(shape);
      const SosScanCase<TypeParam> c(random, shape);
      expect_its_definition(c, on_gpu<false>(c));
      expect_its_adjoint(c, on_gpu<true>(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TYPED_TEST(GpuSosfilt, NanReachesTheSamplesOfTheDefinition) {
  on_gpus([] {
    Random random(5);
    for (const int64_t n : {0, 700, 2998}) {
      SosScanCase<TypeParam> c(random, {2, 3000, 3});
      c.x.row(0)[n] = c.g.row(0)[n] = not_a_number<TypeParam>();
      expect_its_definition(c, on_gpu<false>(c));
      expect_its_adjoint(c, on_gpu<true>(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// Beyond the circle a power of a long span overflows before a short output does, or one from rest.
TYPED_TEST(GpuSosfilt, UnstableSections) {
  using T = TypeParam;
  on_gpus([] {
    Random random(6);
    const SosScanCase<T> growing(random, {2, 600, 2, false, 1.02});
    expect_its_definition(growing, on_gpu<false>(growing));
    expect_its_adjoint(growing, on_gpu<true>(growing));
    SosScanCase<T> silent(random, {1, 5000, 2, true, 30});
    for (auto* signal : {&silent.x.data, &silent.g.data}) std::fill(signal->begin(), signal->end(), T(0));
    for (auto* state : {&silent.zi, &silent.later}) std::fill(state->begin(), state->end(), acc_t<T>(0));
    silent.x.row(0)[4998] = silent.g.row(0)[1] = T(1);
    expect_its_definition(silent, on_gpu<false>(silent));
    expect_its_adjoint(silent, on_gpu<true>(silent));
  });
}

TYPED_TEST(GpuSosfilt, GradientsEqualTheirDefinition) {
  on_gpus([] {
    constexpr int V = kSamples<TypeParam>;
    Random random(7);
    for (const SosScanShape& shape : {SosScanShape{2, 3000, 3}, {3, 1024, 2, true}, {1, 1, 4}, {2, V + 1, 1, true, 0.5}, {3, V - 1, 3}, {2, 8 * V, 2, true},
                                      {1, 8 * V + 1, 5}, {1, 20000, 4}, {90, 1100, 2, true}, {40, 60, 2, false}, {3, 32, 3}}) {
      SCOPED_TRACE(shape);
      const SosScanCase<TypeParam> c(random, shape);
      expect_gradient(c, gradient_on_gpu(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// A NaN is in no sum over samples that do not meet it.
TYPED_TEST(GpuSosfilt, NanReachesTheSumsOfTheDefinition) {
  on_gpus([] {
    Random random(8);
    for (const int64_t n : {0, 1, 700, 2998, 2999}) {
      SCOPED_TRACE(::testing::Message() << "NaN at " << n);
      SosScanCase<TypeParam> c(random, {2, 3000, 2});
      c.g.row(0)[n] = c.x.row(1)[n] = not_a_number<TypeParam>();
      expect_gradient(c, gradient_on_gpu(c));
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(GpuSosfiltF32, PolesNearTheCircle) {
  Random random(2);
  processors = 300;
  const SosScanCase<float> c(random, {1, 20000, 2, false, 0.99999});
  expect_its_definition(c, on_gpu<false>(c));
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

TEST(GpuSosfiltF32, GradientsAreTheSameBitsHoweverBlocksRun) {
  Random random(4);
  const SosScanCase<float> c(random, {1, 30000, 3, false, 0.999});
  processors = 300;
  std::vector<SosGradient<float>> results;
  for (const int resident : {1, 3, 20}) {
    ptxrun_set("resident", resident);
    ptxrun_set("order", resident % 3);
    ptxrun_set("seed", resident);
    results.push_back(gradient_on_gpu(c));
  }
  for (const auto& r : results) ASSERT_TRUE(r == results[0]);
}

}  // namespace
}  // namespace polezero::test
