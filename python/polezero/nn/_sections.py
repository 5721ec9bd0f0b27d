"""What modules share whose filter is a cascade of second-order sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from polezero import lpv
from polezero import plot as figures
from polezero._responses import freqz_sos
from polezero._sosfilt import sosfilt
from polezero._zero_phase import sosfiltfilt
from polezero.nn._checks import truth
from polezero.nn._frames import Timeline
from polezero.nn._module import FilterModule, Memory, Values
from polezero.nn._parameters import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Sections"]


class Sections(FilterModule):
    """A cascade of second-order sections, which `design` makes of the parameters."""

    zero_phase = False  # whether it filters forth and back

    def design(self, **values: Tensor) -> Tensor:
        """Sections ``[..., K, 6]`` in float64 of parameters ``[..., *own]``."""
        raise NotImplementedError

    def sos(self, **values: Tensor | float) -> Tensor:
        """The sections now, in float64, shape ``[..., K, 6]``; of given parameters instead of the module's own."""
        return self.design(**self.values(**values))

    def freqz(self, worN: int | Tensor = 512, **values: Tensor | float) -> tuple[Tensor, Tensor]:
        """Frequencies in Hz, and the response at them, as :func:`polezero.freqz_sos` has them."""
        w, H = freqz_sos(self.sos(**values), worN, fs=self.fs)
        return w, H

    def plot(self, **options: Any) -> Figure:
        """The response, by :func:`polezero.plot.response`; of several filters by :func:`polezero.plot.compare`."""
        sos = self.sos().detach()
        if sos.dim() == 2:
            return figures.response(sos, fs=self.fs, **options)
        return figures.compare({str(k): one for k, one in enumerate(sos.flatten(0, -3))}, fs=self.fs, **options)

    def filter(self, x: Tensor, values: Values, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        return self.filtered(x, self.design(**values), time, memory)

    def filtered(self, x: Tensor, sos: Tensor, time: Timeline, memory: Memory | None) -> tuple[Tensor, Memory | None]:
        """``x`` through sections ``[..., K, 6]``, or ``[..., F or T or 1, K, 6]`` where the time varies."""
        if self.zero_phase:
            if time.varies or memory is not None:
                got = "values that change with time" if time.varies else "a signal in chunks"
                raise self.refused("zero_phase", "a whole signal and constant values", got)
            return sosfiltfilt(sos, x), None
        if not time.varies:
            if memory is None:
                return sosfilt(sos, x), None
            y, zf = sosfilt(sos, x, zi=memory[0])
            return y, (zf,)
        sos, frames = time.frames(sos, 2)
        if memory is None:
            return lpv.sosfilt(sos, x, **frames), None
        y, zf = lpv.sosfilt(sos, x, memory[0], **frames)
        return y, (zf,)

    def filter_forth_and_back(self, zero_phase: bool) -> None:
        """For constructors: whether it does."""
        self.zero_phase = truth(self.refused, "zero_phase", zero_phase)
        if zero_phase and self._stream is not None:
            raise self.refused("zero_phase", "False of a stateful module", zero_phase)

    def audible(self, frequency_range: tuple[float, float] | None, kind: Callable[..., Kind]) -> Kind:
        """The range of an equaliser's frequencies; None for 20 Hz at 48 kHz, and less at low rates, to 0.45 fs."""
        own = (min(20.0, self.fs / 2000), 0.45 * self.fs) if frequency_range is None else frequency_range
        return self.ranged("frequency", kind, own, "Hz")

    def rest(self, x: Tensor, values: Values, time: Timeline) -> Memory:
        return (self.at_rest(x, *x.shape[:-1]),)

    def at_rest(self, x: Tensor, *leading: int) -> Tensor:
        """A state of zeros beside ``x``."""
        # In float64: one of float32 is rounded from chunk to chunk, by 1e-3 where those are samples and poles at 20 Hz.
        wide = torch.promote_types(x.dtype, torch.float64)
        return torch.zeros(self.sections(), *leading, 2, dtype=wide, device=x.device)

    def sections(self) -> int:
        """How many there are."""
        raise NotImplementedError
