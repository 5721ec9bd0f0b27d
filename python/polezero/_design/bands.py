"""From a prototype to a low-pass, high-pass, band-pass or band-stop filter in s, and from s to z.

Roots come in pairs, as the factors s^2 - 2 x s + P of polynomials, so that everything is real. What becomes of a real
pole under a band transform may be two real roots or a conjugate pair: x and P do not ask.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from polezero._design.prototypes import Prototype, constant

BTYPES = {
    **dict.fromkeys(("lowpass", "low", "lp", "l"), "lowpass"),
    **dict.fromkeys(("highpass", "high", "hp", "h"), "highpass"),
    **dict.fromkeys(("bandpass", "band", "pass", "bp"), "bandpass"),
    **dict.fromkeys(("bandstop", "bands", "stop", "bs"), "bandstop"),
}


class Factors(NamedTuple):
    """A filter in s. Tensors are ``[..., n]``; the pole pairs come first, then the zero pairs."""

    x: Tensor
    P: Tensor
    pairs: int  # of poles
    real: Tensor | None  # a real pole without a partner
    gain: Tensor | float
    at_zero: int  # zeros there
    at_infinity: int
    banded: bool = False  # band-pass or band-stop: the order of its poles depends on values
    splits: bool = False  # the last of the pole pairs may be two real ones
    repeated: bool = False  # all zero pairs are the same


class Polynomials(NamedTuple):
    """The factors as polynomials ``[..., n, 3]``, highest power of s or z first, and 1 that of each."""

    rows: Tensor
    real: Tensor | None  # the real pole
    gain: Tensor  # [..., 1]
    scale: Tensor | None  # |1 - s|^2 of the roots in s: in z they are 2 / |1 - s|^2 times as far apart


def transform(prototype: Prototype, btype: str, low: Tensor, high: Tensor | None) -> Factors:
    """``low`` and ``high`` are edges ``[..., 1]``, of which a low-pass or high-pass filter has one."""
    degree = prototype.order - prototype.zeros
    inverted = btype in ("highpass", "bandstop")
    if inverted:
        prototype = prototype.inverted()
    x, y, pairs, real, gain, _ = prototype
    if high is None:
        x, y = x * low, y * low
        zeros = (degree, 0) if inverted else (0, degree)
        real = None if real is None else real * low
        if not inverted and degree:
            gain = gain * low**degree
        return Factors(x, x * x + y * y, pairs, real, gain, *zeros)
    width, centre2 = high - low, low * high
    half = width / 2
    x, P = _split(x * half, y * half, centre2)
    several = [x[..., :pairs].flatten(-2)], [P[..., :pairs].flatten(-2)]
    lead = x.shape[:-2]
    if real is not None:
        several[0].append((real * half).expand(*lead, 1))
        several[1].append(centre2.expand(*lead, 1))
    if prototype.zeros:
        several[0].append(x[..., pairs:].flatten(-2))
        several[1].append(P[..., pairs:].flatten(-2))
    if inverted and degree:
        several[0].append(torch.zeros_like(centre2).expand(*lead, degree))
        several[1].append(centre2.expand(*lead, degree))
    x, P = (torch.cat(parts, -1) if len(parts) > 1 else parts[0] for parts in several)
    if not inverted and degree:
        gain = gain * width**degree
    at = 0 if inverted else degree
    odd = real is not None
    return Factors(x, P, 2 * pairs + odd, None, gain, at, at, True, odd, inverted and not prototype.zeros)


def _split(x: Tensor, y: Tensor, centre2: Tensor) -> tuple[Tensor, Tensor]:
    """The roots of s + w^2 / s = 2 (x + jy) above the axis, and the conjugates of those below, ``[..., 2, n]``.

    In elliptic coordinates with foci at -w and w, x = u cos t and y = v sin t, where 2u is the sum of the distances to
    the foci and v^2 = u^2 - w^2, the two have the moduli u + v and u - v, and the angle t. Nothing cancels.
    """
    w = centre2.sqrt()
    u = torch.lerp(torch.hypot(x - w, y), torch.hypot(x + w, y), 0.5)
    cosine = x / u
    outer = torch.addcmul(u, y, torch.rsqrt(1 - cosine * cosine))
    moduli = torch.stack([outer, centre2 / outer], -2)
    return moduli * cosine.unsqueeze(-2), moduli * moduli


def analog(f: Factors) -> Polynomials:
    gain = f.gain if isinstance(f.gain, Tensor) else constant([f.gain], f.x)
    return Polynomials(torch.stack([torch.ones_like(f.x), -2 * f.x, f.P], -1), f.real, gain, None)


def digital(f: Factors) -> Polynomials:
    """By z = (1 + s) / (1 - s), which makes (1 - 2x + P, 2P - 2, 1 + 2x + P) / (1 - 2x + P) of a factor."""
    ones, of_x, of_P = constant([[1.0, -2.0, 1.0], [-2.0, 0.0, 2.0], [1.0, 2.0, 1.0]], f.x).unbind()
    rows = torch.addcmul(torch.addcmul(ones, f.x.unsqueeze(-1), of_x), f.P.unsqueeze(-1), of_P)
    scale = rows[..., 0]
    logs = scale.log()  # whose sum has a simpler derivative than a product
    if logs.shape[-1] > f.pairs:
        logs = torch.cat([-logs[..., : f.pairs], logs[..., f.pairs :]], -1)
        gain = f.gain * logs.sum(-1, keepdim=True).exp()
    else:
        gain = f.gain * (-logs.sum(-1, keepdim=True)).exp()
    real = None
    if f.real is not None:
        gain, real = gain / (1 - f.real), (1 + f.real) / (1 - f.real)
    return Polynomials(rows / rows[..., :1], real, gain, scale)
