// Splines, and the two-sided filters of mirrored signals that make their coefficients.
#include "ops/spline.h"

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

// gain / (A(z) A(1/z)), A = 1 + a_1 z^-1 + a_2 z^-2: what SciPy calls symiirorder1 and 2.
struct TwoSided {
  double a1, a2, gain;
};

TwoSided first_order(double gain, double pole) { return {-pole, 0, gain}; }
TwoSided second_order(double radius, double angle) {
  const double a1 = -2 * radius * std::cos(angle), a2 = radius * radius;
  return {a1, a2, (1 + a1 + a2) * (1 + a1 + a2)};
}

// Its coefficients in float64 may have poles on the circle where the exact ones have not.
void check_stable(const char* op, const char* name, double value, const TwoSided& f) {
  TORCH_CHECK_VALUE(std::abs(f.a1) < 1 + f.a2 && f.a2 < 1, op, ": ", name,
                    ": expected poles that lie inside the circle in float64, got ", value);
}

// B-spline coefficients: the inverse of the spline at its knots. M. Unser, "Splines: a perfect fit
// for signal and image processing", IEEE Signal Processing Magazine 16, 1999.
TwoSided cubic_prefilter() {
  const double pole = std::numbers::sqrt3 - 2;
  return first_order(-6 * pole, pole);
}
TwoSided quadratic_prefilter() {
  const double pole = 2 * std::numbers::sqrt2 - 3;
  return first_order(-8 * pole, pole);
}

// What minimises sum_n (x[n] - s(n))^2 + lambda int s''(t)^2 dt over all cubic splines s: poles of
// 1 / (B(z) + lambda (z - 2 + 1/z)^2), B(z) = (z + 4 + 1/z) / 6. With v = z + 1/z they are
// complex where v is: lambda > 1 / 144.
TwoSided smoothing_prefilter(double lambda) {
  const double imaginary = std::sqrt(144 * lambda - 1) / (12 * lambda);
  const std::complex<double> v(2 - 1 / (12 * lambda), imaginary);
  const std::complex<double> root = std::sqrt(v * v - 4.), one = (v + root) / 2.,
                             other = (v - root) / 2.;
  const std::complex<double> pole = std::abs(one) < 1 ? one : other;
  return second_order(std::abs(pole), std::arg(pole));
}

TwoSided cubic_prefilter(const char* op, double lamb) {
  TORCH_CHECK_VALUE(lamb == 0 || (lamb > 1. / 144 && std::isfinite(lamb)), op,
                    ": lamb: expected 0 or a number above 1/144, got ", lamb);
  const TwoSided filter = lamb == 0 ? cubic_prefilter() : smoothing_prefilter(lamb);
  check_stable(op, "lamb", lamb, filter);
  return filter;
}

// Along the last axis of x, mirrored beyond its ends.
Tensor filtered(const TwoSided& f, const Tensor& x, bool whole_sample) {
  return call<&polezero::symmetric_filter>({x}, {f.a1, f.a2, f.gain, whole_sample})[0];
}

Tensor filtered(const char* op, const TwoSided& f, const Tensor& x, int64_t axis) {
  const Promotion type = promote(op, {"x", x}, {});
  axis = wrap_axis(op, axis, {"x", x});
  const Tensor y = filtered(f, to_last(x.to(type.compute), axis), /*whole_sample=*/false);
  return from_last(y, axis).to(type.result);
}

// Along both of the last axes.
Tensor filtered_2d(const char* op, const TwoSided& f, const Tensor& x) {
  const Promotion type = promote(op, {"x", x}, {});
  TORCH_CHECK_VALUE(x.dim() >= 2, op, ": x: expected at least two dimensions, got shape ",
                    x.sym_sizes());
  const Tensor rows = filtered(f, x.to(type.compute), /*whole_sample=*/false);
  return filtered(f, rows.mT(), /*whole_sample=*/false).mT().to(type.result);
}

bool is_whole_sample(const char* op, std::string_view boundary) {
  TORCH_CHECK_VALUE(boundary == "reflect" || boundary == "scipy", op,
                    ": boundary: expected 'reflect' or 'scipy', got '", boundary, "'");
  return boundary == "reflect";
}

// The spline of coefficients c at t, both along `axis` of c.
Tensor evaluated(const char* op, const Tensor& c, const Tensor& t, int64_t degree, int64_t axis) {
  const Promotion type = promote(op, {"cj", c}, {});
  axis = wrap_axis(op, axis, {"cj", c});
  const Tensor points = real_numbers(op, {"newx", t});
  check_not_scalar(op, {"newx", points});
  check_device(op, {"newx", points}, {"cj", c});
  TORCH_CHECK_VALUE(c.sym_size(axis) > 0, op, ": cj: expected at least one coefficient, got shape ",
                    c.sym_sizes());
  const bool shared = points.dim() == 1;
  TORCH_CHECK_VALUE(shared || points.dim() == c.dim(), op,
                    ": newx: expected one dimension, or as many as cj has, ", c.dim(),
                    ", got shape ", points.sym_sizes());
  const Tensor cs = to_last(c.to(type.compute), axis), ts = shared ? points : to_last(points, axis);
  broadcast_leading(op, {{"cj", cs}, {"newx", ts}});
  const Tensor y = call<&polezero::spline_eval>({cs, ts}, {degree, false, 0, false, 0})[0];
  return from_last(y, axis).to(type.result);
}

}  // namespace

Tensor cubic_spline(const Tensor& x, c10::SymInt m, std::string_view boundary, int64_t axis) {
  const char* op = "cubic_spline";
  const Promotion type = promote(op, {"x", x}, {});
  axis = wrap_axis(op, axis, {"x", x});
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  TORCH_CHECK_VALUE(m >= 1 && m <= kMost, op, ": m: expected an int from 1 to ", kMost, ", got ",
                    m);
  TORCH_CHECK_VALUE(x.sym_size(axis) >= 1, op, ": x: expected at least one sample along axis ",
                    axis, ", got shape ", x.sym_sizes());
  const bool whole_sample = is_whole_sample(op, boundary);
  const Tensor c = filtered(cubic_prefilter(), to_last(x.to(type.compute), axis), whole_sample);
  const Tensor y = call<&polezero::spline_upsample>({c}, {m, whole_sample, false})[0];
  return from_last(y, axis).to(type.result);
}

Tensor cspline1d(const Tensor& x, double lamb, int64_t axis) {
  const char* op = "cspline1d";
  return filtered(op, cubic_prefilter(op, lamb), x, axis);
}
Tensor qspline1d(const Tensor& x, int64_t axis) {
  return filtered("qspline1d", quadratic_prefilter(), x, axis);
}
Tensor cspline2d(const Tensor& x, double lamb) {
  const char* op = "cspline2d";
  return filtered_2d(op, cubic_prefilter(op, lamb), x);
}
Tensor qspline2d(const Tensor& x) { return filtered_2d("qspline2d", quadratic_prefilter(), x); }

Tensor cspline1d_eval(const Tensor& c, const Tensor& t, int64_t axis) {
  return evaluated("cspline1d_eval", c, t, 3, axis);
}
Tensor qspline1d_eval(const Tensor& c, const Tensor& t, int64_t axis) {
  return evaluated("qspline1d_eval", c, t, 2, axis);
}

Tensor symiirorder1(const Tensor& x, double c0, double z1, int64_t axis) {
  const char* op = "symiirorder1";
  TORCH_CHECK_VALUE(std::abs(z1) < 1, op, ": z1: expected a number between -1 and 1, got ", z1);
  return filtered(op, first_order(c0, z1), x, axis);
}
Tensor symiirorder2(const Tensor& x, double r, double omega, int64_t axis) {
  const char* op = "symiirorder2";
  TORCH_CHECK_VALUE(0 <= r && r < 1, op, ": r: expected a number from 0 to 1, got ", r);
  TORCH_CHECK_VALUE(std::isfinite(omega), op, ": omega: expected a finite number, got ", omega);
  const TwoSided filter = second_order(r, omega);
  check_stable(op, "r", r, filter);
  return filtered(op, filter, x, axis);
}

const Registered<OfSignals<&cubic_spline, &cspline1d, &qspline1d, &cspline1d_eval, &qspline1d_eval,
                           &cspline2d, &qspline2d, &symiirorder1, &symiirorder2>>
    registered;

}  // namespace polezero
