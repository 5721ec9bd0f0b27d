// The state of a block filter (block.h) as that of its normalised lattice (A. H. Gray and J. D.
// Markel, IEEE Trans. ASSP 23(3), 1975).
//
// The state of a direct form is badly scaled where poles lie near each other: a high-pass of order
// 5 and 48 Hz at 16 kHz answers an error in its state 3e7 times as loud, and over a block the state
// first grows by 1e4 and cancels, which rounds at that height. The stages of a lattice turn, so in
// its coordinates nothing grows: Phi is part of a rotation, and the state has unit variance where
// the input is white (backwards), or the energy of all that will still be heard of it (forwards,
// the transposed system). What is ill-conditioned is the way there, from coefficients to reflection
// coefficients: once a table, in double-double.
//
//     A_P = A, A_{m-1} = (A_m - k_m B_m) / c_m^2    B_m(z) = z^-m A_m(1/z), c_m^2 = 1 - k_m^2
//     z_m = norm_m B_m lambda[n-1], m < P           norm_P = 1, norm_{m-1} = c_m norm_m
//     grad_x[n] = sum_m taps_m z_m[n+1]
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/tile/block.h"
#include "math/double_double.h"

POLEZERO_ISA_BEGIN

template <int P>
struct Lattice {
  double k[P], c[P];    // of stage m + 1
  double taps[P + 1];   // b as a sum of B_m, normalised
  double scale[P + 1];  // 1 / norm_m; scale[0] is the l2 norm of 1 / A
  double basis[P][P];   // row m: z_m from the state of direct form II
};

// How far off A_0 may be, as a part of the largest coefficient, by a bound: a stage multiplies
// errors by 1 / (1 - |k|) at most. Beyond it a serial filter in float64 is off by more than its
// output.
inline constexpr double kStepDownTolerance = 1e-2;

// The lattice, or false where the filter is not stable (|k| >= 1), or so nearly that double-double
// does not do.
template <int P>
bool step_down(const double* b, const double* a, Lattice<P>& to) {
  constexpr double rounding = std::numeric_limits<double>::epsilon();
  DoubleDouble row[P + 1] = {1}, rest[P + 1];  // A_m times row[0], and what is left of b
  double scale = 1, norm = 1, error = rounding * rounding;
  for (int i = 0; i <= P; ++i) {
    rest[i] = b[i];
    if (i > 0) row[i] = a[i - 1];
  }
  for (int i = 0; i < P; ++i) error = std::max(error, rounding * rounding * std::abs(a[i]));
  for (int m = P;; --m) {
    const DoubleDouble inverse = reciprocal(row[0]), tap = product(rest[m], inverse);
    for (int j = 0; j < m; ++j) rest[j].add_product(tap, row[m - j], -1);
    to.taps[m] = rest[m].rounded() * scale;
    to.scale[m] = scale;
    if (m < P) {
      const double normalise = inverse.rounded() * norm;
      for (int j = 0; j < P; ++j) to.basis[m][j] = j > m ? 0 : row[m - j].rounded() * normalise;
    }
    if (m == 0) return true;
    const DoubleDouble k = product(row[m], inverse);
    for (int j = 0; 2 * j <= m; ++j) {
      const DoubleDouble low = row[j], high = row[m - j];
      row[m - j].add_product(k, low, -1);
      row[j] = low;
      row[j].add_product(k, high, -1);
    }
    const double square = row[0].rounded() * inverse.rounded();  // c^2
    const double c = std::sqrt(square);
    to.k[m - 1] = k.rounded();
    to.c[m - 1] = c;
    scale /= c;
    norm *= c;
    error *= (1 + std::abs(k.rounded())) / square;
    if (!(square > 0 && error <= kStepDownTolerance)) return false;
  }
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
    first = f * l.scale[0];
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
      if (!step_down(b, a, lattice)) return false;
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
      if (!step_down(b, a, lattice)) return false;
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
        const double z = s[m] * lattice.scale[m];
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
        z.set(m, rest * lattice.scale[m]);
      }
    }
    return z;
  }
};

POLEZERO_ISA_END
