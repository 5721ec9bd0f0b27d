#include "ops/sparse.h"

#include <ATen/ATen.h>

#include "kernels/cpu/launch.h"
#include "ops/cuda_call.h"

namespace polezero {

namespace {

// The taps of a problem and the memory in which they lie; T is the kernel's name for scalar_t.
template <class scalar_t, class T>
struct Taps {
  Rows<int64_t> delays;
  Rows<scalar_t> varying;
  Tensor constant;
  SparseTaps<T> view{};

  Taps(const Tensor& d, const Tensor& c, at::IntArrayRef leading)
      : delays(time_rows_of<int64_t>(d, leading)) {
    view.count = d.size(-1);
    view.d = delays.data;
    view.d_row = delays.stride;
    view.d_time = d.size(-2) == 1 ? 0 : view.count;
    if (!c.defined()) return;
    if (c.size(-2) == 1) {
      constant = coefficient_sets(c.squeeze(-2), leading).to(acc_type(c));
      view.constant = static_cast<const acc_t<T>*>(constant.const_data_ptr());
      view.c_row = constant.dim() == 1 ? 0 : view.count;
    } else {
      varying = time_rows_of<scalar_t>(c, leading);
      view.varying = reinterpret_cast<const T*>(varying.data);
      view.c_row = varying.stride;
    }
  }
};

// What sparse_allpole_forward and sparse_fir do, by their attributes.
struct Filter {
  const char* op;
  bool feedback, transposed;
};

template <class scalar_t>
void filter_cpu(const Filter& f, const Tensor& c, const Tensor& delays, const Tensor& x,
                int64_t past, at::IntArrayRef leading, Tensor& y) {
  if (y.numel() == 0) return;
  int64_t shortest = 1, longest = 1;
  if (delays.numel() > 0) {
    const auto [low, high] = at::aminmax(delays);
    shortest = low.item<int64_t>();
    longest = high.item<int64_t>();
  }
  TORCH_CHECK_VALUE(shortest >= 1, f.op, ": delays: expected numbers >= 1, got ", shortest);
  TORCH_CHECK_VALUE(past == 0 || longest <= past, f.op, ": zi: expected at least ", longest,
                    " samples, as far as the delays go back, got ", past);
  const Taps<scalar_t, scalar_t> taps(delays, c, leading);
  const auto xs = rows_of<scalar_t>(x, leading);
  const int64_t time = x.size(-1);
  cpu::sparse<scalar_t>({.taps = taps.view,
                         .feedback = f.feedback,
                         .transposed = f.transposed,
                         .past = past,
                         .x = xs.data,
                         .x_stride = xs.stride,
                         .y = mutable_data<scalar_t>(y),
                         .y_stride = time,
                         .shortest = shortest,
                         .longest = longest},
                        product(leading), time);
}

// Delays that change with time, by the sample that they come from: taps[B or 1, T L] are numbers
// (n - past) L + l, those of sample m at [begin[m], begin[m + 1]), begin[B or 1, past + T + 1]. In
// one order in every run: so are the sums that are made of them.
struct TapsBySample {
  Tensor taps, begin;

  TapsBySample(const Tensor& delays, int64_t past, int64_t time, at::IntArrayRef leading) {
    const int64_t L = delays.size(-1), T = time - past;
    Tensor d = delays;
    bool shared = true;
    for (int64_t i = 0; i + 2 < d.dim(); ++i) shared &= d.size(i) == 1;
    d = shared ? d.reshape({1, T, L})
               : d.expand(with_last(with_last(leading, T), L)).reshape({product(leading), T, L});
    const Tensor n = at::arange(past, time, d.options()).unsqueeze(-1);
    // dense, or the order would have the strides of permuted delays
    const Tensor from = (n - d.clamp_min(1)).clamp_min(-1).flatten(-2).contiguous();
    const auto [sorted, order] = at::sort(from, /*stable=*/true, /*dim=*/-1);
    taps = order;
    begin = at::searchsorted(sorted, at::arange(time + 1, d.options()).repeat({d.size(0), 1}));
  }
};

template <class scalar_t>
void filter_cuda(const Filter& f, const Tensor& c, const Tensor& delays, const Tensor& x,
                 int64_t past, at::IntArrayRef leading, Tensor& y) {
  using D = cuda::on_device_t<scalar_t>;
  if (y.numel() == 0) return;
  CudaCall call(x);
  const Taps<scalar_t, D> taps(delays, c, leading);
  const auto xs = call.rows<scalar_t>(x, leading);
  const int64_t time = x.size(-1);
  SparseOnDevice<D> p{{.taps = taps.view,
                       .feedback = f.feedback,
                       .transposed = f.transposed,
                       .past = past,
                       .x = xs.data,
                       .x_stride = xs.stride,
                       .y = mutable_data<D>(y),
                       .y_stride = time}};
  p.rows = product(leading);
  p.time = time;
  if (f.transposed && taps.view.d_time != 0) {
    const TapsBySample by_sample(delays, past, time, leading);
    p.tap = call.keep(by_sample.taps).template const_data_ptr<int64_t>();
    p.begin = call.keep(by_sample.begin).template const_data_ptr<int64_t>();
    p.lists = by_sample.begin.size(0);
  }
  cuda::sparse<D>(call.context(), p);
}

template <class scalar_t, class D>
SparseProductParams<D> product_params(const SparseTaps<D>& taps, int64_t past, const D* g,
                                      int64_t g_stride, const D* x, int64_t x_stride, bool sum,
                                      Tensor& p) {
  return {.taps = taps,
          .past = past,
          .g = g,
          .g_stride = g_stride,
          .x = x,
          .x_stride = x_stride,
          .p = sum ? nullptr : mutable_data<D>(p),
          .p_sums = sum ? mutable_data<acc_t<D>>(p) : nullptr};
}

template <class scalar_t>
void product_cpu(const Tensor& g, const Tensor& x, const Tensor& delays, int64_t past, bool sum,
                 at::IntArrayRef leading, Tensor& p) {
  if (p.numel() == 0) return;
  if (sum) p.zero_();
  const Taps<scalar_t, scalar_t> taps(delays, Tensor(), leading);
  const auto gs = rows_of<scalar_t>(g, leading), xs = rows_of<scalar_t>(x, leading);
  cpu::sparse_product(
      product_params<scalar_t>(taps.view, past, gs.data, gs.stride, xs.data, xs.stride, sum, p),
      product(leading), x.size(-1));
}

template <class scalar_t>
void product_cuda(const Tensor& g, const Tensor& x, const Tensor& delays, int64_t past, bool sum,
                  at::IntArrayRef leading, Tensor& p) {
  using D = cuda::on_device_t<scalar_t>;
  if (p.numel() == 0) return;
  CudaCall call(x);
  const Taps<scalar_t, D> taps(delays, Tensor(), leading);
  const auto gs = call.rows<scalar_t>(g, leading), xs = call.rows<scalar_t>(x, leading);
  cuda::sparse_product(
      call.context(),
      product_params<scalar_t>(taps.view, past, gs.data, gs.stride, xs.data, xs.stride, sum, p),
      product(leading), x.size(-1));
}

void check_past(const char* op, const c10::SymInt& past, const Argument& signal) {
  TORCH_CHECK_VALUE(past >= 0 && past <= signal.tensor.sym_size(-1), op,
                    ": past: expected a number from 0 to ", signal.tensor.sym_size(-1), ", got ",
                    past);
}

void check_delays(const char* op, const Tensor& delays, const Argument& signal,
                  const c10::SymInt& T) {
  TORCH_CHECK_TYPE(delays.scalar_type() == at::kLong, op, ": delays: expected int64, got ",
                   delays.scalar_type());
  TORCH_CHECK_VALUE(delays.device() == signal.tensor.device(), op,
                    ": delays: expected a tensor on ", signal.tensor.device(), " as ", signal.name,
                    ", got one on ", delays.device());
  check_time_axis(op, {"delays", delays}, T);
}

Tensor filter(const Filter& f, const Argument& c, const Tensor& delays, const Tensor& x,
              const c10::SymInt& past) {
  const Argument signal{"x", x};
  check_signal(f.op, signal);
  check_past(f.op, past, signal);
  const c10::SymInt T = x.sym_size(-1) - past;
  check_coefficients(f.op, c, signal, 0);
  check_time_axis(f.op, c, T);
  if (c.tensor.sym_size(-2) != 1) check_like(f.op, c, signal);
  check_delays(f.op, delays, signal, T);
  TORCH_CHECK_VALUE(delays.sym_size(-1) == c.tensor.sym_size(-1), f.op,
                    ": delays: expected L = ", c.tensor.sym_size(-1),
                    " values along the last axis as ", c.name, ", got shape ", delays.sym_sizes());
  const auto leading =
      broadcast_leading(f.op, {{c.name, c.tensor, 2, true}, {"delays", delays, 2, true}, signal});
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  if (!x.is_meta()) {
    check_has_kernels(f.op, x);
    const at::DimVector sizes = concrete(leading);
    const int64_t given = past.guard_int(__FILE__, __LINE__);
    POLEZERO_DISPATCH(x, [&] {
      if constexpr (kWithCuda) {
        if (x.is_cuda()) return filter_cuda<scalar_t>(f, c.tensor, delays, x, given, sizes, y);
      }
      filter_cpu<scalar_t>(f, c.tensor, delays, x, given, sizes, y);
    });
  }
  return y;
}

}  // namespace

Tensor sparse_allpole_forward(const Tensor& a, const Tensor& delays, const Tensor& x,
                              c10::SymInt past, bool transposed, bool two_pass) {
  const char* op = "sparse_allpole";
  TORCH_CHECK_VALUE(
      !two_pass || (!transposed && a.dim() >= 2 && a.sym_size(-2) == 1 && a.sym_size(-1) == 1), op,
      ": backward: expected 'one_pass' for more than one tap, or for ",
      "coefficients that change with time, got 'two_pass'");
  return filter({op, true, transposed}, {"a", a}, delays, x, past);
}

Tensor sparse_fir(const Tensor& b, const Tensor& delays, const Tensor& x, c10::SymInt past,
                  bool transposed) {
  return filter({"sparse_fir", false, transposed}, {"b", b}, delays, x, past);
}

Tensor sparse_product(const Tensor& g, const Tensor& x, const Tensor& delays, c10::SymInt past,
                      bool sum) {
  const char* op = "sparse_product";
  const Argument signal{"g", g};
  check_signal(op, signal);
  check_like(op, {"x", x}, signal);
  check_last(op, {"x", x}, g.sym_size(-1), "past + T");
  check_past(op, past, signal);
  const c10::SymInt T = g.sym_size(-1) - past;
  check_delays(op, delays, signal, T);
  const auto leading = broadcast_leading(op, {signal, {"x", x}, {"delays", delays, 2, true}});
  Tensor p =
      at::empty_symint(with_last(with_last(leading, sum ? c10::SymInt(1) : T), delays.sym_size(-1)),
                       sum ? g.options().dtype(acc_type(g)) : g.options());
  if (!g.is_meta()) {
    check_has_kernels(op, g);
    const at::DimVector sizes = concrete(leading);
    const int64_t given = past.guard_int(__FILE__, __LINE__);
    POLEZERO_DISPATCH(g, [&] {
      if constexpr (kWithCuda) {
        if (g.is_cuda()) return product_cuda<scalar_t>(g, x, delays, given, sum, sizes, p);
      }
      product_cpu<scalar_t>(g, x, delays, given, sum, sizes, p);
    });
  }
  return p;
}

namespace {

constexpr const char* kDelayCallers[] = {"comb_filter", "feedforward_comb", "allpass_comb"};

// The shortest delay, and how far from it the first and the last of its whole delays may be.
constexpr struct {
  const char* name;
  double shortest, before, after;
} kInterpolations[] = {
    {"none", 1, 0, 0}, {"linear", 1, 0, 1}, {"lagrange3", 2, 1, 2}, {"thiran", 1.5, 0.5, 1}};

}  // namespace

Tensor first_delay(const Tensor& delay, c10::SymInt past, int64_t interpolation, int64_t caller) {
  TORCH_CHECK_VALUE(0 <= interpolation && interpolation < 4 && 0 <= caller && caller < 3,
                    "first_delay: expected an interpolation from 0 to 3 and a caller from 0 to 2, ",
                    "got ", interpolation, " and ", caller);
  const char* op = kDelayCallers[caller];
  const auto& [name, shortest, before, after] = kInterpolations[interpolation];
  if (delay.is_cpu() && delay.numel() > 0) {
    const auto [low, high] = at::aminmax(delay);
    const double least = low.item<double>(), most = high.item<double>();  // both NaN where one is
    TORCH_CHECK_VALUE(least >= shortest && most < 1e15, op,
                      ": delay: expected numbers >= ", shortest,
                      interpolation == 0 ? "" : c10::str(" for '", name, "'"), ", got ",
                      least >= shortest ? most : least);
    const int64_t longest = static_cast<int64_t>(most + after);
    TORCH_CHECK_VALUE(past == 0 || longest <= past, op, ": zi: expected at least ", longest,
                      " samples, as far as the delay goes back, got ", past);
  }
  if (interpolation == 0) return delay.clamp_min(1);
  return at::nan_to_num(delay, shortest).clamp(shortest, 1e15).sub(before).floor().to(at::kLong);
}

}  // namespace polezero
