// How a scan is launched on the emulated GPU, as csrc/kernels/cuda/scan.cuh does it on one.
#pragma once

#include "emulated_block.h"
#include "kernels/cuda/tile/powers.h"
#include "reference.h"

namespace polezero::test {

using namespace host;

struct Launch {
  int warps = 2, resident = 2;
  bool look_back = true;
  unsigned delay = 0;
  int lanes = kWarp;
};
inline constexpr Launch kWholeRow{.look_back = false};
inline constexpr Launch kGroup{.warps = 1, .look_back = false, .lanes = 8};

// The plan, and the memory that tiles publish in: `messages` of `words` numbers a tile.
template <class A>
struct PreparedTiles {
  std::vector<double> words;
  ScanPlan<A> plan{};
  int64_t tickets;

  PreparedTiles(const Launch& launch, int64_t rows, int64_t time, int samples, int64_t messages,
                int64_t message_words) {
    plan.tile = int64_t{launch.lanes} * launch.warps * samples;
    plan.tiles = (time + plan.tile - 1) / plan.tile;
    tickets = launch.look_back ? rows * plan.tiles : rows;
    plan.row_words = messages * node_count(plan.tiles) * message_words;
    words.assign(rows * plan.row_words, std::bit_cast<double>(kEmptyWord));
    plan.words = launch.look_back ? words.data() : nullptr;
  }
};

// The tiles, with the powers of `filter_count` filters of order P.
template <class T, int P>
struct Prepared : PreparedTiles<acc_t<T>> {
  using A = acc_t<T>;
  using PreparedTiles<A>::plan;
  std::vector<A> power;

  Prepared(const Launch& launch, const Filters<T>& filters, int64_t filter_count, int64_t rows,
           int64_t time, int64_t messages = 1)
      : PreparedTiles<A>(launch, rows, time, kSamples<T>, messages, kWords<StateVector<A, P>>) {
    const int64_t powers = power_count(plan.tiles * launch.lanes * launch.warps);
    power.resize(filter_count * powers * P * P);
    run_grid<PowersWork<T, P>>(
        filter_count, launch.warps, 1, 0, [&](auto& block, auto& memory, int64_t f) {
          fill_powers<T, P>(block, filters, f, powers, power.data() + f * powers * P * P, memory);
        });
    plan.power = power.data();
    plan.filter_stride = filter_count > 1 ? powers * P * P : 0;
  }
};

}  // namespace polezero::test
