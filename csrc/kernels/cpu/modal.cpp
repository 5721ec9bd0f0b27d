// Banks of modes on the CPU, in blocks of L = kBlock samples. With B_j[n] = (d/dp)^j p^n / j!, the
// impulse response of s^(j), sample m after the state s is
//
//   s^(j)[m] = sum_{i<=j} B_i[m+1] s^(j-i) + sum_{l<=m} B_j[m-l] x[l].
//
// What a block's samples add to the state after it, what the state before it adds to its outputs,
// and what its inputs add to them (a FIR filter that all modes share) are products with matrices
// that are made once. Only the carry from one block to the next is serial. A rounding error in p^L
// would be made again in each block (4e-13 after 300 000 samples at radius 0.999999), so powers are
// made in extended precision, and what p^L and a state lose when they are rounded is carried too.
#include "kernels/cpu/modal.h"

#include <algorithm>
#include <complex>
#include <vector>

#include "kernels/cpu/tile/modal_states.h"
#include "params/modal.h"

POLEZERO_ISA_BEGIN

// ---- the bank

template <class T>
class ModalBank {
 public:
  ModalBank(const ModalBankParams<T>& p, int64_t time)
      : p_(p),
        time_(time),
        states_(p.poles, time),
        gains_(states_.K * states_.J),
        outputs_(states_.in_blocks ? states_.columns * L : 0),
        response_(2 * L),
        y_(S::kBlocks * L) {}

  void run(int64_t row, bool same_as_before) {
    if (!same_as_before) set(row);
    const ModalSignal<const T> x(p_.x + row * p_.x_stride, time_, p_.reverse);
    const ModalSignal<T> y(p_.y + row * p_.y_stride, time_, p_.reverse);
    double* state = p_.state == nullptr ? nullptr : p_.state + row * 2 * states_.K;
    states_.begin(state);
    int64_t n = 0;
    while (states_.in_blocks && n + L <= time_) {
      const int64_t blocks = std::min(S::kBlocks, (time_ - n) / L), end = n + blocks * L;
      states_.read(x, n, blocks) ? run_tile(y, n, blocks) : run_serially(x, y, n, end);
      n = end;
    }
    run_serially(x, y, n, time_);
    states_.end(state);
  }

 private:
  using S = ModalStates;
  static constexpr int64_t L = S::kBlock;

  void set(int64_t row) {
    const double* g = p_.gains + row * p_.gains_stride;
    for (size_t i = 0; i < gains_.size(); ++i) gains_[i] = {g[2 * i], g[2 * i + 1]};
    states_.set_poles(p_.poles.data + row * p_.poles.row_stride);
    if (!states_.in_blocks) return;
    std::fill(outputs_.begin(), outputs_.end(), 0.0);
    std::fill(response_.begin(), response_.end(), 0.0);
    for (int64_t k = 0; k < states_.K; ++k) {
      for (int64_t j = 0; j < states_.J; ++j) {
        for (int64_t m = 0; m < L; ++m) set_output(k, j, m);
      }
    }
  }
  // What s^(j) of mode k before a block adds to its output m, and what mode k makes of an impulse.
  void set_output(int64_t k, int64_t j, int64_t m) {
    std::complex<double> sum = 0;
    for (int64_t i = j; i < states_.J; ++i) {
      sum += multiply(gains_[k * states_.J + i], states_.power(m + 1, i - j, k));
    }
    outputs_[index(states_.column(j, 0, k), m)] = sum.real();
    outputs_[index(states_.column(j, 1, k), m)] = -sum.imag();
    response_[L - 1 + m] += multiply(gains_[k * states_.J + j], states_.power(m, j, k)).real();
  }
  int64_t index(int64_t column, int64_t m) const {
    return (m / S::kPanel * states_.columns + column) * S::kPanel + m % S::kPanel;
  }

  void run_tile(const ModalSignal<T>& y, int64_t n, int64_t blocks) {
    states_.find_states(blocks);
    std::fill(y_.begin(), y_.end(), 0.0);
    for (int64_t m = 0; m < L; m += S::kPanel) {
      // rows of inputs that are newer than all of the panel's outputs are zero
      const int64_t newest = std::max<int64_t>(0, L - m - S::kPanel);
      for (int64_t b = 0; b < blocks; b += S::kTogether) {
        add_product<S::kTogether, 2>(states_.inputs(b) + newest, 2 * L, L - newest,
                                     &response_[newest + m], 1, &y_[b * L + m], L);
        add_product<S::kTogether, 2>(states_.before(b), states_.columns, states_.columns,
                                     outputs_.data() + index(0, m), S::kPanel, &y_[b * L + m], L);
      }
    }
    for (int64_t i = 0; i < blocks * L; ++i) y[n + i] = static_cast<T>(y_[i]);
    states_.advance(blocks);
  }

  void run_serially(const ModalSignal<const T>& x, const ModalSignal<T>& y, int64_t begin,
                    int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      states_.step(x[n]);
      double sum = 0;
      for (int64_t k = 0; k < states_.K; ++k) {
        for (int64_t j = 0; j < states_.J; ++j) {
          sum += multiply(gains_[k * states_.J + j], states_.state(j, k)).real();
        }
      }
      y[n] = static_cast<T>(sum);
    }
  }

  const ModalBankParams<T>& p_;
  int64_t time_;
  ModalStates states_;
  std::vector<std::complex<double>> gains_;  // [K, J]
  std::vector<double> outputs_;              // [L / kPanel, C, kPanel]
  std::vector<double> response_;             // L - 1 zeros, and that of the bank to an impulse
  std::vector<double> y_;                    // [blocks, L]
};

template <class T>
void modal_bank(const ModalBankParams<T>& p, const Range& range) {
  if (range.time_end == 0) return;  // there is no last sample to go backwards from
  ModalBank<T> bank(p, range.time_end);
  const bool shared = p.poles.row_stride == 0 && p.gains_stride == 0;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    bank.run(r, shared && r > range.row_begin);
  }
}

// ---- the correlation

template <class T>
class ModalCorrelation {
 public:
  ModalCorrelation(const ModalCorrelationParams<T>& p, int64_t time)
      : p_(p),
        time_(time),
        states_(p.poles, time),
        weights_(states_.in_blocks ? S::kBlocks * states_.columns : 0),
        sums_(states_.columns),
        lags_(L),
        g_(S::kBlocks * L) {}

  void run(int64_t row, bool same_as_before) {
    if (!same_as_before) states_.set_poles(p_.poles.data + row * p_.poles.row_stride);
    const ModalSignal<const T> x(p_.x + row * p_.x_stride, time_, false);
    const T* g = p_.g + row * p_.g_stride;
    states_.begin(p_.state == nullptr ? nullptr : p_.state + row * 2 * states_.K);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(lags_.begin(), lags_.end(), 0.0);
    int64_t n = 0;
    while (states_.in_blocks && n + L <= time_) {
      const int64_t blocks = std::min(S::kBlocks, (time_ - n) / L), end = n + blocks * L;
      const bool finite = states_.read(x, n, blocks) && read(g + n, blocks);
      finite ? run_tile(blocks) : run_serially(x, g, n, end);
      n = end;
    }
    run_serially(x, g, n, time_);
    for (int64_t c = 0; states_.in_blocks && c < states_.columns; c += S::kPanel) {
      add_product<1, 2>(lags_.data(), 0, L, states_.powers(0, c), S::kPanel, &sums_[c], 0);
    }
    write(p_.c + row * 2 * states_.K * states_.J);
  }

 private:
  using S = ModalStates;
  static constexpr int64_t L = S::kBlock;

  bool read(const T* g, int64_t blocks) {
    double check = 0;
    std::fill(g_.begin(), g_.end(), 0.0);
    for (int64_t i = 0; i < blocks * L; ++i) {
      g_[i] = g[i];
      check += g_[i] - g_[i];
    }
    return check == 0;
  }

  void run_tile(int64_t blocks) {
    states_.find_states(blocks);
    std::fill(weights_.begin(), weights_.end(), 0.0);
    for (int64_t c = 0; c < states_.columns; c += S::kPanel) {
      for (int64_t b = 0; b < blocks; b += S::kTogether) {
        add_product<S::kTogether, 2>(&g_[b * L], L, L, states_.powers(1, c), S::kPanel,
                                     &weights_[b * states_.columns + c], states_.columns);
      }
    }
    for (int64_t b = 0; b < blocks; ++b) {
      weigh(states_.before(b), weights_.data() + b * states_.columns);
      // sum_m g[m] x[m - lag]
      constexpr int vectors = std::min<int>(L / S::W, 8);
      for (int64_t lag = 0; lag < L; lag += vectors * S::W) {
        add_product<1, vectors>(&g_[b * L], 0, L, states_.inputs(b) + L - 1 + lag, -1, &lags_[lag],
                                0);
      }
    }
    states_.advance(blocks);
  }
  // sum^(j) += sum_i weight_i state^(j-i), weight_i = sum_m g[m] B_i[m+1]
  void weigh(const double* state, const double* weight) {
    constexpr int W = S::W;
    for (int64_t j = 0; j < states_.J; ++j) {
      for (int64_t i = 0; i <= j; ++i) {
        for (int64_t k = 0; k < states_.padded; k += W) {
          const vec<double> w_re = load<double>(weight + states_.column(i, 0, k));
          const vec<double> w_im = load<double>(weight + states_.column(i, 1, k));
          const vec<double> re = load<double>(state + states_.column(j - i, 0, k));
          const vec<double> im = load<double>(state + states_.column(j - i, 1, k));
          double *to_re = &sums_[states_.column(j, 0, k)], *to_im = &sums_[states_.column(j, 1, k)];
          store<double>(to_re, load<double>(to_re) + (w_re * re - w_im * im));
          store<double>(to_im, load<double>(to_im) + (w_re * im + w_im * re));
        }
      }
    }
  }

  void run_serially(const ModalSignal<const T>& x, const T* g, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      states_.step(x[n]);
      const double weight = g[n];
      for (int64_t c = 0; c < states_.columns; ++c) sums_[c] += weight * states_.before(0)[c];
    }
  }

  void write(double* c) const {
    for (int64_t k = 0; k < states_.K; ++k) {
      for (int64_t j = 0; j < states_.J; ++j, c += 2) {
        c[0] = sums_[states_.column(j, 0, k)];
        c[1] = sums_[states_.column(j, 1, k)];
      }
    }
  }

  const ModalCorrelationParams<T>& p_;
  int64_t time_;
  ModalStates states_;
  std::vector<double> weights_;  // [blocks, C]
  std::vector<double> sums_;     // [C]
  std::vector<double> lags_;     // of x and g within their blocks
  std::vector<double> g_;        // [blocks, L]
};

template <class T>
void modal_correlation(const ModalCorrelationParams<T>& p, const Range& range) {
  ModalCorrelation<T> correlation(p, range.time_end);
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    correlation.run(r, p.poles.row_stride == 0 && r > range.row_begin);
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr ModalKernels<T> kernels{.bank = modal_bank<T>, .correlation = modal_correlation<T>};
}  // namespace

constinit const RealTable<ModalKernels> modal_table{kernels<float>, kernels<double>};

}  // namespace polezero::POLEZERO_ISA
