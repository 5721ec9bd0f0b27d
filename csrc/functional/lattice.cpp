// Filters out of the normalised lattice, whose stages are rotations: whatever k does from sample to
// sample, the energy in the states grows by no more than that of x / (c_1 .. c_N).
#include "ops/lattice.h"

#include "autograd/calls.h"
#include "functional/arguments.h"
#include "functional/forms.h"
#include "functional/frames.h"
#include "functional/registered.h"

namespace polezero {

using namespace functional;
using autograd::call;

Filtered functional::lattice(const Tensor& k, const Tensor& taps, const Tensor& x,
                             const Tensor& zi) {
  const auto [z, zf] =
      call<&polezero::lattice_forward>({k, x.unsqueeze(-2), zi}, {taps.defined(), false});
  return {taps.defined() ? (taps.mT() * z).sum(-2) : z.squeeze(-2), zf};
}

std::tuple<Tensor, Tensor> lpv::lattice(const Tensor& given, const Tensor& x,
                                        const OptionalTensor& zi_, const OptionalTensor& taps_,
                                        std::optional<c10::SymInt> hop,
                                        std::string_view interpolation, c10::SymInt offset) {
  const char* op = "lpv.lattice";
  const Frames frames(op, hop, interpolation, offset);
  const Tensor k = frames.of_samples({"k", given}, x),
               taps = frames.of_samples({"taps", value_or_undefined(taps_)}, x);
  Tensor zi = value_or_undefined(zi_);
  const Promotion type = promote(op, {"x", x}, {{"k", k}, {"taps", taps, 1, false, true}}, zi,
                                 read_where_constant({k, taps}, -2, /*states=*/true));
  check_not_scalar(op, {"x", x});
  const c10::SymInt T = x.sym_size(-1);
  check_not_empty(op, {"k", k});
  check_time_axis(op, {"k", k}, T);
  const c10::SymInt N = k.sym_size(-1);
  if (taps.defined()) {
    check_not_scalar(op, {"taps", taps});
    check_time_axis(op, {"taps", taps}, T);
    check_last(op, {"taps", taps}, N + 1, "N + 1");
  }
  broadcast_leading(op, {{"k", k, 2}, {"taps", taps, 2}, {"x", x}});
  zi = past_of(op, zi, N, {{"k", k, 2}, {"x", x}}, type);
  const Filtered out =
      functional::lattice(k.to(type.coefficient(k)), taps.defined() ? taps.to(type.compute) : taps,
                          x.to(type.compute), zi);
  return results(out.y, zi.defined() ? out.state : Tensor(), type);
}

const Registered<OfSignals<&lpv::lattice>> registered;

}  // namespace polezero
