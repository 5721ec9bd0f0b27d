"""Second-order sections, one after another or side by side."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from polezero.reference._forms import lpv_lfilter
from polezero.reference._frames import of_samples
from polezero.reference._lattice import lpv_lattice
from polezero.reference._lfilter import lfilter
from polezero.reference._promotion import promote, returned

__all__ = ["lpv_parallel", "lpv_sosfilt", "parallel", "sosfilt"]


def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., K, 6]`` one after another, each :func:`lfilter`; zi ``[K, ...]``, 2 values along ``axis``."""
    (sos, x, zi), *dtypes = promote(x, sos, x, zi=zi)
    return returned(_in_turn(sos, x, zi, lambda b, a, u, state: lfilter(b, a, u, axis, state)), *dtypes)


def lpv_sosfilt(sos: Any, x: Any, zi: Any = None, **frames: Any) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., T or 1, K, 6]`` one after another, each :func:`lpv_lfilter` in the form tdf2."""
    (sos, x, zi), *dtypes = promote(x, sos, x, zi=zi)
    sos = of_samples(sos, -3, x, **frames)
    return returned(_in_turn(sos, x, zi, lpv_lfilter), *dtypes)


def parallel(sos: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """:func:`lpv_parallel` with sections ``[..., K, 6]`` that stay as they are."""
    (sos, _), *_ = promote(x, sos)
    return lpv_parallel(sos[..., None, :, :], x, zi)


def lpv_parallel(sos: Any, x: Any, zi: Any = None, **frames: Any) -> Tensor | tuple[Tensor, Tensor]:
    """Sections ``[..., T or 1, K, 6]`` side by side, each a lattice of two stages with a ladder; zi ``[K, ..., 2]``."""
    (sos, x, zi), *dtypes = promote(x, sos, x, zi=zi)
    sos = of_samples(sos, -3, x, **frames)
    y, states = x.new_zeros(()), []
    for i in range(sos.shape[-2]):
        b, a = (sos[..., i, part] / sos[..., i, 3:4] for part in (slice(0, 3), slice(3, 6)))
        k1 = (a[..., 1] - a[..., 2] * a[..., 1].conj()) / (1 - (a[..., 2] * a[..., 2].conj()).real)
        v1 = b[..., 1] - b[..., 2] * a[..., 1].conj()
        v0 = b[..., 0] - v1 * k1.conj() - b[..., 2] * a[..., 2].conj()
        k, taps = torch.stack([k1, a[..., 2]], -1), torch.stack([v0, v1, b[..., 2]], -1)
        out = lpv_lattice(k, x, None if zi is None else zi[i], taps)
        if zi is None:
            y = y + out
        else:
            y = y + out[0]
            states.append(out[1])
    return returned(y if zi is None else (y, torch.stack(states)), *dtypes)


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
