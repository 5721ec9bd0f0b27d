from typing import Any

import torch
from torch import Tensor

from polezero.reference._frames import of_samples
from polezero.reference._promotion import promote, returned

__all__ = ["lpv_state_space", "state_space"]


def state_space(A: Any, B: Any, C: Any, D: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """v[n+1] = A v[n] + B x[n], y[n] = C v[n] + D x[n], v[0] = zi; x ``[..., I, T]``, without C the states."""
    (A, B, C, D, x, zi), *dtypes = promote(x, A, B, C, D, x, zi=zi)
    A, B, C, D = (None if m is None else m[..., None, :, :] for m in (A, B, C, D))
    return returned(lpv_state_space(A, B, C, D, x, zi), *dtypes)


def lpv_state_space(
    A: Any, B: Any, C: Any, D: Any, x: Any, zi: Any = None, **frames: Any
) -> Tensor | tuple[Tensor, Tensor]:
    """:func:`state_space` with matrices ``[..., T or 1, rows, columns]`` used as they are at time n."""
    (A, B, C, D, x, zi), dtype, of_state = promote(x, A, B, C, D, x, zi=zi)
    A, B, C, D = (of_samples(m, -3, x, **frames) for m in (A, B, C, D))
    given = [m for m in (A, B, C, D) if m is not None]
    lead = torch.broadcast_shapes(*(m.shape[:-3] for m in given), x.shape[:-2])
    v = x.new_zeros(*lead, A.shape[-1]) if zi is None else zi.expand(*lead, A.shape[-1])
    y = []

    def times(m: Tensor, n: int, u: Tensor) -> Tensor:
        return (m[..., n % m.shape[-3], :, :] * u[..., None, :]).sum(-1)

    for n in range(x.shape[-1]):
        u = x[..., n]
        out = v if C is None else times(C, n, v)
        y.append((out if D is None else out + times(D, n, u)).expand(*lead, -1))
        v = times(A, n, v) + times(B, n, u)
    empty = x.new_zeros(*lead, (A if C is None else C).shape[-2], 0)
    filtered = (torch.stack(y, -1) if y else empty).to(dtype)
    return filtered if zi is None else (filtered, v.to(of_state))
