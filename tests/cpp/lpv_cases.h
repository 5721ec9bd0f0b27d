// A problem for the time-varying primitives, and their definitions (params/lpv.h) in
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
  Rows<T> allpole, fir, product, lambda, grad_a;
  std::vector<acc_t<T>> state, adjoint_state;  // given to the kernels to carry on

  bool operator==(const LpvResult&) const = default;
};

// The same coefficients are a_1..a_N of the all-pole filter and b_0..b_{taps-1} of the other;
// grad_a takes x for the output of the former.
template <class T>
struct LpvCase {
  LpvShape shape;
  Rows<T> coefficients;  // [1 or B, T, taps]
  Rows<T> x, g;
  std::vector<acc_t<T>> state;

  LpvCase(Random& random, const LpvShape& s)
      : shape(s),
        coefficients(random_rows<T>(random, s.shared ? 1 : s.rows, s.time * s.taps, 5)),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 4)),
        state(random.signal<acc_t<T>>(s.rows * s.taps)) {
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
            .state = out.state.data(),
            .rows = shape.rows};
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
            .c = out.product.row(0),
            .time = shape.time};
  }
  LpvAllpoleBackwardParams<T> backward(LpvResult<T>& out) const {
    LpvAllpoleParams<T> adjoint = allpole(out);
    adjoint.lags = shape.lags.adjoint();
    adjoint.x = g.row(0);
    adjoint.x_stride = g.stride;
    adjoint.y = out.lambda.row(0);
    adjoint.y_stride = out.lambda.stride;
    adjoint.state = out.adjoint_state.data();
    LagProductParams<T> products = product(out);
    products.g = out.lambda.row(0);
    products.g_stride = out.lambda.stride;
    products.c = out.grad_a.row(0);
    products.first = 1;
    products.sign = -1;
    products.conjugate_x = true;
    return {adjoint, products};
  }
  LpvResult<T> blank() const {
    auto rows = [&](int64_t samples, int64_t gap) {
      return Rows<T>(shape.rows, samples, gap, kUntouched<T>);
    };
    return {rows(shape.time, 2),
            rows(shape.time, 1),
            rows(shape.time * shape.taps, 0),
            rows(shape.time, 3),
            rows(shape.time * shape.taps, 0),
            state,
            state};
  }
  // `ranges` of rows, one after the other
  LpvResult<T> run(const KernelsOf<T>& kernels, const std::vector<Range>& ranges) const {
    LpvResult<T> out = blank();
    for (const Range& range : ranges) {
      kernels.lpv_allpole(allpole(out), range);
      kernels.lpv_allpole_backward(backward(out), range);
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
  Rows<E> allpole, fir, product, lambda, grad_a;
  std::vector<E> state, adjoint_state;

  explicit LpvTruth(const LpvCase<T>& c)
      : allpole(c.shape.rows, c.shape.time, 0),
        fir(allpole),
        product(c.shape.rows, c.shape.time * c.shape.taps, 0),
        lambda(allpole),
        grad_a(product),
        state(c.state.begin(), c.state.end()),
        adjoint_state(state) {
    const int64_t taps = c.shape.taps;
    for (int64_t r = 0; r < c.shape.rows; ++r) {
      filter(c, r, c.shape.lags, c.x.row(r), state.data() + r * taps, allpole.row(r));
      filter(c, r, c.shape.lags.adjoint(), c.g.row(r), adjoint_state.data() + r * taps,
             lambda.row(r));
      for_each_lag(c, c.shape.lags, [&](int64_t n, int64_t k, int64_t m, int64_t from) {
        const E x = exact(c.x.row(r)[from]);
        if (k > 0) {
          grad_a.row(r)[m * taps + k - 1] = -test::product(lambda.row(r)[n], conjugate(x));
        }
        if (k == taps) return;
        fir.row(r)[n] += test::product(exact(coefficient(c, r, m, k)), x);
        product.row(r)[m * taps + k] = test::product(exact(c.g.row(r)[n]), x);
      });
    }
  }
  // `carries_state`: the kernels give the states after the rows, too, which those of a GPU do not.
  void expect(const LpvResult<T>& got, bool carries_state = true) const {
    const int64_t taps = fir.rows == 0 ? 0 : state.size() / fir.rows;
    auto error = [](const Rows<T>& u, const Rows<E>& v, int64_t r) {
      return largest_error(u.row(r), v.row(r), v.time);
    };
    auto state_error = [&](const std::vector<acc_t<T>>& u, const std::vector<E>& v, int64_t r) {
      return largest_error(u.data() + r * taps, v.data() + r * taps, taps);
    };
    for (int64_t r = 0; r < fir.rows; ++r) {
      ASSERT_LE(error(got.allpole, allpole, r), tolerance<T>()) << "lpv_allpole, row " << r;
      ASSERT_LE(error(got.lambda, lambda, r), tolerance<T>()) << "adjoint, row " << r;
      ASSERT_LE(error(got.grad_a, grad_a, r), tolerance<T>()) << "grad_a, row " << r;
      ASSERT_LE(error(got.fir, fir, r), tolerance<T>()) << "lpv_fir, row " << r;
      ASSERT_LE(error(got.product, product, r), tolerance<T>()) << "lag_product, row " << r;
      if (!carries_state) continue;
      ASSERT_LE(state_error(got.state, state, r), 1e-12) << "state, row " << r;
      ASSERT_LE(state_error(got.adjoint_state, adjoint_state, r), 1e-12)
          << "state of the adjoint, row " << r;
    }
    expect_gaps_untouched(got.allpole);
    expect_gaps_untouched(got.lambda);
    expect_gaps_untouched(got.fir);
  }

 private:
  static E conjugate(const E& v) {
    if constexpr (kComplex<T>) {
      return std::conj(v);
    } else {
      return v;
    }
  }
  static T coefficient(const LpvCase<T>& c, int64_t r, int64_t m, int64_t k) {
    return c.coefficients.row(c.shape.shared ? 0 : r)[m * c.shape.taps + k];
  }
  // f(n, k, m, from) for all times n and lags k up to taps: the times of the coefficient and of the
  // sample, where there are such.
  template <class F>
  static void for_each_lag(const LpvCase<T>& c, const Lags& lags, F&& f) {
    const int64_t time = c.shape.time;
    auto within = [&](int64_t n) { return n >= 0 && n < time; };
    for (int64_t step = 0; step < time; ++step) {
      const int64_t n = lags.reverse ? time - 1 - step : step;
      for (int64_t k = 0; k <= c.shape.taps; ++k) {
        const int64_t m = n + lags.shift * k, from = lags.reverse ? n + k : n - k;
        if (within(m) && within(from)) f(n, k, m, from);
      }
    }
  }
  // The definition, and the state (kernels/cpu/tile/lpv.h) at both ends, N the order.
  static void filter(const LpvCase<T>& c, int64_t r, const Lags& lags, const T* x, E* state, E* y) {
    const int64_t time = c.shape.time, N = c.shape.taps;
    auto at = [&](int64_t step) { return lags.reverse ? time - 1 - step : step; };
    const std::vector<E> begin(state, state + N);
    auto output = [&](int64_t step) { return step >= 0 ? y[at(step)] : begin[-1 - step]; };
    // what samples before `end` feed back into that of `step`
    auto fed_back = [&](int64_t step, int64_t end) {
      E sum{};
      for (int64_t i = 1; i <= N; ++i) {
        const int64_t from = step - i;
        if (from >= end || (lags.at_input() && from < 0)) continue;
        const int64_t m = lags.at_input() ? at(from) : at(step);
        sum += test::product(exact(coefficient(c, r, m, i - 1)), output(from));
      }
      return sum;
    };
    for (int64_t step = 0; step < time; ++step) {
      y[at(step)] = exact(x[at(step)]) - fed_back(step, step);
      if (lags.at_input() && step < N) y[at(step)] += begin[step];
    }
    for (int64_t i = 0; i < N; ++i) {
      if (lags.at_input()) {
        state[i] = -fed_back(time + i, time) + (time + i < N ? begin[time + i] : E{});
      } else {
        state[i] = output(time - 1 - i);
      }
    }
  }
};

}  // namespace polezero::test
