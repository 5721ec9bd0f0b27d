#include "functional.h"

#include <ATen/ATen.h>

#include "autograd/differentiable.h"
#include "autograd/ops.h"
#include "ops/lfilter.h"
#include "polezero/polezero.h"

namespace polezero::functional {

namespace {

using namespace polezero::autograd;

// The arguments of one op in one dtype: promoted, integers to the default float type, half
// precision computed in float32.
struct Promotion {
  at::ScalarType result;
  at::ScalarType compute;
};

bool is_half(at::ScalarType type) { return type == at::kHalf || type == at::kBFloat16; }

void check_argument(const char* op, const Argument& argument, const Argument& first) {
  const Tensor& t = argument.tensor;
  TORCH_CHECK_VALUE(t.layout() == at::kStrided && !t.is_nested(), op, ": ", argument.name,
                    ": expected a strided tensor, got ",
                    t.is_nested() ? "a nested one" : c10::str(t.layout()));
  TORCH_CHECK_NOT_IMPLEMENTED(t.is_cpu() || t.is_cuda() || t.is_meta(), op, ": ", argument.name,
                              ": expected a tensor on a CPU or a CUDA device, got one on ",
                              t.device());
  TORCH_CHECK_VALUE(t.device() == first.tensor.device(), op, ": ", argument.name,
                    ": expected a tensor on ", first.tensor.device(), " as ", first.name,
                    ", got one on ", t.device());
  const at::ScalarType type = t.scalar_type();
  TORCH_CHECK_TYPE(at::isIntegralType(type, /*includeBool=*/true) || is_half(type) ||
                       type == at::kFloat || type == at::kDouble || type == at::kComplexFloat ||
                       type == at::kComplexDouble,
                   op, ": ", argument.name,
                   ": expected a dtype among float16, bfloat16, float32, float64, complex64, "
                   "complex128 and the integers, got ",
                   type);
}

Promotion promote(const char* op, std::initializer_list<Argument> arguments) {
  at::ScalarType type = at::ScalarType::Undefined;
  for (const Argument& argument : arguments) {
    if (!argument.tensor.defined()) continue;
    check_argument(op, argument, *arguments.begin());
    const at::ScalarType own = argument.tensor.scalar_type();
    type = type == at::ScalarType::Undefined ? own : at::promote_types(type, own);
  }
  if (at::isIntegralType(type, /*includeBool=*/true))
    type = at::typeMetaToScalarType(at::get_default_dtype());
  return {type, is_half(type) ? at::kFloat : type};
}

bool two_pass(const char* op, c10::string_view backward) {
  TORCH_CHECK_VALUE(backward == "one_pass" || backward == "two_pass", op,
                    ": backward: expected 'one_pass' or 'two_pass', got '", backward, "'");
  return backward == "two_pass";
}

// Negative, counted from the end of x.
int64_t wrap_axis(const char* op, int64_t axis, const Tensor& x) {
  const int64_t dims = x.dim();
  TORCH_CHECK_VALUE(dims >= 1, op, ": x: expected at least one dimension, got a scalar");
  TORCH_CHECK_INDEX(-dims <= axis && axis < dims, op, ": axis: expected a number from ", -dims,
                    " to ", dims - 1, ", got ", axis);
  return axis < 0 ? axis : axis - dims;
}

void check_not_empty(const char* op, const Argument& c) {
  TORCH_CHECK_VALUE(c.tensor.dim() >= 1 && c.tensor.sym_size(-1) >= 1, op, ": ", c.name,
                    ": expected at least 1 coefficient along the last axis, got shape ",
                    c.tensor.sym_sizes());
}

// As SciPy, a state may repeat along the signal's rows but not add to them.
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

Tensor to_last(const Tensor& t, int64_t axis) { return axis == -1 ? t : t.movedim(axis, -1); }
Tensor from_last(const Tensor& t, int64_t axis) { return axis == -1 ? t : t.movedim(-1, axis); }

}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const OptionalTensor& zi_, int64_t axis,
                                   c10::string_view backward) {
  const char* op = "lfilter";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"b", b}, {"a", a}, {"zi", zi}});
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  const int64_t named_axis = axis;
  axis = wrap_axis(op, axis, x);
  if (zi.defined()) {
    const c10::SymInt P = max_order(b, a);
    const bool has_axis = -axis <= zi.dim();
    TORCH_CHECK_VALUE(has_axis && zi.sym_size(axis) == P, op, ": zi: expected ", P,
                      " values (max(len(a), len(b)) - 1) along axis ", named_axis, ", got shape ",
                      zi.sym_sizes());
    zi = to_last(zi.to(type.compute), axis);
    check_broadcasts_to(op, {"zi", zi},
                        broadcast_leading(op, {{"b", b}, {"a", a}, {"x", to_last(x, axis)}}));
  }
  auto [y, zf] = call<LfilterForward>(
      {b.to(type.compute), a.to(type.compute), to_last(x.to(type.compute), axis), zi},
      {two_pass(op, backward)});
  return {from_last(y, axis).to(type.result),
          zi.defined() ? from_last(zf, axis).to(type.result) : zf};
}

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x, const OptionalTensor& zi_,
                                   c10::string_view backward) {
  const char* op = "allpole";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"a", a}, {"zi", zi}});
  TORCH_CHECK_VALUE(x.dim() >= 1, op, ": x: expected at least one dimension, got a scalar");
  TORCH_CHECK_VALUE(a.dim() >= 1, op, ": a: expected at least one dimension, got a scalar");
  const c10::SymInt N = a.sym_size(-1), T = x.sym_size(-1);
  if (zi.defined()) {
    TORCH_CHECK_VALUE(zi.dim() >= 1 && zi.sym_size(-1) == N, op, ": zi: expected ", N,
                      " values along axis -1, got shape ", zi.sym_sizes());
    zi = zi.to(type.compute);
    check_broadcasts_to(op, {"zi", zi}, broadcast_leading(op, {{"a", a}, {"x", x}}));
  }
  const Tensor y = call<AllpoleForward>({constant(a.to(type.compute)), x.to(type.compute), zi},
                                        {0, false, two_pass(op, backward)})[0];
  if (!zi.defined()) return {y.to(type.result), at::empty({0}, y.options())};
  const Tensor outputs = T < N ? join(zi.flip(-1), y) : y;  // the last N, some of them zi
  const c10::SymInt end = outputs.sym_size(-1);
  return {y.to(type.result), slice_last(outputs, end - N, end).flip(-1).to(type.result)};
}

namespace {

// [..., T, taps] with u[n - k] at [n, k]: windows over one padded signal. Tap 0 is the newest
// sample and torch has no negative strides, so the windows are copied in reverse.
Tensor delays(const Tensor& u, int64_t taps) {
  if (u.sym_size(-1) == 0) {  // no window to unfold
    return u.unsqueeze(-1).expand_symint(with_last(c10::SymDimVector(u.sym_sizes()), taps));
  }
  return pad_last(u, taps - 1, 0).unfold(-1, taps, 1).flip(-1);
}

}  // namespace

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  const char* op = "sensitivity";
  const Promotion type = promote(op, {{"x", x}, {"b", b}, {"a", a}});
  check_not_empty(op, {"b", b});
  check_not_empty(op, {"a", a});
  axis = wrap_axis(op, axis, x);
  const Tensor bs = b.to(type.compute), as = a.to(type.compute),
               xs = to_last(x.to(type.compute), axis);
  const Tensor one = at::ones({1}, as.options());
  const Tensor y = autograd::lfilter_forward(bs, as, xs)[0];
  const Tensor phi = autograd::lfilter_forward(one, as, xs)[0];
  const Tensor psi = autograd::lfilter_forward(one, as, -y)[0];
  const auto leading = y.sym_sizes().slice(0, y.dim() - 1);
  auto windows = [&](const Tensor& u, int64_t taps) {
    const Tensor w = delays(u, taps).to(type.result);
    c10::SymDimVector sizes(leading.begin(), leading.end());
    sizes.insert(sizes.end(), {w.sym_size(-2), w.sym_size(-1)});
    return w.expand_symint(sizes);
  };
  return {windows(phi, b.size(-1)), windows(psi, a.size(-1))};
}

// Autocast is before promotion: the result has the dtype that it gave.
namespace {
template <c10::DeviceType device>
void register_functions(torch::Library& m) {
  autograd::register_autocast<Lfilter, device>(m);
  autograd::register_autocast<Allpole, device>(m);
  autograd::register_autocast<Sensitivity, device>(m);
}
}  // namespace
TORCH_LIBRARY_IMPL(polezero, AutocastCPU, m) { register_functions<at::kCPU>(m); }
TORCH_LIBRARY_IMPL(polezero, AutocastCUDA, m) { register_functions<at::kCUDA>(m); }

}  // namespace polezero::functional

namespace polezero {

namespace {
std::tuple<Tensor, Tensor> without_placeholder(std::tuple<Tensor, Tensor> r, bool has_zi) {
  if (!has_zi) std::get<1>(r) = Tensor();
  return r;
}
}  // namespace

std::tuple<Tensor, Tensor> lfilter(const Tensor& b, const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi, int64_t axis) {
  return without_placeholder(functional::lfilter(b, a, x, zi, axis, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> allpole(const Tensor& a, const Tensor& x,
                                   const std::optional<Tensor>& zi) {
  return without_placeholder(functional::allpole(a, x, zi, "one_pass"), zi.has_value());
}

std::tuple<Tensor, Tensor> sensitivity(const Tensor& b, const Tensor& a, const Tensor& x,
                                       int64_t axis) {
  return functional::sensitivity(b, a, x, axis);
}

}  // namespace polezero
