// The gradients of lfilter and allpole as a GPU makes them, from coefficients as they are given to
// gradients as they are returned, against differences of the definition in extended precision.
#include "kernels/cuda/tile/lfilter_gradients.h"

#include "emulated_kernels.h"

namespace polezero::test {
namespace {

// b and a with a_0, x, and the state: zi or past outputs.
template <class E>
struct Inputs {
  std::vector<E> b, a, x, zi;
};

// y and, where zi is a state of lfilter, zf.
template <class E>
std::vector<E> filtered(const Inputs<E>& in, bool monic) {
  const int64_t M = in.b.size() - 1, N = in.a.size() - 1, P = std::max(M, N);
  std::vector<E> s(P), out;
  for (int64_t j = 0; j < P; ++j) {
    if (!monic) s[j] = in.zi[j];
    for (int64_t i = j + 1; monic && i <= N; ++i) s[j] -= product(in.a[i], in.zi[i - j - 1]);
  }
  for (const E& x : in.x) {
    const E y = product(in.b[0], x) / in.a[0] + (P > 0 ? s[0] : E(0));
    for (int64_t j = 0; j < P; ++j) {
      s[j] = j + 1 < P ? s[j + 1] : E(0);
      if (j < M) s[j] += product(in.b[j + 1], x) / in.a[0];
      if (j < N) s[j] -= product(in.a[j + 1], y) / in.a[0];
    }
    out.push_back(y);
  }
  if (!monic) out.insert(out.end(), s.begin(), s.end());
  return out;
}

// The gradient of Re <g, filtered> with respect to `values`, a member of `in`.
template <class E>
std::vector<E> differences(Inputs<E> in, std::vector<E> Inputs<E>::* values, bool monic,
                           const std::vector<E>& g) {
  constexpr long double h = 1e-6L;
  std::vector<E> grad;
  for (E& v : in.*values) {
    const E at = v;
    v = at + E(h);
    const std::vector<E> above = filtered(in, monic);
    v = at - E(h);
    const std::vector<E> below = filtered(in, monic);
    v = at;
    E sum(0);
    for (size_t i = 0; i < g.size(); ++i) {
      sum += product(conjugate_exact(g[i]), (above[i] - below[i]) / (2 * h));
    }
    grad.push_back(conjugate_exact(sum));
  }
  return grad;
}

template <class T>
void check(int64_t M, int64_t N, int64_t time, bool monic) {
  SCOPED_TRACE(::testing::Message() << "M " << M << " N " << N << " time " << time
                                    << (monic ? ", allpole" : ", lfilter"));
  using A = acc_t<T>;
  using E = exact_t<T>;
  Random random(1);
  const int64_t P = std::max(M, N);
  const auto x = random.signal<T>(time), g = random.signal<T>(time + P);
  const auto zi = random.signal<A>(P);
  std::vector<T> b = random.signal<T>(M + 1), a{T(1)};
  const T a0 = monic ? T(1) : random.normal<T>() + T(2);
  if (monic) b = {T(1)};
  for (const A& c : denominator<A>(random, N, 0.7)) a.push_back(static_cast<T>(c));
  for (T& c : a) c *= a0;
  const Inputs<E> given{
      {b.begin(), b.end()}, {a.begin(), a.end()}, {x.begin(), x.end()}, {zi.begin(), zi.end()}};
  const auto out = filtered(given, monic);
  std::vector<E> g_out(g.begin(), g.begin() + out.size());

  std::vector<A> bs(P + 1), as(P), a0s(1);
  const GivenFilters filters{.b = monic ? nullptr : b.data(),
                             .a = monic ? a.data() + 1 : a.data(),
                             .order_b = M,
                             .order_a = N,
                             .monic = monic,
                             .conjugate = true};
  for (int64_t i = 0; i <= P; ++i) {
    normalise_tap<T, T, T>(filters, 0, i, bs.data(), as.data(), a0s.data());
  }
  const std::vector<T> y(out.begin(), out.begin() + time);
  const std::vector<A> zf(out.begin() + time, out.end()), grad_zf(g.begin() + time, g.end());
  auto grad_x = unwritten<T>(time);
  auto head = unwritten<A>(P), grad_zi = unwritten<A>(P), grad_b = unwritten<A>(M + 1),
       grad_a = unwritten<A>(N + !monic);
  chunk_length = 8;
  lengthen_chunks(P);
  const int64_t chunks = chunks_of(time);
  auto sums = unwritten<A>(chunks * 2 * (P + 1));
  const LfilterAdjointScan<T> p{.filters = {M, N, P, 0, bs.data(), as.data()},
                                .rows = 1,
                                .time = time,
                                .grad_y = g.data(),
                                .grad_y_stride = time,
                                .grad_zf = monic ? nullptr : grad_zf.data(),
                                .grad_x = grad_x.data(),
                                .grad_x_stride = time,
                                .x = monic ? nullptr : x.data(),
                                .x_stride = time,
                                .y = y.data(),
                                .y_stride = time,
                                .head = head.data(),
                                .sums = sums.data()};
  run_chunks(LfilterAdjointChunks<T>{{p}, chunks});
  const cuda::LfilterGradients<T> gradients{.monic = monic,
                                            .grad_b = monic ? nullptr : grad_b.data(),
                                            .grad_a = grad_a.data(),
                                            .grad_zi = grad_zi.data(),
                                            .zi = zi.data(),
                                            .zf = monic ? nullptr : zf.data()};
  run_grid<char>(2 * (P + 1), 1, 1, 0, [&](auto& warp, char&, int64_t i) {
    finish_gradient(warp, p, chunks, a0s.data(), gradients, i);
  });
  for (int64_t k = 0; k < P; ++k) finish_grad_zi(p, gradients, 0, k);

  const double bound = sizeof(T) / (kComplex<T> ? 2 : 1) == 4 ? 1e-5 : 1e-9;  // of the differences
  auto expect_close = [&](const auto& got, std::vector<E> Inputs<E>::* values, int64_t skip) {
    const auto want = differences(given, values, monic, g_out);
    EXPECT_LE(largest_error(got.data(), want.data() + skip, got.size(), 10), bound);
  };
  if (!monic) expect_close(grad_b, &Inputs<E>::b, 0);
  expect_close(grad_a, &Inputs<E>::a, monic);
  expect_close(grad_x, &Inputs<E>::x, 0);
  expect_close(grad_zi, &Inputs<E>::zi, 0);
}

template <class T>
class LfilterGradients : public ::testing::Test {};
TYPED_TEST_SUITE(LfilterGradients, ScalarTypes);

TYPED_TEST(LfilterGradients, EqualDifferencesOfTheDefinition) {
  for (const int64_t time : {1, 4, 23}) {
    for (const auto& [M, N] : {std::pair(2, 2), {1, 3}, {4, 2}, {3, 0}}) {
      check<TypeParam>(M, N, time, false);
    }
    for (const int64_t N : {1, 2, 5}) check<TypeParam>(0, N, time, true);
  }
}

}  // namespace
}  // namespace polezero::test
