// The kernels of an op, for each scalar type, once per instruction set. <op>.h declares its table,
// <op>.cpp, which is compiled once per instruction set and without Torch, makes it; nothing else
// leaves that object file.
#pragma once

#include <array>
#include <complex>

#include "kernels/cpu/capability.h"

namespace polezero {

// Kernels of one op in one instruction set, a struct of function pointers for each scalar type.
template <template <class> class Kernels, class... Scalars>
struct Table : Kernels<Scalars>... {
  template <class T>
  constexpr const Kernels<T>& of() const {
    return *this;
  }
};
template <template <class> class Kernels>
using RealTable = Table<Kernels, float, double>;
template <template <class> class Kernels>
using FullTable = Table<Kernels, float, double, std::complex<float>, std::complex<double>>;

}  // namespace polezero

// Declares the tables of an op, and cpu::<op>_kernels<T>(), by default of the instruction set that
// this process uses.
#if defined(__x86_64__)
#define POLEZERO_TABLES(op, Tables)                                                     \
  namespace polezero {                                                                  \
  namespace baseline {                                                                  \
  extern const Tables op##_table;                                                       \
  }                                                                                     \
  namespace avx2 {                                                                      \
  extern const Tables op##_table;                                                       \
  }                                                                                     \
  namespace avx512 {                                                                    \
  extern const Tables op##_table;                                                       \
  }                                                                                     \
  namespace cpu {                                                                       \
  template <class T>                                                                    \
  const auto& op##_kernels(InstructionSet set = cpu_capability()) {                     \
    const std::array<const Tables*, 3> tables{&baseline::op##_table, &avx2::op##_table, \
                                              &avx512::op##_table};                     \
    return tables[static_cast<size_t>(set)]->template of<T>();                          \
  }                                                                                     \
  }                                                                                     \
  }
#else
#define POLEZERO_TABLES(op, Tables)                                      \
  namespace polezero {                                                   \
  namespace baseline {                                                   \
  extern const Tables op##_table;                                        \
  }                                                                      \
  namespace cpu {                                                        \
  template <class T>                                                     \
  const auto& op##_kernels(InstructionSet = InstructionSet::kBaseline) { \
    return baseline::op##_table.template of<T>();                        \
  }                                                                      \
  }                                                                      \
  }
#endif
