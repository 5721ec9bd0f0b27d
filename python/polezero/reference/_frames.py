"""Coefficients of frames."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["of_samples"]


def of_samples(
    c: Tensor | None, axis: int, x: Tensor, hop: int | None = None, interpolation: str = "linear", offset: int = 0
) -> Tensor | None:
    """Frames along ``axis``, counted from the end, as the coefficients of each sample of ``x [..., T]``.

    Frame f is that of sample f hop - offset; between two frames they are linear or the first one holds, the last one is
    held.
    """
    if hop is None or c is None or c.shape[axis] == 1:
        return c
    n = torch.arange(offset, offset + x.shape[-1], device=c.device)
    first, after = (c.index_select(axis, f.clamp(max=c.shape[axis] - 1)) for f in (n // hop, n // hop + 1))
    part = (n % hop if interpolation == "linear" else 0 * n).to(torch.float64) / hop
    return first + part.reshape(-1, *(1,) * (-1 - axis)) * (after - first)
