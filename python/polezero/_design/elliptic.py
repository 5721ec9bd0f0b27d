"""The elliptic prototype, by theta series and Landen's transformation, in float64: nothing cancels in them."""

from __future__ import annotations

import functools

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar, circle
from polezero._design.prototypes import Prototype


def elliptic(f: Arithmetic, N: int, rp: Scalar, rs: Scalar) -> Prototype:
    """Poles and zeros are j sn(u + jv) and j / (k sn(u)).

    The modulus k is that whose nome is the N-th root of the nome of k_1, the ratio of the two ripples.
    Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    power, stop = f.expm1(rp * NEPERS), f.expm1(rs * NEPERS)
    dual = f.sqrt(f.expm1((rs - rp) * NEPERS) * (1 + power) / stop)
    log_nome, depth = _nome(f, f.sqrt(power / stop), dual, 1 / f.sqrt(power))
    sines, cosines = circle(N)
    n, depths = len(sines), max(len(sines), 1)
    t = f.sinh(depth / N)
    # All are as long as each other: of what is shorter the derivative is a sum, at which a compiled kernel ends.
    circle2, is_depth = [v * v for v in (*sines, *cosines)] + [0.0] * depths, [0.0] * 2 * n + [1.0] * depths
    (squares,) = f.each(1, lambda square, is_depth: (square - is_depth * t * t,), circle2, is_depth)
    squares, dn, k = f.each(3, functools.partial(_jacobi, f), squares, f.repeated(log_nome / N, 2 * n + depths))
    sn, cd, depth = f.parts(squares, n, n, depths)
    dn, k = (f.parts(values, n, n + depths)[0] for values in (dn, k))

    def point(sn: Scalar, cd: Scalar, depth: Scalar, dn: Scalar, k: Scalar) -> tuple[Scalar, ...]:
        """Of a pole the real and imaginary part, and the zero beside it."""
        flat = k * k * depth
        scale = 1 / (1 - flat * sn)
        x, y = f.sqrt(-cd * depth) * dn * dn, f.sqrt(sn * (1 - flat) * (1 - depth))
        return -x * scale, y * scale, 1 / (k * f.sqrt(sn))

    x, y, zeros = f.each(3, point, sn, cd, depth, dn, k)
    if N % 2 == 0:
        return Prototype(x, y, zeros, None, 1 / f.sqrt(1 + stop), 1 / f.sqrt(1 + power))
    gain = f.sqrt(-f.apart(depth)[0])
    real = -gain
    if n:
        factors = f.each(2, lambda x, y, w: (w * w, x * x + y * y), x, y, zeros)
        gain = gain * f.quotient(f.joined(*factors), n)
    return Prototype(x, y, zeros, real, gain, 1.0)


def _jacobi(f: Arithmetic, square: Scalar, log_q: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """sn^2 and dn at an angle, in units of 2 K / pi, whose sine has this square, and k; of the cosine it is cd^2.

    The series of the theta functions are those of the 32nd power of the nome q, of which the 9th is nothing, as q^288
    of 0.87 is; Landen's transformation goes back from there.
    """
    q = f.exp(32 * log_q)
    cosine2, q2, q4 = 2 - 4 * square, q * q, q**4
    more = cosine2 * cosine2 - 2  # of twice the angle
    first = 1 - q2 * (1 + cosine2 - q4 * (1 + cosine2 + more))  # theta_1 but for 2 q^1/4 and the sine
    fourth = 1 - q * cosine2 + q4 * more
    third, second = (1 + 2 * q + 2 * q4) ** 2, (1 + q2 + q2 * q4) ** 2  # squares, of theta_2 but for 2 q^1/4
    square = square * (first / fourth) ** 2 * third / second
    for power in (16, 8, 4, 2, 1):
        part = 4 * f.exp(power * log_q) * second
        third, second = third + part, f.sqrt(third * second)
        step = part / third
        divisor = 1 + step * (square - 1)
        before, square = square, square / divisor**2
    return square, (1 - step * (before + 1)) / divisor, 4 * f.exp(log_q / 2) * second / third


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
