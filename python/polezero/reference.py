"""Plain-PyTorch recursive filters, one sample at a time: the truth that the tests compare with.

Nothing here calls the C++ library. Every step is an ordinary differentiable, out-of-place torch operation, so
autograd, torch.func and vmap give the true derivatives of any order. The loops cost tens of microseconds a sample;
use :func:`polezero.lfilter` and :func:`polezero.allpole` for anything but checking.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from polezero._reference_delays import allpass_comb, comb_filter, feedforward_comb, sparse_allpole
from polezero._reference_promotion import promote
from polezero._reference_splines import (
    cspline1d,
    cspline1d_eval,
    cubic_spline,
    qspline1d,
    qspline1d_eval,
    symiirorder1,
    symiirorder2,
)

__all__ = [
    "allpass_comb",
    "allpole",
    "comb_filter",
    "cspline1d",
    "cspline1d_eval",
    "cubic_spline",
    "feedforward_comb",
    "lfilter",
    "linear_recurrence",
    "lpv_allpole",
    "lpv_fir",
    "lpv_lattice",
    "lpv_lfilter",
    "lpv_parallel",
    "lpv_sosfilt",
    "lpv_state_space",
    "modal_bank",
    "qspline1d",
    "qspline1d_eval",
    "sosfilt",
    "sparse_allpole",
    "state_space",
    "symiirorder1",
    "symiirorder2",
]


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
    (b, a, x, zi), dtype = promote(x, b, a, x, zi)
    axis = axis if axis < 0 else axis - x.dim()  # from the end: broadcasting adds dimensions in front
    x = x.movedim(axis, -1)
    lead = torch.broadcast_shapes(b.shape[:-1], a.shape[:-1], x.shape[:-1])
    x = x.expand(*lead, x.shape[-1])
    taps = max(b.shape[-1], a.shape[-1])
    b, a = b / a[..., :1], a[..., 1:] / a[..., :1]
    if zi is None:
        s = x.new_zeros(*lead, taps)
    else:
        s = _pad(zi.movedim(axis, -1).expand(*lead, taps - 1), taps)  # the last state, s_{P+1}, is always zero
    y = [x[..., :0]]
    for n in range(x.shape[-1]):
        w = s + _pad(b * x[..., n : n + 1], taps)  # products are padded, not coefficients: 0 * NaN is NaN
        y.append(w[..., :1])
        s = _pad(w[..., 1:] - _pad(a * y[-1], taps - 1), taps)
    filtered = torch.cat(y, -1).movedim(-1, axis).to(dtype)
    return filtered if zi is None else (filtered, s[..., :-1].movedim(-1, axis).to(dtype))


def allpole(a: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of ``x`` with H(z) = 1 / (1 + sum_{i=1..N} a_i z^-i)::

        y[n] = x[n] - sum_{i=1..N} a_i y[n-i],    y[-k] = zi[k-1]

    Shapes: a ``[..., N]`` holds a_1..a_N, x ``[..., T]``, zi ``[..., N]`` the past outputs, newest first. The leading
    dimensions of a and x broadcast to those of y, and zi expands to them. Returns ``y``, or ``(y, zf)`` with the last
    N outputs zf, newest first, when zi is given.
    """
    (a, x, zi), dtype = promote(x, a, x, zi)
    lead = torch.broadcast_shapes(a.shape[:-1], x.shape[:-1])
    order = a.shape[-1]
    x = x.expand(*lead, x.shape[-1])
    past = x.new_zeros(*lead, order) if zi is None else zi.expand(*lead, order)
    y = [x[..., :0]]
    for n in range(x.shape[-1]):
        y.append(x[..., n : n + 1] - (a * past).sum(-1, keepdim=True))
        past = torch.cat([y[-1], past], -1)[..., :order]
    filtered = torch.cat(y, -1).to(dtype)
    return filtered if zi is None else (filtered, past.to(dtype))


def linear_recurrence(a: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """h[n] = a[n] h[n-1] + x[n] on the last axis; a ``[..., T]``, ``[..., 1]`` or a scalar, h[-1] zi ``[..., 1]``."""
    (a, x, zi), dtype = promote(x, a, x, zi)
    return lpv_allpole(-a[..., None], x.to(dtype), zi)


def lpv_allpole(a: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """y[n] = x[n] - sum_i a_i[n] y[n-i], a ``[..., T or 1, N]``; zi and zf as in :func:`allpole`."""
    (a, x, zi), _ = promote(x, a, x, zi)
    return lpv_lfilter(torch.ones_like(a[..., :1, :1]), _with_a0(a), x, zi, "df1")


def lpv_fir(b: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """y[n] = sum_k b_k[n] x[n-k], b ``[..., T or 1, M+1]``; zi and zf are the last M inputs, newest first."""
    (b, x, zi), _ = promote(x, b, x, zi)
    return lpv_lfilter(b, torch.ones_like(b[..., :1, :1]), x, zi, "df1")


def lpv_lfilter(b: Any, a: Any, x: Any, zi: Any = None, form: str = "tdf2") -> Tensor | tuple[Tensor, Tensor]:
    """The direct forms as they are drawn, b ``[..., T or 1, M+1]`` and a ``[..., T or 1, N+1]`` used as they are at
    time n, a_0 divided out; the state zi is what their delays hold, P = max(M, N)::

        df1   y[n] = sum_k b_k x[n-k] - sum_i a_i y[n-i]                x[-1]..x[-M], y[-1]..y[-N]
        df2   w[n] = x[n] - sum_i a_i w[n-i],   y[n] = sum_k b_k w[n-k]                w[-1]..w[-P]
        tdf1  v = x + r_1,  r_i' = r_{i+1} - a_i v,  y = b_0 v + s_1,  s_k' = s_{k+1} + b_k v    r, s
        tdf2  y = b_0 x + s_1,  s_j' = s_{j+1} + b_j x - a_j y                                    s
    """
    (b, a, x, zi), dtype = promote(x, b, a, x, zi)
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
    return filtered if zi is None else (filtered, state.to(dtype))


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., K, 6]`` one after another, each :func:`lfilter`; zi ``[K, ...]``, 2 values along ``axis``."""
    (sos, x, zi), _ = promote(x, sos, x, zi)
    return _in_turn(sos, x, zi, lambda b, a, u, state: lfilter(b, a, u, axis, state))


def lpv_sosfilt(sos: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., T or 1, K, 6]`` one after another, each :func:`lpv_lfilter` in the form tdf2."""
    (sos, x, zi), _ = promote(x, sos, x, zi)
    return _in_turn(sos, x, zi, lpv_lfilter)


def state_space(A: Any, B: Any, C: Any, D: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """v[n+1] = A v[n] + B x[n], y[n] = C v[n] + D x[n], v[0] = zi; x ``[..., I, T]``, without C the states."""
    (A, B, C, D, x, zi), dtype = promote(x, A, B, C, D, x, zi)
    A, B, C, D = (None if m is None else m[..., None, :, :] for m in (A, B, C, D))
    return lpv_state_space(A, B, C, D, x.to(dtype), zi)


def lpv_state_space(A: Any, B: Any, C: Any, D: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """:func:`state_space` with matrices ``[..., T or 1, rows, columns]`` used as they are at time n."""
    (A, B, C, D, x, zi), dtype = promote(x, A, B, C, D, x, zi)
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
    return filtered if zi is None else (filtered, v.to(dtype))


def lpv_lattice(k: Any, x: Any, zi: Any = None, taps: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """The normalised lattice as it is drawn, k ``[..., T or 1, N]``, taps ``[..., T or 1, N+1]``, from the top::

        f_N = x / (c_1 .. c_N),  f_{i-1} = c_i f_i - k_i g_{i-1}[n-1],  g_i = conj(k_i) f_i + c_i g_{i-1}[n-1]

    with c_i = sqrt(1 - |k_i|^2); y = f_0, or sum_i taps_i c_1 .. c_i g_i. zi and zf ``[..., N]`` are g_0..g_{N-1}.
    """
    (k, x, zi, taps), dtype = promote(x, k, x, zi, taps)
    N, T = k.shape[-1], x.shape[-1]
    lead = torch.broadcast_shapes(k.shape[:-2], x.shape[:-1], () if taps is None else taps.shape[:-2])
    g = list((x.new_zeros(*lead, N) if zi is None else zi.expand(*lead, N)).unbind(-1))
    y = []
    for n in range(T):
        k_n = k[..., n % k.shape[-2], :]
        c_n = (1 - (k_n * k_n.conj()).real).sqrt()
        f = x[..., n] / c_n.prod(-1)
        after = []
        for i in reversed(range(N)):
            k_i, c_i = k_n[..., i], c_n[..., i]
            after.append(k_i.conj() * f + c_i * g[i])
            f = c_i * f - k_i * g[i]
        after = [f, *reversed(after)]
        out = f
        if taps is not None:
            gains = torch.cat([torch.ones_like(c_n[..., :1]), c_n.cumprod(-1)], -1)
            out = (taps[..., n % taps.shape[-2], :] * gains * torch.stack(torch.broadcast_tensors(*after), -1)).sum(-1)
        y.append(out.expand(lead))
        g = after[:N]
    filtered = (torch.stack(y, -1) if y else x.new_zeros(*lead, 0)).to(dtype)
    return filtered if zi is None else (filtered, torch.stack([s.expand(lead) for s in g], -1).to(dtype))


def lpv_parallel(sos: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., T or 1, K, 6]`` side by side, each a lattice of two stages with a ladder; zi ``[K, ..., 2]``."""
    (sos, x, zi), _ = promote(x, sos, x, zi)
    y, states = x.new_zeros(()), []
    for i in range(sos.shape[-2]):
        b, a = (sos[..., i, part] / sos[..., i, 3:4] for part in (slice(0, 3), slice(3, 6)))
        k1 = (a[..., 1] - a[..., 2] * a[..., 1].conj()) / (1 - (a[..., 2] * a[..., 2].conj()).real)
        v1 = b[..., 1] - b[..., 2] * a[..., 1].conj()
        v0 = b[..., 0] - v1 * k1.conj() - b[..., 2] * a[..., 2].conj()
        k, taps = torch.stack([k1, a[..., 2]], -1), torch.stack([v0, v1, b[..., 2]], -1)
        out = lpv_lattice(k, x, None if zi is None else zi[i], taps)
        y = y + (out if zi is None else out[0])
        states.append(out[1])
    return y if zi is None else (y, torch.stack(states))


def modal_bank(poles: Any, gains: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of a real ``x`` with modes of poles p and gains g, ``[..., modes]``::

        s_k[n] = p_k s_k[n-1] + x[n],    y[n] = Re sum_k g_k s_k[n],    s[-1] = zi

    Returns ``y``, or ``(y, zf)`` with s[T-1] when zi is given.
    """
    (p, g, samples, s), dtype = promote(x, poles, gains, x, zi)
    p, g = p + 0j, g + 0j
    lead = torch.broadcast_shapes(p.shape[:-1], g.shape[:-1], samples.shape[:-1])
    s = (torch.zeros_like(p) if s is None else s + 0j).expand(*lead, p.shape[-1])
    y = []
    for x_n in samples.unbind(-1):
        s = p * s + x_n.unsqueeze(-1)
        y.append((g * s).sum(-1).real)
    filtered = torch.stack(y, -1) if y else (g * s).real[..., :1].sum(-1, keepdim=True)[..., :0]
    filtered = filtered.to(dtype.to_real() if dtype.is_complex else dtype)
    return filtered if zi is None else (filtered, s)


def _in_turn(sos: Tensor, x: Tensor, zi: Tensor | None, section: Callable[..., Any]) -> Tensor | tuple[Tensor, Tensor]:
    states = []
    for k in range(sos.shape[-2]):
        b, a = sos[..., k, :3], sos[..., k, 3:]
        if zi is None:
            x = section(b, a, x, None)
        else:
            x, state = section(b, a, x, zi[k])
            states.append(state)
    return x if zi is None else (x, torch.stack(states))


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
        r, s = _pad(state[..., :N], N + 1), _pad(state[..., N:], M + 1)
        v = x + r[..., :1]
        w = s + b * v
        return w[..., :1], torch.cat([r[..., 1:] - a * v, w[..., 1:]], -1)
    s = _pad(state, state.shape[-1] + 1)
    w = s + _pad(b * x, s.shape[-1])
    return w[..., :1], w[..., 1:] - _pad(a * w[..., :1], state.shape[-1])


def _dot(c: Tensor, s: Tensor) -> Tensor:
    return (c * s).sum(-1, keepdim=True)


def _with_a0(a: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(a[..., :1]) if a.shape[-1] else a.new_ones(*a.shape[:-1], 1), a], -1)


def _pad(t: Tensor, length: int) -> Tensor:
    """Zeros after the last axis of t, up to ``length``."""
    return torch.nn.functional.pad(t, (0, length - t.shape[-1]))
