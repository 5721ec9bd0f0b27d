// The power tables of constant filters (ConstantCarry in kernels/cuda/tile/scan.h).
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/cuda/launch_kernel.cuh"
#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/powers.h"

POLEZERO_ISA_BEGIN

template <class T, int P>
__global__ void powers_kernel(Filters<T> filters, int64_t count, acc_t<T>* power) {
  using Work = PowersWork<T, P>;
  __shared__ double work[sizeof(Work) / sizeof(double)];
  const DeviceThreads<> block;
  fill_powers<T, P>(block, filters, blockIdx.x, count, power + blockIdx.x * count * P * P,
                    reinterpret_cast<Work&>(work));
}

template <class T>
struct Powers {
  const acc_t<T>* data = nullptr;
  int64_t filter_stride = 0;
};
template <class T, int P>
Powers<T> powers_of(const cuda::Context& context, const NormalisedFilters<T>& filters,
                    int64_t count) {
  if (filters.view.order_a == 0) return {};
  auto* power = context.array<acc_t<T>>(filters.count * count * P * P);
  powers_kernel<T, P>
      <<<static_cast<unsigned>(filters.count), 64, 0, context.stream>>>(filters.view, count, power);
  cuda::check(cudaGetLastError());
  return {power, filters.view.filter_stride * count * P * P};
}

POLEZERO_ISA_END
