// Zero phase and its gradients against their definition (params/zero_phase.h) in extended
// precision: rows side by side, and rows cut into pieces.
#include "kernels/cpu/zero_phase.h"

#include "kernel_cases.h"

namespace polezero::test {
namespace {

struct ZeroPhaseShape {
  int64_t rows, time, filters, order_b, order_a;
  Ends ends{};
  bool a_row = false;  // a cascade for each row
  int64_t pieces = 1;  // of each row
};
inline std::ostream& operator<<(std::ostream& out, const ZeroPhaseShape& s) {
  return out << s.filters << " filters of orders " << s.order_b << " and " << s.order_a << ", "
             << s.rows << " rows of " << s.time << (s.a_row ? ", a cascade a row, " : ", ")
             << s.ends.length << " samples before and behind, " << s.pieces << " pieces";
}

// Whole tiles, in which poles of radius 0.5 leave 1e-38 of a state.
constexpr int64_t kOverlap = 128, kStep = 192;

template <class T>
struct ZeroPhaseResult {
  std::vector<T> y, grad_x;
  std::vector<acc_t<T>> sums, grad_zi, grad_adjoint_zi;

  bool operator==(const ZeroPhaseResult&) const = default;
};

template <class T>
struct ZeroPhaseCase {
  using A = acc_t<T>;
  ZeroPhaseShape shape;
  FilterBank<T> filters;
  Rows<T> x, g;
  std::vector<A> zi, adjoint_zi;

  ZeroPhaseCase(Random& random, const ZeroPhaseShape& s)
      : shape(s),
        filters(random, s.order_b, s.order_a, (s.a_row ? s.rows : 1) * s.filters, 0.5),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 4)),
        zi(random.signal<A>(s.rows * s.filters * filters.order)),
        adjoint_zi(random.signal<A>(s.rows * s.filters * filters.order)) {}

  int64_t states() const { return shape.filters * filters.order; }
  int64_t taps() const { return shape.filters * (2 * filters.order + 1); }

  // Whether the result may be used comes back in `poisoned`.
  ZeroPhaseResult<T> run(const std::vector<Range>& ranges, bool need_filter, InstructionSet set,
                         bool& was_poisoned) const {
    std::atomic<bool> poisoned = false;
    Filters<T> view = filters.view();
    view.filter_stride = shape.a_row ? shape.filters : 0;
    Pieces pieces;
    if (shape.pieces > 1) {
      const int64_t last = shape.ends.extended(shape.time) - (shape.pieces - 1) * kStep;
      pieces = {shape.pieces, kStep, kOverlap, last};
    }
    const ZeroPhaseParams<T> params{
        {shape.filters, view}, shape.ends, shape.time, pieces, zi.data(),
        adjoint_zi.data(),     &poisoned};
    const int64_t rows = shape.rows;
    ZeroPhaseResult<T> out{unwritten<T>(rows * shape.time), unwritten<T>(rows * shape.time),
                           std::vector<A>(rows * shape.pieces * taps()),
                           std::vector<A>(rows * states()), std::vector<A>(rows * states())};
    const auto& kernels = cpu::zero_phase_kernels<T>(set);
    for (const Range& range : ranges) {
      kernels.forward({params, x.row(0), x.stride, out.y.data()}, range);
      kernels.backward(
          {params, g.row(0), g.stride, need_filter ? x.row(0) : nullptr, x.stride,
           out.grad_x.data(), out.sums.data(), out.grad_zi.data(), out.grad_adjoint_zi.data()},
          range);
    }
    was_poisoned = poisoned;
    return out;
  }
  ZeroPhaseResult<T> run(bool need_filter, InstructionSet set) const {
    bool poisoned = true;
    auto result = run({{0, shape.rows * shape.pieces, 0, 0}}, need_filter, set, poisoned);
    EXPECT_FALSE(poisoned) << shape;
    return result;
  }
};

// The cascade of a row and its adjoint.
template <class T>
class ExactCascade {
 public:
  using E = exact_t<T>;
  using Signal = std::vector<E>;

  ExactCascade(const ZeroPhaseCase<T>& c, int64_t row) : P_(c.filters.order) {
    for (int64_t k = 0; k < c.shape.filters; ++k) {
      const int64_t f = (c.shape.a_row ? row * c.shape.filters : 0) + k;
      b_.emplace_back(c.filters.b.data() + f * (P_ + 1), c.filters.b.data() + (f + 1) * (P_ + 1));
      a_.emplace_back(c.filters.a.data() + f * P_, c.filters.a.data() + (f + 1) * P_);
    }
  }
  int64_t K() const { return static_cast<int64_t>(b_.size()); }

  // The signals before, between and behind the filters. The states [K, P] are carried on.
  std::vector<Signal> forward(const Signal& x, Signal& states) const {
    std::vector<Signal> u{x};
    for (int64_t k = 0; k < K(); ++k) {
      E* s = states.data() + k * P_;
      Signal y;
      for (const E& in : u.back()) {
        y.push_back(product(b_[k][0], in) + s[0]);
        for (int64_t j = 0; j < P_; ++j) {
          s[j] = (j + 1 < P_ ? s[j + 1] : E{}) + product(b_[k][j + 1], in) -
                 product(a_[k][j], y.back());
        }
      }
      u.push_back(y);
    }
    return u;
  }
  // The adjoint of g; with the signals of `forward` the sums too, [K, 2 P + 1], added to.
  Signal adjoint(Signal g, Signal& states, const std::vector<Signal>& u, Signal& sums) const {
    const auto time = static_cast<int64_t>(g.size());
    for (int64_t k = K() - 1; k >= 0; --k) {
      Signal lambda(time + P_);
      for (int64_t j = 0; j < P_; ++j) lambda[time + j] = states[k * P_ + j];
      for (int64_t n = time - 1; n >= 0; --n) {
        lambda[n] = g[n];
        for (int64_t i = 1; i <= P_; ++i) {
          lambda[n] -= product(conjugate_exact(a_[k][i - 1]), lambda[n + i]);
        }
        g[n] = E{};
        E* sum = sums.data() + k * (2 * P_ + 1);
        for (int64_t i = 0; i <= P_; ++i) {
          g[n] += product(conjugate_exact(b_[k][i]), lambda[n + i]);
          sum[i] += product(lambda[n + i], conjugate_exact(u[k][n]));
          if (i > 0) sum[P_ + i] -= product(lambda[n + i], conjugate_exact(u[k + 1][n]));
        }
      }
      for (int64_t j = 0; j < P_; ++j) states[k * P_ + j] = lambda[j];
    }
    return g;
  }

 private:
  int64_t P_;
  std::vector<Signal> b_, a_;
};

template <class T>
struct ExactRow {
  using E = exact_t<T>;
  std::vector<E> y, grad_x, sums, grad_zi, grad_adjoint_zi;

  ExactRow(const ZeroPhaseCase<T>& c, int64_t row)
      : sums(c.taps()), grad_zi(c.states()), grad_adjoint_zi(c.states()) {
    const ExactCascade<T> cascade(c, row);
    const auto& [length, of_end, of_mirrored] = c.shape.ends;
    const int64_t time = c.shape.time, L = c.shape.ends.extended(time), states = c.states();
    const auto x = [&](int64_t n) { return exact(c.x.row(row)[n]); };
    std::vector<E> u(L), g(L), unit(states), adjoint_unit(states), rest(states);
    for (int64_t i = 0; i < states; ++i) {
      unit[i] = c.zi[row * states + i];
      adjoint_unit[i] = c.adjoint_zi[row * states + i];
    }
    for (int64_t n = 0; n < time; ++n) {
      u[length + n] = x(n);
      g[length + n] = exact(c.g.row(row)[n]);
    }
    const E end = of_end, mirrored = of_mirrored;
    for (int64_t i = 0; i < length; ++i) {
      u[i] = product(end, x(0)) + product(mirrored, x(length - i));
      u[length + time + i] = product(end, x(time - 1)) + product(mirrored, x(time - 2 - i));
    }
    std::vector<E> none(c.taps());
    auto state = times(unit, u[0]);
    const auto w = cascade.forward(u, state);
    state = times(adjoint_unit, w.back().back());
    const auto back = cascade.adjoint(w.back(), state, w, none);
    y.assign(back.begin() + length, back.end() - length);

    std::vector<E> of_end_state = rest;
    const auto forth = cascade.forward(g, of_end_state);
    state = times(adjoint_unit, w.back().back());
    cascade.adjoint(w.back(), state, forth, sums);
    std::vector<E> of_w = forth.back();
    of_w.back() += level(adjoint_unit, of_end_state);
    std::vector<E> of_first = rest;
    auto of_u = cascade.adjoint(of_w, of_first, w, sums);
    of_u[0] += level(unit, of_first);
    grad_x.assign(of_u.begin() + length, of_u.end() - length);
    for (int64_t i = 0; i < length; ++i) {
      grad_x[0] += product(end, of_u[i]);
      grad_x[length - i] += product(mirrored, of_u[i]);
      grad_x[time - 1] += product(end, of_u[length + time + i]);
      grad_x[time - 2 - i] += product(mirrored, of_u[length + time + i]);
    }
    grad_zi = times(of_first, conjugate_exact(u[0]));
    grad_adjoint_zi = times(of_end_state, conjugate_exact(w.back().back()));
  }

 private:
  static std::vector<E> times(std::vector<E> state, E by) {
    for (E& s : state) s = product(s, by);
    return state;
  }
  static E level(const std::vector<E>& state, const std::vector<E>& grad) {
    E sum{};
    for (size_t i = 0; i < state.size(); ++i) sum += product(conjugate_exact(state[i]), grad[i]);
    return sum;
  }
};

template <class T>
void expect(const ZeroPhaseCase<T>& c, const ZeroPhaseResult<T>& got, bool need_filter) {
  using A = acc_t<T>;
  const int64_t time = c.shape.time, states = c.states(), taps = c.taps();
  for (int64_t r = 0; r < c.shape.rows; ++r) {
    const ExactRow<T> want(c, r);
    ASSERT_LE(largest_error(&got.y[r * time], want.y.data(), time), tolerance<T>()) << "y " << r;
    ASSERT_LE(largest_error(&got.grad_x[r * time], want.grad_x.data(), time), tolerance<T>())
        << "grad_x " << r;
    if (!need_filter) continue;
    const double tight = 1e-11;  // of what is float64 throughout
    std::vector<A> sums(taps);
    for (int64_t i = 0; i < c.shape.pieces * taps; ++i) {
      sums[i % taps] += got.sums[r * c.shape.pieces * taps + i];
    }
    ASSERT_LE(largest_error(sums.data(), want.sums.data(), taps), tight) << "sums " << r;
    ASSERT_LE(largest_error(&got.grad_zi[r * states], want.grad_zi.data(), states), tight) << r;
    ASSERT_LE(largest_error(&got.grad_adjoint_zi[r * states], want.grad_adjoint_zi.data(), states),
              tight)
        << r;
  }
}

template <class T>
class ZeroPhase : public ::testing::Test {
 public:
  static constexpr int64_t kLargestOrder = kComplex<T> ? 2 : 16;

  void check(const ZeroPhaseCase<T>& c) {
    SCOPED_TRACE(c.shape);
    for (const InstructionSet set : available_instruction_sets()) {
      for (const bool need_filter : {false, true}) expect(c, c.run(need_filter, set), need_filter);
    }
  }
};
TYPED_TEST_SUITE(ZeroPhase, ScalarTypes);

constexpr Ends kNone{0, 0, 0}, kOdd{7, 2, -1}, kEven{20, 0, 1}, kConstant{1, 1, 0};

TYPED_TEST(ZeroPhase, EqualsItsDefinition) {
  Random random(1);
  for (const bool a_row : {false, true}) {
    for (const Ends& ends : {kNone, kOdd, kEven, kConstant}) {
      for (const int64_t rows : {1, 3, 8, 11}) {
        for (const int64_t time : {1, 2, 21, 63, 64, 65, 200}) {
          if (ends.length >= time) continue;
          this->check({random, {rows, time, 1 + time % 3, 2, 2, ends, a_row}});
          if (this->HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(ZeroPhase, OrdersArePadded) {
  Random random(2);
  for (int64_t order = 1; order <= this->kLargestOrder; ++order) {
    this->check({random, {3, 130, 1, order, order / 2, kOdd}});
    this->check({random, {9, 70, 1, order / 3, order, kEven}});
    if (this->HasFatalFailure()) return;
  }
}

TYPED_TEST(ZeroPhase, PiecesAreTheRow) {
  if (kComplex<TypeParam>) GTEST_SKIP() << "a lane has no neighbours: complex rows are not cut";
  Random random(3);
  for (const bool a_row : {false, true}) {
    for (const int64_t pieces : {2, 8, 11, 16}) {
      for (const int64_t rest : {0, 1, 63, 100}) {
        const int64_t time = pieces * kStep + 2 * kOverlap + rest - 2 * kOdd.length;
        this->check({random, {2, time, 2, 2, 2, kOdd, a_row, pieces}});
        this->check({random, {1, time, 1, 3, 4, kOdd, a_row, pieces}});
        if (this->HasFatalFailure()) return;
      }
    }
  }
}

// So many tiles that the first way has tables for them (tile_transition.h).
TYPED_TEST(ZeroPhase, LongRowsEqualTheirDefinition) {
  Random random(6);
  constexpr int64_t kTile = 64, kTiles = 16;  // of a state
  for (const int64_t filters : {1, 2, 3, 4}) {
    this->check({random, {3, 2 * filters * kTiles * kTile + 5, filters, 2, 2, kOdd}});
    if (this->HasFatalFailure()) return;
  }
  const int64_t a_filter_each = 2 * kTiles * kTile * 8;
  this->check({random, {9, a_filter_each + 5, 1, 2, 2, kEven, true}});
  if (kComplex<TypeParam>) return;
  for (const int64_t order : {3, 5, 8}) {
    this->check({random, {2, 8 * kTiles * kTile, 1, order, order / 2, kNone}});
    if (this->HasFatalFailure()) return;
  }
}

// Four poles close to 1, between whose states most of the powers of the transition cancels.
TEST(ZeroPhaseOfLongRows, KeepsTheDigitsOfTheFilter) {
  Random random(7);
  constexpr int64_t kOrder = 4, kTime = kOrder * 16 * 64 + 1;
  ZeroPhaseCase<double> c(random, {1, kTime, 1, kOrder, kOrder, kNone});
  const double r = 0.97;
  c.filters.b = {0, 0, 0, 0, 1e-4};
  c.filters.a = {-4 * r, 6 * r * r, -4 * r * r * r, r * r * r * r};
  const ExactRow<double> want(c, 0);
  for (const InstructionSet set : available_instruction_sets()) {
    const auto got = c.run(false, set);
    // the filter itself, without tables: 2.6e-11; a transition rounded to float64: 1.2e-7
    EXPECT_LE(largest_error(got.y.data(), want.y.data(), kTime), 1e-10);
  }
}

TYPED_TEST(ZeroPhase, RangesHaveTheSameBits) {
  Random random(4);
  for (const int64_t pieces : {1, 8}) {
    if (kComplex<TypeParam> && pieces > 1) continue;
    const ZeroPhaseCase<TypeParam> c(random, {13, 8 * kStep + 300, 3, 2, 2, kEven, true, pieces});
    for (const InstructionSet set : available_instruction_sets()) {
      bool poisoned = true;
      const int64_t rows = 13 * pieces;
      const std::vector<Range> ranges = {{9, rows, 0, 0}, {3, 3, 0, 0}, {0, 3, 0, 0}, {3, 9, 0, 0}};
      ASSERT_TRUE(c.run(ranges, true, set, poisoned) == c.run(true, set)) << c.shape;
    }
  }
}

TYPED_TEST(ZeroPhase, NonFiniteSamplesOfPaddedFiltersAreReported) {
  using T = TypeParam;
  Random random(5);
  for (const auto& [order_b, order_a] : {std::pair(1, 1), std::pair(2, 1), std::pair(2, 2)}) {
    for (const double bad : {std::nan(""), HUGE_VAL}) {
      ZeroPhaseCase<T> c(random, {3, 100, 1, order_b, order_a, kOdd});
      c.x.row(1)[37] = static_cast<T>(bad);
      for (const InstructionSet set : available_instruction_sets()) {
        bool poisoned = false;
        const auto got = c.run({{0, 3, 0, 0}}, true, set, poisoned);
        EXPECT_EQ(poisoned, order_a == 1);
        for (int64_t n = 0; n < 300; ++n) {  // recursive: neither way forgets
          EXPECT_EQ(std::isfinite(std::abs(got.y[n])), n / 100 != 1) << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
