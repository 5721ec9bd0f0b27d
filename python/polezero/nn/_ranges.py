"""What parametrizations are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import readable

__all__ = ["MARGIN", "Parametrization", "known", "rounding", "within"]

MARGIN = 2.0**-20  # of a pole's radius, that which decays to 1/e in a million samples


def known(value: Tensor) -> bool:
    """Whether there are values to look at, on a GPU too: an assignment may wait for it."""
    return readable(value) or (value.is_cuda and not torch.compiler.is_compiling())


def rounding(value: Tensor) -> float:
    return torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0


def within(value: Tensor, low: float, high: float) -> bool:
    """Whether all values are between two others, which belong to them. NaN is not."""
    if not value.numel():
        return True
    least, greatest = torch.aminmax(value)
    return bool((least >= low) & (greatest <= high))


class Parametrization(torch.nn.Module):
    """What parametrizations share: ``expected``, the range in words, and ``fits``, whether all values are in it.

    The ``margin`` is the distance that training keeps from a border at which filters end to be stable, in its units; a
    call may be given what is in the range without it.
    """

    expected: str

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        raise NotImplementedError

    def right_inverse(self, value: Tensor) -> Tensor:
        raise NotImplementedError

    def check(self, value: Tensor) -> None:
        if known(value) and not self.fits(value):
            raise ValueError(f"{type(self).__name__}: value: expected {self.expected}, got {value.tolist()}")

    def extra_repr(self) -> str:
        return self.expected
