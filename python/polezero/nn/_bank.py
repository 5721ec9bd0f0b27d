"""Bands side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import Self, Unpack

from polezero._arguments import doubles
from polezero._design.octave import OCTAVE, octave_bands
from polezero._signatures import Coefficients
from polezero.nn._bands import CROSSOVER, PARAMETERS, Group, bands_of, sections_of
from polezero.nn._checks import FS, choice, named, number, refusal, whole
from polezero.nn._designs import is_silent
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._ranges import Parametrization
from polezero.nn._rising import Rising
from polezero.nn._roots import side_by_side
from polezero.nn._sections import Sections
from polezero.nn.parametrizations import LogRange, Range, Triangle

__all__ = ["FilterBank"]

Bands = Sequence[Mapping[str, Any]] | Sequence[Coefficients] | Tensor
Trainable = Literal["none", "coefficients", "edges"] | bool | Collection[str]

EEG = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 45.0)}
# Hz to steps of the scale, and back.
SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "erb": (lambda f: math.log1p(0.00437 * f), lambda s: math.expm1(s) / 0.00437),
    "mel": (lambda f: math.log1p(f / 700), lambda s: math.expm1(s) * 700),
}


class FilterBank(Sections):
    r"""Filters side by side, which split a signal into bands.

    .. math::

        Y_m(z) = H_m(z) \; X(z), \qquad H_m(z) = \prod_{k=1}^{K}
            \frac{b_{mk0} + b_{mk1} z^{-1} + b_{mk2} z^{-2}}{1 + a_{mk1} z^{-1} + a_{mk2} z^{-2}}

    One :func:`polezero.sosfilt` filters all bands; shorter cascades are filled up with sections that pass everything.

    A band is a dictionary. Its family may be ``butter``, ``cheby1``, ``cheby2``, ``ellip``, ``bessel`` or ``legendre``.

    ======================== ===================================================================================
    ``ftype``                further keys
    ======================== ===================================================================================
    a family                 ``order``, ``cutoff`` (one frequency, or two of a band), ``btype`` (``low``, the default,
                             ``high``, ``bandpass``, ``bandstop``), ``rp`` (1 dB), ``rs`` (20 dB, ellip 40), ``norm``
    a type of :func:`biquad` ``cutoff``, ``Q`` (0.7071), ``gain`` in dB
    ``gammatone``            ``cutoff``, the centre
    ``linkwitz-riley``       ``order`` and ``cutoff``, n - 1 rising frequencies for n bands
    ======================== ===================================================================================

    Of all but the last, ``gain`` may be given: that of the design where it has one, else that of the whole band. What
    is trained is said by ``trainable``, and is what reads and writes as an attribute:

    - ``"none"``: nothing; ``b`` [bands, K, 3] and ``a`` [bands, K, 2], which is a_1 and a_2, are buffers.
    - ``"coefficients"``: ``b`` and ``a``, which :class:`~parametrizations.Triangle` keeps stable.
    - ``"edges"``: what the design is made of, and what there is of it: ``cutoff`` [n] of bands that have one frequency,
      ``edges`` [n, 2] of those with two, ``splits`` [n - 1] of a crossover, in Hz; ``gain`` in dB and ``Q``; each in
      the order of the bands that have it. Each step of training is a design: stable, of the family and order asked for,
      with the upper edge above the lower one. Bands of one structure are designed together.

    Args:
        bands: Dictionaries, one a band; or sections ``[K, 6]`` of each, or ``[bands, K, 6]``, which have no edges.
        trainable: One of these, or the names of those parameters that are trained.
        fs: Sampling frequency in Hz; by default frequencies are in units of Nyquist's.
        edge_range: What trained frequencies are within; None for fs / 50000 to 0.495 fs.
        gain_range: Of trained gains, in dB.
        Q_range: Of trained qualities.
        zero_phase: Whether to filter forth and back, by :func:`polezero.sosfiltfilt`: with ``|H|^2``, without delay,
            but a whole signal at a time.
        options: ``channels``, ``stateful``, ``save_state``, ``dtype``, ``device`` of :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., bands, T]``, with channels ``[..., channels, T]`` to ``[..., channels, bands, T]``.
    Errors: ValueError of one sentence, which names the band and its key. Source: the designs' own; of ``eeg`` N. Kane
    et al., "A revised glossary of terms most commonly used by clinical electroencephalographers", Clin. Neurophysiol.
    Practice 2, 2017; of ``gammatone`` B. C. J. Moore and B. R. Glasberg, "Suggested formulae for calculating
    auditory-filter bandwidths and excitation patterns", JASA 74, 1983.

    In place of braindecode's ``FilterBankLayer(n_chans, sfreq, [(4, 8), (8, 12)], method="iir", phase="forward")``,
    which filters each band on its own, with one polynomial of order 8, take the bank below: ``[batch, channels, T]`` to
    ``[batch, channels, bands, T]``, where it has bands before channels (``.transpose(1, 2)``). In place of its default,
    ``phase="zero"``, say ``zero_phase=True``.

    Example:
        >>> import torch, polezero
        >>> bands = [{"ftype": "butter", "order": 4, "btype": "bandpass", "cutoff": f} for f in [(4, 8), (8, 12)]]
        >>> bank = polezero.nn.FilterBank(bands, fs=128, trainable="edges")
        >>> bank(torch.randn(2, 22, 256)).shape
        torch.Size([2, 22, 2, 256])
        >>> bank.edges = [[4.0, 7.0], [8.0, 13.0]]
        >>> bank
        FilterBank(2 bands, edges=[4, 7, 8, 13], fs=128)
    """

    def __init__(  # type: ignore[misc]
        self,
        bands: Bands,
        *,
        trainable: Trainable = "none",
        fs: float = 2.0,
        edge_range: tuple[float, float] | None = None,
        gain_range: tuple[float, float] = (-18.0, 18.0),
        Q_range: tuple[float, float] = (0.1, 100.0),
        zero_phase: bool = False,
        **options: Unpack[Options],
    ) -> None:
        mode, trained = _mode(trainable)
        super().__init__(fs, **{**options, "trainable": trained})
        self.filter_forth_and_back(zero_phase)
        self._groups: list[Group] = []
        rows = isinstance(bands, Sequence) and not isinstance(bands, str)
        several = bands.dim() > 0 if isinstance(bands, Tensor) else rows
        specified = [isinstance(band, Mapping) for band in bands] if several else []
        if not specified or any(specified) != all(specified):
            raise self.refused("bands", "dictionaries, or sections of each band", f"{bands!r:.100}")
        if not specified[0]:
            if trainable is True or trainable == "edges":
                raise self.refused("trainable", "'none' or 'coefficients' of sections", repr(trainable))
            self._of_coefficients(_padded(self, bands), "none" if mode == "none" else "coefficients")
            return
        groups, values = bands_of(bands, self.fs, self.refused)  # type: ignore[arg-type]
        sos = named(f"{self._get_name()}: bands", sections_of, groups, values, self.fs)
        if is_silent(sos):
            raise self.refused("bands: order", "designs whose gain float64 holds", f"{bands!r:.100}")
        if mode != "edges":
            self._of_coefficients(sos, mode)
            return
        self._groups, (self.bands, self._sections) = groups, map(int, sos.shape[:2])
        edges = (self.fs / 50000, 0.495 * self.fs) if edge_range is None else edge_range
        ranges: dict[str, Parametrization] = {
            "cutoff": self.ranged("edge", LogRange, edges, "Hz"),
            "edges": self.ranged("edge", Rising, edges, "Hz"),
            "splits": self.ranged("edge", Rising, edges, "Hz"),
            "gain": self.ranged("gain", Range, gain_range, "dB"),
            "Q": self.ranged("Q", LogRange, Q_range),
        }
        for name in [name for name in PARAMETERS if name in values]:
            self.declare(name, values[name], ranges[name], tuple(values[name].shape))
        self.declared()

    def _of_coefficients(self, sos: Tensor, mode: str) -> None:
        self.bands, self._sections = int(sos.shape[0]), int(sos.shape[1])
        self.declare("b", sos[..., :3], None, (*sos.shape[:2], 3))
        self.declare("a", sos[..., 4:], Triangle() if mode == "coefficients" else None, (*sos.shape[:2], 2))
        self.declared()

    # ---- presets

    @classmethod
    def octave(
        cls,
        fraction: int = 1,
        *,
        fs: float,
        fmin: float = 20.0,
        fmax: float | None = None,
        order: int = 4,
        **arguments: Any,
    ) -> Self:
        """Octaves, or with ``fraction=3`` third octaves, as :func:`polezero.octave_bands` has them (IEC 61260)."""
        refused = refusal(cls.__name__)
        fraction, order = whole(refused, "fraction", fraction), whole(refused, "order", order)
        fs = number(refused, "fs", fs, FS, 0)
        low = number(refused, "fmin", fmin, "a positive number of Hz", 0)
        high = None if fmax is None else number(refused, "fmax", fmax, "a positive number of Hz", 0)
        middles = named(cls.__name__, octave_bands, fraction, fs=fs, fmin=low, fmax=high, order=order)[1].tolist()
        half = OCTAVE ** (0.5 / fraction)
        return cls(_bandpasses([(f / half, f * half) for f in middles], order), fs=fs, **arguments)

    @classmethod
    def gammatone(
        cls,
        bands: int = 32,
        *,
        fs: float,
        scale: Literal["erb", "mel"] = "erb",
        fmin: float = 50.0,
        fmax: float | None = None,
        **arguments: Any,
    ) -> Self:
        """Filters as those of the ear, centres from ``fmin`` to ``fmax`` (None for 0.45 fs), evenly on a scale."""
        refused = refusal(cls.__name__)
        choice(refused, "scale", scale, SCALES)
        bands = whole(refused, "bands", bands, "a number of 2 or more", 2)
        fs = number(refused, "fs", fs, FS, 0)
        between = f"a frequency between 0 and fs / 2 = {fs / 2:g} Hz"
        low = number(refused, "fmin", fmin, between, 0, fs / 2)
        high = number(refused, "fmax", 0.45 * fs if fmax is None else fmax, between, 0, fs / 2)
        to_steps, to_hertz = SCALES[scale]
        first, last = to_steps(low), to_steps(high)
        centres = [to_hertz(first + (last - first) * k / (bands - 1)) for k in range(bands)]
        return cls([{"ftype": "gammatone", "cutoff": f} for f in centres], fs=fs, **arguments)

    @classmethod
    def eeg(cls, *, fs: float, order: int = 4, **arguments: Any) -> Self:
        """Delta (0.5 to 4 Hz), theta (to 8), alpha (to 13), beta (to 30) and gamma (to 45, below the mains)."""
        return cls(_bandpasses(list(EEG.values()), order), fs=fs, **arguments)

    @classmethod
    def crossover(cls, frequencies: Sequence[float], order: int = 4, *, fs: float, **arguments: Any) -> Self:
        """Bands that sum to an all-pass, of magnitude 1: Linkwitz and Riley's, by :func:`polezero.crossover`."""
        return cls([{"ftype": CROSSOVER, "order": order, "cutoff": frequencies}], fs=fs, **arguments)

    # ---- sections

    def design(self, **values: Tensor) -> Tensor:
        """Sections ``[..., bands, K, 6]`` in float64."""
        if self._groups:
            return sections_of(self._groups, values, self.fs)
        b, a = values["b"].double(), values["a"].double()
        return side_by_side(-1, [b, a.new_ones(1), a])

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        sos = self.design(**values)
        return self.filtered(x.unsqueeze(-2), sos.movedim(-3, -4) if time.varies else sos, time, memory)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (self.at_rest(x, *x.shape[:-1], self.bands),)

    def sections(self) -> int:
        return self._sections

    def extra_repr(self) -> str:
        return f"{self.bands} bands, {super().extra_repr()}"


def _mode(trainable: Trainable) -> tuple[str, bool | Collection[str]]:
    """What the parameters are, and which of them are trained."""
    if isinstance(trainable, str):
        if trainable not in ("none", "coefficients", "edges"):
            raise ValueError(f"FilterBank: trainable: expected none, coefficients or edges, got {trainable!r}")
        return trainable, trainable != "none"
    if isinstance(trainable, bool):
        return ("edges" if trainable else "none"), trainable
    names = isinstance(trainable, Collection) and not isinstance(trainable, Tensor)
    if not names or not all(isinstance(name, str) for name in trainable):
        expected = "none, coefficients, edges, True, False or a list of names"
        raise refusal("FilterBank")("trainable", expected, repr(trainable))
    return ("coefficients" if set(trainable) <= {"b", "a"} else "edges"), trainable


def _bandpasses(edges: Sequence[tuple[float, float]], order: int) -> list[dict[str, Any]]:
    return [{"ftype": "butter", "order": order, "btype": "bandpass", "cutoff": pair} for pair in edges]


def _padded(bank: FilterBank, bands: Bands) -> Tensor:
    """Sections ``[bands, K, 6]`` with a_0 = 1."""
    cascades = [doubles("FilterBank", **{f"bands[{k}]": band})[0].detach() for k, band in enumerate(bands)]
    for k, sos in enumerate(cascades):
        if sos.dim() != 2 or sos.shape[-1] != 6 or sos.is_complex() or not bool((sos[..., 3] != 0).all()):
            raise bank.refused(f"bands[{k}]", "real sections [K, 6] with a_0 other than 0", list(sos.shape))
    K = max(len(sos) for sos in cascades)
    passing = cascades[0].new_tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    return torch.stack([torch.cat([sos / sos[:, 3:4], passing.expand(K - len(sos), 6)]) for sos in cascades])
