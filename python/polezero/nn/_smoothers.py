"""Filters of one pole that follow a level: smoothers and envelopes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._allpole import linear_recurrence
from polezero.nn._checks import choice, number, truth
from polezero.nn._frames import Timeline
from polezero.nn._module import FilterModule, Memory, Options, Values
from polezero.nn._sections import Sections
from polezero.nn.parametrizations import LogRange

__all__ = ["Envelope", "Initial", "Smoother", "at_rest", "begin", "smoothed", "zi_dtype"]

Numbers = float | list[float] | Tensor
Initial = float | Literal["first"]


def smoothed(x: Tensor, pole: Tensor, zi: Tensor) -> tuple[Tensor, Tensor]:
    """A weighted mean of each sample and the result before it, and its last value.

    ``pole`` is ``[..., T or 1]``. The state is the result itself, so that a pole that moves makes no step of its own.
    """
    y, zf = linear_recurrence(pole, (1 - pole).to(zi_dtype(x)) * x, zi=zi)
    return y.to(x.dtype), zf


def zi_dtype(x: Tensor, memory: Memory | None = None) -> torch.dtype:
    """That of the state of one pole.

    Between chunks it is float64: in float32 a long mean would stand still, as what a sample adds to it is less than its
    rounding. A whole signal is filtered in one go, with a float64 state inside, and faster where none comes from here.
    """
    return torch.promote_types(x.dtype, torch.float32 if memory is None else torch.float64)


def check_initial(module: FilterModule, initial: Initial) -> None:
    if not (isinstance(initial, str) and initial == "first"):
        number(module.refused, "initial", initial, "a number or 'first'")


def begin(x: Tensor, initial: Initial, time: Timeline, memory: Memory | None) -> Tensor:
    """The state of a smoother before ``x``."""
    if initial == "first" and x.shape[-1]:
        first = x[..., :1].to(zi_dtype(x, memory))
        if isinstance(time.position, Tensor) and memory:
            return torch.where(time.position == 0, first, memory[-1])
        if time.position == 0:
            return first
    if memory:
        return memory[-1]
    return at_rest(x, initial, (), None)


def at_rest(x: Tensor, initial: Initial, leading: tuple[int, ...], memory: Memory | None) -> Tensor:
    start = 0.0 if initial == "first" else initial
    return torch.full((*leading, 1), start, dtype=zi_dtype(x, memory), device=x.device)


class Smoother(Sections):
    r"""A first-order low pass of gain 1 at 0, which is said by its time constant.

    .. math::

        y[n] = p\, y[n-1] + (1 - p)\, x[n], \qquad p = e^{-1 / (\tau f_s)}, \qquad
        H(z) = \frac{1 - p}{1 - p z^{-1}}

    After tau seconds 1/e of a step is left to go, up and down alike. Results lie between the least and the greatest
    sample so far (and the initial state), also where tau changes. The -3 dB point is at 1 / (2 pi tau) Hz where tau is
    many samples long.

    Args:
        time_constant: tau in seconds.
        initial: y[-1], a number, or ``"first"`` for the first sample of the signal, from which y then starts.
        fs: Sampling frequency in Hz.
        time_constant_range: Least and greatest time constant.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; the time constant is a number, or one a channel. Between two frames that are
    given to a call the pole is interpolated. The pole is below 1 for all time constants, so that the filter is stable
    however they change. Errors: ValueError of one sentence where the time constant is out of its range, or ``initial``
    is neither. Source: the impulse invariance of an RC low pass.

    Example:
        >>> import torch, polezero
        >>> smoother = polezero.nn.Smoother(2.0, fs=1, trainable=False)
        >>> smoother(torch.ones(5))
        tensor([0.3935, 0.6321, 0.7769, 0.8647, 0.9179])
        >>> smoother.time_constant = 1.0
        >>> smoother
        Smoother(time_constant=1, fs=1)
    """

    def __init__(
        self,
        time_constant: Numbers = 0.01,
        *,
        initial: Initial = 0.0,
        fs: float,
        time_constant_range: tuple[float, float] = (1e-4, 10.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        check_initial(self, initial)
        self.initial = initial
        seconds = self.ranged("time_constant", LogRange, time_constant_range, "s")
        self.declare("time_constant", time_constant, seconds)
        self.declared()

    def pole(self, time_constant: Tensor) -> Tensor:
        return torch.exp(-1 / (time_constant.double() * self.fs))

    def design(self, time_constant: Tensor) -> Tensor:  # type: ignore[override]
        p = self.pole(time_constant)
        one, zero = torch.ones_like(p), torch.zeros_like(p)
        return torch.stack([1 - p, zero, zero, one, -p, zero], -1).unsqueeze(-2)

    def sections(self) -> int:
        return 1

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        pole = self.pole(values["time_constant"])
        pole = time.between(pole, 0) if time.varies else pole.unsqueeze(-1)
        y, zf = smoothed(x, pole, begin(x, self.initial, time, memory))
        return y, None if memory is None else (zf,)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (at_rest(x, self.initial, x.shape[:-1], ()),)


class Envelope(Smoother):
    r"""How strong a signal is, sample by sample: its rectified or squared samples, smoothed.

    .. math::

        e_\text{absolute} = S(|x|), \qquad e_\text{rms} = \sqrt{S(x^2)}, \qquad e_\text{peak} = \sqrt{2\, S(x^2)}

    where S is a :class:`Smoother`, whose H(z) it has. ``"peak"`` is the amplitude of a sine of that RMS, as meters for
    sines are marked; the highest sample itself needs an attack that is faster than the release, which no linear
    smoother has.

    Args:
        detector: ``"rms"``, ``"absolute"`` or ``"peak"``.
        time_constant: tau of S in seconds.
        decibels: Whether the result is 20 log10 e.
        floor: The least result in dB, with ``decibels``; below it the gradient is 0.
        initial: The state of S before the signal, of rectified or squared samples, or ``"first"``.
        fs: Sampling frequency in Hz.
        time_constant_range: Least and greatest time constant.
        options: As of :class:`Smoother`.

    Shapes: ``[..., T]`` to ``[..., T]``. ``sos()``, ``freqz()`` and ``plot()`` are those of S. Where e is 0 its
    gradient is 0. Errors: as :class:`Smoother`, and where the detector is unknown. Source: D. Giannoulis, M. Massberg
    and J. D. Reiss, "Digital dynamic range compressor design", JAES 60, 2012 (level detection).

    Example:
        >>> import torch, polezero
        >>> level = polezero.nn.Envelope("peak", 0.1, decibels=True, fs=8000, trainable=False)
        >>> sine = 0.5 * torch.sin(2 * torch.pi * 440 / 8000 * torch.arange(16000.0))
        >>> level(sine)[-1].round(decimals=1)
        tensor(-6.)
    """

    def __init__(
        self,
        detector: Literal["rms", "absolute", "peak"] = "rms",
        time_constant: Numbers = 0.01,
        *,
        decibels: bool = False,
        floor: float = -120.0,
        initial: Initial = 0.0,
        fs: float,
        time_constant_range: tuple[float, float] = (1e-4, 10.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(time_constant, initial=initial, fs=fs, time_constant_range=time_constant_range, **options)
        choice(self.refused, "detector", detector, ("rms", "absolute", "peak"))
        self.detector, self.decibels = detector, truth(self.refused, "decibels", decibels)
        self.floor = number(self.refused, "floor", floor, "a number of dB")

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        absolute, dtype = self.detector == "absolute", x.real.dtype
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # the square of a float16 ends at 256
        detected = x.abs() if absolute else (x * x.conj()).real if x.is_complex() else x.square()
        level, memory = super().filter(detected, values, time, memory)
        if self.detector == "peak":
            level = 2 * level
        if self.decibels:
            scale = 20.0 if absolute else 10.0
            level = scale * torch.log10(level.clamp(min=10 ** (self.floor / scale)))
        elif not absolute:
            sounds = level > 0  # elsewhere the square root has no derivative
            level = torch.where(sounds, torch.sqrt(torch.where(sounds, level, 1.0)), 0.0)
        return level.to(dtype), memory

    def extra_repr(self) -> str:
        return f"{self.detector!r}, {super().extra_repr()}"
