// Frequency sampling: filters evaluated on a grid of frequencies, by FFT. n points of the grid, F
// frequencies (docs/frequency_sampling.md).
#include <bit>
#include <cmath>
#include <numbers>

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;

namespace {

// r^T of the circle |z| = r that "truncate" samples. A smaller circle comes closer to poles on the
// unit circle, a larger one magnifies what the FFT rounds: float64 errors were 10 times the
// recursion's (geometric mean over pole radii from 0.9 to 1, angles and lengths) with anything from
// 4 to 20, 14 times with 2, 23 times with 100.
constexpr double kGrowth = 10;

at::ScalarType complex_of(at::ScalarType type) {
  return at::promote_types(type, at::kComplexFloat);
}

void check_points(const char* op, const c10::SymInt& n) {
  TORCH_CHECK_VALUE(n >= 1, op, ": n: expected at least 1, got ", n);
}

// A one-sided spectrum is that of a real signal.
void check_real(const char* op, const Argument& argument) {
  TORCH_CHECK_TYPE(!argument.tensor.is_complex(), op, ": ", argument.name,
                   ": expected real numbers, or onesided=False, got complex ones");
}

c10::SymInt frequencies_of(const c10::SymInt& n, bool onesided) { return onesided ? n / 2 + 1 : n; }

// sum_k c_k z^-k at the n-th roots of unity.
Tensor polynomial(Tensor c, const c10::SymInt& n, bool onesided) {
  if (c.sym_numel() == 0) {  // there is no FFT of no rows
    c10::SymDimVector sizes(c.sym_sizes().begin(), c.sym_sizes().end());
    sizes.back() = frequencies_of(n, onesided);
    return c.new_zeros_symint(sizes);
  }
  const c10::SymInt taps = c.sym_size(-1);
  if (taps > n) {  // where z^-n = 1
    const c10::SymInt rounds = (taps + n - 1) / n;
    c = pad_last(c, 0, rounds * n - taps).unflatten_symint(-1, {rounds, n}).sum(-2);
  }
  return onesided ? at::fft_rfft_symint(c, n) : at::fft_fft_symint(c, n);
}

Tensor sampled_response(const Tensor& b, const Tensor& a, const c10::SymInt& n, bool onesided) {
  return polynomial(b, n, onesided) / polynomial(a, n, onesided);
}

// n samples of the filter for x, padded to n, over and over again.
Tensor circular(const Tensor& b, const Tensor& a, const Tensor& x, const c10::SymInt& n) {
  const bool real = !x.is_complex();
  const Tensor H = sampled_response(b, a, n, real).to(complex_of(x.scalar_type()));
  return real ? at::fft_irfft_symint(at::fft_rfft_symint(x, n) * H, n)
              : at::fft_ifft_symint(at::fft_fft_symint(x, n) * H);
}

// A length from n on, at most a quarter above it, of which FFTs are fast.
int64_t fast_length(int64_t n) {
  int64_t shortest = std::bit_ceil(static_cast<uint64_t>(n));
  for (const int64_t odd : {3, 5, 9, 15}) {
    const uint64_t ratio = (n + odd - 1) / odd;
    shortest = std::min<int64_t>(shortest, odd * std::bit_ceil(ratio));
  }
  return shortest;
}

// B(z) - z^(-T-1) R(z): what the first T + 1 samples of the filter's response have over A(z). R is
// the state A^T B, which the recursion leaves. Squaring A over and over would need no recursion,
// but powers of A may be large before they decay, and round there: for a Butterworth filter of
// order 8 and T = 1000 the state came out as 4e28 instead of 2e-13.
Tensor truncated(const Tensor& b, const Tensor& a, int64_t T) {
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1) - 1, P = M < N ? N : M;
  const Tensor impulse = at::eye(1, T + 1, b.options()).squeeze(0);
  const Tensor rest = at::zeros_symint({P}, b.options());
  const Tensor state = std::get<1>(lfilter(b, a, impulse, -1, rest));
  return pad_last(b, 0, T + P - M) - pad_last(slice_last(a, 0, 1) * state, T + 1, 0);
}

// The truncated response filters on a circle of radius r: y[n] r^-n is the filter of x[n] r^-n.
Tensor by_truncation(const Tensor& b_, const Tensor& a, const Tensor& x, int64_t T) {
  const Tensor b = truncated(b_, a, T);
  const Tensor n = at::arange(b.sym_size(-1), b.options().dtype(at::kDouble));
  const Tensor decay = at::exp(-std::log(kGrowth) / static_cast<double>(T) * n);
  const Tensor weights = slice_last(decay, 0, T).to(c10::toRealValueType(x.scalar_type()));
  const Tensor y = circular(b * decay, a * slice_last(decay, 0, a.sym_size(-1)), x * weights,
                            fast_length(2 * T));
  return slice_last(y, 0, T) / weights;
}

Tensor filtered(const Tensor& b, const Tensor& a, const Tensor& x, std::string_view correction) {
  if (b.sym_numel() == 0 || a.sym_numel() == 0 || x.sym_numel() == 0) {
    return std::get<0>(lfilter(b, a, x, -1, {}));  // there is no FFT of nothing
  }
  if (correction == "none") return circular(b, a, x, x.sym_size(-1));
  const int64_t T = x.sym_size(-1).guard_int(__FILE__, __LINE__);
  if (correction == "truncate") return by_truncation(b, a, x, T);
  return slice_last(circular(b, a, x, fast_length(2 * T)), 0, T);
}

// Filter and signal, or spectrum, as they are computed with: b and a in double precision, the
// signal at least in single, with its axis last.
struct Operands {
  Tensor b, a, x;
  int64_t axis;
  at::ScalarType result;

  Operands(const char* op, const Tensor& b_, const Tensor& a_, const Argument& x_, int64_t axis_)
      : b(wide(b_)), a(wide(a_)) {
    promote(op, x_, {{"b", b_}, {"a", a_}});
    check_filter(op, b_, a_);
    axis = wrap_axis(op, axis_, x_);
    const Tensor last = to_last(x_.tensor, axis);
    broadcast_leading(op, {{"b", b_}, {"a", a_}, {x_.name, last}});
    // lfilter's dtype, also under autocast: there is no sample
    result = std::get<0>(lfilter(b_, a_, slice_last(last, 0, 0), -1, {})).scalar_type();
    x = last.to(at::promote_types(result, at::kFloat));
  }
};

// The length of the FFT that a spectrum of F frequencies came from.
c10::SymInt points_of(const Tensor& X, const std::optional<c10::SymInt>& n, bool onesided) {
  const char* op = "freq.apply";
  const c10::SymInt F = X.sym_size(-1);
  TORCH_CHECK_VALUE(F >= 1, op, ": X: expected at least one frequency along axis, got shape ",
                    X.sym_sizes());
  const c10::SymInt odd = onesided ? 2 * F - 1 : F, usual = onesided && F > 1 ? 2 * F - 2 : odd;
  if (!n.has_value()) return usual;
  check_points(op, *n);
  TORCH_CHECK_VALUE(*n == usual || *n == odd, op, ": n: expected ", usual,
                    usual == odd ? "" : c10::str(" or ", odd), " for F = ", F,
                    " frequencies, onesided=", onesided ? "True" : "False", ", got ", *n);
  return *n;
}

// The frequencies of the grid in cycles a sample, from 0 up and then from -1/2 up.
Tensor frequencies(const c10::SymInt& n, bool onesided, const at::TensorOptions& options) {
  const Tensor k = at::arange(frequencies_of(n, onesided), options);
  return (onesided ? k : at::where(2 * k < n, k, k - n)) / n;
}

}  // namespace

Tensor freq::lfilter(const Tensor& b, const Tensor& a, const Tensor& x, std::string_view correction,
                     int64_t axis) {
  const char* op = "freq.lfilter";
  TORCH_CHECK_VALUE(correction == "none" || correction == "zeropad" || correction == "truncate", op,
                    ": correction: expected 'none', 'zeropad' or 'truncate', got '", correction,
                    "'");
  const Operands f(op, b, a, {"x", x}, axis);
  return from_last(filtered(f.b, f.a, f.x, correction).to(f.result), f.axis);
}

Tensor freq::apply(const Tensor& b, const Tensor& a, const Tensor& X, std::optional<c10::SymInt> n,
                   int64_t axis, bool onesided) {
  const char* op = "freq.apply";
  const Operands f(op, b, a, {"X", X}, axis);
  const c10::SymInt points = points_of(f.x, n, onesided);
  if (onesided) {
    check_real(op, {"b", b});
    check_real(op, {"a", a});
  }
  const Tensor H = sampled_response(f.b, f.a, points, onesided).to(complex_of(f.result));
  return from_last(f.x * H, f.axis);
}

Tensor freq::response(const Tensor& b, const Tensor& a, c10::SymInt n, bool onesided) {
  const char* op = "freq.response";
  const Promotion type = promote(op, {{"b", b}, {"a", a}});
  check_filter(op, b, a);
  broadcast_leading(op, {{"b", b}, {"a", a}});
  check_points(op, n);
  if (onesided) {
    check_real(op, {"b", b});
    check_real(op, {"a", a});
  }
  return sampled_response(wide(b), wide(a), n, onesided).to(complex_of(type.result));
}

Tensor freq::comb(const Tensor& a_, const Tensor& delay_, c10::SymInt n, bool onesided) {
  const char* op = "freq.comb";
  const Promotion type = promote(op, {{"a", a_}, {"delay", delay_}});
  check_points(op, n);
  if (onesided) check_real(op, {"a", a_});
  const Tensor a = wide(a_).unsqueeze(-1);
  const Tensor delay = wide(real_numbers(op, {"delay", delay_})).unsqueeze(-1);
  broadcast_leading(op, {{"a", a}, {"delay", delay}});
  const Tensor phase = -2 * std::numbers::pi * delay * frequencies(n, onesided, delay.options());
  const Tensor one = at::ones_like(phase);
  return (1 / (1 + a * at::polar(one, phase))).to(complex_of(type.result));
}

const Registered<OfSignals<&freq::lfilter, &freq::apply>,
                 OfCoefficients<&freq::response, &freq::comb>>
    registered;

}  // namespace polezero
