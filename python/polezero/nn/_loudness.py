"""Loudness of a programme, by ITU-R BS.1770 and the EBU's three time scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor
from typing_extensions import Unpack

from polezero.nn._checks import choice, row, whole
from polezero.nn._corrections import Weighting
from polezero.nn._frames import Timeline
from polezero.nn._module import Memory, Options, Values
from polezero.nn._sections import Sections

__all__ = ["Loudness"]

Kind = Literal["integrated", "momentary", "short-term", "range"]

TENTHS = {"integrated": 4, "momentary": 4, "short-term": 30, "range": 30}  # of a second, in a block
SURROUND = 1.41
WEIGHTS = {n: n * (1.0,) for n in (1, 2, 3)} | {
    5: (1.0, 1.0, 1.0, SURROUND, SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
}
OFFSET = -0.691  # so that a sine of 997 Hz at full scale is -3.01 LKFS
SILENCE = 10 ** ((-70 - OFFSET) / 10)  # the power of the absolute gate


class Loudness(Sections):
    r"""Loudness in LUFS (LKFS) of K-weighted channels, over a programme or as it runs, and its range in LU.

    .. math::

        \ell_j = -0.691 + 10 \log_{10} z_j, \qquad z_j = \sum_c G_c\, \overline{(h_K * x_c)^2} \text{ over block } j

    The integrated loudness is that of the mean of all blocks of 400 ms, one each 100 ms, that are above -70 LUFS and
    above that of the mean of those, less 10 LU. The range is the distance between the 10th and the 95th percentile of
    the short-term loudness above -70 LUFS and above that of the mean less 20 LU. Derivatives are those of the blocks
    that the gates let pass; which these are is not differentiated.

    Args:
        kind: ``"integrated"``; ``"momentary"``, of the last 400 ms; ``"short-term"``, of the last 3 s; or ``"range"``.
        weights: G, one for each channel. None for left, right (1, 1), left, right, centre (1, 1, 1), those with two
            surrounds (1, 1, 1, 1.41, 1.41), and with a channel of low effects (1, 1, 1, 0, 1.41, 1.41).
        rate: How many momentary or short-term results there are in a second, a multiple of 10. Their blocks begin at
            samples that are multiples of ``fs / rate``, rounded.
        fs: Sampling frequency in Hz, more than 4000.
        options: ``channels`` (how many there must be), ``stateful``, ``save_state``, ``device`` of
            :class:`FilterModule`. There are no parameters.

    Shapes: ``[..., channels, T]`` to ``[...]``, or of the momentary and short-term kinds to ``[..., blocks]``: a result
    for each block that has ended. What is silent, or shorter than a block, is ``-inf`` with the gradient 0, and the
    range of it 0. A stream gives the blocks that have ended in each chunk, or the loudness or range of all chunks so
    far, for which it keeps ten numbers a second. Stable: the only recursive part is :class:`Weighting`, whose H(z),
    ``sos()``, ``freqz()`` and ``plot()`` it has. The tones of EBU Tech 3341 are measured to 0.03 LU at 16, 44.1, 48 and
    96 kHz (the tolerance is 0.1), and those of 3342 to 0.001.

    Errors: ValueError of one sentence where the channels are not those of the weights. Source: ITU-R BS.1770-5, annex
    1; EBU Tech 3341, 2023 (time scales); EBU Tech 3342, 2023 (range).

    Example:
        >>> import torch, polezero
        >>> sine = torch.sin(2 * torch.pi * 997 / 48000 * torch.arange(96000.0))[None]
        >>> polezero.nn.Loudness(fs=48000)(sine).round(decimals=2)
        tensor(-3.0100)
        >>> polezero.nn.Loudness("momentary", fs=48000)(sine).shape
        torch.Size([17])
    """

    counts = True

    def __init__(
        self,
        kind: Kind = "integrated",
        *,
        weights: Sequence[float] | None = None,
        rate: int = 10,
        fs: float,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(fs, **options)
        choice(self.refused, "kind", kind, TENTHS)
        rate = whole(self.refused, "rate", rate, "a multiple of 10")
        if kind in ("integrated", "range") and rate != 10:
            raise self.refused("rate", f"10 for the {kind} kind", rate)
        if rate % 10:
            raise self.refused("rate", "a multiple of 10", rate)
        if self.fs <= 4000:
            raise self.refused("fs", "more than 4000 Hz", f"{self.fs:g}")
        self.kind: Kind = kind
        expected = "None or a number for each channel"
        self.weights = None if weights is None else row(self.refused, "weights", weights, expected)
        self.period, self.width = round(self.fs / rate), TENTHS[kind] * rate // 10
        self.weighting = Weighting("K", fs=self.fs, device=self._like.device)
        self.declared()

    def design(self) -> Tensor:  # type: ignore[override]
        return self.weighting.design()

    def sections(self) -> int:
        return self.weighting.sections()

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        weights = self._weights(x)
        weighted, state = self.weighting.filter(x, {}, time, memory and memory[:1])
        energies, begun = self._energies(weighted, weights, time)
        if memory is not None:
            before, past = memory[1:]
            energies, begun = _added(energies, begun, before)
            energies = torch.cat([past, energies], -1)
            whole = self.kind in ("integrated", "range")
            kept = energies if whole else energies[..., max(energies.shape[-1] - self.width + 1, 0) :]
            memory = (*(state or ()), begun, kept)
        if energies.shape[-1] < self.width:
            power = energies[..., :0]
        else:
            power = energies.unfold(-1, self.width, 1).sum(-1) / (self.width * self.period)
        y = {"integrated": _integrated, "range": _range}.get(self.kind, _level)(power)
        return y.to(x.dtype), memory

    def _energies(self, weighted: Tensor, weights: tuple[float, ...], time: Timeline) -> tuple[Tensor, Tensor]:
        """The energies of the periods that end in these samples, and of the one that is left begun."""
        offset, T = cast(int, time.position) % self.period, weighted.shape[-1]
        count = (offset + T) // self.period
        squares = weighted.to(torch.promote_types(weighted.dtype, torch.float32)).square()
        padded = torch.nn.functional.pad(squares, (offset, (count + 1) * self.period - offset - T))
        # Float32 is added up in pairs, to 2e-7; with dtype=torch.float64 the sum takes longer than all else together.
        sums = padded.unflatten(-1, (count + 1, self.period)).sum(-1).double()
        # One channel after another: a tensor of weights would have to be moved to the device, and 0 times NaN is NaN.
        total = sum((g * s for g, s in zip(weights, sums.unbind(-2)) if g), start=torch.zeros_like(sums[..., 0, :]))
        return total[..., :count], total[..., count]

    def _weights(self, x: Tensor) -> tuple[float, ...]:
        channels = x.shape[-2] if x.dim() > 1 else 0
        if not channels or x.is_complex():
            raise self.refused("x", "a real signal of shape [..., channels, T]", f"{x.dtype} of {list(x.shape)}")
        if self.weights is None:
            if channels not in WEIGHTS:
                raise self.refused("weights", f"one for each of {channels} channels, which have no usual places", None)
            return WEIGHTS[channels]
        if channels != len(self.weights):
            shape = f"[..., {len(self.weights)}, T] for {len(self.weights)} weights"
            raise self.refused("x", f"a signal of shape {shape}", list(x.shape))
        return self.weights

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        shape = x.shape[:-2]
        ended = torch.zeros((*shape, 0), dtype=torch.float64, device=x.device)
        return (*self.weighting.rest(x, {}, time), torch.zeros(shape, dtype=torch.float64, device=x.device), ended)

    def extra_repr(self) -> str:
        return f"{self.kind!r}, {super().extra_repr()}"


def _added(ended: Tensor, begun: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """What came before goes to the first period that ends, or to the one that is left begun where none does."""
    if not ended.shape[-1]:
        return ended, begun + before
    return torch.cat([ended[..., :1] + before.unsqueeze(-1), ended[..., 1:]], -1), begun


def _level(power: Tensor) -> Tensor:
    """In LUFS; of 0 it is -inf with the gradient 0."""
    sounds = power != 0
    return torch.where(sounds, OFFSET + 10 * torch.log10(torch.where(sounds, power, 1.0)), -torch.inf)


def _mean(power: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen, power, 0.0).sum(-1) / chosen.sum(-1).clamp(min=1)


def _gated(power: Tensor, below: float) -> Tensor:
    """Which blocks are above the absolute gate and the relative one; NaN passes, to be seen."""
    chosen = ~(power <= SILENCE)
    gate = 10 ** (-below / 10) * _mean(power.detach(), chosen)
    return chosen & ~(power <= gate.unsqueeze(-1))


def _integrated(power: Tensor) -> Tensor:
    return _level(_mean(power, _gated(power, 10.0)))


def _range(power: Tensor) -> Tensor:
    if not power.shape[-1]:
        return power.sum(-1)
    chosen = _gated(power, 20.0)
    count = chosen.sum(-1, keepdim=True)
    levels = torch.where(chosen, _level(power), torch.inf).sort(-1).values
    low, high = (
        levels.gather(-1, torch.floor((count - 1) * part + 0.5).long().clamp(min=0)).squeeze(-1) for part in (0.1, 0.95)
    )
    return torch.where(count.squeeze(-1) > 0, high - low, 0.0)
