// Comb filters and sparse all-pole filters.
#include "ops/sparse.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"
#include "ops/caller.h"

namespace polezero {

using namespace functional;
using autograd::call;
using autograd::fir_over_time;

namespace {

// Coefficients and delays, each [..., T or 1, L].
struct Taps {
  Tensor coefficients, delays;
};

bool broadcast(c10::SymIntArrayRef u, c10::SymIntArrayRef v) {
  const size_t both = std::min(u.size(), v.size());
  for (size_t i = 1; i <= both; ++i) {
    const c10::SymInt &m = u[u.size() - i], &n = v[v.size() - i];
    if (m != n && m != 1 && n != 1) return false;
  }
  return true;
}

// `c` is given for rows [...] of x, in its first dimensions. (Here, where c has the shape that it
// was given in.)
void check_rows(const char* op, const Argument& c, const Tensor& x, const char* otherwise) {
  const auto rows = c.tensor.sym_sizes().slice(0, c.tensor.dim() - c.core_dims);
  TORCH_CHECK_VALUE(broadcast(rows, x.sym_sizes().slice(0, x.dim() - 1)), op, ": ", c.name,
                    ": expected leading dimensions that broadcast against those of x, ",
                    x.sym_sizes(), otherwise, ", got shape ", c.tensor.sym_sizes());
}

// [..., T or 1, 1] from a value for each row of x, [...], or, with as many dimensions as x has, for
// each sample, [..., T or 1].
Tensor as_taps(const char* op, const char* name, const Tensor& c, const Tensor& x) {
  const bool of_rows = c.dim() < x.dim();
  check_rows(op, {name, c, of_rows ? 0 : 1}, x,
             of_rows ? " (a value for each sample: as many dimensions)" : "");
  if (of_rows) return c.unsqueeze(-1).unsqueeze(-1);
  const c10::SymInt T = x.sym_size(-1);
  TORCH_CHECK_VALUE(c.sym_size(-1) == T || c.sym_size(-1) == 1, op, ": ", name,
                    ": expected T = ", T, " or 1 along the last axis, got shape ", c.sym_sizes());
  return c.unsqueeze(-1);
}

Tensor whole(const char* op, const char* name, const Tensor& delay) {
  TORCH_CHECK_TYPE(at::isIntegralType(delay.scalar_type(), /*includeBool=*/false), op, ": ", name,
                   ": expected integers",
                   std::string(name) == "delay" ? " without interpolation" : "", ", got ",
                   delay.scalar_type());
  return delay.to(at::kLong);
}

// A value for each row is read as wide as it is.
Reads reads(const Tensor& c, const Tensor& x) {
  return c.dim() < x.dim() ? Reads{.coefficients = true} : read_where_constant(c, -1);
}

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
  TORCH_CHECK_VALUE(zi.sym_size(-1) > 0, op, ": zi: expected at least one sample, got shape ",
                    zi.sym_sizes());
  return past_of(op, zi, zi.sym_size(-1), others, type);
}

Tensor sparse(const Taps& taps, const Extended& x, Interpolation interpolation,
              bool two_pass = false) {
  return call<&polezero::sparse_allpole_forward>(
      {taps.coefficients, taps.delays, x.x},
      {x.past, false, two_pass, static_cast<int64_t>(interpolation)})[0];
}
// The samples of x itself, of `all` in its form, delayed.
Tensor delayed(const Taps& taps, const Extended& x, const Tensor& all,
               Interpolation interpolation) {
  return x.signal(
      call<&polezero::sparse_fir>({taps.coefficients, taps.delays, all},
                                  {x.past, false, static_cast<int64_t>(interpolation), 0})[0]);
}

std::tuple<Tensor, Tensor> allpole_of(const Taps& taps, const Tensor& x, const Tensor& zi,
                                      const Promotion& type, Interpolation interpolation,
                                      bool two_pass = false) {
  const Extended extended(x, zi);
  const Tensor y = sparse(taps, extended, interpolation, two_pass);
  return results(extended.signal(y), zi.defined() ? extended.newest(y) : Tensor(), type);
}

// What a comb is made of.
struct Comb {
  const char* op;
  Caller caller;
  Interpolation read = Interpolation::none;  // how samples are
  bool thiran = false;
  Promotion type;
  Taps taps;  // one
  Tensor x, zi;

  // `name` is that of the coefficient c.
  Comb(const char* op_, const char* name, const Tensor& c, const Tensor& delay, const Tensor& x_,
       const OptionalTensor& zi_, std::optional<std::string_view> interpolation)
      : op(op_),
        caller(op_, "delay"),
        type(promote(op, {"x", x_}, {{name, c}}, value_or_undefined(zi_), reads(c, x_))) {
    check_not_scalar(op, {"x", x_});
    check_device(op, {"delay", delay}, {"x", x_});
    if (interpolation.has_value()) set_interpolation(*interpolation);
    const Tensor numbers =
        interpolation.has_value() ? real_numbers(op, {"delay", delay}) : whole(op, "delay", delay);
    taps = {as_taps(op, name, c, x_).to(type.coefficient(c)), as_taps(op, "delay", numbers, x_)};
    x = x_.to(type.compute);
    zi = past_samples(op, value_or_undefined(zi_),
                      {{name, taps.coefficients, 2}, {"delay", taps.delays, 2}, {"x", x}}, type);
    if (interpolation.has_value() && x.is_cuda()) make_legal();
  }

 private:
  void set_interpolation(std::string_view name) {
    const bool feedback = std::string_view(op) == "comb_filter";
    thiran = feedback && name == "thiran";
    TORCH_CHECK_VALUE(thiran || name == "linear" || name == "lagrange3", op,
                      ": interpolation: expected ",
                      feedback ? "'linear', 'lagrange3' or 'thiran'" : "'linear' or 'lagrange3'",
                      ", got '", name, "'");
    if (!thiran) {
      read = name == "linear" ? Interpolation::linear : Interpolation::lagrange3;
    }
  }
  // On a GPU delays are not looked at: one that is too short is the shortest, NaN is a row of NaN.
  void make_legal() {
    const Tensor d = taps.delays.detach();
    x = x + at::where(d.isnan(), d, at::zeros({}, d.options())).sum(-2).to(x.scalar_type());
    taps.delays = legal_delays(taps.delays, read);
  }
};

// y[n] = x[n] - a v[n], v = y delayed by k samples and an all-pass of `more` further ones,
// H(z) = (eta + z^-1) / (1 + eta z^-1): multiplied by 1 + eta z^-1 it has whole delays.
std::tuple<Tensor, Tensor> thiran_comb(const Comb& comb) {
  // The coefficients are float64: their rounding would be that of the poles.
  const Tensor a = wide(comb.taps.coefficients), &delay = comb.taps.delays;
  TORCH_CHECK_VALUE(is_constant(a) && is_constant(delay), comb.op,
                    ": interpolation: expected 'linear' or 'lagrange3' for a or a delay that ",
                    "changes with time, got 'thiran'");
  TORCH_CHECK_VALUE(!comb.zi.defined(), comb.op,
                    ": zi: expected None where interpolation is 'thiran', got a tensor");
  const Tensor k = call<&polezero::thiran_delay>({delay}, {})[0];
  const Tensor more = (wide(delay) - k).clamp_min(0.5);  // (too short a delay, on a GPU)
  const Tensor eta = ((1 - more) / (1 + more)).to(a.scalar_type());
  const auto sizes = at::infer_size_symdimvector(eta.sym_sizes(), a.sym_sizes());
  const Tensor coefficients =
      at::cat({eta.expand_symint(sizes), a * eta, a.expand_symint(sizes)}, -1);
  const Tensor u = fir_over_time(at::cat({at::ones_like(eta), eta}, -1), comb.x, {0, false});
  return allpole_of({coefficients, at::cat({at::ones_like(k), k, k + 1}, -1)}, u, comb.zi,
                    comb.type, comb.read);
}

}  // namespace

std::tuple<Tensor, Tensor> comb_filter(const Tensor& a, const Tensor& delay, const Tensor& x,
                                       const OptionalTensor& zi,
                                       std::optional<std::string_view> interpolation,
                                       std::string_view backward) {
  const char* op = "comb_filter";
  const Comb comb(op, "a", a, delay, x, zi, interpolation);
  const bool two = two_pass(op, backward);
  TORCH_CHECK_VALUE(!two || (is_constant(comb.taps.coefficients) && !interpolation.has_value()), op,
                    ": backward: expected 'one_pass' with interpolation, or for a that changes "
                    "with time, got 'two_pass'");
  if (comb.thiran) return thiran_comb(comb);
  return allpole_of(comb.taps, comb.x, comb.zi, comb.type, comb.read, two);
}

std::tuple<Tensor, Tensor> feedforward_comb(const Tensor& b, const Tensor& delay, const Tensor& x,
                                            const OptionalTensor& zi,
                                            std::optional<std::string_view> interpolation) {
  const Comb comb("feedforward_comb", "b", b, delay, x, zi, interpolation);
  const Extended extended(comb.x, comb.zi);
  const Tensor y = comb.x + delayed(comb.taps, extended, extended.x, comb.read);
  return results(y, comb.zi.defined() ? extended.newest(extended.x) : Tensor(), comb.type);
}

// w[n] = x[n] - a w[n - D], and a w[n] + w[n - D] without what cancels there where a is near 1:
// y[n] = a x[n] + (1 - a) (1 + a) w[n - D]
std::tuple<Tensor, Tensor> allpass_comb(const Tensor& a, const Tensor& delay, const Tensor& x,
                                        const OptionalTensor& zi,
                                        std::optional<std::string_view> interpolation) {
  const Comb comb("allpass_comb", "a", a, delay, x, zi, interpolation);
  const Extended extended(comb.x, comb.zi);
  const Tensor w = sparse(comb.taps, extended, comb.read);
  const Tensor& c = comb.taps.coefficients;
  const Tensor direct = is_constant(c) ? wide(c) : c;
  const Taps through{(1 - direct) * (1 + direct), comb.taps.delays};
  const Tensor y =
      fir_over_time(direct, comb.x, {0, false}) + delayed(through, extended, w, comb.read);
  return results(y, comb.zi.defined() ? extended.newest(w) : Tensor(), comb.type);
}

std::tuple<Tensor, Tensor> sparse_allpole(const Tensor& a_, const Tensor& delays_, const Tensor& x,
                                          const OptionalTensor& zi_) {
  const char* op = "sparse_allpole";
  const Caller caller(op, "delays");
  const Tensor past = value_or_undefined(zi_);
  const Promotion type =
      promote(op, {"x", x}, {{"a", a_}}, past,
              a_.dim() <= x.dim() ? Reads{.coefficients = true} : read_where_constant(a_, -2));
  check_not_scalar(op, {"x", x});
  const auto over_time = [&](const char* name, const Tensor& c) {
    check_not_scalar(op, {name, c});
    check_rows(op, {name, c, c.dim() <= x.dim() ? 1 : 2}, x, "");
    if (c.dim() <= x.dim()) return c.unsqueeze(-2);
    check_time_axis(op, {name, c}, x.sym_size(-1));
    return c;
  };
  check_device(op, {"delays", delays_}, {"x", x});
  const Tensor a = over_time("a", a_).to(type.coefficient(a_));
  const Tensor delays = over_time("delays", whole(op, "delays", delays_));
  TORCH_CHECK_VALUE(delays.sym_size(-1) == a.sym_size(-1), op,
                    ": delays: expected L = ", a.sym_size(-1),
                    " values along the last axis as a, got shape ", delays_.sym_sizes());
  const Tensor zi = past_samples(op, past, {{"a", a, 2}, {"delays", delays, 2}, {"x", x}}, type);
  return allpole_of({a, delays}, x.to(type.compute), zi, type, Interpolation::none);
}

const Registered<OfSignals<&comb_filter, &feedforward_comb, &allpass_comb, &sparse_allpole>>
    registered;

}  // namespace polezero
