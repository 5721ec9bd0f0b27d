"""Signals as overlapping frames, of which frame f has its middle at sample ``f * hop``."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["centred", "hann", "overlapped"]


def hann(size: int, x: Tensor) -> Tensor:
    """Hann's window, periodic, in float64 beside ``x``."""
    return torch.hann_window(size, dtype=torch.float64, device=x.device)


def centred(x: Tensor, size: int, hop: int, first: int, count: int) -> Tensor:
    """Frames ``first`` .. of ``x``, shape ``[..., count, size]``; x is 0 before and after."""
    before = size // 2 - first * hop
    after = (count - 1) * hop + size - before - x.shape[-1]
    return torch.nn.functional.pad(x, (before, after)).unfold(-1, size, hop)


def overlapped(frames: Tensor, hop: int) -> Tensor:
    """The sum of frames ``[..., count, size]`` that begin ``hop`` samples apart, with zeros up to a whole hop."""
    count, size = frames.shape[-2:]
    pieces = -(-size // hop)
    parts = torch.nn.functional.pad(frames, (0, pieces * hop - size)).unflatten(-1, (pieces, hop)).unbind(-2)
    total = frames.new_zeros(*frames.shape[:-2], count + pieces - 1, hop)
    for k, part in enumerate(parts):
        total = total + torch.nn.functional.pad(part, (0, 0, k, pieces - 1 - k))
    return total.flatten(-2)
