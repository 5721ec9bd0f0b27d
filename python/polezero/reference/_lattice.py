from typing import Any

import torch
from torch import Tensor

from polezero.reference._frames import of_samples
from polezero.reference._promotion import promote

__all__ = ["lattice", "lpv_lattice"]


def lattice(k: Any, x: Any, zi: Any = None, taps: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """:func:`lpv_lattice` with k ``[..., N]`` and taps ``[..., N+1]`` that stay as they are."""
    (k, taps, _), *_ = promote(x, k, taps)
    return lpv_lattice(k[..., None, :], x, zi, None if taps is None else taps[..., None, :])


def lpv_lattice(k: Any, x: Any, zi: Any = None, taps: Any = None, **frames: Any) -> Tensor | tuple[Tensor, Tensor]:
    """The normalised lattice as it is drawn, k ``[..., T or 1, N]``, taps ``[..., T or 1, N+1]``, from the top::

        f_N = x / (c_1 .. c_N),  f_{i-1} = c_i f_i - k_i g_{i-1}[n-1],  g_i = conj(k_i) f_i + c_i g_{i-1}[n-1]

    with c_i = sqrt(1 - |k_i|^2); y = f_0, or sum_i taps_i c_1 .. c_i g_i. zi and zf ``[..., N]`` are g_0..g_{N-1}.
    """
    (k, x, taps, zi), dtype, of_state = promote(x, k, x, taps, zi=zi)
    k, taps = (of_samples(c, -2, x, **frames) for c in (k, taps))
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
    return filtered if zi is None else (filtered, torch.stack([s.expand(lead) for s in g], -1).to(of_state))
