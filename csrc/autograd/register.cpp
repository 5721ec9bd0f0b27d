// Every differentiable op, for every dispatch key that takes part in differentiation.
#include "autograd/differentiable.h"
#include "autograd/ops.h"

namespace polezero::autograd {

namespace {

template <class... Ops>
struct OpList {
  static void autograd(torch::Library& m) { (register_autograd<Ops>(m), ...); }
  static void vmap(torch::Library& m) { (register_vmap<Ops>(m), ...); }
  static void legacy_vmap(torch::Library& m) { (register_legacy_vmap<Ops>(m), ...); }
  template <c10::DeviceType device>
  static void autocast(torch::Library& m) {
    (register_autocast<Ops, device>(m), ...);
  }
};
using AllOps =
    OpList<LfilterForward, LfilterBackward, AllpoleForward, AllpoleBackward, SosfiltForward,
           SosfiltBackward, StateSpaceForward, LatticeForward, LatticeBackward, SparseAllpole,
           SparseFir, SparseProduct, ThiranDelay, SymmetricFilter, SplineEval, SplineUpsample,
           ModalBankForward, ModalCorrelation, Fir, Monic, LagProduct, LagCorrelation>;

}  // namespace

TORCH_LIBRARY_IMPL(polezero, Autograd, m) { AllOps::autograd(m); }
TORCH_LIBRARY_IMPL(polezero, FuncTorchBatched, m) { AllOps::vmap(m); }
TORCH_LIBRARY_IMPL(polezero, Batched, m) { AllOps::legacy_vmap(m); }
TORCH_LIBRARY_IMPL(polezero, AutocastCPU, m) { AllOps::autocast<at::kCPU>(m); }
TORCH_LIBRARY_IMPL(polezero, AutocastCUDA, m) { AllOps::autocast<at::kCUDA>(m); }

}  // namespace polezero::autograd
