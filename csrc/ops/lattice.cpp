#include "ops/lattice.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lattice.h"
#include "kernels/cpu/run_rows.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

constexpr const char* kOp = "lattice";

void check_stages(const Tensor& k, const Argument& signal) {
  check_coefficients(kOp, {"k", k}, signal, 1);
  check_time_axis(kOp, {"k", k}, signal.tensor.sym_size(-1));
  if (k.sym_size(-2) != 1) check_like(kOp, {"k", k}, signal);
}

// One signal, or N + 1.
void check_ports(const Argument& signal, const Tensor& k, const c10::SymInt& T) {
  const c10::SymInt all = k.sym_size(-1) + 1;
  const Tensor& t = signal.tensor;
  TORCH_CHECK_VALUE(
      t.dim() >= 2 && (t.sym_size(-2) == 1 || t.sym_size(-2) == all) && t.sym_size(-1) == T, kOp,
      ": ", signal.name, ": expected [..., 1 or ", all, ", ", T, "], got shape ", t.sym_sizes());
}

void check_states(const Argument& state, const Argument& signal, const Tensor& k) {
  check_state(kOp, state, signal);
  check_last(kOp, state, k.sym_size(-1), "N");
}

template <class Call>
LatticeStages<typename Call::scalar> stages_of(Call& call, const Tensor& k) {
  const int64_t N = k.size(-1);
  if (k.size(-2) == 1) {
    const auto one = call.constant(k.squeeze(-2));
    return {N, nullptr, one.data, one.stride};
  }
  const auto all = call.over_time(k);
  return {N, all.data, nullptr, all.stride};
}
template <class Call>
LatticePorts<const typename Call::scalar> ports_of(Call& call, const Tensor& signals) {
  const auto all = call.signals(signals);
  return {all.data, all.stride, signals.size(-2)};
}
template <class T>
LatticePorts<T> output_ports(Tensor& out) {
  return {mutable_data<T>(out), out.size(-1), out.size(-2)};
}

template <class Call>
void forward(Call& call, const Tensor& k, const Tensor& u, const Tensor& zi, bool adjoint,
             Tensor& z, Tensor& zf) {
  using T = typename Call::scalar;
  const int64_t N = k.size(-1), time = u.size(-1);
  auto state = call.carried(zi, N);
  const LatticeForwardParams<T> p{stages_of(call, k), adjoint, ports_of(call, u),
                                  output_ports<T>(z), state.data()};
  if constexpr (Call::on_cuda) {
    if (z.numel() > 0) cuda::lattice_forward(call.context(), p, call.rows(), time);
  } else {
    cpu::run_rows(cpu::lattice_kernels<T>().forward, p, call.rows(), time, 1 + 2 * N);
  }
  call.put(state, zf);
}

template <class Call>
void backward(Call& call, const Tensor& grad_z, const Tensor& grad_zf, const Tensor& k,
              const Tensor& u, const Tensor& zi, Tensor& grad_k, Tensor& grad_u, Tensor& grad_zi) {
  using T = typename Call::scalar;
  const int64_t N = k.size(-1), time = u.size(-1);
  const bool constant = k.size(-2) == 1;
  const auto begin = call.carried(zi, N);
  auto state = call.carried(grad_zf, N);
  if (call.rows() * time == 0) {
    grad_k.zero_();
  } else {
    const LatticeBackwardParams<T> p{stages_of(call, k),
                                     ports_of(call, u),
                                     ports_of(call, grad_z),
                                     output_ports<T>(grad_u),
                                     begin.data(),
                                     state.data(),
                                     constant ? nullptr : mutable_data<T>(grad_k),
                                     constant ? call.sums(grad_k) : nullptr};
    if constexpr (Call::on_cuda) {
      cuda::lattice_backward(call.context(), p, call.rows(), time);
    } else {
      cpu::run_rows(cpu::lattice_kernels<T>().backward, p, call.rows(), time, 1 + 8 * N);
    }
  }
  call.put(state, grad_zi);
}

}  // namespace

std::tuple<Tensor, Tensor> lattice_forward(const Tensor& k, const Tensor& u,
                                           const OptionalTensor& zi_, bool all, bool adjoint) {
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"u", u, 2};
  check_signal(kOp, signal);
  check_stages(k, signal);
  const c10::SymInt N = k.sym_size(-1), T = u.sym_size(-1);
  check_ports(signal, k, T);
  check_states({"zi", zi}, signal, k);
  const auto leading = broadcast_leading(kOp, {{"k", k, 2}, signal, {"zi", zi}});
  Tensor z = at::empty_symint(with_last(with_last(leading, all ? N + 1 : 1), T), u.options());
  Tensor zf = at::empty_symint(with_last(leading, N), (zi.defined() ? zi : u).options());
  on_device(kOp, u, leading, [&](auto& call) { forward(call, k, u, zi, adjoint, z, zf); });
  return {z, zf};
}

std::tuple<Tensor, Tensor, Tensor> lattice_backward(const Tensor& grad_z,
                                                    const OptionalTensor& grad_zf_, const Tensor& k,
                                                    const Tensor& u, const OptionalTensor& zi_) {
  const Tensor grad_zf = value_or_undefined(grad_zf_), zi = value_or_undefined(zi_);
  const Argument signal{"grad_z", grad_z, 2};
  check_signal(kOp, signal);
  check_stages(k, signal);
  const c10::SymInt N = k.sym_size(-1), T = grad_z.sym_size(-1);
  check_ports(signal, k, T);
  check_like(kOp, {"u", u}, signal);
  check_ports({"u", u, 2}, k, T);
  check_states({"grad_zf", grad_zf}, signal, k);
  check_states({"zi", zi}, signal, k);
  const auto leading =
      broadcast_leading(kOp, {signal, {"grad_zf", grad_zf}, {"k", k, 2}, {"u", u, 2}, {"zi", zi}});
  const auto options = grad_z.options();
  const bool constant = k.sym_size(-2) == 1;
  const auto wide = options.dtype(acc_type(grad_z));
  Tensor grad_k =
      at::empty_symint(with_last(with_last(leading, k.sym_size(-2)), N), constant ? wide : options);
  Tensor grad_u = at::empty_symint(with_last(with_last(leading, u.sym_size(-2)), T), options);
  Tensor grad_zi = at::empty_symint(with_last(leading, N), wide);
  on_device(kOp, grad_z, leading, [&](auto& call) {
    backward(call, grad_z, grad_zf, k, u, zi, grad_k, grad_u, grad_zi);
  });
  return {grad_k, grad_u, grad_zi};
}

}  // namespace polezero
