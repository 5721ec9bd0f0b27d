from typing import Any

import torch
from torch import Tensor

from polezero.reference._forms import lpv_lfilter
from polezero.reference._promotion import promote, returned

__all__ = ["allpole", "linear_recurrence", "lpv_allpole"]


def allpole(a: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of ``x`` with H(z) = 1 / (1 + sum_{i=1..N} a_i z^-i)::

        y[n] = x[n] - sum_{i=1..N} a_i y[n-i],    y[-k] = zi[k-1]

    Shapes: a ``[..., N]`` holds a_1..a_N, x ``[..., T]``, zi ``[..., N]`` the past outputs, newest first. The leading
    dimensions of a and x broadcast to those of y, and zi expands to them. Returns ``y``, or ``(y, zf)`` with the last
    N outputs zf, newest first, when zi is given.
    """
    (a, x, zi), dtype, of_state = promote(x, a, x, zi=zi)
    lead = torch.broadcast_shapes(a.shape[:-1], x.shape[:-1])
    order = a.shape[-1]
    x = x.expand(*lead, x.shape[-1])
    past = x.new_zeros(*lead, order) if zi is None else zi.expand(*lead, order)
    y = [x[..., :0]]
    for n in range(x.shape[-1]):
        y.append(x[..., n : n + 1] - (a * past).sum(-1, keepdim=True))
        past = torch.cat([y[-1], past], -1)[..., :order]
    filtered = torch.cat(y, -1).to(dtype)
    return filtered if zi is None else (filtered, past.to(of_state))


def linear_recurrence(a: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """h[n] = a[n] h[n-1] + x[n] on the last axis; a ``[..., T]``, ``[..., 1]`` or a scalar, h[-1] zi ``[..., 1]``."""
    (a, x, zi), *dtypes = promote(x, a, x, zi=zi)
    return returned(lpv_allpole(-a[..., None], x, zi), *dtypes)


def lpv_allpole(a: Any, x: Any, zi: Any = None, **frames: Any) -> Tensor | tuple[Tensor, Tensor]:
    """y[n] = x[n] - sum_i a_i[n] y[n-i], a ``[..., T or 1, N]``; zi and zf as in :func:`allpole`."""
    (a, x, zi), *dtypes = promote(x, a, x, zi=zi)
    return returned(lpv_lfilter(torch.ones_like(a[..., :1, :1]), _with_a0(a), x, zi, "df1", **frames), *dtypes)


def _with_a0(a: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(a[..., :1]) if a.shape[-1] else a.new_ones(*a.shape[:-1], 1), a], -1)
