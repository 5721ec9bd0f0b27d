// Sparse filters and their products, on every instruction set and on an emulated GPU, against their
// definition.
#include "kernels/cuda/tile/sparse.h"

#include "emulated_block.h"
#include "kernels/cuda/tile/one_tap.h"
#include "params/sparse.h"
#include "reference.h"

namespace polezero::test {
namespace {

struct Shape {
  int64_t rows, past, time, taps;
  int64_t shortest, longest;
  bool varying_delays = false, varying_coefficients = false, shared = false;
  int points = 1;        // that a tap reads, of a delay between samples where there are 2 or 4
  int64_t threads = 32;  // of a row on a GPU, if it is a comb
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << s.rows << " rows, " << s.past << " + " << s.time << " samples, " << s.taps
               << " taps of " << s.shortest << ".." << s.longest
               << (s.varying_delays ? ", varying delays" : "")
               << (s.varying_coefficients ? ", varying coefficients" : "")
               << (s.shared ? ", shared" : "") << (s.points > 1 ? ", between " : "")
               << (s.points > 1 ? s.points : 0) << " samples";
  }
};

const Shape kShapes[] = {{1, 0, 1, 1, 1, 1},
                         {2, 0, 5, 2, 1, 3},
                         {2, 3, 40, 2, 1, 3},
                         {3, 20, 100, 3, 17, 20},
                         {2, 0, 100, 3, 30, 300},
                         {2, 40, 6000, 2, 33, 40, false, false, true},
                         {2, 40, 300, 1, 33, 40, false, true},
                         {2, 0, 300, 2, 9, 40, false, true, true},
                         {2, 30, 300, 2, 1, 30, true},
                         {2, 0, 300, 2, 20, 60, true, true},
                         {2, 7, 5000, 3, 2, 7, true, true, true},
                         {2, 3, 20, 0, 1, 1},
                         {1, 0, 20, 1, 30, 30},
                         {2, 0, 300, 1, 60, 80},
                         {2, 40, 9000, 1, 33, 40, false, false, false, 1, 200},
                         {2, 5, 4000, 1, 1, 5, false, true, true, 1, 200},
                         {2, 9, 50, 2, 1, 7, true, false, false, 2},
                         {2, 0, 300, 1, 20, 60, true, true, true, 2},
                         {1, 0, 40, 1, 5, 8, false, true, false, 4},
                         {2, 0, 300, 2, 2, 40, true, true, false, 4},
                         {2, 12, 5000, 1, 2, 9, true, false, true, 4},
                         {2, 30, 5000, 1, 7, 25, true, true, false, 4},
                         {2, 0, 500, 1, 9, 300, true, false, true, 4},
                         {1, 0, 50, 1, 3'000'000'000, 3'000'000'100, true, false, false, 4}};

// The polynomial through 1 at one of `points` neighbours and 0 at the others, at u between the
// middle ones, or its derivative.
long double lagrange(int points, int j, long double u, bool derivative) {
  const int before = points / 2 - 1;
  long double value = 1, slope = 0;
  for (int i = 0; i < points; ++i) {
    if (i == j) continue;
    slope = (slope * (u + before - i) + value) / (j - i);
    value *= (u + before - i) / (j - i);
  }
  return derivative ? slope : value;
}

Interpolator interpolator(int points, bool derivative) {
  const Interpolator whole{}, between = points == 2 ? kLinear : kLagrange3;
  return derived(points == 1 ? whole : between, derivative);
}

template <class T>
struct Case {
  using A = acc_t<T>;
  static constexpr bool kSingle = sizeof(T) < sizeof(A);  // delays between samples, too
  Shape s;
  std::vector<int64_t> delays;
  std::vector<float> between;  // the same, with something added
  std::vector<double> between_double;
  std::vector<A> constant;
  std::vector<T> varying;
  Rows<T> x, g;

  Case(Random& random, const Shape& shape)
      : s(shape),
        x(random_rows<T>(random, s.rows, s.past + s.time, 3)),
        g(random_rows<T>(random, s.rows, s.past + s.time, 0)) {
    const int64_t sets = s.shared ? 1 : s.rows;
    delays.resize(sets * (s.varying_delays ? s.time : 1) * s.taps);
    for (int64_t& d : delays) {
      d = static_cast<int64_t>(random.uniform(static_cast<double>(s.shortest), s.longest + 1));
    }
    for (const int64_t d : delays) {
      between.push_back(static_cast<float>(static_cast<double>(d) + random.uniform(0, 0.999)));
    }
    between_double.assign(between.begin(), between.end());
    const double size = 0.9 / static_cast<double>(std::max<int64_t>(s.taps, 1));
    auto fill = [&](auto& c, int64_t count) {
      c = random.signal<typename std::decay_t<decltype(c)>::value_type>(count);
      for (auto& v : c)
        v *= static_cast<std::decay_t<decltype(v)>>(
            size / std::max(std::abs(v), decltype(std::abs(v))(1)));
    };
    s.varying_coefficients ? fill(varying, sets * s.time * s.taps) : fill(constant, sets * s.taps);
  }

  SparseTaps<T> taps(bool derivative = false) const {
    const int64_t times_d = s.varying_delays ? s.time : 1;
    const int64_t times_c = s.varying_coefficients ? s.time : 1;
    return {.count = s.taps,
            .d = s.points == 1 ? delays.data() : nullptr,
            .d_between = s.points == 1 || kSingle ? nullptr : between_double.data(),
            .d_between_single = s.points > 1 && kSingle ? between.data() : nullptr,
            .interpolator = interpolator(s.points, derivative),
            .d_row = s.shared ? 0 : times_d * s.taps,
            .d_time = s.varying_delays ? s.taps : 0,
            .varying = s.varying_coefficients ? varying.data() : nullptr,
            .constant = s.varying_coefficients ? nullptr : constant.data(),
            .c_row = s.shared ? 0 : times_c * s.taps};
  }
  SparseParams<T> params(bool feedback, bool transposed, Rows<T>& y) const {
    return {.taps = taps(),
            .feedback = feedback,
            .transposed = transposed,
            .past = s.past,
            .x = x.data.data(),
            .x_stride = x.stride,
            .y = y.data.data(),
            .y_stride = y.stride,
            .shortest = s.shortest - before(),
            .longest = s.longest - before() + s.points - 1};
  }
  SparseProductParams<T> product_params(T* p, A* sums, bool derivative) const {
    return {.taps = taps(derivative),
            .past = s.past,
            .g = g.data.data(),
            .g_stride = g.stride,
            .x = x.data.data(),
            .x_stride = x.stride,
            .p = p,
            .p_sums = sums};
  }
  int64_t before() const { return s.points == 4 ? 1 : 0; }
  int64_t tap(int64_t r, int64_t n, int64_t l) const {
    const int64_t set = s.shared ? 0 : r;
    return s.varying_delays ? (set * s.time + n) * s.taps + l : set * s.taps + l;
  }
  // The delay of the j-th sample that a tap reads.
  int64_t delay(int64_t r, int64_t n, int64_t l, int64_t j) const {
    return delays[tap(r, n, l)] - before() + j;
  }
  long double weight(int64_t r, int64_t n, int64_t l, int j, bool derivative = false) const {
    if (s.points == 1) return 1;
    const double d = between[tap(r, n, l)];
    return lagrange(s.points, j, d - std::floor(d), derivative);
  }
  exact_t<T> coefficient(int64_t r, int64_t n, int64_t l) const {
    const int64_t set = s.shared ? 0 : r;
    return s.varying_coefficients ? exact(varying[(set * s.time + n) * s.taps + l])
                                  : exact(constant[set * s.taps + l]);
  }

  // Row r of (1 + S)^-1 x or S x, or of their transposes.
  std::vector<exact_t<T>> truth(bool feedback, bool transposed, int64_t r) const {
    const int64_t all = s.past + s.time;
    std::vector<exact_t<T>> y(all), from(all);
    for (int64_t n = 0; n < all; ++n) {
      from[n] = exact(x.row(r)[n]);
      y[n] = feedback ? from[n] : exact_t<T>(0);
    }
    const long double sign = feedback ? -1 : 1;
    for (int64_t step = 0; step < s.time; ++step) {
      const int64_t n = transposed ? s.time - 1 - step : step;
      for (int64_t i = 0; i < s.taps * s.points; ++i) {
        const int64_t l = i / s.points, j = i % s.points, m = s.past + n - delay(r, n, l, j);
        if (m < 0) continue;
        const int64_t to = transposed ? m : s.past + n, of = transposed ? s.past + n : m;
        y[to] +=
            sign * weight(r, n, l, j) * product(coefficient(r, n, l), feedback ? y[of] : from[of]);
      }
    }
    return y;
  }
};

template <class T>
class SparseOf : public ::testing::Test {};
TYPED_TEST_SUITE(SparseOf, ScalarTypes);

template <class T>
void expect_truth(const Case<T>& c, bool feedback, bool transposed, const Rows<T>& y) {
  for (int64_t r = 0; r < c.s.rows; ++r) {
    const auto want = c.truth(feedback, transposed, r);
    ASSERT_LE(largest_error(y.row(r), want.data(), y.time, 1, transposed), tolerance<T>())
        << (feedback ? "feedback" : "fir") << (transposed ? ", transposed" : "");
  }
}

// What a GPU computes; lists as csrc/ops/sparse.cpp makes them.
template <class T>
void run_on_a_gpu(const SparseParams<T>& given, const Case<T>& c) {
  const int64_t points = c.s.points, reads = c.s.taps * points, all = c.s.past + c.s.time;
  const int64_t lists = c.s.shared ? 1 : c.s.rows;
  SparseOnDevice<T> p{given};
  p.rows = c.s.rows;
  p.time = all;
  std::vector<acc_t<T>> history(p.rows * all);
  p.history = history.data();
  std::vector<int64_t> tap, begin;
  if (given.transposed && !given.taps.constant_delays()) {
    for (int64_t list = 0; list < lists; ++list) {
      for (int64_t m = 0; m <= all; ++m) {
        begin.push_back(static_cast<int64_t>(tap.size()) - list * c.s.time * reads);
        for (int64_t i = 0; i < c.s.time * reads; ++i) {
          const int64_t n = i / reads, l = i % reads / points;
          if (c.s.past + n - c.delay(list, n, l, i % points) == m) tap.push_back(i);
        }
      }
      tap.resize((list + 1) * c.s.time * reads);
    }
    p.tap = tap.data();
    p.begin = begin.data();
    p.lists = lists;
  }
  if (given.feedback && given.taps.are_comb()) {
    p.comb_threads = c.s.threads;
    const int64_t threads = p.rows * p.comb_threads;
    std::vector<acc_t<T>> states(2 * threads);
    p.comb_states = states.data();
    for (int64_t i = 0; i < threads; ++i) {
      host::find_comb_chunk(p, i / p.comb_threads, i % p.comb_threads);
    }
    for (int64_t i = 0; i < threads; ++i) {
      host::filter_comb_chunk(p, i / p.comb_threads, i % p.comb_threads);
    }
  } else if (given.feedback) {
    run_grid<std::array<double, 2>>(p.rows, 2, 1, 0, [&](auto& block, auto& memory, int64_t row) {
      host::sparse_allpole_row(block, memory.data(), p, row);
    });
  } else {
    for (int64_t i = 0; i < p.rows * all; ++i) host::sparse_fir_output(p, i / all, i % all);
  }
}

TYPED_TEST(SparseOf, FiltersAreTheirDefinition) {
  using T = TypeParam;
  Random random(1);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape);
    const Case<T> c(random, shape);
    for (const bool feedback : {true, false}) {
      for (const bool transposed : {false, true}) {
        Rows<T> y(shape.rows, shape.past + shape.time, 1, T(NAN));
        const auto p = c.params(feedback, transposed, y);
        on_every_isa<T>([&](const auto& kernels) {
          kernels.sparse(p, {0, shape.rows, 0, y.time});
          expect_truth(c, feedback, transposed, y);
        });
        if (shape.time <= 300 || p.taps.are_comb()) {  // (others: as many barriers as samples)
          SCOPED_TRACE("a GPU");
          run_on_a_gpu(p, c);
          expect_truth(c, feedback, transposed, y);
        }
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

// A transition that overflows meets states of zero.
TYPED_TEST(SparseOf, AnUnstableCombOfSilenceIsSilentOnAGpu) {
  using T = TypeParam;
  Random random(3);
  Case<T> c(random, {1, 0, 40000, 1, 1, 1, false, false, false, 1, 20});
  c.constant[0] = -2;
  std::fill(c.x.data.begin(), c.x.data.end(), T(0));
  c.x.row(0)[39990] = 1;
  Rows<T> y(1, 40000, 0, T(NAN));
  run_on_a_gpu(c.params(/*feedback=*/true, /*transposed=*/false, y), c);
  for (int64_t n = 0; n < 40000; ++n) {
    ASSERT_EQ(y.row(0)[n], n < 39990 ? T(0) : T(std::exp2(static_cast<double>(n - 39990)))) << n;
  }
}

TYPED_TEST(SparseOf, ProductsAreTheirDefinition) {
  using T = TypeParam;
  using A = acc_t<T>;
  Random random(2);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape);
    const Case<T> c(random, shape);
    const bool derivative = shape.points > 1;  // then not the read itself, which filters have
    const int64_t L = shape.taps, count = shape.rows * shape.time * L;
    std::vector<exact_t<T>> want(count), sums(shape.rows * L);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t l = i % L, n = i / L % shape.time, r = i / L / shape.time;
      for (int j = 0; j < shape.points; ++j) {
        const int64_t m = shape.past + n - c.delay(r, n, l, j);
        if (m < 0) continue;
        want[i] += c.weight(r, n, l, j, derivative) *
                   product(exact(c.g.row(r)[shape.past + n]), exact(c.x.row(r)[m]));
      }
      sums[r * L + l] += want[i];
    }
    auto check = [&](const std::vector<T>& p, const std::vector<A>& got) {
      ASSERT_LE(largest_error(p.data(), want.data(), count), tolerance<T>());
      ASSERT_LE(largest_error(got.data(), sums.data(), got.size(), 10), 1e-13);
    };
    on_every_isa<T>([&](const auto& kernels) {
      auto p = unwritten<T>(count);
      std::vector<A> got(shape.rows * L);
      kernels.sparse_product(c.product_params(p.data(), got.data(), derivative),
                             {0, shape.rows, 0, shape.past + shape.time});
      check(p, got);
    });
    auto p = unwritten<T>(count);
    std::vector<A> got(shape.rows * L);
    const auto params = c.product_params(p.data(), nullptr, derivative);
    for (int64_t i = 0; i < count; ++i) {
      p[i] = static_cast<T>(
          host::sparse_product_of(params, i / L / shape.time, i / L % shape.time, i % L));
    }
    run_grid<std::array<A, 2>>(shape.rows * L, 2, 1, 0, [&](auto& block, auto& memory, int64_t i) {
      host::sparse_product_chunk(block, memory.data(), params, shape.time, i, got.data());
    });
    check(p, got);
    if (this->HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace polezero::test
