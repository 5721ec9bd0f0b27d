// The recursive filter kernels on the CPU: which way to filter the rows of a problem.
#include "kernels/cpu/lfilter.h"

#include "kernels/cpu/lfilter_any_order.h"
#include "kernels/cpu/lfilter_batch.h"
#include "kernels/cpu/lfilter_blocks.h"
#include "kernels/cpu/padded_order.h"

POLEZERO_ISA_BEGIN

template <class T>
void lfilter_forward(const LfilterForwardParams<T>& p, const Range& range) {
  if (is_complex<T> || p.filters.order > kMaxOrder) return forward_rows_of_any_order(p, range);
  if constexpr (!is_complex<T>) {
    with_padded_order(p.filters.order, [&](auto order) {
      constexpr int P = order;
      if (p.y != nullptr && batch_pays<P>(p.filters, p.rows, range.time_end - range.time_begin)) {
        for_all_batches<P>(range, [&](auto batches, int64_t row, int64_t rows) {
          forward_batch_rows<P, batches>(p, range, row, rows);
        });
      } else {
        forward_block_rows<P>(p, range);
      }
    });
  }
}

template <class T>
void lfilter_backward(const LfilterBackwardParams<T>& p, const Range& range) {
  if (is_complex<T> || p.filters.order > kMaxOrder) return backward_rows_of_any_order(p, range);
  if constexpr (!is_complex<T>) {
    with_padded_order(p.filters.order, [&](auto order) {
      constexpr int P = order;
      if (batch_pays<P>(p.filters, p.rows, range.time_end - range.time_begin)) {
        for_all_batches<P>(range, [&](auto batches, int64_t row, int64_t rows) {
          backward_batch_rows<P, batches>(p, range, row, rows);
        });
      } else {
        backward_block_rows<P>(p, range);
      }
    });
  }
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
