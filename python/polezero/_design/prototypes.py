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
from polezero._design.elliptic import elliptic
from polezero._design.legendre import optimum_poles
from polezero._design.polynomials import roots

DECIBELS = {"cheby1": ("rp",), "cheby2": ("rs",), "ellip": ("rp", "rs")}  # what a family has besides the edges
WITH_ZEROS = ("cheby2", "ellip")


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


def prototype(f: Arithmetic, family: str, N: int, *decibels: Scalar) -> Prototype:
    """``decibels`` are those of :data:`DECIBELS`."""
    ripple = 1 / f.sqrt(1 + f.expm1(decibels[0] * NEPERS)) if family in ("cheby1", "ellip") else 1.0
    if N == 0:
        return Prototype([], [], [], None, ripple, ripple)
    if family not in DECIBELS:
        x, y, real, gain = _constants(family, N)
        return Prototype(x, y, [], real[0] if real else None, gain, 1.0)
    at_zero, inverse = 1.0 if N % 2 else ripple, None
    if family == "ellip":
        x, y, inverse, gain = elliptic(N, f, *decibels)
    elif family == "cheby1":
        x, y, gain = _chebyshev(N, f, *decibels)
    else:
        x, y, inverse, gain = _inverse_chebyshev(N, f, *decibels)
    real = None
    if N % 2:
        real, x = f.parted(x)
        _, y = f.parted(y)
        inverse = None if inverse is None else f.parted(inverse)[1]
    (zeros,) = f.each(1, lambda w: (1 / w,), [] if inverse is None else inverse)
    return Prototype(x, y, zeros, real, gain, at_zero)


def _chebyshev(N: int, f: Arithmetic, rp: Scalar) -> tuple[Values, Values, Scalar]:
    e = f.sqrt(f.expm1(rp * NEPERS))
    mu = f.asinh(1 / e) / N
    sinh, cosh = f.sinh(mu), f.cosh(mu)
    x, y = f.each(2, lambda sine, cosine: (-cosine * sinh, sine * cosh), *circle(N))
    return x, y, 1 / (2 ** (N - 1) * e)


def _inverse_chebyshev(N: int, f: Arithmetic, rs: Scalar) -> tuple[Values, Values, Values, Scalar]:
    """Of poles, and of zeros the inverses. The poles are those of Chebyshev's first kind inverted."""
    power = f.expm1(rs * NEPERS)
    e = f.sqrt(power)
    mu = f.asinh(e) / N
    sinh, cosh = f.sinh(mu), f.cosh(mu)
    x, y, inverse = f.each(3, lambda sine, cosine: (*_reciprocal(-cosine * sinh, sine * cosh), sine), *circle(N))
    return x, y, inverse, N / e if N % 2 else 1 / f.sqrt(1 + power)


_Constants = tuple[list[float], list[float], list[float], float]


def _constants(family: str, N: int) -> _Constants:
    """Of the pole pairs the real and imaginary parts, the real pole if there is one, and the gain."""
    return _computed(family, N)


# What torch.compiler.assume_constant_result does, which imports all of torch.compile.
setattr(_constants, "_dynamo_marked_constant", True)  # noqa: B010


@functools.cache
def _computed(family: str, N: int) -> _Constants:
    if family == "butter":
        poles, gain = [complex(-cosine, sine) for sine, cosine in zip(*circle(N))], 1.0
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
