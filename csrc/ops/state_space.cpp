#include "ops/state_space.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/state_space.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

constexpr const char* kOp = "state_space";

// [..., T or 1, rows, columns], or undefined.
void check_matrix(const Argument& m, const Argument& x, const c10::SymInt& T,
                  const c10::SymInt& rows, const c10::SymInt& columns) {
  const Tensor& t = m.tensor;
  if (!t.defined()) return;
  check_like(kOp, m, x);
  TORCH_CHECK_VALUE(t.dim() >= 3 && t.sym_size(-2) == rows && t.sym_size(-1) == columns &&
                        (t.sym_size(-3) == T || t.sym_size(-3) == 1),
                    kOp, ": ", m.name, ": expected [..., ", T, " or 1, ", rows, ", ", columns,
                    "], got shape ", t.sym_sizes());
}

template <class Call>
Matrices<typename Call::scalar> matrices(Call& call, const Tensor& m) {
  if (!m.defined()) return {};
  const auto all = call.over_time(m.flatten(-2));
  return {all.data, all.stride, m.size(-3) == 1 ? 0 : m.size(-2) * m.size(-1)};
}

}  // namespace

std::tuple<Tensor, Tensor> state_space_forward(const Tensor& A, const OptionalTensor& B_,
                                               const OptionalTensor& C_, const OptionalTensor& D_,
                                               const Tensor& x, const OptionalTensor& zi_,
                                               bool adjoint) {
  const Tensor B = value_or_undefined(B_), C = value_or_undefined(C_), D = value_or_undefined(D_),
               zi = value_or_undefined(zi_);
  const Argument signal{"x", x, 2};
  check_signal(kOp, signal);
  TORCH_CHECK_VALUE(x.dim() >= 2, kOp, ": x: expected [..., channels, T], got shape ",
                    x.sym_sizes());
  TORCH_CHECK_VALUE(A.dim() >= 3 && A.sym_size(-1) >= 1, kOp,
                    ": A: expected [..., T or 1, S, S], S >= 1, got shape ", A.sym_sizes());
  const c10::SymInt S = A.sym_size(-1), T = x.sym_size(-1), channels = x.sym_size(-2);
  // how many signals the filter has on the side of B, and on that of C
  const c10::SymInt at_b = B.defined() ? B.sym_size(-1) : S,
                    at_c = C.defined() ? C.sym_size(-2) : S;
  const c10::SymInt inputs = adjoint ? at_c : at_b, outputs = adjoint ? at_b : at_c;
  check_matrix({"A", A}, signal, T, S, S);
  check_matrix({"B", B}, signal, T, S, at_b);
  check_matrix({"C", C}, signal, T, at_c, S);
  check_matrix({"D", D}, signal, T, at_c, at_b);
  // (a matrix without elements would be taken for one that is not there)
  TORCH_CHECK_VALUE(at_b >= 1 && at_c >= 1, kOp, ": ", at_b >= 1 ? "C" : "B",
                    ": expected at least one signal, got shape ", (at_b >= 1 ? C : B).sym_sizes());
  TORCH_CHECK_VALUE(channels == inputs, kOp, ": x: expected ", inputs,
                    " channels along the last axis but one, got shape ", x.sym_sizes());
  check_state(kOp, {"zi", zi}, signal);
  check_last(kOp, {"zi", zi}, S, "S");
  const auto leading = broadcast_leading(
      kOp, {{"A", A, 3}, {"B", B, 3}, {"C", C, 3}, {"D", D, 3}, signal, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(with_last(leading, outputs), T), x.options());
  Tensor zf = at::empty_symint(with_last(leading, S), (zi.defined() ? zi : x).options());
  on_device(kOp, x, leading, [&](auto& call) {
    using Call = std::decay_t<decltype(call)>;
    using scalar = typename Call::scalar;
    const int64_t states = A.size(-1), time = x.size(-1);
    auto state = call.carried(zi, states);
    const auto xs = call.signals(x);
    const StateSpaceParams<scalar> p{.adjoint = adjoint,
                                     .states = states,
                                     .inputs = x.size(-2),
                                     .outputs = y.size(-2),
                                     .a = matrices(call, A),
                                     .b = matrices(call, B),
                                     .c = matrices(call, C),
                                     .d = matrices(call, D),
                                     .x = xs.data,
                                     .x_stride = xs.stride,
                                     .y = mutable_data<scalar>(y),
                                     .y_stride = time,
                                     .state = state.data()};
    if constexpr (Call::on_cuda) {
      if (y.numel() > 0) cuda::state_space(call.context(), p, call.rows(), time);
    } else {
      const int64_t multiplications = (p.states + p.inputs) * (p.states + p.outputs);
      cpu::run_rows(cpu::state_space_kernels<scalar>().forward, p, call.rows(), time,
                    1 + multiplications / 8);
    }
    call.put(state, zf);
  });
  return {y, zf};
}

}  // namespace polezero
