// What filters with long delays keep of the past: a line of values that is moved on a tile at a
// time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "math/isa.h"

POLEZERO_ISA_BEGIN

// Positions count in the order of filtering; sample n is at position n or, backwards, at last - n,
// and a line lies in memory in the order of n either way.
template <class A, int step>
class DelayLine {
 public:
  // `behind` positions before those in hand stay, and `ahead` after them may be written to.
  DelayLine(int64_t behind, int64_t ahead, int64_t time)
      : behind_(std::min(behind, time)),
        ahead_(std::min(ahead, time)),
        tile_(std::min(std::max(kTile, behind_ + ahead_), time)),
        line_(behind_ + tile_ + ahead_, A(0)),
        now_(line_.data() + (step > 0 ? behind_ : ahead_ + tile_ - 1)) {}

  int64_t tile() const { return tile_; }
  // The value at position i of the tile in hand.
  A* at(int64_t i) { return now_ + step * i; }
  // The tile that was in hand had `tile()` positions: the next one.
  void advance() {
    const int64_t keep = behind_ + ahead_;
    A* to = step > 0 ? line_.data() : line_.data() + tile_;
    const A* from = step > 0 ? line_.data() + tile_ : line_.data();
    std::memmove(static_cast<void*>(to), from, keep * sizeof(A));
    if (ahead_ > 0) std::fill_n(step > 0 ? line_.data() + keep : line_.data(), tile_, A(0));
  }

 private:
  static constexpr int64_t kTile = 2048;
  int64_t behind_, ahead_, tile_;
  std::vector<A> line_;
  A* now_;
};

POLEZERO_ISA_END
