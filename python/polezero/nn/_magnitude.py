"""Figures of modules whose responses are better not written as polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from polezero import plot as figures
from polezero.nn._module import FilterModule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Magnitude", "frequencies"]


class Magnitude(FilterModule):
    """A module that draws what its `freqz` finds."""

    def freqz(self, worN: int | Tensor = 512, **values: Tensor | float) -> tuple[Tensor, Tensor]:
        """Frequencies in Hz, and the response at them, which are as in :func:`polezero.freqz`."""
        raise NotImplementedError

    def plot(self, points: int = 4096) -> Figure:
        """The magnitude of the response over frequency, a curve for each channel."""
        hertz, H = self.freqz(points)
        with figures.styled() as plt:
            figure: Figure
            figure, ax = plt.subplots(figsize=(figures.WIDTH, figures.HEIGHT + 0.4), layout="constrained")
            ax.plot(hertz.cpu().numpy(), 20 * H.detach().abs().log10().cpu().numpy().T, lw=1)
            ax.set(xlabel="frequency (Hz)", ylabel="magnitude (dB)", xlim=(0, self.fs / 2))
        return figure


def frequencies(worN: int | Tensor, fs: float, like: Tensor) -> Tensor:
    """``worN`` of them from 0 to half the sampling frequency, or those that are given, in Hz."""
    if isinstance(worN, Tensor):
        return worN.to(like.device)
    return torch.arange(worN, dtype=torch.float64, device=like.device) * (fs / 2 / worN)
