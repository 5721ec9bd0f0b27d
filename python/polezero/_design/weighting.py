"""Weightings of sound levels."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from polezero._design.matched import matched_lowpass, minimal_phase, normalised, squared_gains
from polezero._design.parameters import chosen, number
from polezero._overrides import overridable

__all__ = ["weighting"]

Curve: TypeAlias = Literal["A", "B", "C", "K"]

# The corners of the curves A, B and C in hertz. IEC 61672-1 has f_1 and f_4 where C is 3 dB below its gain at 1 kHz at
# 10^1.5 and 10^3.9 Hz; f_2 and f_3 are (3 -+ sqrt(5)) / 2 times 10^2.45.
LOWEST, HIGHEST = 20.598997057568145, 12194.217147998012
SECOND, THIRD = 107.65264864304628, 737.8622307362899
OF_B = 10**2.2
HIGH_PASSES = {
    "A": ((LOWEST, LOWEST), (SECOND, THIRD)),
    "B": ((LOWEST, LOWEST), (OF_B,)),
    "C": ((LOWEST, LOWEST),),
}

# Tables 1 and 2 of ITU-R BS.1770: the head's shelf and the revised low-frequency high pass, at 48 kHz.
RATE = 48000
BS1770 = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


@overridable
def weighting(
    curve: Curve,
    fs: float,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design the frequency weighting of a sound level meter, A, B or C, or that of loudness, K.

    .. math::

        H_A = \frac{g s^4}{(s + \omega_1)^2 (s + \omega_2)(s + \omega_3)(s + \omega_4)^2} \quad
        H_B = \frac{g s^3}{(s + \omega_1)^2 (s + \omega_5)(s + \omega_4)^2} \quad
        H_C = \frac{g s^2}{(s + \omega_1)^2 (s + \omega_4)^2}

    with corners of 20.6, 107.7, 737.9, 12194 and 158.5 Hz, and a gain of 1 at 1 kHz. The poles are those of the
    matched z-transform; the gain of the upper two is matched at 0, 0.3 and 0.4 ``fs``. Largest deviations from these
    curves, in dB, from 10 Hz to 0.4 ``fs`` or to 20 kHz if that is less, and of A by the bilinear transform:

    ==========  =====  =====  =====  ============
    fs          A      B      C      A, bilinear
    ==========  =====  =====  =====  ============
    32 000      0.07   0.07   0.07   11.2
    44 100      0.07   0.07   0.07   12.8
    48 000      0.07   0.07   0.07   13.2
    96 000      0.07   0.07   0.07   2.1
    192 000     0.03   0.03   0.03   0.5
    ==========  =====  =====  =====  ============

    K has the coefficients of the recommendation at 48 kHz. At other rates it has their poles, by the matched
    z-transform, and their gain at 0, about its corner and at the upper end: up to 0.45 ``fs``, or 20 kHz, it deviates
    from the one at 48 kHz by at most 0.002 dB from 16 kHz on, and 0.05 dB at 8 kHz, where programs that warp the
    filter, as the bilinear transform does, are off by 0.07 dB at 16 kHz, and 0.01 at 32 kHz.

    Args:
        curve: ``"A"``, ``"B"`` (withdrawn), ``"C"`` or ``"K"``.
        fs: Sampling frequency in hertz, more than 4000.
        dtype: Of the result; float64 if None.
        device: Of the result; the CPU if None.

    Returns:
        Sections, shape ``[K, 6]``: 3 for A and B, 2 for C and K.

    Errors are those of :func:`biquad`. Source: IEC 61672-1:2013, annex E (A, C); ANSI S1.4-1983 (B); ITU-R BS.1770-5
    (K); M. Vicanek, "Matched second order digital filters", 2016 (matching).

    Example:
        >>> import torch, polezero
        >>> x = torch.randn(2, 48000)
        >>> level = polezero.sosfilt(polezero.weighting("A", 48000), x).square().mean(-1).log10() * 10
    """
    chosen("weighting", "curve", curve, ("A", "B", "C", "K"))
    fs = number("weighting", "fs", fs)
    if fs <= 4000:
        raise ValueError(f"weighting: fs: expected more than 4000 Hz, got {fs:g}")
    sos = _loudness(fs) if curve == "K" else _level(HIGH_PASSES[curve], fs)
    return sos.to(device, dtype)


def _level(corners: tuple[tuple[float, ...], ...], fs: float) -> Tensor:
    sections = []
    for pair in corners:
        poles = [math.exp(-2 * math.pi * f / fs) for f in pair]
        both = [1.0, -2.0, 1.0, 1.0, -sum(poles), math.prod(poles)]
        one = [1.0, -1.0, 0.0, 1.0, -sum(poles), 0.0]
        sections.append(torch.tensor(both if len(pair) == 2 else one, dtype=torch.float64))
    highest = torch.full((), 2 * math.pi * HIGHEST / fs, dtype=torch.float64)
    return normalised(torch.stack([*sections, matched_lowpass(highest, 2)]), 2 * math.pi * 1000 / fs)


def _loudness(fs: float) -> Tensor:
    """The sections at 48 kHz with their poles, and their gains at a few frequencies, at another rate."""
    known = torch.tensor(BS1770, dtype=torch.float64)  # [sections, numerator or denominator, 3]
    if fs == RATE:
        return known.flatten(-2)
    radius, half = known[:, 1, 2].sqrt(), -known[:, 1, 1] / 2
    angle, powers = torch.atan2((known[:, 1, 2] - half.square()).sqrt(), half), RATE / fs
    radius, angle = radius**powers, angle * powers
    denominators = torch.stack([torch.ones_like(radius), -2 * radius * angle.cos(), radius.square()], -1)
    # The shelf's gain is matched at 0, about its corner and at the upper end; that of the high pass behind its corner.
    hertz = min(2000.0, 0.25 * fs), min(20000.0, 0.45 * fs)

    def wanted(section: int, f: float) -> Tensor:
        power = squared_gains(known[section], 2 * math.pi * f / RATE)
        return power[0] / power[1] * squared_gains(denominators[section], 2 * math.pi * f / fs)

    shelf = minimal_phase(wanted(0, 0.0).sqrt(), [wanted(0, f) for f in hertz], [2 * math.pi * f / fs for f in hertz])
    gain = (wanted(1, 1000.0) / squared_gains(known[1, 0], 2 * math.pi * 1000 / fs)).sqrt()
    return torch.cat([torch.stack([torch.stack(shelf), gain * known[1, 0]]), denominators], -1)
