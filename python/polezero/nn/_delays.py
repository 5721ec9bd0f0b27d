"""Delay lines with feedback: combs, all-passes and strings."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._conversions.forms import Pair
from polezero._sparse import allpass_comb, comb_filter, feedforward_comb, sparse_allpole
from polezero.nn._checks import choice
from polezero.nn._frames import Timeline, over_time
from polezero.nn._module import FilterModule, Memory, Options, Values
from polezero.nn._polynomials import Polynomials
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["Allpass", "Between", "Comb", "DelayLine", "KarplusStrong", "below_1", "polynomial", "samples"]

Numbers = float | list[float] | Tensor
Between = Literal["linear", "lagrange3"]

# The least delay that each interpolation can read, and how many samples it reads beyond the whole part of a delay.
SHORTEST: dict[str, int] = {"linear": 1, "lagrange3": 2}
BEYOND: dict[str, int] = {"linear": 1, "lagrange3": 2}


class DelayLine(Polynomials):
    """What modules share that read their past between samples; the state is that past, as long as the range needs.

    Their polynomials have as many coefficients as the delay is long.
    """

    interpolation: Between
    longest: float  # delay, in samples

    def reads(self, interpolation: Between, shortest: float, longest: float, name: str) -> None:
        """Say how the past is read, at which delays in samples; ``name`` is the argument that bounds them."""
        choice(self.refused, "interpolation", interpolation, SHORTEST)
        least = SHORTEST[interpolation]
        if not shortest >= least:
            expected = f"delays of at least {least} samples ({least / self.fs:.4g} s) for {interpolation!r}"
            raise self.refused(name, expected, f"{shortest:.4g} samples")
        self.interpolation, self.longest = interpolation, longest

    def declare_delay(
        self, delay: Numbers, delay_range: tuple[float, float], interpolation: Between, swept: float = 0.0
    ) -> None:
        """The parameter ``delay`` in seconds, which a sweep of a part of itself makes shorter and longer."""
        range_ = self.ranged("delay", LogRange, delay_range, "s")
        self.reads(
            interpolation, range_.low * (1 - swept) * self.fs, range_.high * (1 + swept) * self.fs, "delay_range"
        )
        self.declare("delay", delay, range_)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        past = int(self.longest) + 1 + BEYOND[self.interpolation]
        return (x.new_zeros(*x.shape[:-1], past),)

    def taps(self, delay: Tensor) -> tuple[Tensor, Tensor]:
        """What a delay in samples reads: weights ``[..., L]`` and the whole delays that they are for."""
        whole = delay.detach().floor()
        u = delay - whole
        if self.interpolation == "linear":
            weights = [1 - u, u]
        else:
            weights = [
                -u * (u - 1) * (u - 2) / 6,
                (u + 1) * (u - 1) * (u - 2) / 2,
                -(u + 1) * u * (u - 2) / 2,
                (u + 1) * u * (u - 1) / 6,
            ]
        first = 1 - SHORTEST[self.interpolation]
        offsets = torch.arange(first, first + len(weights), device=delay.device)
        return torch.stack(weights, -1), whole.long().unsqueeze(-1) + offsets


def below_1(module: FilterModule, name: str, limits: tuple[float, float]) -> Range:
    """The range of a gain in a loop."""
    range_ = module.ranged(name, Range, limits)
    if not max(-range_.low, range_.high) < 1:
        raise module.refused(f"{name}_range", "gains of magnitudes below 1", limits)
    return range_


def polynomial(weights: Tensor, delays: Tensor) -> Tensor:
    """Coefficients of powers of 1/z from taps of whole delays."""
    zeros = weights.new_zeros(*weights.shape[:-1], int(delays.max()) + 1)
    return zeros.scatter_add(-1, delays.expand(weights.shape), weights)


def samples(x: Tensor, values: Values, time: Timeline) -> Values:
    """Parameters of one number each for each sample, of as many dimensions as ``x``."""
    return {name: value[(None,) * (x.dim() - value.dim())] for name, value in over_time(values, time).items()}


def rows_or_samples(x: Tensor, values: Values, time: Timeline) -> Values:
    """Parameters as the ops of delay lines tell them apart: as many dimensions as ``x`` where they change with time."""
    return samples(x, values, time) if time.varies else values


class Comb(DelayLine):
    r"""A signal and itself a little later, again and again (``"feedback"``) or once (``"feedforward"``).

    .. math::

        \text{feedback:}\quad & y[n] = x[n] + g\, y[n - D], \qquad H(z) = \frac{1}{1 - g z^{-D}} \\
        \text{feedforward:}\quad & y[n] = x[n] + g\, x[n - D], \qquad H(z) = 1 + g z^{-D}

    with D the delay in samples, delay times ``fs``, between samples too: the delay is learned like the gain. Peaks of
    the response lie at multiples of 1 / delay for positive gains, and halfway between them for negative ones.

    Args:
        delay: In seconds (in samples with ``fs=1``).
        gain: Of the delayed signal, a factor.
        kind: ``"feedback"`` or ``"feedforward"``.
        fs: Sampling frequency in Hz.
        delay_range: Least and greatest delay. The state of a stream is as long as the greatest.
        gain_range: Least and greatest gain; None for -0.99 to 0.99 with feedback, and -1 to 1 without.
        interpolation: How the past is read between samples: ``"lagrange3"`` (at least 2 samples back) or ``"linear"``
            (1 sample), as in :func:`polezero.comb_filter`.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Feedback is stable for gains
    below 1 and constant delays. While a delay moves, ``"linear"`` keeps it so however fast it does, as its weights add
    up to 1; those of ``"lagrange3"`` have magnitudes of up to 1.25 together, and are safe for gains below 0.8. Frames
    of parameters are interpolated as they are. Errors: ValueError of one sentence where a parameter is out of its
    range, or the range has delays too short to be read. Source: J. O. Smith, "Physical Audio Signal Processing".

    Example:
        >>> import torch, polezero
        >>> echo = polezero.nn.Comb(0.25, 0.5, fs=8000)
        >>> y = echo(torch.randn(2, 8000))
        >>> echo.delay = 0.3
        >>> echo
        Comb('feedback', delay=0.3, gain=0.5, fs=8000)
    """

    def __init__(
        self,
        delay: Numbers,
        gain: Numbers = 0.5,
        kind: Literal["feedback", "feedforward"] = "feedback",
        *,
        fs: float,
        delay_range: tuple[float, float] = (1e-3, 1.0),
        gain_range: tuple[float, float] | None = None,
        interpolation: Between = "lagrange3",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        choice(self.refused, "kind", kind, ("feedback", "feedforward"))
        greatest = 0.99 if kind == "feedback" else 1.0
        gains = (-greatest, greatest) if gain_range is None else gain_range
        self.kind = kind
        self.declare_delay(delay, delay_range, interpolation)
        self.declare(
            "gain", gain, below_1(self, "gain", gains) if kind == "feedback" else self.ranged("gain", Range, gains)
        )
        self.declared()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        now = rows_or_samples(x, values, time)
        D, how = now["delay"] * self.fs, self.interpolation
        if self.kind == "feedback":
            if memory is None:
                return comb_filter(-now["gain"], D, x, interpolation=how), None
            y, zf = comb_filter(-now["gain"], D, x, memory[0], interpolation=how)
            return y, (zf,)
        if memory is None:
            return feedforward_comb(now["gain"], D, x, interpolation=how), None
        y, zf = feedforward_comb(now["gain"], D, x, memory[0], interpolation=how)
        return y, (zf,)

    def polynomials(self, delay: Tensor, gain: Tensor) -> Pair:  # type: ignore[override]
        weights, delays = self.taps(delay * self.fs)
        first = weights.new_ones((*weights.shape[:-1], 1))
        sign = -1 if self.kind == "feedback" else 1
        taps = torch.cat([first, sign * gain.unsqueeze(-1) * weights], -1)
        there = polynomial(taps, torch.nn.functional.pad(delays, (1, 0)))
        return (first, there) if self.kind == "feedback" else (there, first)

    def extra_repr(self) -> str:
        return f"{self.kind!r}, {super().extra_repr()}"


class Allpass(DelayLine):
    r"""Echoes that leave the magnitude of the spectrum as it is: Schroeder's all-pass section.

    .. math::

        H(z) = \frac{z^{-D} - g}{1 - g z^{-D}}

    with D the delay in samples, between samples too; then it is an all-pass as far as the interpolation keeps the
    magnitude. With a delay of one sample it is the all-pass filter of first order (``fs=1``, ``delay_range=(1, 2)``,
    ``interpolation="linear"``); that of second order is ``Biquad("allpass", ..)``.

    Args:
        delay: In seconds (in samples with ``fs=1``).
        gain: Of the loop, a factor.
        fs: Sampling frequency in Hz.
        delay_range: Least and greatest delay. The state of a stream is as long as the greatest.
        gain_range: Least and greatest gain, of magnitudes below 1.
        interpolation: ``"lagrange3"`` or ``"linear"``, as in :class:`Comb`.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Stability, frames and errors are
    those of :class:`Comb`. Source: M. R. Schroeder, "Natural Sounding Artificial Reverberation", Journal of the AES 10,
    1962.

    Example:
        >>> import torch, polezero
        >>> diffuser = polezero.nn.Allpass(0.005, fs=8000)
        >>> diffuser(torch.randn(2, 800)).shape
        torch.Size([2, 800])
        >>> diffuser
        Allpass(delay=0.005, gain=0.7, fs=8000)
    """

    def __init__(
        self,
        delay: Numbers,
        gain: Numbers = 0.7,
        *,
        fs: float,
        delay_range: tuple[float, float] = (1e-3, 0.1),
        gain_range: tuple[float, float] = (-0.99, 0.99),
        interpolation: Between = "lagrange3",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        self.declare_delay(delay, delay_range, interpolation)
        self.declare("gain", gain, below_1(self, "gain", gain_range))
        self.declared()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        now = rows_or_samples(x, values, time)
        a, D = -now["gain"], now["delay"] * self.fs
        if memory is None:
            return allpass_comb(a, D, x, interpolation=self.interpolation), None
        y, zf = allpass_comb(a, D, x, memory[0], interpolation=self.interpolation)
        return y, (zf,)

    def polynomials(self, delay: Tensor, gain: Tensor) -> Pair:  # type: ignore[override]
        weights, delays = self.taps(delay * self.fs)
        gain, delays = gain.unsqueeze(-1), torch.nn.functional.pad(delays, (1, 0))
        b = polynomial(torch.cat([-gain, weights], -1), delays)
        return b, polynomial(torch.cat([torch.ones_like(gain), -gain * weights], -1), delays)


class KarplusStrong(DelayLine):
    r"""A plucked string: a delay line whose end is fed back through a filter that damps it. x is what plucks it.

    .. math::

        y[n] = x[n] + g \left((1 - s)\, v[n] + s\, v[n - 1]\right), \quad v[n] = y[n - D], \qquad
        H(z) = \frac{1}{1 - g\,(1 - s + s z^{-1})\, z^{-D}}

    The loop is as long as a period of ``frequency``: :math:`D = f_s / f - \tau`, with the filter's phase delay
    :math:`\tau = \frac{1}{\omega} \arctan \frac{s \sin\omega}{1 - s + s \cos\omega}` at
    :math:`\omega = 2 \pi f / f_s`. Low partials fall by 60 dB in ``decay`` seconds, :math:`g = 10^{-3 / (f\, decay)}`,
    and higher ones sooner, the more the larger s is.

    Args:
        frequency: Pitch in Hz.
        decay: Of low partials, the time to fall by 60 dB in seconds.
        damping: s, of high partials; that of Karplus and Strong is 0.5.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest pitch; None for 20 Hz to 4 kHz, or fs / 8 where that is less. The state of a
            stream is as long as a period of the least.
        decay_range: Least and greatest decay.
        damping_range: Least and greatest s, in 0 to 0.5.
        interpolation: ``"lagrange3"`` or ``"linear"``, as in :class:`Comb`. Either damps high partials a little.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Stable, as g < 1; while a pitch
    moves (vibrato, glissando) with ``"linear"`` however fast it does. Frames of parameters are interpolated as they
    are. Errors: ValueError of one sentence where a parameter is out of its range. Source: K. Karplus and A. Strong,
    "Digital Synthesis of Plucked-String and Drum Timbres", Computer Music Journal 7, 1983; D. A. Jaffe and
    J. O. Smith, "Extensions of the Karplus-Strong Plucked-String Algorithm", ibid.

    Example:
        >>> import torch, polezero
        >>> string = polezero.nn.KarplusStrong(220.0, decay=2.0, fs=44100)
        >>> pluck = torch.zeros(44100)
        >>> pluck[:200] = torch.rand(200) - 0.5
        >>> note = string(pluck)
        >>> string
        KarplusStrong(frequency=220, decay=2, damping=0.3, fs=44100)
    """

    def __init__(
        self,
        frequency: Numbers,
        decay: Numbers = 3.0,
        damping: Numbers = 0.3,
        *,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        decay_range: tuple[float, float] = (0.05, 60.0),
        damping_range: tuple[float, float] = (0.0, 0.5),
        interpolation: Between = "lagrange3",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        own = (min(20.0, self.fs / 2000), min(4000.0, self.fs / 8)) if frequency_range is None else frequency_range
        pitches = self.ranged("frequency", LogRange, own, "Hz")
        self.reads(interpolation, self.fs / pitches.high - 0.5, self.fs / pitches.low + 1, "frequency_range")
        self.declare("frequency", frequency, pitches)
        self.declare("decay", decay, self.ranged("decay", LogRange, decay_range, "s"))
        dampings = self.ranged("damping", Range, damping_range)
        if not 0 <= dampings.low < dampings.high <= 0.5:
            raise self.refused("damping_range", "ascending numbers from 0 to 0.5", damping_range)
        self.declare("damping", damping, dampings)
        self.declared()

    def loop(self, frequency: Tensor, decay: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
        """Taps of feedback ``[..., L]`` and their whole delays: the filter's, each read at the fraction of D."""
        omega = 2 * math.pi * frequency / self.fs
        late = torch.atan2(damping * torch.sin(omega), 1 - damping + damping * torch.cos(omega)) / omega
        weights, delays = self.taps(self.fs / frequency - late)
        g, s = 10 ** (-3 / (frequency * decay)), damping.unsqueeze(-1)
        pad = torch.nn.functional.pad
        taps = g.unsqueeze(-1) * (pad((1 - s) * weights, (0, 1)) + pad(s * weights, (1, 0)))
        return taps, torch.cat([delays, delays[..., -1:] + 1], -1)

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        now = rows_or_samples(x, values, time)
        taps, delays = self.loop(now["frequency"], now["decay"], now["damping"])
        if memory is None:
            return sparse_allpole(-taps, delays, x), None
        y, zf = sparse_allpole(-taps, delays, x, memory[0])
        return y, (zf,)

    def polynomials(self, **values: Tensor) -> Pair:
        taps, delays = self.loop(**values)
        first = taps.new_ones((*taps.shape[:-1], 1))
        return first, polynomial(torch.cat([first, -taps], -1), torch.nn.functional.pad(delays, (1, 0)))
