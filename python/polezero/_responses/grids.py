"""Frequencies, and points of the unit circle at them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import to_tensor
from polezero._signatures import Values

Frequencies: TypeAlias = "Values | int | None"
Plot: TypeAlias = "Callable[[Tensor, Tensor], Any] | None"


@dataclass(frozen=True)
class Grid:
    """Frequencies as they are returned, in turns a sample, and where they are the first bins of an FFT, its length."""

    w: Tensor  # [F] or [..., F]
    turns: Tensor  # w / fs in float64
    points: int = 0


def grid_of(
    function: str,
    name: str,
    frequencies: Frequencies,
    whole: bool,
    fs: float,
    dtype: torch.dtype,
    device: torch.device,
    include_nyquist: bool = False,
) -> Grid:
    """So many frequencies from 0 to fs / 2 (or fs), or those that are given."""
    check_rate(function, fs)
    frequencies = 512 if frequencies is None else frequencies
    if not is_count(frequencies):
        w = to_frequencies(function, name, frequencies, dtype, device)
        return Grid(w, w.double() / fs)
    count = operator.index(frequencies)  # type: ignore[arg-type]
    if count < 0:
        raise ValueError(f"{function}: {name}: expected a number of frequencies >= 0, got {count}")
    points = count if whole else 2 * (count - 1) if include_nyquist else 2 * count
    turns = torch.arange(count, dtype=torch.float64, device=device) / max(points, 1)
    return Grid((turns * fs).to(dtype), turns, points)


def is_count(frequencies: Any) -> bool:
    """A tensor holds frequencies, however many."""
    is_integer = isinstance(frequencies, int) or (
        hasattr(frequencies, "__index__") and getattr(frequencies, "ndim", 0) == 0
    )
    return is_integer and not isinstance(frequencies, (Tensor, float))


def to_frequencies(function: str, name: str, w: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Real ones, [..., F]; of tensors in their own dtype."""
    t = to_tensor(f"{function}: {name}", w, torch.float64, device)
    if t.is_complex():
        raise TypeError(f"{function}: {name}: expected real frequencies, got {str(t.dtype).removeprefix('torch.')}")
    return t.to(t.dtype if isinstance(w, Tensor) and t.is_floating_point() else dtype, copy=True)


def check_rate(function: str, fs: Any) -> None:
    if not isinstance(fs, (int, float)) and not hasattr(fs, "__float__"):
        raise ValueError(f"{function}: fs: expected a number, got {fs!r}")


@dataclass(frozen=True)
class Circle:
    r"""Points :math:`e^{j \omega}`, by what is as precise beside 1 and -1 as it is elsewhere.

    In the right half of the plane they are ``1 + offset + j sine``, in the left ``-1 + offset + j sine``: there a
    polynomial with its roots near 1 or -1, as filters of low frequencies have them, is the small number that it is,
    and not the rounded sum of large ones.
    """

    right: Tensor  # bool
    offset: Tensor
    sine: Tensor

    @property
    def cosine(self) -> Tensor:
        return self.offset + torch.where(self.right, 1.0, -1.0)

    @property
    def points(self) -> Tensor:
        return torch.complex(self.cosine, self.sine)


def circle_at(turns: Tensor) -> Circle:
    """Half a turn is the point -1 to the bit, a whole one 1: the zeros of filters lie there."""
    half = turns - turns.round()  # of the angle, in units of pi: -1/2 .. 1/2
    sine, cosine = (math.pi * half).sin(), (math.pi * (0.5 - half.abs())).sin()
    right = half.detach().abs() <= 0.25
    return Circle(right, torch.where(right, -2 * sine * sine, 2 * cosine * cosine), 2 * sine * cosine)


def powers_at(turns: Tensor, count: int) -> Tensor:
    """z^-k on the circle for k = 0 .. count - 1, ``[..., count, F]``."""
    angles = turns.unsqueeze(-2) * torch.arange(count, dtype=torch.float64, device=turns.device).unsqueeze(-1)
    angles = -2 * math.pi * (angles - angles.round())
    return torch.complex(angles.cos(), angles.sin())
