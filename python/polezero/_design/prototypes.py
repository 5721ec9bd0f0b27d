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


def _of_constants(poles: Sequence[complex], gain: float, like: Tensor) -> Prototype:
    """All-pole, with a gain of 1 at 0; of each pair the pole above the axis."""
    pairs = sorted((p for p in poles if p.imag > 1e-12 * abs(p)), key=lambda p: p.imag / -p.real)
    real = [p.real for p in poles if abs(p.imag) <= 1e-12 * abs(p)]
    x, y = constant([[p.real for p in pairs], [p.imag for p in pairs]], like).unbind()
    return Prototype(x, y, len(pairs), constant(real, like) if real else None, gain, 1.0)


def trivial(gain: Tensor | float, like: Tensor) -> Prototype:
    """Of order 0."""
    none = constant([], like)
    return Prototype(none, none, 0, None, gain, gain)


def butterworth(N: int, like: Tensor) -> Prototype:
    poles = [-cmath.rect(1.0, -t) for t in _angles(N)]
    return _of_constants(poles + [-1.0 + 0j] * (N % 2), 1.0, like)


def bessel(N: int, norm: str, like: Tensor) -> Prototype:
    return _of_constants(*_bessel_constants(N, norm), like)


def papoulis(N: int, like: Tensor) -> Prototype:
    from polezero._design.legendre import optimum_poles  # its mathematics has a file of its own

    return _of_constants(*optimum_poles(N), like)


@functools.cache
def _bessel_constants(N: int, norm: str) -> tuple[list[complex], float]:
    """Poles, and their product, by which the gain at 0 is 1.

    They are the roots of sum_k (2N - k)! / (2^(N - k) k! (N - k)!) s^k, whose delay is 1.
    """
    factorial = math.factorial
    terms = [factorial(2 * N - k) // (2 ** (N - k) * factorial(k) * factorial(N - k)) for k in range(N, -1, -1)]
    poles, last = roots(tuple(terms)), terms[-1]
    scale = 1.0
    if norm == "phase":  # its asymptotes are Butterworth's
        scale = math.exp(-math.log(last) / N)
    elif norm == "mag":
        scale = 1 / _half_power(poles)
    poles = [p * scale for p in poles]
    return poles, 1.0 if norm == "phase" else last * scale**N


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


def elliptic(N: int, rp: Tensor, rs: Tensor) -> Prototype:
    """``rp`` and ``rs`` are ``[..., 1]``. Poles and zeros are j sn(u + jv) and j / (k sn(u)).

    The modulus k is that whose nome is the N-th root of the nome of k_1, the ratio of the two ripples.
    Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    e, stop = epsilon(rp), epsilon(rs)
    log_nome, depth = _landen(e / stop, epsilon(rs - rp) * (1 + e * e).sqrt() / stop, 1 / e)
    angles = constant([math.pi * j / (2 * N) for j in range(1 - N % 2, N, 2)], rp)  # that of a real pole first
    odd, count = N % 2, angles.shape[-1]
    of_poles = constant([1.0 / N] * count + [0.0] * (count - odd), rp)
    sn_x, sn_y, k = _sn(torch.cat([angles, angles[odd:]]), depth * of_poles, log_nome / N)
    zeros = 1 / (k * sn_x[..., count:])
    real = -sn_y[..., :1] if odd else None
    x, y = -sn_y[..., odd:count], sn_x[..., odd:count]
    at_zero = 1.0 if odd else torch.rsqrt(1 + e * e)
    gain = at_zero * ((x * x + y * y) / (zeros * zeros)).prod(-1, keepdim=True)
    if real is not None:
        gain = -real * gain
    return Prototype(
        torch.cat([x, torch.zeros_like(zeros)], -1), torch.cat([y, zeros], -1), N // 2, real, gain, at_zero
    )


def _landen(k: Tensor, dual: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """log of the nome of k, and pi/2 of sc^-1(w) by the complement of k, in units of K(k); dual^2 is 1 - k^2.

    Landen's transformation, which squares the nome, five times: k = 0.999 ends at 1e-7. The nome is found by its
    series, where k is small, but not so small as to vanish.
    """
    log_nome, one = k, torch.ones_like(k)
    for n in range(5):
        if n:
            dual = (1 - k * k).sqrt()
        more = 1 + dual
        if n == 2:
            nome = k * k / (2 * more * (1 + dual.sqrt()).square())  # its first term
            t = nome.pow(4)
            log_nome = (nome.log() + torch.log1p(t * (2 + t * (15 + t * 150)))) / 4
        w = w * more / (1 + torch.hypot(k * w, one))
        k = (k / more).square()
    return log_nome, torch.asinh(w)


def _sn(a: Tensor, b: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The real and imaginary part of sn at a + jb, in units of 2 K / pi, for a nome q, and its modulus.

    By the products of theta_1 and theta_4, with a factor 1 - 2 q^m cos 2z + q^2m = (1 - q^m)^2 + 4 q^m sin^2 z for each
    even and each odd m, of which nothing cancels where q nears 1, as it does in the series. They end where q = 0.75 is
    below the rounding of float64.
    """
    q = (log_q * constant([*range(2, 130, 2), *range(1, 129, 2)], a)).exp()
    sine_x, sine_y = a.sin() * b.cosh(), a.cos() * b.sinh()
    square_x, square_y = (sine_x - sine_y) * (sine_x + sine_y), 2 * sine_x * sine_y
    times = 4 * q.unsqueeze(-2)
    factor_x = torch.addcmul((1 - q).square().unsqueeze(-2), times, square_x.unsqueeze(-1))
    factor_y = times * square_y.unsqueeze(-1)
    logs, turns = torch.hypot(factor_x, factor_y).log(), torch.atan2(factor_y, factor_x)
    dual = torch.log1p(q)

    def quotient(t: Tensor) -> Tensor:
        return t[..., :64].sum(-1) - t[..., 64:].sum(-1)

    scale = 2 * quotient(dual).unsqueeze(-1)
    modulus, angle = (quotient(logs) - scale).exp(), quotient(turns)
    x, y = modulus * angle.cos(), modulus * angle.sin()
    return sine_x * x - sine_y * y, sine_x * y + sine_y * x, 4 * (log_q / 2 + 2 * scale).exp()
