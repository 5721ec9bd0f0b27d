"""Per-channel energy normalisation."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero.nn._checks import number
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._sections import Sections
from polezero.nn._smoothers import Initial, at_rest, begin, check_initial, smoothed
from polezero.nn.parametrizations import LogRange, Range

__all__ = ["PCEN"]

Numbers = float | list[float] | Tensor


class PCEN(Sections):
    r"""Energies of the bands of a spectrogram divided by their own recent mean, and compressed.

    .. math::

        M[n] = (1 - s)\, M[n-1] + s\, E[n], \qquad
        y[n] = \left(\frac{E[n]}{(\varepsilon + M[n])^\alpha} + \delta\right)^r - \delta^r

    What is stationary is taken away and what begins stands out, in each band at its own level.

    Args:
        alpha: How much of the mean is taken away: 0 to 1.
        delta: What is added before the root.
        r: The root.
        eps: What keeps silence from being divided by 0.
        s: The coefficient of the mean, 0 to 1.
        time_constant: In place of s, in seconds, as librosa has it, with
            :math:`s = (\sqrt{1 + 4 t^2} - 1) / (2 t^2)`, where t is that times ``fs``.
        initial: M[-1], a number or ``"first"`` for the first frame (librosa has 1).
        fs: Frames a second.
        alpha_range, delta_range, r_range, eps_range, s_range: Least and greatest of each.
        options: ``channels`` (the number of bands, where each has parameters of its own), ``trainable``, ``stateful``,
            ``save_state``, ``dtype``, ``device`` of :class:`FilterModule`.

    Shapes: energies or magnitudes of at least 0, ``[..., bands, frames]``, to the same; each parameter is a number, or
    one a band. ``sos()``, ``freqz()`` and ``plot()`` are those of the mean, with H(z) = s / (1 - (1 - s) z^-1). Stable:
    1 - s lies between 0 and 1, also while it changes. Errors: ValueError of one sentence where a parameter is out of
    its range. The defaults are those of asteroid-filterbanks, whose ``root`` is 1 / r. Source: Y. Wang, P. Getreuer,
    T. Hughes, R. F. Lyon and R. A. Saurous, "Trainable frontend for robust and far-field keyword spotting", ICASSP
    2017; V. Lostanlen et al., "Per-channel energy normalization: why and how", IEEE SPL 26, 2019.

    Example:
        >>> import torch, polezero
        >>> spectrogram = torch.rand(2, 40, 100)
        >>> polezero.nn.PCEN(channels=40)(spectrogram).shape
        torch.Size([2, 40, 100])
        >>> polezero.nn.PCEN(0.98, time_constant=0.4, fs=43.07)
        PCEN(alpha=0.98, delta=2, r=0.5, eps=1e-06, s=0.05638, fs=43.07)
    """

    def __init__(
        self,
        alpha: Numbers = 0.96,
        delta: Numbers = 2.0,
        r: Numbers = 0.5,
        eps: Numbers = 1e-6,
        s: Numbers | None = None,
        *,
        time_constant: float | None = None,
        initial: Initial = "first",
        fs: float = 2.0,
        alpha_range: tuple[float, float] = (0.0, 1.0),
        delta_range: tuple[float, float] = (1e-3, 100.0),
        r_range: tuple[float, float] = (0.02, 1.0),
        eps_range: tuple[float, float] = (1e-12, 0.1),
        s_range: tuple[float, float] = (1e-4, 1.0),
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        check_initial(self, initial)
        if time_constant is not None:
            if s is not None:
                raise self.refused("time_constant", "None beside s", time_constant)
            time_constant = number(self.refused, "time_constant", time_constant, "a positive number of seconds", 0, 1e9)
            s = _of_librosa(time_constant * self.fs)
        self.initial = initial
        self.declare("alpha", alpha, self.ranged("alpha", Range, alpha_range))
        self.declare("delta", delta, self.ranged("delta", LogRange, delta_range))
        self.declare("r", r, self.ranged("r", LogRange, r_range))
        self.declare("eps", eps, self.ranged("eps", LogRange, eps_range))
        self.declare("s", 0.04 if s is None else s, self.ranged("s", LogRange, s_range))
        self.declared()

    def design(self, s: Tensor, **_: Tensor) -> Tensor:  # type: ignore[override]
        s = s.double()
        one, zero = torch.ones_like(s), torch.zeros_like(s)
        return torch.stack([s, zero, zero, one, s - 1, zero], -1).unsqueeze(-2)

    def sections(self) -> int:
        return 1

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        if time.varies:
            frames = torch.broadcast_tensors(*values.values())
            placed = {name: time.between(v, 0) for name, v in zip(values, frames)}
        else:
            placed = {name: v.unsqueeze(-1) for name, v in values.items()}
        mean, zf = smoothed(x, 1 - placed.pop("s").double(), begin(x, self.initial, time, memory))
        wide = torch.promote_types(x.dtype, torch.float32)
        alpha, delta, r, eps = (v.to(wide) for v in placed.values())
        normalised = x / (eps + mean).pow(alpha)
        # The difference of the powers, without their cancellation where the energy is small beside delta.
        y = delta.pow(r) * torch.expm1(r * torch.log1p(normalised / delta))
        return y.to(x.dtype), None if memory is None else (zf,)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (at_rest(x, self.initial, x.shape[:-1], ()),)


def _of_librosa(frames: float) -> float:
    return (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
