"""Polynomials and products of factors at frequencies ``[F]``, in double precision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from polezero._responses.grids import Circle, Grid, circle_at, powers_at

# Of a product before it is divided: however narrow their bands, 16 factors neither overflow nor underflow.
_GROUP = 16
# Frequencies at a time, so that 16 sections stay in the cache, forward and backward.
_CHUNK = 16384
_BLOCK = 32  # powers of z that are kept


def polynomial_at(c: Tensor, grid: Grid) -> Tensor:
    """sum_k c_k z^-k for c ``[..., taps]``: by FFT on its grid, elsewhere by blocks of powers, which Horner adds up."""
    taps, F = c.shape[-1], grid.turns.shape[-1]
    if taps <= grid.points and c.numel() and F:
        transform = torch.fft.fft if c.is_complex() or F > grid.points // 2 + 1 else torch.fft.rfft
        bins: Tensor = transform(c, grid.points)
        return bins[..., :F]
    count = min(taps, _BLOCK)
    blocks = -(-taps // count)
    c = torch.nn.functional.pad(c, (0, blocks * count - taps)).to(torch.complex128)
    parts: Tensor = c.unflatten(-1, (blocks, count)) @ powers_at(grid.turns, count)
    total, *others = reversed(parts.unbind(-2))
    if others:
        step = powers_at(count * grid.turns, 2)[..., 1, :]
        for part in others:
            total = total * step + part
    return total


def sections_at(sos: Tensor, turns: Tensor) -> Tensor:
    """The product of sections [..., K, 6], in chunks of frequencies, but where it is compiled."""
    if turns.shape[-1] < 2 * _CHUNK or torch.compiler.is_compiling():
        return _sections_at(sos, turns)
    return torch.cat([_sections_at(sos, part) for part in turns.split(_CHUNK, -1)], -1)


def _sections_at(sos: Tensor, turns: Tensor) -> Tensor:
    circle = circle_at(turns)
    polynomials = section_polynomials(sos.unflatten(-1, (2, 3)).flatten(-3, -2), circle).unbind(-2)
    return ratio_of_products(polynomials[::2], polynomials[1::2], torch.ones_like(turns))


def section_polynomials(c: Tensor, circle: Circle) -> Tensor:
    r"""Return :math:`e^{j\omega} (c_0 + c_1 e^{-j\omega} + c_2 e^{-2j\omega})`, ``[..., R, F]`` for c ``[..., R, 3]``.

    It is :math:`c_1 + (c_0 + c_2) \cos \omega + j (c_0 - c_2) \sin \omega`, here in terms of :class:`Circle`, and as
    one product of matrices, whose real second factor has real and imaginary parts side by side.
    """
    c0, c1, c2 = c.unbind(-1)
    weights = torch.stack([c0 + c1 + c2, c1 - c0 - c2, c0 + c2, c0 - c2], -1)
    right = circle.right.to(circle.sine.dtype)
    zero = torch.zeros_like(right)
    real = torch.stack([right, 1 - right, circle.offset, zero], -2)
    basis = torch.complex(real, torch.stack([zero, zero, zero, circle.sine], -2))
    if c.is_complex():
        return weights @ basis
    return torch.view_as_complex((weights @ torch.view_as_real(basis).flatten(-2)).unflatten(-1, (-1, 2)))


def root_factors(roots: Tensor, circle: Circle) -> Tensor:
    """z - r for roots ``[..., N]``, ``[..., N, F]``."""
    nearer = torch.where(circle.right.unsqueeze(-2), 1 - roots.unsqueeze(-1), -1 - roots.unsqueeze(-1))
    return nearer + torch.complex(circle.offset, circle.sine).unsqueeze(-2)


def ratio_of_products(num: Sequence[Tensor], den: Sequence[Tensor], one: Tensor) -> Tensor:
    """The product of num, each ``[..., F]``, by that of den, and by ``one``: a factor of 0 has its derivative."""
    total = one
    for k in range(0, max(len(num), len(den)), _GROUP):
        total = product([total, *num[k : k + _GROUP]]) if k else product(num[:_GROUP] or [one])
        if k < len(den):
            total = total / product(den[k : k + _GROUP])
    return total


def product(factors: Sequence[Tensor]) -> Tensor:
    """In pairs. (Slices of one tensor would copy each level's gradient, and torch.prod divides by its factors.)"""
    parts = list(factors)
    while len(parts) > 1:
        pairs = [x * y for x, y in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]
