"""Analog low-pass prototypes of a cut-off of 1, in pairs of real numbers.

The pole pairs of a prototype are in the order of their sharpness, the one next to the imaginary axis last, and zero
pair i lies next to pole pair i: that is the order of SciPy's sections, and stays so under ``lp2lp`` and ``lp2hp``.
"""

from __future__ import annotations

import cmath
import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from polezero._design.legendre import optimum_poles
from polezero._design.polynomials import roots


class Prototype(NamedTuple):
    """H(s) = gain prod (s^2 + w_i^2) / prod (s - p_i), all tensors ``[..., n]``."""

    x: Tensor  # the real parts of the pole pairs, and 0 for each zero pair
    y: Tensor  # the imaginary parts, above 0, of the pole pairs, then of the zero pairs
    pairs: int  # of poles
    real: Tensor | None  # the real pole of an odd order
    gain: Tensor | float
    at_zero: Tensor | float  # H(0), which is the gain of a prototype inverted

    @property
    def order(self) -> int:
        return 2 * self.pairs + (self.real is not None)

    @property
    def zeros(self) -> int:
        """Finite ones."""
        return 2 * (self.y.shape[-1] - self.pairs)

    def inverted(self) -> Prototype:
        """At 1/s, but for the zeros at 0: a high-pass filter."""
        square = self.x * self.x + self.y * self.y
        real = None if self.real is None else 1 / self.real
        return self._replace(x=self.x / square, y=self.y / square, real=real, gain=self.at_zero)


def constant(values: Sequence[float] | Sequence[Sequence[float]], like: Tensor) -> Tensor:
    """Made anew in every call: a tensor that is kept would be one of the mode, or transform, of the first call."""
    return torch.tensor(values, dtype=torch.float64, device=like.device)


def _angles(N: int) -> list[float]:
    """Those of the pole pairs on Butterworth's circle, from the negative real axis."""
    return [math.pi * m / (2 * N) for m in range(1 + N % 2, N, 2)]


def all_pole(family: str, N: int, like: Tensor) -> Prototype:
    """Butterworth's, Bessel's and Papoulis's, whose gain at 0 is 1."""
    x, y, real, gain = _constants(family, N)
    pairs = constant([x, y], like)
    return Prototype(pairs[0], pairs[1], len(x), constant(real, like) if real else None, gain, 1.0)


_Constants = tuple[list[float], list[float], list[float], float]


def _constants(family: str, N: int) -> _Constants:
    """Of the pole pairs the real and imaginary parts, the real pole if there is one, and the gain."""
    return _computed(family, N)


# What torch.compiler.assume_constant_result does, which imports all of torch.compile.
setattr(_constants, "_dynamo_marked_constant", True)  # noqa: B010


@functools.cache
def _computed(family: str, N: int) -> _Constants:
    if family == "butter":
        poles, gain = [-cmath.rect(1.0, -t) for t in _angles(N)] + [-1.0 + 0j] * (N % 2), 1.0
    elif family == "legendre":
        poles, gain = optimum_poles(N)
    else:
        poles, gain = _bessel(N, family.removeprefix("bessel_"))
    pairs = sorted((p for p in poles if p.imag > 1e-12 * abs(p)), key=lambda p: p.imag / -p.real)
    real = [p.real for p in poles if abs(p.imag) <= 1e-12 * abs(p)]
    return [p.real for p in pairs], [p.imag for p in pairs], real, gain


def trivial(gain: Tensor | float, like: Tensor) -> Prototype:
    """Of order 0."""
    none = constant([], like)
    return Prototype(none, none, 0, None, gain, gain)


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


def epsilon(decibels: Tensor) -> Tensor:
    """sqrt(10^(r/10) - 1)"""
    return torch.expm1(decibels * (math.log(10) / 10)).sqrt()


def _ellipse(N: int, mu: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """Chebyshev's poles: x and y of the pairs, and the real one."""
    t = _angles(N)
    sinh = mu.sinh()
    x = sinh * constant([-math.cos(t) for t in t], mu)
    return x, mu.cosh() * constant([math.sin(t) for t in t], mu), -sinh if N % 2 else None


def chebyshev1(N: int, rp: Tensor) -> Prototype:
    """``rp`` is ``[..., 1]``."""
    e = epsilon(rp)
    x, y, real = _ellipse(N, torch.asinh(1 / e) / N)
    at_zero = 1.0 if N % 2 else torch.rsqrt(1 + e * e)
    return Prototype(x, y, N // 2, real, 1 / (2 ** (N - 1) * e), at_zero)


def chebyshev2(N: int, rs: Tensor) -> Prototype:
    """``rs`` is ``[..., 1]``. The poles are those of Chebyshev's first kind inverted."""
    e = epsilon(rs)
    x, y, real = _ellipse(N, torch.asinh(e) / N)
    square = x * x + y * y
    zeros = constant([1 / math.sin(t) for t in _angles(N)], rs).expand_as(x)
    return Prototype(
        torch.cat([x / square, torch.zeros_like(zeros)], -1),
        torch.cat([y / square, zeros], -1),
        N // 2,
        None if real is None else 1 / real,
        N / e if N % 2 else torch.rsqrt(1 + e * e),
        1.0,
    )
