"""Poles and zeros of a real filter in second-order sections: what belongs together, as SciPy decides it.

The decisions are made of values without their derivatives, by operations whose shapes do not depend on values: so they
work in batches, under every transform and in graphs. The sections are made of the roots decided for, with derivatives.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from polezero._arguments import readable


class Roots(NamedTuple):
    """One of each conjugate pair, then the real ones: as many places as there might be of each."""

    values: Tensor  # [..., places], complex
    there: Tensor  # [..., places]: whether there is a root in that place
    pairs: int  # so many places are of pairs

    @property
    def are_real(self) -> Tensor:
        return torch.arange(self.values.shape[-1], device=self.values.device) >= self.pairs


class Factors(NamedTuple):
    """The places of one or two roots for each section; a root of a pair stands for both."""

    first: Tensor
    has_first: Tensor
    second: Tensor
    has_second: Tensor


def separated(function: str, name: str, roots: Tensor, tolerance: float) -> Roots:
    """Sort out the pairs, of which the means are taken, and the real roots; roots without a partner are an error."""
    roots = roots.to(torch.complex128)
    N = roots.shape[-1]
    if N == 0:
        nothing = torch.zeros_like(roots.sum(-1, keepdim=True))
        return Roots(nothing, torch.zeros_like(nothing.real, dtype=torch.bool), 0)
    r = roots.detach()
    is_real = r.imag.abs() <= tolerance * r.abs()
    above, is_above = _those(r, ~is_real & (r.imag > 0), N // 2)
    below, is_below = _those(r, ~is_real & (r.imag < 0), N // 2)
    real, is_there = _those(r, is_real, N)
    up, down = torch.gather(roots, -1, above), torch.gather(roots, -1, below)
    if readable(r):
        pairs_off = (torch.gather(r, -1, above) - torch.gather(r, -1, below).conj()).abs()
        unequal = is_above & (pairs_off > tolerance * up.detach().abs())
        if (is_real.sum(-1) + 2 * is_above.sum(-1) != N).any() or (is_above != is_below).any() or unequal.any():
            raise ValueError(f"{function}: {name}: expected real numbers and conjugate pairs, got one without another")
    pairs = torch.complex(up.real + down.real, up.imag - down.imag) / 2
    values = torch.cat([pairs, torch.gather(roots.real, -1, real).to(roots.dtype)], -1)
    return Roots(values, torch.cat([is_above, is_there], -1), N // 2)


def are_conjugates(roots: Tensor, tolerance: float) -> bool:
    """Whether all roots are real or in pairs: the polynomial is a real one."""
    try:
        separated("", "", roots, tolerance)
    except ValueError:
        return False
    return True


def _those(r: Tensor, chosen: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The places of up to ``count`` chosen ones, and which of them are there; conjugates come in the same order."""
    key = torch.where(chosen, r.real + r.imag.abs() / 10, torch.inf)
    places = torch.argsort(key, dim=-1, stable=True)[..., :count]
    return places, torch.gather(chosen, -1, places)


def second_order(z: Roots, p: Roots, count: int, *, minimal: bool, analog: bool) -> Tensor:
    """Return ``count`` sections ``[..., count, 6]`` with a gain of 1, the poles closest to the border last."""
    of_zeros, of_poles = _plan(z, p, count, minimal, analog)
    return torch.cat([_quadratics(z, of_zeros, minimal), _quadratics(p, of_poles, minimal)], -1)


def _plan(z: Roots, p: Roots, count: int, minimal: bool, analog: bool) -> tuple[Factors, Factors]:
    """Which zeros and poles each section has: the worst pole that is left, and the zeros next to it."""
    zeros, poles = z.values.detach(), p.values.detach()
    danger = poles.real.abs() if analog else (1 - poles.abs()).abs()
    zeros_left, poles_left = z.there, p.there
    plans = []
    for _ in range(count):
        pole, has_pole = _least(danger, poles_left)
        is_real = pole >= p.pairs
        poles_left = _without(poles_left, pole, has_pole)
        other, has_other = _least(danger, poles_left & p.are_real & is_real)
        alone = is_real & ~has_other
        # A real pole and a real zero that are left have to stay for each other.
        zeros_as_poles = poles_left.sum(-1, keepdim=True) + 1 == zeros_left.sum(-1, keepdim=True)
        one_real = ((poles_left & p.are_real).sum(-1, keepdim=True) == 1) & (
            (zeros_left & z.are_real).sum(-1, keepdim=True) == 1
        )
        only_pairs = ~is_real & zeros_as_poles & one_real
        distance = (zeros - torch.gather(poles, -1, pole)).abs()
        zero, has_zero = _least(distance, zeros_left & torch.where(z.are_real, ~only_pairs, ~alone))
        zeros_left = _without(zeros_left, zero, has_zero)
        wants_another = has_zero & (zero >= z.pairs) & ~alone
        another, has_another = _least(distance, zeros_left & z.are_real & wants_another)
        zeros_left = _without(zeros_left, another, has_another)
        poles_left = _without(poles_left, other, has_other)
        plans.append((zero, has_zero, another, has_another, pole, has_pole, other, has_other))
    columns = [torch.cat(column[::-1], -1) for column in zip(*plans)]
    return Factors(*columns[:4]), Factors(*columns[4:])


def _least(values: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """The place of the least value, and whether there is one."""
    return torch.where(among, values, torch.inf).argmin(-1, keepdim=True), among.any(-1, keepdim=True)


def _without(left: Tensor, place: Tensor, is_taken: Tensor) -> Tensor:
    return left & ~((torch.arange(left.shape[-1], device=left.device) == place) & is_taken)


def _quadratics(roots: Roots, of: Factors, minimal: bool) -> Tensor:
    """x^2 + s x + m for each section; ``minimal`` ones have a lower order where there are fewer than two roots."""
    values = roots.values.expand(*of.first.shape[:-1], roots.values.shape[-1])
    first = torch.gather(values, -1, of.first)
    is_pair = (of.first < roots.pairs) & of.has_first
    one = torch.where(of.has_first, first.real, 0.0)
    two = torch.where(of.has_second, torch.gather(values.real, -1, of.second), 0.0)
    s = torch.where(is_pair, -2 * one, 0.0 - one - two)  # a root at 0 leaves 0 and not -0, here and in m
    m = torch.where(is_pair, one * one + first.imag * first.imag, one * two + 0.0)
    quadratic = torch.stack([torch.ones_like(s), s, m], -1)
    if not minimal:
        return quadratic
    order = (of.has_first.long() + of.has_second + is_pair).unsqueeze(-1)
    lower = torch.where(order == 1, quadratic.roll(1, -1), quadratic.roll(2, -1))
    is_above = torch.arange(3, device=s.device) < 2 - order
    return torch.where(order == 2, quadratic, torch.where(is_above, 0.0, lower))
