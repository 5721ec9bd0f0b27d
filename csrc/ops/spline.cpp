#include "ops/spline.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/spline.h"
#include "ops/allpole.h"
#include "ops/gather_lists.h"
#include "ops/lfilter.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

struct Spline {
  int64_t degree;
  bool whole_sample;
  int64_t derivative;

  double shift() const { return degree == 3 ? 0 : 0.5; }
  const Interpolator& basis() const { return degree == 3 ? kCubicSpline : kQuadraticSpline; }
};

template <class Call>
void evaluate(Call& call, const Spline& s, const Tensor& x, const Tensor& t, int64_t knots,
              bool transposed, Tensor& y) {
  using T = typename Call::scalar;
  const int64_t points = t.size(-1);
  const auto ts = call.template constant<double>(t);
  const auto xs = call.signal(x);
  const SplineParams<T> p{.basis = derived(s.basis(), s.derivative),
                          .odd = s.derivative % 2 == 1,
                          .shift = s.shift(),
                          .whole_sample = s.whole_sample,
                          .knots = knots,
                          .t = ts.data,
                          .t_stride = ts.stride,
                          .x = xs.data,
                          .x_stride = xs.stride,
                          .y = mutable_data<T>(y)};
  if constexpr (Call::on_cuda) {
    if (!transposed) return cuda::spline(call.context(), p, call.rows(), points);
    const Tensor sets = coefficient_sets(t, call.leading()).memory.to(at::kDouble);
    const Readers readers(
        read_coefficients(sets.view({-1, points}), knots, s.basis(), s.shift(), s.whole_sample),
        knots);
    const SplineReads reads{call.keep(readers.read).template const_data_ptr<int64_t>(),
                            call.keep(readers.begin).template const_data_ptr<int64_t>(),
                            readers.begin.size(0)};
    cuda::spline_transposed(call.context(), p, reads, call.rows(), points);
  } else {
    const auto& kernels = cpu::spline_kernels<T>();
    cpu::run_rows(transposed ? kernels.evaluate_transposed : kernels.evaluate, p, call.rows(),
                  points, 8);
  }
}

// A of 1 + a_1 z^-1 + a_2 z^-2 takes a state, transposed direct form II, from one sample to the
// next.
using Matrix = std::array<std::array<double, 2>, 2>;

Matrix operator*(const Matrix& u, const Matrix& v) {
  Matrix w{};
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) w[i][j] = u[i][0] * v[0][j] + u[i][1] * v[1][j];
  }
  return w;
}

// (1 - A^period)^-1: what all periods before one leave, of what that one leaves.
Matrix of_all_periods(double a1, double a2, int64_t period) {
  Matrix power{{{1, 0}, {0, 1}}}, a{{{-a1, 1}, {-a2, 0}}};
  for (; period > 0; period /= 2, a = a * a) {
    if (period % 2 == 1) power = power * a;
  }
  const auto [p, q] = power[0];
  const auto [r, s] = power[1];
  const double determinant = (1 - p) * (1 - s) - q * r;
  return {{{(1 - s) / determinant, q / determinant}, {r / determinant, (1 - p) / determinant}}};
}

// The state that the samples before x[0] of the mirrored signal leave.
Tensor state_before(const Tensor& x, const Tensor& b, const Tensor& a, double a1, double a2,
                    int64_t memory, bool whole_sample) {
  const int64_t T = x.size(-1), skip = whole_sample ? 1 : 0;
  const Tensor rest = at::zeros({a.size(-1) - 1}, x.options());
  const auto state_after = [&](const Tensor& u) {
    return std::get<1>(lfilter_forward(b, a, u, rest, /*two_pass=*/false));
  };
  if (T >= memory + skip) return state_after(x.slice(-1, skip, memory + skip).flip(-1));
  const Tensor period = at::cat({x, x.slice(-1, skip, T - skip).flip(-1)}, -1);
  const Tensor s = state_after(period);
  const Matrix m = of_all_periods(a1, a2, period.size(-1));
  if (s.size(-1) == 1) return m[0][0] * s;
  const Tensor s0 = s.slice(-1, 0, 1), s1 = s.slice(-1, 1);
  return at::cat({m[0][0] * s0 + m[0][1] * s1, m[1][0] * s0 + m[1][1] * s1}, -1);
}

// Outputs y[T], y[T + 1] of the anticausal filter whose input is u: those inside, mirrored.
Tensor samples_after(const Tensor& u, double a1, double a2, bool whole_sample) {
  const Tensor last = u.slice(-1, -1), before = u.slice(-1, -2, -1);
  if (a2 != 0) {  // (mirrored at half a sample)
    const double c = a1 + a2;
    const Tensor y = (last - a2 * before) / (1 + a1 - a2 * c);
    return at::cat({y, before - c * y}, -1);
  }
  return whole_sample ? (before - a1 * last) / (1 - a1 * a1) : last / (1 + a1);
}

Tensor numbers(const std::vector<double>& values, const Tensor& like) {
  std::vector<Tensor> each;
  const auto options = like.options().dtype(acc_type(like));
  for (const double v : values) each.push_back(at::full({1}, v, options));
  return at::cat(each);
}

// After so many samples nothing is left of a state in float64.
int64_t memory_of(double a1, double a2) {
  constexpr double kBits = 60;
  const double square = a1 * a1 / 4 - a2;
  const double radius = square < 0 ? std::sqrt(a2) : std::abs(a1) / 2 + std::sqrt(square);
  return radius == 0 ? 0 : static_cast<int64_t>(std::ceil(-kBits * std::log(2) / std::log(radius)));
}

}  // namespace

// Two poles that are so close to 1 divide states and the samples beyond the end by as much, and
// what was rounded to float32 in them shows.
constexpr double kNearTheCircle = 0.05;

Tensor symmetric_filter(const Tensor& x, double a1, double a2, double gain, bool whole_sample) {
  const char* op = "symmetric_filter";
  check_signal(op, {"x", x});
  TORCH_CHECK_VALUE(
      std::abs(a2) < 1 && std::abs(a1) < 1 + a2 && a2 >= 0 && !(whole_sample && a2 != 0), op,
      ": expected poles inside the circle, two of them for a signal that is mirrored "
      "at half a sample, got a1 = ",
      a1, ", a2 = ", a2);
  if (x.is_meta()) return at::empty_symint(x.sym_sizes(), x.options());
  check_has_kernels(op, x);
  if (x.size(-1) <= 1) return (x * (gain / ((1 + a1 + a2) * (1 + a1 + a2)))).contiguous();
  if (a2 != 0 && (1 - a2) * (1 + a1 + a2) < kNearTheCircle && x.scalar_type() != acc_type(x)) {
    return symmetric_filter(x.to(acc_type(x)), a1, a2, gain, whole_sample).to(x.scalar_type());
  }
  const Tensor b = numbers({gain}, x);
  const Tensor a = a2 != 0 ? numbers({1, a1, a2}, x) : numbers({1, a1}, x);
  const Tensor state = state_before(x, b, a, a1, a2, memory_of(a1, a2), whole_sample);
  const Tensor u = std::get<0>(lfilter_forward(b, a, x, state, /*two_pass=*/false));
  return allpole_forward(a.slice(0, 1).unsqueeze(0), u, samples_after(u, a1, a2, whole_sample),
                         /*shift=*/0, /*reverse=*/true, /*two_pass=*/false);
}

Tensor spline_eval(const Tensor& x, const Tensor& t, int64_t degree, bool whole_sample,
                   int64_t derivative, bool transposed, c10::SymInt knots) {
  const char* op = "spline_eval";
  TORCH_CHECK_VALUE((degree == 2 || degree == 3) && derivative >= 0, op,
                    ": expected degree 2 or 3 and a derivative >= 0, got ", degree, " and ",
                    derivative);
  const Argument signal{"x", x};
  check_signal(op, signal);
  TORCH_CHECK_TYPE(at::isFloatingType(t.scalar_type()), op,
                   ": t: expected a floating-point dtype, got ", t.scalar_type());
  TORCH_CHECK_VALUE(knots >= 0 && (transposed || knots == 0), op, ": knots: expected a number >= 0",
                    transposed ? "" : ", and 0 where it is not transposed", ", got ", knots);
  check_on_device_of(op, {"t", t}, signal);
  check_not_scalar(op, {"t", t});
  const c10::SymInt P = t.sym_size(-1);
  if (transposed) {
    check_last(op, signal, P, "P");
  } else {
    knots = x.sym_size(-1);
    TORCH_CHECK_VALUE(knots > 0 || P == 0, op, ": x: expected at least one coefficient, got shape ",
                      x.sym_sizes());
  }
  const auto leading = broadcast_leading(op, {signal, {"t", t}});
  Tensor y = at::empty_symint(with_last(leading, transposed ? knots : P), x.options());
  if (x.is_meta()) return y;
  if (P == 0) return y.zero_();
  if (y.sym_numel() == 0) return y;
  const Spline spline{degree, whole_sample, derivative};
  const int64_t count = knots.guard_int(__FILE__, __LINE__);
  on_device(op, x, leading,
            [&](auto& call) { evaluate(call, spline, x, t, count, transposed, y); });
  return y;
}

Tensor spline_upsample(const Tensor& x, c10::SymInt factor, bool whole_sample, bool transposed) {
  const char* op = "spline_upsample";
  const Argument signal{"x", x};
  check_signal(op, signal);
  const c10::SymInt length = x.sym_size(-1);
  TORCH_CHECK_VALUE(factor >= 1 && length >= 1, op,
                    ": expected a factor >= 1 and at least one sample, got ", factor, " and ",
                    length);
  TORCH_CHECK_VALUE(!transposed || (length - 1) % factor == 0, op, ": x: expected a multiple of ",
                    factor, " and 1 more along the last axis, got ", length);
  const c10::SymInt knots = transposed ? (length - 1) / factor + 1 : length;
  const auto leading = broadcast_leading(op, {signal});
  Tensor y = at::empty_symint(with_last(leading, transposed ? knots : (knots - 1) * factor + 1),
                              x.options());
  if (x.is_meta()) return y;
  if (y.sym_numel() == 0) return y;
  on_device(op, x, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const auto xs = call.signal(x);
    const UpsampleParams<scalar> p{.factor = factor.guard_int(__FILE__, __LINE__),
                                   .basis = kCubicSpline,
                                   .whole_sample = whole_sample,
                                   .knots = knots.guard_int(__FILE__, __LINE__),
                                   .x = xs.data,
                                   .x_stride = xs.stride,
                                   .y = mutable_data<scalar>(y)};
    if constexpr (Call::on_cuda) {
      cuda::upsample(call.context(), p, transposed, call.rows());
    } else {
      const auto& kernels = cpu::spline_kernels<scalar>();
      cpu::run_rows(transposed ? kernels.upsample_transposed : kernels.upsample, p, call.rows(),
                    p.samples());
    }
  });
  return y;
}

}  // namespace polezero
