// A batch of rows to filter, run through a table of kernels, and what must come out. Forward and
// Backward have the same members, so that a test can be written for both.
#pragma once

#include "reference.h"

namespace polezero::test {

// The shape of a case. One filter for all rows, or one a row.
struct Shape {
  int64_t order_b, order_a;
  int64_t rows, time;
  bool filter_a_row = false;
  double radius = 0.9;
  int64_t gap = 3;

  int64_t order() const { return std::max(order_b, order_a); }
};
inline std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "orders (" << s.order_b << ", " << s.order_a << "), " << s.rows << " rows of "
             << s.time << (s.filter_a_row ? ", a filter a row" : ", one filter");
}

// How to run a case: cut in time at `cuts` (ascending), only the state, or around the caches.
struct How {
  std::vector<int64_t> cuts = {};
  bool state_only = false;
  bool around_cache = false;
};

// The ranges of the calls, ascending in time.
inline std::vector<Range> ranges_of(const Shape& shape, const How& how) {
  std::vector<Range> ranges;
  int64_t begin = 0;
  for (const int64_t cut : how.cuts) {
    ranges.push_back({0, shape.rows, begin, cut});
    begin = cut;
  }
  ranges.push_back({0, shape.rows, begin, shape.time});
  return ranges;
}

// Stands in every output before it is written.
template <class T>
inline const T kUntouched = T(-12345);

template <class T>
void expect_gaps_untouched(const Rows<T>& out) {
  for (int64_t r = 0; r + 1 < out.rows; ++r) {
    for (int64_t i = out.time; i < out.stride; ++i) ASSERT_EQ(out.row(r)[i], kUntouched<T>);
  }
}

template <class T>
struct ForwardResult {
  Rows<T> y;
  std::vector<acc_t<T>> state;

  Rows<T>& signal() { return y; }
  bool operator==(const ForwardResult&) const = default;
};

template <class T>
struct ForwardTruth;

template <class T>
struct ForwardCase {
  using Scalar = T;
  using Truth = ForwardTruth<T>;
  static constexpr auto kernel = &KernelsOf<T>::lfilter_forward;

  Shape shape;
  FilterBank<T> bank;
  Rows<T> x;
  std::vector<acc_t<T>> zi;

  ForwardCase(Random& random, const Shape& s)
      : shape(s),
        bank(random, s.order_b, s.order_a, s.filter_a_row ? s.rows : 1, s.radius),
        x(random_rows<T>(random, s.rows, s.time, s.gap)),
        zi(random.signal<acc_t<T>>(s.rows * s.order())) {}

  LfilterForwardParams<T> params(ForwardResult<T>& out, const How& how = {}) const {
    return {.filters = bank.view(),
            .x = x.row(0),
            .x_stride = x.stride,
            .y = how.state_only ? nullptr : out.y.row(0),
            .y_stride = out.y.stride,
            .state = out.state.data(),
            .rows = shape.rows,
            .around_cache = how.around_cache};
  }
  // The gap of y differs from that of x.
  ForwardResult<T> blank() const {
    return {Rows<T>(shape.rows, shape.time, shape.gap + 2, kUntouched<T>), zi};
  }
  ForwardResult<T> run(const KernelsOf<T>& kernels, const How& how = {}) const {
    ForwardResult<T> out = blank();
    for (const Range& range : ranges_of(shape, how)) (kernels.*kernel)(params(out, how), range);
    return out;
  }
};

// What must come out of a case.
template <class T>
struct ForwardTruth {
  Rows<exact_t<T>> y;
  std::vector<exact_t<T>> state;
  double bound;

  explicit ForwardTruth(const ForwardCase<T>& c)
      : y(c.shape.rows, c.shape.time, 0),
        state(c.zi.begin(), c.zi.end()),
        bound(tolerance<T>(c.shape.radius)) {
    for (int64_t r = 0; r < y.rows; ++r) {
      reference_forward(c.bank, r, c.x.row(r), y.time, state.data() + r * c.bank.order, y.row(r));
    }
  }
  void expect(const ForwardResult<T>& got, bool state_only = false) const {
    const int64_t P = y.rows == 0 ? 0 : state.size() / y.rows;
    for (int64_t r = 0; r < y.rows; ++r) {
      double peak = 1;
      for (int64_t n = 0; n < y.time; ++n) {
        const double size = std::abs(y.row(r)[n]);
        if (std::isfinite(size)) peak = std::max(peak, size);
      }
      ASSERT_LE(largest_error(got.state.data() + r * P, state.data() + r * P, P, peak), 1e-12)
          << "state of row " << r;
      if (state_only) continue;
      ASSERT_LE(largest_error(got.y.row(r), y.row(r), y.time), bound) << "y of row " << r;
    }
    expect_gaps_untouched(got.y);
  }
};

template <class T>
struct BackwardResult {
  Rows<T> grad_x;
  std::vector<acc_t<T>> state, sum_b, sum_a;

  Rows<T>& signal() { return grad_x; }
  bool operator==(const BackwardResult&) const = default;
};

template <class T>
struct BackwardTruth;

template <class T>
struct BackwardCase {
  using Scalar = T;
  using Truth = BackwardTruth<T>;
  static constexpr auto kernel = &KernelsOf<T>::lfilter_backward;

  Shape shape;
  FilterBank<T> bank;
  Rows<T> grad_y, x, y;
  std::vector<acc_t<T>> zi;
  bool needs_grad_x = true, needs_sum_b = true, needs_sum_a = true;

  BackwardCase(Random& random, const Shape& s)
      : shape(s),
        bank(random, s.order_b, s.order_a, s.filter_a_row ? s.rows : 1, s.radius),
        grad_y(random_rows<T>(random, s.rows, s.time, s.gap)),
        x(random_rows<T>(random, s.rows, s.time, s.gap + 1)),
        y(random_rows<T>(random, s.rows, s.time, s.gap + 2)),
        zi(random.signal<acc_t<T>>(s.rows * s.order())) {}

  LfilterBackwardParams<T> params(BackwardResult<T>& out, const How& how = {}) const {
    return {.filters = bank.view(),
            .grad_y = grad_y.row(0),
            .grad_y_stride = grad_y.stride,
            .grad_x = needs_grad_x ? out.grad_x.row(0) : nullptr,
            .grad_x_stride = out.grad_x.stride,
            .x = needs_sum_b ? x.row(0) : nullptr,
            .x_stride = x.stride,
            .y = needs_sum_a ? y.row(0) : nullptr,
            .y_stride = y.stride,
            .state = out.state.data(),
            .sum_b = out.sum_b.data(),
            .sum_a = out.sum_a.data(),
            .rows = shape.rows,
            .around_cache = how.around_cache};
  }
  // The sums are added to what is there.
  BackwardResult<T> blank() const {
    using Sums = std::vector<acc_t<T>>;
    return {Rows<T>(shape.rows, shape.time, shape.gap + 4, kUntouched<T>), zi,
            Sums(shape.rows * (shape.order_b + 1), 1), Sums(shape.rows * (shape.order_a + 1), 1)};
  }
  BackwardResult<T> run(const KernelsOf<T>& kernels, const How& how = {}) const {
    BackwardResult<T> out = blank();
    const std::vector<Range> ranges = ranges_of(shape, how);
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
      (kernels.*kernel)(params(out, how), *range);
    }
    return out;
  }
};

template <class T>
struct BackwardTruth {
  using E = exact_t<T>;
  Shape shape;
  bool has_grad_x;
  Rows<E> lambda, grad_x;
  std::vector<E> state, sum_b, sum_a;

  explicit BackwardTruth(const BackwardCase<T>& c)
      : shape(c.shape),
        has_grad_x(c.needs_grad_x),
        lambda(c.shape.rows, c.shape.time, 0),
        grad_x(c.shape.rows, c.shape.time, 0),
        state(c.zi.begin(), c.zi.end()) {
    for (int64_t r = 0; r < c.shape.rows; ++r) {
      E* l = lambda.row(r);
      reference_backward(c.bank, r, c.grad_y.row(r), c.shape.time, state.data() + r * c.bank.order,
                         l, grad_x.row(r));
      // as the kernels do, of the lambda that fits the signal's type
      std::vector<T> stored(l, l + c.shape.time);
      auto sum = [&](const T* signal, int64_t k, bool needed) {
        return E(1) + (needed
                           ? reference_correlation(stored.data(), signal, 0, c.shape.time, k, true)
                           : E(0));
      };
      for (int64_t k = 0; k <= c.shape.order_b; ++k) {
        sum_b.push_back(sum(c.x.row(r), k, c.needs_sum_b));
      }
      for (int64_t k = 0; k <= c.shape.order_a; ++k) {
        sum_a.push_back(sum(c.y.row(r), k, c.needs_sum_a));
      }
    }
  }
  void expect(const BackwardResult<T>& got) const {
    const double bound = tolerance<T>(shape.radius);
    const int64_t P = shape.order(), taps_b = shape.order_b + 1, taps_a = shape.order_a + 1;
    for (int64_t r = 0; r < shape.rows; ++r) {
      double peak = 1, power = 1;
      for (int64_t n = 0; n < lambda.time; ++n) {
        const double size = std::abs(lambda.row(r)[n]);
        if (!std::isfinite(size)) continue;
        peak = std::max(peak, size);
        power += size * size;
      }
      const double scale = std::sqrt(power * (lambda.time + 1));
      auto error = [&](const auto& u, const auto& v, int64_t taps) {
        return largest_error(u.data() + r * taps, v.data() + r * taps, taps, scale);
      };
      ASSERT_LE(largest_error(got.state.data() + r * P, state.data() + r * P, P, peak), 1e-12)
          << "state of row " << r;
      ASSERT_LE(error(got.sum_b, sum_b, taps_b), bound) << "sum_b of row " << r;
      ASSERT_LE(error(got.sum_a, sum_a, taps_a), bound) << "sum_a of row " << r;
      if (!has_grad_x) continue;
      ASSERT_LE(largest_error(got.grad_x.row(r), grad_x.row(r), grad_x.time, peak, true), bound)
          << "grad_x of row " << r;
    }
    expect_gaps_untouched(got.grad_x);
  }
};

}  // namespace polezero::test
