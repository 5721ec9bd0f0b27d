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

from polezero._design.bands import Digital, Factors, digital
from polezero._design.prototypes import constant

_Zeros = tuple[float, ...]  # of one section, on the real axis


def analog_sections(f: Factors) -> Tensor:
    """``[..., K, 6]``, by powers of s; of zeros at infinity the powers are missing."""
    one = torch.ones_like(f.x)
    rows = torch.stack([one, -2 * f.x, f.P], -1)
    poles, zeros = rows[..., : f.pairs, :], rows[..., f.pairs :, :]
    odd = [(0.0,)] * (f.at_zero % 2)
    count = f.pairs + (f.real is not None)
    none: list[_Zeros] = [()] * (count - zeros.shape[-2] - f.at_zero // 2 - len(odd))
    if f.banded:
        where = _positions(f, None)
        poles = _gather(poles, where.order)
        numerators = _nearest(where, zeros, [(0.0, 0.0)] * (f.at_zero // 2) + odd + none)
    else:  # a single pole is the last that is given zeros
        numerators = _with_constants([*none, *odd] + [(0.0, 0.0)] * (f.at_zero // 2), zeros)
    if f.real is not None:
        unit = torch.ones_like(f.real)
        poles = _with_front(torch.stack([torch.zeros_like(unit), unit, -f.real], -1), poles)
    return _cascade(numerators, poles, f.gain)


def digital_sections(f: Factors) -> Tensor:
    """``[..., K, 6]``, by powers of 1/z."""
    d = digital(f)
    rows = torch.stack([torch.ones_like(d.first), d.first, d.second], -1)
    poles, zeros = rows[..., : f.pairs, :], rows[..., f.pairs :, :]
    if f.banded:
        where = _positions(f, d)
        poles = _gather(poles, where.order)
        left = [(1.0, -1.0)] * (f.at_zero % 2)
        constants = [(1.0, 1.0)] * (f.at_zero // 2) + [(-1.0, -1.0)] * (f.at_infinity // 2) + left
    else:
        at, count = (1.0, f.at_zero) if f.at_zero else (-1.0, f.at_infinity)
        constants = [(at, at)] * (count // 2) + [(at, 0.0)] * (count % 2)
    if d.real is not None:
        unit = torch.ones_like(d.real)
        poles = _with_front(torch.stack([unit, -d.real, torch.zeros_like(unit)], -1), poles)
        where = _positions(f, d)
    alike = len(set(constants)) + bool(zeros.shape[-2]) < 2
    if f.repeated or (not f.banded and alike):
        numerators = _with_constants(constants, zeros)
    else:
        numerators = _nearest(where, zeros, constants)
    return _cascade(numerators, poles, d.gain)


def _with_front(row: Tensor, poles: Tensor) -> Tensor:
    return torch.cat([row.expand(*poles.shape[:-2], 1, 3), poles], -2)


def _cascade(numerators: Tensor, poles: Tensor, gain: Tensor) -> Tensor:
    """The first section has the gain."""
    shape = torch.broadcast_shapes(numerators.shape, poles.shape, (*gain.shape, 1))
    numerators = numerators.expand(shape)
    head = numerators[..., :1, :] * gain.unsqueeze(-1)
    return torch.cat([torch.cat([head, numerators[..., 1:, :]], -2), poles.expand(shape)], -1)


def _gather(rows: Tensor, order: Tensor) -> Tensor:
    return torch.take_along_dim(rows, order.unsqueeze(-1), -2)


_FAR = 1e30  # where no zero is: chosen last

# ---- the order of poles, and the zeros of each


class _Positions(NamedTuple):
    """Where the roots are that zeros are paired with, above the real axis, in the order of sections."""

    order: Tensor
    x: Tensor
    y: Tensor
    zeros_x: Tensor
    zeros_y: Tensor


@torch.no_grad()
def _positions(f: Factors, d: Digital | None) -> _Positions:
    """Of two real poles that of the sharper one."""
    x, gap = f.x.detach(), f.P.detach() - f.x.detach().square()
    key = -x
    if d is not None:
        scale = d.scale.detach()
        key, x, gap = key / scale, d.first.detach() / -2, 4 * gap / scale.square()
    y = gap.clamp(min=0).sqrt()
    if f.splits:
        apart = (-gap).clamp(min=0).sqrt()
        x = x + (apart if d is None else torch.copysign(apart, x))
        key = torch.where(apart > 0, -x if d is None else (1 - x.square()) / 4, key)
    zeros_x, zeros_y = x[..., f.pairs :], y[..., f.pairs :]
    x, y, key = x[..., : f.pairs], y[..., : f.pairs], key[..., : f.pairs]
    if not f.banded:
        if d is not None and d.real is not None:
            real = d.real.detach().expand(*x.shape[:-1], 1)
            x, y = torch.cat([real, x], -1), torch.cat([torch.zeros_like(real), y], -1)
        return _Positions(key, x, y, zeros_x, zeros_y)
    order = key.argsort(-1, descending=True)
    return _Positions(order, x.gather(-1, order), y.gather(-1, order), zeros_x, zeros_y)


def _with_constants(constants: Sequence[_Zeros], zeros: Tensor) -> Tensor:
    """All numerators that there are, those of real zeros first."""
    if not constants:
        return zeros
    rows = _rows(constants, zeros)
    return torch.cat([rows.expand(*zeros.shape[:-2], *rows.shape), zeros], -2) if zeros.shape[-2] else rows


def _rows(constants: Sequence[_Zeros], like: Tensor) -> Tensor:
    values: list[float] = []
    for zeros in constants:
        if len(zeros) == 2:
            values += [1.0, -(zeros[0] + zeros[1]), zeros[0] * zeros[1]]
        else:
            values += [0.0, 1.0, -zeros[0]] if zeros else [0.0, 0.0, 1.0]
    return constant(values, like).view(-1, 3)


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
        to_first = torch.hypot(x - constant([c[0] if c else _FAR for c in constants], x), y)
        to_last = torch.hypot(x - constant([c[-1] if c else _FAR for c in constants], x), y)
        parts.append(torch.minimum(to_first, to_last))
    distances = torch.cat(parts, -1)
    taken = torch.zeros_like(distances[..., 0, :])
    chosen = []
    for row in reversed(distances.unbind(-2)):
        chosen.append((row + taken).argmin(-1, keepdim=True))
        taken = taken.scatter(-1, chosen[-1], torch.inf)
    return torch.cat(chosen[::-1], -1)
