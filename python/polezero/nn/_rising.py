"""Frequencies that keep their order."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero.nn._ascending import beyond, original_of, places
from polezero.nn._ranges import MARGIN, Parametrization

__all__ = ["Rising"]


class Rising(Parametrization):
    r"""Frequencies in a range, each above the one before: the edges of a band, or the splits of a crossover.

    .. math::

        v_i = l \left(\frac{h}{l}\right)^{x_i}, \qquad x_i = \sum_{j \le i} g_j, \qquad
        g = \epsilon + \Bigl(1 - \sum_j \epsilon_j\Bigr)\, \text{softmax}(u, 0)

    The gaps between the logarithms are free, as those of :class:`~parametrizations.Lsf` are; epsilon is the least gap
    between two frequencies, and 0 at the ends of the range, which belong to it. Towards a border, or a closed gap, the
    gradient falls to 0. Acts on ``[..., N]``.

    Args:
        low: Least frequency.
        high: Greatest frequency.
        unit: For messages.
        ratio: The least one of two neighbours.

    Source: the softmax.
    """

    def __init__(self, low: float, high: float, unit: str = "Hz", ratio: float = 1.001) -> None:
        super().__init__()
        if not 0 < low < high < math.inf:
            raise ValueError(f"Rising: low: expected a number between 0 and high, got {low} and {high}")
        self.lowest, self.highest, self.range = float(low), float(high), math.log(high / low)
        self.gap = math.log(ratio) / self.range
        self.expected = (
            f"rising frequencies of {low:g} to {high:g} {unit}, each at least {ratio:g} times the one before"
        )

    def _least(self, like: Tensor) -> Tensor:
        """The gaps that are kept, N + 1 of them."""
        return torch.nn.functional.pad(like.new_full((like.shape[-1] - 1,), self.gap), (1, 1))

    def _free(self, value: Tensor) -> Tensor:
        return beyond(torch.log(value / self.lowest) / self.range, self._least(value))

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return bool((value > 0).all() and (self._free(value) >= -8 * torch.finfo(value.dtype).eps).all())

    def forward(self, original: Tensor) -> Tensor:
        placed = places(original, self._least(original))
        return (self.lowest * torch.exp(self.range * placed)).clamp(self.lowest, self.highest)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        return original_of(self._free(value))
