"""The elliptic prototype, by Landen's transformation and products of hyperbolic tangents, in float64."""

from __future__ import annotations

import math

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar
from polezero._design.prototypes import Prototype

# With n the factors tend to 1 as exp(-4 |n| N delta) does: to rounding for N = 1 of 0.01 and 120 dB, and sooner for all
# higher orders and closer bands.
_IMAGES = [0, *(sign * n for n in range(1, 65) for sign in (1, -1))]


def elliptic(f: Arithmetic, N: int, rp: Scalar, rs: Scalar) -> Prototype:
    """Poles and zeros are j sn(u + jv) and j / (k sn(u)).

    With the modulus k_1 of the two ripples, delta = (pi / 2) K / K' and y = (pi / 2) v_1 / K', those of the modulus k
    whose half periods have N-fold that quotient K / K' are at x + jy in units of 2 K' / pi, x = m delta, and there

        sqrt(k) sn = prod_n tanh(x + jy - 2 n N delta),  sqrt(k) = prod_n tanh((1 - 2 n) N delta)

    where nothing cancels. Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    power, stop = f.expm1(rp * NEPERS), f.expm1(rs * NEPERS)
    dual = f.sqrt(f.expm1((rs - rp) * NEPERS) * (1 + power) / stop)
    log_nome, depth = _nome(f, f.sqrt(power / stop), dual, 1 / f.sqrt(power))
    delta, tan = -(math.pi**2) / (2 * log_nome), f.tan(-math.pi * depth / log_nome)
    tan2 = tan * tan

    def tanh(n: Scalar, m: Scalar, delta: Scalar) -> Scalar:
        return f.tanh((m - 2 * n * N) * delta)

    def square(n: Scalar, delta: Scalar, tan2: Scalar) -> tuple[Scalar]:
        t2 = tanh(n, 0.0, delta) ** 2
        return (f.log((t2 + tan2) / (1 + t2 * tan2)),)

    def both(n: Scalar, m: Scalar, delta: Scalar, tan: Scalar, tan2: Scalar) -> tuple[Scalar, ...]:
        """The square of a pole's factor, its angle, and the square of the factor of the zero beside it."""
        t = tanh(n, m, delta)
        t2 = t * t
        turn = f.atan(tan * (1 - t2) / (t * (1 + tan2)))
        return f.log((t2 + tan2) / (1 + t2 * tan2)), turn, f.log(t2)

    (log_k,) = f.totals(1, lambda n, delta: (f.log(tanh(n, N, delta) ** 2),), _IMAGES, delta)

    def point(m: Scalar) -> tuple[Scalar, ...]:
        pole, turn, zero = f.totals(3, both, _IMAGES, m, delta, tan, tan2)
        modulus = f.exp((pole - log_k) / 2)
        return -modulus * f.sin(turn), modulus * f.cos(turn), f.exp((zero + log_k) / -2), f.exp(pole + zero)

    x, y, zeros, gains = f.each(4, point, [float(m) for m in range(1 + N % 2, N, 2)])
    if N % 2 == 0:
        return Prototype(x, y, zeros, None, 1 / f.sqrt(1 + stop), 1 / f.sqrt(1 + power))
    (real,) = f.totals(1, square, _IMAGES, delta, tan2)
    real = -f.exp((real - log_k) / 2)
    return Prototype(x, y, zeros, real, -real * f.quotient(gains, 0), 1.0)


def _nome(f: Arithmetic, k: Scalar, dual: Scalar, w: Scalar) -> tuple[Scalar, Scalar]:
    """log of the nome of k, and pi/2 of sc^-1(w) by the complement of k, in units of K(k); dual^2 is 1 - k^2.

    The nome is found by its series, where k is small, but not so small as to vanish: each of Landen's steps squares it.
    """
    log_nome = k
    for n in range(5):
        more = 1 + dual
        if n == 2:
            nome = k * k / (2 * more * (1 + f.sqrt(dual)) ** 2)  # its first term
            t = nome**4
            log_nome = (f.log(nome) + f.log(1 + t * (2 + t * (15 + t * 150)))) / 4
        w = w * more / (1 + f.sqrt(1 + (k * w) ** 2))
        k, dual = (k / more) ** 2, 2 * f.sqrt(dual) / more
    return log_nome, f.asinh(w)
