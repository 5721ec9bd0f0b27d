#include "ops/lpv_sosfilt.h"

#include <ATen/ATen.h>

#include "kernels/cpu/launch.h"
#include "ops/caller.h"
#include "ops/frames.h"
#include "ops/on_device.h"
#include "ops/tensors.h"
#include "params/lpv_sosfilt.h"

namespace polezero {

namespace {

constexpr const char* kOp = "lpv.sosfilt";

// lpv.tdf2_ssm calls the same op.
const char* filter_op() { return Caller::function("lpv.lfilter"); }

// Fewer rows than these that share their sections have each their own: side by side with others
// they fill the lanes of a vector.
constexpr int64_t kRowsThatShare = 4;

// Sections: sos[..., F, K, 6], or one of b[..., F, 1, 3] and a[..., F, 1, 3].
using GivenSections = c10::SmallVector<Tensor, 2>;
GivenSections one_section(const Tensor& b, const Tensor& a) {
  return {b.unsqueeze(-2), a.unsqueeze(-2)};
}

void check_sections(const Tensor& sos, const Argument& signal, const SymFrames& frames) {
  check_coefficients(kOp, {"sos", sos}, signal, 6);
  TORCH_CHECK_VALUE(sos.dim() >= 3 && sos.sym_size(-1) == 6 && sos.sym_size(-2) >= 1, kOp,
                    ": sos: expected [..., T, sections, 6], got shape ", sos.sym_sizes());
  check_frames(kOp, frames);
  check_frames_of(kOp, {"sos", sos}, 3, signal.tensor.sym_size(-1), frames);
}
void check_filter(const Tensor& b, const Tensor& a, const Argument& signal,
                  const SymFrames& frames) {
  check_frames(filter_op(), frames);
  for (const Argument& taps : {Argument{"b", b}, Argument{"a", a}}) {
    check_coefficients(filter_op(), taps, signal, 3);
    TORCH_CHECK_VALUE(taps.tensor.dim() >= 2 && taps.tensor.sym_size(-1) == 3, filter_op(), ": ",
                      taps.name, ": expected [..., T, 3], got shape ", taps.tensor.sym_sizes());
    check_frames_of(filter_op(), taps, 2, signal.tensor.sym_size(-1), frames);
  }
  TORCH_CHECK_VALUE(b.sym_size(-2) == a.sym_size(-2), filter_op(),
                    ": a: expected as many frames as b, ", b.sym_size(-2), ", got ",
                    a.sym_size(-2));
}

void check_states(const Argument& state, const Argument& signal, const c10::SymInt& K) {
  if (!state.tensor.defined()) return;
  check_state(kOp, state, signal);
  TORCH_CHECK_VALUE(
      state.tensor.dim() >= 2 && state.tensor.sym_size(-2) == K && state.tensor.sym_size(-1) == 2,
      kOp, ": ", state.name, ": expected [..., ", K, ", 2], got shape ", state.tensor.sym_sizes());
}
void check_state_of_filter(const Argument& state, const Argument& signal) {
  if (!state.tensor.defined()) return;
  check_state(filter_op(), state, signal);
  check_last(filter_op(), state, 2, "2");
}

// States [..., K, 2] as [..., 2 K].
Tensor flat(const Tensor& state) { return state.defined() ? state.flatten(-2) : state; }

Frames concrete(const SymFrames& frames, const Tensor& sos) {
  return {.count = sos.size(-3),
          .hop = frames.hop.guard_int(__FILE__, __LINE__),
          .offset = frames.offset.guard_int(__FILE__, __LINE__),
          .linear = frames.linear};
}

int64_t rows_of_last(at::IntArrayRef leading, int64_t count) {
  return c10::multiply_integers(leading.slice(leading.size() - count));
}

// Contiguous tensors, one or two, as numbers of sections.
template <class C>
SectionNumbers<C> numbers_of(const GivenSections& sections) {
  const auto data = [](const Tensor& t) {
    if constexpr (std::is_const_v<C>) {
      return static_cast<C*>(t.const_data_ptr());
    } else {
      return static_cast<C*>(t.mutable_data_ptr());
    }
  };
  C* b = data(sections.front());
  return {b, sections.size() == 1 ? b + 3 : data(sections.back())};
}

// Sections [sets, F, K, 6 or 3], a set for all rows of the last `shared` leading dimensions.
template <class Call>
VaryingSections<typename Call::scalar> sections_of(Call& call, const GivenSections& sections,
                                                   int64_t shared, const SymFrames& frames,
                                                   bool* singular) {
  using T = typename Call::scalar;
  using A = typename Call::acc;
  const at::IntArrayRef leading = call.leading();
  const Tensor& first = sections.front();
  const bool wide = !concrete(frames, first).of_every_sample() ||
                    first.scalar_type() == acc_type(first) ||
                    sections.back().scalar_type() == acc_type(first);
  VaryingSections<T> out{.count = first.size(-2),
                         .frames = concrete(frames, first),
                         .rows_per_set = std::max<int64_t>(rows_of_last(leading, shared), 1),
                         .stride = first.size(-1),
                         .singular = singular};
  GivenSections sets;
  for (const Tensor& given : sections) {
    Tensor set = given.resolve_conj().resolve_neg();
    for (int64_t i = 0; i < shared && set.dim() > 3; ++i) set = set.select(-4, 0);
    at::DimVector sizes(leading.begin(), leading.end() - shared);
    sizes.append({given.size(-3), given.size(-2), given.size(-1)});
    set = set.expand(sizes);
    if (wide) set = set.to(acc_type(set));
    sets.push_back(call.keep(set.contiguous()));
  }
  if (wide) {
    out.wide = numbers_of<const A>(sets);
  } else {
    out.given = numbers_of<const T>(sets);
  }
  return out;
}

template <class Call>
void forward(Call& call, const GivenSections& sections, const Tensor& x, const Tensor& zi,
             const SymFrames& frames, Tensor& y, Tensor& zf) {
  using T = typename Call::scalar;
  if (call.rows() == 0) return;
  const int64_t K = sections.front().size(-2), time = x.size(-1);
  int64_t shared = std::min(shared_dimensions(sections.front(), x, zi),
                            shared_dimensions(sections.back(), x, zi));
  if (rows_of_last(call.leading(), shared) < kRowsThatShare) shared = 0;
  bool singular = false;  // which nobody asks a GPU
  const auto xs = call.signal(x);
  auto state = call.carried(flat(zi), 2 * K);
  const LpvSosfiltForwardParams<T> p{
      .sections = sections_of(call, sections, shared, frames, Call::on_cuda ? nullptr : &singular),
      .rows = call.rows(),
      .x = xs.data,
      .x_stride = xs.stride,
      .y = mutable_data<T>(y),
      .y_stride = time,
      .state = state.data()};
  if constexpr (Call::on_cuda) {
    if (time > 0) cuda::lpv_sosfilt_forward(call.context(), p, time);
  } else {
    cpu::lpv_sosfilt_forward(p, time);
  }
  const bool is_cascade = sections.size() == 1;
  TORCH_CHECK_VALUE(!singular, is_cascade ? kOp : filter_op(), ": ",
                    is_cascade ? kA0OfSections : kA0, " != 0, got 0");
  call.put(state, zf);
}

// On a CPU the gradient of frames is that of each batch of rows first.
template <class T>
Tensor sums_of_batches(const VaryingSections<T>& sections, int64_t rows,
                       const Tensor& of_sections) {
  const int64_t sets = rows / sections.rows_per_set;
  const int64_t batches =
      sections.rows_per_set == 1 ? sets : cpu::lpv_sosfilt_batches<T>(sections, rows);
  return at::zeros({sets, batches / sets, of_sections.size(-3), of_sections.size(-2), 6},
                   of_sections.options().dtype(acc_type(of_sections)));
}

// What the gradients are made of; the last three where those of the sections are needed.
struct Given {
  const Tensor &grad_y, &grad_zf;
  GivenSections sections;
  const Tensor &x, &y, &zi;
};

// `grads` of the sections have a row for each row of sections, or no numbers.
template <class Call>
void backward(Call& call, const Given& given, int64_t shared, const SymFrames& frames,
              const GivenSections& grads, Tensor& grad_x, Tensor& grad_zi) {
  using T = typename Call::scalar;
  using A = typename Call::acc;
  const Tensor& first = given.sections.front();
  const bool need_sections = grads.front().numel() > 0;
  const int64_t K = first.size(-2), time = given.grad_y.size(-1);
  auto state = call.carried(flat(given.grad_zf), 2 * K);
  if (call.rows() * time == 0) {
    for (const Tensor& grad : grads) grad.zero_();
    return call.put(state, grad_zi);
  }
  const auto gs = call.signal(given.grad_y);
  const auto xs = call.signal(need_sections ? given.x : Tensor()),
             ys = call.signal(need_sections ? given.y : Tensor());
  const auto begin = call.carried(need_sections ? flat(given.zi) : Tensor(), 2 * K);
  LpvSosfiltBackwardParams<T> p{
      .sections = sections_of(call, given.sections, shared, frames, nullptr),
      .rows = call.rows(),
      .grad_y = gs.data,
      .grad_y_stride = gs.stride,
      .grad_x = mutable_data<T>(grad_x),
      .grad_x_stride = time,
      .state = state.data(),
      .x = xs.data,
      .x_stride = xs.stride,
      .y = ys.data,
      .y_stride = ys.stride};
  Tensor sums;
  if (need_sections && !Call::on_cuda && !p.sections.frames.of_every_sample()) {
    sums = sums_of_batches(p.sections, p.rows, first);
    p.sums = mutable_data<A>(sums);
  } else if (need_sections && grads.front().scalar_type() == acc_type(first)) {
    p.wide_grad = numbers_of<A>(grads);
  } else if (need_sections) {
    p.grad = numbers_of<T>(grads);
  }
  if constexpr (Call::on_cuda) {
    cuda::lpv_sosfilt_backward(call.context(), p, begin.data(), time);
  } else {
    for (const Tensor& grad : grads) {  // frames behind the last sample
      if (need_sections) grad.slice(-3, std::min(time, first.size(-3))).zero_();
    }
    cpu::lpv_sosfilt_backward(p, begin.data(), time);
  }
  if (sums.defined()) {
    const Tensor total = sums.sum(1);
    const int64_t taps = p.sections.stride;
    for (size_t i = 0; i < grads.size(); ++i) {
      const auto from = static_cast<int64_t>(i) * taps;
      grads[i].copy_(total.slice(-1, from, from + taps).view_as(grads[i]));
    }
  }
  call.put(state, grad_zi);
}

// Of tensors of this problem, with the gradients of the sections as [..., F, K, 6 or 3].
void backward_on_device(const Given& given, const c10::SymDimVector& leading, int64_t shared,
                        const SymFrames& frames, const GivenSections& grads, Tensor& grad_x,
                        Tensor& grad_zi) {
  on_device(kOp, given.grad_y, leading, [&](auto& call) {
    const bool need_sections = grads.front().numel() > 0;
    const auto rank = static_cast<int64_t>(leading.size());
    const int64_t rows = rows_of_last(call.leading(), shared);
    if (!need_sections || rows == 1 || rows >= kRowsThatShare) {
      const int64_t together = rows < kRowsThatShare && !need_sections ? 0 : shared;
      return backward(call, given, together, frames, grads, grad_x, grad_zi);
    }
    GivenSections of_rows;
    for (const Tensor& grad : grads) {
      at::DimVector sizes(call.leading());
      sizes.append({grad.size(-3), grad.size(-2), grad.size(-1)});
      of_rows.push_back(at::empty(sizes, grad.options()));
    }
    backward(call, given, 0, frames, of_rows, grad_x, grad_zi);
    for (size_t i = 0; i < grads.size(); ++i) {
      grads[i].copy_(of_rows[i].flatten(rank - shared, rank - 1).sum(rank - shared));
    }
  });
}

struct Backward {
  c10::SymDimVector leading, of_sets;  // of_sets: of the gradients of sections
  Tensor grad_x, grad_zi;
};

// The checks of both, and what they return beside the gradients of sections.
Backward begin_backward(const char* op, const Given& given, bool need_sections, bool need_x,
                        bool need_zi, int64_t shared) {
  const auto& [grad_y, grad_zf, sections, x, y, zi] = given;
  const Argument signal{"grad_y", grad_y};
  TORCH_CHECK_VALUE(!need_sections || (x.defined() && y.defined()), op,
                    ": x, y: expected tensors for the gradient of the coefficients, got None");
  const c10::SymInt K = sections.front().sym_size(-2), T = grad_y.sym_size(-1);
  check_states({"grad_zf", grad_zf}, signal, K);
  check_states({"zi", zi}, signal, K);
  for (const Argument& other : {Argument{"x", x}, Argument{"y", y}}) {
    check_like(op, other, signal);
    check_last(op, other, T, "T");
  }
  Backward out;
  out.leading = broadcast_leading(op, {signal,
                                       {"grad_zf", grad_zf, 2},
                                       {"sos", sections.front(), 3},
                                       {"a", sections.back(), 3},
                                       {"x", x},
                                       {"y", y},
                                       {"zi", zi, 2}});
  const auto rank = static_cast<int64_t>(out.leading.size());
  TORCH_CHECK_VALUE(shared >= 0 && shared <= rank, op, ": shared: expected 0 .. ", rank, ", got ",
                    shared);
  for (int64_t i = 0; i < shared; ++i) {
    for (const Tensor& t : sections) {
      const int64_t d = t.dim() - 4 - i;
      TORCH_CHECK_VALUE(d < 0 || t.sym_size(d) == 1, op,
                        ": shared: expected coefficients with dimensions of size 1, got ",
                        t.sym_sizes());
    }
  }
  const auto wide = grad_y.options().dtype(acc_type(grad_y));
  out.of_sets.append(out.leading.begin(), out.leading.end() - shared);
  out.of_sets.push_back(sections.front().sym_size(-3));
  out.grad_x = empty_if(need_x, out.leading, T, grad_y.options());
  out.grad_zi = empty_if(need_zi, with_last(out.leading, K), 2, wide);
  return out;
}

}  // namespace

int64_t shared_dimensions(const Tensor& sections, const Tensor& x, const Tensor& zi) {
  int64_t rank = std::max(sections.dim() - 3, x.dim() - 1);
  if (zi.defined()) rank = std::max(rank, zi.dim() - 2);
  int64_t shared = 0;
  while (shared < rank) {
    const int64_t d = sections.dim() - 4 - shared;
    if (d >= 0 && sections.sym_size(d) != 1) break;
    ++shared;
  }
  return shared;
}

std::tuple<Tensor, Tensor> lpv_sosfilt_forward(const Tensor& sos, const Tensor& x,
                                               const OptionalTensor& zi_, c10::SymInt hop,
                                               c10::SymInt offset, bool linear) {
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"x", x};
  const SymFrames frames{std::move(hop), std::move(offset), linear};
  check_signal(kOp, signal);
  check_sections(sos, signal, frames);
  const c10::SymInt K = sos.sym_size(-2), T = x.sym_size(-1);
  check_states({"zi", zi}, signal, K);
  const auto leading = broadcast_leading(kOp, {{"sos", sos, 3}, signal, {"zi", zi, 2}});
  Tensor y = at::empty_symint(with_last(leading, T), x.options());
  Tensor zf = empty_if(zi.defined(), with_last(leading, K), 2, (zi.defined() ? zi : x).options());
  on_device(kOp, x, leading, [&](auto& call) { forward(call, {sos}, x, zi, frames, y, zf); });
  return {y, zf};
}

std::tuple<Tensor, Tensor> lpv_lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                               const OptionalTensor& zi_, c10::SymInt hop,
                                               c10::SymInt offset, bool linear) {
  const Tensor zi = value_or_undefined(zi_);
  const Argument signal{"x", x};
  const SymFrames frames{std::move(hop), std::move(offset), linear};
  check_signal(filter_op(), signal);
  check_filter(b, a, signal, frames);
  check_state_of_filter({"zi", zi}, signal);
  const auto leading =
      broadcast_leading(filter_op(), {{"b", b, 2}, {"a", a, 2}, signal, {"zi", zi, 1}});
  Tensor y = at::empty_symint(with_last(leading, x.sym_size(-1)), x.options());
  Tensor zf = empty_if(zi.defined(), leading, 2, (zi.defined() ? zi : x).options());
  on_device(filter_op(), x, leading, [&](auto& call) {
    forward(call, one_section(b, a), x, with_section(zi), frames, y, zf);
  });
  return {y, zf};
}

std::tuple<Tensor, Tensor, Tensor> lpv_sosfilt_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf_, const Tensor& sos,
    const OptionalTensor& x_, const OptionalTensor& y_, const OptionalTensor& zi_, bool need_sos,
    bool need_x, bool need_zi, int64_t shared, c10::SymInt hop, c10::SymInt offset, bool linear) {
  const Tensor grad_zf = value_or_undefined(grad_zf_), x = value_or_undefined(x_),
               y = value_or_undefined(y_), zi = value_or_undefined(zi_);
  const Argument signal{"grad_y", grad_y};
  const SymFrames frames{std::move(hop), std::move(offset), linear};
  check_signal(kOp, signal);
  check_sections(sos, signal, frames);
  const Given given{grad_y, grad_zf, {sos}, x, y, zi};
  Backward out = begin_backward(kOp, given, need_sos, need_x, need_zi, shared);
  out.of_sets.push_back(sos.sym_size(-2));
  Tensor grad_sos = empty_if(need_sos, out.of_sets, 6, sos.options());
  backward_on_device(given, out.leading, shared, frames, {grad_sos}, out.grad_x, out.grad_zi);
  return {grad_sos, out.grad_x, out.grad_zi};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> lpv_lfilter_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf_, const Tensor& b, const Tensor& a,
    const OptionalTensor& x_, const OptionalTensor& y_, bool need_filter, bool need_x, bool need_zi,
    int64_t shared, c10::SymInt hop, c10::SymInt offset, bool linear) {
  const Tensor grad_zf = value_or_undefined(grad_zf_), x = value_or_undefined(x_),
               y = value_or_undefined(y_), none;
  const Argument signal{"grad_y", grad_y};
  const SymFrames frames{std::move(hop), std::move(offset), linear};
  check_signal(filter_op(), signal);
  check_filter(b, a, signal, frames);
  check_state_of_filter({"grad_zf", grad_zf}, signal);
  const Tensor later = with_section(grad_zf);
  const Given given{grad_y, later, one_section(b, a), x, y, none};
  Backward out = begin_backward(filter_op(), given, need_filter, need_x, need_zi, shared);
  Tensor grad_b = empty_if(need_filter, out.of_sets, 3, b.options()),
         grad_a = empty_if(need_filter, out.of_sets, 3, b.options());
  const GivenSections grads =
      need_filter ? one_section(grad_b, grad_a) : GivenSections{grad_b, grad_a};
  backward_on_device(given, out.leading, shared, frames, grads, out.grad_x, out.grad_zi);
  return {grad_b, grad_a, out.grad_x, need_zi ? out.grad_zi.squeeze(-2) : out.grad_zi};
}

}  // namespace polezero
