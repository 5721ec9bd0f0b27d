#include "ops/sosfilt.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/forms.h"
#include "functional/frames.h"
#include "functional/registered.h"
#include "ops/caller.h"
#include "ops/lpv_sosfilt.h"

namespace polezero {

using namespace functional;
using autograd::call;

namespace {

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
  const Tensor states = to_last(zi.to(type.coefficient(zi)), axis);
  check_broadcasts_to(op, {"zi", states.select(0, 0)}, leading);
  return states.movedim(0, -2);
}

// Sections [..., T or 1, K, 6], or of frames; returns the states as above.
Tensor check_over_time(const char* op, const Tensor& sos, const Tensor& x, const Tensor& zi,
                       const Promotion& type, bool frames = false) {
  check_not_scalar(op, {"x", x});
  check_sections(op, sos, 3);
  const c10::SymInt T = x.sym_size(-1);
  TORCH_CHECK_VALUE(frames || sos.sym_size(-3) == 1 || sos.sym_size(-3) == T, op,
                    ": sos: expected T = ", T, " or 1 along the last axis but two, got shape ",
                    sos.sym_sizes());
  return states_of(op, zi, sos.sym_size(-2), -1, broadcast_leading(op, {{"sos", sos, 3}, {"x", x}}),
                   type);
}

}  // namespace

std::tuple<Tensor, Tensor> sosfilt(const Tensor& sos, const Tensor& x, int64_t axis,
                                   const OptionalTensor& zi_) {
  const char* op = "sosfilt";
  Tensor zi = value_or_undefined(zi_);
  const Promotion type =
      promote(op, {"x", x}, {{"sos", sos}}, zi, {.coefficients = true, .states = true});
  check_sections(op, sos, 2);
  axis = wrap_axis(op, axis, {"x", x});
  const Tensor samples = to_last(x.to(type.compute), axis);
  zi = states_of(op, zi, sos.sym_size(-2), axis,
                 broadcast_leading(op, {{"sos", sos, 2}, {"x", samples}}), type);
  const auto [y, zf] =
      call<&polezero::sosfilt_forward>({sos.to(type.coefficient(sos)), samples, zi}, {});
  return results(from_last(y, axis), zi.defined() ? from_last(zf.movedim(-2, 0), axis) : Tensor(),
                 type);
}

std::tuple<Tensor, Tensor> lpv::sosfilt(const Tensor& sos, const Tensor& x,
                                        const OptionalTensor& zi_, std::optional<c10::SymInt> hop,
                                        std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.sosfilt";
  const Caller caller(op, kA0OfSections);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type =
      promote(op, {"x", x}, {{"sos", sos}}, zi, {.coefficients = true, .states = true});
  const Frames frames(op, hop, interpolation, offset);
  zi = check_over_time(op, sos, x, zi, type, frames.given());
  const Tensor sections = sos.to(type.coefficient(sos)), samples = x.to(type.compute);
  const bool constant = !frames.given() && sos.sym_size(-3) == 1;
  const auto [y, zf] =
      constant ? call<&polezero::sosfilt_forward>({sections.squeeze(-3), samples, zi}, {})
               : call<&polezero::lpv_sosfilt_forward>({sections, samples, zi}, frames.attributes());
  return results(y, zi.defined() ? zf.movedim(-2, 0) : Tensor(), type);
}

// A section (b_0 + b_1 z^-1 + b_2 z^-2) / (1 + a_1 z^-1 + a_2 z^-2) as a lattice of two stages with
// a ladder. |k| < 1 is the triangle in which a section is stable (A. H. Gray, J. D. Markel,
// "Digital lattice and ladder filter synthesis", IEEE Trans. Audio Electroacoust. 21(6), 1973).
std::tuple<Tensor, Tensor> lpv::parallel(const Tensor& given, const Tensor& x,
                                         const OptionalTensor& zi_, std::optional<c10::SymInt> hop,
                                         std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.parallel";
  const Tensor sos =
      Frames(op, hop, interpolation, offset).of_samples({"sos", given}, x, /*own=*/3);
  const Caller caller(op, kA0OfSections);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"sos", sos}}, zi, read_where_constant(sos, -3));
  zi = check_over_time(op, sos, x, zi, type);
  // Close to the circle k_1 of complex sections is a quotient of small differences.
  const bool is_constant = sos.sym_size(-3) == 1,
             is_wide = is_constant || at::isComplexType(type.compute);
  // [..., K, T or 1, 6]
  const Tensor sections = sos.to(type.quotient(is_wide)).movedim(-2, -3);
  const auto [b, a] = autograd::monic(sections.slice(-1, 0, 3), sections.slice(-1, 3, 6));
  const Tensor a1 = a.select(-1, 0), a2 = a.select(-1, 1);
  // a_1 = k_1 + k_2 conj(k_1), a_2 = k_2
  const Tensor k1 =
      a.is_complex() ? (a1 - a2 * conjugated(a1)) / (1 - a2 * conjugated(a2)) : a1 / (1 + a2);
  const Tensor v2 = b.select(-1, 2), v1 = b.select(-1, 1).addcmul(v2, conjugated(a1), -1),
               v0 = b.select(-1, 0).addcmul(v1, conjugated(k1), -1).addcmul(v2, conjugated(a2), -1);
  const Tensor k = at::stack({k1, a2}, -1).to(is_constant ? k1.scalar_type() : type.compute);
  const Filtered out = functional::lattice(k, at::stack({v0, v1, v2}, -1).to(type.compute),
                                           x.to(type.compute).unsqueeze(-2), zi);
  return results(out.y.sum(-2), zi.defined() ? out.state.movedim(-2, 0) : Tensor(), type);
}

const Registered<OfSignals<&sosfilt, &lpv::sosfilt, &lpv::parallel>> registered;

}  // namespace polezero
