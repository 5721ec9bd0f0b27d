r"""Parametrizations: how a parameter of a filter is kept in its range while an optimiser moves it freely.

Each is a module for :func:`torch.nn.utils.parametrize.register_parametrization`: ``forward`` takes unconstrained
numbers to values in the range, ``right_inverse`` takes values back, so that a parametrized attribute can be assigned.
Values outside the range are refused by one sentence (ValueError). A border of a closed range is a value like others,
and has a finite unconstrained number: the one from which rounding reaches it. There the gradient is 0, since the
range ends: a parameter that starts on a border stays on it.

Those of coefficients (:class:`Triangle`, :class:`Tanh`, :class:`PoleRadius`, :class:`Reflection`) keep all poles
inside the unit circle, whatever the optimiser does: their tanh reaches 1 by rounding, so that they stop ``MARGIN``
before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from polezero.nn._ascending import beyond, original_of, places
from polezero.nn._ranges import MARGIN, Parametrization, rounding, within

__all__ = [
    "Decibels",
    "LogRange",
    "Lsf",
    "PoleRadius",
    "Range",
    "Reflection",
    "Tanh",
    "TimeConstant",
    "Triangle",
]


def _saturated(t: Tensor) -> Tensor:
    """The inverse of tanh on [-1, 1], where the ends have the least number that tanh rounds to them."""
    end = math.log(16 / torch.finfo(t.dtype).eps) / 2
    return torch.atanh(t).clamp(-end, end)


class Range(Parametrization):
    r"""A number between two others.

    .. math:: v = \frac{l + h}{2} + \frac{h - l}{2} \tanh \frac{u}{2}

    The gradient is at most (h - l) / 4, in the middle, and falls to 0 at the borders, which belong to the range.

    Args:
        low: Least value.
        high: Greatest value.
        unit: For messages: of what the values are numbers.

    Source: the logistic function, scaled.

    Example:
        >>> import torch
        >>> gain = Range(-18.0, 18.0, "dB")
        >>> gain(gain.right_inverse(torch.tensor([-18.0, 0.0, 6.0])))
        tensor([-18.,   0.,   6.])
    """

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        super().__init__()
        if not low < high < math.inf or low == -math.inf:
            raise ValueError(f"{type(self).__name__}: low: expected a number below high, got {low} and {high}")
        self.low, self.high = float(low), float(high)
        self.expected = f"{low:g} to {high:g}{unit and f' {unit}'}"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        slack = 4 * rounding(value) * max(abs(self.low), abs(self.high))
        return within(value, self.low - slack, self.high + slack)

    def forward(self, original: Tensor) -> Tensor:
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return (middle + half * torch.tanh(original / 2)).clamp(self.low, self.high)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return 2 * _saturated(((value - middle) / half).clamp(-1, 1))


class LogRange(Range):
    r"""A positive number between two others, of which ratios matter: a frequency, a time, a quality.

    .. math:: v = \sqrt{l h} \; \exp\left(\frac{1}{2} \ln\frac{h}{l} \tanh \frac{u}{2}\right)

    A step of u moves the middle of the range and its ends by the same ratio; the gradient of ln v is at most
    ln(h / l) / 4, and falls to 0 at the borders, which belong to the range.

    Args:
        low: Least value, above 0.
        high: Greatest value.
        unit: For messages.

    Source: the logistic function of the logarithm.

    Example:
        >>> import torch
        >>> frequency = LogRange(20.0, 20000.0, "Hz")
        >>> frequency(torch.zeros(()))
        tensor(632.4555)
    """

    def __init__(self, low: float, high: float, unit: str = "") -> None:
        super().__init__(low, high, unit)
        if low <= 0:
            raise ValueError(f"{type(self).__name__}: low: expected a number above 0, got {low}")

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        slack = 4 * rounding(value)
        return within(value, self.low * (1 - slack), self.high * (1 + slack))

    def forward(self, original: Tensor) -> Tensor:
        middle, half = math.sqrt(self.low * self.high), math.log(self.high / self.low) / 2
        return (middle * torch.exp(half * torch.tanh(original / 2))).clamp(self.low, self.high)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        middle, half = math.sqrt(self.low * self.high), math.log(self.high / self.low) / 2
        return 2 * _saturated((torch.log(value / middle) / half).clamp(-1, 1))


class Decibels(LogRange):
    r"""A factor whose level in decibels is between two others.

    .. math:: v = 10^{d / 20}, \qquad d = \frac{l + h}{2} + \frac{h - l}{2} \tanh \frac{u}{2}

    The gradient of d is that of :class:`Range`. The factor is never 0 and keeps its sign, which is positive.

    Args:
        low: Least level in dB.
        high: Greatest level in dB.

    Source: the definition of the decibel.

    Example:
        >>> import torch
        >>> Decibels(-40.0, 0.0)(torch.zeros(()))  # -20 dB
        tensor(0.1000)
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__(10 ** (low / 20), 10 ** (high / 20))
        self.expected = f"a factor of {low:g} to {high:g} dB ({self.low:.4g} to {self.high:.4g})"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return super().fits(value if margin else value.clamp(min=self.low)) and within(value, 0.0, math.inf)


class TimeConstant(Parametrization):
    r"""The pole of a one-pole smoother, by its time constant: after that time 1/e of a step is left.

    .. math:: v = e^{-1 / (\tau f_s)}, \qquad \ln\tau \text{ in the range of } \ln l \text{ to } \ln h

    Stable, as all time constants are positive. The gradient of ln tau is that of :class:`LogRange`; that of v itself
    is small where tau is long, as the pole then hardly moves.

    Args:
        low: Least time constant in seconds.
        high: Greatest time constant in seconds.
        fs: Sampling frequency in Hz.

    Source: the impulse invariance of a first-order low-pass.

    Example:
        >>> import torch
        >>> smoother = TimeConstant(1e-3, 1.0, fs=48000)
        >>> smoother(smoother.right_inverse(torch.tensor(0.999, dtype=torch.float64)))
        tensor(0.9990, dtype=torch.float64)
    """

    def __init__(self, low: float, high: float, fs: float) -> None:
        super().__init__()
        self.seconds, self.fs = LogRange(low, high), float(fs)
        ends = math.exp(-1 / (low * fs)), math.exp(-1 / (high * fs))
        self.expected = f"a pole of a time constant of {low:g} to {high:g} s ({ends[0]:.6g} to {ends[1]:.6g})"

    def _seconds(self, value: Tensor) -> Tensor:
        """The time constants, to the rounding of the poles, which leaves them few digits where they are long."""
        seconds = -1 / (torch.log(value.double()) * self.fs)
        slack = torch.finfo(value.dtype).eps * self.fs * self.seconds.high
        low, high = self.seconds.low, self.seconds.high
        inside = (seconds >= low * (1 - slack)) & (seconds <= high * (1 + slack))
        return torch.where(inside, seconds.clamp(low, high), torch.nan)

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return self.seconds.fits(self._seconds(value))

    def forward(self, original: Tensor) -> Tensor:
        return torch.exp(-1 / (self.seconds(original) * self.fs))

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        return self.seconds.right_inverse(self._seconds(value)).to(value.dtype)


class Triangle(Parametrization):
    r"""The denominator a_1, a_2 of a biquad, inside the triangle of stability.

    .. math:: a_1 = 2 r \tanh u_1, \qquad a_2 = \frac{(2 - |a_1|)\, r \tanh u_2 + |a_1|}{2}, \qquad r = 1 - 2^{-20}

    All stable sections, and no others: poles real or complex. The gradient has a kink where a_1 = 0 and falls to 0
    at the edges of the triangle. Acts on ``[..., 2]``.

    Source: S. Nercessian, A. Sarroff and K. J. Werner, "Lightweight and interpretable neural modeling of an audio
    distortion effect using hyperconditioned differentiable biquads", ICASSP 2021.

    Example:
        >>> import torch
        >>> Triangle()(torch.tensor([0.0, 0.0]))
        tensor([0., 0.])
    """

    expected = "a_1 and a_2 of a stable section (|a_1| < 2, |a_1| - 1 < a_2 < 1)"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        a1, a2 = value.unbind(-1)
        edge = a1.abs() / 2
        inside = (edge <= 1 - margin) & ((a2 - edge).abs() <= (1 - edge) * (1 - margin) + 2 * rounding(value))
        return bool(inside.all())

    def forward(self, original: Tensor) -> Tensor:
        first, second = ((1 - MARGIN) * torch.tanh(original)).unbind(-1)
        a1 = 2 * first
        return torch.stack([a1, ((2 - a1.abs()) * second + a1.abs()) / 2], -1)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        a1, a2 = value.unbind(-1)
        unit = torch.stack([a1, (2 * a2 - a1.abs()) / (2 - a1.abs()) * 2], -1) / (2 * (1 - MARGIN))
        return _saturated(unit.clamp(-1, 1))


class Tanh(Parametrization):
    r"""A pole as a point of the complex plane, inside the unit circle.

    .. math:: p = r \frac{\tanh |u|}{|u|} u, \qquad r = 1 - 2^{-20}

    Keeps the angle. Smooth everywhere, the origin included; towards the circle the radial part of the gradient falls
    to 0 as 1 - |p|^2 and the angular part as 1 / |u|. Acts on ``[..., 2]``, real and imaginary part.

    Source: the pole-zero filters of grafx (S. Lee et al., "GRAFX: an open-source library for audio processing graphs
    in PyTorch", DAFx 2024).

    Example:
        >>> import torch
        >>> Tanh()(torch.tensor([3.0, 4.0]))
        tensor([0.5999, 0.7999])
    """

    expected = "the real and imaginary part of a pole inside the unit circle"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return bool((torch.linalg.vector_norm(value, dim=-1) <= 1 - margin + 2 * rounding(value)).all())

    def forward(self, original: Tensor) -> Tensor:
        return _along(original, lambda norm: (1 - MARGIN) * torch.tanh(norm))

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        return _along(value, lambda norm: _saturated((norm / (1 - MARGIN)).clamp(max=1)))


def _along(point: Tensor, radius: Callable[[Tensor], Tensor]) -> Tensor:
    """The point moved along its ray to another distance from the origin, where it and its derivatives stay."""
    tiny = torch.finfo(point.dtype).tiny ** 0.5
    norm = torch.sqrt(point.square().sum(-1, keepdim=True) + tiny)
    return point * (radius(norm) / norm)


class PoleRadius(Range):
    r"""The radius of a pole, of which the distance from the unit circle matters.

    .. math:: r = \frac{1 - 2^{-20}}{1 + e^{-u}}

    Towards the circle 1 - r falls by e for each step of u by 1, so that a long decay is learned as easily as a short
    one; the gradient is r (1 - r). The border 0 is a pole at the origin, that of a delay.

    Source: the logistic function.

    Example:
        >>> import torch
        >>> PoleRadius()(torch.tensor([-100.0, 0.0, 4.6]))
        tensor([0.0000, 0.5000, 0.9900])
    """

    def __init__(self) -> None:
        super().__init__(0.0, 1 - MARGIN)
        self.expected = "a radius from 0 to below 1"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return within(value, 0.0, 1 - margin)

    def forward(self, original: Tensor) -> Tensor:
        return self.high * torch.sigmoid(original)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        end = math.log(16 / torch.finfo(value.dtype).eps)
        return torch.logit(value / self.high).clamp(-end, end)


class Reflection(Parametrization):
    r"""Reflection coefficients of a lattice, one a stage.

    .. math:: k_i = (1 - 2^{-20}) \tanh u_i

    All stable filters of an order, and no others; a lattice of them is stable even where they change with time. The
    gradient is 1 - k_i^2. The polynomial is that of :func:`polezero.latc2tf`.

    Source: J. D. Markel and A. H. Gray, "Linear Prediction of Speech", Springer 1976, chapter 5.

    Example:
        >>> import torch
        >>> Reflection()(torch.tensor([0.0, 0.5]))
        tensor([0.0000, 0.4621])
    """

    expected = "reflection coefficients between -1 and 1"

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        return within(value, margin - 1, 1 - margin)

    def forward(self, original: Tensor) -> Tensor:
        return (1 - MARGIN) * torch.tanh(original)

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        return _saturated(value / (1 - MARGIN))


class Lsf(Parametrization):
    r"""Line spectral frequencies: an ascending row of angles between 0 and pi, or of Hz up to fs / 2.

    .. math:: \omega_i = \pi \sum_{j \le i} g_j, \qquad g = \epsilon + (1 - (N + 1) \epsilon)\, \text{softmax}(u, 0)

    Ascending frequencies are those of a stable all-pole filter, and of no other. A gap between two of them is a
    resonance, and its gradient falls to 0 where it is closed to epsilon, its least. Acts on ``[..., N]``.

    Args:
        gap: The least gap, as a part of pi, or of fs / 2.
        fs: Sampling frequency in Hz, where the values are in Hz; None for radians per sample.

    Source: F. Itakura, "Line spectrum representation of linear predictor coefficients of speech signals", JASA 57,
    1975; F. K. Soong and B.-H. Juang, "Line spectrum pair (LSP) and speech data compression", ICASSP 1984.

    Example:
        >>> import torch
        >>> Lsf()(torch.zeros(3)) / torch.pi
        tensor([0.2500, 0.5000, 0.7500])
    """

    def __init__(self, gap: float = 1e-5, fs: float | None = None) -> None:
        super().__init__()
        self.gap, self.end = float(gap), math.pi if fs is None else fs / 2
        self.expected = f"ascending angles between 0 and pi, {gap:g} pi apart at least"
        if fs is not None:
            self.expected = f"ascending Hz between 0 and {self.end:g}, {gap * self.end:g} apart at least"

    def _least(self, like: Tensor) -> Tensor:
        return like.new_full((like.shape[-1] + 1,), self.gap)

    def _free(self, value: Tensor) -> Tensor:
        return beyond(value / self.end, self._least(value))

    def fits(self, value: Tensor, margin: float = MARGIN) -> bool:
        least = self._least(value) if margin else torch.zeros_like(self._least(value))
        return bool((beyond(value / self.end, least) >= -8 * rounding(value)).all())

    def forward(self, original: Tensor) -> Tensor:
        return self.end * places(original, self._least(original))

    def right_inverse(self, value: Tensor) -> Tensor:
        self.check(value)
        return original_of(self._free(value))
