// The block of a GPU, or a group of its threads, as kernels/cuda/tile/scan.h wants it.
#pragma once

#include <cuda/atomic>

#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/lfilter_scan.h"

POLEZERO_ISA_BEGIN

// What a word holds before it is published.
inline constexpr unsigned long long kEmptyWord = ~0ull;

// Memory in which the items of `lanes` threads are turned from the order of memory into a unit for
// each thread. After every 128 bytes one item is left out, so that the lanes of a warp are at
// different banks both in the order of memory and in that of units, whose items are a power of two.
template <class T, int lanes, int most>
class Exchange {
 public:
  // Item `first + k`, where `first` is a multiple of `step`, or below it and k its multiple.
  template <int step>
  __device__ T& at(unsigned first, unsigned k) {
    constexpr bool kApart =
        kLine % step == 0 || step % kLine == 0;  // no carry from one to the other
    return items_[kApart ? padded(first) + padded(k) : padded(first + k)];
  }

 private:
  static constexpr unsigned kLine = 128 / sizeof(T);
  __host__ __device__ static constexpr unsigned padded(unsigned i) { return i + i / kLine; }
  T items_[padded(lanes * most - 1) + 1];
};

template <class T, int V, int width = kWarp, int W = V>
class DeviceBlock : public DeviceThreads<width> {
 public:
  using Io = Exchange<T, width, (V > W ? V : W)>;
  using Threads = DeviceThreads<width>;
  using Threads::warp, Threads::group, Threads::kWholeBlock;
  static constexpr int kSamples = V, kLanes = width;
  __device__ explicit DeviceBlock(Io* io) : io_(io[kWholeBlock ? warp() : group()]) {}

  __device__ void publish(double* word, double value) const {
    auto bits = static_cast<unsigned long long>(__double_as_longlong(value));
    if (bits == kEmptyWord) bits = 0x7ff8000000000000ull;
#if defined(POLEZERO_STRESS)  // for tests: a delay that differs from block to block and run to run
    __nanosleep(static_cast<unsigned>(clock64() * 2654435761u) % 20000u);
#endif
    Atomic(*reinterpret_cast<unsigned long long*>(word)).store(bits, ::cuda::memory_order_relaxed);
  }
  __device__ double receive(const double* word) const {
    const Atomic atomic(*reinterpret_cast<unsigned long long*>(const_cast<double*>(word)));
    unsigned long long bits;
    while ((bits = atomic.load(::cuda::memory_order_relaxed)) == kEmptyWord) {
    }
    return __longlong_as_double(static_cast<long long>(bits));
  }

  // `count` items from `begin` on, so many in each thread's unit.
  template <int step, int items>
  __device__ void load(const Timeline<const T, step>& line, int64_t begin, int64_t count,
                       T (&unit)[items]) const {
    const int exist = of_warp<items>(count);
    const T* from = &line[begin + int64_t{warp()} * width * items + this->lane()];
    for_items<items>(exist,
                     [&](int k, bool exists) { unit[k] = exists ? from[k * width * step] : T(0); });
    __syncwarp(mask());  // the memory may still be read from the call before
    for (int k = 0; k < items; ++k) io_.template at<width>(this->lane(), k * width) = unit[k];
    __syncwarp(mask());
    for (int k = 0; k < items; ++k) unit[k] = io_.template at<items>(this->lane() * items, k);
  }
  template <int step>
  __device__ void store(const Timeline<T, step>& line, int64_t begin, int64_t count,
                        const T (&samples)[V]) const {
    const int exist = of_warp<V>(count);
    T* to = &line[begin + int64_t{warp()} * width * V + this->lane()];
    __syncwarp(mask());
    for (int k = 0; k < V; ++k) io_.template at<V>(this->lane() * V, k) = samples[k];
    __syncwarp(mask());
    for_items<V>(exist, [&](int k, bool exists) {
      if (exists) to[k * width * step] = io_.template at<width>(this->lane(), k * width);
    });
  }

 private:
  using Threads::mask;
  using Atomic = ::cuda::atomic_ref<unsigned long long, ::cuda::thread_scope_device>;

  // f(k, whether it exists) for the items lane + k * width of the warp, the first `exist` of which
  // do.
  template <int items, class F>
  __device__ void for_items(int exist, F&& f) const {
    if (exist == width * items) {  // all but the last of a row
      POLEZERO_UNROLLED
      for (int k = 0; k < items; ++k) f(k, true);
    } else {
      POLEZERO_UNROLLED
      for (int k = 0; k < items; ++k) f(k, this->lane() + k * width < exist);
    }
  }
  // The warp's share of the tile's.
  template <int items>
  __device__ int of_warp(int64_t count) const {
    const int64_t left = count - int64_t{warp()} * width * items;
    return static_cast<int>(left < 0 ? 0 : left < width * items ? left : width * items);
  }

  Io& io_;
};

POLEZERO_ISA_END
