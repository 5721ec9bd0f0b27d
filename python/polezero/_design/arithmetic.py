"""What a design is computed with: tensors, or numbers.

Up to its sections a design is some hundred operations on at most four numbers, edges and decibels. Each takes torch a
few microseconds, and again for the derivative, but Python a twentieth of one. So one filter on the CPU is computed in
Python's numbers; batches, graphs, transforms and GPUs, and derivatives of derivatives, have torch's.
"""

from __future__ import annotations

import cmath
import itertools
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
    """On the device of one of them."""

    def __init__(self, like: Tensor) -> None:
        self.like = like

    sqrt = staticmethod(torch.sqrt)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    tan = staticmethod(torch.tan)
    sinh = staticmethod(torch.sinh)
    cosh = staticmethod(torch.cosh)
    asinh = staticmethod(torch.asinh)
    hypot = staticmethod(torch.hypot)
    expm1 = staticmethod(torch.expm1)

    def tensor(self, values: Values) -> Tensor:
        return values if isinstance(values, Tensor) else constant(values, self.like)

    def each(self, count: int, function: Callable[..., tuple[Tensor, ...]], *values: Values) -> Sequence[Tensor]:
        """The ``count`` results of the function for each of the values."""
        return function(*map(self.tensor, values))

    def parts(self, values: Tensor, *sizes: int) -> Sequence[Tensor]:
        return torch.split(values, [*sizes], -1)

    def apart(self, values: Tensor) -> Sequence[Tensor]:
        return torch.split(values, 1, -1)

    def quotient(self, values: Tensor, count: int) -> Tensor:
        """The product of those after the first ``count`` by theirs. All are positive: logs have simpler derivatives."""
        signs = constant([-1.0] * count + [1.0] * (values.shape[-1] - count), self.like)
        return (values.log() * signs).sum(-1, keepdim=True).exp()

    def repeated(self, value: Tensor, count: int) -> Tensor:
        return value.expand(*value.shape[:-1], count)

    def joined(self, *parts: Values) -> Tensor:
        tensors = [self.tensor(t) for t in parts]
        tensors = [t for t in tensors if t.shape[-1]] or tensors[:1]
        if len(tensors) == 1:
            return tensors[0]
        if len({t.shape[:-1] for t in tensors}) > 1:
            lead = torch.broadcast_shapes(*(t.shape[:-1] for t in tensors))
            tensors = [t.expand(*lead, -1) for t in tensors]
        return torch.cat(tensors, -1)


class Numbers:
    """Complex ones, for the derivative: f(x + jh) = f(x) + jh f'(x), to the last bit where h^2 vanishes beside 1."""

    sqrt = staticmethod(cmath.sqrt)
    exp = staticmethod(cmath.exp)
    log = staticmethod(cmath.log)
    tan = staticmethod(cmath.tan)
    sinh = staticmethod(cmath.sinh)
    cosh = staticmethod(cmath.cosh)
    asinh = staticmethod(cmath.asinh)

    @staticmethod
    def hypot(x: complex, y: complex) -> complex:
        return cmath.sqrt(x * x + y * y)

    @staticmethod
    def expm1(x: complex) -> complex:
        return 2 * cmath.exp(x / 2) * cmath.sinh(x / 2)

    def each(self, count: int, function: Callable[..., tuple[Any, ...]], *values: Values) -> Sequence[Sequence[Any]]:
        return list(zip(*map(function, *values))) or [()] * count

    def parts(self, values: Sequence[complex], *sizes: int) -> Sequence[Sequence[complex]]:
        return [values[end - size : end] for size, end in zip(sizes, itertools.accumulate(sizes))]

    def apart(self, values: Sequence[complex]) -> Sequence[complex]:
        return values

    def quotient(self, values: Sequence[complex], count: int) -> complex:
        return math.prod(values[count:]) / math.prod(values[:count])

    def repeated(self, value: complex, count: int) -> Sequence[complex]:
        return [value] * count

    def joined(self, *parts: Sequence[complex]) -> Sequence[complex]:
        return [value for part in parts for value in part]


Arithmetic = Any  # Tensors or Numbers


def circle(N: int) -> tuple[list[float], list[float]]:
    """Sines and cosines of the angles of Butterworth's pole pairs, from the negative real axis."""
    angles = [math.pi * m / (2 * N) for m in range(1 + N % 2, N, 2)]
    return [math.sin(t) for t in angles], [math.cos(t) for t in angles]
