"""Polynomials: products of batches of them, and the roots of one with integer coefficients to float64's rounding."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from decimal import Decimal, localcontext

from torch import Tensor

from polezero._conversions.roots import multiply

_Complex = tuple[Decimal, Decimal]


def product(polynomials: Tensor) -> Tensor:
    """The product of the polynomials ``[..., K, n]`` along K, as a tree."""
    count = polynomials.shape[-2]
    if count == 0:
        return polynomials.new_ones(*polynomials.shape[:-2], 1)
    if count == 1:
        return polynomials.squeeze(-2)
    half = count // 2
    pairs = multiply(polynomials[..., :half, :], polynomials[..., half : 2 * half, :])
    return product(pairs) if count == 2 * half else multiply(product(pairs), polynomials[..., -1, :])


@functools.cache
def roots(coefficients: tuple[int, ...]) -> list[complex]:
    """All roots of a polynomial with distinct ones, highest power first, each correct to the last bit or two.

    Ehrlich's and Aberth's iteration in decimal arithmetic, with as many digits as the coefficients have, and float64's
    twice over: in float64 itself the roots of Bessel's polynomial of order 20 have 6 digits.
    """
    order = len(coefficients) - 1
    with localcontext() as context:
        context.prec = 40 + max(len(str(c)) for c in coefficients)
        values = [Decimal(c) for c in coefficients]
        slopes = [c * (order - i) for i, c in enumerate(values[:-1])]
        radius = (abs(coefficients[-1]) / abs(coefficients[0])) ** (1 / order)
        angles = [(2 * math.pi * i + 0.5) / order for i in range(order)]  # with no symmetry that a step would keep
        found = [(Decimal(radius * math.cos(t)), Decimal(radius * math.sin(t))) for t in angles]
        while True:
            steps = [_aberth_step(values, slopes, found, i) for i in range(order)]
            found = [(x - dx, y - dy) for (x, y), (dx, dy) in zip(found, steps)]
            if all(abs(dx) + abs(dy) <= (abs(x) + abs(y)) * Decimal("1e-20") for (x, y), (dx, dy) in zip(found, steps)):
                return [complex(float(x), float(y)) for x, y in found]


def _aberth_step(values: Sequence[Decimal], slopes: Sequence[Decimal], found: Sequence[_Complex], i: int) -> _Complex:
    """Newton's step n away from the other roots: n / (1 - n sum 1 / (r_i - r_k))."""
    newton = _divide(_evaluate(values, found[i]), _evaluate(slopes, found[i]))
    others = [_divide((Decimal(1), Decimal(0)), (found[i][0] - x, found[i][1] - y)) for x, y in _without(found, i)]
    x, y = _times(newton, (sum((x for x, _ in others), Decimal(0)), sum((y for _, y in others), Decimal(0))))
    return _divide(newton, (1 - x, -y))


def _without(found: Sequence[_Complex], i: int) -> Sequence[_Complex]:
    return [*found[:i], *found[i + 1 :]]


def _times(p: _Complex, q: _Complex) -> _Complex:
    return p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]


def _divide(p: _Complex, q: _Complex) -> _Complex:
    square = q[0] * q[0] + q[1] * q[1]
    x, y = _times(p, (q[0], -q[1]))
    return x / square, y / square


def _evaluate(coefficients: Sequence[Decimal], at: _Complex) -> _Complex:
    value = Decimal(0), Decimal(0)
    for c in coefficients:
        x, y = _times(value, at)
        value = x + c, y
    return value
