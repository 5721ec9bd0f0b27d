// What the public functions do with their arguments before the core ops see them: checks, one
// dtype, time on the last axis.
#pragma once

#include <ATen/ATen.h>

#include <string_view>
#include <tuple>

#include "ops/checks.h"

namespace polezero::functional {

// The dtypes of a call. The result has the signal's (integers: the default one), or its complex one
// where a coefficient or the state is complex; half precision is computed in float32. Coefficients
// may be wider and are then used as they are: rounding them is the largest error near the unit
// circle.
struct Promotion {
  at::ScalarType result;
  at::ScalarType compute;
  at::ScalarType state;  // of the final state: that of the result and of the initial one, promoted

  // The dtype of a coefficient or a state beside a signal in `compute`: that, or the wider one of
  // its kind.
  at::ScalarType coefficient(const Tensor& t) const;
  // float64 or complex128, for what rounding would spoil.
  at::ScalarType in_double() const {
    return at::isComplexType(result) ? at::kComplexDouble : at::kDouble;
  }
  // Of coefficients while a_0 is divided out. Where a is constant it stays so: core ops read it,
  // and rounded quotients would be other poles.
  at::ScalarType quotient(bool a_is_constant) const {
    return a_is_constant ? in_double() : compute;
  }
};

// What an op reads although it is wider than the signal: constant coefficients, a state. Beside
// what it does not, all is computed in the wider dtype, and rounded at the end.
struct Reads {
  bool coefficients = false;
  bool states = false;
};

// Whether the axis of time of all coefficients that are given says that they stay as they are.
inline Reads read_where_constant(at::TensorList coefficients, int64_t axis, bool states = false) {
  Reads reads{.coefficients = true, .states = states};
  for (const Tensor& c : coefficients) {
    reads.coefficients &= !c.defined() || (c.dim() >= -axis && c.sym_size(axis) == 1);
  }
  return reads;
}

Promotion promote(const char* op, const Argument& signal,
                  std::initializer_list<Argument> coefficients, const Tensor& zi = {},
                  const Reads& reads = {});
// The promotion of coefficients alone: the result is as precise as they are.
Promotion promote(const char* op, std::initializer_list<Argument> coefficients);

void check_device(const char* op, const Argument& argument, const Argument& first);

bool two_pass(const char* op, std::string_view backward);

// Whether t has values that may be looked at: not on a GPU, nor while torch only records what is
// done, nor under the transforms of torch.func.
bool readable(const Tensor& t);

// A filter's b and a are not empty, and, where that may be looked at, a_0 is not 0.
void check_filter(const char* op, const Tensor& b, const Tensor& a);
// a[..., 0] alone, which messages find `where` the user has it (ops/caller.h).
void check_a0(const char* op, const char* where, const Tensor& a);

// Sections [..., K, 6], or, with 3 dimensions of their own, [..., T or 1, K, 6].
void check_sections(const char* op, const Tensor& sos, int64_t core_dims);

// A step has a steady state: where that may be looked at, sum_i a_i is not 0 to rounding.
void check_has_steady_state(const char* op, const Argument& a);

// The axis as a negative number, counted from the end of x.
int64_t wrap_axis(const char* op, int64_t axis, const Argument& x);

void check_not_empty(const char* op, const Argument& c);

// Points and delays are real numbers, here in a floating dtype: integers become float64.
Tensor real_numbers(const char* op, const Argument& argument);

// A state may repeat along the signal's rows, as in SciPy, but not add to them.
void check_broadcasts_to(const char* op, const Argument& state, const c10::SymDimVector& leading);

// An initial state of `length` values on its last axis, in the dtype to compute in, that fits the
// other arguments; undefined stays undefined.
Tensor past_of(const char* op, const Tensor& zi, const c10::SymInt& length,
               std::initializer_list<Argument> others, const Promotion& type);

// What a function returns, in the dtypes of its results: y and the final state, which has shape [0]
// where it is undefined.
std::tuple<Tensor, Tensor> results(const Tensor& y, const Tensor& zf, const Promotion& type);

// The last N of the samples zi (newest first) and y after them, newest first.
Tensor newest(const Tensor& y, const Tensor& zi, const c10::SymInt& N);

inline Tensor to_last(const Tensor& t, int64_t axis) {
  return axis == -1 ? t : t.movedim(axis, -1);
}
inline Tensor from_last(const Tensor& t, int64_t axis) {
  return axis == -1 ? t : t.movedim(-1, axis);
}

}  // namespace polezero::functional
