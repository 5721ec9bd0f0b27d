// Arrays of a test on the emulated GPU: each an allocation of exactly its size, so that ptxrun sees
// every step outside. What a kernel has not written does not come back, so a test sees that too.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/cuda/launch.h"
#include "memory.h"
#include "ptxrun.h"

namespace polezero::test {

inline int processors = 2;  // of the GPU

class Gpu {
 public:
  Gpu() : context_{nullptr, processors, this, [](void* owner, size_t bytes) { return static_cast<Gpu*>(owner)->allocate(bytes); }} {}
  ~Gpu() {
    for (void* p : memory_) cudaFree(p);
  }
  Gpu(const Gpu&) = delete;

  const cuda::Context& context() const { return context_; }

  // Of `count` elements, or null.
  template <class T>
  const cuda::on_device_t<T>* in(const T* host, int64_t count) {
    if (host == nullptr) return nullptr;
    void* p = allocate(static_cast<size_t>(count) * sizeof(T));
    if (count > 0) cudaMemcpy(p, host, static_cast<size_t>(count) * sizeof(T), cudaMemcpyHostToDevice);
    return static_cast<const cuda::on_device_t<T>*>(p);
  }
  // Comes back; `given`: holds something before.
  template <class T>
  cuda::on_device_t<T>* out(T* host, int64_t count, bool given = false) {
    if (host == nullptr) return nullptr;
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    void* p = allocate(bytes);
    if (given && count > 0) cudaMemcpy(p, host, bytes, cudaMemcpyHostToDevice);
    back_.push_back({p, host, bytes, sizeof(T)});
    return static_cast<cuda::on_device_t<T>*>(p);
  }
  // Rows of `time` elements, `stride` apart.
  static int64_t extent(int64_t rows, int64_t time, int64_t stride) { return rows == 0 ? 0 : (rows - 1) * stride + time; }

  void finish() {
    for (const Back& b : back_) {
      const uint8_t* shadow = ptxrun::Arena::get().shadow(reinterpret_cast<uint64_t>(b.device));
      for (size_t i = 0; i < b.bytes; i += b.element) {
        if (shadow[i] & ptxrun::kWritten) std::memcpy(static_cast<char*>(b.host) + i, static_cast<char*>(b.device) + i, b.element);
      }
    }
    back_.clear();
  }

 private:
  void* allocate(size_t bytes) {
    void* p = nullptr;
    cudaMalloc(&p, bytes > 0 ? bytes : 1);
    memory_.push_back(p);
    return p;
  }
  struct Back {
    void *device, *host;
    size_t bytes, element;
  };
  cuda::Context context_;
  std::vector<void*> memory_;
  std::vector<Back> back_;
};

// What reaches every part of a complex number, whatever it is multiplied by.
template <class T>
T not_a_number() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(kNan);
  } else {
    using Part = typename T::value_type;
    return {static_cast<Part>(kNan), static_cast<Part>(kNan)};
  }
}

// How the blocks of a GPU come to run. A row is one block's alone where there are few processors, and its
// tiles look back at each other where there are many; chunks are as many as fill the processors.
struct Way {
  int processors, resident, seed, order;
};
inline constexpr Way kFewProcessors{1, 5, 1, 0}, kManyProcessors{300, 7, 4, 0};

// f() in each of the ways. POLEZERO_SEED=1, 2, .. are other seeds, and other orders of blocks.
template <class F>
void in_ways(std::initializer_list<Way> ways, F&& f) {
  static const int more = std::getenv("POLEZERO_SEED") != nullptr ? std::atoi(std::getenv("POLEZERO_SEED")) : 0;
  for (const Way& way : ways) {
    SCOPED_TRACE(::testing::Message() << way.processors << " processors, " << way.resident << " blocks at a time, seed " << way.seed);
    processors = way.processors;
    ptxrun_set("resident", way.resident);
    ptxrun_set("seed", way.seed + 10 * more);
    ptxrun_set("order", (way.order + more) % 3);
    f();
    if (::testing::Test::HasFatalFailure() || ptxrun_findings(nullptr) > 0) return;
  }
}
// For kernels whose blocks wait for each other, in each order of blocks..
template <class F>
void on_gpus(F&& f) {
  in_ways({kFewProcessors, {40, 2, 2, 2}, {40, 16, 3, 1}, kManyProcessors}, f);
}
// .. and for those whose blocks never meet.
template <class F>
void on_small_and_large_gpus(F&& f) {
  in_ways({kFewProcessors, kManyProcessors}, f);
}

}  // namespace polezero::test
