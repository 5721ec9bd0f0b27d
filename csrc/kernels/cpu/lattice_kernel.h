// Normalised lattices on the CPU: rows side by side, a lane each (complex rows one by one).
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/lattice.h"
#include "tile/lanes.h"

POLEZERO_ISA_BEGIN

// sqrt(1 - |k|^2); NaN where |k| > 1.
inline std::complex<double> cosine(std::complex<double> k) { return std::sqrt(1 - std::norm(k)); }
inline vec<double> cosine(vec<double> k) {
  vec<double> c = 1 - k * k;
  for (int i = 0; i < kBatch; ++i) c[i] = std::sqrt(c[i]);
  return c;
}

// The rows [begin, begin + rows) of a problem, at most Lanes<T>::count.
template <class T>
class Lattice {
 public:
  using L = Lanes<T>;
  using V = typename L::V;

  Lattice(const LatticeParams<T>& p, int64_t begin, int64_t rows)
      : p_(p),
        begin_(begin),
        rows_(rows),
        k_((p.constant ? 1 : kTile) * p.order),
        signals_((p.inputs + p.outputs) * kTile),
        ports_(p.order + 1) {
    for (int64_t i = 0; i < p.order; ++i) {
      for (int64_t lane = 0; lane < L::count; ++lane) {
        const int64_t row = begin + std::min(lane, rows - 1);
        L::set(port(first() + i), lane, p.state[row * p.order + i]);
      }
    }
    if (p.constant) read_stages(0, 1);
  }

  void run(const Range& range) {
    for (int64_t done = 0; done < range.time_end - range.time_begin; done += kTile) {
      const int64_t n = p_.adjoint ? std::max(range.time_end - done - kTile, range.time_begin)
                                   : range.time_begin + done;
      const int64_t end = p_.adjoint ? range.time_end - done : range.time_end;
      const int64_t length = std::min(kTile, end - n);
      load(n, length);
      p_.adjoint ? filter<true>(length) : filter<false>(length);
      store(n, length);
    }
    for (int64_t lane = 0; lane < rows_; ++lane) {
      for (int64_t i = 0; i < p_.order; ++i) {
        p_.state[(begin_ + lane) * p_.order + i] = L::get(port(first() + i), lane);
      }
    }
  }

 private:
  static constexpr int64_t kTile = 16;

  // so that a vector can be the element of a container
  struct Value {
    V v{};
  };
  struct Stage {
    V k{}, c{};
  };

  // Between samples the state lies in the ports z_0..z_{N-1}, or z_1..z_N of the adjoint.
  int64_t first() const { return p_.adjoint ? 1 : 0; }
  V& port(int64_t i) { return ports_[i].v; }
  V* u(int64_t i) { return &signals_[i * kTile].v; }
  V* z(int64_t i) { return &signals_[(p_.inputs + i) * kTile].v; }

  // Of the `times` samples from n on.
  void read_stages(int64_t n, int64_t times) {
    const int64_t count = times * p_.order;
    if (count == 0) return;
    as_given_.resize(count);
    L::load(p_.k + begin_ * p_.k_stride + n * p_.order, p_.k_stride, rows_, count, 0,
            &as_given_[0].v);
    for (int64_t i = 0; i < count; ++i) {
      const V k = as_given_[i].v;
      k_[i] = {p_.adjoint ? -k : k, cosine(k)};
    }
  }
  void load(int64_t n, int64_t length) {
    if (!p_.constant) read_stages(n, length);
    const int64_t ahead = p_.adjoint ? -kAheadInRow<T> : kAheadInRow<T>;
    for (int64_t i = 0; i < p_.inputs; ++i) {
      L::load(p_.u + (begin_ * p_.inputs + i) * p_.u_stride + n, p_.inputs * p_.u_stride, rows_,
              length, ahead, u(i));
    }
  }
  void store(int64_t n, int64_t length) {
    for (int64_t i = 0; i < p_.outputs; ++i) {
      L::store(p_.z + (begin_ * p_.outputs + i) * p_.z_stride + n, p_.outputs * p_.z_stride, rows_,
               length, z(i));
    }
  }

  template <bool adjoint>
  [[gnu::noinline]] void filter(int64_t length) {
    const int64_t N = p_.order;
    for (int64_t step = 0; step < length; ++step) {
      const int64_t n = adjoint ? length - 1 - step : step;
      const Stage* stages = k_.data() + (p_.constant ? 0 : n * N);
      if constexpr (adjoint) {
        for (int64_t i = 0; i < N; ++i) port(i) = port(i + 1);
        port(N) = V{};
      } else {
        for (int64_t i = N; i > 0; --i) port(i) = port(i - 1);
        port(0) = V{};
      }
      for (int64_t i = 0; i < p_.inputs; ++i) port(i) += u(i)[n];
      V running = port(0);
      for (int64_t j = 1; j <= N; ++j) {
        const int64_t i = adjoint ? j : N + 1 - j;
        const auto& [k, c] = stages[i - 1];
        const V other = port(i);
        port(i) = multiply(conjugate(k), running) + multiply(c, other);
        running = multiply(c, running) - multiply(k, other);
      }
      port(0) = running;
      for (int64_t i = 0; i < p_.outputs; ++i) z(i)[n] = port(i);
    }
  }

  const LatticeParams<T>& p_;
  int64_t begin_, rows_;
  std::vector<Stage> k_;
  std::vector<Value> as_given_, signals_, ports_;
};

template <class T>
void lattice(const LatticeParams<T>& p, const Range& range) {
  constexpr int64_t lanes = Lanes<T>::count;
  for (int64_t r = range.row_begin; r < range.row_end; r += lanes) {
    Lattice<T>(p, r, std::min(lanes, range.row_end - r)).run(range);
  }
}

POLEZERO_ISA_END
