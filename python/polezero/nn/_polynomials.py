"""What modules share whose filter is best written as a ratio of two polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from polezero import plot as figures
from polezero._conversions.forms import Pair
from polezero._responses import freqz
from polezero.nn._module import FilterModule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Polynomials"]


class Polynomials(FilterModule):
    """A filter b / a, whose coefficients `polynomials` makes of the parameters."""

    def polynomials(self, **values: Tensor) -> Pair:
        """Numerator and denominator ``[..., taps]`` of parameters ``[..., *own]`` in float64."""
        raise NotImplementedError

    def ba(self, **values: Tensor | float) -> Pair:
        """Numerator and denominator now, in float64, ``[..., taps]``; of given parameters instead of the module's own.

        Of a module that an oscillator sweeps they are those of the middle of the sweep.
        """
        return self.polynomials(**{name: value.double() for name, value in self.values(**values).items()})

    def freqz(self, worN: int | Tensor = 512, **values: Tensor | float) -> tuple[Tensor, Tensor]:
        """Frequencies in Hz, and the response at them, as :func:`polezero.freqz` has them."""
        w, H = freqz(*self.ba(**values), worN, fs=self.fs)
        return w, H

    def plot(self, **options: Any) -> Figure:
        """The response, by :func:`polezero.plot.response`; of several channels by :func:`polezero.plot.compare`."""
        b, a = (c.detach() for c in self.ba())
        if not self.channels:
            return figures.response((b, a), fs=self.fs, **options)
        return figures.compare({str(k): pair for k, pair in enumerate(zip(b, a))}, fs=self.fs, **options)
