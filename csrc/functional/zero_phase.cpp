// Zero phase: a filter forth and back over a signal. Back is the adjoint, F^H: backwards in time
// and with conjugate coefficients, so that y = F^H F x has the gain |H|^2, and the gradient of a
// symmetric bilinear form.
#include "ops/zero_phase.h"

#include "autograd/section_calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"
#include "ops/caller.h"
#include "ops/lfilter.h"

namespace polezero {

using namespace functional;
using autograd::call;
using autograd::SectionCalls;

namespace {

// Filters one after another, in float64 and divided by a_0: b[..., K, M+1], a[..., K, N]. States
// are [..., K, P].
struct Filter {
  Tensor b, a;

  // Filters b[..., K, M+1], a[..., K, N+1].
  Filter(const Tensor& b_, const Tensor& a_) {
    const Tensor a0 = slice_last(a_, 0, 1);
    b = b_ / a0;
    a = a_.slice(-1, 1) / a0;
  }

  c10::SymInt order() const {
    const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1);
    return M < N ? N : M;
  }
  c10::SymInt states() const { return b.sym_size(-2) * order(); }

  Tensor forward(const Tensor& x, const Tensor& zi = {}) const {
    return SectionCalls::forward(b, a, x, zi).first;
  }
  Tensor adjoint(const Tensor& x) const {
    return SectionCalls::adjoint({x, Tensor(), b, a}, false).grad_x;
  }
  // For signals with one more leading dimension behind the filter's.
  Filter over_rows() const {
    Filter rows = *this;
    rows.b = b.unsqueeze(-3);
    rows.a = a.unsqueeze(-3);
    return rows;
  }
};

// The factors by which the filters before each, or behind each, multiply a step.
Tensor gains_of_others(const Tensor& gain, bool before) {
  const int64_t K = count_of(gain, -1);
  std::vector<Tensor> product(K);
  product[before ? 0 : K - 1] = at::ones_like(gain.select(-1, 0));
  for (int64_t i = 1; i < K; ++i) {
    const int64_t k = before ? i : K - 1 - i, last = before ? k - 1 : k + 1;
    product[k] = product[last] * gain.select(-1, last);
  }
  return at::stack(product, -1);
}

// The states of filters b[..., K, M+1], a[..., K, N+1] and of their adjoint in which a step of
// height 1 is answered with its steady state at once.
struct Steady {
  Tensor zi, adjoint_zi;

  Steady(const Tensor& b, const Tensor& a) {
    const Tensor sum_a = a.sum(-1), gain = b.sum(-1) / sum_a;
    zi = lfilter_zi(b, a) * gains_of_others(gain, /*before=*/true).unsqueeze(-1);
    const Tensor lambda = a.select(-1, 0) / sum_a * gains_of_others(gain, /*before=*/false);
    adjoint_zi =
        conjugated(lambda).unsqueeze(-1) * at::ones_symint({zi.sym_size(-1)}, lambda.options());
  }
};

// ---- method "pad"

// Of how much of an end sample, and of those mirrored about it, the samples beyond it are made.
std::pair<double, double> extension_of(const char* op, std::optional<std::string_view> padtype) {
  if (!padtype) return {0, 0};
  if (*padtype == "odd") return {2, -1};
  if (*padtype == "even") return {0, 1};
  TORCH_CHECK_VALUE(*padtype == "constant", op,
                    ": padtype: expected 'odd', 'even', 'constant' or None, got '", *padtype, "'");
  return {1, 0};
}

// ---- method "gust": the initial states of both directions are those for which forth and back is
// nearest to back and forth (F. Gustafsson, "Determining the initial states in forward-backward
// filtering", IEEE Trans. Signal Process. 44(4), 1996). With the answers `forth` of F and `back` of
// F^H to their own states, at either end of the signal, the difference of the two is
//    (F^H forth - forth) u + (back - F back) v + F^H F x - F F^H x
// and its least squares solution gives y = F^H F x + F^H forth u + back v.
Tensor gustafsson(const Filter& filter, const Tensor& x, const std::optional<c10::SymInt>& irlen) {
  const Tensor y = filter.adjoint(filter.forward(x));
  const c10::SymInt P = filter.states(), T = x.sym_size(-1);
  if (P == 0) return y;
  const bool whole = !irlen || T <= 2 * *irlen;  // else the answers are over after irlen samples
  const c10::SymInt m = whole ? T : *irlen;
  const Filter rows = filter.over_rows();
  const Tensor rest = at::zeros_symint({m}, y.options());
  const Tensor units = at::eye_symint(P, P, y.options());
  const Tensor forth = rows.forward(
      rest, units.reshape_symint({P, filter.b.sym_size(-2), filter.order()}));  // [..., P, m]
  const Tensor back = conjugated(forth).flip(-1), back_forth = rows.forward(back),
               forth_back = conjugated(back_forth).flip(-1);
  const Tensor start = forth_back - forth, end = back - back_forth;
  const auto joined = [&](const Tensor& u, const Tensor& v) {
    return whole ? at::cat({u, v}, -2)
                 : at::cat({pad_last(u, 0, m), pad_last(v, m, 0)}, -2);  // [..., 2 P, m or 2 m]
  };
  const auto at_ends = [&](const Tensor& t) {
    return whole ? t : join(slice_last(t, 0, m), slice_last(t, T - m, T));
  };
  const Tensor difference = at_ends(filter.forward(filter.adjoint(x)) - y);
  const Tensor states =
      at::matmul(difference.unsqueeze(-2), at::linalg_pinv(joined(start, end)));  // [..., 1, 2 P]
  const Tensor answer = at::matmul(states, joined(forth_back, back)).squeeze(-2);
  if (whole) return y + answer;
  return y + pad_last(slice_last(answer, 0, m), 0, T - m) +
         pad_last(slice_last(answer, m, 2 * m), T - m, 0);
}

// ---- both

struct How {
  std::optional<std::string_view> padtype;
  std::optional<c10::SymInt> padlen;
  std::string_view method;
  std::optional<c10::SymInt> irlen;
};

// With filters b[..., K, M+1], a[..., K, N+1], whose leading dimensions fit x, time last.
Tensor zero_phase(const char* op, const Tensor& b, const Tensor& a, const Tensor& x, int64_t axis,
                  const Promotion& type, const How& how, const c10::SymInt& default_length) {
  const c10::SymInt T = x.sym_size(-1);
  const Tensor b_ = b.to(type.in_double()), a_ = a.to(type.in_double());
  const Filter filter(b_, a_);
  if (how.method == "gust") {
    TORCH_CHECK_VALUE(!how.irlen || *how.irlen >= 1, op, ": irlen: expected at least 1, got ",
                      *how.irlen);
    TORCH_CHECK_VALUE(T >= 1, op, ": x: expected at least 1 sample along axis ", axis, ", got 0");
    return gustafsson(filter, x.to(type.in_double()), how.irlen).to(type.result);
  }
  TORCH_CHECK_VALUE(how.method == "pad", op, ": method: expected 'pad' or 'gust', got '",
                    how.method, "'");
  const auto [of_end, of_mirrored] = extension_of(op, how.padtype);
  const c10::SymInt length = !how.padtype ? c10::SymInt(0) : how.padlen.value_or(default_length);
  TORCH_CHECK_VALUE(length >= 0, op, ": padlen: expected at least 0, got ", length);
  TORCH_CHECK_VALUE(T > length, op, ": x: expected more than padlen = ", length,
                    " samples along axis ", axis, ", got ", T);
  const Steady steady(b_, a_);
  return call<&polezero::zero_phase_forward>(
             {filter.b, filter.a, steady.zi, steady.adjoint_zi, x.to(type.compute)},
             {length, of_end, of_mirrored})[0]
      .to(type.result);
}

// SciPy's number of taps of a cascade, that of its transfer function; where values may not be
// looked at, no tap is taken to be 0.
int64_t taps_of(const Tensor& sos) {
  const int64_t taps = 2 * count_of(sos, -2) + 1;
  if (!readable(sos)) return taps;
  const auto empty = [&](int64_t column) {  // sections without this tap, in every cascade
    const Tensor none = sos.select(-1, column).eq(0);
    return none.reshape({-1, none.size(-1)}).all(0).sum().item<int64_t>();
  };
  return taps - std::min(empty(2), empty(5));
}

}  // namespace

Tensor filtfilt(const Tensor& b, const Tensor& a, const Tensor& x, int64_t axis,
                std::optional<std::string_view> padtype, std::optional<c10::SymInt> padlen,
                std::string_view method, std::optional<c10::SymInt> irlen) {
  const char* op = "filtfilt";
  const Caller caller(op, kA0);
  const Promotion type = promote(op, {"x", x}, {{"b", b}, {"a", a}}, {}, {.coefficients = true});
  check_filter(op, b, a);
  const int64_t last = wrap_axis(op, axis, {"x", x});
  const Tensor samples = to_last(x, last);
  broadcast_leading(op, {{"b", b}, {"a", a}, {"x", samples}});
  if (method == "pad") check_has_steady_state(op, {"a", a});
  const Tensor y = zero_phase(op, b.unsqueeze(-2), a.unsqueeze(-2), samples, axis, type,
                              {padtype, padlen, method, irlen}, 3 * (max_order(b, a) + 1));
  return from_last(y, last);
}

Tensor sosfiltfilt(const Tensor& sos, const Tensor& x, int64_t axis,
                   std::optional<std::string_view> padtype, std::optional<c10::SymInt> padlen,
                   std::string_view method, std::optional<c10::SymInt> irlen) {
  const char* op = "sosfiltfilt";
  const Caller caller(op, kA0OfSections);
  const Promotion type = promote(op, {"x", x}, {{"sos", sos}}, {}, {.coefficients = true});
  check_sections(op, sos, 2);
  const int64_t last = wrap_axis(op, axis, {"x", x});
  const Tensor samples = to_last(x, last);
  broadcast_leading(op, {{"sos", sos, 2}, {"x", samples}});
  const Tensor b = sos.slice(-1, 0, 3), a = sos.slice(-1, 3, 6);
  check_a0(op, kA0OfSections, a);
  if (method == "pad") check_has_steady_state(op, {"sos", a});
  const Tensor y =
      zero_phase(op, b, a, samples, axis, type, {padtype, padlen, method, irlen}, 3 * taps_of(sos));
  return from_last(y, last);
}

Tensor sosfilt_zi(const Tensor& sos) {
  const char* op = "sosfilt_zi";
  const Caller caller(op, kA0OfSections);
  const Promotion type = promote(op, {{"sos", sos}});
  check_sections(op, sos, 2);
  const Tensor sections = sos.to(type.in_double());
  const Tensor b = sections.slice(-1, 0, 3), a = sections.slice(-1, 3, 6);
  check_a0(op, kA0OfSections, a);
  check_has_steady_state(op, {"sos", a});
  return Steady(b, a).zi.movedim(-2, 0);
}

const Registered<OfSignals<&filtfilt, &sosfiltfilt>, OfCoefficients<&sosfilt_zi>> registered;

}  // namespace polezero
