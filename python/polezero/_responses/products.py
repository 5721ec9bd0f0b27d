"""Polynomials and products of factors at frequencies ``[F]``, in double precision."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._responses.grids import Circle, Grid, circle_at, powers_at

# Of a product before it is divided: however narrow their bands, 16 factors neither overflow nor underflow.
_GROUP = 16
# Frequencies at a time, so that 16 sections stay in the cache, forward and backward.
_CHUNK = 8192
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
    num, den = sos.split(3, -1)
    return ratio_of_products(section_polynomials(num, circle), section_polynomials(den, circle))


def section_polynomials(c: Tensor, circle: Circle) -> Tensor:
    r"""Return :math:`e^{j\omega} (c_0 + c_1 e^{-j\omega} + c_2 e^{-2j\omega})`, ``[..., K, F]`` for c ``[..., K, 3]``.

    It is :math:`c_1 + (c_0 + c_2) \cos \omega + j (c_0 - c_2) \sin \omega`, here in terms of :class:`Circle`, and as
    one product of matrices, whose real second factor has real and imaginary parts side by side.
    """
    c0, c1, c2 = c.unbind(-1)
    weights = torch.stack([c0 + c1 + c2, c1 - c0 - c2, c0 + c2, c0 - c2], -1)
    right = circle.right.to(circle.sine.dtype)
    zero = torch.zeros_like(right)
    real = [torch.stack([part, zero], -1) for part in (right, 1 - right, circle.offset)]
    basis = torch.stack([*real, torch.stack([zero, circle.sine], -1)], -3)  # [..., 4, F, 2]
    if c.is_complex():
        return weights @ torch.view_as_complex(basis)
    return torch.view_as_complex((weights @ basis.flatten(-2)).unflatten(-1, basis.shape[-2:]))


def root_factors(roots: Tensor, circle: Circle) -> Tensor:
    """z - r for roots ``[..., N]``, ``[..., N, F]``."""
    nearer = torch.where(circle.right.unsqueeze(-2), 1 - roots.unsqueeze(-1), -1 - roots.unsqueeze(-1))
    return nearer + torch.complex(circle.offset, circle.sine).unsqueeze(-2)


def ratio_of_products(num: Tensor, den: Tensor) -> Tensor:
    """The product of num ``[..., M, F]`` by that of den ``[..., N, F]``: each factor 0 has its derivative."""
    total = num.new_ones(num.shape[-1])
    over, under = (t.split(_GROUP, -2) if t.shape[-2] else () for t in (num, den))
    for k in range(max(len(over), len(under))):
        if k < len(over):
            total = product(over[k]) if k == 0 else total * product(over[k])
        if k < len(under):
            total = total / product(under[k])
    return total


def product(factors: Tensor) -> Tensor:
    """Over the last axis but one, in pairs. (A tree over slices copies each level's gradient; torch.prod, as well.)"""
    parts = list(factors.unbind(-2))
    while len(parts) > 1:
        pairs = [x * y for x, y in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]
