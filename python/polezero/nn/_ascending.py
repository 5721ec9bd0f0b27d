"""Ascending places between 0 and 1: least gaps, and the rest of the way shared out by a softmax."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["beyond", "original_of", "places"]


def places(original: Tensor, least: Tensor) -> Tensor:
    """N of them from N unconstrained numbers; ``least`` has the N + 1 gaps that are kept."""
    parts = torch.softmax(pad(original, (0, 1)), -1)
    return torch.cumsum((least + (1 - least.sum()) * parts)[..., :-1], -1)


def beyond(placed: Tensor, least: Tensor) -> Tensor:
    """What the gaps of places have beyond the least ones, as parts of the whole."""
    return (pad(placed, (0, 1), value=1.0) - pad(placed, (1, 0)) - least) / (1 - least.sum())


def original_of(free: Tensor) -> Tensor:
    """The unconstrained numbers of what gaps have beyond the least ones."""
    logs = torch.log(free.clamp(min=torch.finfo(free.dtype).eps / 16))
    return logs[..., :-1] - logs[..., -1:]
