// Filters of up to 16 states in the registers: the kernels know so many states, and coefficients
// are padded to them.
#pragma once

#include <type_traits>

#include "math/isa.h"

POLEZERO_ISA_BEGIN

// Above this order the serial filter, which is SIMD along its state, does less arithmetic than
// blocks, and the states of rows side by side do not fit in the registers.
inline constexpr int64_t kMaxOrder = 16;

// f(P) with the least P that holds the states of an order up to kMaxOrder.
template <class F>
void with_padded_order(int64_t order, F&& f) {
  if (order <= 2) {
    f(std::integral_constant<int, 2>{});
  } else if (order <= 4) {
    f(std::integral_constant<int, 4>{});
  } else if (order <= 8) {
    f(std::integral_constant<int, 8>{});
  } else {
    f(std::integral_constant<int, 16>{});
  }
}

POLEZERO_ISA_END
