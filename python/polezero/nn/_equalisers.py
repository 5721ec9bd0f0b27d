"""Parametric equalisers: bands of the cookbook in series, designed at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from typing_extensions import Unpack

from polezero._design.cookbook import TYPES, WITHOUT_GAIN, BiquadType
from polezero.nn._biquad import Cookbook, Numbers
from polezero.nn._module import Options
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["ParametricEQ", "ShelvingEQ"]

SIX_BANDS: tuple[BiquadType, ...] = ("peaking", "peaking", "lowshelf", "highshelf", "lowpass", "highpass")
_AT_AN_END = {"highpass": 30.0, "lowshelf": 120.0, "highshelf": 8000.0, "lowpass": 16000.0}
_BETWEEN = 200.0, 5000.0


class ParametricEQ(Cookbook):
    r"""Bands of an equaliser in series, each with a frequency, a quality and, where its type has one, a gain.

    .. math::

        H(z) = \prod_{k=1}^{K} \frac{b_{k,0} + b_{k,1} z^{-1} + b_{k,2} z^{-2}}{1 + a_{k,1} z^{-1} + a_{k,2} z^{-2}}

    The default are the six bands of a channel strip: two peaks, two shelves, a low pass and a high pass. All are
    designed in one step, whatever their types, by the formulas that :func:`polezero.biquad` has.

    Args:
        bands: The type of each, of the nine of :func:`polezero.biquad`.
        frequency: Cut-offs and centres in Hz, one a band. With None a high pass is at 30 Hz, a low shelf at 120 Hz, a
            high shelf at 8 kHz, a low pass at 16 kHz, the others from 200 Hz to 5 kHz, all a tenth inside of
            ``frequency_range`` at least, so that they can be trained.
        Q: Qualities, one a band.
        gain: In dB, **of the bands that have a gain**: peaks and shelves, in the order of ``bands``. Six bands as
            above have four gains. Where no band has one it is None, and there is no parameter of that name.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest frequency; None for 20 Hz (fs / 2000 where that is less) to 0.45 fs.
        Q_range: Least and greatest quality.
        gain_range: Least and greatest gain.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; the parameters are ``[bands]``, and ``[bands with a gain]``, last, after the
    dimensions of channels, of items and of time where there are such. Stable for all parameters in their ranges, and
    between two frames of parameters that are given to a call. Errors: ValueError of one sentence where a parameter is
    out of its range, which it names. Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
    coefficients", W3C note, 2021.

    Example:
        >>> import torch, polezero
        >>> eq = polezero.nn.ParametricEQ(fs=48000)
        >>> eq.gain = [3.0, -2.0, 0.0, 4.0]
        >>> print(eq.settings())
        peaking     200 Hz   +3.0 dB  Q 0.71
        peaking    5000 Hz   -2.0 dB  Q 0.71
        lowshelf    120 Hz   +0.0 dB  Q 0.71
        highshelf  8000 Hz   +4.0 dB  Q 0.71
        lowpass   16000 Hz            Q 0.71
        highpass     30 Hz            Q 0.71
        >>> y = eq(torch.randn(2, 4800))
        >>> frames = torch.rand(2, 11, 4, requires_grad=True)  # of a network, say
        >>> eq(torch.randn(2, 4800), hop=480, gain=12 * frames).square().mean().backward()
    """

    def __init__(
        self,
        bands: Sequence[BiquadType] = SIX_BANDS,
        frequency: Numbers | None = None,
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
        self.bands = tuple(bands) if isinstance(bands, Sequence) and not isinstance(bands, str) else ()
        if not self.bands or any(not isinstance(band, str) or band not in TYPES for band in self.bands):
            raise self.refused("bands", f"types out of {', '.join(TYPES)}, one at least", repr(bands))
        gains = sum(band not in WITHOUT_GAIN for band in self.bands)
        if gain is not None and not gains:
            raise self.refused("gain", f"None for {', '.join(self.bands)}", gain)
        frequencies = self.audible(frequency_range, LogRange)
        if frequency is None:
            low, high = frequencies.low, frequencies.high
            inset = min(1.1, (high / low) ** 0.25)  # on a border it would have no gradient
            frequency = [min(max(f, low * inset), high / inset) for f in _default_frequencies(self.bands)]
        self.declare("frequency", frequency, frequencies, (len(self.bands),))
        self.declare("Q", Q, self.ranged("Q", LogRange, Q_range), (len(self.bands),))
        if gains:
            decibels = self.ranged("gain", Range, gain_range, "dB")
            self.declare("gain", 0.0 if gain is None else gain, decibels, (gains,))
        self.of_types(self.bands)
        self.declared()

    def design(self, frequency: Tensor, Q: Tensor, gain: Tensor | None = None) -> Tensor:  # type: ignore[override]
        return self.designed(frequency, Q, gain)

    def sections(self) -> int:
        return len(self.bands)

    def settings(self) -> str:
        """A line for each band, as an engineer sets it."""
        shown = {name: value.detach() for name, value in self.values().items()}
        if self.channels:
            rows = [{name: value[c] for name, value in shown.items()} for c in range(self.channels)]
            return "\n".join(f"channel {c}\n{self._settings(**row)}" for c, row in enumerate(rows))
        return self._settings(**shown)

    def _settings(self, frequency: Tensor, Q: Tensor, gain: Tensor | None = None) -> str:
        gains = iter(() if gain is None else gain.tolist())
        width = max(map(len, self.bands))
        lines = []
        for band, f, q in zip(self.bands, frequency.tolist(), Q.tolist()):
            decibels = " " * 9 if band in WITHOUT_GAIN else f"{next(gains):+6.1f} dB"
            lines.append(f"{band:{width}} {f:5.0f} Hz {decibels}  Q {q:.2f}")
        return "\n".join(lines)

    def extra_repr(self) -> str:
        return f"{', '.join(self.bands)}; {super().extra_repr()}"


def _default_frequencies(bands: Sequence[str]) -> list[float]:
    """Those between the ends of the spectrum are as far apart as can be, as ratios."""
    count = sum(band not in _AT_AN_END for band in bands)
    low, high = _BETWEEN
    ratio = (high / low) ** (1 / max(count - 1, 1))
    between = iter([low * ratio**k for k in range(count)] if count > 1 else [math.sqrt(low * high)])
    return [_AT_AN_END[band] if band in _AT_AN_END else next(between) for band in bands]


class ShelvingEQ(ParametricEQ):
    r"""Bass and treble: a low and a high shelf in series.

    .. math:: H(z) = H_{\text{lowshelf}}(z) \, H_{\text{highshelf}}(z)

    Both gains at their opposites, ``[-g, g]``, tilt the spectrum by 2 g about the frequencies between the two.

    Args:
        frequency: Of half the gain in decibels, in Hz: that of the low shelf, and of the high shelf.
        Q: Qualities of the two. Above :math:`1 / \sqrt 2` the shelves overshoot.
        gain: Of the two, in dB.
        fs: Sampling frequency in Hz.
        options: All keyword arguments of :class:`ParametricEQ`.

    Shapes, stability and errors are those of :class:`ParametricEQ`, with parameters ``[2]``. Source: R.
    Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients", W3C note, 2021.

    Example:
        >>> import torch, polezero
        >>> tone = polezero.nn.ShelvingEQ(gain=[4.0, -3.0], fs=48000)
        >>> y = tone(torch.randn(2, 4800))
    """

    def __init__(
        self,
        frequency: Numbers | None = None,
        Q: Numbers = 0.5**0.5,
        gain: Numbers = 0.0,
        *,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        Q_range: tuple[float, float] = (0.1, 10.0),
        gain_range: tuple[float, float] = (-18.0, 18.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            ("lowshelf", "highshelf"),
            frequency,
            Q,
            gain,
            fs=fs,
            frequency_range=frequency_range,
            Q_range=Q_range,
            gain_range=gain_range,
            **options,
        )
