#include "ops/checks.h"

#include <ATen/ops/empty.h>

#include <sstream>

namespace polezero {

namespace {

std::string shapes(std::initializer_list<Argument> arguments) {
  std::ostringstream out;
  for (const Argument& a : arguments) {
    if (!a.tensor.defined()) continue;
    if (out.tellp() > 0) out << ", ";
    // constant coefficients were given without an axis of time
    const bool constant = a.over_time && a.tensor.sym_size(-2) == 1;
    out << a.name << " " << (constant ? a.tensor.squeeze(-2) : a.tensor).sym_sizes();
  }
  return out.str();
}

bool is_signal_type(at::ScalarType type) {
  return type == at::kFloat || type == at::kDouble || type == at::kComplexFloat ||
         type == at::kComplexDouble;
}

void check_as_precise(const char* op, const Argument& argument, const Argument& signal) {
  const at::ScalarType type = argument.tensor.scalar_type(), wide = acc_type(signal.tensor);
  TORCH_CHECK_TYPE(type == signal.tensor.scalar_type() || type == wide, op, ": ", argument.name,
                   ": expected ", signal.tensor.scalar_type(), " as ", signal.name, " or ", wide,
                   ", got ", type);
}

}  // namespace

void check_not_scalar(const char* op, const Argument& argument) {
  TORCH_CHECK_VALUE(argument.tensor.dim() >= 1, op, ": ", argument.name,
                    ": expected at least one dimension, got a scalar");
}

void check_on_device_of(const char* op, const Argument& argument, const Argument& signal) {
  TORCH_CHECK_VALUE(argument.tensor.device() == signal.tensor.device(), op, ": ", argument.name,
                    ": expected a tensor on ", signal.tensor.device(), " as ", signal.name,
                    ", got one on ", argument.tensor.device());
}

c10::SymDimVector broadcast_leading(const char* op, std::initializer_list<Argument> arguments) {
  c10::SymDimVector leading;
  for (const Argument& argument : arguments) {
    if (!argument.tensor.defined()) continue;
    const auto sizes = argument.tensor.sym_sizes();
    const size_t dims = sizes.size() - argument.core_dims;
    if (dims > leading.size()) leading.insert(leading.begin(), dims - leading.size(), 1);
    for (size_t i = 0; i < dims; ++i) {
      c10::SymInt& size = leading[leading.size() - dims + i];
      if (size == sizes[i] || sizes[i] == 1) continue;
      TORCH_CHECK_VALUE(size == 1, op, ": ", argument.name,
                        ": expected leading dimensions that broadcast, got ", shapes(arguments));
      size = sizes[i];
    }
  }
  return leading;
}

c10::SymDimVector with_last(const c10::SymDimVector& leading, c10::SymInt last) {
  c10::SymDimVector sizes = leading;
  sizes.push_back(std::move(last));
  return sizes;
}

Tensor empty_if(bool needed, const c10::SymDimVector& leading, const c10::SymInt& last,
                const at::TensorOptions& options) {
  return needed ? at::empty_symint(with_last(leading, last), options) : at::empty({0}, options);
}

void check_signal(const char* op, const Argument& signal) {
  TORCH_CHECK_TYPE(is_signal_type(signal.tensor.scalar_type()), op, ": ", signal.name,
                   ": expected float32, float64, complex64 or complex128, got ",
                   signal.tensor.scalar_type());
  check_not_scalar(op, signal);
}

void check_like(const char* op, const Argument& argument, const Argument& signal) {
  if (!argument.tensor.defined()) return;
  TORCH_CHECK_TYPE(argument.tensor.scalar_type() == signal.tensor.scalar_type(), op, ": ",
                   argument.name, ": expected ", signal.tensor.scalar_type(), " as ", signal.name,
                   ", got ", argument.tensor.scalar_type());
  check_on_device_of(op, argument, signal);
  check_not_scalar(op, argument);
}

void check_state(const char* op, const Argument& state, const Argument& signal) {
  if (!state.tensor.defined()) return;
  check_as_precise(op, state, signal);
  check_on_device_of(op, state, signal);
  check_not_scalar(op, state);
}

void check_coefficients(const char* op, const Argument& c, const Argument& signal,
                        int64_t taps_at_least) {
  check_as_precise(op, c, signal);
  check_on_device_of(op, c, signal);
  TORCH_CHECK_VALUE(c.tensor.dim() >= 1 && c.tensor.sym_size(-1) >= taps_at_least, op, ": ", c.name,
                    ": expected at least ", taps_at_least,
                    taps_at_least == 1 ? " coefficient" : " coefficients",
                    " along the last axis, got shape ", c.tensor.sym_sizes());
}

void check_time_axis(const char* op, const Argument& c, const c10::SymInt& T) {
  TORCH_CHECK_VALUE(
      c.tensor.dim() >= 2 && (c.tensor.sym_size(-2) == 1 || c.tensor.sym_size(-2) == T), op, ": ",
      c.name, ": expected T = ", T, " or 1 along the last axis but one, got shape ",
      c.tensor.sym_sizes());
}

void check_lags(const char* op, int64_t shift, bool reverse) {
  const int64_t other = reverse ? 1 : -1;
  TORCH_CHECK_VALUE(shift == 0 || shift == other, op, ": shift: expected 0 or ", other, ", got ",
                    shift);
}

void check_taps(const char* op, const c10::SymInt& taps) {
  TORCH_CHECK_VALUE(taps >= 0, op, ": taps: expected a number >= 0, got ", taps);
}

void check_last(const char* op, const Argument& argument, const c10::SymInt& length,
                const char* what) {
  if (!argument.tensor.defined()) return;
  TORCH_CHECK_VALUE(argument.tensor.sym_size(-1) == length, op, ": ", argument.name, ": expected ",
                    what, " = ", length, " values along the last axis, got shape ",
                    argument.tensor.sym_sizes());
}

at::ScalarType acc_type(const Tensor& signal) {
  return signal.is_complex() ? at::kComplexDouble : at::kDouble;
}

}  // namespace polezero
