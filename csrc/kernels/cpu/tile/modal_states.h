// The states of a bank of modes: sample by sample, or a tile of blocks at a time, of whose
// equations kernels/cpu/modal.cpp has the rest. With B_j[n] = (d/dp)^j p^n / j! a state s is,
// L samples on,
//
//   s^(j)[L-1] = sum_{i<=j} B_i[L] s^(j-i) + sum_{l<L} B_j[L-1-l] x[l].
#pragma once

#include <algorithm>
#include <complex>
#include <vector>

#include "kernels/cpu/tile/simd.h"
#include "params/modal.h"

POLEZERO_ISA_BEGIN

// out[b] += in[b] m for `count` vectors in[b] of n values and a matrix of n rows of `vectors`
// vectors.
template <int count, int vectors>
POLEZERO_INLINE void add_product(const double* in, int64_t in_stride, int64_t n, const double* m,
                                 int64_t m_stride, double* out, int64_t out_stride) {
  constexpr int W = kLanes<double>;
  vec<double> sum[count][vectors];
  unroll<count * vectors>([&](auto i) POLEZERO_LAMBDA {
    sum[i / vectors][i % vectors] =
        load<double>(out + (i / vectors) * out_stride + (i % vectors) * W);
  });
  for (int64_t r = 0; r < n; ++r) {
    vec<double> row[vectors];
    unroll<vectors>([&](auto v)
                        POLEZERO_LAMBDA { row[v] = load<double>(m + r * m_stride + v * W); });
    unroll<count>([&](auto b) POLEZERO_LAMBDA {
      const vec<double> u = broadcast<double>(in[b * in_stride + r]);
      unroll<vectors>([&](auto v) POLEZERO_LAMBDA { sum[b][v] += u * row[v]; });
    });
  }
  unroll<count * vectors>([&](auto i) POLEZERO_LAMBDA {
    store<double>(out + (i / vectors) * out_stride + (i % vectors) * W,
                  sum[i / vectors][i % vectors]);
  });
}

// Samples in the order of filtering.
template <class T>
struct ModalSignal {
  T* first;
  int64_t step;

  ModalSignal(T* row, int64_t time, bool reverse)
      : first(reverse ? row + time - 1 : row), step(reverse ? -1 : 1) {}
  T& operator[](int64_t n) const { return first[n * step]; }
};

// The states of a row, and their way through a tile of blocks. They are C = 2 J K' real columns,
// (j, part, k), K' being K modes and some that stay zero.
class ModalStates {
 public:
  static constexpr int W = kLanes<double>;
  static constexpr int64_t kPanel = 2 * W;  // columns of a matrix that lie together
  static constexpr int64_t kBlock = 32, kBlocks = 8;
  static constexpr int kTogether = kRegisters >= 32 ? 8 : 4;
  // The samples from which on matrices pay.
  static constexpr int64_t kShortest = 4 * kBlock;

  const int64_t K, J, padded, columns;
  const bool in_blocks;

  ModalStates(const ModalPoles& poles, int64_t time)
      : K(poles.modes),
        J(poles.orders),
        padded((K + W - 1) / W * W),
        columns(2 * J * padded),
        in_blocks(time >= kShortest),
        poles_(K),
        powers_(in_blocks ? columns * (kBlock + 1) : 0),
        lost_(in_blocks ? columns : 0),
        rest_(in_blocks ? columns : 0),
        states_(columns * (in_blocks ? kBlocks + 1 : 1)),
        x_(kBlocks * 2 * kBlock) {}

  // Pairs.
  void set_poles(const double* poles) {
    for (int64_t k = 0; k < K; ++k) poles_[k] = {poles[2 * k], poles[2 * k + 1]};
    if (!in_blocks) return;
    std::vector<std::complex<long double>> b(J);
    for (int64_t k = 0; k < K; ++k) {
      const std::complex<long double> p = poles_[k];
      for (int64_t j = 0; j < J; ++j) b[j] = j == 0 ? 1 : 0;
      for (int64_t n = 0; n <= kBlock; ++n) {
        for (int64_t j = J - 1; j >= 0; --j) {
          set_power(n, column(j, 0, k), b[j].real());
          set_power(n, column(j, 1, k), b[j].imag());
          b[j] = multiply(p, b[j]) + (j > 0 ? b[j - 1] : 0);
        }
      }
    }
  }
  void begin(const double* state) {
    std::fill_n(states_.begin(), columns, 0.0);
    std::fill(rest_.begin(), rest_.end(), 0.0);
    for (int64_t k = 0; state != nullptr && k < K; ++k) {
      states_[column(0, 0, k)] = state[2 * k];
      states_[column(0, 1, k)] = state[2 * k + 1];
    }
  }
  void end(double* state) const {
    for (int64_t k = 0; state != nullptr && k < K; ++k) {
      state[2 * k] = states_[column(0, 0, k)];
      state[2 * k + 1] = states_[column(0, 1, k)];
    }
  }

  int64_t column(int64_t j, int64_t part, int64_t k) const { return (2 * j + part) * padded + k; }
  std::complex<double> power(int64_t n, int64_t j, int64_t k) const {
    return {powers_[index(n, column(j, 0, k))], powers_[index(n, column(j, 1, k))]};
  }
  // Row n of the matrix of all B[n], the panel with column c.
  const double* powers(int64_t n, int64_t c) const { return &powers_[index(n, c)]; }

  // ---- sample by sample
  void step(double x) {
    for (int64_t k = 0; k < K; ++k) {
      std::complex<double> in = x;
      for (int64_t j = 0; j < J; ++j) {
        const std::complex<double> s = state(j, k);
        const std::complex<double> next = multiply(poles_[k], s) + in;
        states_[column(j, 0, k)] = next.real();
        states_[column(j, 1, k)] = next.imag();
        in = s;
      }
    }
  }
  std::complex<double> state(int64_t j, int64_t k) const {
    return {states_[column(j, 0, k)], states_[column(j, 1, k)]};
  }

  // ---- block by block
  // The inputs of the next blocks; false where one is not finite: matrices would multiply it with
  // the zeros that they hold.
  template <class T>
  bool read(const ModalSignal<T>& x, int64_t n, int64_t blocks) {
    double check = 0;
    std::fill(x_.begin(), x_.end(), 0.0);
    for (int64_t b = 0; b < blocks; ++b) {
      for (int64_t i = 0; i < kBlock; ++i) {
        const double u = x[n + b * kBlock + kBlock - 1 - i];
        x_[b * 2 * kBlock + i] = u;
        check += u - u;
      }
    }
    return check == 0;
  }
  // The inputs of a block, newest first, and as many zeros.
  const double* inputs(int64_t b) const { return &x_[b * 2 * kBlock]; }
  // The states before block b.
  const double* before(int64_t b) const { return states_.data() + b * columns; }

  void find_states(int64_t blocks) {
    std::fill(states_.begin() + columns, states_.end(), 0.0);
    for (int64_t c = 0; c < columns; c += kPanel) {
      for (int64_t b = 0; b < blocks; b += kTogether) {
        add_product<kTogether, 2>(inputs(b), 2 * kBlock, kBlock, powers(0, c), kPanel,
                                  &states_[(b + 1) * columns + c], columns);
      }
    }
    for (int64_t b = 0; b < blocks; ++b) carry(before(b), states_.data() + (b + 1) * columns);
  }
  void advance(int64_t blocks) {
    std::copy_n(states_.begin() + blocks * columns, columns, states_.begin());
  }

 private:
  static int64_t index(int64_t n, int64_t c) {
    return (c / kPanel * (kBlock + 1) + n) * kPanel + c % kPanel;
  }

  void set_power(int64_t n, int64_t c, long double value) {
    powers_[index(n, c)] = static_cast<double>(value);
    lost_[c] = static_cast<double>(value - powers_[index(n, c)]);  // of the last one, B[L]
  }

  // next^(j) += sum_i B_i[L] state^(j-i); what rounding takes from the state goes with the next.
  void carry(const double* state, double* next) {
    for (int64_t j = J - 1; j >= 0; --j) {  // those that the others need last
      for (int64_t k = 0; k < padded; k += W) {
        const int64_t to_re = column(j, 0, k), to_im = column(j, 1, k);
        vec<double> re = load<double>(next + to_re), im = load<double>(next + to_im);
        vec<double> rest_re{}, rest_im{};
        for (int64_t i = 0; i <= j; ++i) {
          const int64_t b_re = column(i, 0, k), b_im = column(i, 1, k);
          const int64_t s_re = column(j - i, 0, k), s_im = column(j - i, 1, k);
          const vec<double> p = load<double>(powers(kBlock, b_re)),
                            p_lost = load<double>(&lost_[b_re]);
          const vec<double> q = load<double>(powers(kBlock, b_im)),
                            q_lost = load<double>(&lost_[b_im]);
          const vec<double> u = load<double>(state + s_re), u_rest = load<double>(&rest_[s_re]);
          const vec<double> v = load<double>(state + s_im), v_rest = load<double>(&rest_[s_im]);
          re += p * u - q * v;
          im += p * v + q * u;
          rest_re += (p_lost * u - q_lost * v) + (p * u_rest - q * v_rest);
          rest_im += (p_lost * v + q_lost * u) + (p * v_rest + q * u_rest);
        }
        const vec<double> sum_re = re + rest_re, sum_im = im + rest_im;
        store<double>(next + to_re, sum_re);
        store<double>(next + to_im, sum_im);
        store<double>(&rest_[to_re], rest_re - (sum_re - re));
        store<double>(&rest_[to_im], rest_im - (sum_im - im));
      }
    }
  }

  std::vector<std::complex<double>> poles_;
  std::vector<double> powers_;  // [C / kPanel, L + 1, kPanel]
  std::vector<double> lost_;    // of B[L], [C]
  std::vector<double> rest_;    // of the states, [C]
  std::vector<double> states_;  // before, between and after the blocks of a tile, [blocks + 1, C]
  std::vector<double> x_;       // [blocks, 2 L]
};

POLEZERO_ISA_END
