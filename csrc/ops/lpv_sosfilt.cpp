#include "ops/lpv_sosfilt.h"

#include <ATen/ATen.h>

#include "kernels/cpu/launch.h"
#include "ops/caller.h"
#include "ops/on_device.h"
#include "ops/tensors.h"
#include "params/lpv_sosfilt.h"

namespace polezero {

namespace {

constexpr const char* kOp = "lpv.sosfilt";

// Fewer rows than these that share their sections have each their own: side by side with others
// they fill the lanes of a vector.
constexpr int64_t kRowsThatShare = 4;

struct SymFrames {
  c10::SymInt hop, offset;
  bool linear;
};

void check_sections(const Tensor& sos, const Argument& signal, const SymFrames& frames) {
  check_coefficients(kOp, {"sos", sos}, signal, 6);
  TORCH_CHECK_VALUE(sos.dim() >= 3 && sos.sym_size(-1) == 6 && sos.sym_size(-2) >= 1, kOp,
                    ": sos: expected [..., T, sections, 6], got shape ", sos.sym_sizes());
  const auto& [hop, offset, linear] = frames;
  TORCH_CHECK_VALUE(hop >= 1, kOp, ": hop: expected at least 1, got ", hop);
  TORCH_CHECK_VALUE(offset >= 0 && offset < hop, kOp, ": offset: expected 0 .. ", hop - 1, ", got ",
                    offset);
  const c10::SymInt T = signal.tensor.sym_size(-1), F = sos.sym_size(-3);
  const c10::SymInt needed = (offset + T + hop - 1) / hop;
  TORCH_CHECK_VALUE(F >= needed, kOp, ": sos: expected at least ", needed, " frames of ", hop,
                    " samples along the last axis but two, got shape ", sos.sym_sizes());
}

void check_states(const Argument& state, const Argument& signal, const c10::SymInt& K) {
  if (!state.tensor.defined()) return;
  check_state(kOp, state, signal);
  TORCH_CHECK_VALUE(
      state.tensor.dim() >= 2 && state.tensor.sym_size(-2) == K && state.tensor.sym_size(-1) == 2,
      kOp, ": ", state.name, ": expected [..., ", K, ", 2], got shape ", state.tensor.sym_sizes());
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

// Sections [sets, F, K, 6], a set for all rows of the last `shared` leading dimensions.
template <class Call>
VaryingSections<typename Call::scalar> sections_of(Call& call, const Tensor& sos, int64_t shared,
                                                   const SymFrames& frames, bool* singular) {
  using T = typename Call::scalar;
  using A = typename Call::acc;
  const at::IntArrayRef leading = call.leading();
  Tensor sets = sos.resolve_conj().resolve_neg();
  for (int64_t i = 0; i < shared && sets.dim() > 3; ++i) sets = sets.select(-4, 0);
  at::DimVector sizes(leading.begin(), leading.end() - shared);
  sizes.append({sos.size(-3), sos.size(-2), sos.size(-1)});
  sets = sets.expand(sizes);
  VaryingSections<T> out{.count = sos.size(-2),
                         .frames = concrete(frames, sos),
                         .rows_per_set = std::max<int64_t>(rows_of_last(leading, shared), 1),
                         .singular = singular};
  if (!out.frames.of_every_sample()) sets = sets.to(acc_type(sets));
  sets = call.keep(sets.contiguous());
  const void* data = sets.const_data_ptr();
  if (sets.scalar_type() == acc_type(sets)) {
    out.wide_sos = static_cast<const A*>(data);
  } else {
    out.sos = static_cast<const T*>(data);
  }
  return out;
}

template <class Call>
void forward(Call& call, const Tensor& sos, const Tensor& x, const Tensor& zi,
             const SymFrames& frames, Tensor& y, Tensor& zf) {
  using T = typename Call::scalar;
  if (call.rows() == 0) return;
  const int64_t K = sos.size(-2), time = x.size(-1);
  int64_t shared = shared_dimensions(sos, x, zi);
  if (rows_of_last(call.leading(), shared) < kRowsThatShare) shared = 0;
  bool singular = false;  // which nobody asks a GPU
  const auto xs = call.signal(x);
  auto state = call.carried(flat(zi), 2 * K);
  const LpvSosfiltForwardParams<T> p{
      .sections = sections_of(call, sos, shared, frames, Call::on_cuda ? nullptr : &singular),
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
  TORCH_CHECK_VALUE(!singular, kOp, ": ", kA0OfSections, " != 0, got 0");
  call.put(state, zf);
}

// On a CPU the gradient of frames is that of each batch of rows first.
template <class T>
Tensor sums_of_batches(const VaryingSections<T>& sections, int64_t rows, const Tensor& sos) {
  const int64_t sets = rows / sections.rows_per_set;
  const int64_t batches =
      sections.rows_per_set == 1 ? sets : cpu::lpv_sosfilt_batches<T>(sections, rows);
  return at::zeros({sets, batches / sets, sos.size(-3), sos.size(-2), 6},
                   sos.options().dtype(acc_type(sos)));
}

// grad_sos has a row for each row of sections.
template <class Call>
void backward(Call& call, const Tensor& grad_y, const Tensor& grad_zf, const Tensor& sos,
              const Tensor& x, const Tensor& zi, int64_t shared, const SymFrames& frames,
              Tensor& grad_sos, Tensor& grad_x, Tensor& grad_zi) {
  using T = typename Call::scalar;
  using A = typename Call::acc;
  const bool need_sos = grad_sos.numel() > 0;
  const int64_t K = sos.size(-2), time = grad_y.size(-1);
  auto state = call.carried(flat(grad_zf), 2 * K);
  if (call.rows() * time == 0) {
    grad_sos.zero_();
    return call.put(state, grad_zi);
  }
  const auto gs = call.signal(grad_y), xs = call.signal(need_sos ? x : Tensor());
  const auto begin = call.carried(need_sos ? flat(zi) : Tensor(), 2 * K);
  LpvSosfiltBackwardParams<T> p{.sections = sections_of(call, sos, shared, frames, nullptr),
                                .rows = call.rows(),
                                .grad_y = gs.data,
                                .grad_y_stride = gs.stride,
                                .grad_x = mutable_data<T>(grad_x),
                                .grad_x_stride = time,
                                .state = state.data(),
                                .x = xs.data,
                                .x_stride = xs.stride};
  Tensor sums;
  if (need_sos && !Call::on_cuda && !p.sections.frames.of_every_sample()) {
    sums = sums_of_batches(p.sections, p.rows, sos);
    p.sums = mutable_data<A>(sums);
  } else if (need_sos && grad_sos.scalar_type() == acc_type(grad_sos)) {
    p.wide_grad_sos = mutable_data<A>(grad_sos);
  } else if (need_sos) {
    p.grad_sos = mutable_data<T>(grad_sos);
  }
  if constexpr (Call::on_cuda) {
    cuda::lpv_sosfilt_backward(call.context(), p, begin.data(), time);
  } else {
    // frames behind the last sample
    if (need_sos) grad_sos.slice(-3, std::min(time, sos.size(-3))).zero_();
    cpu::lpv_sosfilt_backward(p, begin.data(), time);
  }
  if (sums.defined()) grad_sos.copy_(sums.sum(1).view(grad_sos.sizes()));
  call.put(state, grad_zi);
}

}  // namespace

int64_t shared_dimensions(const Tensor& sos, const Tensor& x, const Tensor& zi) {
  int64_t rank = std::max(sos.dim() - 3, x.dim() - 1);
  if (zi.defined()) rank = std::max(rank, zi.dim() - 2);
  int64_t shared = 0;
  while (shared < rank) {
    const int64_t d = sos.dim() - 4 - shared;
    if (d >= 0 && sos.sym_size(d) != 1) break;
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
  on_device(kOp, x, leading, [&](auto& call) { forward(call, sos, x, zi, frames, y, zf); });
  return {y, zf};
}

std::tuple<Tensor, Tensor, Tensor> lpv_sosfilt_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf_, const Tensor& sos,
    const OptionalTensor& x_, const OptionalTensor& zi_, bool need_sos, bool need_x, bool need_zi,
    int64_t shared, c10::SymInt hop, c10::SymInt offset, bool linear) {
  const Tensor grad_zf = value_or_undefined(grad_zf_), x = value_or_undefined(x_),
               zi = value_or_undefined(zi_);
  const Argument signal{"grad_y", grad_y};
  const SymFrames frames{std::move(hop), std::move(offset), linear};
  check_signal(kOp, signal);
  check_sections(sos, signal, frames);
  TORCH_CHECK_VALUE(!need_sos || x.defined(), kOp, ": x: expected a tensor for grad_sos, got None");
  const c10::SymInt K = sos.sym_size(-2), T = grad_y.sym_size(-1);
  check_states({"grad_zf", grad_zf}, signal, K);
  check_states({"zi", zi}, signal, K);
  check_like(kOp, {"x", x}, signal);
  check_last(kOp, {"x", x}, T, "T");
  const auto leading = broadcast_leading(
      kOp, {signal, {"grad_zf", grad_zf, 2}, {"sos", sos, 3}, {"x", x}, {"zi", zi, 2}});
  const auto rank = static_cast<int64_t>(leading.size());
  TORCH_CHECK_VALUE(shared >= 0 && shared <= rank, kOp, ": shared: expected 0 .. ", rank, ", got ",
                    shared);
  for (int64_t i = 0; i < shared; ++i) {
    const int64_t d = sos.dim() - 4 - i;
    TORCH_CHECK_VALUE(d < 0 || sos.sym_size(d) == 1, kOp,
                      ": shared: expected dimensions of size 1 "
                      "of sos, got ",
                      sos.sym_sizes());
  }
  const auto wide = grad_y.options().dtype(acc_type(grad_y));
  const auto of_sections = with_last(leading, K);
  c10::SymDimVector of_sets(leading.begin(), leading.end() - shared);
  of_sets.append({sos.sym_size(-3), K});
  Tensor grad_sos = empty_if(need_sos, of_sets, 6, sos.options()),
         grad_x = empty_if(need_x, leading, T, grad_y.options()),
         grad_zi = empty_if(need_zi, of_sections, 2, wide);
  on_device(kOp, grad_y, leading, [&](auto& call) {
    const int64_t rows = rows_of_last(call.leading(), shared);
    if (need_sos && rows > 1 && rows < kRowsThatShare) {
      at::DimVector sizes(call.leading());
      sizes.append({sos.size(-3), sos.size(-2), 6});
      Tensor of_rows = at::empty(sizes, sos.options());
      backward(call, grad_y, grad_zf, sos, x, zi, 0, frames, of_rows, grad_x, grad_zi);
      grad_sos.copy_(of_rows.flatten(rank - shared, rank - 1).sum(rank - shared));
    } else {
      const int64_t together = rows < kRowsThatShare && !need_sos ? 0 : shared;
      backward(call, grad_y, grad_zf, sos, x, zi, together, frames, grad_sos, grad_x, grad_zi);
    }
  });
  return {grad_sos, grad_x, grad_zi};
}

}  // namespace polezero
