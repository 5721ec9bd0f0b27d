// Derivatives of zero phase. Of the first order and reverse mode there is a fused backward; all
// others are those of the two filters.
#include "ops/zero_phase.h"

#include "autograd/differentiable.h"
#include "autograd/section_calls.h"

namespace polezero::autograd {

namespace {

struct ZeroPhaseForward : Op<&polezero::zero_phase_forward, 2, 2, 2, 2, 1> {
  static Saves saves(const Need& need) {
    const bool filter = need[0] || need[1] || need[2] || need[3];
    return {{true, true, true, true, filter}, {false}};
  }

  static In vjp(const Out& grads, const In& in, const Out&, const Attributes& attributes,
                const Need& need) {
    const auto& [b, a, zi, adjoint_zi, x] = in;
    const auto& [length, of_end, of_mirrored] = attributes;
    const bool filter = need[0] || need[1] || need[2] || need[3];
    Tensors<5> r = call<&polezero::zero_phase_backward>(
        {grads[0], b, a, zi, adjoint_zi, x}, {length, of_end, of_mirrored, filter, need[4]});
    for (size_t i = 0; i < 5; ++i) {
      if (!need[i]) r[i] = Tensor();
    }
    return r;
  }

  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [b, a, zi, adjoint_zi, x] = in;
    const auto& [length, of_end, of_mirrored] = attributes;
    return {
        zero_phase_composed<SectionCalls>({b, a, zi, adjoint_zi}, x, {length, of_end, of_mirrored})
            .to(x.scalar_type())};
  }
};

struct ZeroPhaseBackward : Op<&polezero::zero_phase_backward, 1, 2, 2, 2, 2, 1> {
  static Out unfused(const In& in, const Attributes& attributes) {
    const auto& [grad_y, b, a, zi, adjoint_zi, x] = in;
    const auto& [length, of_end, of_mirrored, need_filter, need_x] = attributes;
    Out r = zero_phase_backward_composed<SectionCalls>(
        grad_y, {b, a, zi, adjoint_zi}, x, {length, of_end, of_mirrored}, need_filter, need_x);
    r[4] = r[4].to(grad_y.scalar_type());
    return r;
  }
};

const Registered<ZeroPhaseForward, ZeroPhaseBackward> registered;

}  // namespace

}  // namespace polezero::autograd
