// Numbers of twice the precision of float64, as an unevaluated sum of two (Dekker, Numerische
// Mathematik 18, 1971): for tables that are made by squaring, which multiplies rounding errors
// (tile/transition.h, which has a long double for it; a GPU has none).
#pragma once

#include <cmath>
#include <complex>

#include "tile/host_device.h"
#include "tile/isa.h"

POLEZERO_ISA_BEGIN

struct Twofold {
  double high, low = 0;

  POLEZERO_HD Twofold(double value = 0) : high(value) {}
  POLEZERO_HD double rounded() const { return high; }

  // *this += sign u v
  POLEZERO_HD void add_product(const Twofold& u, const Twofold& v, double sign = 1) {
    const double product = sign * u.high * v.high;
    const double error =
        std::fma(sign * u.high, v.high, -product) + sign * (u.high * v.low + u.low * v.high);
    const double sum = high + product, part = sum - high;
    const double rest = (high - (sum - part)) + (product - part) + low + error;
    high = sum + rest;
    low = rest - (high - sum);
  }
};

struct ComplexTwofold {
  Twofold re, im;

  POLEZERO_HD ComplexTwofold(std::complex<double> value = {})
      : re(value.real()), im(value.imag()) {}
  POLEZERO_HD std::complex<double> rounded() const { return {re.rounded(), im.rounded()}; }

  POLEZERO_HD void add_product(const ComplexTwofold& u, const ComplexTwofold& v) {
    re.add_product(u.re, v.re);
    re.add_product(u.im, v.im, -1);
    im.add_product(u.re, v.im);
    im.add_product(u.im, v.re);
  }
};

template <class A>
struct TwofoldOf {
  using type = Twofold;
};
template <>
struct TwofoldOf<std::complex<double>> {
  using type = ComplexTwofold;
};
template <class A>
using twofold_t = typename TwofoldOf<A>::type;

POLEZERO_ISA_END
