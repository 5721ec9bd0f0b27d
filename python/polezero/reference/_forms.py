"""The direct forms with coefficients that change with time."""

from typing import Any

import torch
from torch import Tensor

from polezero.reference._frames import of_samples
from polezero.reference._promotion import promote, returned

__all__ = ["lpv_fir", "lpv_lfilter"]


def lpv_fir(b: Any, x: Any, zi: Any = None, **frames: Any) -> Tensor | tuple[Tensor, Tensor]:
    """y[n] = sum_k b_k[n] x[n-k], b ``[..., T or 1, M+1]``; zi and zf are the last M inputs, newest first."""
    (b, x, zi), *dtypes = promote(x, b, x, zi=zi)
    return returned(lpv_lfilter(b, torch.ones_like(b[..., :1, :1]), x, zi, "df1", **frames), *dtypes)


def lpv_lfilter(
    b: Any, a: Any, x: Any, zi: Any = None, form: str = "tdf2", **frames: Any
) -> Tensor | tuple[Tensor, Tensor]:
    """The direct forms as they are drawn, b ``[..., T or 1, M+1]`` and a ``[..., T or 1, N+1]`` used as they are at
    time n, a_0 divided out; the state zi is what their delays hold, P = max(M, N)::

        df1   y[n] = sum_k b_k x[n-k] - sum_i a_i y[n-i]                x[-1]..x[-M], y[-1]..y[-N]
        df2   w[n] = x[n] - sum_i a_i w[n-i],   y[n] = sum_k b_k w[n-k]                w[-1]..w[-P]
        tdf1  v = x + r_1,  r_i' = r_{i+1} - a_i v,  y = b_0 v + s_1,  s_k' = s_{k+1} + b_k v    r, s
        tdf2  y = b_0 x + s_1,  s_j' = s_{j+1} + b_j x - a_j y                                    s
    """
    (b, a, x, zi), dtype, of_state = promote(x, b, a, x, zi=zi)
    b, a = (of_samples(c, -2, x, **frames) for c in (b, a))
    T, M, N = x.shape[-1], b.shape[-1] - 1, a.shape[-1] - 1
    lead = torch.broadcast_shapes(b.shape[:-2], a.shape[:-2], x.shape[:-1])
    x = x.expand(*lead, T)
    states = {"df1": M + N, "df2": max(M, N), "tdf1": N + M, "tdf2": max(M, N)}[form]
    state = x.new_zeros(*lead, states) if zi is None else zi.expand(*lead, states)
    y = [x[..., :0]]
    for n in range(T):
        bn, an = b[..., n % b.shape[-2], :], a[..., n % a.shape[-2], :]
        bn, an = bn / an[..., :1], an[..., 1:] / an[..., :1]
        out, state = _step(bn, an, x[..., n : n + 1], state, form)
        y.append(out)
    filtered = torch.cat(y, -1).to(dtype)
    return filtered if zi is None else (filtered, state.to(of_state))


def _step(b: Tensor, a: Tensor, x: Tensor, state: Tensor, form: str) -> tuple[Tensor, Tensor]:
    """One sample [..., 1] through a filter with a_1..a_N, and its next state."""
    M, N = b.shape[-1] - 1, a.shape[-1]
    if form == "df1":
        inputs, outputs = torch.cat([x, state[..., :M]], -1), state[..., M:]
        y = _dot(b, inputs) - _dot(a, outputs)
        return y, torch.cat([inputs[..., :M], torch.cat([y, outputs], -1)[..., :N]], -1)
    if form == "df2":
        w = torch.cat([x - _dot(a, state[..., :N]), state], -1)
        return _dot(b, w[..., : M + 1]), w[..., :-1]
    if form == "tdf1":
        r, s = pad(state[..., :N], N + 1), pad(state[..., N:], M + 1)
        v = x + r[..., :1]
        w = s + b * v
        return w[..., :1], torch.cat([r[..., 1:] - a * v, w[..., 1:]], -1)
    s = pad(state, state.shape[-1] + 1)
    w = s + pad(b * x, s.shape[-1])
    return w[..., :1], w[..., 1:] - pad(a * w[..., :1], state.shape[-1])


def _dot(c: Tensor, s: Tensor) -> Tensor:
    return (c * s).sum(-1, keepdim=True)


def pad(t: Tensor, length: int) -> Tensor:
    """Zeros after the last axis of t, up to ``length``."""
    return torch.nn.functional.pad(t, (0, length - t.shape[-1]))
