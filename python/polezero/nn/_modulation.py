"""Effects that a low-frequency oscillator moves: flanger, chorus and phaser."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero import lpv
from polezero._conversions.forms import Pair
from polezero._sparse import comb_filter, feedforward_comb
from polezero.nn._checks import choice, whole
from polezero.nn._delays import Between, DelayLine, below_1, polynomial, samples
from polezero.nn._frames import Timeline, over_time
from polezero.nn._magnitude import Magnitude, frequencies
from polezero.nn._module import FilterModule, Memory, Options, Values
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["Chorus", "Flanger", "Phaser", "Waveform"]

Numbers = float | list[float] | Tensor
Waveform = Literal["sine", "triangle"]


def oscillation(phase: Tensor, waveform: Waveform) -> Tensor:
    """Of a phase in cycles, between -1 and 1, rising from 0."""
    if waveform == "sine":
        return torch.sin(2 * math.pi * phase)
    return 1 - 4 * ((phase + 0.25).remainder(1) - 0.5).abs()


class Oscillator:
    """What modules share that sweep by an oscillator; its phase is a state, so that its rate may change at any time."""

    waveform: Waveform
    fs: float

    def sweep(self, now: Values, count: int, memory: Memory | None) -> tuple[Tensor, Tensor]:
        """``depth`` times the oscillation ``[..., T]``, and the phase after it in cycles."""
        rate = now["rate"].double() / self.fs
        if rate.shape[-1] == 1:
            turned = torch.arange(count + 1, dtype=rate.dtype, device=rate.device) * rate
        else:
            turned = torch.nn.functional.pad(torch.cumsum(rate, -1), (1, 0))
        if memory is not None:
            turned = turned + memory[0].unsqueeze(-1)
        swung = oscillation(turned[..., :-1] + now["phase"] / (2 * math.pi), self.waveform)
        return now["depth"] * swung, turned[..., -1].remainder(1)

    def start(self, x: Tensor) -> Tensor:
        """The phase before the first sample of each row, in cycles."""
        return torch.zeros(x.shape[:-1], dtype=torch.float64, device=x.device)


def swept(module: FilterModule, rate: Numbers, rate_range: tuple[float, float], phase: Numbers) -> None:
    """Declare the oscillator of a module."""
    choice(module.refused, "waveform", module.waveform, ("sine", "triangle"))
    module.declare("rate", rate, module.ranged("rate", LogRange, rate_range, "Hz"))
    module.declare("phase", phase, None)


def swept_delay(
    module: DelayLine,
    delay: Numbers,
    delay_range: tuple[float, float],
    depth: Numbers,
    depth_range: tuple[float, float],
    interpolation: Between,
) -> None:
    """Declare a delay, and by which part of itself the oscillator moves it."""
    depths = module.ranged("depth", Range, depth_range)
    module.declare_delay(delay, delay_range, interpolation, depths.high)
    module.declare("depth", depth, depths)


class Flanger(Oscillator, DelayLine):
    r"""A signal and itself a few milliseconds later, the delay moving: teeth of a comb that pass through the spectrum.

    .. math::

        y[n] = x[n] + m\, v[n], \qquad v[n] = w[n - D[n]], \qquad w[n] = x[n] + g\, v[n] \\
        D[n] = f_s\, delay\, (1 + depth \cdot o[n]), \qquad
        H(z) = 1 + \frac{m z^{-D}}{1 - g z^{-D}} \quad\text{where D stands still}

    with o an oscillation between -1 and 1 of ``rate`` that begins at ``phase``.

    Args:
        delay: In the middle of the sweep, in seconds.
        depth: Of the sweep, a part of the delay.
        rate: Of the sweep in Hz.
        feedback: g, a factor; negative ones make other teeth.
        mix: m, the level of the delayed signal, a factor.
        phase: Of the oscillation at the first sample, in radians, which have no range.
        waveform: ``"sine"`` or ``"triangle"``.
        fs: Sampling frequency in Hz.
        delay_range, depth_range, rate_range, feedback_range, mix_range: Least and greatest values; delays from 1 ms,
            or 20 samples where that is more, to 10 ms where nothing is said. The state of a stream is as long as the
            greatest delay of the deepest sweep.
        interpolation: ``"linear"``, or ``"lagrange3"``, as in :class:`Comb`: brighter, and needs 2 samples.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel (``channels=2, phase=[0, 1.57]``
    is a stereo flanger). Stable with ``"linear"`` for all parameters in their ranges, however they move; with
    ``"lagrange3"`` for feedback below 0.8. A rate that changes goes on from the phase that it has reached. Frames of
    parameters are interpolated as they are. Errors: ValueError of one sentence where a parameter is out of its range,
    or the range has delays too short to be read. Source: J. Dattorro, "Effect Design, Part 2: Delay-Line Modulation and
    Chorus", Journal of the AES 45, 1997.

    Example:
        >>> import torch, polezero
        >>> flanger = polezero.nn.Flanger(fs=44100)
        >>> y = flanger(torch.randn(2, 44100))
        >>> flanger.rate = 0.5
        >>> flanger
        Flanger(delay=0.003, depth=0.7, rate=0.5, phase=0, feedback=0.5, mix=0.7, fs=44100)
    """

    def __init__(
        self,
        delay: Numbers = 0.003,
        depth: Numbers = 0.7,
        rate: Numbers = 0.25,
        feedback: Numbers = 0.5,
        mix: Numbers = 0.7,
        phase: Numbers = 0.0,
        *,
        fs: float,
        waveform: Waveform = "sine",
        delay_range: tuple[float, float] | None = None,
        depth_range: tuple[float, float] = (0.0, 0.9),
        rate_range: tuple[float, float] = (0.02, 10.0),
        feedback_range: tuple[float, float] = (-0.95, 0.95),
        mix_range: tuple[float, float] = (-2.0, 2.0),
        interpolation: Between = "linear",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        self.waveform = waveform
        delay_range = (max(1e-3, 20 / self.fs), 1e-2) if delay_range is None else delay_range
        swept_delay(self, delay, delay_range, depth, depth_range, interpolation)
        swept(self, rate, rate_range, phase)
        self.declare("feedback", feedback, below_1(self, "feedback", feedback_range))
        self.declare("mix", mix, self.ranged("mix", Range, mix_range))
        self.declared()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        now = samples(x, values, time)
        swing, phase = self.sweep(now, x.shape[-1], memory)
        D = now["delay"] * self.fs * (1 + swing)
        g, through = now["feedback"], now["mix"] - now["feedback"]
        how = self.interpolation  # y = w + (m - g) v
        if memory is None:
            return feedforward_comb(through, D, comb_filter(-g, D, x, interpolation=how), interpolation=how), None
        w, past = comb_filter(-g, D, x, memory[1], interpolation=how)
        y, _ = feedforward_comb(through, D, w, memory[1], interpolation=how)
        return y, (phase, past)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return self.start(x), *super().rest(x, values, time)

    def polynomials(self, delay: Tensor, feedback: Tensor, mix: Tensor, **_: Tensor) -> Pair:  # type: ignore[override]
        g, through = feedback.unsqueeze(-1), (mix - feedback).unsqueeze(-1)
        weights, delays = self.taps(delay * self.fs)
        taps, delays = torch.nn.functional.pad(weights, (1, 0)), torch.nn.functional.pad(delays, (1, 0))
        first = torch.nn.functional.pad(torch.ones_like(g), (0, weights.shape[-1]))
        return polynomial(first + through * taps, delays), polynomial(first - g * taps, delays)


class Chorus(Oscillator, DelayLine):
    r"""A signal and voices of it, some 20 milliseconds later, whose delays and so whose pitches waver.

    .. math::

        y[n] = x[n] + \frac{m}{K} \sum_{k=0}^{K-1} x[n - D_k[n]], \qquad
        D_k[n] = f_s\, delay\, (1 + depth \cdot o_k[n]) \\
        H(z) = 1 + m z^{-D} \quad\text{where all D stand still, at } f_s\, delay

    with o_k an oscillation between -1 and 1 of ``rate``; voices are 1 / K of a cycle apart.

    Args:
        delay: In the middle of the sweep, in seconds.
        depth: Of the sweep, a part of the delay. The pitch wavers by 2 pi rate delay depth of itself.
        rate: Of the sweep in Hz.
        mix: m, the level of the voices together, a factor.
        phase: Of the first voice's oscillation at the first sample, in radians, which have no range.
        voices: K.
        waveform: ``"sine"`` or ``"triangle"``.
        fs: Sampling frequency in Hz.
        delay_range, depth_range, rate_range, mix_range: Least and greatest values. The state of a stream is as long as
            the greatest delay of the deepest sweep.
        interpolation: ``"lagrange3"`` or ``"linear"``, as in :class:`Comb`.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. There is no feedback, and so
    always stability. Phases, frames and errors are those of :class:`Flanger`. Source: J. Dattorro, "Effect Design, Part
    2: Delay-Line Modulation and Chorus", Journal of the AES 45, 1997.

    Example:
        >>> import torch, polezero
        >>> chorus = polezero.nn.Chorus(fs=44100, channels=2, phase=[0.0, 1.57])
        >>> chorus(torch.randn(3, 2, 4410)).shape
        torch.Size([3, 2, 4410])
    """

    def __init__(
        self,
        delay: Numbers = 0.018,
        depth: Numbers = 0.08,
        rate: Numbers = 0.8,
        mix: Numbers = 0.8,
        phase: Numbers = 0.0,
        *,
        fs: float,
        voices: int = 3,
        waveform: Waveform = "sine",
        delay_range: tuple[float, float] = (0.005, 0.04),
        depth_range: tuple[float, float] = (0.0, 0.25),
        rate_range: tuple[float, float] = (0.05, 10.0),
        mix_range: tuple[float, float] = (0.0, 2.0),
        interpolation: Between = "lagrange3",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        self.voices, self.waveform = whole(self.refused, "voices", voices), waveform
        swept_delay(self, delay, delay_range, depth, depth_range, interpolation)
        swept(self, rate, rate_range, phase)
        self.declare("mix", mix, self.ranged("mix", Range, mix_range))
        self.declared()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        voiced = {name: value.unsqueeze(-2) for name, value in samples(x, values, time).items()}
        apart = torch.arange(self.voices, dtype=torch.float64, device=x.device)[:, None] * (2 * math.pi / self.voices)
        voiced["phase"] = voiced["phase"] + apart
        at = None if memory is None else (memory[0].unsqueeze(-1),)
        swing, phase = self.sweep(voiced, x.shape[-1], at)
        D, how = voiced["delay"] * self.fs * (1 + swing), self.interpolation
        copies = x.unsqueeze(-2).expand(*x.shape[:-1], self.voices, x.shape[-1])
        if memory is None:
            return feedforward_comb(voiced["mix"], D, copies, interpolation=how).mean(-2), None
        y, past = feedforward_comb(voiced["mix"], D, copies, memory[1].unsqueeze(-2), interpolation=how)
        return y.mean(-2), (phase[..., 0], past[..., 0, :])

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return self.start(x), *super().rest(x, values, time)

    def polynomials(self, delay: Tensor, mix: Tensor, **_: Tensor) -> Pair:  # type: ignore[override]
        weights, delays = self.taps(delay * self.fs)
        taps = torch.cat([weights.new_ones(*weights.shape[:-1], 1), mix.unsqueeze(-1) * weights], -1)
        return polynomial(taps, torch.nn.functional.pad(delays, (1, 0))), torch.ones_like(taps[..., :1])

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, voices={self.voices}"


class Phaser(Oscillator, Magnitude):
    r"""A signal and itself through all-passes: notches, two stages each, that an oscillator sweeps.

    .. math::

        y[n] = x[n] + m\, v[n], \qquad v = A^K u, \qquad u[n] = x[n] + g\, v[n - 1] \\
        A(z) = \frac{a + z^{-1}}{1 + a z^{-1}}, \qquad a = \frac{\tan(\pi f / f_s) - 1}{\tan(\pi f / f_s) + 1},
        \qquad f[n] = frequency \cdot 2^{\,depth \cdot o[n]} \\
        H(z) = 1 + \frac{m A^K(z)}{1 - g z^{-1} A^K(z)} \quad\text{where f stands still}

    with o an oscillation between -1 and 1 of ``rate`` that begins at ``phase``. A stage turns the phase by 90 degrees
    at f. Stages are normalised ladders, which hand on the energy that they take in however f moves,

    .. math:: s[n + 1] = -a s[n] + c\, u[n], \qquad v[n] = c\, s[n] + a\, u[n], \qquad c = \sqrt{1 - a^2}

    so that the loop is stable for all feedback below 1.

    Args:
        frequency: In the middle of the sweep, in Hz.
        depth: Of the sweep to either side, in octaves.
        rate: Of the sweep in Hz.
        feedback: g, a factor; it sharpens the peaks between the notches.
        mix: m, the level of the signal behind the stages, a factor; 1 makes notches of all depth.
        phase: Of the oscillation at the first sample, in radians, which have no range.
        stages: K, all-passes of first order.
        waveform: ``"sine"`` or ``"triangle"``.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest frequency; None for 100 Hz to 4 kHz, less at low rates.
        depth_range, rate_range, feedback_range, mix_range: Least and greatest values.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; each parameter is a number, or one a channel. Memory is that of a matrix of
    K + 1 rows a sample. Phases and frames are those of :class:`Flanger`. Errors: ValueError of one sentence where a
    parameter is out of its range, or the sweep would reach half the sampling frequency. Source: J. O. Smith, "Physical
    Audio Signal Processing", on phasing; A. H. Gray and J. D. Markel, "A normalized digital filter structure", IEEE
    Trans. Acoust., Speech, Signal Process. 23(3), 1975.

    Example:
        >>> import torch, polezero
        >>> phaser = polezero.nn.Phaser(800.0, fs=44100)
        >>> y = phaser(torch.randn(2, 4410))
        >>> phaser
        Phaser(frequency=800, depth=1, rate=0.5, phase=0, feedback=0.3, mix=1, fs=44100, stages=4)
    """

    def __init__(
        self,
        frequency: Numbers = 800.0,
        depth: Numbers = 1.0,
        rate: Numbers = 0.5,
        feedback: Numbers = 0.3,
        mix: Numbers = 1.0,
        phase: Numbers = 0.0,
        *,
        fs: float,
        stages: int = 4,
        waveform: Waveform = "sine",
        frequency_range: tuple[float, float] | None = None,
        depth_range: tuple[float, float] = (0.0, 2.0),
        rate_range: tuple[float, float] = (0.02, 10.0),
        feedback_range: tuple[float, float] = (-0.95, 0.95),
        mix_range: tuple[float, float] = (-2.0, 2.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        self.stages, self.waveform = whole(self.refused, "stages", stages), waveform
        depths = self.ranged("depth", Range, depth_range, "octaves")
        highest = 0.5 * self.fs / 2**depths.high
        own = (min(100.0, self.fs / 480), min(4000.0, 0.9 * highest)) if frequency_range is None else frequency_range
        middles = self.ranged("frequency", LogRange, own, "Hz")
        if not middles.high < highest:
            expected = f"frequencies below {highest:g} Hz, which {depths.high:g} octaves take to fs / 2"
            raise self.refused("frequency_range", expected, own)
        self.declare("frequency", frequency, middles)
        self.declare("depth", depth, depths)
        swept(self, rate, rate_range, phase)
        self.declare("feedback", feedback, below_1(self, "feedback", feedback_range))
        self.declare("mix", mix, self.ranged("mix", Range, mix_range))
        self.declared()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        now = over_time(values, time)
        swing, phase = self.sweep(now, x.shape[-1], memory)
        turn = torch.tan(math.pi / self.fs * now["frequency"] * 2**swing)
        system = ladders((turn - 1) / (turn + 1), now["feedback"], now["mix"], self.stages)
        if memory is None:
            y: Tensor = lpv.state_space(*system, x.unsqueeze(-2))
            return y.squeeze(-2), None
        y, state = lpv.state_space(*system, x.unsqueeze(-2), memory[1])
        return y.squeeze(-2), (phase, state)

    def _middle(self, **values: Tensor | float) -> Values:
        """The parameters and a, ``[..., 1]`` in float64, in the middle of the sweep."""
        now = {name: value.double().unsqueeze(-1) for name, value in self.values(**values).items()}
        turn = torch.tan(math.pi / self.fs * now["frequency"])
        return {**now, "a": (turn - 1) / (turn + 1)}

    def ba(self, **values: Tensor | float) -> Pair:
        """Numerator and denominator in the middle of the sweep, ``[..., stages + 2]`` in float64."""
        now, K = self._middle(**values), self.stages
        turned = torch.cat([now["a"] ** k * math.comb(K, k) for k in range(K + 1)], -1)  # (1 + a / z)^K
        through = torch.nn.functional.pad(turned.flip(-1), (0, 1))  # (a + 1 / z)^K
        a = torch.nn.functional.pad(turned, (0, 1)) - now["feedback"] * through.roll(1, -1)
        return a + now["mix"] * through, a

    def freqz(self, worN: int | Tensor = 512, **values: Tensor | float) -> tuple[Tensor, Tensor]:
        """Frequencies in Hz, and the response at them in the middle of the sweep."""
        now = self._middle(**values)
        a, hertz = now["a"], frequencies(worN, self.fs, now["a"])
        late = torch.exp(-2j * math.pi / self.fs * hertz.double())
        v = ((a + late) / (1 + a * late)) ** self.stages
        return hertz, 1 + now["mix"] * v / (1 - now["feedback"] * late * v)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return self.start(x), torch.zeros(*x.shape[:-1], self.stages + 1, dtype=torch.float64, device=x.device)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, stages={self.stages}"


def ladders(a: Tensor, feedback: Tensor, mix: Tensor, stages: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The phaser as matrices ``[..., T, ..]``; its states are those of the stages, and what was fed back."""
    a, feedback, mix = (v.unsqueeze(-1) for v in torch.broadcast_tensors(a, feedback, mix))
    order = torch.arange(stages, device=a.device)
    power = a ** torch.arange(stages + 1, device=a.device, dtype=a.dtype)
    c = torch.sqrt(1 - a * a)
    # Stage k takes in a^k u and, of each stage j before it, a^(k - 1 - j) c s_j.
    distance = order[:, None] - 1 - order
    between = torch.where(distance >= 0, power[..., distance.clamp(min=0)], 0.0) * (c * c).unsqueeze(-1)
    own = torch.diag_embed(-a.expand(*a.shape[:-1], stages))
    entering = c * power[..., :-1]
    leaving = c * power[..., :-1].flip(-1)
    last = power[..., -1:]
    into = torch.cat([entering, last], -1)  # of u, which is x and what is fed back
    out = torch.cat([leaving, feedback * last], -1)
    A = torch.cat([torch.cat([between + own, (feedback * entering).unsqueeze(-1)], -1), out.unsqueeze(-2)], -2)
    return A, into.unsqueeze(-1), (mix * out).unsqueeze(-2), (1 + mix * last).unsqueeze(-1)
