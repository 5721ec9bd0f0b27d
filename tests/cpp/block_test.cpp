#include "kernels/cpu/tile/lattice_state.h"
#include "reference.h"

namespace polezero::test {
namespace {

using host::Carry;
using host::Coordinates;
using host::kBlock;
using host::kLanes;
using host::kTile;
using host::Response;
using host::State;
using host::Store;
using host::vec;

template <class T_, int P_>
struct Table {
  using T = T_;
  static constexpr int P = P_;
};

template <class Table>
class Block : public ::testing::Test {
 public:
  using T = typename Table::T;
  using E = long double;
  static constexpr int P = Table::P;

  // Largest errors relative to the largest value so far.
  struct Errors {
    double y = 0, grad_x = 0, state = 0;
  };

  // y by tables: the state is carried on in s, and poison collects what is not finite.
  static std::vector<T> forward(const std::vector<double>& b, const std::vector<double>& a,
                                const std::vector<T>& x, State<P>& s, vec<T>& poison) {
    Response<T, P> response;
    Carry<P> carry;
    Coordinates<P> coordinates;
    EXPECT_TRUE(coordinates.forward_tables(b.data(), a.data(), response, carry));
    s = coordinates.enter_forward(s);
    auto y = unwritten<T>(x.size());
    const int64_t count = x.size();
    for (int64_t n = 0; n < count; n += kTile) {
      host::forward_blocks<Store::kCached>(response, carry, &x[n], &y[n],
                                           std::min(kTile, count - n), s, poison);
    }
    s = coordinates.leave_forward(s);
    return y;
  }

  // lambda and grad_x by tables.
  static void backward(const std::vector<double>& b, const std::vector<double>& a,
                       const std::vector<T>& g, State<P>& s, std::vector<T>& lambda,
                       std::vector<T>& grad_x, vec<T>& poison) {
    Response<T, P> to_lambda, to_grad_x;
    Carry<P> carry;
    Coordinates<P> coordinates;
    EXPECT_TRUE(coordinates.backward_tables(b.data(), a.data(), to_lambda, to_grad_x, carry));
    s = coordinates.enter_backward(s);
    lambda.resize(g.size());
    grad_x.resize(g.size());
    for (int64_t end = g.size(); end > 0;) {
      const int64_t count = std::min(kTile, end);
      end -= count;
      host::backward_blocks<true, true, Store::kCached>(to_lambda, to_grad_x, carry, &g[end],
                                                        &lambda[end], &grad_x[end], count, &g[end],
                                                        &g[end], s, poison);
    }
    s = coordinates.leave_backward(s);
  }

  static State<P> random_state(Random& random) {
    State<P> s;
    for (int k = 0; k < P; ++k) s.set(k, random.normal<double>());
    return s;
  }
  static std::vector<E> values(const State<P>& s) {
    std::vector<E> v(P);
    for (int k = 0; k < P; ++k) v[k] = s[k];
    return v;
  }
  static double state_error(const State<P>& s, const std::vector<E>& want, double scale) {
    double got[P];
    for (int k = 0; k < P; ++k) got[k] = s[k];
    return largest_error(got, want.data(), P, scale);
  }

  static Errors forward_errors(Random& random, const FilterBank<T>& f, int64_t count) {
    const std::vector<T> x = random.signal<T>(count);
    State<P> s = random_state(random);
    std::vector<E> want(count), want_s = values(s);
    reference_forward(f, 0, x.data(), count, want_s.data(), want.data());
    vec<T> poison = {};
    const std::vector<T> y = forward(f.b, f.a, x, s, poison);
    return {largest_error(y.data(), want.data(), count), 0, state_error(s, want_s, peak(want))};
  }

  static Errors backward_errors(Random& random, const FilterBank<T>& f, int64_t count) {
    const std::vector<T> g = random.signal<T>(count);
    State<P> s = random_state(random);
    std::vector<E> want(count), want_grad_x(count), want_s = values(s);
    reference_backward(f, 0, g.data(), count, want_s.data(), want.data(), want_grad_x.data());
    std::vector<T> lambda, grad_x;
    vec<T> poison = {};
    backward(f.b, f.a, g, s, lambda, grad_x, poison);
    return {largest_error(lambda.data(), want.data(), count, 1, true),
            largest_error(grad_x.data(), want_grad_x.data(), count, peak(want), true),
            state_error(s, want_s, peak(want))};
  }

  static double peak(const std::vector<E>& v) {
    E largest = 1;
    for (const E& u : v) largest = std::max(largest, std::abs(u));
    return static_cast<double>(largest);
  }
};

// The tables that rows are filtered by (kBlocks in csrc/kernels/cpu/lfilter_blocks.h).
using Tables = ::testing::Types<Table<float, 2>, Table<float, 4>, Table<float, 8>, Table<float, 16>,
                                Table<double, 2>>;
TYPED_TEST_SUITE(Block, Tables);

constexpr double kStateTolerance = 1e-12;

TYPED_TEST(Block, ForwardEqualsTransposedDirectFormTwo) {
  Random random(1);
  for (const double radius : {0.5, 0.9, 0.99, 0.999, 0.99999}) {
    const FilterBank<typename TestFixture::T> f(random, this->P, this->P, 1, radius);
    const auto errors = this->forward_errors(random, f, 64 * kBlock);
    EXPECT_LE(errors.y, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(errors.state, kStateTolerance) << "radius " << radius;
  }
}

TYPED_TEST(Block, BackwardEqualsDirectFormTwoBackwards) {
  Random random(2);
  for (const double radius : {0.5, 0.9, 0.99, 0.999, 0.99999}) {
    const FilterBank<typename TestFixture::T> f(random, this->P, this->P, 1, radius);
    const auto errors = this->backward_errors(random, f, 64 * kBlock);
    EXPECT_LE(errors.y, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(errors.grad_x, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(errors.state, kStateTolerance) << "radius " << radius;
  }
}

// Two states grow as they should; more are those of a lattice, which has to be stable.
TYPED_TEST(Block, PolesBeyondTheCircle) {
  Random random(3);
  if constexpr (TestFixture::P > 2) {
    for (const double radius : {1.0, 1.01, 1.2, 1.5}) {
      const FilterBank<typename TestFixture::T> f(random, this->P, this->P, 1, radius);
      host::Lattice<TestFixture::P> lattice;
      EXPECT_FALSE(host::step_down(f.b.data(), f.a.data(), lattice)) << "radius " << radius;
    }
    return;
  }
  for (const double radius : {1.0, 1.01, 1.2, 1.5}) {
    const FilterBank<typename TestFixture::T> f(random, this->P, this->P, 1, radius);
    const auto there = this->forward_errors(random, f, 6 * kBlock);
    EXPECT_LE(there.y, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(there.state, kStateTolerance) << "radius " << radius;
    const auto back = this->backward_errors(random, f, 6 * kBlock);
    EXPECT_LE(back.y, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(back.grad_x, tolerance<typename TestFixture::T>(radius)) << "radius " << radius;
    EXPECT_LE(back.state, kStateTolerance) << "radius " << radius;
  }
}

// A delay of d samples only moves numbers, within a block, across blocks and out of the state.
TYPED_TEST(Block, DelaysAreExact) {
  using T = typename TestFixture::T;
  constexpr int P = TestFixture::P;
  constexpr int64_t count = 3 * kBlock;
  Random random(4);
  const std::vector<T> x = random.signal<T>(count), past = random.signal<T>(P);
  for (int d = 0; d <= P; ++d) {
    std::vector<double> b(P + 1), a(P);
    b[d] = 1;
    State<P> s;
    for (int k = 0; k < d; ++k) s.set(k, past[k]);  // transposed: the next outputs
    vec<T> poison = {};
    const std::vector<T> y = this->forward(b, a, x, s, poison);
    for (int64_t n = 0; n < count; ++n) ASSERT_EQ(y[n], n < d ? past[n] : x[n - d]);
    for (int k = 0; k < P; ++k) ASSERT_EQ(s[k], k < d ? x[count - d + k] : 0);

    for (int k = 0; k < P; ++k) s.set(k, past[k]);  // the next lambdas
    std::vector<T> lambda, grad_x;
    this->backward(b, a, x, s, lambda, grad_x, poison);
    ASSERT_EQ(lambda, x);
    for (int64_t n = 0; n < count; ++n) {
      ASSERT_EQ(grad_x[n], n + d < count ? x[n + d] : past[n + d - count]);
    }
    for (int k = 0; k < P; ++k) ASSERT_EQ(s[k], x[k]);
  }
}

// (1 - 1/z)^n / (1 - r/z)^n, n = 1..P: high-passes of n poles in one place, whose direct form
// answers an error in its state up to 1e10 times as loud.
template <class Table>
class ClusteredBlock : public Block<Table> {};
using ClusteredTables = ::testing::Types<Table<float, 4>, Table<float, 8>, Table<float, 16>>;
TYPED_TEST_SUITE(ClusteredBlock, ClusteredTables);

TYPED_TEST(ClusteredBlock, IsNoWorseThanItsRounding) {
  using T = typename TestFixture::T;
  constexpr int P = TestFixture::P;
  constexpr double kBound = 1.5e-7;  // measured: 8.8e-8
  Random random(7);
  const int64_t count = 1 << 12;
  for (int order = 1; order <= P; ++order) {
    // poles as near 1 as leave the reference, in long double, its own precision
    for (const double distance : {0.5, 0.1, 0.02, 0.004}) {
      if (std::pow(distance, 0.5 - order) > 1e10) continue;
      std::vector<long double> poles = {1}, zeros = {1};
      for (int i = 0; i < order; ++i) {
        poles.push_back(0);
        zeros.push_back(0);
        for (int j = i + 1; j > 0; --j) {
          poles[j] -= (1 - distance) * poles[j - 1];
          zeros[j] -= zeros[j - 1];
        }
      }
      FilterBank<T> f(random, P, P, 1, 0.5);
      for (int i = 0; i <= P; ++i) f.b[i] = i <= order ? static_cast<double>(zeros[i]) : 0;
      for (int i = 1; i <= P; ++i) f.a[i - 1] = i <= order ? static_cast<double>(poles[i]) : 0;
      const std::vector<T> x = random.signal<T>(count);
      vec<T> poison = {};

      State<P> s;
      std::vector<long double> want(count), want_s(P);
      reference_forward(f, 0, x.data(), count, want_s.data(), want.data());
      const std::vector<T> y = this->forward(f.b, f.a, x, s, poison);
      EXPECT_LE(relative_rms(y.data(), want.data(), count), kBound) << order << ", " << distance;
      EXPECT_LE(this->state_error(s, want_s, this->peak(want_s)), 1e-7)
          << order << ", " << distance;

      State<P> adjoint_s;
      std::vector<long double> want_lambda(count), want_grad_x(count), want_adjoint_s(P);
      reference_backward(f, 0, x.data(), count, want_adjoint_s.data(), want_lambda.data(),
                         want_grad_x.data());
      std::vector<T> lambda, grad_x;
      this->backward(f.b, f.a, x, adjoint_s, lambda, grad_x, poison);
      EXPECT_LE(relative_rms(lambda.data(), want_lambda.data(), count), kBound)
          << order << ", " << distance;
      EXPECT_LE(relative_rms(grad_x.data(), want_grad_x.data(), count), kBound)
          << order << ", " << distance;
    }
  }
}

// RMS error against an exact filter of the same coefficients, biquads from a low to a high angle.
template <class Table>
class BiquadBlock : public Block<Table> {};
using BiquadTables = ::testing::Types<Table<float, 2>, Table<double, 2>>;
TYPED_TEST_SUITE(BiquadBlock, BiquadTables);

TYPED_TEST(BiquadBlock, NoErrorOutlivesItsBlock) {
  using T = typename TestFixture::T;
  const bool single = std::is_same_v<T, float>;
  Random random(5);
  const int64_t count = 1 << 12;
  for (const auto& [radius, bound] : {std::pair(0.9, 2e-6), {0.999, 6e-6}, {0.99999, 1e-5}}) {
    for (const double angle : {0.003, 0.03, 0.3, 1.5, 3.1}) {
      FilterBank<T> f(random, 2, 2, 1, 0.5);
      f.a = {static_cast<float>(-2 * radius * std::cos(angle)),
             static_cast<float>(radius * radius)};
      const std::vector<T> x = random.signal<T>(count);
      State<2> s;
      std::vector<long double> want(count), want_s(2);
      reference_forward(f, 0, x.data(), count, want_s.data(), want.data());
      vec<T> poison = {};
      const std::vector<T> y = this->forward(f.b, f.a, x, s, poison);
      EXPECT_LE(relative_rms(y.data(), want.data(), count), single ? bound : 1e-10)
          << "radius " << radius << ", angle " << angle;
    }
  }
}

TYPED_TEST(Block, WhatIsNotFiniteIsSeen) {
  using T = typename TestFixture::T;
  constexpr int P = TestFixture::P;
  Random random(6);
  const FilterBank<T> f(random, P, P, 1, 0.9);
  auto finite = [](const vec<T>& poison) {
    T sum = 0;
    for (int i = 0; i < kLanes<T>; ++i) sum += poison[i];
    return std::isfinite(sum);
  };
  for (int at = -1; at < kBlock; ++at) {
    for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
      std::vector<T> x = random.signal<T>(kBlock), lambda, grad_x;
      if (at >= 0) x[at] = static_cast<T>(bad);
      State<P> s = this->random_state(random);
      vec<T> there = {}, back = {};
      this->forward(f.b, f.a, x, s, there);
      EXPECT_EQ(finite(there), at < 0);
      s = this->random_state(random);
      this->backward(f.b, f.a, x, s, lambda, grad_x, back);
      EXPECT_EQ(finite(back), at < 0);
    }
  }
}

}  // namespace
}  // namespace polezero::test
