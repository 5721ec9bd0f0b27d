#pragma once

#include <cstdint>

namespace polezero {

// What one call of a kernel works on: rows [row_begin, row_end) and samples [time_begin, time_end).
// Strides are in elements; the stride of time is 1.
struct Range {
  int64_t row_begin, row_end;
  int64_t time_begin, time_end;
};

}  // namespace polezero
