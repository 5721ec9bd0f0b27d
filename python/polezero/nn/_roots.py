"""Polynomials 1 + c_1 z^-1 + c_2 z^-2 by their coefficients ``[..., K, 2]`` and by their roots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from polezero.nn._ranges import MARGIN

FARTHEST = 1 - 2 * MARGIN  # the radius that poles are projected to


class Kinds(NamedTuple):
    """Which of the polynomials have a conjugate pair, and which two real roots."""

    pairs: tuple[int, ...]
    real: tuple[int, ...]

    @staticmethod
    def of(c: Tensor, *, double_is_pair: bool) -> Kinds | None:
        """None where they are not the same in all leading dimensions."""
        half = c[..., 0] / 2
        rounding = 4 * torch.finfo(c.dtype).eps * half.square()
        distance = half.square() - c[..., 1]
        is_pair = (distance <= rounding) if double_is_pair else (distance < 0)
        rows = is_pair.reshape(-1, is_pair.shape[-1])
        if not bool((rows == rows[0]).all()):
            return None
        first: list[bool] = rows[0].tolist()
        return Kinds(*(tuple(k for k, pair in enumerate(first) if pair == wanted) for wanted in (True, False)))


def chosen(t: Tensor, places: tuple[int, ...], dim: int) -> Tensor:
    """Some of a dimension, in this order."""
    if places == tuple(range(t.shape[dim])):
        return t
    return t.index_select(dim, torch.tensor(places, dtype=torch.int64, device=t.device))


def side_by_side(dim: int, parts: Sequence[Tensor]) -> Tensor:
    """Concatenated along a dimension, counted from the end, before which dimensions broadcast."""
    lead = torch.broadcast_shapes(*(part.shape[:dim] for part in parts))
    return torch.cat([part.expand(*lead, *part.shape[dim:]) for part in parts], dim)


def together(kinds: Kinds, of_pairs: Tensor | None, of_real: Tensor | None) -> Tensor:
    """The coefficients of pairs and of real roots in the order of the polynomials."""
    parts = [part for part in (of_pairs, of_real) if part is not None]
    order = kinds.pairs + kinds.real
    places = tuple(order.index(k) for k in range(len(order)))
    return chosen(side_by_side(-2, parts) if len(parts) > 1 else parts[0], places, -2)


def of_polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(-2 * radius * torch.cos(angle), radius.square()), -1)


def of_points(points: Tensor) -> Tensor:
    """Of one root of each pair, ``[..., 2]``, by real and imaginary part."""
    return torch.stack([-2 * points[..., 0], points.square().sum(-1)], -1)


def of_real(roots: Tensor) -> Tensor:
    return torch.stack([-roots.sum(-1), roots.prod(-1)], -1)


def polar(c: Tensor) -> tuple[Tensor, Tensor]:
    """Radius and angle of pairs."""
    half = c[..., 0] / 2
    return c[..., 1].sqrt(), torch.atan2((c[..., 1] - half.square()).clamp(min=0).sqrt(), -half)


def real(c: Tensor) -> Tensor:
    """Two real roots, of which the larger one is no difference."""
    half = c[..., 0] / 2
    root = (half.square() - c[..., 1]).clamp(min=0).sqrt()
    larger = -(half + torch.where(half < 0, -root, root))
    smaller = torch.where(larger == 0, larger, c[..., 1] / torch.where(larger == 0, 1.0, larger))
    return torch.stack([larger, smaller], -1) + 0.0  # no -0


def radius(c: Tensor) -> Tensor:
    """The larger magnitude of the two roots."""
    return torch.where(_is_pair(c), c[..., 1].abs().sqrt(), real(c)[..., 0].abs())


def projected(c: Tensor) -> Tensor:
    """The roots that are too close to the unit circle, or outside, moved along their rays to ``FARTHEST``."""
    outside = (radius(c) > 1 - MARGIN)[..., None]
    scale = (FARTHEST / c[..., 1].abs().sqrt()).clamp(max=1)
    pairs = torch.stack([c[..., 0] * scale, c[..., 1] * scale.square()], -1)
    inside = torch.where(_is_pair(c)[..., None], pairs, of_real(real(c).clamp(-FARTHEST, FARTHEST)))
    return torch.where(outside, inside, c)


def _is_pair(c: Tensor) -> Tensor:
    return (c[..., 0] / 2).square() < c[..., 1]


def reflection(c: Tensor) -> Tensor:
    """The reflection coefficients of two stages."""
    return torch.stack([c[..., 0] / (1 + c[..., 1]), c[..., 1]], -1)


def of_reflection(k: Tensor) -> Tensor:
    return torch.stack([k[..., 0] * (1 + k[..., 1]), k[..., 1]], -1)
