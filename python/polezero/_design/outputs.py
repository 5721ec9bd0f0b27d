"""What a design gives back: ``sos``, ``zpk`` or ``ba``."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from polezero._conversions.roots import multiply
from polezero._design.arithmetic import constant
from polezero._design.bands import Design
from polezero._design.filters import Polynomials
from polezero._design.polynomials import product


class Order(NamedTuple):
    """The order of roots in SciPy's ``zpk``: of each its pair, or -1 for a real pole, and its side of the axis."""

    poles: list[tuple[int, int]]
    zeros: list[tuple[int, int]]
    complex_zeros: bool  # in dtype, as SciPy's

    @staticmethod
    def of(family: str, N: int, btype: str) -> Order:
        """Those of the prototype are in an order that is the family's, and a band transform makes two of each."""
        odd = [(-1, 1)] * (N % 2)
        up, down = [(i, 1) for i in range(N // 2)], [(i, -1) for i in range(N // 2)]
        if family == "ellip":
            poles, zeros = [*odd, *down, *up], [*up, *down]
        elif family == "cheby2":
            poles, zeros = [*down[::-1], *odd, *up], [*down[::-1], *up]
        else:
            poles, zeros = [*up[::-1], *odd, *down], []
        if btype in ("highpass", "bandstop"):
            poles, zeros = ([(i, -sign) for i, sign in roots] for roots in (poles, zeros))
        if btype == "bandpass":
            return Order(_doubled(poles, N // 2, -1), _doubled_zeros(zeros, N // 2, False), True)
        if btype == "bandstop":
            return Order(_doubled(poles, N // 2, 1), _doubled_zeros(zeros, N // 2, True), True)
        return Order(poles, zeros, family in ("cheby2", "ellip"))


def _doubled(roots: list[tuple[int, int]], pairs: int, first: int) -> list[tuple[int, int]]:
    """All c + sqrt(c^2 - w^2), then all c - sqrt(c^2 - w^2): of a pair those below the centre of the band first."""
    plus = [(2 * pairs, first) if i < 0 else (pairs + i, -sign) for i, sign in roots]
    return plus + [(2 * pairs, -first) if i < 0 else (i, sign) for i, sign in roots]


def _doubled_zeros(roots: list[tuple[int, int]], pairs: int, inverted: bool) -> list[tuple[int, int]]:
    """The same of numbers on the imaginary axis, where the square root's sign is that of a zero."""
    if not inverted:
        return roots + [(pairs + i, -sign) for i, sign in roots]
    plus = [(pairs + i if sign > 0 else i, -1) for i, sign in roots]
    return plus + [(i if sign > 0 else pairs + i, 1) for i, sign in roots]


def ba(d: Design, p: Polynomials) -> tuple[Tensor, Tensor]:
    a, zeros = product(p.rows[..., : d.pairs, :]), p.rows[..., d.pairs :, :]
    if p.real is not None:
        a = multiply(a, torch.cat([torch.ones_like(p.real), -p.real], -1))
    b = constant(_real_zeros(d), a)
    if zeros.shape[-2]:
        b = multiply(product(zeros), b)
    return (b * p.gain).expand(*a.shape[:-1], -1).contiguous(), a


def _real_zeros(d: Design) -> list[float]:
    """The polynomial that has those at 0 of s, or at 1 and -1 of z."""
    if d.analog:
        return [1.0] + [0.0] * d.at_zero
    polynomial = [1.0]
    for zero in [1.0] * d.at_zero + [-1.0] * d.at_infinity:
        polynomial = [p - zero * q for p, q in zip([*polynomial, 0.0], [0.0, *polynomial])]
    return polynomial


def zpk(d: Design, p: Polynomials) -> tuple[Tensor, Tensor, Tensor]:
    order = Order.of(d.family, d.N, d.btype)
    assert p.squares is not None
    x, y = p.rows[..., 1] / -2, square_root(p.squares)
    pole_x, pole_y = x[..., : d.pairs], y[..., : d.pairs]
    if p.real is not None:
        pole_x, pole_y = torch.cat([pole_x, p.real], -1), torch.cat([pole_y, torch.zeros_like(p.real)], -1)
    poles = _placed(order.poles, pole_x, pole_y, square_root(-p.squares[..., : d.pairs]) if d.splits else None)
    lead = poles.shape[:-1]
    points = [0.0] * d.at_zero if d.analog else [1.0] * d.at_zero + [-1.0] * d.at_infinity
    zeros = constant(points, x).expand(*lead, -1)
    if order.complex_zeros:
        count = len(order.zeros) // 2
        centres = [(i, sign) for sign in (1, -1) for i in range(count, x.shape[-1] - d.pairs)]
        pairs = _placed([*order.zeros, *centres], x[..., d.pairs :], y[..., d.pairs :], None)
        zeros = torch.cat([pairs, zeros.to(torch.complex128)], -1)
    return zeros.contiguous(), poles, p.gain.squeeze(-1).expand(lead).contiguous()


def _placed(roots: list[tuple[int, int]], x: Tensor, y: Tensor, apart: Tensor | None) -> Tensor:
    """Those roots of the pairs x + jy. The last pair may be x +- ``apart`` instead."""
    index = torch.tensor([i for i, _ in roots], dtype=torch.int64, device=x.device)
    index = torch.where(index < 0, x.shape[-1] - 1, index)
    real, imaginary = x[..., index], y[..., index] * constant([float(sign) for _, sign in roots], x)
    if apart is not None:
        sides = [1.0 if n < len(roots) // 2 else -1.0 for n in range(len(roots))]
        real = real + apart[..., index] * constant(sides, x)
    return torch.complex(real, imaginary)


def square_root(square: Tensor) -> Tensor:
    """0 of negative numbers; at 0, the double pole, its derivative is 0 by convention."""
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)


def cast(t: Tensor, dtype: torch.dtype | None) -> Tensor:
    return t if dtype is None else t.to(dtype.to_complex() if t.is_complex() else dtype)


def cast_all(result: tuple[Tensor, ...], dtype: torch.dtype | None) -> tuple[Tensor, ...]:
    return result if dtype is None else tuple(cast(t, dtype) for t in result)
