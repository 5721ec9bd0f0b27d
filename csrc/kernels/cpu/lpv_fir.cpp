// Time-varying FIR filters on the CPU: kBatch chunks of a row side by side where there are few
// taps, else one sample after another.
#include "kernels/cpu/lpv_fir.h"

#include <algorithm>

#include "kernels/cpu/tile/lpv.h"
#include "params/lpv.h"

POLEZERO_ISA_BEGIN

// One row.
template <class T>
struct LpvFirRow {
  const T* b;
  const T* x;
  T* y;
  int64_t time;
};

inline bool within(int64_t n, int64_t time) { return n >= 0 && n < time; }

// Samples [begin, end).
template <class T>
void lpv_fir_serial(const LpvFirRow<T>& row, const Lags& lags, int64_t taps, int64_t begin,
                    int64_t end) {
  for (int64_t n = begin; n < end; ++n) {
    acc_t<T> sum(0);
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t m = n + lags.shift * k, from = lags.reverse ? n + k : n - k;
      if (within(m, row.time) && within(from, row.time)) {
        sum += multiply(widen(row.b[m * taps + k]), widen(row.x[from]));
      }
    }
    row.y[n] = static_cast<T>(sum);
  }
}

// kBatch chunks of `length` samples each, from `begin` on; before them in the direction of
// processing there are taps - 1 samples.
template <int taps, bool reverse, bool at_input, class T>
void lpv_fir_chunks(const LpvFirRow<T>& row, int64_t begin, int64_t length) {
  LpvFirBatch<taps, at_input> f;
  for (int lane = 0; lane < kBatch; ++lane) {
    for (int m = 1; m < taps; ++m) {  // samples before
      const int64_t n = begin + lane * length + (reverse ? length - 1 + m : -m);
      const double x = row.x[n];
      if constexpr (at_input) {
        for (int k = m; k < taps; ++k) f.s[k - m][lane] += row.b[n * taps + k] * x;
      } else {
        f.s[m - 1][lane] = x;
      }
    }
  }
  const Tiles<reverse> tiles{0, length};
  for (int64_t i = 0; i < tiles.whole(); ++i) {
    const int64_t n = begin + tiles[i];
    LpvTile<T, taps> tile;
    tile.load_rows(row.x + n, length, row.b + n * taps, length * taps, kBatch,
                   kAheadInRow<T, reverse>);
    tile.template filter<reverse>(f);
    tile.x.store_rows(row.y + n, length, kBatch);
  }
}

template <int taps, bool reverse, bool at_input, class T>
void lpv_fir_row(const LpvFirRow<T>& row, const Lags& lags) {
  const int64_t first = std::min<int64_t>(taps - 1, row.time);  // these have no whole past
  int64_t begin = reverse ? 0 : first, end = reverse ? row.time - first : row.time;
  lpv_fir_serial(row, lags, taps, reverse ? end : 0, reverse ? row.time : first);
  while (end - begin >= kBatch * kBatch) {
    const int64_t length = std::min(kChunk, (end - begin) / kBatch / kBatch * kBatch);
    lpv_fir_chunks<taps, reverse, at_input>(row, begin, length);
    begin += kBatch * length;
  }
  lpv_fir_serial(row, lags, taps, begin, end);
}

template <class T>
void lpv_fir_row(const LpvFirRow<T>& row, const Lags& lags, int64_t taps) {
  if constexpr (!is_complex<T>) {
    const bool done = with_constant<kLongestInRegisters + 1>(taps, [&](auto K) {
      auto run = [&](auto reverse) {
        lags.at_input() ? lpv_fir_row<K, reverse, true>(row, lags)
                        : lpv_fir_row<K, reverse, false>(row, lags);
      };
      lags.reverse ? run(std::true_type{}) : run(std::false_type{});
    });
    if (done) return;
  }
  lpv_fir_serial(row, lags, taps, 0, row.time);
}

template <class T>
void lpv_fir(const LpvFirParams<T>& p, const Range& range) {
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const LpvFirRow<T> row{p.b + r * p.b_stride, p.x + r * p.x_stride, p.y + r * p.y_stride,
                           range.time_end};
    lpv_fir_row(row, p.lags, p.taps);
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LpvFirKernels<T> kernels{.forward = lpv_fir<T>};
}  // namespace

constinit const FullTable<LpvFirKernels> lpv_fir_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
