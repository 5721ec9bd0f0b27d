"""Crossovers whose frequencies are learned."""

from __future__ import annotations

from typing import get_args

from torch import Tensor
from typing_extensions import Unpack

from polezero._design.crossovers import CrossoverType, crossover
from polezero.nn._biquad import Numbers
from polezero.nn._checks import choice, real, whole
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._rising import Rising
from polezero.nn._sections import Sections

__all__ = ["Crossover"]


class Crossover(Sections):
    r"""Split a signal into bands whose sum is the signal again, but for an all-pass.

    .. math::

        H_k(z) = \prod_{j < k} \mathrm{HP}_j(z) \; \mathrm{LP}_k(z) \; \prod_{j > k} \mathrm{AP}_j(z), \qquad
        \Bigl| \sum_k H_k \Bigr| = 1

    The filters are those of :func:`polezero.crossover`. The frequencies keep their order while they are learned: what
    is trained are the gaps between their logarithms.

    Args:
        frequency: Where the bands cross, in Hz, rising: n - 1 for n bands.
        order: Of each low and high pass: 2, 4, 6, 8, .. for Linkwitz-Riley, 1, 2, 3, .. for Butterworth.
        ftype: ``"linkwitz-riley"``, or ``"butterworth"``, whose bands of even order sum in power alone.
        fs: Sampling frequency in Hz.
        frequency_range: What the frequencies are within; None for 20 Hz (fs / 2000 where that is less) to 0.45 fs.
        options: ``channels``, ``trainable``, ``stateful``, ``save_state``, ``dtype``, ``device`` of
            :class:`FilterModule`.

    Shapes: ``[..., T]`` to ``[..., bands, T]``, the lowest band first; ``frequency`` is ``[bands - 1]``. Stable for all
    frequencies in the range, and between two frames; while they move the sum is no all-pass exactly, and one again when
    they rest. Errors: ValueError of one sentence where frequencies are out of the range or do not rise. Source: S. H.
    Linkwitz, "Active crossover networks for noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976; J. A. D'Appolito,
    "Active realization of multiway all-pass crossover systems", J. Audio Eng. Soc. 35(4), 1987.

    Example:
        >>> import torch, polezero
        >>> split = polezero.nn.Crossover([200.0, 2000.0], fs=48000)
        >>> split(torch.randn(2, 4800)).shape
        torch.Size([2, 3, 4800])
    """

    def __init__(
        self,
        frequency: Numbers,
        order: int = 4,
        ftype: CrossoverType = "linkwitz-riley",
        *,
        fs: float,
        frequency_range: tuple[float, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        splits = (real(self.refused, "frequency", frequency).shape or (1,))[-1]
        if not splits:
            raise self.refused("frequency", "at least one", frequency)
        order = whole(self.refused, "order", order)
        choice(self.refused, "ftype", ftype, get_args(CrossoverType))
        if ftype == "linkwitz-riley" and order % 2:
            raise self.refused("order", "an even number for Linkwitz-Riley", order)
        middles = [(k + 1) / (splits + 1) for k in range(splits)]
        self._count = crossover(order, middles, ftype).shape[-2]
        self.order, self.ftype = order, ftype
        self.declare("frequency", frequency, self.audible(frequency_range, Rising), (splits,))
        self.declared()

    def design(self, frequency: Tensor) -> Tensor:  # type: ignore[override]
        """Sections ``[..., bands, K, 6]``."""
        return crossover(self.order, frequency, self.ftype, fs=self.fs)

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        sos = self.design(**values)
        return self.filtered(x.unsqueeze(-2), sos.movedim(-3, -4) if time.varies else sos, time, memory)

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (self.at_rest(x, *x.shape[:-1], values["frequency"].shape[-1] + 1),)

    def sections(self) -> int:
        return self._count

    def extra_repr(self) -> str:
        return f"order={self.order}, {self.ftype!r}, {super().extra_repr()}"
