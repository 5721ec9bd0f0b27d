// The four direct forms with coefficients that change with time: each two primitives, which differ
// in the time whose coefficients meet a sample. Constant coefficients [..., 1, taps] are a case of
// it.
#include "functional/forms.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/frames.h"
#include "functional/registered.h"
#include "ops/caller.h"
#include "ops/lfilter.h"
#include "ops/lpv_sosfilt.h"

namespace polezero {

using namespace functional;
using autograd::allpole_over_time;
using autograd::fir_over_time;

namespace {

constexpr Lags kOfOutput{0, false}, kOfInput{-1, false};

// b_k[n] x[n-k] with past inputs, newest first. Only the first M outputs know of them.
Tensor fir_with_past(const Tensor& b, const Tensor& x, const Tensor& past) {
  const Tensor y = fir_over_time(b, x, kOfOutput);
  if (!past.defined()) return y;
  const c10::SymInt M = b.sym_size(-1) - 1, T = x.sym_size(-1), near = T < M ? T : M;
  const Tensor taps = is_constant(b) ? b : pad_time(b.slice_symint(-2, 0, near), M, 0);
  const Tensor late = fir_over_time(taps, pad_last(past.flip(-1), 0, near), kOfOutput);
  return y + pad_last(slice_last(late, M, M + near), 0, T - near);
}

// What is still to come of sum_k c_k[n-k] s[n-k] in the first P samples after the end.
Tensor overhang(const Tensor& c, const Tensor& s, const c10::SymInt& P) {
  const c10::SymInt T = s.sym_size(-1), near = T < P ? T : P;
  const Tensor taps = is_constant(c) ? c : pad_time(c.slice_symint(-2, T - near, T), 0, P);
  const Tensor u = fir_over_time(taps, pad_last(slice_last(s, T - near, T), 0, P), kOfInput);
  return slice_last(u, near, near + P);
}

// An additive state: what of it falls on T samples, and what is left after them.
Tensor begun(const Tensor& zi, const c10::SymInt& T) {
  const c10::SymInt P = zi.sym_size(-1);
  return T < P ? slice_last(zi, 0, T) : pad_last(zi, 0, T - P);
}
Tensor left_over(const Tensor& zi, const c10::SymInt& T) {
  const c10::SymInt P = zi.sym_size(-1);
  return T < P ? pad_last(slice_last(zi, T, P), 0, T) : at::zeros_like(zi);
}

Tensor with_lag_0(const Tensor& a) { return pad_last(a, 1, 0); }  // as overhang wants it

Filtered df1(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi) {
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1);
  if (!zi.defined())
    return {allpole_over_time(a, fir_over_time(b, x, kOfOutput), {}, kOfOutput), {}};
  const Tensor inputs = slice_last(zi, 0, M), outputs = slice_last(zi, M, M + N);
  const Tensor y = allpole_over_time(a, fir_with_past(b, x, inputs), outputs, kOfOutput);
  return {y, join(newest(x, inputs, M), newest(y, outputs, N))};
}

Filtered df2(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi) {
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1), P = M < N ? N : M;
  if (!zi.defined())
    return {fir_over_time(b, allpole_over_time(a, x, {}, kOfOutput), kOfOutput), {}};
  const Tensor w = allpole_over_time(a, x, slice_last(zi, 0, N), kOfOutput);
  return {fir_with_past(b, w, slice_last(zi, 0, M)), newest(w, zi, P)};
}

Filtered tdf1(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi) {
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1), T = x.sym_size(-1);
  if (!zi.defined()) return {fir_over_time(b, allpole_over_time(a, x, {}, kOfInput), kOfInput), {}};
  const Tensor of_a = slice_last(zi, 0, N), of_b = slice_last(zi, N, N + M);
  const Tensor v = allpole_over_time(a, x + begun(of_a, T), {}, kOfInput);
  const Tensor y = fir_over_time(b, v, kOfInput) + begun(of_b, T);
  return {y, join(left_over(of_a, T) - overhang(with_lag_0(a), v, N),
                  left_over(of_b, T) + overhang(b, v, M))};
}

}  // namespace

Filtered functional::tdf2(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi) {
  const c10::SymInt T = x.sym_size(-1);
  const Tensor u = fir_over_time(b, x, kOfInput);
  if (!zi.defined()) return {allpole_over_time(a, u, {}, kOfInput), {}};
  const c10::SymInt P = zi.sym_size(-1);
  const Tensor y = allpole_over_time(a, u + begun(zi, T), {}, kOfInput);
  return {y, left_over(zi, T) + overhang(b, x, P) - overhang(with_lag_0(a), y, P)};
}

namespace {

// Where the kernel of second-order sections serves: transposed direct form II of order 2 or less,
// with coefficients of as many samples, or frames.
bool is_section(const Tensor& b, const Tensor& a) {
  const auto fits = [](const Tensor& t) {
    return t.dim() >= 2 && t.sym_size(-1) >= 1 && t.sym_size(-1) <= 3;
  };
  return fits(b) && fits(a) && !(is_constant(b) && is_constant(a)) &&
         (is_constant(b) || is_constant(a) || b.sym_size(-2) == a.sym_size(-2));
}

Filtered section(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi,
                 const Frames& frames) {
  const c10::SymInt F = std::max(b.sym_size(-2), a.sym_size(-2));
  const auto taps = [&](const Tensor& t) {
    // padding copies, even by nothing
    const Tensor three = t.sym_size(-1) == 3 ? t : pad_last(t, 0, 3 - t.sym_size(-1));
    c10::SymDimVector sizes(three.sym_sizes().begin(), three.sym_sizes().end());
    sizes[sizes.size() - 2] = F;
    return three.expand_symint(sizes);
  };
  const c10::SymInt P = max_order(b, a);
  const auto [y, zf] = autograd::call<&polezero::lpv_lfilter_forward>(
      {taps(b), taps(a), x, zi.defined() ? pad_last(zi, 0, 2 - P) : zi}, frames.attributes());
  return {y, zi.defined() ? slice_last(zf, 0, P) : Tensor()};
}

struct Form {
  const char* name;
  Filtered (*filter)(const Tensor& b, const Tensor& a, const Tensor& x, const Tensor& zi);
  bool shares_state;  // max(M, N) values, not M + N
};
constexpr Form kForms[] = {
    {"df1", df1, false}, {"df2", df2, true}, {"tdf1", tdf1, false}, {"tdf2", tdf2, true}};

const Form& form_of(const char* op, std::string_view name) {
  for (const Form& form : kForms) {
    if (name == form.name) return form;
  }
  TORCH_CHECK_VALUE(false, op, ": form: expected 'df1', 'df2', 'tdf1' or 'tdf2', got '", name, "'");
}

std::tuple<Tensor, Tensor> filter(const char* op, const Tensor& given_b, const Tensor& given_a,
                                  const Tensor& x, const OptionalTensor& zi_, const Form& form,
                                  const Frames& frames) {
  Tensor zi = value_or_undefined(zi_);
  const bool fused = form.filter == functional::tdf2 && is_section(given_b, given_a);
  const Tensor b = fused ? given_b : frames.of_samples({"b", given_b}, x),
               a = fused ? given_a : frames.of_samples({"a", given_a}, x);
  const Promotion type = promote(
      op, {"x", x}, {{"b", b}, {"a", a}}, zi,
      fused ? Reads{.coefficients = true, .states = true} : read_where_constant({b, a}, -2));
  check_not_scalar(op, {"x", x});
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  for (const Argument& taps : {Argument{"b", b}, Argument{"a", a}}) {
    if (!fused || !frames.given()) check_time_axis(op, taps, x.sym_size(-1));
  }
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1) - 1;
  const c10::SymInt states = form.shares_state ? (M < N ? N : M) : M + N;
  zi = past_of(op, zi, states, {{"b", b, 2}, {"a", a, 2}, {"x", x}}, type);
  const Caller caller(op, kA0);
  if (fused) {
    broadcast_leading(op, {{"b", b, 2}, {"a", a, 2}});
    const Filtered out = section(b.to(type.coefficient(b)), a.to(type.coefficient(a)),
                                 x.to(type.compute), zi, frames);
    return results(out.y, out.state, type);
  }
  const at::ScalarType quotient = type.quotient(is_constant(a));
  auto [bs, as] = autograd::monic(b.to(quotient), a.to(quotient));
  if (!is_constant(b)) bs = bs.to(type.compute);
  const Filtered out = form.filter(bs, as, x.to(type.compute), zi);
  return results(out.y, out.state, type);
}

}  // namespace

std::tuple<Tensor, Tensor> lpv::lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                        const OptionalTensor& zi, std::string_view form,
                                        std::optional<c10::SymInt> hop,
                                        std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.lfilter";
  return filter(op, b, a, x, zi, form_of(op, form), Frames(op, hop, interpolation, offset));
}

std::tuple<Tensor, Tensor> lpv::tdf2_ssm(const Tensor& b, const Tensor& a, const Tensor& x,
                                         const OptionalTensor& zi, std::optional<c10::SymInt> hop,
                                         std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.tdf2_ssm";
  return filter(op, b, a, x, zi, form_of(op, "tdf2"), Frames(op, hop, interpolation, offset));
}

std::tuple<Tensor, Tensor> lpv::fir(const Tensor& given, const Tensor& x, const OptionalTensor& zi_,
                                    std::optional<c10::SymInt> hop, std::string_view interpolation,
                                    c10::SymInt offset) {
  const char* op = "lpv.fir";
  const Tensor b = Frames(op, hop, interpolation, offset).of_samples({"b", given}, x);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"b", b}}, zi);
  check_not_scalar(op, {"x", x});
  check_not_empty(op, {"b", b});
  check_time_axis(op, {"b", b}, x.sym_size(-1));
  const c10::SymInt M = b.sym_size(-1) - 1;
  zi = past_of(op, zi, M, {{"b", b, 2}, {"x", x}}, type);
  const Tensor samples = x.to(type.compute);
  const Tensor y = fir_with_past(b.to(type.compute), samples, zi);
  if (!zi.defined()) return results(y, {}, type);
  c10::SymDimVector sizes(y.sym_sizes().begin(), y.sym_sizes().end());
  sizes.back() = M;
  return results(y, newest(samples, zi, M).expand_symint(sizes), type);
}

const Registered<OfSignals<&lpv::lfilter, &lpv::tdf2_ssm, &lpv::fir>> registered;

}  // namespace polezero
