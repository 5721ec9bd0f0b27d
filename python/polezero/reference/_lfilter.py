from typing import Any

import torch
from torch import Tensor

from polezero.reference._forms import pad
from polezero.reference._promotion import promote

__all__ = ["lfilter"]


def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter ``x`` along ``axis`` with H(z) = sum_k b_k z^-k / sum_i a_i z^-i, in transposed direct form II::

        a_0 y[n] = sum_{k=0..M} b_k x[n-k] - sum_{i=1..N} a_i y[n-i]

    and, with b and a divided by a_0 and P = max(M, N) states s_1..s_P (s_{P+1} = 0, at the start s_j = zi[j-1])::

        y[n]     = b_0 x[n] + s_1[n]
        s_j[n+1] = b_j x[n] + s_{j+1}[n] - a_j y[n]

    Shapes: b ``[..., M+1]``, a ``[..., N+1]``, x ``[..., T, ...]``, zi ``[..., P, ...]``. With ``axis`` moved to the
    end, the leading dimensions of b, a and x broadcast to those of y, and zi expands to them. Returns ``y``, or
    ``(y, zf)`` with the final states zf when zi is given.
    """
    (b, a, x, zi), dtype, of_state = promote(x, b, a, x, zi=zi)
    axis = axis if axis < 0 else axis - x.dim()  # from the end: broadcasting adds dimensions in front
    x = x.movedim(axis, -1)
    lead = torch.broadcast_shapes(b.shape[:-1], a.shape[:-1], x.shape[:-1])
    x = x.expand(*lead, x.shape[-1])
    taps = max(b.shape[-1], a.shape[-1])
    b, a = b / a[..., :1], a[..., 1:] / a[..., :1]
    if zi is None:
        s = x.new_zeros(*lead, taps)
    else:
        s = pad(zi.movedim(axis, -1).expand(*lead, taps - 1), taps)  # the last state, s_{P+1}, is always zero
    y = [x[..., :0]]
    for n in range(x.shape[-1]):
        w = s + pad(b * x[..., n : n + 1], taps)  # products are padded, not coefficients: 0 * NaN is NaN
        y.append(w[..., :1])
        s = pad(w[..., 1:] - pad(a * y[-1], taps - 1), taps)
    filtered = torch.cat(y, -1).movedim(-1, axis).to(dtype)
    return filtered if zi is None else (filtered, s[..., :-1].movedim(-1, axis).to(of_state))
