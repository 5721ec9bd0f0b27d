// State-space filters: the cases of tests/cpp/state_space_test.cpp on the GPU's kernels.
#include "launchers.h"
#include "state_space_test.cpp"

namespace polezero::test {
namespace {

template <class T>
class GpuStateSpace : public ::testing::Test {};
TYPED_TEST_SUITE(GpuStateSpace, ScalarTypes);

TYPED_TEST(GpuStateSpace, EqualsItsDefinitionAndItsAdjoint) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    Random random(1);
    for (const bool varying : {false, true}) {
      for (const bool a_row : {false, true}) {
        for (const auto& [rows, time] : {std::pair<int64_t, int64_t>{1, 1}, {3, 33}, {2, 150}, {1, 1300}, {33, 150}}) {
          for (const int64_t states : {1, 2, 4, 7}) {
            if ((states == 7 || (states == 4 && a_row)) && rows * time > 1000) continue;
            for (const auto& [inputs, outputs] : {std::pair<int64_t, int64_t>{1, 1}, {2, 3}}) {
              const SystemCase<T> c(random, {rows, time, states, inputs, outputs, varying, a_row});
              SCOPED_TRACE(c.shape);
              expect_its_definition(c, OnGpu<T>::kernels());
              expect_adjoint(c, OnGpu<T>::kernels());
              if (::testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(GpuStateSpace, NanReachesTheSamplesOfTheDefinition) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    Random random(3);
    for (const bool varying : {false, true}) {
      for (const int64_t n : {0, 450, 1299}) {
        SystemCase<T> c(random, {2, 1300, 3, 1, 2, varying, false});
        c.x.row(0)[n] = not_a_number<T>();
        SCOPED_TRACE(::testing::Message() << c.shape << ", NaN at " << n);
        expect_its_definition(c, OnGpu<T>::kernels());
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// A transition overflows where the filter itself, from rest, does not.
TYPED_TEST(GpuStateSpace, UnstableSystemsAreExactUntilTheyOverflow) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    Random random(4);
    for (const bool varying : {false, true}) {
      SystemCase<T> c(random, {2, 1300, 3, 1, 2, varying, true});
      for (T& v : c.a) v *= T(1e5);
      std::fill(c.zi.begin(), c.zi.end(), acc_t<T>(0));
      std::fill(c.x.data.begin(), c.x.data.end(), T(0));
      c.x.row(1)[1297] = T(1);
      expect_its_definition(c, OnGpu<T>::kernels());
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// linear_recurrence, and what its gradients run.
TYPED_TEST(GpuStateSpace, MatricesThatAreNotThereAreTheIdentityAndZero) {
  using T = TypeParam;
  on_small_and_large_gpus([] {
    Random random(2);
    for (const bool adjoint : {false, true}) {
      for (const auto& [rows, time] : {std::pair<int64_t, int64_t>{3, 33}, {1, 1300}}) {
        const int64_t S = 3;
        SystemCase<T> c(random, {rows, time, S, S, S, true, false});
        for (int64_t i = 0; i < time * S * S; ++i) {
          c.b[i] = c.c[i] = T(i % (S * S) % (S + 1) == 0 ? 1 : 0);
          c.d[i] = T(0);
        }
        const auto [want, want_state] = c.run(OnGpu<T>::kernels(), adjoint);
        const Rows<T>& in = adjoint ? c.g : c.x;
        Rows<T> y(rows * S, time, 2, kUntouched<T>);
        auto state = adjoint ? c.later : c.zi;
        OnGpu<T>::state_space({adjoint, S, S, S, c.view(c.a, S * S), {}, {}, {}, in.row(0), in.stride, y.row(0), y.stride, state.data()}, {0, rows, 0, time});
        for (int64_t r = 0; r < y.rows; ++r) ASSERT_LE(largest_error(y.row(r), want.row(r), time), tolerance<T>());
        ASSERT_LE(largest_error(state.data(), want_state.data(), state.size()), tolerance<double>());
        expect_gaps_untouched(y);
      }
    }
  });
}

}  // namespace
}  // namespace polezero::test
