#include "autograd/differentiable.h"
#include "autograd/ops.h"
#include "functional/arguments.h"
#include "functional/forms.h"
#include "functional/functions.h"

namespace polezero::functional {

using namespace polezero::autograd;

namespace {

void check_sections(const char* op, const Tensor& sos, int64_t core_dims) {
  TORCH_CHECK_VALUE(sos.dim() >= core_dims && sos.sym_size(-1) == 6 && sos.sym_size(-2) >= 1, op,
                    ": sos: expected [..., ", core_dims == 3 ? "T, " : "",
                    "sections, 6], got shape ", sos.sym_sizes());
}

// SciPy's states, [K, ...] with 2 values along `axis` (counted from the end), as [..., K, 2].
Tensor states_of(const char* op, const Tensor& zi, const c10::SymInt& K, int64_t axis,
                 const c10::SymDimVector& leading, const Promotion& type) {
  if (!zi.defined()) return zi;
  const bool has_axis = -axis < zi.dim();
  TORCH_CHECK_VALUE(has_axis && zi.sym_size(0) == K && zi.sym_size(axis) == 2, op,
                    ": zi: expected ", K,
                    " sections along axis 0 and 2 values along that of time, "
                    "got shape ",
                    zi.sym_sizes());
  const Tensor states = to_last(zi.to(type.compute), axis);
  check_broadcasts_to(op, {"zi", states.select(0, 0)}, leading);
  return states.movedim(0, -2);
}

}  // namespace

std::tuple<Tensor, Tensor> sosfilt(const Tensor& sos, const Tensor& x, const OptionalTensor& zi_,
                                   int64_t axis) {
  const char* op = "sosfilt";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"sos", sos}, {"zi", zi}});
  check_sections(op, sos, 2);
  axis = wrap_axis(op, axis, x);
  const Tensor samples = to_last(x.to(type.compute), axis);
  zi = states_of(op, zi, sos.sym_size(-2), axis,
                 broadcast_leading(op, {{"sos", sos, 2}, {"x", samples}}), type);
  const auto [y, zf] = call<SosfiltForward>({sos.to(type.compute), samples, zi}, {});
  return results(from_last(y, axis), zi.defined() ? from_last(zf.movedim(-2, 0), axis) : Tensor(),
                 type);
}

std::tuple<Tensor, Tensor> lpv_sosfilt(const Tensor& sos, const Tensor& x,
                                       const OptionalTensor& zi_) {
  const char* op = "lpv.sosfilt";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {{"x", x}, {"sos", sos}, {"zi", zi}});
  check_not_scalar(op, {"x", x});
  check_sections(op, sos, 3);
  const c10::SymInt T = x.sym_size(-1);
  TORCH_CHECK_VALUE(sos.sym_size(-3) == 1 || sos.sym_size(-3) == T, op, ": sos: expected T = ", T,
                    " or 1 along the last axis but two, got shape ", sos.sym_sizes());
  const int64_t K = sos.size(-2);
  zi = states_of(op, zi, K, -1, broadcast_leading(op, {{"sos", sos, 3}, {"x", x}}), type);
  const Tensor sections = sos.to(type.compute);
  Tensor y = x.to(type.compute);
  std::vector<Tensor> states;
  for (int64_t k = 0; k < K; ++k) {
    const Tensor section = sections.select(-2, k);
    const auto [b, a] = call<Monic>({section.slice(-1, 0, 3), section.slice(-1, 3, 6)}, {});
    const Filtered out = tdf2(b, a, y, zi.defined() ? zi.select(-2, k) : zi);
    y = out.y;
    states.push_back(out.state);
  }
  return results(y, zi.defined() ? at::stack(states, 0) : Tensor(), type);
}

}  // namespace polezero::functional
