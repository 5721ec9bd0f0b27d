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

// Rows side by side, as the kernels take them; fewer where there are several signals of each.
constexpr int64_t kRowsInFlight = 8, kRowsWithGradients = 4;

struct Problem {
  const Tensor &b, a, zi, adjoint_zi;
  int64_t length;
  double of_end, of_mirrored;
};

template <class scalar_t>
void forward(HostCall<scalar_t>& call, const Problem& p, const Tensor& x, Tensor& y) {
  using A = acc_t<scalar_t>;
  using namespace host_zero_phase;
  const int64_t time = x.size(-1), L = time + 2 * p.length;
  const Filter<A> filter(call, p.b, p.a);
  const Ends ends{p.length, p.of_end, p.of_mirrored};
  const int64_t S = filter.states();
  const A *zi = call.states(p.zi.flatten(-2)), *adjoint_zi = call.states(p.adjoint_zi.flatten(-2));
  const auto xs = call.signal(x);
  scalar_t* out = mutable_data<scalar_t>(y);
  in_groups(call.rows(), kRowsInFlight, L, [&](int64_t row, int64_t rows) {
    cpu::FlushDenormals flush;
    const Rows64<A> memory(rows * L);
    A* u = memory.get();
    std::vector<A> first(rows), last(rows);
    for (int64_t r = 0; r < rows; ++r) {
      ends.extend(xs.data + (row + r) * xs.stride, time, u + r * L);
      first[r] = u[r * L];
    }
    auto state = scaled(zi + row * S, first, S);
    filter.forward(u, state.data(), row, rows, L);
    for (int64_t r = 0; r < rows; ++r) last[r] = u[(r + 1) * L - 1];
    state = scaled(adjoint_zi + row * S, last, S);
    filter.adjoint(u, u, state.data(), row, rows, L);
    for (int64_t r = 0; r < rows; ++r) {
      const A* from = u + r * L + p.length;
      scalar_t* to = out + (row + r) * time;
      for (int64_t n = 0; n < time; ++n) to[n] = static_cast<scalar_t>(from[n]);
    }
  });
}

// The letters are those of zero_phase_backward_composed.
template <class scalar_t>
void backward(HostCall<scalar_t>& call, const Problem& p, const Tensor& grad_y, const Tensor& x,
              bool need_filter, Tensor& grad_b, Tensor& grad_a, Tensor& grad_zi,
              Tensor& grad_adjoint_zi, Tensor& grad_x) {
  using A = acc_t<scalar_t>;
  using namespace host_zero_phase;
  const int64_t time = grad_y.size(-1), L = time + 2 * p.length;
  const Filter<A> filter(call, p.b, p.a);
  const Ends ends{p.length, p.of_end, p.of_mirrored};
  const int64_t S = filter.states();
  const bool single = filter.sections == 1;
  const A *zi = call.states(p.zi.flatten(-2)), *adjoint_zi = call.states(p.adjoint_zi.flatten(-2));
  const auto gs = call.signal(grad_y), xs = call.signal(need_filter ? x : Tensor());
  A *of_b = call.sums(grad_b), *of_a = call.sums(grad_a), *of_zi = mutable_data<A>(grad_zi),
    *of_adjoint_zi = mutable_data<A>(grad_adjoint_zi);
  scalar_t* out = mutable_data<scalar_t>(grad_x);
  const int64_t in_flight = need_filter ? kRowsWithGradients : kRowsInFlight;
  in_groups(call.rows(), in_flight, L, [&](int64_t row, int64_t rows) {
    cpu::FlushDenormals flush;
    const int64_t signals = !need_filter ? 1 : single ? 3 : 2;
    const Rows64<A> memory(signals * rows * L);
    A *g = memory.get(), *w = g + rows * L, *forth = single && need_filter ? w + rows * L : g;
    std::vector<A> first(rows), last(rows), of_state(rows * S);
    A *rows_b = of_b + row * filter.sections * filter.taps_b,
      *rows_a = of_a + row * filter.sections * filter.order_a;
    for (int64_t r = 0; r < rows; ++r) {
      const scalar_t* from = gs.data + (row + r) * gs.stride;
      A* to = g + r * L;
      std::fill_n(to, p.length, A(0));
      for (int64_t n = 0; n < time; ++n) to[p.length + n] = static_cast<A>(from[n]);
      std::fill_n(to + p.length + time, p.length, A(0));
    }
    const auto extend = [&](A* u) {
      for (int64_t r = 0; r < rows; ++r) {
        ends.extend(xs.data + (row + r) * xs.stride, time, u + r * L);
        first[r] = u[r * L];
      }
    };
    if (need_filter) {
      extend(w);
      auto state = scaled(zi + row * S, first, S);
      filter.forward(w, state.data(), row, rows, L);
      for (int64_t r = 0; r < rows; ++r) last[r] = w[(r + 1) * L - 1];
      if (single) {
        std::copy_n(g, rows * L, forth);
        filter.forward(forth, of_state.data(), row, rows, L);
      }
      state = scaled(adjoint_zi + row * S, last, S);
      const std::vector<A> rest(rows * S);
      filter.adjoint(w, nullptr, state.data(), row, rows, L, g, forth, rest.data(), rows_b, rows_a);
    }
    if (!single || !need_filter) filter.forward(g, of_state.data(), row, rows, L);
    std::vector<A> of_first(rows * S);
    for (int64_t i = 0; i < rows * S; ++i) {
      forth[(i / S + 1) * L - 1] +=
          host::multiply(host::conjugate(adjoint_zi[row * S + i]), of_state[i]);
    }
    if (need_filter) {
      A* u = single ? g : w;
      extend(u);
      const auto state = scaled(zi + row * S, first, S);
      filter.adjoint(forth, forth, of_first.data(), row, rows, L, u, w, state.data(), rows_b,
                     rows_a);
    } else {
      filter.adjoint(forth, forth, of_first.data(), row, rows, L);
    }
    for (int64_t i = 0; i < rows * S; ++i) {
      forth[i / S * L] += host::multiply(host::conjugate(zi[row * S + i]), of_first[i]);
      if (!need_filter) continue;
      of_zi[row * S + i] = host::multiply(of_first[i], host::conjugate(first[i / S]));
      of_adjoint_zi[row * S + i] = host::multiply(of_state[i], host::conjugate(last[i / S]));
    }
    for (int64_t r = 0; out != nullptr && r < rows; ++r) {
      ends.fold(forth + r * L, time, out + (row + r) * time);
    }
  });
}

#if defined(POLEZERO_WITH_CUDA)

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
void forward(CudaCall<scalar_t>&, const Problem& p, const Tensor& x, Tensor& y) {
  y = zero_phase_composed<Fronts>({p.b, p.a, p.zi, p.adjoint_zi}, x,
                                  {p.length, p.of_end, p.of_mirrored});
}

template <class scalar_t>
void backward(CudaCall<scalar_t>&, const Problem& p, const Tensor& grad_y, const Tensor& x,
              bool need_filter, Tensor& grad_b, Tensor& grad_a, Tensor& grad_zi,
              Tensor& grad_adjoint_zi, Tensor& grad_x) {
  std::tie(grad_b, grad_a, grad_zi, grad_adjoint_zi, grad_x) =
      std::tuple_cat(zero_phase_backward_composed<Fronts>(grad_y, {p.b, p.a, p.zi, p.adjoint_zi}, x,
                                                          {p.length, p.of_end, p.of_mirrored},
                                                          need_filter, grad_x.numel() > 0));
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
    const Problem p{b, a, zi, adjoint_zi, length.expect_int(), of_end, of_mirrored};
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
    const Problem p{b, a, zi, adjoint_zi, length.expect_int(), of_end, of_mirrored};
    backward(call, p, grad_y, x, need_filter, grad_b, grad_a, grad_zi, grad_adjoint_zi, grad_x);
  });
  return {grad_b, grad_a, grad_zi, grad_adjoint_zi, grad_x};
}

}  // namespace polezero
