"""Sections of equalisers, by the formulas of the cookbook."""

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["biquad"]


def biquad(
    btype: str, f0: Any, Q: Any = None, bandwidth: Any = None, slope: Any = None, gain: Any = 0.0, fs: float = 2.0
) -> Tensor:
    """One section ``[..., 1, 6]``, in double precision, of tensors or numbers."""
    f0, gain = (torch.as_tensor(t, dtype=torch.float64) for t in (f0, gain))
    A, w0 = 10 ** (gain / 40), 2 * math.pi * f0 / fs
    cos, sin = torch.cos(w0), torch.sin(w0)
    if bandwidth is not None:
        alpha = sin * torch.sinh(math.log(2) / 2 * bandwidth * w0 / sin)
    elif slope is not None:
        alpha = sin / 2 * torch.sqrt((A + 1 / A) * (1 / slope - 1) + 2)
    else:
        alpha = sin / (2 * (math.sqrt(0.5) if Q is None else Q))
    root, zero, one = 2 * torch.sqrt(A) * alpha, torch.zeros_like(cos), torch.ones_like(cos)
    low_plus, low_minus = (A + 1) + (A - 1) * cos, (A - 1) + (A + 1) * cos
    high_plus, high_minus = (A + 1) - (A - 1) * cos, (A - 1) - (A + 1) * cos
    resonance = [1 + alpha, -2 * cos, 1 - alpha]
    b, a = {
        "lowpass": ([(1 - cos) / 2, 1 - cos, (1 - cos) / 2], resonance),
        "highpass": ([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2], resonance),
        "bandpass_skirt": ([sin / 2, zero, -sin / 2], resonance),
        "bandpass": ([alpha, zero, -alpha], resonance),
        "notch": ([one, -2 * cos, one], resonance),
        "allpass": ([1 - alpha, -2 * cos, 1 + alpha], resonance),
        "peaking": ([1 + alpha * A, -2 * cos, 1 - alpha * A], [1 + alpha / A, -2 * cos, 1 - alpha / A]),
        "lowshelf": (
            [A * (high_plus + root), 2 * A * high_minus, A * (high_plus - root)],
            [low_plus + root, -2 * low_minus, low_plus - root],
        ),
        "highshelf": (
            [A * (low_plus + root), -2 * A * low_minus, A * (low_plus - root)],
            [high_plus + root, 2 * high_minus, high_plus - root],
        ),
    }[btype]
    return torch.stack([c / a[0] for c in torch.broadcast_tensors(*b, *a)], -1).unsqueeze(-2)
