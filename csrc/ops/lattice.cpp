#include "ops/lattice.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/lattice.h"
#include "kernels/cpu/run_rows.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

constexpr const char* kOp = "lattice";

void check_stages(const Tensor& k, const Argument& signal) {
  check_like(kOp, {"k", k}, signal);
  check_coefficients(kOp, {"k", k}, signal, 1);
  check_time_axis(kOp, {"k", k}, signal.tensor.sym_size(-1));
}

// One signal, or N + 1.
void check_ports(const Argument& signal, const Tensor& k, const c10::SymInt& T) {
  const c10::SymInt all = k.sym_size(-1) + 1;
  const Tensor& t = signal.tensor;
  TORCH_CHECK_VALUE(
      t.dim() >= 2 && (t.sym_size(-2) == 1 || t.sym_size(-2) == all) && t.sym_size(-1) == T, kOp,
      ": ", signal.name, ": expected [..., 1 or ", all, ", ", T, "], got shape ", t.sym_sizes());
}

void check_state(const Argument& state, const Argument& signal, const Tensor& k) {
  check_like(kOp, state, signal);
  check_last(kOp, state, k.sym_size(-1), "N");
}

template <class scalar_t>
struct StageRows {
  Rows<scalar_t> rows;
  LatticeStages<scalar_t> view;

  StageRows(const Tensor& k, at::IntArrayRef leading)
      : rows(time_rows_of<scalar_t>(k, leading)),
        view{k.size(-1), rows.data, rows.stride, k.size(-2) == 1} {}
};
template <class scalar_t>
struct PortRows {
  Rows<scalar_t> rows;
  LatticePorts<const scalar_t> view;

  PortRows(const Tensor& ports, at::IntArrayRef leading) {
    rows = rows_of<scalar_t>(ports, with_last(leading, ports.size(-2)));
    view = {rows.data, rows.stride, ports.size(-2)};
  }
};
template <class scalar_t>
LatticePorts<scalar_t> ports_of(Tensor& out) {
  return {static_cast<scalar_t*>(out.mutable_data_ptr()), out.size(-1), out.size(-2)};
}

template <class scalar_t>
void forward_cpu(const Tensor& k, const Tensor& u, const Tensor& zi, bool adjoint,
                 at::IntArrayRef leading, Tensor& z, Tensor& zf) {
  const StageRows<scalar_t> stages(k, leading);
  const PortRows<scalar_t> us(u, leading);
  auto state = widened_rows<scalar_t>(zi, leading, k.size(-1));
  cpu::run_rows(cpu::lattice_kernels<scalar_t>().forward,
                {stages.view, adjoint, us.view, ports_of<scalar_t>(z), state.data()},
                product(leading), u.size(-1), 1 + 2 * k.size(-1));
  put_rows<scalar_t>(state, zf);
}

template <class scalar_t>
void backward_cpu(const Tensor& grad_z, const Tensor& grad_zf, const Tensor& k, const Tensor& u,
                  const Tensor& zi, at::IntArrayRef leading, Tensor& grad_k, Tensor& grad_u,
                  Tensor& grad_zi) {
  const int64_t N = k.size(-1);
  const bool constant = k.size(-2) == 1;
  const StageRows<scalar_t> stages(k, leading);
  const PortRows<scalar_t> us(u, leading), gs(grad_z, leading);
  const auto begin = widened_rows<scalar_t>(zi, leading, N);
  auto state = widened_rows<scalar_t>(grad_zf, leading, N);
  if (constant) grad_k.zero_();
  cpu::run_rows(cpu::lattice_kernels<scalar_t>().backward,
                {stages.view, us.view, gs.view, ports_of<scalar_t>(grad_u), begin.data(),
                 state.data(), constant ? nullptr : mutable_data<scalar_t>(grad_k),
                 constant ? mutable_data<acc_t<scalar_t>>(grad_k) : nullptr},
                product(leading), u.size(-1), 1 + 8 * N);
  put_rows<scalar_t>(state, grad_zi);
}

template <class scalar_t>
LatticeStages<cuda::on_device_t<scalar_t>> stages_on_cuda(CudaCall& call, const Tensor& k,
                                                          at::IntArrayRef leading) {
  const auto all = call.time_rows<scalar_t>(k, leading);
  return {k.size(-1), all.data, all.stride, k.size(-2) == 1};
}
template <class scalar_t>
LatticePorts<const cuda::on_device_t<scalar_t>> ports_on_cuda(CudaCall& call, const Tensor& ports,
                                                              at::IntArrayRef leading) {
  const auto all = call.rows<scalar_t>(ports, with_last(leading, ports.size(-2)));
  return {all.data, all.stride, ports.size(-2)};
}

template <class scalar_t>
void forward_cuda(const Tensor& k, const Tensor& u, const Tensor& zi, bool adjoint,
                  at::IntArrayRef leading, Tensor& z, Tensor& zf) {
  using D = cuda::on_device_t<scalar_t>;
  CudaCall call(u);
  const Tensor state = call.carried(zi, leading, u, k.size(-1));
  if (z.numel() > 0) {
    cuda::lattice_forward<D>(
        call.context(),
        {stages_on_cuda<scalar_t>(call, k, leading), adjoint,
         ports_on_cuda<scalar_t>(call, u, leading), ports_of<D>(z), mutable_data<acc_t<D>>(state)},
        product(leading), u.size(-1));
  }
  zf.copy_(state);
}

template <class scalar_t>
void backward_cuda(const Tensor& grad_z, const Tensor& grad_zf, const Tensor& k, const Tensor& u,
                   const Tensor& zi, at::IntArrayRef leading, Tensor& grad_k, Tensor& grad_u,
                   Tensor& grad_zi) {
  using D = cuda::on_device_t<scalar_t>;
  using A = acc_t<D>;
  CudaCall call(u);
  const int64_t N = k.size(-1);
  const bool constant = k.size(-2) == 1;
  const Tensor begin = call.carried(zi, leading, u, N),
               state = call.carried(grad_zf, leading, u, N);
  if (product(leading) * u.size(-1) == 0) {
    grad_k.zero_();
  } else {
    cuda::lattice_backward<D>(
        call.context(),
        {stages_on_cuda<scalar_t>(call, k, leading), ports_on_cuda<scalar_t>(call, u, leading),
         ports_on_cuda<scalar_t>(call, grad_z, leading), ports_of<D>(grad_u),
         mutable_data<A>(begin), mutable_data<A>(state),
         constant ? nullptr : mutable_data<D>(grad_k),
         constant ? mutable_data<A>(grad_k) : nullptr},
        product(leading), u.size(-1));
  }
  grad_zi.copy_(state);
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
  check_state({"zi", zi}, signal, k);
  const auto leading = broadcast_leading(kOp, {{"k", k, 2}, signal, {"zi", zi}});
  Tensor z = at::empty_symint(with_last(with_last(leading, all ? N + 1 : 1), T), u.options());
  Tensor zf = at::empty_symint(with_last(leading, N), u.options());
  if (!u.is_meta()) {
    check_has_kernels(kOp, u);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(u, [&] {
      if constexpr (kWithCuda) {
        if (u.is_cuda()) return forward_cuda<scalar_t>(k, u, zi, adjoint, sizes, z, zf);
      }
      forward_cpu<scalar_t>(k, u, zi, adjoint, sizes, z, zf);
    });
  }
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
  check_state({"grad_zf", grad_zf}, signal, k);
  check_state({"zi", zi}, signal, k);
  const auto leading =
      broadcast_leading(kOp, {signal, {"grad_zf", grad_zf}, {"k", k, 2}, {"u", u, 2}, {"zi", zi}});
  const auto options = grad_z.options();
  const bool constant = k.sym_size(-2) == 1;
  Tensor grad_k = at::empty_symint(with_last(with_last(leading, k.sym_size(-2)), N),
                                   constant ? options.dtype(acc_type(grad_z)) : options);
  Tensor grad_u = at::empty_symint(with_last(with_last(leading, u.sym_size(-2)), T), options);
  Tensor grad_zi = at::empty_symint(with_last(leading, N), options);
  if (!grad_z.is_meta()) {
    check_has_kernels(kOp, grad_z);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(grad_z, [&] {
      if constexpr (kWithCuda) {
        if (grad_z.is_cuda()) {
          return backward_cuda<scalar_t>(grad_z, grad_zf, k, u, zi, sizes, grad_k, grad_u, grad_zi);
        }
      }
      backward_cpu<scalar_t>(grad_z, grad_zf, k, u, zi, sizes, grad_k, grad_u, grad_zi);
    });
  }
  return {grad_k, grad_u, grad_zi};
}

}  // namespace polezero
