// The table of csrc/kernels/cpu/modal.cpp.
#pragma once

#include "kernels/cpu/table.h"
#include "params/modal.h"

namespace polezero {

// Whole rows; signals are real.
template <class T>
struct ModalKernels {
  void (*bank)(const ModalBankParams<T>&, const Range&);
  void (*correlation)(const ModalCorrelationParams<T>&, const Range&);
};

}  // namespace polezero

POLEZERO_TABLES(modal, RealTable<ModalKernels>)
