#include "ops/lattice.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/launch.h"

namespace polezero {

namespace {

constexpr const char* kOp = "lattice";

template <class scalar_t>
void forward_cpu(const Tensor& k, const Tensor& u, const Tensor& zi, bool adjoint,
                 at::IntArrayRef leading, Tensor& z, Tensor& zf) {
  const int64_t N = k.size(-1), T = u.size(-1), rows = product(leading);
  at::DimVector ports(leading);
  ports.push_back(u.size(-2));
  const auto ks = time_rows_of<scalar_t>(k, leading);
  const auto us = rows_of<scalar_t>(u, ports);
  auto state = widened_rows<scalar_t>(zi, leading, N);
  cpu::lattice<scalar_t>(
      {adjoint, N, ks.data, ks.stride, k.size(-2) == 1, us.data, us.stride, u.size(-2),
       static_cast<scalar_t*>(z.mutable_data_ptr()), T, z.size(-2), state.data()},
      rows, T);
  scalar_t* to = mutable_data<scalar_t>(zf);
  for (int64_t i = 0; i < rows * N; ++i) to[i] = static_cast<scalar_t>(state[i]);
}

}  // namespace

std::tuple<Tensor, Tensor> lattice_forward(const Tensor& k, const Tensor& u,
                                           const OptionalTensor& zi_, bool all, bool adjoint) {
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"u", u, 2};
  check_signal(kOp, signal);
  check_like(kOp, {"k", k}, signal);
  check_time_axis(kOp, {"k", k}, u.sym_size(-1));
  const c10::SymInt N = k.sym_size(-1), T = u.sym_size(-1);
  TORCH_CHECK_VALUE(u.dim() >= 2 && (u.sym_size(-2) == 1 || u.sym_size(-2) == N + 1), kOp,
                    ": u: expected [..., 1 or ", N + 1, ", T], got shape ", u.sym_sizes());
  check_like(kOp, {"zi", zi}, signal);
  check_last(kOp, {"zi", zi}, N, "N");
  const auto leading = broadcast_leading(kOp, {{"k", k, 2, true}, signal, {"zi", zi}});
  Tensor z = at::empty_symint(with_last(with_last(leading, all ? N + 1 : 1), T), u.options());
  Tensor zf = at::empty_symint(with_last(leading, N), u.options());
  if (!u.is_meta()) {
    check_has_kernels(kOp, u);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(u, [&] { forward_cpu<scalar_t>(k, u, zi, adjoint, sizes, z, zf); });
  }
  return {z, zf};
}

}  // namespace polezero
