// Time-varying all-pole filters on the CPU: many rows side by side, chunks of a few rows side by
// side, or one sample after another. All of a problem goes one way, so that the bits of a row do
// not depend on how threads share the rows.
#include "kernels/cpu/lpv_allpole.h"

#include <algorithm>

#include "kernels/cpu/lag_product_kernel.h"
#include "kernels/cpu/tile/lpv.h"
#include "params/lpv.h"

POLEZERO_ISA_BEGIN

// Samples [begin, end) of a row.
template <bool reverse, bool at_input, class T>
void lpv_serial(const LpvAllpoleParams<T>& p, int64_t row, int64_t begin, int64_t end) {
  const T* a = p.a + row * p.a_stride;
  const T* x = p.x + row * p.x_stride;
  T* y = p.y + row * p.y_stride;
  for (int64_t step = begin; step < end; ++step) {
    const int64_t n = reverse ? begin + end - 1 - step : step;
    y[n] = static_cast<T>(
        lpv_step<at_input>(widen(x[n]), a + n * p.order, p.order, p.state + row * p.order));
  }
}

// `count` rows, at most kBatch, from range.row_begin on, a lane each.
template <int N, bool reverse, bool at_input, class T>
void lpv_rows(const LpvAllpoleParams<T>& p, const Range& range, int64_t count) {
  const T* x = p.x + range.row_begin * p.x_stride;
  const T* a = p.a + range.row_begin * p.a_stride;
  T* y = p.y + range.row_begin * p.y_stride;
  double* state = p.state + range.row_begin * N;
  LpvBatch<N, at_input> f;
  for (int64_t lane = 0; lane < count; ++lane) {
    for (int i = 0; i < N; ++i) f.s[i][lane] = state[lane * N + i];
  }
  const Tiles<reverse> tiles{range.time_begin, range.time_end};
  for (int64_t i = 0; i < tiles.whole(); ++i) {
    LpvTile<T, N> tile;
    tile.load_rows(x + tiles[i], p.x_stride, a + tiles[i] * N, p.a_stride, count,
                   kAheadInRow<T, reverse>);
    tile.template filter<reverse>(f);
    tile.x.store_rows(y + tiles[i], p.y_stride, count);
  }
  for (int64_t lane = 0; lane < count; ++lane) {
    for (int i = 0; i < N; ++i) state[lane * N + i] = f.s[i][lane];
    lpv_serial<reverse, at_input>(p, range.row_begin + lane, tiles.rest_begin(),
                                  tiles.rest_begin() + tiles.rest());
  }
}
template <bool reverse, bool at_input, class T>
void lpv_long_rows(const LpvAllpoleParams<T>& p, const Range& range, int64_t count) {
  const T* x = p.x + range.row_begin * p.x_stride;
  const T* a = p.a + range.row_begin * p.a_stride;
  T* y = p.y + range.row_begin * p.y_stride;
  double* state = p.state + range.row_begin * p.order;
  LongLpvBatch<T, at_input> f(p.order);
  for (int64_t lane = 0; lane < count; ++lane) {
    for (int64_t i = 0; i < p.order; ++i) f.state(i)[lane] = state[lane * p.order + i];
  }
  auto filter = [&](int64_t n, int64_t length) {
    vec<T, kBatch> at[kBatch], c[kBatch * kLongest];
    load_lanes(x + n, p.x_stride, count, length, kAheadInRow<T, reverse>, at);
    load_lanes(a + n * p.order, p.a_stride, count, length * p.order, kAheadInRow<T, reverse>, c);
    f.template filter<reverse>(c, at, length);
    store_lanes(y + n, p.y_stride, count, length, at);
  };
  const Tiles<reverse> tiles{range.time_begin, range.time_end};
  for (int64_t i = 0; i < tiles.whole(); ++i) filter(tiles[i], kBatch);
  filter(tiles.rest_begin(), tiles.rest());
  for (int64_t lane = 0; lane < count; ++lane) {
    for (int64_t i = 0; i < p.order; ++i) state[lane * p.order + i] = f.state(i)[lane];
  }
}

// A tile of kBatch chunks of one row, a lane each. What a chunk leaves behind depends on what it
// begins with in a way that is found first; then the state is carried from one to the next; then
// all are filtered.
template <int N, bool reverse, bool at_input, class T>
void lpv_chunks(const LpvAllpoleParams<T>& p, int64_t row, int64_t begin, int64_t length) {
  const T* x = p.x + row * p.x_stride + begin;
  const T* a = p.a + row * p.a_stride + begin * N;
  T* y = p.y + row * p.y_stride + begin;
  const Tiles<reverse> tiles{0, length};
  LpvTile<T, N> tile[kChunk / kBatch];
  LpvTransition<N, at_input> transition;
  for (int64_t i = 0; i < tiles.whole(); ++i) {
    tile[i].load_rows(x + tiles[i], length, a + tiles[i] * N, length * N, kBatch,
                      kAheadInRow<T, reverse>);
    transition.template pass<reverse>(tile[i]);
  }
  double s[N];
  std::copy_n(p.state + row * N, N, s);
  LpvBatch<N, at_input> f;
  for (int step = 0; step < kBatch; ++step) {
    const int lane = reverse ? kBatch - 1 - step : step;
    for (int j = 0; j < N; ++j) f.s[j][lane] = s[j];
    transition.apply(lane, s);
  }
  // 0 * inf in a transition is NaN, in a filter it is not; and a transition may overflow alone
  if (!std::all_of(s, s + N, [](double v) { return is_finite(v); })) {
    return lpv_serial<reverse, at_input>(p, row, begin, begin + kBatch * length);
  }
  for (int64_t i = 0; i < tiles.whole(); ++i) {
    tile[i].template filter<reverse>(f);
    tile[i].x.store_rows(y + tiles[i], length, kBatch);
  }
  std::copy_n(s, N, p.state + row * N);
}

template <int N, bool reverse, bool at_input, class T>
void lpv_row(const LpvAllpoleParams<T>& p, int64_t row, const Range& range) {
  for (int64_t begin = range.time_begin, end = range.time_end; begin < end;) {
    const int64_t length = std::min(kChunk, (end - begin) / kBatch / kBatch * kBatch);
    const int64_t count = length > 0 ? kBatch * length : end - begin;
    const int64_t from = reverse ? end - count : begin;
    if (length > 0) {
      lpv_chunks<N, reverse, at_input>(p, row, from, length);
    } else {
      lpv_serial<reverse, at_input>(p, row, from, from + count);
    }
    (reverse ? end : begin) += reverse ? -count : count;
  }
}

// Measured: a sample of kBatch rows side by side costs as much as one of this many in chunks.
inline constexpr int64_t kRowsInChunks = 5;

// How many rows go side by side: the same for all of a problem, so that the bits of a row do not
// depend on how threads share the rows.
template <class T>
int64_t rows_side_by_side(const LpvAllpoleParams<T>& p) {
  if (is_complex<T> || p.order == 0 || p.order > kLongest) return 1;
  const int64_t batches = (p.rows + kBatch - 1) / kBatch;
  const int64_t fewest = p.order <= kLongestInRegisters ? batches * kRowsInChunks : 2;
  return p.rows < fewest ? 1 : kBatch;
}

template <bool reverse, bool at_input, class T>
void lpv_allpole_one_row(const LpvAllpoleParams<T>& p, int64_t row, const Range& range) {
  if (p.order == 0) {
    std::copy(p.x + row * p.x_stride + range.time_begin, p.x + row * p.x_stride + range.time_end,
              p.y + row * p.y_stride + range.time_begin);
    return;
  }
  if constexpr (!is_complex<T>) {
    const auto in_registers = [&](auto N) { lpv_row<N, reverse, at_input>(p, row, range); };
    if (with_constant<kLongestInRegisters>(p.order, in_registers)) return;
  }
  lpv_serial<reverse, at_input>(p, row, range.time_begin, range.time_end);
}

template <bool reverse, bool at_input, class T>
void lpv_allpole_rows(const LpvAllpoleParams<T>& p, const Range& range, int64_t count) {
  if constexpr (!is_complex<T>) {
    const auto in_registers = [&](auto N) { lpv_rows<N, reverse, at_input>(p, range, count); };
    if (with_constant<kLongestInRegisters>(p.order, in_registers)) return;
    lpv_long_rows<reverse, at_input>(p, range, count);
  }
}

template <bool reverse, bool at_input, class T>
void lpv_allpole(const LpvAllpoleParams<T>& p, const Range& range) {
  const int64_t side_by_side = rows_side_by_side(p);
  for (Range rows = range; rows.row_begin < range.row_end; rows.row_begin += side_by_side) {
    if (side_by_side > 1) {
      lpv_allpole_rows<reverse, at_input>(p, rows,
                                          std::min(side_by_side, range.row_end - rows.row_begin));
    } else {
      lpv_allpole_one_row<reverse, at_input>(p, rows.row_begin, range);
    }
  }
}

template <class T>
void lpv_allpole(const LpvAllpoleParams<T>& p, const Range& range) {
  auto run = [&](auto reverse) {
    p.lags.at_input() ? lpv_allpole<reverse, true>(p, range)
                      : lpv_allpole<reverse, false>(p, range);
  };
  p.lags.reverse ? run(std::true_type{}) : run(std::false_type{});
}

// What the adjoint leaves in the cache goes into the products.
template <class T>
void lpv_allpole_backward(const LpvAllpoleBackwardParams<T>& p, const Range& range) {
  constexpr int64_t kTile = kBatch * kChunk;
  const int64_t side_by_side = rows_side_by_side(p.adjoint);
  for (int64_t r = range.row_begin; r < range.row_end; r += side_by_side) {
    for (int64_t done = range.time_begin; done < range.time_end; done += kTile) {
      const int64_t count = std::min(kTile, range.time_end - done);
      const int64_t begin =
          p.adjoint.lags.reverse ? range.time_begin + range.time_end - done - count : done;
      const Range tile{r, std::min(r + side_by_side, range.row_end), begin, begin + count};
      lpv_allpole(p.adjoint, tile);
      lag_product(p.product, tile);
    }
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LpvAllpoleKernels<T> kernels{.forward = lpv_allpole<T>,
                                       .backward = lpv_allpole_backward<T>};
}  // namespace

constinit const FullTable<LpvAllpoleKernels> lpv_allpole_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
