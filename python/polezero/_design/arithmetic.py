"""What a design is computed with: tensors, or numbers.

Up to its sections a design is some hundred operations on at most four numbers, edges and decibels. Each takes torch a
few microseconds, and again for the derivative, but Python a twentieth of one. So a filter on the CPU is computed in
Python's numbers; batches, graphs, transforms and GPUs, and derivatives of derivatives, have torch's.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Scalar = Any  # a tensor [..., 1], or a number
Values = Any  # a tensor [..., n], or a sequence of n numbers

NEPERS = math.log(10) / 10  # of power in a decibel


def constant(values: Sequence[float] | Sequence[Sequence[float]], like: Tensor) -> Tensor:
    """Made anew in every call: a tensor that is kept would be one of the mode, or transform, of the first call."""
    return torch.tensor(values, dtype=torch.float64, device=like.device)


class Tensors:
    def __init__(self, like: Tensor) -> None:
        self.like = like

    sqrt, exp, log = map(staticmethod, (torch.sqrt, torch.exp, torch.log))
    sinh, cosh, asinh, tan = map(staticmethod, (torch.sinh, torch.cosh, torch.asinh, torch.tan))
    hypot, expm1 = map(staticmethod, (torch.hypot, torch.expm1))

    def tensor(self, values: Values) -> Tensor:
        return values if isinstance(values, Tensor) else constant(values, self.like)

    def each(self, count: int, function: Callable[..., tuple[Tensor, ...]], *values: Values) -> Sequence[Tensor]:
        """The ``count`` results of the function for each of the values."""
        return function(*map(self.tensor, values))

    def total(self, function: Callable[[Tensor], Tensor], values: Sequence[float]) -> Tensor:
        """The sum of its results, each of which is smaller than the one before."""
        return function(constant(values, self.like)).sum(-1, keepdim=True)

    def product(self, values: Tensor) -> Tensor:
        """Of positive ones: the logs have simpler derivatives."""
        return values.log().sum(-1, keepdim=True).exp()

    def parted(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The first of them, and the others."""
        return values[..., :1], values[..., 1:]

    def repeated(self, value: Tensor, count: int) -> Tensor:
        return value.expand(*value.shape[:-1], count)

    def joined(self, *parts: Tensor) -> Tensor:
        lead = torch.broadcast_shapes(*(t.shape[:-1] for t in parts))
        return torch.cat([t.expand(*lead, -1) for t in parts], -1)


class Numbers:
    """Complex ones, for the derivative: f(x + jh) = f(x) + jh f'(x), to the last bit where h^2 vanishes beside 1."""

    sqrt, exp, log = map(staticmethod, (cmath.sqrt, cmath.exp, cmath.log))
    sinh, cosh, asinh, tan = map(staticmethod, (cmath.sinh, cmath.cosh, cmath.asinh, cmath.tan))

    @staticmethod
    def hypot(x: complex, y: complex) -> complex:
        return cmath.sqrt(x * x + y * y)

    @staticmethod
    def expm1(x: complex) -> complex:
        return 2 * cmath.exp(x / 2) * cmath.sinh(x / 2)

    def each(self, count: int, function: Callable[..., tuple[Any, ...]], *values: Values) -> Sequence[Sequence[Any]]:
        return list(zip(*map(function, *values))) or [()] * count

    def total(self, function: Callable[[float], complex], values: Sequence[float]) -> complex:
        result = 0j
        for value in values:
            term = function(value)
            result += term
            if abs(term) < 1e-18 * abs(result):
                break
        return result

    def product(self, values: Sequence[complex]) -> complex:
        return math.prod(values)

    def parted(self, values: Sequence[complex]) -> tuple[complex, Sequence[complex]]:
        return values[0], values[1:]

    def repeated(self, value: complex, count: int) -> Sequence[complex]:
        return [value] * count

    def joined(self, *parts: Sequence[complex]) -> Sequence[complex]:
        return [value for part in parts for value in part]


Arithmetic = Any  # one of the two


def circle(N: int) -> tuple[list[float], list[float]]:
    """Sines and cosines of the angles of Butterworth's poles from the negative real axis up, that on it first."""
    angles = [math.pi * m / (2 * N) for m in range(1 - N % 2, N, 2)]
    return [math.sin(t) for t in angles], [math.cos(t) for t in angles]
