"""From a prototype to a low-pass, high-pass, band-pass or band-stop filter in s, and from s to z.

Roots come in pairs, as the factors s^2 - 2 x s + P of polynomials, so that everything is real. What becomes of a real
pole under a band transform may be two real roots or a conjugate pair: x and P do not ask.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from polezero._design.prototypes import Prototype

BTYPES = {
    "band": "bandpass",
    "bandpass": "bandpass",
    "pass": "bandpass",
    "bp": "bandpass",
    "bs": "bandstop",
    "bandstop": "bandstop",
    "bands": "bandstop",
    "stop": "bandstop",
    "l": "lowpass",
    "low": "lowpass",
    "lowpass": "lowpass",
    "lp": "lowpass",
    "high": "highpass",
    "highpass": "highpass",
    "h": "highpass",
    "hp": "highpass",
}


class Factors(NamedTuple):
    """A filter in s. Tensors are ``[..., n]``; the pole pairs come first, then the zero pairs."""

    x: Tensor
    P: Tensor
    pairs: int  # of poles
    real: Tensor | None  # a real pole without a partner
    gain: Tensor
    at_zero: int  # zeros there
    at_infinity: int
    banded: bool  # band-pass or band-stop: the order of its poles depends on values
    splits: bool  # the last of the pole pairs may be two real ones
    repeated: bool  # all zero pairs are the same


class Digital(NamedTuple):
    """The same filter in z, with factors 1 + first z^-1 + second z^-2."""

    first: Tensor
    second: Tensor
    real: Tensor | None
    gain: Tensor
    scale: Tensor  # |1 - p|^2 of the roots in s


def transform(prototype: Prototype, btype: str, low: Tensor, high: Tensor | None) -> Factors:
    """``low`` and ``high`` are edges ``[..., 1]``, of which a low-pass or high-pass filter has one."""
    degree = prototype.order - prototype.zeros
    inverted = btype in ("highpass", "bandstop")
    if inverted:
        prototype = prototype.inverted()
    x, y, pairs, real, gain, _ = prototype
    if high is None:
        x = x * low
        y = y * low
        P = x * x + y * y
        real = None if real is None else real * low
        if inverted:
            return Factors(x, P, pairs, real, gain, degree, 0, False, False, False)
        return Factors(x, P, pairs, real, gain * low**degree if degree else gain, 0, degree, False, False, False)
    centre2, width = low * high, high - low
    half = width / 2
    x, P = _split(x * half, y * half, centre2)
    odd = real is not None
    centres = centre2.expand(*x.shape[:-2], 1)
    poles_x, poles_P = [x[..., :pairs].flatten(-2)], [P[..., :pairs].flatten(-2)]
    if real is not None:
        real = real * half
        poles_x.append(real.expand(*x.shape[:-2], 1))
        poles_P.append(centres)
    zeros_P = [P[..., pairs:].flatten(-2)] if x.shape[-1] > pairs else []
    if inverted and degree:
        zeros_P.append(centres.expand(*x.shape[:-2], degree))
    zeros_x = [torch.zeros_like(z) for z in zeros_P]
    return Factors(
        torch.cat([*poles_x, *zeros_x], -1),
        torch.cat([*poles_P, *zeros_P], -1),
        2 * pairs + odd,
        None,
        gain if inverted or degree == 0 else gain * width**degree,
        0 if inverted else degree,
        0 if inverted else degree,
        True,
        odd,
        not prototype.zeros and inverted,
    )


def _split(x: Tensor, y: Tensor, centre2: Tensor) -> tuple[Tensor, Tensor]:
    """The roots of s + w^2 / s = 2 (x + jy) above the axis, and the conjugates of those below, ``[..., 2, n]``.

    In elliptic coordinates with foci at -w and w, x = u cos t and y = v sin t, where 2u is the sum of the distances to
    the foci and v^2 = u^2 - w^2, the two have the moduli u + v and u - v, and the angle t. Nothing cancels.
    """
    w = centre2.sqrt()
    u = (torch.hypot(x - w, y) + torch.hypot(x + w, y)) / 2
    cosine = x / u
    outer = u + y * torch.rsqrt(1 - cosine * cosine)
    moduli = torch.stack([outer, centre2 / outer], -2)
    return moduli * cosine.unsqueeze(-2), moduli * moduli


def digital(f: Factors) -> Digital:
    """By z = (1 + s) / (1 - s)."""
    scale = 1 - 2 * f.x + f.P
    first, second = 2 * (f.P - 1) / scale, (1 + 2 * f.x + f.P) / scale
    poles, zeros = scale[..., : f.pairs], scale[..., f.pairs :]
    gain = f.gain / poles.prod(-1, keepdim=True)
    if zeros.shape[-1]:
        gain = gain * zeros.prod(-1, keepdim=True)
    real = None
    if f.real is not None:
        gain, real = gain / (1 - f.real), (1 + f.real) / (1 - f.real)
    return Digital(first, second, real, gain, scale)
