// One row of a filter of any order with feedback, SIMD along its state: as many samples as a vector
// has lanes, a step, are filtered before the states are moved on by as many at once. Coefficients
// are padded with zeros, b[0..P + 2 W), a[1..P + 2 W); `poison` as in serial_unrolled.h.
#pragma once

#include "kernels/cpu/tile/double_double_lanes.h"
#include "kernels/cpu/tile/row_lanes.h"

POLEZERO_ISA_BEGIN

inline constexpr int kStep = kLanes<double>;

// sum + u v, fused wherever vectors are (row_lanes.h).
POLEZERO_INLINE double plus_product(double sum, double u, double v) {
  return kFma ? __builtin_fma(u, v, sum) : sum + u * v;
}

// Transposed direct form II, with the sums of serial.h in its order: steps of kSamples, kStep or
// one. y may be null; the state s[0..P) is padded likewise.
template <int kSamples, class T>
void forward_along_state(int64_t P, const double* b, const double* a, const T* x, T* y,
                         int64_t steps, double* s, double& poison) {
  double bad = 0;
  for (int64_t n = 0; n < steps; ++n) {
    double u[kSamples], v[kSamples];
    unroll<kSamples>([&](auto t) POLEZERO_LAMBDA {
      u[t] = static_cast<double>(x[n * kSamples + t]);
      double sum = s[t];
      unroll<t>([&](auto e) POLEZERO_LAMBDA {
        sum = plus_product(sum, b[t - e], u[e]);
        sum = plus_product(sum, -a[t - e], v[e]);
      });
      v[t] = plus_product(sum, b[0], u[t]);
      bad += v[t] * 0;
      if (y != nullptr) y[n * kSamples + t] = static_cast<T>(v[t]);
    });
    for (int64_t k = 0; k < P; k += kStep) {
      vec<double> sum = load<double>(s + k + kSamples);
      unroll<kSamples>([&](auto e) POLEZERO_LAMBDA {
        sum = plus_product(sum, load<double>(b + k + kSamples - e), broadcast<double>(u[e]));
        sum = minus_product(sum, load<double>(a + k + kSamples - e), broadcast<double>(v[e]));
      });
      store<double>(s + k, sum);
    }
  }
  poison += bad;
}

// Direct form II backwards in time, from g[0], lambda[0] and grad_x[0] downwards. grad_x may be
// null; lambda[1..P] are the state.
template <class T>
void backward_along_state(int64_t P, const double* b, const double* a, const T* g, double* lambda,
                          T* grad_x, int64_t steps, double& poison) {
  double bad = 0;
  for (; steps > 0; --steps, g -= kStep, lambda -= kStep) {
    // lane t is t samples before lambda[0]; chains of every fourth state
    vec<double> sum[4] = {}, out[4] = {};
    const auto add = [&](int64_t k, auto chain) POLEZERO_LAMBDA {
      const vec<double> state = broadcast<double>(lambda[k]);
      sum[chain] += load<double>(a + k) * state;
      if (grad_x != nullptr) out[chain] += load<double>(b + k) * state;
    };
    int64_t k = 1;
    for (; k + 3 <= P; k += 4) {
      unroll<4>([&](auto i) POLEZERO_LAMBDA { add(k + i, i); });
    }
    for (; k <= P; ++k) add(k, std::integral_constant<int, 0>{});
    double l[kStep], sums[kStep], outs[kStep];
    store<double>(sums, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    store<double>(outs, (out[0] + out[1]) + (out[2] + out[3]));
    unroll<kStep>([&](auto t) POLEZERO_LAMBDA {
      l[t] = static_cast<double>(g[-t]) - sums[t];
      unroll<t>([&](auto e) POLEZERO_LAMBDA { l[t] -= a[t - e] * l[e]; });
      bad += l[t] * 0;
      lambda[-t] = l[t];
    });
    if (grad_x == nullptr) continue;
    unroll<kStep>([&](auto t) POLEZERO_LAMBDA {
      double value = outs[t];
      unroll<t + 1>([&](auto e) POLEZERO_LAMBDA { value += b[t - e] * l[e]; });
      grad_x[-t] = static_cast<T>(value);
    });
    grad_x -= kStep;
  }
  poison += bad;
}

POLEZERO_ISA_END
