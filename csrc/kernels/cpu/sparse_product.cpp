// Products of two signals, one of them read by the taps of a sparse filter, on the CPU.
#include "kernels/cpu/sparse_product.h"

#include <algorithm>

#include "kernels/cpu/sparse_reads.h"

POLEZERO_ISA_BEGIN

// The products of one row, over its samples [begin, end), begin >= past.
template <class T, int points>
struct SparseProductRow {
  using A = acc_t<T>;
  const SparseProductParams<T>& p;
  SparseTapsOfRow<T> taps;
  const T *g, *x;

  SparseProductRow(const SparseProductParams<T>& params, int64_t row)
      : p(params), taps(p.taps, row), g(p.g + row * p.g_stride), x(p.x + row * p.x_stride) {}

  A at(int64_t n, int64_t l) const {
    A sum(0);
    taps.template each<points>(n - p.past, l, [&](int64_t d, double w) {
      if (d <= n) sum += w * widen(x[n - d]);
    });
    return multiply(widen(g[n]), sum);
  }
  // The sum of tap l.
  A sum(int64_t begin, int64_t end, int64_t l) const {
    A total(0);
    if constexpr (!is_complex<T> && points == 1) {
      constexpr int W = kLanes<double>;
      if (p.taps.constant_delays()) {
        const int64_t d = taps.delay(0, l);
        begin = std::min(std::max(begin, d), end);  // before that there is nothing
        vec<double> even{}, odd{};
        for (; begin + 2 * W <= end; begin += 2 * W) {
          even += to_double(g + begin) * to_double(x + begin - d);
          odd += to_double(g + begin + W) * to_double(x + begin + W - d);
        }
        total = horizontal_sum<double, W>(even + odd);
      }
    }
    Four fours{};
    each(
        begin, end, l, [&](int64_t, A product) { total += product; },
        [&](int64_t, auto products) { fours += products; });
    return total + horizontal_sum<double, 4>(fours);
  }
  // Writes the products of tap l to memory.
  void write(int64_t begin, int64_t end, int64_t l, T* to) const {
    const int64_t L = p.taps.count;
    each(
        begin, end, l,
        [&](int64_t n, A product) { to[(n - p.past) * L + l] = static_cast<T>(product); },
        [&](int64_t n, auto products) { store_narrow<4>(to + n - p.past, products); });
  }

 private:
  // one(n, product) for the samples of tap l, or, of the only tap between four samples, fours(n,
  // products) for four of them.
  template <class One, class Fours>
  POLEZERO_INLINE void each(int64_t begin, int64_t end, int64_t l, One&& one, Fours&& fours) const {
    int64_t n = begin;
    while (n < end) {
      if constexpr (points == 4 && !is_complex<T>) {
        if (p.taps.count == 1 && n + 4 <= end) {
          const FourReads<points> reads(p.taps.interpolator, four_delays(taps, n - p.past));
          if (reads.are_within(n)) {
            fours(n, load_four(g + n) * reads.of(x + n));
            n += 4;
            continue;
          }
        }
      }
      one(n, at(n, l));
      ++n;
    }
  }
};

template <class T, int points>
void sparse_product_row(const SparseProductParams<T>& p, int64_t r, int64_t time_end) {
  constexpr int64_t kTile = 2048;
  const int64_t L = p.taps.count, time = time_end - p.past;
  const SparseProductRow<T, points> row(p, r);
  for (int64_t begin = p.past; begin < time_end; begin += kTile) {
    const int64_t end = std::min(begin + kTile, time_end);
    for (int64_t l = 0; l < L; ++l) {
      if (p.p_sums != nullptr) p.p_sums[r * L + l] += row.sum(begin, end, l);
      if (p.p != nullptr) row.write(begin, end, l, p.p + r * time * L);
    }
  }
}

template <class T>
void sparse_product(const SparseProductParams<T>& p, const Range& range) {
  with_points(p.taps, [&](auto points) {
    for (int64_t r = range.row_begin; r < range.row_end; ++r) {
      sparse_product_row<T, points>(p, r, range.time_end);
    }
  });
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr SparseProductKernels<T> kernels{.multiply = sparse_product<T>};
}  // namespace

constinit const FullTable<SparseProductKernels> sparse_product_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
