// Normalised lattices on the CPU: rows side by side, a lane each (complex rows one by one), a tile
// of time after the other.
#include "kernels/cpu/lattice.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile/lattice.h"
#include "params/lattice.h"

POLEZERO_ISA_BEGIN

inline constexpr int64_t kLatticeTile = 16;  // samples

// What the rows [begin, begin + rows) of a problem have in common: at most Lanes<T>::count rows.
template <class T>
class LatticeRows {
 public:
  using L = Lanes<T>;
  using V = typename L::V;
  using A = acc_t<T>;

  LatticeRows(const LatticeStages<T>& stages, int64_t begin, int64_t rows)
      : N(stages.order),
        given_(stages),
        begin_(begin),
        rows_(rows),
        step_(stages.constant() ? 0 : N),
        stages_((stages.constant() ? 1 : kLatticeTile) * N),
        as_given_(stages_.size()) {
    if (step_ == 0) read(given_.constant_k, 1);
  }

  const int64_t N;

  // The stages of `count` samples from n on.
  void load_stages(int64_t n, int64_t count) {
    if (step_ != 0) read(given_.k + n * N, count);
  }
  // The stages at sample n of the tile.
  LatticeSample<V> sample(int64_t n) const { return {N, stages_.data() + n * step_}; }

  // Signals of the tile: port i at signals + i * kLatticeTile.
  template <class Ports>
  void load(const Ports& ports, int64_t n, int64_t count, int64_t ahead, Lane<V>* signals) const {
    for (int64_t i = 0; i < ports.count; ++i) {
      L::load(ports.data + (begin_ * ports.count + i) * ports.stride + n,
              ports.count * ports.stride, rows_, count, ahead, &signals[i * kLatticeTile].v);
    }
  }
  void store(const LatticePorts<T>& ports, int64_t n, int64_t count, const Lane<V>* signals) const {
    for (int64_t i = 0; i < ports.count; ++i) {
      L::store(ports.data + (begin_ * ports.count + i) * ports.stride + n,
               ports.count * ports.stride, rows_, count, &signals[i * kLatticeTile].v);
    }
  }
  // [B, T, N], `count` samples from n on.
  void store_coefficients(T* to, int64_t time, int64_t n, int64_t count,
                          const Lane<V>* values) const {
    L::store(to + (begin_ * time + n) * N, time * N, rows_, count * N, &values[0].v);
  }

  // [B, N]
  void read_state(const A* state, Lane<V>* to) const {
    read_states<T>(state, begin_, rows_, N, to);
  }
  void write_state(const Lane<V>* from, A* state) const {
    write_states<T>(from, begin_, rows_, N, state);
  }
  void add(const Lane<V>* from, A* sums) const {
    for (int64_t lane = 0; lane < rows_; ++lane) {
      for (int64_t i = 0; i < N; ++i) sums[(begin_ + lane) * N + i] += L::get(from[i].v, lane);
    }
  }

 private:
  template <class S>
  void read(const S* k, int64_t count) {
    Lanes<S>::load(k + begin_ * given_.k_stride, given_.k_stride, rows_, count * N, kAheadInRow<S>,
                   &as_given_[0].v);
    for (int64_t i = 0; i < count * N; ++i) {
      stages_[i] = {as_given_[i].v, cosine(as_given_[i].v)};
    }
  }

  LatticeStages<T> given_;
  int64_t begin_, rows_;
  int64_t step_;  // stages from a sample to the next; 0: they are constant
  std::vector<Stage<V>> stages_;
  std::vector<Lane<V>> as_given_;
};

// One sample of the filter; p holds the state in its ports 0..N-1 before and after. `seen`, `fed`:
// what the stages saw, where it is to be kept.
template <bool keep, class V>
POLEZERO_INLINE void lattice_step(const LatticeSample<V>& at, const Lane<V>* u, int64_t inputs,
                                  Lane<V>* p, Lane<V>* fed, Lane<V>* seen) {
  for (int64_t i = at.N; i > 0; --i) p[i].v = p[i - 1].v;
  p[0].v = u[0].v / at.gain();
  for (int64_t i = 1; i < inputs; ++i) p[i].v += u[i * kLatticeTile].v;
  if constexpr (keep) std::copy_n(p, at.N + 1, fed);
  at.template turn<keep>(p, seen);
}
// What goes into the adjoint's stages; the state is in the ports 1..N.
template <class V>
POLEZERO_INLINE void adjoint_feed(const LatticeSample<V>& at, const Lane<V>* u, int64_t inputs,
                                  Lane<V>* p) {
  for (int64_t i = 0; i < at.N; ++i) p[i].v = p[i + 1].v;
  p[at.N].v = V{};
  p[0].v += u[0].v;
  if (inputs == 1) return;
  at.for_each_gain([&](int64_t i, V h) { p[i].v += multiply(h, u[i * kLatticeTile].v); });
}

template <class T>
void lattice_forward(const LatticeForwardParams<T>& p, const Range& range, int64_t begin,
                     int64_t rows) {
  using V = typename Lanes<T>::V;
  LatticeRows<T> lattice(p.stages, begin, rows);
  const int64_t N = lattice.N, first = p.adjoint ? 1 : 0;  // port of the state
  std::vector<Lane<V>> u(p.u.count * kLatticeTile), z(p.z.count * kLatticeTile), ports(N + 1);
  lattice.read_state(p.state, &ports[first]);
  const int64_t tiles = (range.time_end - range.time_begin + kLatticeTile - 1) / kLatticeTile;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t n = range.time_begin + (p.adjoint ? tiles - 1 - t : t) * kLatticeTile;
    const int64_t length = std::min(kLatticeTile, range.time_end - n);
    lattice.load_stages(n, length);
    lattice.load(p.u, n, length, p.adjoint ? -kAheadInRow<T> : kAheadInRow<T>, u.data());
    for (int64_t step = 0; step < length; ++step) {
      const int64_t m = p.adjoint ? length - 1 - step : step;
      const auto at = lattice.sample(m);
      if (p.adjoint) {
        adjoint_feed(at, &u[m], p.u.count, ports.data());
        at.turn_back(ports.data());
        z[m].v = ports[0].v / at.gain();
        for (int64_t i = 1; i < p.z.count; ++i) z[i * kLatticeTile + m].v = ports[i].v;
      } else {
        lattice_step<false, V>(at, &u[m], p.u.count, ports.data(), nullptr, nullptr);
        z[m].v = ports[0].v;
        if (p.z.count == 1) continue;
        at.for_each_gain(
            [&](int64_t i, V h) { z[i * kLatticeTile + m].v = multiply(h, ports[i].v); });
      }
    }
    lattice.store(p.z, n, length, z.data());
  }
  lattice.write_state(&ports[first], p.state);
}

// The states at the beginning of each tile are found first; then, from the last tile to the first,
// it is filtered once more and its adjoint follows.
template <class T>
class LatticeBackward {
 public:
  using V = typename Lanes<T>::V;

  LatticeBackward(const LatticeBackwardParams<T>& p, int64_t begin, int64_t rows)
      : p_(p),
        lattice_(p.stages, begin, rows),
        N_(lattice_.N),
        u_(p.u.count * kLatticeTile),
        g_(p.grad_z.count * kLatticeTile),
        grad_u_(p.grad_u.count * kLatticeTile),
        fed_((N_ + 1) * kLatticeTile),
        seen_((N_ + 1) * kLatticeTile),
        came_((N_ + 1) * kLatticeTile),
        grad_k_(N_ * kLatticeTile),
        sum_k_(N_),
        ports_(N_ + 1) {}

  void run(const Range& range) {
    const int64_t time = range.time_end - range.time_begin;
    const int64_t tiles = (time + kLatticeTile - 1) / kLatticeTile;
    std::vector<Lane<V>> begins(tiles * N_);
    lattice_.read_state(p_.zi, ports_.data());
    for (int64_t t = 0; t < tiles; ++t) {
      std::copy_n(ports_.data(), N_, &begins[t * N_]);
      if (t + 1 < tiles) filter<false>(range.time_begin + t * kLatticeTile, kLatticeTile);
    }
    std::vector<Lane<V>> adjoint(N_ + 1);
    lattice_.read_state(p_.state, &adjoint[1]);
    for (int64_t t = tiles - 1; t >= 0; --t) {
      const int64_t n = range.time_begin + t * kLatticeTile;
      const int64_t length = std::min(kLatticeTile, range.time_end - n);
      std::copy_n(&begins[t * N_], N_, ports_.data());
      filter<true>(n, length);
      lattice_.load(p_.grad_z, n, length, -kAheadInRow<T>, g_.data());
      for (int64_t m = length - 1; m >= 0; --m) adjoint_step(m, adjoint.data());
      lattice_.store(p_.grad_u, n, length, grad_u_.data());
      if (!p_.stages.constant()) {
        lattice_.store_coefficients(p_.grad_k, time, n, length, grad_k_.data());
      }
    }
    lattice_.write_state(&adjoint[1], p_.state);
    if (p_.stages.constant()) lattice_.add(sum_k_.data(), p_.sum_k);
  }

 private:
  template <bool keep>
  void filter(int64_t n, int64_t length) {
    lattice_.load_stages(n, length);
    lattice_.load(p_.u, n, length, kAheadInRow<T>, u_.data());
    for (int64_t m = 0; m < length; ++m) {
      const int64_t at = m * (N_ + 1);
      lattice_step<keep, V>(lattice_.sample(m), &u_[m], p_.u.count, ports_.data(), &fed_[at],
                            &seen_[at]);
      if constexpr (keep) std::copy_n(ports_.data(), N_ + 1, &came_[at]);
    }
  }

  // The adjoint of sample m of the tile, from its ports; docs/maths_structures.md has the gradient
  // of k.
  void adjoint_step(int64_t m, Lane<V>* q) {
    const auto at = lattice_.sample(m);
    const Lane<V>*fed = &fed_[m * (N_ + 1)], *seen = &seen_[m * (N_ + 1)];
    adjoint_feed(at, &g_[m], p_.grad_z.count, q);
    Lane<V>* grad_k = &grad_k_[m * N_];
    V phi = q[0].v, h = V{} + 1.0;
    for (int64_t i = 1; i <= N_; ++i) {
      const auto& [k, c] = at.stages[i - 1];
      const V zeta = q[i].v, f = seen[i].v, other = fed[i].v;
      const V of_c = real_part(multiply(conjugate(phi), f) + multiply(conjugate(zeta), other));
      grad_k[i - 1].v =
          multiply(conjugate(zeta), f) - multiply(phi, conjugate(other)) - multiply(k, of_c) / c;
      q[i].v = multiply(c, zeta) - multiply(conjugate(k), phi);
      phi = multiply(c, phi) + multiply(k, zeta);
      h = multiply(h, c);
    }
    q[0].v = phi;
    grad_u_[m].v = phi / h;
    for (int64_t i = 1; i < p_.grad_u.count; ++i) grad_u_[i * kLatticeTile + m].v = q[i].v;
    // what the gains do: 1 / h_N at the input, h_i at the outputs i
    V of_gains = real_part(multiply(conjugate(phi), fed[0].v));
    for (int64_t i = N_; i > 0; --i) {
      const auto& [k, c] = at.stages[i - 1];
      if (p_.grad_z.count > 1) {
        of_gains -= real_part(multiply(conjugate(g_[i * kLatticeTile + m].v),
                                       multiply(h, came_[m * (N_ + 1) + i].v)));
        h = h / c;
      }
      grad_k[i - 1].v += multiply(k, of_gains) / multiply(c, c);
    }
    for (int64_t i = 0; i < N_ && p_.stages.constant(); ++i) sum_k_[i].v += grad_k[i].v;
  }

  const LatticeBackwardParams<T>& p_;
  LatticeRows<T> lattice_;
  const int64_t N_;
  // of the tile: inputs, gradients, and per sample the ports before and after the stages, and port
  // 0 in between
  std::vector<Lane<V>> u_, g_, grad_u_, fed_, seen_, came_, grad_k_;
  std::vector<Lane<V>> sum_k_, ports_;
};

template <class T>
void lattice_forward(const LatticeForwardParams<T>& p, const Range& range) {
  constexpr int64_t lanes = Lanes<T>::count;
  for (int64_t r = range.row_begin; r < range.row_end; r += lanes) {
    lattice_forward(p, range, r, std::min(lanes, range.row_end - r));
  }
}
template <class T>
void lattice_backward(const LatticeBackwardParams<T>& p, const Range& range) {
  constexpr int64_t lanes = Lanes<T>::count;
  for (int64_t r = range.row_begin; r < range.row_end; r += lanes) {
    LatticeBackward<T>(p, r, std::min(lanes, range.row_end - r)).run(range);
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr LatticeKernels<T> kernels{.forward = lattice_forward<T>, .backward = lattice_backward<T>};
}  // namespace

constinit const FullTable<LatticeKernels> lattice_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
