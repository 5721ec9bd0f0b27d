"""Parameters that change with time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Timeline(NamedTuple):
    """The samples of a call, and the frames of parameters that hold at some of them.

    Frame f holds at sample ``f * hop`` after ``start``, which is the last multiple of ``hop`` that is not after the
    first sample: so a chunk of a signal takes the frames from the one before its first sample on.
    """

    varies: bool
    hop: int | None
    position: int
    samples: int
    name: str  # of the module, for messages

    def between(self, coefficients: Tensor, rank: int) -> Tensor:
        """Coefficients ``[..., F, *own]`` for each sample, linear between two frames; ``own`` has ``rank`` of them."""
        if not self.varies or self.hop is None:
            return coefficients
        hop, offset = self.hop, self.position % self.hop
        count, time = -(-(offset + self.samples) // hop), coefficients.dim() - rank - 1
        if not self.samples:
            return coefficients.narrow(time, 0, 0)
        frames = coefficients.shape[time]
        if frames < count:
            raise ValueError(
                f"{self.name}: hop: expected {count} frames of {hop} samples for {self.samples} samples, got {frames}"
            )
        own = coefficients.shape[time + 1 :]
        flat = coefficients.flatten(time + 1) if own else coefficients.unsqueeze(-1)
        right = flat.narrow(time, 1, min(frames, count + 1) - 1)
        if frames == count:
            right = torch.cat([right, flat.narrow(time, frames - 1, 1)], time)
        pairs = torch.stack([flat.narrow(time, 0, count), right], time + 1)
        # Of a chunk that ends within its first frame no more than that: a hop may be much longer.
        reach = torch.sym_min(hop, offset + self.samples)
        part = torch.arange(reach, dtype=flat.dtype, device=flat.device) / hop
        # A product of matrices: one pass over the result, and over its gradient.
        filled: Tensor = torch.stack([1 - part, part], -1) @ pairs
        samples = filled.flatten(time, time + 1).narrow(time, offset, self.samples)
        return samples.unflatten(-1, own) if own else samples.squeeze(-1)
