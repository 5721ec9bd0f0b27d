"""A look at the poles of coefficients that are rounded."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import readable, warn


def warn_if_unstable(function: str, a: Tensor, instead: str) -> None:
    """Those of a narrow band, or of a high order, have poles outside the unit circle."""
    if not readable(a) or a.shape[-1] < 2 or not a.numel():
        return
    a = a.detach().to(torch.complex128 if a.is_complex() else torch.float64)
    companion = torch.diag_embed(torch.ones_like(a[..., 2:]), -1)
    companion[..., 0, :] = -a[..., 1:] / a[..., :1]
    radius = torch.linalg.eigvals(companion).abs().amax().item() if companion.isfinite().all() else float("nan")
    if radius >= 1:
        warn(
            f"{function}: the coefficients b and a are unstable once rounded: the largest pole has the radius"
            f" {radius:.9g}; {instead} is not"
        )
