"""Frequencies that keep their order."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero.nn.parametrizations import Parametrization

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
        """What the gaps have beyond the least ones, as parts of the whole."""
        places, least = torch.log(value / self.lowest) / self.range, self._least(value)
        edges = [torch.nn.functional.pad(places, pad, value=end) for pad, end in (((1, 0), 0.0), ((0, 1), 1.0))]
        return (edges[1] - edges[0] - least) / (1 - least.sum())

    def fits(self, value: Tensor) -> bool:
        return bool((value > 0).all() and (self._free(value) >= -8 * torch.finfo(value.dtype).eps).all())

    def forward(self, original: Tensor) -> Tensor:
        parts, least = torch.softmax(torch.nn.functional.pad(original, (0, 1)), -1), self._least(original)
        gaps = least + (1 - least.sum()) * parts
        places = torch.cumsum(gaps[..., :-1], -1)
        return (self.lowest * torch.exp(self.range * places)).clamp(self.lowest, self.highest)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        logs = torch.log(self._free(value).clamp(min=torch.finfo(value.dtype).eps / 16))
        return logs[..., :-1] - logs[..., -1:]
