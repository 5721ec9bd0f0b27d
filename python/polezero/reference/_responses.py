"""Responses at given frequencies, by their definitions."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["freqs", "freqs_zpk", "freqz", "freqz_sos", "freqz_zpk", "group_delay"]


def freqz(b: Tensor, a: Tensor, w: Tensor) -> Tensor:
    """B(z) / A(z) at z = exp(j w), polynomials in 1/z, w in radians a sample."""
    return _polynomial(b, w) / _polynomial(a, w)


def freqz_sos(sos: Tensor, w: Tensor) -> Tensor:
    """The product of the responses of sections ``[..., K, 6]``."""
    H = torch.ones_like(w)
    for k in range(sos.shape[-2]):
        H = H * freqz(sos[..., k, :3], sos[..., k, 3:], w)
    return H


def freqz_zpk(z: Tensor, p: Tensor, k: Tensor, w: Tensor) -> Tensor:
    """k times the product of exp(j w) - z, by that of exp(j w) - p."""
    return _from_roots(z, p, k, torch.exp(1j * w))


def freqs(b: Tensor, a: Tensor, w: Tensor) -> Tensor:
    """B(s) / A(s) at s = j w, polynomials with the highest power first."""
    return _polynomial(b.flip(-1), w, torch.log(1j * w)) / _polynomial(a.flip(-1), w, torch.log(1j * w))


def freqs_zpk(z: Tensor, p: Tensor, k: Tensor, w: Tensor) -> Tensor:
    """k times the product of j w - z, by that of j w - p."""
    return _from_roots(z, p, k, 1j * w)


def group_delay(b: Tensor, a: Tensor, w: Tensor) -> Tensor:
    """-d arg H / dw, with sum_k k b_k z^-k = j B'(w)."""
    return _delay(b, w) - _delay(a, w)


def _polynomial(c: Tensor, w: Tensor, exponent: Tensor | None = None) -> Tensor:
    """sum_k c_k exp(k exponent), by default of the exponent -j w."""
    exponent = -1j * w if exponent is None else exponent
    total = torch.zeros_like(exponent)
    for k in range(c.shape[-1]):
        total = total + c[..., k, None] * torch.exp(k * exponent)
    return total


def _from_roots(z: Tensor, p: Tensor, k: Tensor, at: Tensor) -> Tensor:
    return k[..., None] * (at[..., None, :] - z[..., None]).prod(-2) / (at[..., None, :] - p[..., None]).prod(-2)


def _delay(c: Tensor, w: Tensor) -> Tensor:
    return (_polynomial(torch.arange(c.shape[-1], dtype=w.dtype) * c, w) / _polynomial(c, w)).real
