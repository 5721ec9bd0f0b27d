// State-space filters on the CPU: rows side by side, a lane each (complex rows one by one), a tile
// of time after the other. The states stay in the registers where there are few of them.
#include "kernels/cpu/state_space.h"

#include <algorithm>
#include <vector>

#include "kernels/cpu/tile/lanes.h"
#include "params/state_space.h"

POLEZERO_ISA_BEGIN

// The rows [begin, begin + rows) of a problem, at most Lanes<T>::count.
template <class T>
class StateSpace {
 public:
  using L = Lanes<T>;
  using V = typename L::V;

  StateSpace(const StateSpaceParams<T>& p, int64_t begin, int64_t rows)
      : p_(p),
        begin_(begin),
        rows_(rows),
        a_{p.a, p.states, p.states},
        into_{p.adjoint ? p.c : p.b, p.states, p.inputs},
        out_of_{p.adjoint ? p.b : p.c, p.outputs, p.states},
        through_{p.d, p.outputs, p.inputs},
        signals_((p.inputs + p.outputs) * kTile),
        state_(2 * p.states) {
    for (Matrix* m : {&a_, &into_, &out_of_, &through_}) {
      m->at.resize(m->given.data == nullptr ? 0 : m->rows * m->columns);
      m->as_given.resize(p.adjoint ? m->at.size() : 0);
      read(*m, 0);
    }
    read_states<T>(p.state, begin, rows, p.states, state_.data());
  }

  void run(const Range& range) {
    for (int64_t done = 0; done < range.time_end - range.time_begin; done += kTile) {
      const int64_t n = p_.adjoint ? std::max(range.time_end - done - kTile, range.time_begin)
                                   : range.time_begin + done;
      const int64_t end = p_.adjoint ? range.time_end - done : range.time_end;
      run_tile(n, std::min(kTile, end - n));
    }
    write_states<T>(state_.data(), begin_, rows_, p_.states, p_.state);
  }

 private:
  static constexpr int64_t kTile = 64;
  // Up to here the compiler knows the number of states.
  static constexpr int kInRegisters = 4;

  // One of the four matrices of the filter that runs: that of the time in hand.
  struct Matrix {
    Matrices<T> given;
    int64_t rows, columns;
    std::vector<Lane<V>> at{}, as_given{};
    const V* row(int64_t i) const { return &at[i * columns].v; }
  };

  void read(Matrix& m, int64_t n) const {
    if (m.given.data == nullptr) return;
    const T* from = m.given.data + begin_ * m.given.row_stride + n * m.given.time_stride;
    const int64_t size = m.rows * m.columns;
    V* to = p_.adjoint ? &m.as_given[0].v : &m.at[0].v;
    L::load(from, m.given.row_stride, rows_, size, 0, to);
    if (!p_.adjoint) return;
    for (int64_t i = 0; i < m.rows; ++i) {
      for (int64_t j = 0; j < m.columns; ++j) {
        m.at[i * m.columns + j].v = conjugate(m.as_given[j * m.rows + i].v);
      }
    }
  }

  void run_tile(int64_t n, int64_t length) {
    const int64_t ahead = kAheadInRow<T>, I = p_.inputs, O = p_.outputs;
    for (int64_t i = 0; i < I; ++i) {
      L::load(p_.x + (begin_ * I + i) * p_.x_stride + n, I * p_.x_stride, rows_, length,
              p_.adjoint ? -ahead : ahead, x(i));
    }
    const bool known = with_constant<kInRegisters>(
        p_.states, [&](auto S) { is_simple() ? filter_simple<S>(length) : filter<S>(n, length); });
    if (!known) filter<0>(n, length);
    for (int64_t o = 0; o < O; ++o) {
      L::store(p_.y + (begin_ * O + o) * p_.y_stride + n, O * p_.y_stride, rows_, length, y(o));
    }
  }

  // One input and one output, constant matrices.
  bool is_simple() const {
    const bool constant = (a_.given.time_stride | into_.given.time_stride |
                           out_of_.given.time_stride | through_.given.time_stride) == 0;
    return constant && p_.inputs == 1 && p_.outputs == 1 && !into_.at.empty() &&
           !out_of_.at.empty();
  }
  template <int S>
  [[gnu::noinline]] void filter_simple(int64_t length) {
    V a[S][S], b[S], c[S], v[S];
    for (int i = 0; i < S; ++i) {
      std::copy_n(a_.row(i), S, a[i]);
      b[i] = into_.row(i)[0];
      c[i] = out_of_.row(0)[i];
      v[i] = state_[i].v;
    }
    const bool has_d = !through_.at.empty();
    const V d = has_d ? through_.row(0)[0] : V{};
    for (int64_t step = 0; step < length; ++step) {
      const int64_t n = p_.adjoint ? length - 1 - step : step;
      const V u = x(0)[n];
      V sum = dot<S>(c, v, S), next[S];
      if (has_d) sum += multiply(d, u);
      y(0)[n] = sum;
      unroll<S>([&](auto i) POLEZERO_LAMBDA { next[i] = multiply(b[i], u) + dot<S>(a[i], v, S); });
      std::copy_n(next, S, v);
    }
    for (int i = 0; i < S; ++i) state_[i].v = v[i];
  }

  // `known` states, or, with 0, as many as there are.
  template <int known>
  [[gnu::noinline]] void filter(int64_t begin, int64_t length) {
    const int64_t S = known > 0 ? known : p_.states;
    V few[known > 0 ? known : 1];
    V* const next = &state_[S].v;
    V* const v = known > 0 ? few : &state_[0].v;
    if constexpr (known > 0) std::copy_n(&state_[0].v, S, v);
    for (int64_t step = 0; step < length; ++step) {
      const int64_t n = p_.adjoint ? length - 1 - step : step;
      for (Matrix* m : {&a_, &into_, &out_of_, &through_}) {
        if (m->given.time_stride != 0) read(*m, begin + n);
      }
      for (int64_t o = 0; o < p_.outputs; ++o) {
        V sum = out_of_.at.empty() ? v[o] : dot<known>(out_of_.row(o), v, S);
        for (int64_t i = 0; i < p_.inputs && !through_.at.empty(); ++i) {
          sum += multiply(through_.row(o)[i], x(i)[n]);
        }
        y(o)[n] = sum;
      }
      V updated[known > 0 ? known : 1];
      V* const to = known > 0 ? updated : next;
      for (int64_t s = 0; s < S; ++s) {
        V sum = into_.at.empty() ? x(s)[n] : V{};
        for (int64_t i = 0; i < p_.inputs && !into_.at.empty(); ++i) {
          sum += multiply(into_.row(s)[i], x(i)[n]);
        }
        to[s] = sum + dot<known>(a_.row(s), v, S);
      }
      std::copy_n(to, S, v);
    }
    if constexpr (known > 0) std::copy_n(v, S, &state_[0].v);
  }

  // Two chains of additions.
  template <int known>
  POLEZERO_INLINE static V dot(const V* m, const V* v, int64_t S) {
    const int64_t columns = known > 0 ? known : S;
    V even{}, odd{};
    int64_t j = 0;
    for (; j + 1 < columns; j += 2) {
      even += multiply(m[j], v[j]);
      odd += multiply(m[j + 1], v[j + 1]);
    }
    if (j < columns) even += multiply(m[j], v[j]);
    return even + odd;
  }

  V* x(int64_t i) { return &signals_[i * kTile].v; }
  V* y(int64_t o) { return &signals_[(p_.inputs + o) * kTile].v; }

  const StateSpaceParams<T>& p_;
  int64_t begin_, rows_;
  Matrix a_, into_, out_of_, through_;
  std::vector<Lane<V>> signals_, state_;  // inputs, then outputs; the state and the next one
};

template <class T>
void state_space(const StateSpaceParams<T>& p, const Range& range) {
  constexpr int64_t lanes = Lanes<T>::count;
  if (range.time_begin == range.time_end) return;  // matrices over time have no elements
  for (int64_t r = range.row_begin; r < range.row_end; r += lanes) {
    StateSpace<T>(p, r, std::min(lanes, range.row_end - r)).run(range);
  }
}

POLEZERO_ISA_END

namespace polezero::POLEZERO_ISA {

namespace {
template <class T>
constexpr StateSpaceKernels<T> kernels{.forward = state_space<T>};
}  // namespace

constinit const FullTable<StateSpaceKernels> state_space_table{
    kernels<float>, kernels<double>, kernels<std::complex<float>>, kernels<std::complex<double>>};

}  // namespace polezero::POLEZERO_ISA
