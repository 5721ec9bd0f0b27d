"""Sections of classical designs, by name, and of polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from polezero._arguments import readable
from polezero._conversions.transfer import tf2sos
from polezero._design.iir import bessel, butter, cheby1, cheby2, ellip, legendre
from polezero._signatures import Coefficients

DECIBELS: dict[str, dict[str, float]] = {  # where none are said
    "butter": {},
    "cheby1": {"rp": 1.0},
    "cheby2": {"rs": 20.0},
    "ellip": {"rp": 1.0, "rs": 40.0},
    "bessel": {},
    "legendre": {},
}
OPTIONS = {name: (*decibels, *(("norm",) if name == "bessel" else ())) for name, decibels in DECIBELS.items()}
_DESIGNS: dict[str, Callable[..., Any]] = {
    "butter": butter,
    "cheby1": cheby1,
    "cheby2": cheby2,
    "ellip": ellip,
    "bessel": bessel,
    "legendre": legendre,
}


def designed(name: str, order: int, Wn: Coefficients, btype: str, fs: float, **options: Any) -> Tensor:
    """Sections of one of the families; ``options`` are ``rp``, ``rs`` and ``norm`` where they are said."""
    decibels = [options.pop(key, DECIBELS[name][key]) for key in DECIBELS[name]]
    return cast(Tensor, _DESIGNS[name](order, *decibels, Wn, btype, output="sos", fs=fs, **options))


def is_silent(sos: Tensor) -> bool:
    """Whether a filter's gain is too small for float64, as that of a low cut-off and a high order is."""
    return readable(sos) and bool((sos[..., :3] == 0).all(-1).any())


def of_polynomials(b: Tensor, a: Tensor) -> Tensor:
    """Sections of polynomials in z^-1, of which ``b`` may begin with zeros."""
    delay = (*(b != 0).tolist(), True).index(True)
    order = max(len(b) - delay, len(a)) - 1  # as polynomials in z, both have the same
    b, a = (torch.nn.functional.pad(p, (0, order + 1 - len(p))) for p in (b[delay:], a))
    return _delayed(tf2sos(b, a), delay)


def _delayed(sos: Tensor, delay: int) -> Tensor:
    """With a delay in place of zeros at 0, or in sections of its own."""
    sos = sos.clone()
    for _ in range(delay):
        free = (sos[:, 2] == 0).nonzero()
        if not len(free):
            sos = torch.cat([sos, sos.new_tensor([[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]])])
            free = sos.new_tensor([[len(sos) - 1]], dtype=torch.int64)
        k = int(free[0])
        sos[k, :3] = sos[k, :3].roll(1)
    return sos
