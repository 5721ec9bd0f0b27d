// Constant direct forms up to order kLongestScan as a scan. Above it: lfilter_rows.cu.
#include "kernels/cuda/scan.cuh"

namespace polezero {
namespace gpu {
namespace {

// ---- coefficients

// One thread a filter.
template <class T, class Tb, class Ta>
__global__ void normalise_kernel(cuda::GivenFilters given, acc_t<T>* b, acc_t<T>* a, acc_t<T>* a0) {
  using A = acc_t<T>;
  const int64_t order = given.order_b > given.order_a ? given.order_b : given.order_a;
  for (int64_t f = cuda::grid_index(); f < given.count; f += cuda::grid_stride()) {
    const auto* from_b = static_cast<const Tb*>(given.b) + f * given.b_stride;
    const auto* from_a = static_cast<const Ta*>(given.a) + f * given.a_stride;
    const auto read = [&](const auto* p) {
      const A v = static_cast<A>(*p);
      return given.conjugate ? conjugate(v) : v;
    };
    const A first = given.a == nullptr || given.monic ? A(1) : read(from_a);
    a0[f] = first;
    for (int64_t k = 0; k <= order; ++k) {
      const A value = given.b != nullptr ? read(from_b + (k <= given.order_b ? k : 0)) : A(1);
      b[f * (order + 1) + k] = k <= given.order_b ? value / first : A(0);
    }
    for (int64_t i = 0; i < order; ++i) {
      const bool has = given.a != nullptr && i < given.order_a;
      a[f * order + i] = has ? read(from_a + i + (given.monic ? 0 : 1)) / first : A(0);
    }
  }
}

template <class T, int P>
__global__ void powers_kernel(Filters<T> filters, int64_t count, acc_t<T>* power) {
  using E = twofold_t<acc_t<T>>;
  __shared__ double work[2 * P * P * sizeof(E) / sizeof(double)];
  const DeviceThreads block;
  fill_powers<T, P>(block, filters, blockIdx.x, count, power + blockIdx.x * count * P * P,
                    reinterpret_cast<E*>(work));
}

template <class T>
struct Powers {
  const acc_t<T>* data = nullptr;
  int64_t filter_stride = 0;
};
template <class T, int P>
Powers<T> powers_of(const cuda::Context& context, const cuda::NormalisedOnDevice<T>& filters,
                    int64_t count) {
  if (filters.view.order_a == 0) return {};
  auto* power = context.array<acc_t<T>>(filters.count * count * P * P);
  powers_kernel<T, P>
      <<<static_cast<unsigned>(filters.count), 64, 0, context.stream>>>(filters.view, count, power);
  cuda::check(cudaGetLastError());
  return {power, filters.view.filter_stride * count * P * P};
}

// ---- the filters

// P: LfilterScan or LfilterAdjointScan
template <class T, int N, class P>
struct Lfilter {
  using Scalar = T;
  using Params = P;
  using Shared = ScanShared<LfilterCarry<T, N>>;
  static constexpr int kSamples = gpu::kSamples<T, N>;
  static constexpr int kBlocks = 2;  // leaves a thread the registers it needs
  template <class Block>
  __device__ static void run(Block& block, Shared& shared, const ScanPlan<acc_t<T>>& plan,
                             const Params& p, int64_t ticket) {
    lfilter_block<T, N>(block, shared, plan, p, ticket);
  }
};

// f(order known to the compiler), one that holds `order`.
template <class F>
void with_order(int64_t order, F&& f) {
  static_assert(kLongestScan == 2);
  order <= 1 ? f(std::integral_constant<int, 1>{}) : f(std::integral_constant<int, 2>{});
}

// ---- what follows the adjoint

// sum_n head[n] conj(past[k - n - 1]), n < k: lambda with the outputs before the row.
template <class T>
__device__ acc_t<T> sum_with_past(const acc_t<T>* head, const T* past, int64_t k) {
  acc_t<T> sum(0);
  for (int64_t n = 0; n < k; ++n) {
    sum += multiply(head[n], conjugate(static_cast<acc_t<T>>(past[k - n - 1])));
  }
  return sum;
}

// One warp for each gradient: the sums of the tiles in a fixed order.
template <class T>
__global__ void gradients_kernel(LfilterAdjointScan<T> p, int64_t tiles, const acc_t<T>* a0,
                                 cuda::LfilterGradients<T> out) {
  using A = acc_t<T>;
  const Filters<T>& f = p.filters;
  const int64_t order = f.order, sums = 2 * (order + 1);
  const DeviceThreads threads;
  for (int64_t i = cuda::grid_index() / kWarp; i < p.rows * sums;
       i += cuda::grid_stride() / kWarp) {
    const int64_t row = i / sums, k = i % sums % (order + 1);
    const bool of_a = i % sums > order;
    if ((of_a ? out.grad_a : out.grad_b) == nullptr || k > (of_a ? f.order_a : f.order_b)) continue;
    A sum(0);
    for (int64_t tile = threads.lane(); tile < tiles; tile += kWarp) {
      sum += p.sums[(row * tiles + tile) * sums + i % sums];
    }
    sum = warp_sum(threads, sum);
    if (threads.lane() != 0) continue;
    const A* head = p.head + row * order;
    const T* zi = out.zi != nullptr ? out.zi + row * order : nullptr;
    if (out.monic) {
      if (k == 0) continue;
      if (zi != nullptr) sum += sum_with_past(head, zi, k);
      out.grad_a[row * f.order_a + k - 1] = -sum;
      continue;
    }
    const A scale = A(1) / a0[row * f.filter_stride];
    if (!of_a) {
      out.grad_b[row * (f.order_b + 1) + k] = multiply(sum, scale);
      continue;
    }
    for (int64_t j = 0; k == 0 && j < order; ++j) {  // a_0 scales y - zi, and zf - zi at the end
      if (zi != nullptr) sum -= multiply(head[j], conjugate(static_cast<A>(zi[j])));
      if (out.zf != nullptr && p.grad_zf != nullptr) {
        sum += multiply(static_cast<A>(p.grad_zf[row * order + j]),
                        conjugate(static_cast<A>(out.zf[row * order + j])));
      }
    }
    out.grad_a[row * (f.order_a + 1) + k] = -multiply(sum, scale);
  }
}

template <class T>
__global__ void grad_zi_kernel(LfilterAdjointScan<T> p, bool monic, T* grad_zi) {
  using A = acc_t<T>;
  const int64_t order = p.filters.order;
  for (int64_t i = cuda::grid_index(); i < p.rows * order; i += cuda::grid_stride()) {
    const int64_t row = i / order, k = i % order;
    const A* head = p.head + row * order;
    A sum = head[k];
    if (monic) {  // past output k + 1 samples ago meets a_{n + k + 1} at sample n
      const A* a = p.filters.a + row * p.filters.filter_stride * order;
      sum = A(0);
      for (int64_t n = 0; n + k < order; ++n) sum -= multiply(a[n + k], head[n]);
    }
    grad_zi[i] = static_cast<T>(sum);
  }
}

}  // namespace
}  // namespace gpu

namespace cuda {

int use_device(int device) {
  int processors = 0;
  check(cudaSetDevice(device));
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  return processors;
}

template <class T>
NormalisedOnDevice<T> normalise(const Context& context, const GivenFilters& given) {
  using A = acc_t<T>;
  const int64_t order = std::max(given.order_b, given.order_a);
  A* b = context.array<A>(given.count * (order + 1));
  A* a = context.array<A>(given.count * order);
  A* a0 = context.array<A>(given.count);
  const auto kernel =
      given.wide_b ? given.wide_a ? gpu::normalise_kernel<T, A, A> : gpu::normalise_kernel<T, A, T>
      : given.wide_a ? gpu::normalise_kernel<T, T, A>
                     : gpu::normalise_kernel<T, T, T>;
  launch(context, given.count, kernel, given, b, a, a0);
  return {{given.order_b, given.order_a, order, given.count > 1 ? 1 : 0, b, a}, given.count, a0};
}

template <class T>
void lfilter_forward(const Context& context, const NormalisedOnDevice<T>& filters,
                     LfilterScan<T> p) {
  p.filters = filters.view;
  if (p.filters.order > kLongestScan) return lfilter_forward_rows(context, p);
  gpu::with_order(p.filters.order, [&](auto P) {
    const gpu::ScanShape shape(context, p.rows, p.time, gpu::kSamples<T, P>);
    const auto power = gpu::powers_of<T, P>(context, filters, shape.powers());
    gpu::launch_scan<gpu::Lfilter<T, P, LfilterScan<T>>>(context, shape, power.data,
                                                         power.filter_stride, p);
  });
}

template <class T>
void lfilter_backward(const Context& context, const NormalisedOnDevice<T>& filters,
                      LfilterAdjointScan<T> p, const LfilterGradients<T>& gradients) {
  using A = acc_t<T>;
  p.filters = filters.view;
  const int64_t order = p.filters.order;
  const bool with_sums = gradients.grad_b != nullptr || gradients.grad_a != nullptr;
  if (with_sums || gradients.grad_zi != nullptr) p.head = context.array<A>(p.rows * order);
  int64_t tiles = 1;
  const auto allocate_sums = [&] {
    if (with_sums) p.sums = context.array<A>(p.rows * tiles * 2 * (order + 1));
  };
  if (order > kLongestScan) {
    allocate_sums();
    lfilter_adjoint_rows(context, p);
  } else {
    gpu::with_order(order, [&](auto P) {
      const gpu::ScanShape shape(context, p.rows, p.time, gpu::kSamples<T, P>);
      tiles = shape.tiles;
      allocate_sums();
      const auto power = gpu::powers_of<T, P>(context, filters, shape.powers());
      gpu::launch_scan<gpu::Lfilter<T, P, LfilterAdjointScan<T>>>(context, shape, power.data,
                                                                  power.filter_stride, p);
    });
  }
  if (with_sums) {
    launch(context, p.rows * 2 * (order + 1) * gpu::kWarp, gpu::gradients_kernel<T>, p, tiles,
           filters.a0, gradients);
  }
  if (gradients.grad_zi != nullptr) {
    launch(context, p.rows * order, gpu::grad_zi_kernel<T>, p, gradients.monic, gradients.grad_zi);
  }
}

#define POLEZERO_INSTANTIATE(T)                                                                   \
  template NormalisedOnDevice<T> normalise<T>(const Context&, const GivenFilters&);               \
  template void lfilter_forward<T>(const Context&, const NormalisedOnDevice<T>&, LfilterScan<T>); \
  template void lfilter_backward<T>(const Context&, const NormalisedOnDevice<T>&,                 \
                                    LfilterAdjointScan<T>, const LfilterGradients<T>&);
POLEZERO_INSTANTIATE(float)
POLEZERO_INSTANTIATE(double)
POLEZERO_INSTANTIATE(std::complex<float>)
POLEZERO_INSTANTIATE(std::complex<double>)
#undef POLEZERO_INSTANTIATE

}  // namespace cuda
}  // namespace polezero
