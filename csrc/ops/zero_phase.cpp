#include "ops/zero_phase.h"

#include <ATen/ops/empty.h>

#include "ops/lfilter.h"
#include "ops/on_device.h"
#include "ops/sosfilt.h"
#include "ops/zero_phase_composed.h"
#include "ops/zero_phase_host.h"

namespace polezero {

namespace {

constexpr const char* kOp = "zero_phase";

struct Problem {
  const Tensor &b, &a, &zi, &adjoint_zi;
  Ends ends;

  Extension extension() const { return {ends.length, ends.of_end, ends.of_mirrored}; }
};

template <class scalar_t>
auto kernel_of(const ZeroPhaseForwardParams<scalar_t>&) {
  return cpu::zero_phase_kernels<scalar_t>().forward;
}
template <class scalar_t>
auto kernel_of(const ZeroPhaseBackwardParams<scalar_t>&) {
  return cpu::zero_phase_kernels<scalar_t>().backward;
}

// Runs the kernel whose params params_of makes of those that both have, where there is one for the
// filters; whether there was, and its result may be used.
template <class scalar_t, class F>
bool run_kernel(HostCall<scalar_t>& call, const Problem& p, int64_t time, F&& params_of) {
  using namespace host_zero_phase;
  const int64_t order = std::max(p.b.size(-1) - 1, p.a.size(-1));
  if (order < 1 || order > (host::is_complex<scalar_t> ? kMaxComplexOrder : kMaxOrder))
    return false;
  std::atomic<bool> poisoned = false;
  const auto filters = sections(call, p.b, p.a);
  const Pieces cut = pieces(filters, call.rows(), p.ends, time);
  const auto params =
      params_of(ZeroPhaseParams<scalar_t>{filters, p.ends, time, cut, call.states(p.zi.flatten(-2)),
                                          call.states(p.adjoint_zi.flatten(-2)), &poisoned});
  cpu::run_rows(kernel_of(params), params, call.rows() * cut.count,
                cut.count > 1 ? cut.span : p.ends.extended(time), filters.count * order);
  return !poisoned;
}

// Rows [begin, end) of the problem.
class SomeRows {
 public:
  SomeRows(const Problem& p, at::IntArrayRef leading, int64_t begin, int64_t end)
      : p_(p), leading_(leading), begin_(begin), end_(end) {}

  // Those of t, behind whose leading dimensions there are so many.
  Tensor operator()(const Tensor& t, int64_t dims) const {
    const auto core = t.sizes().slice(t.dim() - dims);
    if (t.numel() == c10::multiply_integers(core)) return t.reshape(core);  // all rows share it
    at::DimVector sizes(leading_.begin(), leading_.end());
    sizes.append(core.begin(), core.end());
    return t.expand(sizes).flatten(0, -1 - dims).slice(0, begin_, end_);
  }
  SteadyFilter filter() const {
    const SomeRows& rows = *this;
    return {rows(p_.b, 2), rows(p_.a, 2), rows(p_.zi, 2), rows(p_.adjoint_zi, 2)};
  }

 private:
  const Problem& p_;
  at::IntArrayRef leading_;
  int64_t begin_, end_;
};

// f(SomeRows) for all of them, so many at a time that what is in float64 between the two ways is
// small.
template <class Call, class F>
void some_rows_at_a_time(const Call& call, const Problem& p, int64_t time, F&& f) {
  constexpr int64_t kSamples = int64_t{1} << 15;
  const int64_t each = std::max<int64_t>(4, kSamples / time);
  for (int64_t row = 0; row < call.rows(); row += each) {
    f(SomeRows(p, call.leading(), row, std::min(row + each, call.rows())));
  }
}

// The launches that are there, one after another.
struct Fronts {
  static OptionalTensor section(const Tensor& t) {
    return t.defined() ? OptionalTensor(t.squeeze(-2)) : std::nullopt;
  }
  static OptionalTensor given(const Tensor& t) {
    return t.defined() ? OptionalTensor(t) : std::nullopt;
  }
  static std::pair<Tensor, Tensor> forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                           const Tensor& zi) {
    if (b.size(-2) > 1) {
      const auto [y, zf] = sosfilt_forward(join(b, with_a0(a)), x, zi);
      return {y, zf};
    }
    const auto [y, zf] =
        lfilter_forward(b.squeeze(-2), with_a0(a).squeeze(-2), x, section(zi), false);
    return {y, zf.unsqueeze(-2)};
  }
  static AdjointOut adjoint(const AdjointOf& of, bool need_filter) {
    if (of.b.size(-2) > 1) {
      const auto [sos, x, zi] =
          sosfilt_backward(of.g, given(of.g_zf), join(of.b, with_a0(of.a)), given(of.x),
                           given(of.zi), need_filter, true, true);
      if (!need_filter) return {{}, {}, x, zi};
      return {sos.slice(-1, 0, 3), sos.slice(-1, 4, 6), x, zi};
    }
    const auto [b, a, x, zi] = lfilter_backward(
        of.g, section(of.g_zf), of.b.squeeze(-2), with_a0(of.a).squeeze(-2), given(of.x),
        given(of.y), section(of.zi), section(of.zf), need_filter, need_filter, true, true);
    if (!need_filter) return {{}, {}, x, zi.unsqueeze(-2)};
    return {b.unsqueeze(-2), a.unsqueeze(-2).slice(-1, 1), x, zi.unsqueeze(-2)};
  }
};

template <class scalar_t>
void forward(HostCall<scalar_t>& call, const Problem& p, const Tensor& x, Tensor& y) {
  using namespace host_zero_phase;
  const auto xs = call.signal(x);
  const bool done = run_kernel<scalar_t>(call, p, x.size(-1), [&](const auto& params) {
    return ZeroPhaseForwardParams<scalar_t>{params, xs.data, xs.stride, mutable_data<scalar_t>(y)};
  });
  if (done) return;
  some_rows_at_a_time(call, p, x.size(-1), [&](const auto& rows) {
    rows(y, 1).copy_(zero_phase_composed<Fronts>(rows.filter(), rows(x, 1), p.extension()));
  });
}

template <class scalar_t>
void backward(HostCall<scalar_t>& call, const Problem& p, const Tensor& grad_y, const Tensor& x,
              bool need_filter, Tensor& grad_b, Tensor& grad_a, Tensor& grad_zi,
              Tensor& grad_adjoint_zi, Tensor& grad_x) {
  using namespace host_zero_phase;
  const auto gs = call.signal(grad_y), xs = call.signal(need_filter ? x : Tensor());
  Tensor sums;
  const bool done = run_kernel<scalar_t>(call, p, grad_y.size(-1), [&](const auto& params) {
    const auto& [count, filters] = params.filters;
    if (need_filter) {
      sums = at::zeros({call.rows(), params.pieces.count, count, 2 * filters.order + 1},
                       grad_b.options());
    }
    return ZeroPhaseBackwardParams<scalar_t>{
        params,
        gs.data,
        gs.stride,
        xs.data,
        xs.stride,
        mutable_data<scalar_t>(grad_x),
        need_filter ? mutable_data<acc_t<scalar_t>>(sums) : nullptr,
        mutable_data<acc_t<scalar_t>>(grad_zi),
        mutable_data<acc_t<scalar_t>>(grad_adjoint_zi)};
  });
  if (done) {
    if (!need_filter) return;
    const Tensor of_rows = sums.sum(1);  // [B, K, P + 1 + P]
    const int64_t P = of_rows.size(-1) / 2;
    grad_b.copy_(of_rows.slice(-1, 0, grad_b.size(-1)).view_as(grad_b));
    grad_a.copy_(of_rows.slice(-1, P + 1, P + 1 + grad_a.size(-1)).view_as(grad_a));
    return;
  }
  some_rows_at_a_time(call, p, grad_y.size(-1), [&](const auto& rows) {
    const auto r = zero_phase_backward_composed<Fronts>(
        rows(grad_y, 1), rows.filter(), need_filter ? rows(x, 1) : Tensor(), p.extension(),
        need_filter, grad_x.numel() > 0);
    if (need_filter) {
      const std::array<Tensor*, 4> filter{&grad_b, &grad_a, &grad_zi, &grad_adjoint_zi};
      for (size_t i = 0; i < 4; ++i) rows(*filter[i], 2).copy_(r[i]);
    }
    if (grad_x.numel() > 0) rows(grad_x, 1).copy_(r[4]);
  });
}

#if defined(POLEZERO_WITH_CUDA)

template <class scalar_t>
void forward(CudaCall<scalar_t>&, const Problem& p, const Tensor& x, Tensor& y) {
  y.copy_(zero_phase_composed<Fronts>({p.b, p.a, p.zi, p.adjoint_zi}, x, p.extension()));
}

template <class scalar_t>
void backward(CudaCall<scalar_t>&, const Problem& p, const Tensor& grad_y, const Tensor& x,
              bool need_filter, Tensor& grad_b, Tensor& grad_a, Tensor& grad_zi,
              Tensor& grad_adjoint_zi, Tensor& grad_x) {
  const auto r = zero_phase_backward_composed<Fronts>(
      grad_y, {p.b, p.a, p.zi, p.adjoint_zi}, x, p.extension(), need_filter, grad_x.numel() > 0);
  const std::array<Tensor*, 5> outputs{&grad_b, &grad_a, &grad_zi, &grad_adjoint_zi, &grad_x};
  for (size_t i = 0; i < 5; ++i) {
    if (outputs[i]->numel() > 0) outputs[i]->copy_(r[i]);
  }
}

#endif

// The leading dimensions of all.
c10::SymDimVector check(const Tensor& b, const Tensor& a, const Tensor& zi,
                        const Tensor& adjoint_zi, const Argument& signal,
                        const c10::SymInt& length) {
  const Argument all[] = {{"b", b, 2}, {"a", a, 2}, {"zi", zi, 2}, {"adjoint_zi", adjoint_zi, 2}};
  check_coefficients(kOp, all[0], signal, 1);
  check_coefficients(kOp, all[1], signal, 0);
  for (const Argument& argument : all) {
    const Tensor& t = argument.tensor;
    TORCH_CHECK_VALUE(t.dim() >= 2 && t.sym_size(-2) == b.sym_size(-2), kOp, ": ", argument.name,
                      ": expected [..., filters, taps], as many filters as b, got shape ",
                      t.sym_sizes(), " beside b ", b.sym_sizes());
  }
  const c10::SymInt M = b.sym_size(-1) - 1, N = a.sym_size(-1), P = M < N ? N : M;
  for (const Argument* state : {all + 2, all + 3}) {
    check_state(kOp, *state, signal);
    check_last(kOp, *state, P, "max(M, N)");
  }
  TORCH_CHECK_VALUE(b.sym_size(-2) == 1 || (M == 2 && N == 2), kOp,
                    ": b: expected one filter or filters of order 2, got shape ", b.sym_sizes(),
                    " beside a ", a.sym_sizes());
  const c10::SymInt T = signal.tensor.sym_size(-1);
  TORCH_CHECK_VALUE(length >= 0 && length < T, kOp, ": length: expected from 0 to T - 1 = ", T - 1,
                    ", got ", length);
  return broadcast_leading(kOp, {all[0], all[1], all[2], all[3], signal});
}

}  // namespace

Tensor zero_phase_forward(const Tensor& b, const Tensor& a, const Tensor& zi,
                          const Tensor& adjoint_zi, const Tensor& x, c10::SymInt length,
                          double of_end, double of_mirrored) {
  check_signal(kOp, {"x", x});
  const auto leading = check(b, a, zi, adjoint_zi, {"x", x}, length);
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  on_device(kOp, x, leading, [&](auto& call) {
    const Problem p{b, a, zi, adjoint_zi, {length.expect_int(), of_end, of_mirrored}};
    forward(call, p, x, y);
  });
  return y;
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> zero_phase_backward(
    const Tensor& grad_y, const Tensor& b, const Tensor& a, const Tensor& zi,
    const Tensor& adjoint_zi, const OptionalTensor& x_, c10::SymInt length, double of_end,
    double of_mirrored, bool need_filter, bool need_x) {
  const Tensor x = value_or_undefined(x_);
  check_signal(kOp, {"grad_y", grad_y});
  TORCH_CHECK_VALUE(!need_filter || x.defined(), kOp,
                    ": x: expected a tensor for the filter's gradients, got None");
  check_like(kOp, {"x", x}, {"grad_y", grad_y});
  check_last(kOp, {"x", x}, grad_y.sym_size(-1), "T");
  check(b, a, zi, adjoint_zi, {"grad_y", grad_y}, length);
  const auto leading = broadcast_leading(kOp, {{"grad_y", grad_y},
                                               {"b", b, 2},
                                               {"a", a, 2},
                                               {"zi", zi, 2},
                                               {"adjoint_zi", adjoint_zi, 2},
                                               {"x", x}});
  const auto signal = grad_y.options(), wide = signal.dtype(acc_type(grad_y));
  const auto of_filters = with_last(leading, b.sym_size(-2));
  const auto like = [&](const Tensor& t) {
    return empty_if(need_filter, of_filters, t.sym_size(-1), wide);
  };
  Tensor grad_b = like(b), grad_a = like(a), grad_zi = like(zi), grad_adjoint_zi = like(adjoint_zi),
         grad_x = empty_if(need_x, leading, grad_y.sym_size(-1), signal);
  on_device(kOp, grad_y, leading, [&](auto& call) {
    const Problem p{b, a, zi, adjoint_zi, {length.expect_int(), of_end, of_mirrored}};
    backward(call, p, grad_y, x, need_filter, grad_b, grad_a, grad_zi, grad_adjoint_zi, grad_x);
  });
  return {grad_b, grad_a, grad_zi, grad_adjoint_zi, grad_x};
}

}  // namespace polezero
