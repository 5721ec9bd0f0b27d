// The tables of a block filter (block.h): what one block does to its output and to the state, from
// the coefficients of a filter of P states.
#pragma once

#include <cmath>
#include <type_traits>

#include "kernels/cpu/tile/simd.h"

POLEZERO_ISA_BEGIN

inline constexpr int kBlock = 16;  // L: the widest vector of float32, and >= every P below

// Which block element can reach which: in ascending time a sample only reaches later ones,
// in descending time only earlier ones. Blocks lie in memory in ascending order either way.
enum class Time { kAscending, kDescending };

// The tables are sums of products of their own earlier entries: for float64 signals they are
// made in extended precision, so that they are the best float64 numbers.
template <class T>
struct TableType {
  using type = double;
};
template <>
struct TableType<double> {
  using type = long double;
};
template <class T>
using table_t = typename TableType<T>::type;

// H is Toeplitz: how one vector of samples answers another depends only on their distance d in
// vectors, so its columns for the distances 0, 1, ... are all there is of it.
template <class T, int P>
struct Response {
  static constexpr bool kFactored = std::is_same_v<T, float>;  // G = Q R; otherwise R = 1
  alignas(64) T h[kBlock][kLanes<T>];  // h[d * W + j]: to sample j of the vector at distance d
  alignas(64) T q[P][kBlock];          // column k of Q: to w_k
  alignas(64) double r[P][P];          // column k of R: w from s_k

  // H from h(n), n = 0..L-1, the impulse response.
  template <Time time, class F>
  void set_h(F&& response) {
    constexpr int W = kLanes<T>;
    T line[2 * kBlock] = {};  // what a sample does to those around it, itself at kBlock
    for (int n = 0; n < kBlock; ++n) {
      line[time == Time::kAscending ? kBlock + n : kBlock - n] = static_cast<T>(response(n));
    }
    for (int i = 0; i < kBlock; ++i) {
      const int d = i / W * W, j = i % W;
      const int first = time == Time::kAscending ? d - j : -d - j;
      for (int lane = 0; lane < W; ++lane) h[i][lane] = line[kBlock + first + lane];
    }
  }

  // Q and R from the columns of G, which it overwrites (modified Gram-Schmidt).
  void set_g(table_t<T> (&g)[P][kBlock]) {
    for (int k = 0; k < P; ++k) {
      for (int i = 0; i < P; ++i) r[k][i] = 0;
    }
    for (int i = 0; i < P; ++i) {
      if constexpr (kFactored) {
        const table_t<T> norm = std::sqrt(dot(g[i], g[i]));
        if (norm != 0) {  // else this column says nothing that the others have not said
          const table_t<T> scale = 1 / norm;
          for (auto& v : g[i]) v *= scale;
        }
        r[i][i] = norm;
        for (int k = i + 1; k < P; ++k) {
          const table_t<T> part = dot(g[i], g[k]);
          for (int n = 0; n < kBlock; ++n) g[k][n] -= part * g[i][n];
          r[k][i] = part;
        }
      }
      for (int n = 0; n < kBlock; ++n) q[i][n] = static_cast<T>(g[i][n]);
    }
  }

 private:
  // Several chains of additions, which are SIMD.
  template <class R>
  static R dot(const R (&u)[kBlock], const R (&v)[kBlock]) {
    R sum[kBlock / 2];
    for (int n = 0; n < kBlock / 2; ++n)
      sum[n] = u[n] * v[n] + u[n + kBlock / 2] * v[n + kBlock / 2];
    for (int left = kBlock / 4; left > 0; left /= 2) {
      for (int n = 0; n < left; ++n) sum[n] += sum[n + left];
    }
    return sum[0];
  }
};

template <int P>
struct Carry {
  alignas(64) double e[P][kBlock];    // e[k][j]: the effect of x_j on s'_k
  alignas(64) double e_t[kBlock][P];  // the same by columns
  alignas(64) double phi[P][P];       // phi[k]: the effect of s_k on s' (column k of Phi)
};

// One step of transposed direct form II with P states; returns y.
template <int P, class R>
inline R tdf2_step(const double* b, const double* a, R* s, R x) {
  const R y = b[0] * x + s[0];
  for (int j = 0; j < P; ++j) s[j] = (j + 1 < P ? s[j + 1] : R(0)) + b[j + 1] * x - a[j] * y;
  return y;
}

// Tables of the forward filter: the state is that of transposed direct form II.
template <class T, int P>
void make_forward_tables(const double* b, const double* a, Response<T, P>& out, Carry<P>& carry) {
  using R = table_t<T>;
  R s[P] = {};
  R h[kBlock], g[P][kBlock];
  for (int n = 0; n < kBlock; ++n) {
    h[n] = tdf2_step<P, R>(b, a, s, n == 0 ? 1 : 0);
    // after n more samples without input an impulse has become this state
    for (int k = 0; k < P; ++k) {
      carry.e[k][kBlock - 1 - n] = carry.e_t[kBlock - 1 - n][k] = static_cast<double>(s[k]);
    }
  }
  for (int k = 0; k < P; ++k) {
    R unit[P] = {};
    unit[k] = 1;
    for (int n = 0; n < kBlock; ++n) g[k][n] = tdf2_step<P, R>(b, a, unit, R(0));
    for (int j = 0; j < P; ++j) carry.phi[k][j] = static_cast<double>(unit[j]);
  }
  out.template set_h<Time::kAscending>([&](int n) { return h[n]; });
  out.set_g(g);
}

// Tables of the backward filter: the state is that of direct form II, the P next lambdas.
// n counts samples in the order of processing, so n = 0 is the last of the block in memory.
template <class T, int P>
void make_backward_tables(const double* b, const double* a, Response<T, P>& lambda,
                          Response<T, P>& grad_x, Carry<P>& carry) {
  using R = table_t<T>;
  R w[P + kBlock];  // w[P + n] is lambda at n; w[P - 1 - k] is s_k
  auto run = [&](R input) {
    for (int n = 0; n < kBlock; ++n) {
      R sum = n == 0 ? input : R(0);
      for (int i = 1; i <= P; ++i) sum -= a[i - 1] * w[P + n - i];
      w[P + n] = sum;
    }
  };
  auto fir = [&](int n) {
    R sum = 0;
    for (int i = 0; i <= P; ++i) sum += b[i] * w[P + n - i];
    return sum;
  };
  for (int i = 0; i < P; ++i) w[i] = 0;
  run(R(1));
  lambda.template set_h<Time::kDescending>([&](int n) { return w[P + n]; });
  grad_x.template set_h<Time::kDescending>(fir);
  for (int j = 0; j < kBlock; ++j) {
    for (int k = 0; k < P; ++k) {
      carry.e[k][j] = carry.e_t[j][k] = j >= k ? static_cast<double>(w[P + j - k]) : 0.0;
    }
  }
  R to_lambda[P][kBlock], to_grad_x[P][kBlock];
  for (int k = 0; k < P; ++k) {
    for (int i = 0; i < P; ++i) w[i] = i == P - 1 - k ? 1 : 0;
    run(R(0));
    for (int i = 0; i < kBlock; ++i) {
      to_lambda[k][i] = w[P + kBlock - 1 - i];
      to_grad_x[k][i] = fir(kBlock - 1 - i);
    }
    for (int j = 0; j < P; ++j) carry.phi[k][j] = static_cast<double>(w[P + kBlock - 1 - j]);
  }
  lambda.set_g(to_lambda);
  grad_x.set_g(to_grad_x);
}

POLEZERO_ISA_END
