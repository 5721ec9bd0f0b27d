// What cutting rows into chunks must not cost: accuracy where poles lie close together, and the
// place of a NaN.
#include "emulated_kernels.h"

namespace polezero::test {
namespace {

// a_1..a_N of N poles at one place, in conjugate pairs: powers of the transition grow before they
// decay.
std::vector<double> clustered(int64_t order, double radius, double angle) {
  std::vector<double> a(order + 1);
  a[0] = 1;
  for (int64_t pair = 0; pair < order / 2; ++pair) {
    for (int64_t i = order; i > 0; --i) {
      a[i] += -2 * radius * std::cos(angle) * a[i - 1] + (i > 1 ? radius * radius * a[i - 2] : 0);
    }
  }
  return {a.begin() + 1, a.end()};
}

TEST(Chunks, AreAsAccurateAsTheSerialFilterWherePolesLieTogether) {
  Random random(1);
  for (const int64_t order : {4, 6, 8, 10}) {
    ForwardCase<double> c(random, {0, order, 1, 6000});
    c.bank.a = clustered(order, order == 10 ? 0.99 : 0.95, 0.2);
    c.bank.b = std::vector<double>(order + 1);
    c.bank.b[0] = 1;
    std::fill(c.zi.begin(), c.zi.end(), 0);
    const ForwardTruth<double> truth(c);
    auto error = [&](const ForwardResult<double>& got) {
      return largest_error(got.y.row(0), truth.y.row(0), c.shape.time);
    };
    carried_by_a_warp = true;
    chunk_length = int64_t{1} << 40;
    const double serial = error(c.run(Emulated<double>::kernels()));
    for (const int64_t length : {16, 128, 512, 2048}) {
      chunk_length = length;
      EXPECT_LE(error(c.run(Emulated<double>::kernels())), 4 * serial + 1e-15)
          << "order " << order << ", chunks of " << length;
    }
    carried_by_a_warp = false;
  }
}

// A state that no output is fed back to is rid of it, in the last chunk too.
TEST(Chunks, SendNanOfAStateWhereTheDefinitionDoes) {
  Random random(3);
  for (const int64_t time : {60, 65}) {
    for (const int64_t n : {0, 2, 4}) {
      ForwardCase<float> forward(random, {5, 3, 1, time});
      BackwardCase<float> backward(random, {5, 3, 1, time});
      forward.zi[n] = backward.zi[n] = std::nan("");
      backward.needs_sum_a = backward.needs_sum_b = false;
      on_an_emulated_gpu<float>([&](const auto& kernels) {
        ForwardTruth<float>(forward).expect(forward.run(kernels));
        BackwardTruth<float>(backward).expect(backward.run(kernels));
      });
      if (HasFatalFailure()) return;
    }
  }
}

// Without feedback a NaN leaves the filter with its sample; with feedback it stays. So do the
// gradients, the other way round.
TEST(Chunks, SendNanWhereTheDefinitionDoes) {
  Random random(2);
  for (const auto& [M, N] : {std::pair(5, 0), {5, 3}}) {
    for (const int64_t n : {0, 13, 14, 59}) {
      ForwardCase<float> forward(random, {M, N, 1, 60});
      BackwardCase<float> backward(random, {M, N, 1, 60});
      forward.x.row(0)[n] = backward.grad_y.row(0)[n] = std::nanf("");
      backward.needs_sum_a = backward.needs_sum_b = false;
      on_an_emulated_gpu<float>([&](const auto& kernels) {
        ForwardTruth<float>(forward).expect(forward.run(kernels));
        BackwardTruth<float>(backward).expect(backward.run(kernels));
      });
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace polezero::test
