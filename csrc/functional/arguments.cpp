#include "functional/arguments.h"

#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <limits>

#include "autograd/calls.h"
#include "ops/caller.h"

namespace polezero::functional {

namespace {

bool is_half(at::ScalarType type) { return type == at::kHalf || type == at::kBFloat16; }
bool is_wide(at::ScalarType type) { return type == at::kDouble || type == at::kComplexDouble; }

void check_defined(const char* op, const Argument& argument) {
  TORCH_CHECK_VALUE(argument.tensor.defined(), op, ": ", argument.name,
                    ": expected a tensor, got an undefined one");
}

// The dtype of a result: integers become the default one.
at::ScalarType result_of(at::ScalarType type) {
  const bool whole = at::isIntegralType(type, /*includeBool=*/true);
  return whole ? at::typeMetaToScalarType(at::get_default_dtype()) : type;
}
at::ScalarType computed_in(at::ScalarType type) { return is_half(type) ? at::kFloat : type; }

void check_argument(const char* op, const Argument& argument, const Argument& first) {
  const Tensor& t = argument.tensor;
  check_defined(op, argument);
  TORCH_CHECK_VALUE(t.layout() == at::kStrided && !t.is_nested(), op, ": ", argument.name,
                    ": expected a strided tensor, got ",
                    t.is_nested() ? "a nested one" : c10::str(t.layout()));
  TORCH_CHECK_NOT_IMPLEMENTED(t.is_cpu() || t.is_cuda() || t.is_meta(), op, ": ", argument.name,
                              ": expected a tensor on a CPU or a CUDA device, got one on ",
                              t.device());
  check_device(op, argument, first);
  const at::ScalarType type = t.scalar_type();
  TORCH_CHECK_TYPE(at::isIntegralType(type, /*includeBool=*/true) || is_half(type) ||
                       type == at::kFloat || type == at::kDouble || type == at::kComplexFloat ||
                       type == at::kComplexDouble,
                   op, ": ", argument.name,
                   ": expected a dtype among float16, bfloat16, float32, float64, complex64, "
                   "complex128 and the integers, got ",
                   type);
}

}  // namespace

at::ScalarType Promotion::coefficient(const Tensor& t) const {
  const bool complex = at::isComplexType(compute);
  if (!is_wide(t.scalar_type())) return compute;
  return complex ? at::kComplexDouble : at::kDouble;
}

Promotion promote(const char* op, const Argument& signal,
                  std::initializer_list<Argument> coefficients, const Tensor& zi,
                  const Reads& reads) {
  check_argument(op, signal, signal);
  at::ScalarType type = result_of(signal.tensor.scalar_type());
  bool wide = false;
  const auto meet = [&](const Argument& argument, bool counts) {
    if (argument.optional && !argument.tensor.defined()) return;
    check_argument(op, argument, signal);
    const at::ScalarType own = argument.tensor.scalar_type();
    if (at::isComplexType(own)) type = at::promote_types(type, at::kComplexFloat);
    wide |= counts && is_wide(own);
  };
  for (const Argument& c : coefficients) meet(c, !reads.coefficients);
  meet({"zi", zi, 1, /*over_time=*/false, /*optional=*/true}, !reads.states);
  at::ScalarType compute = computed_in(type);
  if (wide) compute = at::promote_types(compute, at::kDouble);
  const bool precise = zi.defined() && !at::isIntegralType(zi.scalar_type(), /*includeBool=*/true);
  return {type, compute, precise ? at::promote_types(type, zi.scalar_type()) : type};
}

Promotion promote(const char* op, std::initializer_list<Argument> coefficients) {
  at::ScalarType type = at::ScalarType::Undefined;
  for (const Argument& c : coefficients) {
    if (c.optional && !c.tensor.defined()) continue;
    check_argument(op, c, *coefficients.begin());
    const at::ScalarType own = c.tensor.scalar_type();
    type = type == at::ScalarType::Undefined ? own : at::promote_types(type, own);
  }
  type = result_of(type);
  return {type, computed_in(type), type};
}

void check_device(const char* op, const Argument& argument, const Argument& first) {
  check_defined(op, argument);
  check_on_device_of(op, argument, first);
}

bool readable(const Tensor& t) {
  using c10::DispatchKey;
  constexpr c10::DispatchKeySet recorded({DispatchKey::Python, DispatchKey::Functionalize,
                                          DispatchKey::FuncTorchBatched,
                                          DispatchKey::FuncTorchGradWrapper});
  // make_fx and torch.func.linearize record what is done with plain tensors
  using c10::impl::TorchDispatchModeKey, c10::impl::TorchDispatchModeTLS;
  const bool traced = TorchDispatchModeTLS::get_mode(TorchDispatchModeKey::PROXY).has_value();
  return t.is_cpu() && !traced && !t.key_set().has_any(recorded);
}

void check_filter(const char* op, const Tensor& b, const Tensor& a) {
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  check_a0(op, kA0, a);
}

void check_a0(const char* op, const char* where, const Tensor& a) {
  TORCH_CHECK_VALUE(!readable(a) || a.select(-1, 0).ne(0).all().item<bool>(), op, ": ", where,
                    " != 0, got 0");
}

void check_sections(const char* op, const Tensor& sos, int64_t core_dims) {
  TORCH_CHECK_VALUE(sos.dim() >= core_dims && sos.sym_size(-1) == 6 && sos.sym_size(-2) >= 1, op,
                    ": sos: expected [..., ", core_dims == 3 ? "T, " : "",
                    "sections, 6], got shape ", sos.sym_sizes());
}

void check_has_steady_state(const char* op, const Argument& a) {
  if (!readable(a.tensor) || a.tensor.numel() == 0) return;
  const Tensor t = wide(a.tensor), sum = t.sum(-1).abs();
  const Tensor rounding = std::numeric_limits<double>::epsilon() * t.abs().sum(-1);
  TORCH_CHECK_VALUE(sum.gt(rounding).all().item<bool>(), op, ": ", a.name,
                    ": expected no pole at z = 1, for which a step has no steady state, got "
                    "sum(a) = ",
                    sum.min().item<double>());
}

bool two_pass(const char* op, std::string_view backward) {
  TORCH_CHECK_VALUE(backward == "one_pass" || backward == "two_pass", op,
                    ": backward: expected 'one_pass' or 'two_pass', got '", backward, "'");
  return backward == "two_pass";
}

int64_t wrap_axis(const char* op, int64_t axis, const Argument& x) {
  const int64_t dims = x.tensor.dim();
  check_not_scalar(op, x);
  TORCH_CHECK_INDEX(-dims <= axis && axis < dims, op, ": axis: expected a number from ", -dims,
                    " to ", dims - 1, ", got ", axis);
  return axis < 0 ? axis : axis - dims;
}

void check_not_empty(const char* op, const Argument& c) {
  TORCH_CHECK_VALUE(c.tensor.dim() >= 1 && c.tensor.sym_size(-1) >= 1, op, ": ", c.name,
                    ": expected at least 1 coefficient along the last axis, got shape ",
                    c.tensor.sym_sizes());
}

Tensor real_numbers(const char* op, const Argument& argument) {
  const at::ScalarType type = argument.tensor.scalar_type();
  TORCH_CHECK_TYPE(!at::isComplexType(type) && type != at::kBool, op, ": ", argument.name,
                   ": expected real numbers, got ", type);
  return at::isFloatingType(type) ? argument.tensor : argument.tensor.to(at::kDouble);
}

void check_broadcasts_to(const char* op, const Argument& state, const c10::SymDimVector& leading) {
  const auto sizes = state.tensor.sym_sizes();
  const size_t dims = sizes.size() - 1;
  bool fits = dims <= leading.size();
  for (size_t i = 0; fits && i < dims; ++i) {
    fits = sizes[i] == 1 || sizes[i] == leading[leading.size() - dims + i];
  }
  TORCH_CHECK_VALUE(fits, op, ": ", state.name, ": expected a shape that broadcasts to ",
                    c10::SymIntArrayRef(with_last(leading, sizes.back())), " (time last), got ",
                    sizes);
}

Tensor past_of(const char* op, const Tensor& zi, const c10::SymInt& length,
               std::initializer_list<Argument> others, const Promotion& type) {
  if (!zi.defined()) return zi;
  TORCH_CHECK_VALUE(zi.dim() >= 1 && zi.sym_size(-1) == length, op, ": zi: expected ", length,
                    " values along axis -1, got shape ", zi.sym_sizes());
  check_broadcasts_to(op, {"zi", zi}, broadcast_leading(op, others));
  return zi.to(type.coefficient(zi));
}

std::tuple<Tensor, Tensor> results(const Tensor& y, const Tensor& zf, const Promotion& type) {
  return {y.to(type.result),
          zf.defined() ? zf.to(type.state) : at::empty({0}, y.options().dtype(type.state))};
}

Tensor newest(const Tensor& y, const Tensor& zi, const c10::SymInt& N) {
  const Tensor samples = y.sym_size(-1) < N ? join(zi.flip(-1), y) : y;
  const c10::SymInt end = samples.sym_size(-1);
  return slice_last(samples, end - N, end).flip(-1);
}

}  // namespace polezero::functional
