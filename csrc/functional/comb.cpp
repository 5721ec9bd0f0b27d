// Comb filters and sparse all-pole filters: taps at whole delays, and delays between samples as
// such taps.
#include "autograd/differentiable.h"
#include "autograd/ops.h"
#include "functional/arguments.h"
#include "functional/functions.h"

namespace polezero::functional {

using namespace polezero::autograd;

namespace {

// Coefficients and whole delays, each [..., T or 1, L].
struct Taps {
  Tensor coefficients, delays;
};

// [..., T or 1, 1] from a value for each row of x, [...], or, with as many dimensions as x has, for
// each sample, [..., T or 1].
Tensor as_taps(const char* op, const char* name, const Tensor& c, const Tensor& x) {
  if (c.dim() < x.dim()) return c.unsqueeze(-1).unsqueeze(-1);
  const c10::SymInt T = x.sym_size(-1);
  TORCH_CHECK_VALUE(c.sym_size(-1) == T || c.sym_size(-1) == 1, op, ": ", name,
                    ": expected T = ", T, " or 1 along the last axis, got shape ", c.sym_sizes());
  return c.unsqueeze(-1);
}

void check_delay_device(const char* op, const char* name, const Tensor& delay, const Tensor& x) {
  TORCH_CHECK_VALUE(delay.device() == x.device(), op, ": ", name, ": expected a tensor on ",
                    x.device(), " as x, got one on ", delay.device());
}

Tensor whole(const char* op, const char* name, const Tensor& delay) {
  TORCH_CHECK_TYPE(at::isIntegralType(delay.scalar_type(), /*includeBool=*/false), op, ": ", name,
                   ": expected integers",
                   std::string(name) == "delay" ? " without interpolation" : "", ", got ",
                   delay.scalar_type());
  return delay.to(at::kLong);
}

Interpolation interpolation_of(const char* op, c10::string_view name) {
  if (name == "linear") return Interpolation::linear;
  if (name == "lagrange3") return Interpolation::lagrange3;
  TORCH_CHECK_VALUE(name == "thiran", op,
                    ": interpolation: expected 'linear', 'lagrange3' or 'thiran', got '", name,
                    "'");
  return Interpolation::thiran;
}

// What is asked for of a delay line.
struct Delay {
  const char* op;
  DelayCaller caller;
  Interpolation interpolation = Interpolation::none;
  Tensor value;  // [..., T or 1, 1]

  Delay(const char* name, DelayCaller who, const Tensor& delay, const Tensor& x,
        std::optional<c10::string_view> how)
      : op(name), caller(who) {
    check_delay_device(op, "delay", delay, x);
    if (how.has_value()) {
      interpolation = interpolation_of(op, *how);
      TORCH_CHECK_TYPE(!delay.is_complex() && delay.scalar_type() != at::kBool, op,
                       ": delay: expected real numbers, got ", delay.scalar_type());
      value = at::isFloatingType(delay.scalar_type()) ? delay : delay.to(at::kDouble);
    } else {
      value = whole(op, "delay", delay);
    }
    value = as_taps(op, "delay", value, x);
  }
  bool is_thiran() const { return interpolation == Interpolation::thiran; }

  // x, or NaN in a row with a delay that is no number. (On the CPU that is an error.)
  Tensor checked(const Tensor& x) const {
    if (interpolation == Interpolation::none || !x.is_cuda()) return x;
    return x + (value - value).sum(-2).to(x.scalar_type());
  }

  // The first of the whole delays, and how much longer the delay is; `past`: samples before x.
  std::pair<Tensor, Tensor> split(const c10::SymInt& past) const {
    const Tensor first = call<FirstDelay>(
        {value}, {past, static_cast<int64_t>(interpolation), static_cast<int64_t>(caller)})[0];
    if (interpolation == Interpolation::none) return {first, Tensor()};
    // (a delay that is too short is an error on the CPU, the shortest one on a GPU)
    const double shortest = is_thiran() ? 0.5 : interpolation == Interpolation::linear ? 0 : 1;
    return {first, (value - first).clamp_min(shortest)};
  }

  // c x[n - d] with whole delays: of the sample itself, of linear or of Lagrange interpolation.
  Taps taps(const Tensor& c, const c10::SymInt& past) const {
    const auto [first, more] = split(past);
    if (interpolation == Interpolation::none) return {c, first};
    std::vector<Tensor> weights;
    if (interpolation == Interpolation::linear) {
      weights = {1 - more, more};
    } else {  // through the samples at 0, 1, 2, 3, of which 1 <= more < 2 are the middle
      weights = {(more - 1) * (more - 2) * (more - 3) / -6, more * (more - 2) * (more - 3) / 2,
                 more * (more - 1) * (more - 3) / -2, more * (more - 1) * (more - 2) / 6};
    }
    const auto L = static_cast<int64_t>(weights.size());
    return {c * at::cat(weights, -1).to(c.scalar_type()), first + at::arange(L, first.options())};
  }
};

// A signal with the samples before it, and their number.
struct Extended {
  Tensor x;
  c10::SymInt past;

  Extended(const Tensor& signal, const Tensor& zi)
      : x(zi.defined() ? join(zi.flip(-1), signal) : signal), past(past_of(zi)) {}
  static c10::SymInt past_of(const Tensor& zi) {
    return zi.defined() ? zi.sym_size(-1) : c10::SymInt(0);
  }
  // The signal itself, and its last samples, newest first, of `all` of that form.
  Tensor signal(const Tensor& all) const {
    return past == 0 ? all : slice_last(all, past, all.sym_size(-1));
  }
  Tensor newest(const Tensor& all) const {
    return slice_last(all, all.sym_size(-1) - past, all.sym_size(-1)).flip(-1);
  }
};

Tensor past_samples(const char* op, const Tensor& zi, std::initializer_list<Argument> others,
                    const Promotion& type) {
  if (!zi.defined()) return zi;
  check_not_scalar(op, {"zi", zi});
  return past_of(op, zi, zi.sym_size(-1), others, type);
}

Tensor sparse(const Taps& taps, const Extended& x, bool two_pass = false) {
  return call<SparseAllpole>({taps.coefficients, taps.delays, x.x}, {x.past, false, two_pass})[0];
}
Tensor delayed(const Taps& taps, const Extended& x, const Tensor& all) {
  return x.signal(call<SparseFir>({taps.coefficients, taps.delays, all}, {x.past, false})[0]);
}

std::tuple<Tensor, Tensor> allpole_of(const Taps& taps, const Tensor& x, const Tensor& zi,
                                      const Promotion& type, bool two_pass = false) {
  const Extended extended(x, zi);
  const Tensor y = sparse(taps, extended, two_pass);
  return results(extended.signal(y), zi.defined() ? extended.newest(y) : Tensor(), type);
}

// y[n] = x[n] - a v[n], v = y delayed by first samples and an all-pass of `more` further ones,
// H(z) = (eta + z^-1) / (1 + eta z^-1): multiplied by 1 + eta z^-1 it has whole delays.
std::tuple<Tensor, Tensor> thiran_comb(const Delay& delay, const Tensor& a, const Tensor& x,
                                       const Tensor& zi, const Promotion& type) {
  TORCH_CHECK_VALUE(is_constant(a) && is_constant(delay.value), delay.op,
                    ": interpolation: expected 'linear' or 'lagrange3' for a or a delay that ",
                    "changes with time, got 'thiran'");
  TORCH_CHECK_VALUE(!zi.defined(), delay.op,
                    ": zi: expected None where interpolation is 'thiran', got a tensor");
  const auto [first, more] = delay.split(0);
  const Tensor eta = ((1 - more) / (1 + more)).to(type.compute);
  const auto sizes = at::infer_size_symdimvector(eta.sym_sizes(), a.sym_sizes());
  const Tensor of_all = eta.expand_symint(sizes);
  const Tensor coefficients = at::cat({of_all, a * eta, a.expand_symint(sizes)}, -1);
  const Tensor delays = at::cat({at::ones_like(first), first, first + 1}, -1);
  const Tensor u = fir_over_time(at::cat({at::ones_like(eta), eta}, -1), x, {0, false});
  return allpole_of({coefficients, delays}, u, zi, type);
}

}  // namespace

std::tuple<Tensor, Tensor> comb_filter(const Tensor& a_, const Tensor& delay_, const Tensor& x,
                                       const OptionalTensor& zi_,
                                       std::optional<c10::string_view> interpolation,
                                       c10::string_view backward) {
  const char* op = "comb_filter";
  const Tensor past = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"a", a_}, {"zi", past}});
  check_not_scalar(op, {"x", x});
  const Delay delay(op, DelayCaller::comb_filter, delay_, x, interpolation);
  const Tensor a = as_taps(op, "a", a_, x).to(type.compute), u = delay.checked(x.to(type.compute));
  const Tensor zi =
      past_samples(op, past, {{"a", a, 2}, {"delay", delay.value, 2}, {"x", x}}, type);
  const bool two = two_pass(op, backward);
  TORCH_CHECK_VALUE(!two || (is_constant(a) && !interpolation.has_value()), op,
                    ": backward: expected 'one_pass' with interpolation, or for a that changes "
                    "with time, got 'two_pass'");
  if (delay.is_thiran()) return thiran_comb(delay, a, u, zi, type);
  return allpole_of(delay.taps(a, Extended::past_of(zi)), u, zi, type, two);
}

std::tuple<Tensor, Tensor> feedforward_comb(const Tensor& b_, const Tensor& delay_, const Tensor& x,
                                            const OptionalTensor& zi_,
                                            std::optional<c10::string_view> interpolation) {
  const char* op = "feedforward_comb";
  const Tensor past = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"b", b_}, {"zi", past}});
  check_not_scalar(op, {"x", x});
  const Delay delay(op, DelayCaller::feedforward_comb, delay_, x, interpolation);
  TORCH_CHECK_VALUE(!delay.is_thiran(), op,
                    ": interpolation: expected 'linear' or 'lagrange3', got 'thiran'");
  const Tensor b = as_taps(op, "b", b_, x).to(type.compute), u = delay.checked(x.to(type.compute));
  const Tensor zi =
      past_samples(op, past, {{"b", b, 2}, {"delay", delay.value, 2}, {"x", x}}, type);
  const Extended extended(u, zi);
  const Tensor y = u + delayed(delay.taps(b, extended.past), extended, extended.x);
  return results(y, zi.defined() ? extended.newest(extended.x) : Tensor(), type);
}

// w[n] = x[n] - a w[n - D], y[n] = a w[n] + w[n - D]
std::tuple<Tensor, Tensor> allpass_comb(const Tensor& a_, const Tensor& delay_, const Tensor& x,
                                        const OptionalTensor& zi_,
                                        std::optional<c10::string_view> interpolation) {
  const char* op = "allpass_comb";
  const Tensor past = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"a", a_}, {"zi", past}});
  check_not_scalar(op, {"x", x});
  const Delay delay(op, DelayCaller::allpass_comb, delay_, x, interpolation);
  TORCH_CHECK_VALUE(!delay.is_thiran(), op,
                    ": interpolation: expected 'linear' or 'lagrange3', got 'thiran'");
  const Tensor a = as_taps(op, "a", a_, x).to(type.compute), u = delay.checked(x.to(type.compute));
  const Tensor zi =
      past_samples(op, past, {{"a", a, 2}, {"delay", delay.value, 2}, {"x", x}}, type);
  const Extended extended(u, zi);
  const Taps taps = delay.taps(at::ones({1, 1}, u.options()), extended.past);
  const Tensor w = sparse({a * taps.coefficients, taps.delays}, extended);
  const Tensor y = a.squeeze(-1) * extended.signal(w) + delayed(taps, extended, w);
  return results(y, zi.defined() ? extended.newest(w) : Tensor(), type);
}

std::tuple<Tensor, Tensor> sparse_allpole(const Tensor& a_, const Tensor& delays_, const Tensor& x,
                                          const OptionalTensor& zi_) {
  const char* op = "sparse_allpole";
  const Tensor past = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"a", a_}, {"zi", past}});
  check_not_scalar(op, {"x", x});
  const auto over_time = [&](const char* name, const Tensor& c) {
    check_not_scalar(op, {name, c});
    if (c.dim() <= x.dim()) return c.unsqueeze(-2);
    check_time_axis(op, {name, c}, x.sym_size(-1));
    return c;
  };
  check_delay_device(op, "delays", delays_, x);
  const Tensor a = over_time("a", a_).to(type.compute);
  const Tensor delays = over_time("delays", whole(op, "delays", delays_));
  const Tensor zi = past_samples(op, past, {{"a", a, 2}, {"delays", delays, 2}, {"x", x}}, type);
  return allpole_of({a, delays}, x.to(type.compute), zi, type);
}

}  // namespace polezero::functional
