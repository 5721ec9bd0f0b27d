"""A look at the poles of coefficients that are rounded."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import readable, warn
from polezero._conversions.roots import unsorted_roots


def warn_if_unstable(function: str, a: Tensor, instead: str) -> None:
    """Those of a narrow band, or of a high order, have poles outside the unit circle."""
    if not readable(a) or a.shape[-1] < 2 or not a.numel():
        return
    a = a.detach().to(torch.complex128 if a.is_complex() else torch.float64)
    is_regular = (a[..., 1:] / a[..., :1]).isfinite().all()
    radius = unsorted_roots(a).abs().amax().item() if is_regular else float("nan")
    if radius >= 1:
        warn(
            f"{function}: the coefficients b and a are unstable once rounded: the largest pole has the radius"
            f" {radius:.9g}; {instead} is not"
        )
