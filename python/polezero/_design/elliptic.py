"""The elliptic prototype, by Landen's transformation and theta series, in float64: nothing cancels in them."""

from __future__ import annotations

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar, circle
from polezero._design.prototypes import Prototype

_SQUARINGS = [2.0**n for n in range(9)]  # of a nome by Landen's transformation, after which one of 0.86 is nothing
# Of the series of theta_2 and theta_3, which are at their ends where a nome of 0.94 is nothing.
_EXPONENTS = [[n * (n + 1) for n in range(24)], [n * n for n in range(1, 25)]]


def elliptic(f: Arithmetic, N: int, rp: Scalar, rs: Scalar) -> Prototype:
    """Poles and zeros are j sn(u + jv) and j / (k sn(u)).

    The modulus k is that whose nome is the N-th root of the nome of k_1, the ratio of the two ripples.
    Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    power, stop = f.expm1(rp * NEPERS), f.expm1(rs * NEPERS)
    dual = f.sqrt(f.expm1((rs - rp) * NEPERS) * (1 + power) / stop)
    log_nome, depth = _nome(f, f.sqrt(power / stop), dual, 1 / f.sqrt(power))
    theta2, _, moduli = f.each(3, lambda n: _thetas(f, log_nome / N * n), _SQUARINGS)
    k, *moduli = f.apart(moduli)
    t = f.sinh(depth / N)  # of the pole at u = 0 the modulus
    for modulus in moduli[::-1]:
        t = (1 + modulus) * t / (1 - modulus * t * t)
    kt2 = (k * t) ** 2
    stretch = f.sqrt((1 + kt2) * (1 + t * t))

    def point(sn: Scalar, cn: Scalar) -> tuple[Scalar, ...]:
        """Of a pole the real and imaginary part, and the zero beside it; where the modulus is 0, sn is the sine."""
        dn = 1.0
        for modulus in moduli[::-1]:
            square = modulus * sn * sn
            scale = 1 / (1 + square)
            sn, cn, dn = (1 + modulus) * sn * scale, cn * dn * scale, (1 - square) * scale
        scale = 1 / (1 + kt2 * sn * sn)
        return -cn * dn * t * scale, sn * stretch * scale, 1 / (k * sn)

    x, y, zeros = f.each(3, point, *circle(N))
    if N % 2 == 0:
        return Prototype(x, y, zeros, None, 1 / f.sqrt(1 + stop), 1 / f.sqrt(1 + power))
    _, of_k1, _ = _thetas(f, log_nome)
    return Prototype(x, y, zeros, -t, N * (of_k1 / f.apart(theta2)[0]) ** 2 / f.sqrt(stop), 1.0)


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


def _thetas(f: Arithmetic, log_q: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """theta_2 and theta_3 at 0, and k: K is pi/2 of the square of theta_3, and k K that of theta_2."""
    second, third = f.totals(2, lambda n, m, log_q: (f.exp(log_q * n), f.exp(log_q * m)), _EXPONENTS, log_q)
    second, third = 2 * f.exp(log_q / 4) * second, 1 + 2 * third
    return second, third, (second / third) ** 2
