"""Parameters that change with time."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor


class Timeline(NamedTuple):
    """The samples of a call, and the frames of parameters that hold at some of them.

    Frame f holds at sample ``f * hop`` after ``start``, which is the last multiple of ``hop`` that is not after the
    first sample: so a chunk of a signal takes the frames from the one before its first sample on.
    """

    varies: bool
    hop: int | None
    position: int | Tensor  # a tensor in a graph, which has its value only when it runs
    samples: int
    name: str  # of the module, for messages

    def between(self, coefficients: Tensor, rank: int) -> Tensor:
        """Coefficients ``[..., F, *own]`` for each sample, linear between two frames; ``own`` has ``rank`` of them."""
        if not self.varies or self.hop is None:
            return coefficients
        hop, time = self.hop, coefficients.dim() - rank - 1
        if not self.samples:
            return coefficients.narrow(time, 0, 0)
        own = coefficients.shape[time + 1 :]
        flat = coefficients.flatten(time + 1) if own else coefficients.unsqueeze(-1)
        samples = self._between(flat, hop, time)
        return samples.unflatten(-1, own) if own else samples.squeeze(-1)

    def _between(self, flat: Tensor, hop: int, time: int) -> Tensor:
        frames, offset = flat.shape[time], self.position % hop
        if isinstance(offset, Tensor):
            return _gathered(flat, offset + torch.arange(self.samples, device=flat.device), hop, time)
        count = self._needed(frames, hop, offset)
        right = flat.narrow(time, 1, min(frames, count + 1) - 1)
        if frames == count:
            right = torch.cat([right, flat.narrow(time, frames - 1, 1)], time)
        pairs = torch.stack([flat.narrow(time, 0, count), right], time + 1)
        # Of a chunk that ends within its first frame no more than that: a hop may be much longer.
        reach = torch.sym_min(hop, offset + self.samples)
        part = torch.arange(reach, dtype=flat.dtype, device=flat.device) / hop
        # A product of matrices: one pass over the result, and over its gradient.
        filled: Tensor = torch.stack([1 - part, part], -1) @ pairs
        return filled.flatten(time, time + 1).narrow(time, offset, self.samples)

    def refined(self, coefficients: Tensor, rank: int, most: int) -> tuple[Tensor, Timeline]:
        """Frames that are ``most`` samples apart or less, linear between those that are given, and their timeline.

        Coefficients that are best interpolated in one domain, and cheaply in another, change over at each of them.
        """
        if not self.varies or self.hop is None:
            return coefficients, self
        hop, offset, time = self.hop, self.position % self.hop, coefficients.dim() - rank - 1
        frames = coefficients.shape[time]
        step = max(d for d in range(1, min(most, hop) + 1) if hop % d == 0)
        held = torch.cat([coefficients, coefficients.narrow(time, frames - 1, 1)], time)
        if isinstance(offset, Tensor):
            steps = -(-(step - 1 + self.samples) // step) + 1  # as many as there may be
        else:
            self._needed(frames, hop, offset)
            steps = -(-(offset % step + self.samples) // step) + 1
        coarse = Timeline(True, hop // step, offset // step, steps, self.name)
        return coarse.between(held, rank), self._replace(hop=step)

    def frames(self, coefficients: Tensor, rank: int) -> tuple[Tensor, dict[str, Any]]:
        """Coefficients ``[..., F or T, *own]`` as functions of :mod:`polezero.lpv` take them, and their options."""
        if self.hop is None or isinstance(self.position, Tensor):
            return self.between(coefficients, rank), {}
        offset = self.position % self.hop
        self._needed(coefficients.shape[-rank - 1], self.hop, offset)
        return coefficients, {"hop": self.hop, "offset": offset}

    def _needed(self, frames: int, hop: int, offset: int) -> int:
        """How many frames the samples need, which are there."""
        count = -(-(offset + self.samples) // hop)
        if frames < count:
            raise ValueError(
                f"{self.name}: hop: expected {count} frames of {hop} samples for {self.samples} samples, got {frames}"
            )
        return count


def _gathered(frames: Tensor, at: Tensor, hop: int, time: int) -> Tensor:
    """Linear between frames, at samples after the first of them; the last one holds on."""
    last = frames.shape[time] - 1
    left, right = (frames.index_select(time, (at // hop + k).clamp(max=last)) for k in range(2))
    part = (at % hop).to(frames.dtype).unsqueeze(-1) / hop
    return left + part * (right - left)


def over_time(values: dict[str, Tensor], time: Timeline, rank: int = 0) -> dict[str, Tensor]:
    """Parameters for each sample, ``[..., T, *own]``, or ``[..., 1, *own]`` where they do not change; each is linear
    between two frames, in whose domain the filter has to be stable."""
    at = -1 - rank
    if not time.varies:
        return {name: value.unsqueeze(at) for name, value in values.items()}
    frames = max(value.shape[at] for value in values.values())
    return {
        name: value if value.shape[at] == 1 < frames else time.between(value, rank) for name, value in values.items()
    }
