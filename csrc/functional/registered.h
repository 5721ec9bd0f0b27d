// The functions of polezero/functions.h as ops. They are composites of core ops, which have the
// derivatives.
#pragma once

#include "autograd/registration.h"
#include "polezero/functions.h"

namespace polezero::functional {

// Functions of a signal, and those of coefficients alone, which autocast leaves as precise as they
// are.
template <auto... functions>
struct OfSignals {};
template <auto... functions>
struct OfCoefficients {};

// Each file of functions ends in one: const Registered<OfSignals<&lfilter, ..>> registered;
template <class... Groups>
class Registered {
 public:
  Registered() { (add(Groups{}), ...); }

 private:
  template <auto... functions>
  void add(OfSignals<functions...>) {
    add(OfCoefficients<functions...>{});
    // before promotion: under it these compute in, and return, float32
    (kernels_.add_autocast<functions>(), ...);
  }
  template <auto... functions>
  void add(OfCoefficients<functions...>) {
    (add_composite<functions>(), ...);
  }
  template <auto function>
  void add_composite() {
    using Pointer =
        c10::CompileTimeFunctionPointer<std::remove_pointer_t<decltype(function)>, function>;
    kernels_.add<function>(c10::DispatchKey::CompositeImplicitAutograd, Pointer());
    // without this vmap would loop over a composite op
    kernels_.add<function>(c10::DispatchKey::FuncTorchBatchedDecomposition, Pointer());
  }

  autograd::Kernels kernels_;
};

}  // namespace polezero::functional
