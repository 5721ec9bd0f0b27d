"""Sections in the order, and with the zeros, in which SciPy's ``zpk2sos`` puts them.

It takes the poles one pair after another, those next to the unit circle (of an analog filter, to the imaginary axis)
first, gives each the zeros nearest to it of what is left, and fills the cascade from its end. Here the order, which
depends on values, is found in detached numbers, and the sections are gathered by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from polezero._design.arithmetic import constant
from polezero._design.bands import Design
from polezero._design.filters import Polynomials

_Zeros = tuple[float, ...]  # of one section, on the real axis


def sections(d: Design, p: Polynomials) -> Tensor:
    """``[..., K, 6]``. Of zeros at infinity the powers of s are missing."""
    digital = not d.analog
    if not d.N:
        row = constant([1.0, 0.0, 0.0] if digital else [0.0, 0.0, 1.0], p.rows)
        return torch.cat([row * p.gain, row.expand(*p.gain.shape[:-1], 3)], -1).unsqueeze(-2)
    poles, zeros = p.rows[..., : d.pairs, :], p.rows[..., d.pairs :, :]
    constants = _digital_zeros(d) if digital else _analog_zeros(d)
    if d.banded or (digital and d.single):
        where = _positions(d, p)
        numerators = _with_constants(constants, zeros) if d.repeated else _nearest(where, zeros, constants)
        poles = poles if where.order is None else _gather(poles, where.order)
    else:
        numerators = _with_constants(constants, zeros)  # as they are, poles and zeros lie side by side
    if p.real is not None:
        unit, none = torch.ones_like(p.real), torch.zeros_like(p.real)
        row = torch.stack([unit, -p.real, none] if digital else [none, unit, -p.real], -1)
        poles = torch.cat([row.expand(*poles.shape[:-2], 1, 3), poles], -2)
    numerators = numerators.expand(poles.shape)
    head = (numerators[..., :1, :] * p.gain.unsqueeze(-1)).expand(*poles.shape[:-2], 1, 3)
    return torch.cat([torch.cat([head, numerators[..., 1:, :]], -2), poles], -1)


def _analog_zeros(d: Design) -> Sequence[_Zeros]:
    """Two, one or none at 0. A single pole is the last that is given some."""
    sections_left = d.pairs + d.single - d.zero_pairs
    two, one = d.at_zero // 2, d.at_zero % 2
    none = sections_left - two - one
    nothing: list[_Zeros] = [()] * none
    return [(0.0, 0.0)] * two + [(0.0,)] * one + nothing


def _digital_zeros(d: Design) -> Sequence[_Zeros]:
    """At 1 and at -1. A single pole has another one at 0 beside it, and there is a zero at 0."""
    if d.banded:
        half, left = d.at_zero // 2, d.at_zero % 2
        return [(1.0, 1.0)] * half + [(-1.0, -1.0)] * half + [(1.0, -1.0)] * left
    at, count = (1.0, d.at_zero) if d.at_zero else (-1.0, d.at_infinity)
    return [(at, at)] * (count // 2) + [(at, 0.0)] * (count % 2)


def _gather(rows: Tensor, order: Tensor) -> Tensor:
    return rows.gather(-2, order.unsqueeze(-1).expand(*order.shape, 3))


_FAR = 1e30  # where no zero is, which is chosen last


# ---- the order of poles, and the zeros of each


class _Positions(NamedTuple):
    """Where the roots are that zeros are paired with, above the real axis, in the order of sections."""

    order: Tensor | None  # None: as they are
    x: Tensor
    y: Tensor
    zeros_x: Tensor
    zeros_y: Tensor


@torch.no_grad()
def _positions(d: Design, p: Polynomials) -> _Positions:
    """Of two real poles that of the sharper one."""
    _, first, second = p.rows.detach().unbind(-1)
    x = first / -2
    gap = second - x * x
    y = gap.clamp(min=0).sqrt()
    key = second if not d.analog else x
    if d.splits:
        apart = (-gap).clamp(min=0).sqrt()
        x = x + (apart if d.analog else torch.copysign(apart, x))
        key = x if d.analog else torch.maximum(key, x * x)
    zeros, order = (x[..., d.pairs :], y[..., d.pairs :]), None
    x, y, key = x[..., : d.pairs], y[..., : d.pairs], key[..., : d.pairs]
    if d.banded:
        order = _ascending(key)
        x, y = x.gather(-1, order), y.gather(-1, order)
    elif p.real is not None:
        real = p.real.detach().expand(*x.shape[:-1], 1)
        x, y = torch.cat([real, x], -1), torch.cat([torch.zeros_like(real), y], -1)
    return _Positions(order, x, y, *zeros)


def _ascending(key: Tensor) -> Tensor:
    """What sorts the key. In a graph by comparisons, which are compiled into one kernel with what is around them."""
    if not torch.compiler.is_compiling():
        return key.argsort(-1)
    index = torch.arange(key.shape[-1], device=key.device)
    one, other = key.unsqueeze(-1), key.unsqueeze(-2)
    before = (other < one) | ((other == one) & (index < index.unsqueeze(-1)))
    places = before.sum(-1).unsqueeze(-2) == index.unsqueeze(-1)
    return (places * index).sum(-1)


def _with_constants(constants: Sequence[_Zeros], zeros: Tensor) -> Tensor:
    """All numerators that there are, those with the most real zeros last but for pairs of complex ones."""
    if not constants:
        return zeros
    rows = _rows(constants[::-1], zeros)
    return torch.cat([rows.expand(*zeros.shape[:-2], *rows.shape), zeros], -2) if zeros.shape[-2] else rows


def _rows(constants: Sequence[_Zeros], like: Tensor) -> Tensor:
    rows = []
    for zeros in constants:
        if len(zeros) == 2:
            rows.append([1.0, 0.0 - zeros[0] - zeros[1], zeros[0] * zeros[1] + 0.0])
        else:
            rows.append([0.0, 1.0, 0.0 - zeros[0]] if zeros else [0.0, 0.0, 1.0])
    return constant(rows, like)


def _nearest(where: _Positions, zeros: Tensor, constants: Sequence[_Zeros]) -> Tensor:
    """Each section's numerator, chosen from the last section on by the distance of the nearest of its zeros."""
    rows = _rows(constants, zeros) if constants else zeros[..., :0, :]
    with torch.no_grad():
        choice = _choose(where, constants)
    if zeros.shape[-2] == 0:
        return rows[choice]
    return _gather(torch.cat([zeros, rows.expand(*zeros.shape[:-2], *rows.shape[-2:])], -2), choice)


def _choose(where: _Positions, constants: Sequence[_Zeros]) -> Tensor:
    x, y = where.x.unsqueeze(-1), where.y.unsqueeze(-1)
    parts = []
    if where.zeros_x.shape[-1]:
        parts.append(torch.hypot(x - where.zeros_x.unsqueeze(-2), y - where.zeros_y.unsqueeze(-2)))
    if constants:
        ends = [[c[end] if c else _FAR for c in constants] for end in (0, -1)]
        if ends[0] == ends[1]:
            parts.append(torch.hypot(x - constant(ends[0], x), y))
        else:
            parts.append(torch.hypot(x.unsqueeze(-2) - constant(ends, x), y.unsqueeze(-2)).amin(-2))
    distances = torch.cat(parts, -1)
    taken = torch.zeros_like(distances[..., 0, :])
    chosen = []
    for row in reversed(distances.unbind(-2)):
        chosen.append((row + taken).argmin(-1, keepdim=True))
        taken = taken.scatter(-1, chosen[-1], torch.inf)
    return torch.cat(chosen[::-1], -1)
