"""Graphic equalisers: bands of fixed frequencies, whose response goes through the gains that are set."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._design.octave import middles
from polezero._design.parameters import prewarped
from polezero.nn._biquad import Cookbook, Numbers
from polezero.nn._checks import choice, whole
from polezero.nn._module import Options
from polezero.nn.parametrizations import Range

__all__ = ["GraphicEQ"]

Spacing: TypeAlias = Literal["octave", "third octave", "bark"]
OCTAVES: dict[str, tuple[int, float]] = {"octave": (1, 31.0), "third octave": (3, 20.0)}  # and the lowest mid-band
# Zwicker's critical bands: the upper edge, after 20 Hz, which is 0 in his table, and the centre of each.
BARK = (
    (100, 50), (200, 150), (300, 250), (400, 350), (510, 450), (630, 570), (770, 700), (920, 840), (1080, 1000),
    (1270, 1170), (1480, 1370), (1720, 1600), (2000, 1850), (2320, 2150), (2700, 2500), (3150, 2900), (3700, 3400),
    (4400, 4000), (5300, 4800), (6400, 5800), (7700, 7000), (9500, 8500), (12000, 10500), (15500, 13500),
)  # fmt: skip
HIGHEST = 0.49  # of fs: upper edges
OVERLAP = 1.3  # bandwidth of a section over the distance of the bands: the least ripple between them
PROTOTYPE = 10.0  # dB: the gain at which the sections' interaction is measured


class GraphicEQ(Cookbook):
    r"""An equaliser of fixed bands, whose response goes through the gains that are set.

    .. math::

        H(z) = \prod_{k=1}^{K} H_k(z; \gamma_k), \qquad
        \gamma^{(0)} = W g, \quad \gamma^{(i + 1)} = \gamma^{(i)} + W \bigl(g - r(\gamma^{(i)})\bigr)

    Each section is a peaking filter of :func:`polezero.biquad`. It reaches into the bands beside it: with sections of
    the gains g themselves, all at 12 dB, the sum is 23 dB. But its decibels are nearly proportional to its gain at
    every frequency, so that the gains :math:`\gamma` of sections are found from the response that is wanted: W is the
    inverse of their interaction, in decibels at the bands' centres, at 10 dB, and r the response at the centres that
    gains give. For g of up to 12 dB the result is within 0.3 dB of g at the centres (1.5 dB without corrections, and
    0.15 dB with two), and, of octaves and thirds, within 1.5 dB of their mean between two centres. All of it is
    differentiable in g.

    Args:
        spacing: ``"octave"`` (ten bands from 31.5 Hz on, IEC 61260), ``"third octave"`` (31 from 20 Hz on) or
            ``"bark"`` (24 critical bands), as many of them as end below 0.49 fs.
        gain: Of the response at the bands' centres, in dB.
        fs: Sampling frequency in Hz.
        gain_range: Least and greatest gain.
        corrections: How often the difference is fed back. Each looks at all pairs of bands, at every frame.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; ``gain`` is ``[bands]``, and so is ``frequency``, the centres in
    Hz. Stable for all gains, and between two frames. Errors: ValueError of one sentence where a gain is out of its
    range. Source: R. J. Oliver and J.-M. Jot, "Efficient multi-band digital audio graphic equalizer with accurate
    frequency response control", AES 139, 2015 (sections of proportional decibels); V. Valimaki and J. Liski, "Accurate
    cascade graphic equalizer", IEEE Signal Process. Lett. 24(2), 2017 (the iteration, there by least squares that see
    midpoints too); E. Zwicker, "Subdivision of the audible frequency range into critical bands", JASA 33(2), 1961.

    Example:
        >>> import torch, polezero
        >>> eq = polezero.nn.GraphicEQ("octave", gain=[6, 3, 0, -3, -3, 0, 2, 4, 2, 0], fs=48000)
        >>> y = eq(torch.randn(2, 4800))
        >>> _, H = eq.freqz(eq.frequency)
        >>> bool((20 * H.abs().log10() - eq.gain).abs().max() < 0.05)
        True
    """

    frequency: Tensor
    _Q: Tensor
    _shares: Tensor
    _inverse: Tensor

    def __init__(
        self,
        spacing: Spacing = "octave",
        gain: Numbers = 0.0,
        *,
        fs: float,
        gain_range: tuple[float, float] = (-12.0, 12.0),
        corrections: int = 1,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        choice(self.refused, "spacing", spacing, (*OCTAVES, "bark"))
        centres, octaves = _bands(spacing, self.fs)
        if not centres:
            raise self.refused("fs", "a rate at which there are bands", fs)
        self.spacing, self.corrections = spacing, whole(self.refused, "corrections", corrections, "an int from 0 on", 0)
        self.declare("gain", gain, self.ranged("gain", Range, gain_range, "dB"), (len(centres),))
        self.of_types(["peaking"])
        with torch.device("cpu"):
            self._lay_out(*(torch.tensor(v, dtype=torch.float64) for v in (centres, octaves)))
        self.declared()

    def _lay_out(self, f: Tensor, width: Tensor) -> None:
        """What does not change, of centres and widths in octaves."""
        omega = f * (2 * math.pi / self.fs)
        Q = 0.5 / torch.sinh(OVERLAP * width * omega / torch.sin(omega) * (math.log(2) / 2))
        shares = _shares(prewarped(f, self.fs), Q)
        interaction = _decibels(shares, torch.full_like(f, PROTOTYPE)) / PROTOTYPE
        inverse = torch.linalg.inv(interaction)
        for name, value in (("frequency", f), ("_Q", Q), ("_shares", shares), ("_inverse", inverse)):
            self.constant(name, value)

    def design(self, gain: Tensor) -> Tensor:  # type: ignore[override]
        of_sections = self._of_sections(gain.double())
        f, Q = (constant.to(gain.device).unsqueeze(-1) for constant in (self.frequency, self._Q))
        return self.designed(f, Q, of_sections.unsqueeze(-1)).squeeze(-2)

    def _of_sections(self, gain: Tensor) -> Tensor:
        """The gains of sections that make the response that of ``gain``."""
        inverse, shares = self._inverse.to(gain.device), self._shares.to(gain.device)
        of_sections = gain @ inverse
        for _ in range(self.corrections):
            of_sections = of_sections + (gain - _decibels(shares, of_sections).sum(-2)) @ inverse
        return of_sections

    def sections(self) -> int:
        return self.frequency.numel()

    def extra_repr(self) -> str:
        return f"{self.spacing!r}, {super().extra_repr()}"


def _bands(spacing: str, fs: float) -> tuple[list[float], list[float]]:
    """The centres that there are at a rate, and their widths in octaves."""
    if spacing == "bark":
        lower = (20, *(high for high, _ in BARK))
        kept = [(float(f), math.log2(high / low)) for low, (high, f) in zip(lower, BARK) if high <= HIGHEST * fs]
        return [centre for centre, _ in kept], [width for _, width in kept]
    fraction, lowest = OCTAVES[spacing]
    centres = middles(fraction, fs, lowest) if fs * HIGHEST > 2 * lowest else []
    return centres, [1 / fraction] * len(centres)


def _shares(K: Tensor, Q: Tensor) -> Tensor:
    """How far a section of each band, a row, reaches into each other one: 1 at its centre, 0 far from it."""
    w = K / K.unsqueeze(-1)
    bent = (w / Q.unsqueeze(-1)).square()
    return bent / (bent + (1 - w * w).square())


def _decibels(shares: Tensor, gain: Tensor) -> Tensor:
    """The sections' responses ``[..., section, centre]``: |H|^2 = (1 - p + p A^2) / (1 - p + p / A^2)."""
    amplitude = torch.exp(gain * (math.log(10) / 20)).unsqueeze(-1)
    rest = 1 - shares
    return 10 * torch.log10((rest + shares * amplitude) / (rest + shares / amplitude))
