// Products of signals at time-varying lags on the CPU.
#include "kernels/cpu/lag_product.h"

#include "kernels/cpu/lag_product_kernel.h"

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LagProductKernels<T> kernels{.multiply = lag_product<T>};
}  // namespace

constinit const FullTable<LagProductKernels> lag_product_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
