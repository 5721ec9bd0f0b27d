"""Papoulis's optimum filters: of all monotonic responses of an order, the steepest at the cut-off."""

from __future__ import annotations

import cmath
import functools
import math
from fractions import Fraction

from polezero._design.polynomials import roots

_Polynomial = list[Fraction]  # lowest power first


def _times(p: _Polynomial, q: _Polynomial) -> _Polynomial:
    result = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, c in enumerate(p):
        for j, d in enumerate(q):
            result[i + j] += c * d
    return result


def _legendre_sum(weights: list[int]) -> _Polynomial:
    """sum_i w_i P_i(x), by (i + 1) P_(i+1) = (2i + 1) x P_i - i P_(i-1)."""
    total = [Fraction(0)] * len(weights)
    before, now = [Fraction(0)], [Fraction(1)]
    for i, weight in enumerate(weights):
        for power, c in enumerate(now):
            total[power] += weight * c
        after = [Fraction(2 * i + 1, i + 1) * c for c in [Fraction(0), *now]]
        for power, c in enumerate(before):
            after[power] -= Fraction(i, i + 1) * c
        before, now = now, after
    return total


@functools.cache
def optimum_polynomial(N: int) -> tuple[int, ...]:
    """L_N(u), u = w^2, of |H|^2 = 1 / (1 + L_N(w^2)), lowest power first: all coefficients are whole.

    The integral from -1 to 2u - 1 of the square of a sum of Legendre's polynomials, which of an even order is
    multiplied by x + 1. Source: A. Papoulis, "On monotonic response filters", Proc. IRE 47(2), 1959.
    """
    k = (N - 1) // 2
    odd = N % 2 == 1
    weights = [2 * i + 1 if odd or i % 2 == k % 2 else 0 for i in range(k + 1)]
    norm = 2 * (k + 1) ** 2 if odd else (k + 1) * (k + 2)
    s = _legendre_sum(weights)
    integrand = [c / norm for c in _times(s, s)]
    if not odd:
        integrand = _times(integrand, [Fraction(1), Fraction(1)])
    integral = [Fraction(0), *(c / (i + 1) for i, c in enumerate(integrand))]
    at_u: _Polynomial = [Fraction(0)]
    for c in reversed(integral):  # Horner's scheme at x = 2u - 1
        at_u = _times(at_u, [Fraction(-1), Fraction(2)])
        at_u[0] += c
    at_u = at_u[: N + 1]
    at_u[0] -= sum(c * (-1) ** i for i, c in enumerate(integral))
    assert all(c.denominator == 1 for c in at_u)
    return tuple(c.numerator for c in at_u)


@functools.cache
def optimum_poles(N: int) -> tuple[list[complex], float]:
    """Those of 1 + L_N(-s^2) left of the axis, and their product: the response is 1 at 0, and half its power at 1."""
    polynomial = optimum_polynomial(N)
    squares = roots((*reversed(polynomial[1:]), polynomial[0] + 1))
    poles = [-cmath.sqrt(-u) for u in squares]
    poles = [complex(p.real, 0.0) if abs(p.imag) < 1e-15 * abs(p) else p for p in poles]
    return poles, 1 / math.sqrt(polynomial[-1])
