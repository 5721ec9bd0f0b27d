// The block of a GPU, or a group of its threads, as kernels/cuda/tile/scan.h wants it.
#pragma once

#include <cub/warp/warp_load.cuh>
#include <cub/warp/warp_store.cuh>
#include <cuda/atomic>

#include "kernels/cuda/threads.cuh"
#include "kernels/cuda/tile/lfilter_scan.h"

POLEZERO_ISA_BEGIN

// A row in the order in which it is filtered, as an iterator for CUB.
template <class T, int step>
class TimelineIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = std::remove_const_t<T>;
  using difference_type = int64_t;
  using pointer = T*;
  using reference = T&;

  __device__ explicit TimelineIterator(T* at) : at_(at) {}
  __device__ T& operator*() const { return *at_; }
  __device__ T& operator[](int64_t i) const { return at_[i * step]; }
  __device__ TimelineIterator operator+(int64_t i) const {
    return TimelineIterator(at_ + i * step);
  }

 private:
  T* at_;
};

// What a word holds before it is published.
inline constexpr unsigned long long kEmptyWord = ~0ull;

// Memory in which CUB turns the samples of so many lanes, or their coefficients, W for V samples,
// from the order of memory into a unit for each thread.
template <class T, int V, int W, int lanes>
struct WarpIo {
  template <int items>
  using Load = cub::WarpLoad<T, items, cub::WARP_LOAD_TRANSPOSE, lanes>;
  using Store = cub::WarpStore<T, V, cub::WARP_STORE_TRANSPOSE, lanes>;
  union Temp {
    typename Load<V>::TempStorage load;
    typename Load<W>::TempStorage load_coefficients;
    typename Store::TempStorage store;
  };
};

template <class T, int V, int width = kWarp, int W = V>
class DeviceBlock : public DeviceThreads<width> {
 public:
  using Io = WarpIo<T, V, W, width>;
  using Threads = DeviceThreads<width>;
  using Threads::warp, Threads::group, Threads::kWholeBlock;
  static constexpr int kSamples = V, kLanes = width;
  __device__ explicit DeviceBlock(typename Io::Temp* io)
      : io_(io[kWholeBlock ? warp() : group()]) {}

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
    const int64_t skip = begin + int64_t{warp()} * width * items;
    auto& temp =
        reinterpret_cast<typename Io::template Load<items>::TempStorage&>(io_);  // one of its kinds
    __syncwarp(mask());  // the memory may still be read from the call before
    typename Io::template Load<items>(temp).Load(TimelineIterator<const T, step>(&line[skip]), unit,
                                                 of_warp<items>(count), T(0));
  }
  template <int step>
  __device__ void store(const Timeline<T, step>& line, int64_t begin, int64_t count,
                        T (&samples)[V]) const {
    const int64_t skip = begin + int64_t{warp()} * width * V;
    __syncwarp(mask());
    typename Io::Store(io_.store).Store(TimelineIterator<T, step>(&line[skip]), samples,
                                        of_warp<V>(count));
  }

 private:
  using Threads::mask;
  using Atomic = ::cuda::atomic_ref<unsigned long long, ::cuda::thread_scope_device>;

  // The warp's share of the tile's.
  template <int items>
  __device__ int of_warp(int64_t count) const {
    const int64_t left = count - int64_t{warp()} * width * items;
    return static_cast<int>(left < 0 ? 0 : left < width * items ? left : width * items);
  }

  typename Io::Temp& io_;
};

POLEZERO_ISA_END
