// A problem for the three time-varying primitives, and their definitions (kernels/lpv.h) in
// extended precision.
#pragma once

#include "kernel_cases.h"

namespace polezero::test {

struct LpvShape {
  int64_t rows, time, taps;
  Lags lags;
  bool shared = false;  // one set of coefficients for all rows
};
inline std::ostream& operator<<(std::ostream& out, const LpvShape& s) {
  return out << s.taps << " taps, " << s.rows << " rows of " << s.time << ", shift " << s.lags.shift
             << (s.lags.reverse ? ", reverse" : "") << (s.shared ? ", shared" : "");
}

// The ones that the ops have.
constexpr Lags kAllLags[] = {{0, false}, {-1, false}, {0, true}, {1, true}};

template <class T>
struct LpvResult {
  Rows<T> allpole, fir, product;
  std::vector<acc_t<T>> past;  // given to the kernels to overwrite

  bool operator==(const LpvResult&) const = default;
};

// The same coefficients are a_1..a_N of the all-pole filter and b_0..b_{taps-1} of the other.
template <class T>
struct LpvCase {
  LpvShape shape;
  Rows<T> coefficients;  // [1 or B, T, taps]
  Rows<T> x, g;
  std::vector<acc_t<T>> past;

  LpvCase(Random& random, const LpvShape& s)
      : shape(s),
        coefficients(random_rows<T>(random, s.shared ? 1 : s.rows, s.time * s.taps, 5)),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 4)),
        past(random.signal<acc_t<T>>(s.rows * s.taps)) {
    for (T& c : coefficients.data) c *= T(0.5 / std::max<int64_t>(s.taps, 1));  // stable
  }

  int64_t coefficient_stride() const { return shape.shared ? 0 : coefficients.stride; }
  LpvAllpoleParams<T> allpole(LpvResult<T>& out) const {
    return {.lags = shape.lags,
            .order = shape.taps,
            .a = coefficients.row(0),
            .a_stride = coefficient_stride(),
            .x = x.row(0),
            .x_stride = x.stride,
            .y = out.allpole.row(0),
            .y_stride = out.allpole.stride,
            .past = out.past.data()};
  }
  LpvFirParams<T> fir(LpvResult<T>& out) const {
    return {.lags = shape.lags,
            .taps = shape.taps,
            .b = coefficients.row(0),
            .b_stride = coefficient_stride(),
            .x = x.row(0),
            .x_stride = x.stride,
            .y = out.fir.row(0),
            .y_stride = out.fir.stride};
  }
  LagProductParams<T> product(LpvResult<T>& out) const {
    return {.lags = shape.lags,
            .taps = shape.taps,
            .g = g.row(0),
            .g_stride = g.stride,
            .x = x.row(0),
            .x_stride = x.stride,
            .c = out.product.row(0)};
  }
  LpvResult<T> blank() const {
    auto rows = [&](int64_t samples, int64_t gap) {
      return Rows<T>(shape.rows, samples, gap, kUntouched<T>);
    };
    return {rows(shape.time, 2), rows(shape.time, 1), rows(shape.time * shape.taps, 0), past};
  }
  // `ranges` of rows, one after the other
  LpvResult<T> run(const KernelsOf<T>& kernels, const std::vector<Range>& ranges) const {
    LpvResult<T> out = blank();
    for (const Range& range : ranges) {
      kernels.lpv_allpole(allpole(out), range);
      kernels.lpv_fir(fir(out), range);
      kernels.lag_product(product(out), range);
    }
    return out;
  }
  LpvResult<T> run(const KernelsOf<T>& kernels) const {
    return run(kernels, {{0, shape.rows, 0, shape.time}});
  }
};

template <class T>
struct LpvTruth {
  using E = exact_t<T>;
  Rows<E> allpole, fir, product;

  explicit LpvTruth(const LpvCase<T>& c)
      : allpole(c.shape.rows, c.shape.time, 0),
        fir(c.shape.rows, c.shape.time, 0),
        product(c.shape.rows, c.shape.time * c.shape.taps, 0) {
    const int64_t time = c.shape.time, taps = c.shape.taps;
    const Lags lags = c.shape.lags;
    const int64_t direction = lags.reverse ? 1 : -1;
    auto within = [&](int64_t n) { return n >= 0 && n < time; };
    for (int64_t r = 0; r < c.shape.rows; ++r) {
      const T *x = c.x.row(r), *g = c.g.row(r),
              *coefficients = c.coefficients.row(c.shape.shared ? 0 : r);
      for (int64_t step = 0; step < time; ++step) {
        const int64_t n = lags.reverse ? time - 1 - step : step;
        E y = exact(x[n]), sum{};
        for (int64_t k = 0; k <= taps; ++k) {
          const int64_t m = n + lags.shift * k, from = n + direction * k;
          if (!within(m)) continue;
          if (k > 0) {
            const E u = within(from) ? allpole.row(r)[from] : E(c.past[r * taps + k - step - 1]);
            y -= test::product(exact(coefficients[m * taps + k - 1]), u);
          }
          if (k == taps || !within(from)) continue;
          sum += test::product(exact(coefficients[m * taps + k]), exact(x[from]));
          product.row(r)[m * taps + k] = test::product(exact(g[n]), exact(x[from]));
        }
        allpole.row(r)[n] = y;
        fir.row(r)[n] = sum;
      }
    }
  }
  void expect(const LpvResult<T>& got) const {
    auto error = [](const Rows<T>& u, const Rows<E>& v, int64_t r) {
      return largest_error(u.row(r), v.row(r), v.time);
    };
    for (int64_t r = 0; r < fir.rows; ++r) {
      ASSERT_LE(error(got.allpole, allpole, r), tolerance<T>()) << "lpv_allpole, row " << r;
      ASSERT_LE(error(got.fir, fir, r), tolerance<T>()) << "lpv_fir, row " << r;
      ASSERT_LE(error(got.product, product, r), tolerance<T>()) << "lag_product, row " << r;
    }
    expect_gaps_untouched(got.allpole);
    expect_gaps_untouched(got.fir);
  }
};

}  // namespace polezero::test
