// Long filters without feedback by the overlap-save method (A. V. Oppenheim, R. W. Schafer,
// Discrete-Time Signal Processing, 8.7): a block's FFT times that of the taps is their circular
// convolution, whose first P samples have wrapped around and are left out. In float64, whose
// rounding, relative to the loudest sample of a block, is far below that of a float32 signal beside
// it. What is not finite would fill its block: such blocks are left to the kernels.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "kernels/cpu/flush_denormals.h"
#include "kernels/cpu/lfilter.h"
#include "kernels/cpu/long_fir.h"
#include "kernels/cpu/row_of.h"

namespace polezero::cpu {
namespace {

using at::Tensor;

// From this order on FFTs take less time than the kernels, forward and backward (measured).
constexpr int64_t kLongOrder = 320;
// Blocks of one call of an FFT. A single one torch cuts among threads, and its bits would be
// others.
constexpr int64_t kBlocks = 8, kFewestBlocks = 2;
// Shorter blocks cost no less a sample, and more calls.
constexpr int64_t kShortestBlock = 4096;
// Samples of all blocks of a call, if they are not its fewest: they, and as many spectra, are the
// memory that a row takes.
constexpr int64_t kSamplesOfCall = int64_t{1} << 16;

// Blocks of `length` samples, `hop` of which are new.
struct Blocks {
  int64_t P, length, hop, count;

  Blocks(int64_t order, int64_t time) : P(order) {
    const int64_t best = std::max(4 * P, kShortestBlock), all = time + 2 * P;
    length = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::min(best, all))));
    hop = length - P;
    const int64_t needed = (time + P + hop - 1) / hop;
    count = std::clamp(std::min(needed, kSamplesOfCall / length), kFewestBlocks, kBlocks);
  }
  int64_t step() const { return count * hop; }
  Tensor zeros() const { return at::zeros({count, length}, at::kDouble); }
  Tensor spectrum(const Tensor& blocks) const { return at::fft_rfft(blocks); }
  Tensor signal(const Tensor& spectra) const { return at::fft_irfft(spectra, length); }
  // Of the taps of row r, one for all blocks.
  Tensor response(const Filters<float>& f, int64_t r) const {
    const Tensor taps = zeros();
    std::copy_n(f.b + r * f.filter_stride * (P + 1), f.order_b + 1, taps.data_ptr<double>());
    return spectrum(taps)[0];
  }
};

bool all_finite(const double* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i] * 0;
  return sum == 0;
}

// Samples [begin, begin + count) of x[0..time), and zeros around them.
void read(const float* x, int64_t time, int64_t begin, int64_t count, double* to) {
  const int64_t first = std::clamp<int64_t>(-begin, 0, count);
  const int64_t last = std::clamp<int64_t>(time - begin, first, count);
  std::fill_n(to, first, 0.0);
  std::copy(x + begin + first, x + begin + last, to + first);
  std::fill(to + last, to + count, 0.0);
}

template <class Row>
void for_each_row(int64_t rows, Row&& row) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    FlushDenormals flush;
    for (int64_t r = begin; r < end; ++r) row(r);
  });
}

// Outputs [begin, end) of a row by the kernel; `state` is P numbers to work with.
void forward_directly(LfilterForwardParams<float> row, const double* zi, int64_t begin, int64_t end,
                      std::vector<double>& state) {
  const auto kernel = lfilter_kernels<float>().forward;
  const int64_t P = row.filters.order, before = std::max<int64_t>(begin - P, 0);
  before == 0 ? std::copy_n(zi, P, state.begin()) : std::fill_n(state.begin(), P, 0.0);
  float* y = row.y;
  row.rows = 1;
  row.state = state.data();
  row.y = nullptr;
  kernel(row, {0, 1, before, begin});
  row.y = y;
  kernel(row, {0, 1, begin, end});
}

void forward_row(const LfilterForwardParams<float>& row, const Blocks& blocks,
                 const Tensor& response, int64_t time) {
  const int64_t P = blocks.P;
  const std::vector<double> zi(row.state, row.state + P);
  std::vector<double> state(P);
  const Tensor in = blocks.zeros();
  bool finite_end = true;
  for (int64_t begin = 0; begin < time + P; begin += blocks.step()) {
    double* x = in.data_ptr<double>();
    for (int64_t i = 0; i < blocks.count; ++i) {
      read(row.x, time, begin + i * blocks.hop - P, blocks.length, x + i * blocks.length);
    }
    const Tensor out = blocks.signal(blocks.spectrum(in).mul_(response));
    for (int64_t i = 0; i < blocks.count; ++i) {
      const int64_t n = begin + i * blocks.hop, end = n + blocks.hop;
      const double* y = out.data_ptr<double>() + i * blocks.length + P - n;  // y[n] is output n
      const bool finite = all_finite(x + i * blocks.length, blocks.length);
      if (!finite && n < time) forward_directly(row, zi.data(), n, std::min(end, time), state);
      for (int64_t m = n; finite && m < std::min(end, time); ++m) {
        row.y[m] = static_cast<float>(m < P ? y[m] + zi[m] : y[m]);
      }
      // what rings on after the end is the state
      for (int64_t m = std::max(n, time); m < std::min(end, time + P); ++m) {
        finite_end = finite_end && finite;
        row.state[m - time] = m < P ? y[m] + zi[m] : y[m];
      }
    }
  }
  if (finite_end) return;
  forward_directly(row, zi.data(), time, time, state);
  std::copy(state.begin(), state.end(), row.state);
}

// grad_x [begin, end) of a row by the kernel, where `after` are the P lambdas that follow.
void backward_directly(LfilterBackwardParams<float> row, const double* after, int64_t begin,
                       int64_t end, std::vector<double>& state) {
  std::copy_n(after, row.filters.order, state.begin());
  row.rows = 1;
  row.state = state.data();
  lfilter_kernels<float>().backward(row, {0, 1, begin, end});
}

// lambda is grad_y, followed by the state.
void backward_row(const LfilterBackwardParams<float>& row, const Blocks& blocks,
                  const Tensor& response, int64_t time) {
  const int64_t P = blocks.P, length = blocks.length;
  const std::vector<double> tail(row.state, row.state + P);
  std::vector<double> state(P);
  auto without_sums = row, only_sums = row;
  without_sums.x = without_sums.y = nullptr;
  only_sums.grad_x = nullptr;
  only_sums.y = nullptr;
  const Tensor lambdas = blocks.zeros(), xs = blocks.zeros();
  Tensor sums;
  bool sums_finite = true;
  for (int64_t begin = 0; begin < time; begin += blocks.step()) {
    double *g = lambdas.data_ptr<double>(), *x = xs.data_ptr<double>();
    const auto read_lambdas = [&](bool with_tail) {
      for (int64_t i = 0; i < blocks.count; ++i) {
        const int64_t n = begin + i * blocks.hop;
        read(row.grad_y, time, n, length, g + i * length);
        for (int64_t m = std::max(n, time); with_tail && m < std::min(n + length, time + P); ++m) {
          g[i * length + m - n] = tail[m - time];
        }
      }
    };
    read_lambdas(true);
    Tensor spectra = blocks.spectrum(lambdas);
    const Tensor out =
        row.grad_x == nullptr ? Tensor() : blocks.signal(spectra.mul(response.conj()));
    for (int64_t i = 0; i < blocks.count; ++i) {
      const int64_t n = begin + i * blocks.hop, end = std::min(n + blocks.hop, time);
      if (n >= time) break;
      const bool finite = all_finite(g + i * length, length);
      sums_finite = sums_finite && finite;
      if (row.grad_x == nullptr) continue;
      const double* values = out.data_ptr<double>() + i * length;
      if (finite) {
        std::transform(values, values + (end - n), row.grad_x + n,
                       [](double v) { return static_cast<float>(v); });
      } else {
        backward_directly(without_sums, g + i * length + end - n, n, end, state);
      }
    }
    if (row.x == nullptr || !sums_finite) continue;
    if (begin + blocks.step() + P > time) {  // the sums are over samples only
      read_lambdas(false);
      spectra = blocks.spectrum(lambdas);
    }
    for (int64_t i = 0; i < blocks.count; ++i) {
      const int64_t n = begin + i * blocks.hop;
      read(row.x, std::min(time, n + blocks.hop), n, length, x + i * length);
      sums_finite = sums_finite && all_finite(x + i * length, length);
    }
    const Tensor products = blocks.spectrum(xs).conj().mul(spectra);
    sums = sums.defined() ? sums.add_(products) : products;
  }
  if (row.x != nullptr && !sums_finite) {
    backward_directly(only_sums, tail.data(), 0, time, state);
  } else if (row.x != nullptr) {
    const Tensor correlation = blocks.signal(sums);
    const double* values = correlation.data_ptr<double>();
    for (int64_t i = 0; i < blocks.count; ++i) {
      for (int64_t k = 0; k <= row.filters.order_b; ++k) row.sum_b[k] += values[i * length + k];
    }
  }
  if (row.y != nullptr) {
    for (int64_t n = 0; n < time; ++n) row.sum_a[0] += double{row.grad_y[n]} * double{row.y[n]};
  }
  for (int64_t j = 0; j < P; ++j) row.state[j] = j < time ? row.grad_y[j] : tail[j - time];
}

}  // namespace

bool long_fir_pays(const Filters<float>& filters, int64_t time) {
  return filters.order_a == 0 && filters.order_b >= kLongOrder && time >= filters.order_b;
}

void long_fir_forward(const LfilterForwardParams<float>& p, int64_t rows, int64_t time) {
  const Blocks blocks(p.filters.order, time);
  const Tensor shared = p.filters.filter_stride == 0 ? blocks.response(p.filters, 0) : Tensor();
  for_each_row(rows, [&](int64_t r) {
    const Tensor response = shared.defined() ? shared : blocks.response(p.filters, r);
    forward_row(row_of(p, r), blocks, response, time);
  });
}

void long_fir_backward(const LfilterBackwardParams<float>& p, int64_t rows, int64_t time) {
  const Blocks blocks(p.filters.order, time);
  const Tensor shared = p.filters.filter_stride == 0 ? blocks.response(p.filters, 0) : Tensor();
  for_each_row(rows, [&](int64_t r) {
    const Tensor response = shared.defined() ? shared : blocks.response(p.filters, r);
    backward_row(row_of(p, r), blocks, response, time);
  });
}

}  // namespace polezero::cpu
