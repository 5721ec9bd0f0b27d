"""Analog low-pass prototypes of a cut-off of 1, in pairs of real numbers.

The pole pairs of a prototype are in the order of their sharpness, the one next to the imaginary axis last, and zero
pair i lies next to pole pair i: that is the order of SciPy's sections, and stays so under ``lp2lp`` and ``lp2hp``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar, Values, circle
from polezero._design.legendre import optimum_poles
from polezero._design.polynomials import roots


class Prototype(NamedTuple):
    """H(s) = gain prod (s^2 + w_i^2) / prod (s - p_i)."""

    x: Values  # the real parts of the pole pairs
    y: Values  # their imaginary parts, above 0
    zeros: Values  # w
    real: Scalar | None  # the real pole of an odd order
    gain: Scalar
    at_zero: Scalar  # H(0), which is the gain of a prototype inverted

    def inverted(self, f: Arithmetic) -> Prototype:
        """At 1/s, but for the zeros at 0: a high-pass filter."""
        x, y = f.each(2, _reciprocal, self.x, self.y)
        (zeros,) = f.each(1, lambda w: (1 / w,), self.zeros)
        return Prototype(x, y, zeros, None if self.real is None else 1 / self.real, self.at_zero, self.gain)


def _reciprocal(x: Scalar, y: Scalar) -> tuple[Scalar, Scalar]:
    """Of x + jy, and of that the conjugate."""
    square = x * x + y * y
    return x / square, y / square


def all_pole(family: str, N: int) -> Prototype:
    """Butterworth's, Bessel's and Papoulis's, whose gain at 0 is 1."""
    x, y, real, gain = _constants(family, N)
    return Prototype(x, y, [], real[0] if real else None, gain, 1.0)


def chebyshev(f: Arithmetic, N: int, rp: Scalar) -> Prototype:
    power = f.expm1(rp * NEPERS)
    e = f.sqrt(power)
    mu = f.asinh(1 / e) / N
    sinh, cosh = f.sinh(mu), f.cosh(mu)
    x, y = f.each(2, lambda sine, cosine: (-cosine * sinh, sine * cosh), *circle(N))
    gain = 1 / (2 ** (N - 1) * e)
    if N % 2:
        return Prototype(x, y, [], -sinh, gain, 1.0)
    return Prototype(x, y, [], None, gain, 1 / f.sqrt(1 + power))


def inverse_chebyshev(f: Arithmetic, N: int, rs: Scalar) -> Prototype:
    """The poles are those of Chebyshev's first kind inverted."""
    power = f.expm1(rs * NEPERS)
    e = f.sqrt(power)
    mu = f.asinh(e) / N
    sinh, cosh = f.sinh(mu), f.cosh(mu)
    x, y, zeros = f.each(3, lambda sine, cosine: (*_reciprocal(-cosine * sinh, sine * cosh), 1 / sine), *circle(N))
    if N % 2:
        return Prototype(x, y, zeros, -1 / sinh, N / e, 1.0)
    return Prototype(x, y, zeros, None, 1 / f.sqrt(1 + power), 1.0)


_Constants = tuple[list[float], list[float], list[float], float]


def _constants(family: str, N: int) -> _Constants:
    """Of the pole pairs the real and imaginary parts, the real pole if there is one, and the gain."""
    return _computed(family, N)


# What torch.compiler.assume_constant_result does, which imports all of torch.compile.
setattr(_constants, "_dynamo_marked_constant", True)  # noqa: B010


@functools.cache
def _computed(family: str, N: int) -> _Constants:
    if family == "butter":
        poles, gain = [complex(-cosine, sine) for sine, cosine in zip(*circle(N))] + [-1.0 + 0j] * (N % 2), 1.0
    elif family == "legendre":
        poles, gain = optimum_poles(N)
    else:
        poles, gain = _bessel(N, family.removeprefix("bessel_"))
    pairs = sorted((p for p in poles if p.imag > 1e-12 * abs(p)), key=lambda p: p.imag / -p.real)
    real = [p.real for p in poles if abs(p.imag) <= 1e-12 * abs(p)]
    return [p.real for p in pairs], [p.imag for p in pairs], real, gain


def _bessel(N: int, norm: str) -> tuple[list[complex], float]:
    """Poles, and their product, by which the gain at 0 is 1.

    They are the roots of sum_k (2N - k)! / (2^(N - k) k! (N - k)!) s^k, whose delay is 1.
    """
    factorial = math.factorial
    terms = [factorial(2 * N - k) // (2 ** (N - k) * factorial(k) * factorial(N - k)) for k in range(N, -1, -1)]
    poles, last = roots(tuple(terms)), terms[-1]
    if norm == "delay":
        return poles, float(last)
    if norm == "phase":  # its asymptotes are Butterworth's
        scale = math.exp(-math.log(last) / N)
        return [p * scale for p in poles], 1.0
    scale = 1 / _half_power(poles)
    return [p * scale for p in poles], last * scale**N


def _half_power(poles: Sequence[complex]) -> float:
    """Where |H|^2 is 1/2: Newton's method on sum log |1 - j w / p|^2 = log 2, which rises with w."""
    w = math.sqrt(math.log(2) / abs(sum(1 / p**2 for p in poles).real))
    for _ in range(100):
        loss = sum(math.log(abs(1 - 1j * w / p)) for p in poles) - math.log(2) / 2
        slope = sum((-1j / p / (1 - 1j * w / p)).real for p in poles)
        step = loss / slope
        w -= step
        if abs(step) < 1e-15 * w:
            break
    return w
