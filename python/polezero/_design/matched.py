"""Sections whose gain is matched to an analog one's instead of being warped, and gains of sections.

With phi = sin^2(omega / 2), the squared gain of a real polynomial of second order is

    |b_0 + b_1 z^-1 + b_2 z^-2|^2 = B_0 (1 - phi) + B_1 phi + 4 B_2 phi (1 - phi),
    B_0 = (b_0 + b_1 + b_2)^2,  B_1 = (b_0 - b_1 + b_2)^2,  B_2 = -4 b_0 b_2,

which is linear in B: three frequencies where it is known give B, and B the polynomial of minimal phase. After
M. Vicanek, "Matched second order digital filters", 2016.
"""

from __future__ import annotations

import math

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
    at_zero = rest.pow(2 * order)
    quotients = []
    for part in MATCHED_AT:
        omega = 2 * math.pi * part
        phi = math.sin(omega / 2) ** 2
        power = ((rest.square() + 4 * phi * pole) / (1 + (omega / x).square())).pow(order)
        quotients.append((power - at_zero * (1 - phi)) / phi)  # B_1 + 4 B_2 (1 - phi)
    low, high = (1 - math.sin(math.pi * part) ** 2 for part in MATCHED_AT)
    B2 = (quotients[0] - quotients[1]) / (4 * (low - high))
    root_of_B0, root_of_B1 = rest.pow(order), (quotients[0] - 4 * low * B2).sqrt()
    mean = (root_of_B0 + root_of_B1) / 2
    b0 = (mean + (mean.square() + B2).sqrt()) / 2
    b = b0, (root_of_B0 - root_of_B1) / 2, -B2 / (4 * b0)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    a = (one, -pole, zero) if order == 1 else (one, -2 * pole, pole.square())
    return torch.stack([*b, *a], -1)


def inverse(section: Tensor) -> Tensor:
    """The section that undoes another one of minimal phase."""
    return section.roll(3, -1) / section[..., :1]


def normalised(sos: Tensor, omega: float) -> Tensor:
    """The cascade with a gain of 1 at a frequency, by its first section."""
    phi = math.sin(omega / 2) ** 2
    c0, c1, c2 = sos.unflatten(-1, (2, 3)).unbind(-1)
    outer = c0 + c2
    power = (1 - phi) * (outer + c1).square() + phi * (outer - c1).square() - 16 * phi * (1 - phi) * c0 * c2
    gain = (power[..., 1] / power[..., 0]).prod(-1).sqrt()[..., None, None]
    return torch.cat([torch.cat([sos[..., :1, :3] * gain, sos[..., :1, 3:]], -1), sos[..., 1:, :]], -2)
