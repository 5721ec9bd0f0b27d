"""Fixed or nearly fixed filters before and behind others: DC blockers, emphases, weightings."""

from __future__ import annotations

import math
from typing import get_args

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero._allpole import linear_recurrence
from polezero._design.emphasis import deemphasis, preemphasis
from polezero._design.weighting import Curve, weighting
from polezero.nn._checks import choice, real, truth
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._sections import Sections
from polezero.nn._smoothers import zi_dtype
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["DCBlocker", "PreEmphasis", "Weighting"]

Numbers = float | list[float] | Tensor


class DCBlocker(Sections):
    r"""A first-order high pass with its zero at 1, which takes the constant part of a signal away.

    .. math::

        y[n] = R\, y[n-1] + \frac{1 + R}{2} (x[n] - x[n-1]), \qquad
        H(z) = \frac{1 + R}{2} \, \frac{1 - z^{-1}}{1 - R z^{-1}}, \qquad
        R = \tan\left(\frac{\pi}{4} - \frac{\pi f_c}{f_s}\right)

    The gain is 0 at 0, -3 dB at f_c and 1 at Nyquist: the Butterworth high pass of order 1. The state is the last
    input and output, so that a constant stays away however f_c changes.

    Args:
        frequency: Cut-off f_c in Hz; 10 where there is no R either (fs / 4800 where that is less).
        R: The pole, in place of it.
        fs: Sampling frequency in Hz.
        frequency_range: Least and greatest cut-off; None for 0.1 Hz (fs / 480000 where that is less) to 0.1 fs.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; the cut-off is a number, or one a channel. Between two frames that are given
    to a call R is interpolated. Stable however the cut-off changes. Errors: ValueError of one sentence where the
    cut-off is out of its range. Source: J. O. Smith, "Introduction to Digital Filters", 2007, "DC blocker", whose
    gain at Nyquist is 2 / (1 + R).

    Example:
        >>> import torch, polezero
        >>> blocker = polezero.nn.DCBlocker(R=0.995, fs=48000)
        >>> blocker
        DCBlocker(frequency=38.29, fs=48000)
        >>> bool(blocker(torch.ones(48000))[-1].abs() < 1e-6)
        True
    """

    def __init__(
        self,
        frequency: Numbers | None = None,
        *,
        R: Numbers | None = None,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        if R is not None:
            if frequency is not None:
                raise self.refused("R", "None beside a frequency", R)
            frequency = (math.pi / 4 - torch.atan(real(self.refused, "R", R))) * (self.fs / math.pi)
        if frequency is None:
            frequency = min(10.0, self.fs / 4800)
        limits = (min(0.1, self.fs / 480000), 0.1 * self.fs) if frequency_range is None else frequency_range
        self.declare("frequency", frequency, self.ranged("frequency", LogRange, limits, "Hz"))
        self.declared()

    def pole(self, frequency: Tensor) -> Tensor:
        return torch.tan(math.pi / 4 - frequency.double() * (math.pi / self.fs))

    @property
    def R(self) -> Tensor:
        """The pole now."""
        return self.pole(self.values()["frequency"])

    def design(self, frequency: Tensor) -> Tensor:  # type: ignore[override]
        R = self.pole(frequency)
        gain, one, zero = (1 + R) / 2, torch.ones_like(R), torch.zeros_like(R)
        return torch.stack([gain, -gain, zero, one, -R, zero], -1).unsqueeze(-2)

    def sections(self) -> int:
        return 1

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        R = self.pole(values["frequency"])
        R = time.between(R, 0) if time.varies else R.unsqueeze(-1)
        before, zi = memory or (x.new_zeros((*x.shape[:-1], 1)), x.new_zeros(1, dtype=zi_dtype(x)))
        past = torch.cat([before, x], -1)
        y, zf = linear_recurrence(R, ((1 + R) / 2).to(zi_dtype(x)) * (x - past[..., :-1]), zi=zi)
        return y.to(x.dtype), None if memory is None else (past[..., -1:].clone(), zf)  # without the chunk

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        before = x.new_zeros((*x.shape[:-1], 1))
        return before, before.to(zi_dtype(x, ()))


class PreEmphasis(Sections):
    r"""The emphasis of high frequencies before a model or a channel, or its inverse behind it.

    .. math::

        H(z) = 1 - c z^{-1} \quad \text{or, of a time constant,} \quad H(s) = 1 + s \tau

    by :func:`polezero.preemphasis`, and :func:`polezero.deemphasis`, which undoes it sample by sample.

    Args:
        coef: c; 0.97, as in speech, where there is no time constant either.
        time_constant: tau in seconds, in place of it: 75e-6 or 50e-6 for FM radio.
        inverse: Whether this is the de-emphasis.
        fs: Sampling frequency in Hz.
        coef_range: Least and greatest c; the inverse has its pole there.
        time_constant_range: Least and greatest time constant.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., T]``; the parameter is a number, or one a channel. Both directions are stable for
    all parameters in their ranges, and between two frames of parameters that are given to a call. Errors: ValueError of
    one sentence where a parameter is out of its range, or both are given. Source: ITU-R BS.450 (the time constants);
    J. D. Markel and A. H. Gray, "Linear Prediction of Speech", Springer 1976 (the coefficient).

    Example:
        >>> import torch, polezero
        >>> x, emphasis = torch.randn(1000), polezero.nn.PreEmphasis(0.97)
        >>> back = polezero.nn.PreEmphasis(emphasis.coef, inverse=True)
        >>> torch.testing.assert_close(back(emphasis(x)), x, atol=1e-5, rtol=1e-5)
    """

    def __init__(
        self,
        coef: Numbers | None = None,
        *,
        time_constant: Numbers | None = None,
        inverse: bool = False,
        fs: float = 2.0,
        coef_range: tuple[float, float] = (0.0, 0.999),
        time_constant_range: tuple[float, float] = (1e-6, 1e-2),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        self.inverse = truth(self.refused, "inverse", inverse)
        if time_constant is None:
            self.declare("coef", 0.97 if coef is None else coef, self.ranged("coef", Range, coef_range))
        elif coef is None:
            seconds = self.ranged("time_constant", LogRange, time_constant_range, "s")
            self.declare("time_constant", time_constant, seconds)
        else:
            raise self.refused("time_constant", "None beside a coefficient", time_constant)
        self.declared()

    def design(self, **values: Tensor) -> Tensor:
        fs = self.fs if "time_constant" in values else None
        return (deemphasis if self.inverse else preemphasis)(**values, fs=fs)  # type: ignore[arg-type]

    def sections(self) -> int:
        return 1

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}{', inverse=True' if self.inverse else ''}"


class Weighting(Sections):
    r"""The weighting of a sound level meter (A, B, C) or of loudness (K), by :func:`polezero.weighting`.

    .. math:: H(z) = \prod_{k=1}^{K} \frac{b_{k0} + b_{k1} z^{-1} + b_{k2} z^{-2}}{1 + a_{k1} z^{-1} + a_{k2} z^{-2}}

    It has no parameters: nothing of it is trained. Its sections stay float64 wherever the module is moved, since the
    curves' low corners have no room for less.

    Args:
        curve: ``"A"``, ``"B"``, ``"C"`` or ``"K"``.
        fs: Sampling frequency in Hz, more than 4000.
        options: ``channels``, ``stateful``, ``save_state`` of :class:`FilterModule`, and ``device``.

    Shapes: ``[..., T]`` to ``[..., T]``. Stable. Errors: those of :func:`polezero.weighting`. Source: IEC 61672-1:2013
    (A, C); ANSI S1.4-1983 (B); ITU-R BS.1770-5 (K). How near the filter is to its curve at each rate is said there.

    Example:
        >>> import torch, polezero
        >>> weighted = polezero.nn.Weighting("A", fs=48000)(torch.randn(2, 48000))
    """

    coefficients: Tensor

    def __init__(self, curve: Curve, *, fs: float, **options: Unpack[Options]) -> None:
        super().__init__(fs, **options)
        choice(self.refused, "curve", curve, get_args(Curve))
        if self.fs <= 4000:
            raise self.refused("fs", "more than 4000 Hz", f"{self.fs:g}")
        self.curve: Curve = curve
        with torch.device("cpu"):
            self.constant("coefficients", weighting(curve, self.fs))
        self.declared()

    def design(self) -> Tensor:  # type: ignore[override]
        return self.coefficients

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        return self.filtered(x, self.coefficients.to(x.device), time, memory)

    def sections(self) -> int:
        return self.coefficients.shape[-2]

    def extra_repr(self) -> str:
        return f"{self.curve!r}, {super().extra_repr()}"
