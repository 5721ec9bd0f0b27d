// The recursive filter kernels on the CPU: which way to filter the rows of a problem.
#include "kernels/cpu/lfilter.h"

#include "kernels/cpu/lfilter_batch.h"
#include "kernels/cpu/lfilter_blocks.h"

POLEZERO_ISA_BEGIN

// Above this order the serial filter, which is SIMD along its state, does less arithmetic than
// blocks, and the states of a batch do not fit in the registers.
inline constexpr int64_t kMaxOrder = 16;

// Calls f with the padded order that holds the filter's, or returns false where none does.
template <class T, class F>
bool with_padded_order(const Filters<T>& filters, F&& f) {
  if (is_complex<T> || filters.order > kMaxOrder) return false;
  if (filters.order <= 2) {
    f(std::integral_constant<int, 2>{});
  } else if (filters.order <= 4) {
    f(std::integral_constant<int, 4>{});
  } else if (filters.order <= 8) {
    f(std::integral_constant<int, 8>{});
  } else {
    f(std::integral_constant<int, 16>{});
  }
  return true;
}

template <class T>
void lfilter_forward(const LfilterForwardParams<T>& p, const Range& range) {
  const bool done = with_padded_order(p.filters, [&](auto order) {
    if constexpr (!is_complex<T>) {
      constexpr int P = order;
      if (p.y != nullptr && batch_pays<P>(p.filters, p.rows, range.time_end - range.time_begin)) {
        for_all_batches<P>(range, [&](auto batches, int64_t row, int64_t rows) {
          forward_batch_rows<P, batches>(p, range, row, rows);
        });
      } else {
        forward_block_rows<P>(p, range);
      }
    }
  });
  if (!done) forward_serial_rows(p, range);
}

template <class T>
void lfilter_backward(const LfilterBackwardParams<T>& p, const Range& range) {
  const bool done = with_padded_order(p.filters, [&](auto order) {
    if constexpr (!is_complex<T>) {
      constexpr int P = order;
      if (batch_pays<P>(p.filters, p.rows, range.time_end - range.time_begin)) {
        for_all_batches<P>(range, [&](auto batches, int64_t row, int64_t rows) {
          backward_batch_rows<P, batches>(p, range, row, rows);
        });
      } else {
        backward_block_rows<P>(p, range);
      }
    }
  });
  if (!done) backward_serial_rows(p, range);
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LfilterKernels<T> kernels{.forward = lfilter_forward<T>, .backward = lfilter_backward<T>};
}  // namespace

constinit const FullTable<LfilterKernels> lfilter_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
