"""Sections out of their analog forms by the bilinear transform, s = (1 - z^-1) / (1 + z^-1)."""

from __future__ import annotations

import torch
from torch import Tensor

Quadratic = tuple[Tensor, Tensor, Tensor]  # of s^2, of s, and the constant
Linear = tuple[Tensor, Tensor]


def second_order(numerator: Quadratic, denominator: Quadratic) -> Tensor:
    """The section, shape ``[..., 6]``, whose a_0 is 1; a cut-off of s = jK is one of tan(omega / 2) = K."""
    powers = [t for pair in zip(numerator, denominator) for t in pair]
    square, middle, constant = torch.stack(torch.broadcast_tensors(*powers), -1).unflatten(-1, (3, 2)).unbind(-2)
    outer = square + constant
    polynomials = torch.stack([outer + middle, 2 * (constant - square), outer - middle], -1)
    return (polynomials / polynomials[..., 1:, :1]).flatten(-2)


def first_order(numerator: Linear, denominator: Linear) -> Tensor:
    """The same of first order: z^-2 has no coefficients."""
    powers = [t for pair in zip(numerator, denominator) for t in pair]
    slope, constant = torch.stack(torch.broadcast_tensors(*powers), -1).unflatten(-1, (2, 2)).unbind(-2)
    polynomials = torch.stack([constant + slope, constant - slope, torch.zeros_like(slope)], -1)
    return (polynomials / polynomials[..., 1:, :1]).flatten(-2)
