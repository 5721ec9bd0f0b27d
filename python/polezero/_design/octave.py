"""Octave-band and fractional-octave-band filters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._arguments import check_int
from polezero._design.bilinear import second_order
from polezero._design.parameters import number, place_of, prewarped
from polezero._overrides import overridable

__all__ = ["octave_bands"]

OCTAVE = 10**0.3  # the base-ten octave
REFERENCE = 1000.0  # hertz


@overridable
def octave_bands(
    fraction: int = 1,
    *,
    fs: float,
    fmin: float = 20.0,
    fmax: float | None = None,
    order: int = 4,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Design the band passes that split a signal into octaves or fractions of one, :math:`1 / b` octave each.

    .. math::

        f_m = G^{x / b} \cdot 1000 \;\text{Hz}\; (b \;\text{odd}) \;\text{or}\;
        G^{(2 x + 1) / (2 b)} \cdot 1000 \;\text{Hz}\; (b \;\text{even}), \qquad
        \text{edges}\; f_m G^{\pm 1 / (2 b)}, \qquad G = 10^{3 / 10}

    They are Butterworth filters by the bilinear transform, 3 dB down at both edges. Of the default order each is of
    class 1 where its upper edge is at most 0.49 ``fs``; of order 3, whose skirts the transform's warping bends beyond
    the limits, octaves up to mid-bands of 0.17 ``fs`` and thirds up to 0.23 ``fs`` are.

    Args:
        fraction: b, the bands in an octave: 1, 3, 6, 12, 24 or any number.
        fs: Sampling frequency in hertz.
        fmin: The lowest band is that whose mid-band frequency is the nearest, as a ratio.
        fmax: Likewise the highest one; if None, that of 20 kHz or the highest of class 1, if it is lower.
        order: Of the low-pass prototype; the band passes are of twice that.
        dtype: Of both results; float64 if None.
        device: Of both results; the CPU if None.

    Returns:
        The cascades, shape ``[bands, order, 6]``, and the exact mid-band frequencies in hertz, shape ``[bands]``. One
        :func:`sosfilt` of ``x.unsqueeze(-2)`` gives all bands.

    Errors are those of :func:`biquad`. Source: IEC 61260-1:2014.

    Example:
        >>> import torch, polezero
        >>> sos, frequencies = polezero.octave_bands(3, fs=48000)
        >>> levels = polezero.sosfilt(sos, torch.randn(1, 48000)).square().mean(-1).log10() * 10
        >>> levels.shape, frequencies[[0, 17, 30]].round()
        (torch.Size([31]), tensor([   20.,  1000., 19953.], dtype=torch.float64))
    """
    for name, value in (("fraction", fraction), ("order", order)):
        check_int("octave_bands", name, value)
        if value < 1:
            raise ValueError(f"octave_bands: {name}: expected a number >= 1, got {value}")
    fs, fmin = number("octave_bands", "fs", fs), number("octave_bands", "fmin", fmin)
    half = OCTAVE ** (0.5 / fraction)
    highest = None if fmax is None else number("octave_bands", "fmax", fmax)
    f = torch.tensor(middles(fraction, fs, fmin, highest), dtype=torch.float64, device=place_of("octave_bands", device))
    return _bandpass(order, prewarped(f / half, fs), prewarped(f * half, fs)).to(dtype), f.to(dtype)


def middles(fraction: int, fs: float, fmin: float, fmax: float | None = None) -> list[float]:
    """The mid-band frequencies."""
    half = OCTAVE ** (0.5 / fraction)
    shift = 0.5 * (fraction % 2 == 0)

    def steps(f: float) -> float:
        return fraction * math.log(f / REFERENCE, OCTAVE) - shift

    first = round(steps(fmin))
    last = min(round(steps(20e3)), math.floor(steps(0.49 * fs / half))) if fmax is None else round(steps(fmax))
    if last < first:
        raise ValueError(f"octave_bands: fmin: expected less than the highest band's frequency, got {fmin:g}")
    found = [REFERENCE * OCTAVE ** ((x + shift) / fraction) for x in range(first, last + 1)]
    if found[-1] * half >= fs / 2:
        edge = f"an upper edge below fs / 2 = {fs / 2:g}"
        raise ValueError(f"octave_bands: fmax: expected {edge}, got one of {found[-1] * half:.0f}")
    return found


def _bandpass(order: int, low: Tensor, high: Tensor) -> Tensor:
    """Butterworth band passes between edges at s = jK, ``[..., order, 6]``.

    B s / (s^2 - p B s + W^2) for each pole p of the prototype, where B and W^2 are the edges' difference and product; a
    pair of them makes two pairs. So each section has its part of the gain, which of the lowest bands is 1e-17 and less.
    """
    angles = [math.pi * (2 * k + 1 + order % 2) / (2 * order) for k in range(order // 2)]
    on_circle = [-complex(math.cos(angle), math.sin(angle)) for angle in angles]  # torch 2.11 traces no cmath.rect
    p = torch.tensor(on_circle, dtype=torch.complex128, device=low.device)
    B, square = (high - low)[..., None], (low * high)[..., None]
    mean = p * B / 2
    distance = (mean * mean - square).sqrt()
    poles = torch.cat([mean + distance, mean - distance], -1)
    slope, constant = -2 * poles.real, poles.real.square() + poles.imag.square()
    if order % 2:  # p = -1
        slope, constant = torch.cat([B, slope], -1), torch.cat([square, constant], -1)
    zero = torch.zeros_like(slope)
    return second_order((zero, B, zero), (torch.ones_like(slope), slope, constant))
