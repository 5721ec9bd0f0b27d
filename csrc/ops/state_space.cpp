#include "ops/state_space.h"

#include <ATen/ops/empty.h>

#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/state_space.h"
#include "ops/cuda_call.h"

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

// A matrix for the kernel, and what owns its memory.
template <class scalar_t>
struct MatrixRows {
  Rows<scalar_t> rows;
  Matrices<scalar_t> view;

  MatrixRows(const Tensor& m, at::IntArrayRef leading) {
    if (!m.defined()) return;
    rows = time_rows_of<scalar_t>(m.flatten(-2), leading);
    view = {rows.data, rows.stride, m.size(-3) == 1 ? 0 : m.size(-2) * m.size(-1)};
  }
};

template <class scalar_t>
void forward_cpu(const Tensor& A, const Tensor& B, const Tensor& C, const Tensor& D,
                 const Tensor& x, const Tensor& zi, bool adjoint, at::IntArrayRef leading,
                 Tensor& y, Tensor& zf) {
  const int64_t S = A.size(-1), T = x.size(-1), rows = product(leading);
  const auto xs = rows_of<scalar_t>(x, with_last(leading, x.size(-2)));
  const MatrixRows<scalar_t> a(A, leading), b(B, leading), c(C, leading), d(D, leading);
  auto state = widened_rows<scalar_t>(zi, leading, S);
  const int64_t multiplications = (S + x.size(-2)) * (S + y.size(-2));
  cpu::run_rows(cpu::state_space_kernels<scalar_t>().forward,
                {adjoint, S, x.size(-2), y.size(-2), a.view, b.view, c.view, d.view, xs.data,
                 xs.stride, static_cast<scalar_t*>(y.mutable_data_ptr()), T, state.data()},
                rows, T, 1 + multiplications / 8);
  put_rows<scalar_t>(state, zf);
}

template <class scalar_t>
void forward_cuda(const Tensor& A, const Tensor& B, const Tensor& C, const Tensor& D,
                  const Tensor& x, const Tensor& zi, bool adjoint, at::IntArrayRef leading,
                  Tensor& y, Tensor& zf) {
  using scalar = cuda::on_device_t<scalar_t>;
  CudaCall call(x);
  const int64_t S = A.size(-1), T = x.size(-1), rows = product(leading);
  const Tensor state = call.carried(zi, leading, x, S);
  if (y.numel() > 0) {
    const auto xs = call.rows<scalar_t>(x, with_last(leading, x.size(-2)));
    auto matrix = [&](const Tensor& m) -> Matrices<scalar> {
      if (!m.defined()) return {};
      const auto all = call.time_rows<scalar_t>(m.flatten(-2), leading);
      return {all.data, all.stride, m.size(-3) == 1 ? 0 : m.size(-2) * m.size(-1)};
    };
    cuda::state_space<scalar>(
        call.context(),
        {adjoint, S, x.size(-2), y.size(-2), matrix(A), matrix(B), matrix(C), matrix(D), xs.data,
         xs.stride, mutable_data<scalar>(y), T, mutable_data<acc_t<scalar>>(state)},
        rows, T);
  }
  zf.copy_(state);
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
  check_like(kOp, {"zi", zi}, signal);
  check_last(kOp, {"zi", zi}, S, "S");
  const auto leading = broadcast_leading(
      kOp, {{"A", A, 3}, {"B", B, 3}, {"C", C, 3}, {"D", D, 3}, signal, {"zi", zi}});
  Tensor y = at::empty_symint(with_last(with_last(leading, outputs), T), x.options());
  Tensor zf = at::empty_symint(with_last(leading, S), x.options());
  if (!x.is_meta()) {
    check_has_kernels(kOp, x);
    const at::DimVector sizes = concrete(leading);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) return forward_cuda<scalar_t>(A, B, C, D, x, zi, adjoint, sizes, y, zf);
      }
      forward_cpu<scalar_t>(A, B, C, D, x, zi, adjoint, sizes, y, zf);
    });
  }
  return {y, zf};
}

}  // namespace polezero
