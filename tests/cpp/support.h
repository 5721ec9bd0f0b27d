// What the tests share: random signals and filters, the instruction sets of this processor, and
// how a result is held against an exact one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/capability.h"
#include "kernels/cpu/lag_correlation.h"
#include "kernels/cpu/lag_product.h"
#include "kernels/cpu/lattice.h"
#include "kernels/cpu/lfilter.h"
#include "kernels/cpu/lpv_allpole.h"
#include "kernels/cpu/lpv_fir.h"
#include "kernels/cpu/sosfilt.h"
#include "kernels/cpu/sparse.h"
#include "kernels/cpu/sparse_product.h"
#include "kernels/cpu/spline.h"
#include "kernels/cpu/state_space.h"

namespace polezero::test {

using ScalarTypes = ::testing::Types<float, double, std::complex<float>, std::complex<double>>;

// What the truth is computed in.
template <class T>
struct Exact {
  using type = long double;
};
template <class T>
struct Exact<std::complex<T>> {
  using type = std::complex<long double>;
};
template <class T>
using exact_t = typename Exact<T>::type;

template <class T>
inline constexpr bool kComplex = !std::is_arithmetic_v<T>;

// Relative to the largest value so far. Measured over these tests on three instruction sets: at
// most 4e-7 and 9.7e-15 with poles inside the unit circle, 7e-6 and 2.1e-13 beyond it, where the
// growing modes may cancel for a while.
template <class T>
constexpr double tolerance(double radius = 0) {
  const bool single = sizeof(T) / (kComplex<T> ? 2 : 1) == 4;
  return (single ? 1e-6 : 3e-14) * (radius >= 1 ? 20 : 1);
}

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}
  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(bits_);
  }
  template <class T>
  T normal() {
    if constexpr (kComplex<T>) {
      const auto re = normal<typename T::value_type>();
      return {re, normal<typename T::value_type>()};
    } else {
      return static_cast<T>(std::normal_distribution<double>()(bits_));
    }
  }
  template <class T>
  std::vector<T> signal(int64_t count) {
    std::vector<T> values(count);
    for (T& v : values) v = normal<T>();
    return values;
  }

 private:
  std::mt19937_64 bits_;
};

// a_1..a_N of poles of one radius, spread over all angles; real types get conjugate pairs.
template <class A>
std::vector<A> denominator(Random& random, int64_t order, double radius) {
  using C = std::complex<long double>;
  std::vector<C> poles;
  const double jitter = random.uniform(0.3, 0.7);
  if constexpr (kComplex<A>) {
    for (int64_t i = 0; i < order; ++i) {
      poles.push_back(std::polar<long double>(radius, 2 * std::numbers::pi * (i + jitter) / order));
    }
  } else {
    for (int64_t i = 0; i < order / 2; ++i) {
      poles.push_back(
          std::polar<long double>(radius, std::numbers::pi * (i + jitter) / (order / 2)));
      poles.push_back(std::conj(poles.back()));
    }
    if (order % 2 == 1) poles.push_back(C(-radius / 2));
  }
  std::vector<C> polynomial(order + 1);
  polynomial[0] = 1;
  for (const C& p : poles) {
    for (int64_t i = order; i > 0; --i) polynomial[i] -= p * polynomial[i - 1];
  }
  std::vector<A> a(order);
  for (int64_t i = 0; i < order; ++i) {
    if constexpr (kComplex<A>) {
      a[i] = A(polynomial[i + 1]);
    } else {
      a[i] = static_cast<A>(polynomial[i + 1].real());
    }
  }
  return a;
}

// One filter for all rows, or one a row, padded to one order.
template <class T>
struct FilterBank {
  using A = acc_t<T>;
  int64_t order_b, order_a, order, count;
  std::vector<A> b, a;

  FilterBank(Random& random, int64_t M, int64_t N, int64_t filters, double radius)
      : order_b(M), order_a(N), order(std::max(M, N)), count(filters) {
    for (int64_t f = 0; f < filters; ++f) {
      b.resize((f + 1) * (order + 1));
      for (int64_t i = 0; i <= M; ++i)
        b[f * (order + 1) + i] = random.normal<A>() / std::sqrt(M + 1.);
      const std::vector<A> poles = denominator<A>(random, N, radius);
      a.insert(a.end(), poles.begin(), poles.end());
      a.resize((f + 1) * order);
    }
  }
  Filters<T> view() const {
    return {order_b, order_a, order, count > 1 ? 1 : 0, b.data(), a.data()};
  }
  const A* b_of(int64_t row) const { return b.data() + (count > 1 ? row : 0) * (order + 1); }
  const A* a_of(int64_t row) const { return a.data() + (count > 1 ? row : 0) * order; }
};

// Memory as malloc gives it, at its worst: what a kernel does not write, and what it reads before
// it is written, shows as NaN.
template <class T>
std::vector<T> unwritten(int64_t count) {
  return std::vector<T>(count, T(std::numeric_limits<double>::quiet_NaN()));
}

// Rows with a gap between them. The allocation begins with the first sample and ends with the
// last one, so that AddressSanitizer sees a step outside.
template <class T>
struct Rows {
  int64_t rows, time, stride;
  std::vector<T> data;

  Rows(int64_t B, int64_t samples, int64_t gap, T value = T{})
      : rows(B),
        time(samples),
        stride(samples + gap),
        data(B == 0 ? 0 : (B - 1) * stride + samples, value) {}
  T* row(int64_t r) { return data.data() + r * stride; }
  const T* row(int64_t r) const { return data.data() + r * stride; }
  bool operator==(const Rows&) const = default;
};

template <class T>
Rows<T> random_rows(Random& random, int64_t B, int64_t samples, int64_t gap) {
  Rows<T> out(B, samples, gap);
  out.data = random.signal<T>(out.data.size());
  return out;
}

// The kernels of all ops in one instruction set, or those that stand in for them.
template <class T>
struct KernelsOf {
  decltype(LfilterKernels<T>::forward) lfilter_forward;
  decltype(LfilterKernels<T>::backward) lfilter_backward;
  decltype(LagCorrelationKernels<T>::correlate) lag_correlation;
  decltype(LpvAllpoleKernels<T>::forward) lpv_allpole;
  decltype(LpvAllpoleKernels<T>::backward) lpv_allpole_backward;
  decltype(LagProductKernels<T>::multiply) lag_product;
  decltype(LpvFirKernels<T>::forward) lpv_fir;
  decltype(SosfiltKernels<T>::forward) sosfilt_forward;
  decltype(SosfiltKernels<T>::backward) sosfilt_backward;
  decltype(LatticeKernels<T>::forward) lattice_forward;
  decltype(LatticeKernels<T>::backward) lattice_backward;
  decltype(StateSpaceKernels<T>::forward) state_space;
  decltype(SparseKernels<T>::filter) sparse;
  decltype(SparseProductKernels<T>::multiply) sparse_product;
  decltype(SplineKernels<T>::evaluate) spline, spline_transposed;
  decltype(SplineKernels<T>::upsample) upsample, upsample_transposed;
};

template <class T>
KernelsOf<T> kernels_for(InstructionSet set) {
  const auto& spline = cpu::spline_kernels<T>(set);
  return {.lfilter_forward = cpu::lfilter_kernels<T>(set).forward,
          .lfilter_backward = cpu::lfilter_kernels<T>(set).backward,
          .lag_correlation = cpu::lag_correlation_kernels<T>(set).correlate,
          .lpv_allpole = cpu::lpv_allpole_kernels<T>(set).forward,
          .lpv_allpole_backward = cpu::lpv_allpole_kernels<T>(set).backward,
          .lag_product = cpu::lag_product_kernels<T>(set).multiply,
          .lpv_fir = cpu::lpv_fir_kernels<T>(set).forward,
          .sosfilt_forward = cpu::sosfilt_kernels<T>(set).forward,
          .sosfilt_backward = cpu::sosfilt_kernels<T>(set).backward,
          .lattice_forward = cpu::lattice_kernels<T>(set).forward,
          .lattice_backward = cpu::lattice_kernels<T>(set).backward,
          .state_space = cpu::state_space_kernels<T>(set).forward,
          .sparse = cpu::sparse_kernels<T>(set).filter,
          .sparse_product = cpu::sparse_product_kernels<T>(set).multiply,
          .spline = spline.evaluate,
          .spline_transposed = spline.evaluate_transposed,
          .upsample = spline.upsample,
          .upsample_transposed = spline.upsample_transposed};
}

// `work` gets the kernels of one instruction set after the other.
template <class T, class Work>
void on_every_isa(Work&& work) {
  for (const InstructionSet set : available_instruction_sets()) {
    SCOPED_TRACE(name_of(set));
    work(kernels_for<T>(set));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// |got - want|; infinite where one is NaN or infinite and the other is not the same, which counts
// after rounding to the precision of `got`.
template <class T, class W>
double error_of(T got, W want) {
  if constexpr (kComplex<T>) {
    return std::max(error_of(got.real(), want.real()), error_of(got.imag(), want.imag()));
  } else {
    const T rounded = static_cast<T>(want);
    if (std::isnan(rounded)) return std::isnan(got) ? 0 : HUGE_VAL;
    if (std::isinf(rounded)) return got == rounded ? 0 : HUGE_VAL;
    return std::isfinite(got) ? static_cast<double>(std::abs(got - want)) : HUGE_VAL;
  }
}

// The largest error relative to the largest finite value so far, at least `scale`.
template <class T, class W>
double largest_error(const T* got, const W* want, int64_t count, double scale = 1,
                     bool descending = false) {
  double largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t n = descending ? count - 1 - i : i;
    const double size = static_cast<double>(std::abs(want[n]));
    if (std::isfinite(size)) scale = std::max(scale, size);
    largest = std::max(largest, error_of(got[n], want[n]) / scale);
  }
  return largest;
}

// The root mean square of the error relative to that of what is wanted.
template <class T, class W>
double relative_rms(const T* got, const W* want, int64_t count) {
  W error = 0, size = 0;
  for (int64_t n = 0; n < count; ++n) {
    error += (got[n] - want[n]) * (got[n] - want[n]);
    size += want[n] * want[n];
  }
  return static_cast<double>(std::sqrt(error / size));
}

}  // namespace polezero::test
