// The state of a block filter (block.h) as that of its normalised lattice (A. H. Gray and J. D.
// Markel, IEEE Trans. ASSP 23(3), 1975).
//
// The state of a direct form is badly scaled where poles lie near each other: a high-pass of order
// 5 and 48 Hz at 16 kHz answers an error in its state 1e6 times as loud, and over a block the state
// first grows by 1e3 and cancels, which rounds at that height. The stages of a lattice turn, so in
// its coordinates nothing grows: a block's Phi is part of a rotation, the state has unit variance
// where the input is white (backwards), or is as large as all that it will still be heard of
// (forwards, the transposed system). What is ill-conditioned is the way there: coefficients to
// reflection coefficients, once a table, in double-double where float64 does not do.
//
//     A_m(z)             z^-m conj A_m = B_m    A_P = A,  A_{m-1} = (A_m - k_m B_m) / (1 - k_m^2)
//     z_m = B_m lambda[n-1] / norm_m, m < P     norm_P = 1,  norm_{m-1} = norm_m / c_m
//     grad_x = sum_m taps_m z_m[n+1]            c_m = sqrt(1 - k_m^2)
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/tile/block.h"
#include "math/double_double.h"

POLEZERO_ISA_BEGIN

template <int P>
struct Lattice {
  double k[P], c[P];   // of stage m + 1
  double taps[P + 1];  // b as a sum of B_m, normalised
  double norm[P + 1];  // norm[0]: the l2 norm of 1 / A
  double basis[P][P];  // row m: z_m from the state of direct form II
};

// Roundings of E, and how far off the last row may be, as a part of the largest coefficient, by a
// bound: a stage multiplies errors by 1 / (1 - |k|) at most. Outputs were never off by more than
// 5e-4 of it. Where double-double does not do, nor does the serial filter, in float64.
template <class E>
inline constexpr double kRounding = std::numeric_limits<double>::epsilon();
template <class E>
inline constexpr double kStepDownTolerance = 1e-5;
template <>
inline constexpr double kRounding<DoubleDouble> = kRounding<double> * kRounding<double> / 2;
template <>
inline constexpr double kStepDownTolerance<DoubleDouble> = 1e-2;

// The lattice, or false where the filter is not stable (|k| >= 1), or so nearly that the precision
// of E does not do.
template <class E, int P>
bool step_down(const double* b, const double* a, Lattice<P>& to) {
  E row[P + 1] = {E(1)}, rest[P + 1];  // A_m, and what is left of b
  for (int i = 1; i <= P; ++i) row[i] = a[i - 1];
  for (int i = 0; i <= P; ++i) rest[i] = b[i];
  double norm = 1, inverse_norm = 1, error = kRounding<E>;
  for (int i = 1; i <= P; ++i) error = std::max(error, kRounding<E> * std::abs(a[i - 1]));
  for (int m = P;; --m) {
    const E tap = rest[m];
    for (int j = 0; j < m; ++j) subtract_product(rest[j], tap, row[m - j]);
    to.taps[m] = rounded(tap) * norm;
    to.norm[m] = norm;
    if (m < P) {
      for (int j = 0; j < P; ++j) to.basis[m][j] = j > m ? 0 : rounded(row[m - j]) * inverse_norm;
    }
    if (m == 0) break;
    const E k = row[m];
    E square = 1;  // c^2
    subtract_product(square, k, k);
    if (!(rounded(square) > 0)) return false;
    const E inverse = reciprocal(square);
    for (int j = 1; 2 * j <= m; ++j) {
      E low = row[j], high = row[m - j], scaled_low = 0, scaled_high = 0;
      subtract_product(low, k, row[m - j]);
      subtract_product(high, k, row[j]);
      add_product(scaled_low, low, inverse);
      add_product(scaled_high, high, inverse);
      row[j] = scaled_low;
      row[m - j] = scaled_high;
    }
    const double c = std::sqrt(rounded(square));
    to.k[m - 1] = rounded(k);
    to.c[m - 1] = c;
    norm *= c * rounded(inverse);
    inverse_norm *= c;
    error *= (1 + std::abs(to.k[m - 1])) * rounded(inverse);
    if (!(error <= kStepDownTolerance<E>)) return false;
  }
  return true;
}

template <int P>
bool make_lattice(const double* b, const double* a, Lattice<P>& lattice) {
  return step_down<double>(b, a, lattice) || step_down<DoubleDouble>(b, a, lattice);
}

// What a block does to outputs and states, in the order of processing n = 0..L-1.
template <int P>
struct LatticeResponses {
  double lambda[kBlock], tapped[kBlock];                          // of an impulse
  double state[kBlock][P];                                        // n samples after it
  double lambda_of_state[kBlock][P], tapped_of_state[kBlock][P];  // the latter by columns of states
  double phi[P][P];  // phi[m][k]: the effect of z_k on z'_m

  explicit LatticeResponses(const Lattice<P>& l) {
    double z[P] = {};
    for (int n = 0; n < kBlock; ++n) {
      turn(l, z, n == 0 ? 1.0 : 0.0, lambda[n], tapped[n]);
      for (int m = 0; m < P; ++m) state[n][m] = z[m];
    }
    constexpr int W = std::min(P, kLanes<double>);
    for (int k = 0; k < P; k += W) {  // from unit states side by side
      vec<double, W> unit[P] = {}, first, sum;
      for (int i = 0; i < W; ++i) unit[k + i][i] = 1;
      for (int n = 0; n < kBlock; ++n) {
        turn(l, unit, vec<double, W>{}, first, sum);
        store<double, W>(lambda_of_state[n] + k, first);
        store<double, W>(tapped_of_state[n] + k, sum);
      }
      for (int m = 0; m < P; ++m) store<double, W>(phi[m] + k, unit[m]);
    }
  }

 private:
  template <class V>
  POLEZERO_INLINE static void turn(const Lattice<P>& l, V (&z)[P], V f, V& first, V& sum) {
    sum = V{};
    for (int m = P; m > 0; --m) {
      const V other = z[m - 1], g = f * l.k[m - 1] + other * l.c[m - 1];
      f = f * l.c[m - 1] - other * l.k[m - 1];
      sum += g * l.taps[m];
      if (m < P) z[m] = g;
    }
    z[0] = f;
    sum += f * l.taps[0];
    first = f * l.norm[0];
  }
};

// Tables of the forward filter: it is the transposed system, state and all.
template <class T, int P>
void make_forward_tables(const Lattice<P>& lattice, Response<T, P>& out, Carry<P>& carry) {
  const LatticeResponses<P> of(lattice);
  table_t<T> g[P][kBlock];
  for (int k = 0; k < P; ++k) {
    for (int n = 0; n < kBlock; ++n) {
      g[k][n] = of.state[n][k];
      carry.e[k][n] = carry.e_t[n][k] = of.tapped_of_state[kBlock - 1 - n][k];
    }
    for (int j = 0; j < P; ++j) carry.phi[k][j] = of.phi[k][j];
  }
  out.template set_h<Time::kAscending>([&](int n) { return of.tapped[n]; });
  out.set_g(g);
}

template <class T, int P>
void make_backward_tables(const Lattice<P>& lattice, Response<T, P>& lambda, Response<T, P>& grad_x,
                          Carry<P>& carry) {
  const LatticeResponses<P> of(lattice);
  table_t<T> to_lambda[P][kBlock], to_grad_x[P][kBlock];
  for (int k = 0; k < P; ++k) {
    for (int n = 0; n < kBlock; ++n) {
      to_lambda[k][n] = of.lambda_of_state[kBlock - 1 - n][k];
      to_grad_x[k][n] = of.tapped_of_state[kBlock - 1 - n][k];
      carry.e[k][n] = carry.e_t[n][k] = of.state[n][k];
    }
    for (int j = 0; j < P; ++j) carry.phi[k][j] = of.phi[j][k];
  }
  lambda.template set_h<Time::kDescending>([&](int n) { return of.lambda[n]; });
  grad_x.template set_h<Time::kDescending>([&](int n) { return of.tapped[n]; });
  lambda.set_g(to_lambda);
  grad_x.set_g(to_grad_x);
}

// The coordinates in which a filter's tables carry its state from block to block: those of the
// direct form for two states, which never grow enough to matter, else those of the lattice.
template <int P>
struct Coordinates {
  static constexpr bool kLattice = P > 2;
  Lattice<P> lattice;

  // False where no tables can be made.
  template <class T>
  bool forward_tables(const double* b, const double* a, Response<T, P>& out, Carry<P>& carry) {
    if constexpr (kLattice) {
      if (!make_lattice(b, a, lattice)) return false;
      make_forward_tables(lattice, out, carry);
    } else {
      make_forward_tables(b, a, out, carry);
    }
    return true;
  }
  template <class T>
  bool backward_tables(const double* b, const double* a, Response<T, P>& lambda,
                       Response<T, P>& grad_x, Carry<P>& carry) {
    if constexpr (kLattice) {
      if (!make_lattice(b, a, lattice)) return false;
      make_backward_tables(lattice, lambda, grad_x, carry);
    } else {
      make_backward_tables(b, a, lambda, grad_x, carry);
    }
    return true;
  }

  // From the state of transposed direct form II, and back.
  State<P> enter_forward(State<P> s) const {
    if constexpr (kLattice) {
      for (int m = P - 1; m >= 0; --m) {
        const double z = s[m] * lattice.norm[m];
        for (int j = 0; j < m; ++j) s.set(j, s[j] - lattice.basis[m][j] * z);
        s.set(m, z);
      }
    }
    return s;
  }
  State<P> leave_forward(const State<P>& z) const { return kLattice ? z.times(lattice.basis) : z; }
  // From the state of direct form II, and back.
  State<P> enter_backward(const State<P>& s) const {
    if constexpr (!kLattice) return s;
    State<P> z;
    for (int m = 0; m < P; ++m) {
      double sum = 0;
      for (int j = 0; j <= m; ++j) sum += lattice.basis[m][j] * s[j];
      z.set(m, sum);
    }
    return z;
  }
  State<P> leave_backward(State<P> z) const {
    if constexpr (kLattice) {
      for (int m = 0; m < P; ++m) {
        double rest = z[m];
        for (int j = 0; j < m; ++j) rest -= lattice.basis[m][j] * z[j];
        z.set(m, rest * lattice.norm[m]);
      }
    }
    return z;
  }
};

POLEZERO_ISA_END
