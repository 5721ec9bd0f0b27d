"""One section of an equaliser."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._design.cookbook import TYPES, WITHOUT_GAIN, Bands, BiquadType, sections
from polezero._design.parameters import prewarped
from polezero.nn._checks import choice
from polezero.nn._module import Options
from polezero.nn._sections import Sections
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["Biquad", "Cookbook"]

Numbers = float | list[float] | Tensor


class Cookbook(Sections):
    """Sections of the cookbook, whatever their types: `polezero.biquad`, with its table made once."""

    _exponents: Tensor
    _mixing: Tensor

    def of_types(self, types: Sequence[str]) -> None:
        """For constructors: what the sections are."""
        with torch.device("cpu"):
            bands = Bands.of(types)
        self.constant("_exponents", bands.exponents)
        self.constant("_mixing", bands.mixing)

    def designed(self, frequency: Tensor, Q: Tensor, gain: Tensor | None) -> Tensor:
        """Sections ``[..., bands, 6]`` of parameters ``[..., bands]``, gains of the bands that have one."""
        bands = Bands(self._exponents.to(frequency.device), self._mixing.to(frequency.device))
        K = prewarped(frequency.double(), self.fs)
        return sections(bands, K, Q.double(), None if gain is None else gain.double())


class Biquad(Cookbook):
    r"""One section of an equaliser, by the formulas of the cookbook that :func:`polezero.biquad` has.

    .. math::

        H(z) = \frac{b_0 + b_1 z^{-1} + b_2 z^{-2}}{1 + a_1 z^{-1} + a_2 z^{-2}}

    A biquad is the linear recurrent cell of a network: two states, weights that are known functions of a frequency, a
    quality and a gain, and a step that costs five multiplications.

    Args:
        btype: The type, one of the nine of :func:`polezero.biquad`.
        frequency: Cut-off or centre in Hz.
        Q: Quality.
        gain: Of a peaking filter or a shelf, in dB; other types have none.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest frequency; None for 20 Hz (fs / 2000 where that is less) to 0.45 fs.
        Q_range: Least and greatest quality.
        gain_range: Least and greatest gain.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. The section is stable for all
    parameters in their ranges, and between two frames of parameters that are given to a call. Errors: ValueError of one
    sentence where a parameter is out of its range, which it names. Source: R. Bristow-Johnson, "Cookbook formulae for
    audio equalizer biquad filter coefficients", W3C note, 2021.

    Example:
        >>> import torch, polezero
        >>> bell = polezero.nn.Biquad("peaking", 1000.0, gain=6.0, fs=48000)
        >>> y = bell(torch.randn(2, 4800))
        >>> bell.gain = -3.0
        >>> bell
        Biquad('peaking', frequency=1000, Q=0.7071, gain=-3, fs=48000)
    """

    def __init__(
        self,
        btype: BiquadType,
        frequency: Numbers,
        Q: Numbers = 0.5**0.5,
        gain: Numbers | None = None,
        *,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        Q_range: tuple[float, float] = (0.1, 10.0),
        gain_range: tuple[float, float] = (-18.0, 18.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        choice(self.refused, "btype", btype, TYPES)
        if (gain is None) != (btype in WITHOUT_GAIN):
            raise self.refused("gain", f"None for a {btype}" if gain is not None else f"dB for a {btype}", gain)
        self.btype = btype
        self.of_types([btype])
        self.declare("frequency", frequency, self.audible(frequency_range, LogRange))
        self.declare("Q", Q, self.ranged("Q", LogRange, Q_range))
        if gain is not None:
            self.declare("gain", gain, self.ranged("gain", Range, gain_range, "dB"))
        self.declared()

    def design(self, frequency: Tensor, Q: Tensor, gain: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.designed(frequency.unsqueeze(-1), Q.unsqueeze(-1), None if gain is None else gain.unsqueeze(-1))

    def sections(self) -> int:
        return 1

    def extra_repr(self) -> str:
        return f"{self.btype!r}, {super().extra_repr()}"
