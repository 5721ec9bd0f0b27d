from typing import Any

import torch
from torch import Tensor

from polezero.reference._promotion import promote

__all__ = ["modal_bank"]


def modal_bank(poles: Any, gains: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of a real ``x`` with modes of poles p and gains g, ``[..., modes]``::

        s_k[n] = p_k s_k[n-1] + x[n],    y[n] = Re sum_k g_k s_k[n],    s[-1] = zi

    Returns ``y``, or ``(y, zf)`` with s[T-1] when zi is given.
    """
    (p, g, samples, s), dtype, of_state = promote(x, poles, gains, x, zi=zi)
    p, g = p + 0j, g + 0j
    lead = torch.broadcast_shapes(p.shape[:-1], g.shape[:-1], samples.shape[:-1])
    s = (torch.zeros_like(p) if s is None else s + 0j).expand(*lead, p.shape[-1])
    y = []
    for x_n in samples.unbind(-1):
        s = p * s + x_n.unsqueeze(-1)
        y.append((g * s).sum(-1).real)
    filtered = torch.stack(y, -1) if y else (g * s).real[..., :1].sum(-1, keepdim=True)[..., :0]
    filtered = filtered.to(dtype.to_real() if dtype.is_complex else dtype)
    return filtered if zi is None else (filtered, s.to(of_state.to_complex()))
