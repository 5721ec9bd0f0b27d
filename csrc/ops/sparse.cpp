#include "ops/sparse.h"

#include <ATen/ATen.h>

#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/sparse.h"
#include "kernels/cpu/sparse_product.h"
#include "ops/caller.h"
#include "ops/gather_lists.h"
#include "ops/on_device.h"

namespace polezero {

namespace {

// w_j(u) of each interpolation, and the shortest delay that it can read.
struct Reading {
  const char* name;
  double shortest;
  Interpolator weights;
};
const Reading& reading_of(Interpolation interpolation) {
  static const Reading none{"none", 1, {}}, linear{"linear", 1, kLinear},
      lagrange3{"lagrange3", 2, kLagrange3};
  return interpolation == Interpolation::none     ? none
         : interpolation == Interpolation::linear ? linear
                                                  : lagrange3;
}

// What the taps of an op are, by its attributes.
struct TapKind {
  const char* op;
  const char* delay;  // its name
  Interpolation interpolation;
  int64_t derivative;

  bool whole() const { return interpolation == Interpolation::none; }
  const Reading& reading() const { return reading_of(interpolation); }
};

TapKind tap_kind(const char* op, int64_t interpolation_order, int64_t derivative) {
  TORCH_CHECK_VALUE(
      interpolation_order == 0 || interpolation_order == 1 || interpolation_order == 3, op,
      ": interpolation_order: expected 0, 1 or 3, got ", interpolation_order);
  TORCH_CHECK_VALUE(derivative == 0 || (derivative > 0 && interpolation_order > 0), op,
                    ": derivative: expected a number >= 0, and 0 of whole delays, got ",
                    derivative);
  return {Caller::function(op), Caller::argument("delays"),
          static_cast<Interpolation>(interpolation_order), derivative};
}

// Constant delays between samples, of constant coefficients, are whole ones with weights:
// delays [..., 1, L points] and what coefficients [..., 1, L] are multiplied by, in float64.
struct WholeTaps {
  Tensor delays, weights;
  int64_t points;  // of each tap

  WholeTaps(const TapKind& kind, const Tensor& d) {
    const Interpolator& w = kind.reading().weights;
    const Interpolator of = derived(w, kind.derivative);
    points = of.points;
    const Tensor exact = d.to(at::kDouble), whole = exact.floor(), u = exact - whole;
    std::vector<Tensor> all;
    for (int j = 0; j < of.points; ++j) {
      const double* c = of.w[j];
      all.push_back(((c[3] * u + c[2]) * u + c[1]) * u + c[0]);
    }
    weights = at::stack(all, -1).flatten(-2);
    const Tensor first = (at::nan_to_num(whole) - w.before).clamp(1, kFarthestDelay).to(at::kLong);
    delays = (first.unsqueeze(-1) + at::arange(of.points, first.options())).flatten(-2);
  }
  Tensor coefficients(const Tensor& c) const { return c.repeat_interleave(points, -1) * weights; }
  // Sums over the points of each tap, of [..., 1, L points].
  Tensor over_points(const Tensor& p) const {
    return p.unflatten(-1, {p.size(-1) / points, points}).sum(-1);
  }
};

template <class Call>
SparseTaps<typename Call::scalar> taps_of(Call& call, const TapKind& kind, const Tensor& d,
                                          const Tensor& c) {
  SparseTaps<typename Call::scalar> taps{.count = d.size(-1),
                                         .d_time = d.size(-2) == 1 ? 0 : d.size(-1)};
  const auto take = [](const auto& rows, auto*& data, int64_t& stride) {
    data = rows.data;
    stride = rows.stride;
  };
  if (kind.whole()) {
    take(call.template over_time<int64_t>(d), taps.d, taps.d_row);
  } else {
    taps.interpolator = derived(kind.reading().weights, kind.derivative);
    if (d.scalar_type() == at::kDouble) {
      take(call.template over_time<double>(d), taps.d_between, taps.d_row);
    } else {
      take(call.template over_time<float>(d.to(at::kFloat)), taps.d_between_single, taps.d_row);
    }
  }
  if (!c.defined()) return taps;
  if (c.size(-2) == 1) {
    take(call.constant(c.squeeze(-2)), taps.constant, taps.c_row);
  } else {
    take(call.over_time(c), taps.varying, taps.c_row);
  }
  return taps;
}

// What sparse_allpole_forward and sparse_fir do, by their attributes.
struct Filter {
  TapKind kind;
  bool feedback, transposed;
};

// The shortest and the longest of the delays, on the CPU, where they are looked at.
std::pair<double, double> checked_range(const char* op, const char* name, const Tensor& delays,
                                        double shortest, const std::string& of) {
  const auto [low, high] = at::aminmax(delays);
  const double from = low.item<double>(), to = high.item<double>();  // both NaN where one is
  TORCH_CHECK_VALUE(
      from >= shortest && to < kFarthestDelay, op, ": ", name, ": expected numbers ",
      from >= shortest ? "below " : ">= ", from >= shortest ? kFarthestDelay : shortest, of,
      ", got ", from >= shortest ? to : from);
  return {from, to};
}

// How far back samples are read, at least and at most.
struct Reach {
  int64_t shortest = 1, longest = 1;
};
Reach checked_reach(const TapKind& kind, const Tensor& delays, int64_t past) {
  if (delays.numel() == 0) return {};
  const auto& [name, least, weights] = kind.reading();
  const auto [from, to] = checked_range(kind.op, kind.delay, delays, least,
                                        kind.whole() ? "" : c10::str(" for '", name, "'"));
  const Reach reach{static_cast<int64_t>(from) - weights.before,
                    static_cast<int64_t>(to) - weights.before + weights.points - 1};
  TORCH_CHECK_VALUE(past == 0 || reach.longest <= past, kind.op, ": zi: expected at least ",
                    reach.longest, " samples for the longest delay, got ", past);
  return reach;
}

template <class Call>
void filter(Call& call, const Filter& f, const Tensor& c, const Tensor& delays, const Tensor& x,
            int64_t past, Tensor& y) {
  using T = typename Call::scalar;
  const Reach reach = Call::on_cuda ? Reach{} : checked_reach(f.kind, delays, past);
  if (y.numel() == 0) return;
  const int64_t past_and_time = x.size(-1);
  const auto xs = call.signal(x);
  const SparseParams<T> p{.taps = taps_of(call, f.kind, delays, c),
                          .feedback = f.feedback,
                          .transposed = f.transposed,
                          .past = past,
                          .x = xs.data,
                          .x_stride = xs.stride,
                          .y = mutable_data<T>(y),
                          .y_stride = past_and_time,
                          .shortest = reach.shortest,
                          .longest = reach.longest};
  if constexpr (Call::on_cuda) {
    SparseOnDevice<T> on_device{p};
    on_device.rows = call.rows();
    on_device.time = past_and_time;
    if (f.transposed && !p.taps.constant_delays()) {
      const Tensor whole = f.kind.whole() ? delays : WholeTaps(f.kind, delays).delays;
      const Readers readers(read_samples(whole, past, past_and_time - past, call.leading()),
                            past_and_time);
      on_device.tap = call.keep(readers.read).template const_data_ptr<int64_t>();
      on_device.begin = call.keep(readers.begin).template const_data_ptr<int64_t>();
      on_device.lists = readers.begin.size(0);
    }
    cuda::sparse(call.context(), on_device);
  } else {
    cpu::run_rows(cpu::sparse_kernels<T>().filter, p, call.rows(), past_and_time,
                  1 + p.taps.count / 4);
  }
}

template <class Call>
void product(Call& call, const TapKind& kind, const Tensor& g, const Tensor& x,
             const Tensor& delays, int64_t past, bool sum, Tensor& out) {
  using T = typename Call::scalar;
  if (out.numel() == 0) return;
  const auto gs = call.signal(g), xs = call.signal(x);
  const SparseProductParams<T> p{.taps = taps_of(call, kind, delays, Tensor()),
                                 .past = past,
                                 .g = gs.data,
                                 .g_stride = gs.stride,
                                 .x = xs.data,
                                 .x_stride = xs.stride,
                                 .p = sum ? nullptr : mutable_data<T>(out),
                                 .p_sums = sum ? call.sums(out) : nullptr};
  if constexpr (Call::on_cuda) {
    cuda::sparse_product(call.context(), p, call.rows(), x.size(-1));
  } else {
    cpu::run_rows(cpu::sparse_product_kernels<T>().multiply, p, call.rows(), x.size(-1),
                  1 + p.taps.count / 4);
  }
}

void check_past(const char* op, const c10::SymInt& past, const Argument& signal) {
  TORCH_CHECK_VALUE(past >= 0 && past <= signal.tensor.sym_size(-1), op,
                    ": past: expected a number from 0 to ", signal.tensor.sym_size(-1), ", got ",
                    past);
}

void check_delays(const TapKind& kind, const Tensor& delays, const Argument& signal,
                  const c10::SymInt& T) {
  TORCH_CHECK_TYPE(
      kind.whole() ? delays.scalar_type() == at::kLong : at::isFloatingType(delays.scalar_type()),
      kind.op, ": ", kind.delay, ": expected ", kind.whole() ? "int64" : "a floating-point dtype",
      ", got ", delays.scalar_type());
  check_on_device_of(kind.op, {kind.delay, delays}, signal);
  check_time_axis(kind.op, {kind.delay, delays}, T);
}

Tensor filter(const Filter& f, const Argument& c, const Tensor& delays, const Tensor& x,
              const c10::SymInt& past) {
  const char* op = f.kind.op;
  const Argument signal{"x", x};
  check_signal(op, signal);
  check_past(op, past, signal);
  const c10::SymInt T = x.sym_size(-1) - past;
  check_coefficients(op, c, signal, 0);
  check_time_axis(op, c, T);
  if (c.tensor.sym_size(-2) != 1) check_like(op, c, signal);
  check_delays(f.kind, delays, signal, T);
  TORCH_CHECK_VALUE(delays.sym_size(-1) == c.tensor.sym_size(-1), op, ": ", f.kind.delay,
                    ": expected L = ", c.tensor.sym_size(-1), " values along the last axis as ",
                    c.name, ", got shape ", delays.sym_sizes());
  const auto leading =
      broadcast_leading(op, {{c.name, c.tensor, 2, true}, {f.kind.delay, delays, 2, true}, signal});
  const c10::SymDimVector shape = with_last(leading, x.sym_size(-1));
  if (x.is_meta()) return at::empty_symint(shape, x.options());
  const int64_t given = past.guard_int(__FILE__, __LINE__);
  if (!f.kind.whole() && delays.size(-2) == 1 && c.tensor.size(-2) == 1) {
    if (delays.is_cpu()) checked_reach(f.kind, delays, given);
    const WholeTaps whole(f.kind, delays);
    const Filter of_whole{{op, f.kind.delay, Interpolation::none, 0}, f.feedback, f.transposed};
    return filter(of_whole, {c.name, whole.coefficients(c.tensor)}, whole.delays, x, past);
  }
  Tensor y = at::empty_symint(shape, x.options());
  on_device(op, x, leading, [&](auto& call) { filter(call, f, c.tensor, delays, x, given, y); });
  return y;
}

Tensor product(const TapKind& kind, const Tensor& g, const Tensor& x, const Tensor& delays,
               const c10::SymInt& past, bool sum) {
  const Argument signal{"g", g};
  check_signal(kind.op, signal);
  check_like(kind.op, {"x", x}, signal);
  check_last(kind.op, {"x", x}, g.sym_size(-1), "past + T");
  check_past(kind.op, past, signal);
  const c10::SymInt T = g.sym_size(-1) - past, L = delays.sym_size(-1);
  check_delays(kind, delays, signal, T);
  const auto leading =
      broadcast_leading(kind.op, {signal, {"x", x}, {kind.delay, delays, 2, true}});
  Tensor p = at::empty_symint(with_last(with_last(leading, sum ? c10::SymInt(1) : T), L),
                              sum ? g.options().dtype(acc_type(g)) : g.options());
  if (g.is_meta()) return p;
  const int64_t given = past.guard_int(__FILE__, __LINE__);
  if (!kind.whole() && sum && delays.size(-2) == 1) {
    const WholeTaps whole(kind, delays);
    const TapKind of_whole{kind.op, kind.delay, Interpolation::none, 0};
    return whole.over_points(whole.weights *
                             product(of_whole, g, x, whole.delays, past, /*sum=*/true));
  }
  on_device(kind.op, g, leading,
            [&](auto& call) { product(call, kind, g, x, delays, given, sum, p); });
  return p;
}

}  // namespace

Tensor sparse_allpole_forward(const Tensor& a, const Tensor& delays, const Tensor& x,
                              c10::SymInt past, bool transposed, bool two_pass,
                              int64_t interpolation_order) {
  const TapKind kind = tap_kind("sparse_allpole_forward", interpolation_order, 0);
  TORCH_CHECK_VALUE(!two_pass || (!transposed && kind.whole() && a.dim() >= 2 &&
                                  a.sym_size(-2) == 1 && a.sym_size(-1) == 1),
                    kind.op, ": backward: expected 'one_pass' for more than one tap, or for ",
                    "coefficients that change with time, got 'two_pass'");
  return filter({kind, true, transposed}, {"a", a}, delays, x, past);
}

Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, c10::SymInt past,
                  bool transposed, int64_t interpolation_order, int64_t derivative) {
  const TapKind kind = tap_kind("sparse_fir", interpolation_order, derivative);
  return filter({kind, false, transposed}, {"b", b}, delays, x, past);
}

Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays, c10::SymInt past,
                      bool sum, int64_t interpolation_order, int64_t derivative) {
  return product(tap_kind("sparse_product", interpolation_order, derivative), g, x, delays, past,
                 sum);
}

Tensor legal_delays(const Tensor& delays, Interpolation interpolation) {
  const Tensor d = delays.to(at::promote_types(delays.scalar_type(), at::kFloat));  // no half
  return d.clamp(reading_of(interpolation).shortest, kFarthestDelay);
}

Tensor thiran_delay(const Tensor& delay) {
  constexpr double kShortest = 1.5;
  if (delay.is_cpu() && delay.numel() > 0) {
    checked_range("comb_filter", "delay", delay, kShortest, " for 'thiran'");
  }
  return at::nan_to_num(delay.to(at::kDouble), kShortest)
      .clamp(kShortest, kFarthestDelay)
      .sub(0.5)
      .to(at::kLong);
}

}  // namespace polezero
