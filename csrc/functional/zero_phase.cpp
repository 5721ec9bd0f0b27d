// Zero phase: a filter forth and back over a signal. Back is the adjoint, F^H: backwards in time
// and with conjugate coefficients, so that y = F^H F x has the gain |H|^2, and the gradient of a
// symmetric bilinear form.
#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"
#include "ops/caller.h"
#include "ops/lfilter.h"
#include "ops/sosfilt.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

// ---- the two kinds of filters, with what zero phase does with them. States are [..., *kind, ...]
// with the kind's own dimensions last: [P], or [K, 2].

struct DirectForm {
  Tensor b, a;

  c10::SymInt states() const { return max_order(b, a); }
  void check_rows(const char* op, const Tensor& x) const {
    broadcast_leading(op, {{"b", b}, {"a", a}, {"x", x}});
  }
  // The same, for signals with one more leading dimension behind the filter's.
  DirectForm over_rows() const { return {b.unsqueeze(-2), a.unsqueeze(-2)}; }

  Tensor forward(const Tensor& x, const Tensor& zi = {}) const {
    return autograd::lfilter_forward(b, a, x, zi)[0];
  }
  Tensor adjoint(const Tensor& x, const Tensor& state = {}) const {
    return call<&polezero::lfilter_backward>({x, state, b, a}, {false, false, true, false})[2];
  }
  // The states of a filter and of its adjoint in which a step of height 1 is answered with its
  // steady state at once.
  Tensor steady() const { return lfilter_zi(b, a); }
  Tensor adjoint_steady() const {
    const Tensor level = conjugated(slice_last(a, 0, 1) / a.sum(-1, /*keepdim=*/true));
    return level * at::ones_symint({states()}, level.options());
  }
  // Such a state for a step of height level[..., 1].
  static Tensor scaled(const Tensor& state, const Tensor& level) { return state * level; }
  // As many states as there are numbers in one, each with a 1 at another place.
  Tensor unit_states() const { return at::eye_symint(states(), states(), b.options()); }
};

struct Cascade {
  Tensor sos;

  c10::SymInt states() const { return 2 * sos.sym_size(-2); }
  void check_rows(const char* op, const Tensor& x) const {
    broadcast_leading(op, {{"sos", sos, 2}, {"x", x}});
  }
  Cascade over_rows() const { return {sos.unsqueeze(-3)}; }

  Tensor forward(const Tensor& x, const Tensor& zi = {}) const {
    return call<&polezero::sosfilt_forward>({sos, x, zi}, {})[0];
  }
  Tensor adjoint(const Tensor& x, const Tensor& state = {}) const {
    return call<&polezero::sosfilt_backward>({x, state, sos}, {false, true, false})[1];
  }
  Tensor steady() const { return sosfilt_zi(sos).movedim(0, -2); }
  Tensor adjoint_steady() const {
    const Tensor sum_a = sos.slice(-1, 3, 6).sum(-1);
    const Tensor own = sos.select(-1, 3) / sum_a, gain = sos.slice(-1, 0, 3).sum(-1) / sum_a;
    std::vector<Tensor> levels(count_of(sos, -2));
    Tensor after;  // the gain of the sections that come first backwards
    for (int64_t k = static_cast<int64_t>(levels.size()) - 1; k >= 0; --k) {
      levels[k] = after.defined() ? own.select(-1, k) * after : own.select(-1, k);
      after = after.defined() ? after * gain.select(-1, k) : gain.select(-1, k);
    }
    const Tensor level = conjugated(at::stack(levels, -1)).unsqueeze(-1);
    return level * at::ones({2}, level.options());
  }
  static Tensor scaled(const Tensor& state, const Tensor& level) {
    return state * level.unsqueeze(-1);
  }
  Tensor unit_states() const {
    const c10::SymInt K = sos.sym_size(-2);
    return at::eye_symint(2 * K, 2 * K, sos.options()).reshape_symint({2 * K, K, 2});
  }
};

// ---- method "pad"

// `before` * the end sample - or + the samples mirrored about it.
struct Extension {
  double of_end, of_mirrored;
};

Extension extension_of(const char* op, std::optional<std::string_view> padtype) {
  if (!padtype) return {0, 0};
  if (*padtype == "odd") return {2, -1};
  if (*padtype == "even") return {0, 1};
  TORCH_CHECK_VALUE(*padtype == "constant", op,
                    ": padtype: expected 'odd', 'even', 'constant' or None, got '", *padtype, "'");
  return {1, 0};
}

// x with `length` samples before and after it.
Tensor extended(const Tensor& x, const c10::SymInt& length, const Extension& how) {
  if (length == 0) return x;
  const c10::SymInt T = x.sym_size(-1);
  const auto part = [&](const Tensor& end, const c10::SymInt& from) {
    const Tensor mirrored = slice_last(x, from, from + length).flip(-1);
    return how.of_end * end + how.of_mirrored * mirrored;
  };
  return at::cat({part(slice_last(x, 0, 1), 1), x, part(slice_last(x, T - 1, T), T - 1 - length)},
                 -1);
}

template <class Filter>
Tensor padded(const Filter& filter, const Tensor& x, const c10::SymInt& length,
              const Extension& how) {
  const Tensor u = extended(x, length, how);
  const Tensor w = filter.forward(u, Filter::scaled(filter.steady(), slice_last(u, 0, 1)));
  const c10::SymInt last = w.sym_size(-1) - 1;
  const Tensor level = slice_last(w, last, last + 1);
  const Tensor y = filter.adjoint(w, Filter::scaled(filter.adjoint_steady(), level));
  return slice_last(y, length, length + x.sym_size(-1));
}

// ---- method "gust": the initial states of both directions are those for which forth and back is
// nearest to back and forth (F. Gustafsson, "Determining the initial states in forward-backward
// filtering", IEEE Trans. Signal Process. 44(4), 1996). With the answers `forth` of F and `back` of
// F^H to their own states, at either end of the signal, the difference of the two is
//    (F^H forth - forth) u + (back - F back) v + F^H F x - F F^H x
// and its least squares solution gives y = F^H F x + F^H forth u + back v.
template <class Filter>
Tensor gustafsson(const Filter& filter, const Tensor& x, const std::optional<c10::SymInt>& irlen) {
  const Tensor y = filter.adjoint(filter.forward(x));
  const c10::SymInt P = filter.states(), T = x.sym_size(-1);
  if (P == 0) return y;
  const bool whole = !irlen || T <= 2 * *irlen;  // else the answers are over after irlen samples
  const c10::SymInt m = whole ? T : *irlen;
  const Filter rows = filter.over_rows();
  const Tensor rest = at::zeros_symint({m}, y.options());
  const Tensor forth = rows.forward(rest, rows.unit_states());  // [..., P, m]
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

// Computed in float64, so that what goes back is not rounded.
template <class Filter>
Tensor zero_phase(const char* op, const Filter& filter, const Tensor& x, int64_t axis,
                  const Promotion& type, const How& how, const c10::SymInt& default_length) {
  const int64_t last = wrap_axis(op, axis, {"x", x});
  const Tensor u = to_last(x.to(type.in_double()), last);
  filter.check_rows(op, u);
  const c10::SymInt T = u.sym_size(-1);
  if (how.method == "gust") {
    TORCH_CHECK_VALUE(!how.irlen || *how.irlen >= 1, op, ": irlen: expected at least 1, got ",
                      *how.irlen);
    TORCH_CHECK_VALUE(T >= 1, op, ": x: expected at least 1 sample along axis ", axis,
                      ", got shape ", x.sym_sizes());
    return from_last(gustafsson(filter, u, how.irlen), last).to(type.result);
  }
  TORCH_CHECK_VALUE(how.method == "pad", op, ": method: expected 'pad' or 'gust', got '",
                    how.method, "'");
  const Extension extension = extension_of(op, how.padtype);
  const c10::SymInt length = !how.padtype ? c10::SymInt(0) : how.padlen.value_or(default_length);
  TORCH_CHECK_VALUE(length >= 0, op, ": padlen: expected at least 0, got ", length);
  TORCH_CHECK_VALUE(T > length, op, ": x: expected more than padlen = ", length,
                    " samples along axis ", axis, ", got ", T);
  return from_last(padded(filter, u, length, extension), last).to(type.result);
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
  const DirectForm filter{b.to(type.in_double()), a.to(type.in_double())};
  return zero_phase(op, filter, x, axis, type, {padtype, padlen, method, irlen},
                    3 * (filter.states() + 1));
}

Tensor sosfiltfilt(const Tensor& sos, const Tensor& x, int64_t axis,
                   std::optional<std::string_view> padtype, std::optional<c10::SymInt> padlen,
                   std::string_view method, std::optional<c10::SymInt> irlen) {
  const char* op = "sosfiltfilt";
  const Caller caller(op, kA0OfSections);
  const Promotion type = promote(op, {"x", x}, {{"sos", sos}}, {}, {.coefficients = true});
  check_sections(op, sos, 2);
  const Cascade filter{sos.to(type.in_double())};
  return zero_phase(op, filter, x, axis, type, {padtype, padlen, method, irlen}, 3 * taps_of(sos));
}

// The states of the sections, each for a step as high as what those before make of it.
Tensor sosfilt_zi(const Tensor& sos_) {
  const char* op = Caller::function("sosfilt_zi");
  const Promotion type = promote(op, {{"sos", sos_}});
  check_sections(op, sos_, 2);
  const Tensor sos = sos_.to(type.in_double());
  const Tensor b = sos.slice(-1, 0, 3), a = sos.slice(-1, 3, 6);
  check_has_steady_state(op, {"sos", a});
  const Tensor zi = lfilter_zi(b, a), gain = b.sum(-1) / a.sum(-1);
  std::vector<Tensor> states{zi.select(-2, 0)};
  Tensor level;
  for (int64_t k = 1; k < count_of(sos, -2); ++k) {
    level = k == 1 ? gain.select(-1, 0) : level * gain.select(-1, k - 1);
    states.push_back(level.unsqueeze(-1) * zi.select(-2, k));
  }
  return at::stack(states, 0);
}

const Registered<OfSignals<&filtfilt, &sosfiltfilt>, OfCoefficients<&sosfilt_zi>> registered;

}  // namespace polezero
