"""Figures of filters: responses, poles and zeros, impulses, delays, and several filters compared.

matplotlib draws them, and is needed for this alone. A system is ``(b, a)``, ``(z, p, k)`` or sections ``sos``, as in
:func:`polezero.group_delay`, one filter each. With a sampling rate ``fs`` frequencies are in hertz on a logarithmic
axis, and times in milliseconds; without one they are angles and samples. The figure is returned, to be saved or
changed; where axes are given it is theirs.

    >>> import polezero
    >>> figure = polezero.plot.response([[0.25, 0.25, 0.0, 1.0, -0.5, 0.0]], fs=48000)  # doctest: +SKIP
    >>> figure.savefig("response.pdf")  # doctest: +SKIP
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import torch

from polezero._responses.shapes import Roots, Shape, frequencies_of, shape_of
from polezero._responses.systems import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STYLE", "compare", "group_delay", "impulse", "pole_zero", "response"]

# Colours that stay apart for every kind of colour vision: Okabe and Ito's.
COLOURS = ("#0072B2", "#D55E00", "#222222", "#009E73", "#E69F00", "#56B4E9")
BLUE, RED, INK = COLOURS[:3]
DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)))  # one round of colours each
# matplotlib's parameters of all figures here.
STYLE: dict[str, Any] = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}
WIDTH, HEIGHT = 7.0, 2.6  # inches, of a row of axes
PHASE_STEPS = (15, 30, 45, 90, 180, 360, 720, 1440, 3600)  # degrees
STEMS = 64  # samples that are drawn one by one


def response(
    system: System, fs: float | None = None, *, floor: float = 100.0, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw magnitude, in decibels, and phase, continuous but for 180 degrees at zeros on the unit circle.

    Args:
        system: One filter.
        fs: Sampling rate.
        floor: How many decibels below the peak the magnitude ends.
        axes: Those of magnitude and phase.
    """
    return _curves("response", {"": system}, fs, ("magnitude", "phase"), floor, axes)


def group_delay(system: System, fs: float | None = None, *, ax: Axes | None = None) -> Figure:
    """Draw the group delay, in samples, or in milliseconds where there is a sampling rate.

    Args:
        system: One filter.
        fs: Sampling rate.
        ax: Where.
    """
    return _curves("group_delay", {"": system}, fs, ("delay",), 0.0, ax if ax is None else [ax])


def compare(
    systems: Mapping[str, System], fs: float | None = None, *, floor: float = 100.0, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw magnitude, phase and group delay of several filters.

    Args:
        systems: Filters by their names, which are in the legend.
        fs: Sampling rate, of all.
        floor: How many decibels below the highest peak magnitudes end.
        axes: Those of magnitude, phase and delay.
    """
    if not systems:
        raise ValueError("plot.compare: systems: expected at least one filter, got none")
    return _curves("compare", systems, fs, ("magnitude", "phase", "delay"), floor, axes)


def pole_zero(system: System, *, ax: Axes | None = None) -> Figure:
    """Draw poles and zeros in the plane of z with the unit circle, repeated ones with their number.

    Args:
        system: One filter.
        ax: Where.
    """
    shape = shape_of("plot.pole_zero", system)
    with styled() as plt:
        from matplotlib.patches import Circle
        from matplotlib.ticker import MaxNLocator

        figure, (ax,) = _places("pole_zero", plt, 1, ax if ax is None else [ax], (5.0, 5.2))
        ax.add_patch(Circle((0, 0), 1, facecolor="#F4F4F4", edgecolor=INK, lw=0.8, zorder=0))
        ax.axhline(0, color=INK, lw=0.8, zorder=1)
        ax.axvline(0, color=INK, lw=0.8, zorder=1)
        _draw_roots(ax, shape.zeros, "o", BLUE, "zeros", side=1)
        _draw_roots(ax, shape.poles, "x", RED, "poles", side=-1)
        reach = 1.12 * max([1.0, *(max(abs(r.real), abs(r.imag)) for r in shape.roots)])
        ax.set(xlabel="Re z", ylabel="Im z", aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def impulse(system: System, fs: float | None = None, *, n: int | None = None, ax: Axes | None = None) -> Figure:
    """Draw the response to an impulse.

    Args:
        system: One filter.
        fs: Sampling rate.
        n: Samples; by default as many as are more than 1/200 of the largest, from 20 to 4000.
        ax: Where.
    """
    y = shape_of("plot.impulse", system).impulse(n).real
    t = torch.arange(len(y)) * (1.0 if fs is None else 1000 / fs)
    with styled() as plt:
        figure, (ax,) = _places("impulse", plt, 1, ax if ax is None else [ax], (WIDTH, 1.2 * HEIGHT))
        if len(y) <= STEMS:
            marks, stems, _ = ax.stem(t.numpy(), y.numpy(), basefmt=" ")
            marks.set(markersize=5, color=BLUE)
            stems.set(linewidth=1.3, color=BLUE)
        else:
            ax.plot(t.numpy(), y.numpy(), lw=1.3, color=BLUE)
        ax.axhline(0, color=INK, lw=0.8, zorder=1)
        ax.set(xlabel="time (samples)" if fs is None else "time (ms)", ylabel="impulse response")
        ax.margins(x=0.02)
    return figure


def _draw_roots(ax: Axes, roots: Roots, marker: str, colour: str, name: str, side: int) -> None:
    """Zeros have their numbers on the right, poles on the left: both may lie in one place."""
    x, y = [r.real for r, _ in roots], [r.imag for r, _ in roots]
    ax.plot(x, y, marker, ms=9, mfc="none", mec=colour, mew=1.8, ls="none", zorder=3, label=name)
    for root, count in roots:
        if count > 1:
            at, place, align = (root.real, root.imag), (7 * side, 6), "left" if side > 0 else "right"
            ax.annotate(str(count), at, place, textcoords="offset points", color=colour, weight="bold", ha=align)


# ---- curves over frequency


def _curves(
    function: str,
    systems: Mapping[str, System],
    fs: float | None,
    rows: Sequence[str],
    floor: float,
    axes: Sequence[Axes] | None,
) -> Figure:
    """One row of axes for each of what is wanted, with a curve of each filter."""
    shapes = {name: shape_of(f"plot.{function}", system) for name, system in systems.items()}
    w = frequencies_of(list(shapes.values()), fs)
    with styled() as plt:
        figure, places = _places(function, plt, len(rows), axes, (WIDTH, HEIGHT * len(rows) + 0.4))
        for row, ax in zip(rows, places):
            for k, (name, shape) in enumerate(shapes.items()):
                ax.plot(w.numpy(), _curve(row, shape, w, fs), label=name or None, **_line(k, len(shapes)))
            _finish(row, ax, fs, floor)
            _frequency_axis(ax, float(w[0]), fs)
            if axes is None:
                ax.label_outer()
        if any(systems):
            _legend(figure if axes is None else None, places[0])
        if axes is None:
            figure.align_ylabels()
    return figure


def _line(k: int, count: int) -> dict[str, Any]:
    """Where several curves coincide each later one is thinner, so that all are seen."""
    width = 1.8 if count == 1 else max(2.8 - 0.4 * k, 1.2)
    return {"color": COLOURS[k % len(COLOURS)], "ls": DASHES[k // len(COLOURS) % len(DASHES)], "lw": width}


def _curve(row: str, shape: Shape, w: torch.Tensor, fs: float | None) -> Any:
    rate = 2 * math.pi if fs is None else fs
    if row == "magnitude":
        return shape.decibels(w, rate).numpy()
    if row == "phase":
        return shape.degrees(w, rate).numpy()
    return (shape.delay(w, rate) * (1 if fs is None else 1000 / fs)).numpy()


def _finish(row: str, ax: Axes, fs: float | None, floor: float) -> None:
    """Label, limits and ticks of the vertical axis."""
    from matplotlib.ticker import MultipleLocator

    lowest, highest = ax.dataLim.y0, ax.dataLim.y1
    if row == "magnitude":
        bottom, margin = max(lowest, highest - floor), 0.05 * max(min(highest - lowest, floor), 1.0)
        ax.set_ylim(bottom - (margin if bottom == lowest else 0), highest + margin)
        ax.set_ylabel("magnitude (dB)")
    elif row == "phase":
        step = next((step for step in PHASE_STEPS if highest - lowest <= 6 * step), PHASE_STEPS[-1])
        ax.yaxis.set_major_locator(MultipleLocator(step))
        ax.set_ylabel("phase (degrees)")
    else:
        ax.set_ylabel("group delay (samples)" if fs is None else "group delay (ms)")


def _frequency_axis(ax: Axes, lowest: float, fs: float | None) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    if fs is None:
        ax.set_xlim(0, math.pi)
        ax.xaxis.set_major_locator(FixedLocator([k * math.pi / 4 for k in range(5)]))
        ax.set_xticklabels(["0", "π/4", "π/2", "3π/4", "π"])
        ax.set_xlabel("angular frequency (radians a sample)")
        return
    ax.set_xscale("log")
    ax.set_xlim(lowest, fs / 2)
    steps = (1, 2, 5) if fs / 2 < 2000 * lowest else (1,)
    ax.xaxis.set_major_locator(LogLocator(subs=steps, numticks=20))
    ax.xaxis.set_major_formatter(FuncFormatter(_hertz))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("frequency (Hz)")


def _hertz(value: float, _position: int) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _legend(figure: Figure | None, ax: Axes) -> None:
    """Above all axes of a figure of our own, else above these: it covers nothing."""
    handles, labels = ax.get_legend_handles_labels()
    columns = min(len(labels), 3)
    if figure is not None:
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)
    else:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False)


# ---- figures


@contextmanager
def styled() -> Iterator[Any]:
    """matplotlib.pyplot with the style of the figures here."""
    try:
        import matplotlib as mpl
        from cycler import cycler
        from matplotlib import pyplot as plt
    except ImportError:
        raise ImportError("polezero.plot: expected matplotlib, got none (pip install matplotlib)") from None
    parameters: dict[Any, Any] = {**STYLE, "axes.prop_cycle": cycler(color=COLOURS)}
    with mpl.rc_context(parameters):
        yield plt


def _places(
    function: str, plt: Any, rows: int, axes: Sequence[Axes] | None, size: tuple[float, float]
) -> tuple[Figure, list[Axes]]:
    """A new figure of rows below each other, or that of the axes."""
    if axes is None:
        figure, places = plt.subplots(rows, figsize=size, layout="constrained", sharex=rows > 1, squeeze=False)
        return figure, list(places[:, 0])
    if len(axes) != rows:
        raise ValueError(f"plot.{function}: axes: expected {rows}, got {len(axes)}")
    return cast("Figure", axes[0].figure), list(axes)
