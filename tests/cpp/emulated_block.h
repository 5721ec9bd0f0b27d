// A GPU, emulated: every thread of a block is a thread of the host, a warp exchanges through memory
// and barriers, several blocks run at once and take tiles by ticket. Under ThreadSanitizer a
// missing barrier is a data race. What it cannot show is in docs/cuda.md.
#pragma once

#include <atomic>
#include <barrier>
#include <bit>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "kernels/cuda/tile/scan.h"

namespace polezero::test {

using host::kWarp;

// What the threads of a block share.
class EmulatedSharedBlock {
 public:
  EmulatedSharedBlock(int warps, int lanes)
      : lanes_(lanes), all_(warps * lanes), slots_(warps * lanes) {
    for (int i = 0; i < warps; ++i) of_warp_.push_back(std::make_unique<std::barrier<>>(lanes));
  }

 private:
  friend class EmulatedBlock;
  static constexpr int kMostWords = 96;
  struct Slot {
    double words[kMostWords];
  };
  int lanes_;
  std::barrier<> all_;
  std::vector<std::unique_ptr<std::barrier<>>> of_warp_;
  std::vector<Slot> slots_;
};

inline constexpr uint64_t kEmptyWord = ~uint64_t{0};

// The block as one of its threads sees it.
class EmulatedBlock {
 public:
  EmulatedBlock(EmulatedSharedBlock& shared, int thread, unsigned delay)
      : shared_(shared), thread_(thread), delay_(delay), random_(thread) {}

  int thread() const { return thread_; }
  int threads() const { return warps() * lanes(); }
  int lanes() const { return shared_.lanes_; }
  int lane() const { return thread_ % lanes(); }
  int warp() const { return thread_ / lanes(); }
  int warps() const { return static_cast<int>(shared_.of_warp_.size()); }
  void sync() { shared_.all_.arrive_and_wait(); }

  void shuffle_up(const double* from, double* to, int words, int distance) {
    exchange(from, to, words, lane() >= distance ? lane() - distance : lane());
  }
  void shuffle(const double* from, double* to, int words, int lane) {
    exchange(from, to, words, lane);
  }

  void publish(double* word, double value) {
    if (delay_ > 0) std::this_thread::sleep_for(std::chrono::microseconds(random_() % delay_));
    auto bits = std::bit_cast<uint64_t>(value);
    if (bits == kEmptyWord) bits = std::bit_cast<uint64_t>(std::nan(""));
    as_atomic(word).store(bits, std::memory_order_relaxed);
  }
  double receive(const double* word) {
    uint64_t bits;
    while ((bits = as_atomic(word).load(std::memory_order_relaxed)) == kEmptyWord) {
      std::this_thread::yield();
    }
    return std::bit_cast<double>(bits);
  }

  template <class Line, class T, int V>
  void load(const Line& line, int64_t begin, int64_t count, T (&samples)[V]) const {
    for (int i = 0; i < V; ++i) {
      const int64_t n = int64_t{thread_} * V + i;
      samples[i] = n < count ? line[begin + n] : T(0);
    }
  }
  template <class Line, class T, int V>
  void store(const Line& line, int64_t begin, int64_t count, const T (&samples)[V]) const {
    for (int i = 0; i < V; ++i) {
      const int64_t n = int64_t{thread_} * V + i;
      if (n < count) line[begin + n] = samples[i];
    }
  }

 private:
  static std::atomic_ref<uint64_t> as_atomic(const double* word) {
    return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(const_cast<double*>(word)));
  }
  void exchange(const double* from, double* to, int words, int source) {
    double* mine = shared_.slots_[thread_].words;
    std::copy_n(from, words, mine);
    auto& barrier = *shared_.of_warp_[warp()];
    barrier.arrive_and_wait();
    std::copy_n(shared_.slots_[warp() * lanes() + source].words, words, to);
    barrier.arrive_and_wait();
  }

  EmulatedSharedBlock& shared_;
  int thread_;
  unsigned delay_;
  std::minstd_rand random_;
};

// A block of one thread.
struct OneThread {
  static int thread() { return 0; }
  static int threads() { return 1; }
  static void sync() {}
};

// Calls body(block, its memory, ticket) for the tickets 0..tickets-1 in every thread of the block
// that draws one; `resident` blocks run at once. Fewer lanes than a warp has: a group of them.
template <class Memory, class Body>
void run_grid(int64_t tickets, int warps, int resident, unsigned delay, Body&& body,
              int lanes = kWarp) {
  std::atomic<int64_t> next = 0;
  std::vector<std::thread> threads;
  struct Resident {
    EmulatedSharedBlock shared;
    Memory memory{};
    int64_t ticket = 0;
    Resident(int w, int l) : shared(w, l) {}
  };
  std::vector<std::unique_ptr<Resident>> blocks;
  for (int b = 0; b < resident; ++b) {
    Resident& at = *blocks.emplace_back(std::make_unique<Resident>(warps, lanes));
    for (int t = 0; t < warps * lanes; ++t) {
      threads.emplace_back([&, t] {
        EmulatedBlock block(at.shared, t, delay);
        for (;;) {
          if (t == 0) at.ticket = next++;
          block.sync();
          const int64_t ticket = at.ticket;
          if (ticket >= tickets) return;
          body(block, at.memory, ticket);
          block.sync();
        }
      });
    }
  }
  for (std::thread& t : threads) t.join();
}

}  // namespace polezero::test
