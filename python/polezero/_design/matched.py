"""Sections whose gain is matched to an analog one's instead of being warped, and gains of sections.

With phi = sin^2(omega / 2), the squared gain of a real polynomial of second order is

    |b_0 + b_1 z^-1 + b_2 z^-2|^2 = B_0 (1 - phi) + B_1 phi + 4 B_2 phi (1 - phi),
    B_0 = (b_0 + b_1 + b_2)^2,  B_1 = (b_0 - b_1 + b_2)^2,  B_2 = -4 b_0 b_2,

which is linear in B: three frequencies where it is known give B, and B the polynomial of minimal phase. After
M. Vicanek, "Matched second order digital filters", 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# The frequencies, as parts of fs, where a low pass is matched beside 0. Over all cut-offs these have the smallest
# deviation up to 0.4 fs among pairs of multiples of 0.05: 0.079 dB for order 1 and 0.071 dB for order 2. With the
# upper one at Nyquist's frequency it is at least 0.47 dB.
MATCHED_AT = (0.3, 0.4)


def matched_lowpass(x: Tensor, order: int) -> Tensor:
    """One section for 1 / (1 + s)^order, order 1 or 2, whose cut-off of s = j is at x radians a sample."""
    pole = torch.exp(-x)
    rest = -torch.expm1(-x)  # 1 - pole, where that would round
    powers = []
    for part in MATCHED_AT:
        omega = 2 * math.pi * part
        denominator = rest.square() + 4 * _phi(omega) * pole
        powers.append((denominator / (1 + (omega / x).square())).pow(order))
    b = minimal_phase(rest.pow(order), powers, [2 * math.pi * part for part in MATCHED_AT])
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    a = (one, -pole, zero) if order == 1 else (one, -2 * pole, pole.square())
    return torch.stack([*b, *a], -1)


def _phi(omega: float) -> float:
    return math.sin(omega / 2) ** 2


def minimal_phase(at_zero: Tensor, powers: Sequence[Tensor], omegas: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """The polynomial of a sum, and of two squared gains at other frequencies."""
    phis = [_phi(omega) for omega in omegas]
    quotients = [(power - at_zero.square() * (1 - phi)) / phi for power, phi in zip(powers, phis)]
    B2 = (quotients[0] - quotients[1]) / (4 * (phis[1] - phis[0]))  # each is B_1 + 4 B_2 (1 - phi)
    root_of_B1 = (quotients[0] - 4 * (1 - phis[0]) * B2).sqrt()
    mean = (at_zero + root_of_B1) / 2
    b0 = (mean + (mean.square() + B2).sqrt()) / 2
    return b0, (at_zero - root_of_B1) / 2, -B2 / (4 * b0)


def squared_gains(polynomials: Tensor, omega: float) -> Tensor:
    """Of polynomials ``[..., 3]`` at a frequency."""
    phi = _phi(omega)
    c0, c1, c2 = polynomials.unbind(-1)
    outer = c0 + c2
    return (1 - phi) * (outer + c1).square() + phi * (outer - c1).square() - 16 * phi * (1 - phi) * c0 * c2


def inverse(section: Tensor) -> Tensor:
    """The section that undoes another one of minimal phase."""
    return section.roll(3, -1) / section[..., :1]


def normalised(sos: Tensor, omega: float) -> Tensor:
    """The cascade with a gain of 1 at a frequency, by its first section."""
    power = squared_gains(sos.unflatten(-1, (2, 3)), omega)
    gain = (power[..., 1] / power[..., 0]).prod(-1).sqrt()[..., None, None]
    return torch.cat([torch.cat([sos[..., :1, :3] * gain, sos[..., :1, 3:]], -1), sos[..., 1:, :]], -2)
