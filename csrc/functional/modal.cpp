// Banks of modes, and filters turned into modes for them.
#include "ops/modal.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

// Poles closer than this are repeated: residues and derivatives have their distance in the
// denominator, and rounding alone spreads a double pole by some 1e-8. Of poles of higher
// multiplicity, which rounding spreads further, the residues are far larger than the impulse
// response that is left of them; those of filters that people use are not (a Butterworth filter of
// order 12: 1000 times).
constexpr double kClosestPoles = 1e-5, kLargestResidues = 1e4;

double epsilon_of(const Tensor& t) {
  switch (c10::toRealValueType(t.scalar_type())) {
    case at::kHalf: return std::numeric_limits<c10::Half>::epsilon();
    case at::kBFloat16: return std::numeric_limits<c10::BFloat16>::epsilon();
    case at::kFloat: return std::numeric_limits<float>::epsilon();
    default: return std::numeric_limits<double>::epsilon();
  }
}
void check_finite(const char* op, const Argument& argument) {
  TORCH_CHECK_VALUE(!readable(argument.tensor) || argument.tensor.isfinite().all().item<bool>(), op,
                    ": ", argument.name, ": expected finite numbers, got NaN or inf");
}

at::ScalarType complex_of(const Promotion& type) { return c10::toComplexType(type.compute); }

void check_distinct(const char* op, const char* name, const Tensor& poles) {
  if (!readable(poles) || poles.numel() == 0) return;
  const Tensor p = poles.detach();
  const Tensor itself = at::eye(p.size(-1), p.options().dtype(at::kBool));
  const Tensor distances = (p.unsqueeze(-1) - p.unsqueeze(-2)).abs();
  const double closest =
      distances.masked_fill(itself, std::numeric_limits<double>::infinity()).min().item<double>();
  TORCH_CHECK_VALUE(!(closest < kClosestPoles), op, ": ", name, ": expected poles at least ",
                    kClosestPoles, " apart, got a distance of ", std::setprecision(2), closest);
}

// b[..., M+1] and a[..., N+1] with a_0 = 1, in double precision. The orders are plain numbers: they
// are those of loops.
struct Fraction {
  Tensor b, a;
  int64_t M, N;
};

int64_t order_of(const Tensor& c) { return count_of(c, -1) - 1; }

// The direct part, the quotient of b and a: a division of polynomials is a filter, from their
// highest coefficients on.
Tensor quotient(const char* op, const Fraction& f, const c10::SymDimVector& leading) {
  if (f.M < f.N) return f.b.new_zeros_symint(with_last(leading, 1));
  TORCH_CHECK_VALUE(!readable(f.a) || !(f.a.select(-1, f.N) == 0).any().item<bool>(), op,
                    ": a: expected a[..., ", f.N, "] != 0 for M >= N, got 0");
  const Tensor impulse = pad_last(f.a.new_ones({1}), 0, f.M - f.N);
  return autograd::lfilter_forward(f.b.flip(-1), f.a.flip(-1), impulse)[0].flip(-1);
}

// b - direct a: N coefficients.
Tensor remainder(const Fraction& f, const Tensor& direct) {
  const Tensor of_b = f.M < f.N ? pad_last(f.b, 0, f.N - f.M - 1) : slice_last(f.b, 0, f.N);
  return of_b - autograd::fir(direct, slice_last(f.a, 0, f.N));
}

// The roots of z^N + a_1 z^(N-1) + ... + a_N: eigenvalues of the companion matrix.
Tensor roots(const Fraction& f) {
  const Tensor a = slice_last(f.a, 1, f.N + 1);
  if (f.N == 0) return a.to(at::kComplexDouble);
  c10::SymDimVector sizes(a.sym_sizes().begin(), a.sym_sizes().end());
  sizes.insert(sizes.end() - 1, f.N - 1);
  const Tensor below = at::eye(f.N - 1, f.N, a.options()).expand_symint(sizes);
  return at::linalg_eigvals(at::cat({-a.unsqueeze(-2), below}, -2));
}

// r_k = R(1/p_k) / prod_{j != k} (1 - p_j / p_k), both multiplied by p_k^(N-1): Horner's scheme.
Tensor residues(const Tensor& remainder, const Tensor& poles, const c10::SymDimVector& sizes) {
  const Tensor itself = at::eye_symint(sizes.back(), poles.options());
  const Tensor others = poles.unsqueeze(-1) - poles.unsqueeze(-2) + itself;
  Tensor sum = at::zeros_symint(sizes, poles.options());
  for (const Tensor& r : remainder.unbind(-1)) sum = sum * poles + r.unsqueeze(-1);
  return sum / others.prod(-1);
}

// The impulse response without the direct part is looked at in samples 0 .. N, of which at least
// one is not 0, and N 2^k; growing modes are scaled down.
void check_residues(const char* op, const Tensor& residues, const Tensor& poles) {
  if (!readable(residues) || residues.numel() == 0) return;
  const Tensor r = residues.detach(), p = poles.detach(), total = r.abs().sum(-1);
  const Tensor scaled = p / p.abs().amax(-1, /*keepdim=*/true).clamp_min(1);
  Tensor power = at::ones_like(scaled), largest = at::zeros_like(total);
  const int64_t N = r.size(-1);
  for (int64_t n = 0; n <= 1024; n = n < N ? n + 1 : 2 * n) {
    largest = at::maximum(largest, (r * power).sum(-1).abs());
    power = n < N ? power * scaled : power.square();
  }
  const double ratio = at::where(total == 0, total, total / largest).max().item<double>();
  TORCH_CHECK_VALUE(ratio <= kLargestResidues, op, ": a: expected poles so far apart that their ",
                    "residues are at most ", kLargestResidues, " times the impulse response, got ",
                    std::setprecision(2), ratio, " times");
}

void check_matrix(const char* op, const char* name, const Tensor& matrix, const std::string& shape,
                  bool fits) {
  TORCH_CHECK_VALUE(fits, op, ": ", name, ": expected [..., ", shape, "], got shape ",
                    matrix.sym_sizes());
}

// The eigenvectors of a matrix that has too few come out as nearly parallel. They may lose half the
// digits of the least precise argument, in which the result is going to be.
void check_eigenvectors(const char* op, const Tensor& V, std::initializer_list<Tensor> arguments) {
  if (!readable(V) || V.numel() == 0) return;
  double epsilon = 0;
  for (const Tensor& t : arguments) epsilon = std::max(epsilon, epsilon_of(t));
  const double condition = at::linalg_cond(V.detach()).max().item<double>();
  TORCH_CHECK_VALUE(condition * std::sqrt(epsilon) <= 1, op, ": A: expected eigenvectors with a ",
                    "condition number up to ", std::setprecision(2), 1 / std::sqrt(epsilon),
                    ", got ", condition);
}

}  // namespace

std::tuple<Tensor, Tensor> modal_bank(const Tensor& poles_, const Tensor& gains_, const Tensor& x,
                                      const OptionalTensor& zi_) {
  const char* op = "modal_bank";
  Tensor zi = value_or_undefined(zi_);
  promote(op, {"x", x}, {{"poles", poles_}, {"gains", gains_}}, zi);  // their checks
  TORCH_CHECK_TYPE(!x.is_complex(), op, ": x: expected real numbers, got ", x.scalar_type());
  const std::initializer_list<Argument> others = {{"poles", poles_}, {"gains", gains_}, {"x", x}};
  for (const Argument& argument : others) check_not_scalar(op, argument);
  const c10::SymInt modes = poles_.sym_size(-1);
  TORCH_CHECK_VALUE(gains_.sym_size(-1) == modes, op, ": gains: expected ", modes,
                    " values along the last axis, as there are poles, got shape ",
                    gains_.sym_sizes());
  broadcast_leading(op, others);
  // y is real as x is; poles and states are complex, in their own precision
  const Promotion type = promote(op, {"x", x}, {});
  const auto complex = [](const Tensor& t) {
    return t.to(at::promote_types(t.scalar_type(), at::kComplexFloat));
  };
  if (zi.defined()) zi = complex(zi);
  const Promotion of_states = promote(op, {"x", x}, {}, zi);
  zi = past_of(op, zi, modes, others, {of_states.state, of_states.state, of_states.state});
  const auto [y, zf] = call<&polezero::modal_bank_forward>(
      {complex(poles_), complex(gains_).unsqueeze(-1), x.to(type.compute), zi}, {false});
  const auto kind = zi.defined() ? of_states.state : c10::toComplexType(type.compute);
  return {y.to(type.result), zf.to(kind)};
}

std::tuple<Tensor, Tensor, Tensor> parallel_form(const Tensor& b, const Tensor& a) {
  const char* op = "parallel_form";
  const Promotion type = promote(op, {{"b", b}, {"a", a}});
  check_filter(op, b, a);
  check_finite(op, {"b", b});
  check_finite(op, {"a", a});
  const c10::SymDimVector leading = broadcast_leading(op, {{"b", b}, {"a", a}});
  const Tensor precise = a.to(type.in_double()), a0 = slice_last(precise, 0, 1);
  const Fraction f{b.to(type.in_double()) / a0, precise / a0, order_of(b), order_of(a)};
  const Tensor direct = quotient(op, f, leading), poles = roots(f);
  check_distinct(op, "a", poles);
  const Tensor r = residues(remainder(f, direct), poles, with_last(leading, f.N));
  check_residues(op, r, poles);
  return {r.to(complex_of(type)), poles.expand_as(r).to(complex_of(type)), direct.to(type.result)};
}

std::tuple<Tensor, Tensor> diagonalise(const Tensor& A, const Tensor& B_, const Tensor& C) {
  const char* op = "diagonalise";
  const Promotion type = promote(op, {{"A", A}, {"B", B_}, {"C", C}});
  check_matrix(op, "A", A, "S, S", A.dim() >= 2 && A.sym_size(-2) == A.sym_size(-1));
  const c10::SymInt S = A.sym_size(-1);
  check_matrix(op, "B", B_, c10::str(S, ", I"), B_.dim() >= 2 && B_.sym_size(-2) == S);
  check_matrix(op, "C", C, c10::str("O, ", S), C.dim() >= 2 && C.sym_size(-1) == S);
  const auto leading = broadcast_leading(op, {{"A", A, 2}, {"B", B_, 2}, {"C", C, 2}});
  check_finite(op, {"A", A});
  const auto [poles, V] = at::linalg_eig(A.to(type.in_double()));
  check_distinct(op, "A", poles);
  check_eigenvectors(op, V, {A, B_, C});
  // in the rows of all: with one dimension less than V it could be taken for a row of vectors
  const Tensor B =
      B_.to(at::kComplexDouble).expand_symint(with_last(with_last(leading, S), B_.sym_size(-1)));
  // at::linalg_solve in two steps: its second forward derivative is wrong in torch 2.11
  const auto [factors, pivots, info] = at::linalg_lu_factor_ex(V);
  const Tensor into = at::linalg_lu_solve(factors, pivots, B);  // [..., S, I]
  const Tensor out = C.to(at::kComplexDouble).matmul(V);        // [..., O, S]
  const Tensor gains = out.unsqueeze(-2) * into.mT().unsqueeze(-3);
  return {poles.to(complex_of(type)), gains.to(complex_of(type))};
}

const Registered<OfSignals<&modal_bank>, OfCoefficients<&parallel_form, &diagonalise>> registered;

}  // namespace polezero
