"""The elliptic prototype, by Landen's transformation and theta series, in float64."""

from __future__ import annotations

import math

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar, Values, circle

_STEPS = 8  # of Landen's transformation: a modulus with the complement 1e-5 ends at 2e-10, whose square is nothing
_TERMS = 25


def elliptic(N: int, f: Arithmetic, rp: Scalar, rs: Scalar) -> tuple[Values, Values, Values, Scalar]:
    """Poles x + jy, w of zeros jw beside them, of which that of a real pole is none, and the gain of an odd order.

    They are j sn(u + jv) and j / (k sn(u)). The modulus k is that whose nome is the N-th root of the nome of k_1, the
    ratio of the two ripples. Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    power, stop = f.expm1(rp * NEPERS), f.expm1(rs * NEPERS)
    dual = f.sqrt(f.expm1((rs - rp) * NEPERS) * (1 + power) / stop)
    log_nome, depth = _nome(f, f.sqrt(power / stop), dual, 1 / f.sqrt(power))
    theta2, theta3 = _thetas(f, log_nome / N)
    dual2, dual3 = _thetas(f, math.pi**2 * N / log_nome)
    moduli = _moduli(f, (theta2 / theta3) ** 2, (dual2 / dual3) ** 2)
    sinh, cosh = f.sinh(depth / N), f.cosh(depth / N)
    x, y, inverse = f.each(3, lambda sine, cosine: _point(moduli, sine, cosine, sinh, cosh), *circle(N))
    gain = N * (_thetas(f, log_nome)[1] / theta2) ** 2 / f.sqrt(stop) if N % 2 else 1 / f.sqrt(1 + stop)
    return x, y, inverse, gain


def _nome(f: Arithmetic, k: Scalar, dual: Scalar, w: Scalar) -> tuple[Scalar, Scalar]:
    """log of the nome of k, and pi/2 of sc^-1(w) by the complement of k, in units of K(k); dual^2 is 1 - k^2.

    The nome is found by its series, where k is small, but not so small as to vanish: each of Landen's steps squares it.
    """
    log_nome = k
    for n in range(6):
        more = 1 + dual
        if n == 2:
            nome = k * k / (2 * more * (1 + f.sqrt(dual)) ** 2)  # its first term
            t = nome**4
            log_nome = (f.log(nome) + f.log(1 + t * (2 + t * (15 + t * 150)))) / 4
        w = w * more / (1 + f.sqrt(1 + (k * w) ** 2))
        k, dual = (k / more) ** 2, 2 * f.sqrt(dual) / more
    return log_nome, f.asinh(w)


def _thetas(f: Arithmetic, log_q: Scalar) -> tuple[Scalar, Scalar]:
    """theta_2 and theta_3 at 0: K is pi/2 of the square of theta_3, and k K that of theta_2."""
    second = f.total(lambda n: f.exp(log_q * n), [n * (n + 1) for n in range(_TERMS)])
    third = f.total(lambda n: f.exp(log_q * n), [n * n for n in range(1, _TERMS)])
    return 2 * f.exp(log_q / 4) * second, 1 + 2 * third


def _moduli(f: Arithmetic, k: Scalar, dual: Scalar) -> list[Scalar]:
    """Those of Landen's transformation, down to 0."""
    moduli = []
    for _ in range(_STEPS):
        moduli.append(k)
        more = 1 + dual
        k, dual = (k / more) ** 2, 2 * f.sqrt(dual) / more
    return moduli


def _point(moduli: list[Scalar], sine: Scalar, cosine: Scalar, sinh: Scalar, cosh: Scalar) -> tuple[Scalar, ...]:
    """The real and imaginary part of j sn of an angle and a depth, and k times sn of the angle.

    Where the modulus is 0, sn is the sine.
    """
    x, y, w = cosine * sinh, sine * cosh, sine
    for k in moduli[:0:-1]:
        re, im, more = 1 + k * (y - x) * (y + x), 2 * k * x * y, 1 + k
        scale = more / (re * re + im * im)
        x, y = scale * (x * re - y * im), scale * (y * re + x * im)
        w = more * w / (1 + k * w * w)
    return -x, y, moduli[0] * w
