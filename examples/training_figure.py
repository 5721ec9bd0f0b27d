"""The figure of train_filter.py: responses, loss curve, poles and zeros."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Coefficients = list[list[float]]  # [K][3]
Filter = tuple[Coefficients, Coefficients]  # b, a
INK, TARGET, INITIAL, LEARNED = "#222222", "#BDBDBD", "#D55E00", "#0072B2"
STYLE = Path(__file__).parents[1] / "docs" / "figures.mplstyle"
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)


@dataclass
class Curves:
    hertz: list[float]
    wanted_db: list[float]
    learned_db: list[float]
    errors_db: list[float]
    deviation_db: float


def hertz_label(value: float, _position: int) -> str:
    return f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"


def draw_response(axes: Axes, curves: Curves) -> None:
    learned = f"learned: within {curves.deviation_db:.2f} dB of the target"
    axes.semilogx(curves.hertz, curves.wanted_db, color=TARGET, lw=7, label="target: 1 / hidden filter")
    axes.axhline(0, color=INITIAL, lw=1.8, ls=(0, (5, 3)), label="initial: flat")
    axes.semilogx(curves.hertz, curves.learned_db, color=LEARNED, lw=2, label=learned)
    axes.set(title="The filter that undoes the colouring", xlabel="frequency", ylabel="magnitude response (dB)")
    axes.set_xlim(curves.hertz[0], curves.hertz[-1])
    axes.margins(y=0.08)
    axes.set_xticks([f for f in TICKS if f <= curves.hertz[-1]])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(FuncFormatter(hertz_label))
    axes.legend(frameon=False, loc="best")


def draw_loss(axes: Axes, curves: Curves) -> None:
    axes.plot(curves.errors_db, color=LEARNED, lw=1.8)
    axes.set(title="Learning", xlabel="step of gradient descent", ylabel="error relative to the recording (dB)")
    axes.set_xlim(0, len(curves.errors_db))
    for index, place, side in ((0, (12, -4), "left"), (-1, (-4, 22), "right")):
        position = (len(curves.errors_db) + index) % len(curves.errors_db), curves.errors_db[index]
        label = f"{curves.errors_db[index]:.1f} dB"
        axes.annotate(label, position, place, textcoords="offset points", ha=side, color=LEARNED, weight="bold")


def upper_roots(polynomials: Coefficients) -> np.ndarray:
    """The roots on and above the real axis: the others mirror them."""
    found = np.concatenate([np.roots(p) for p in polynomials])
    return found[found.imag >= 0]


def draw_plane(axes: Axes, wanted: Filter, learned: Filter) -> None:
    circle = np.exp(1j * np.linspace(0, np.pi, 2000))
    axes.fill(circle.real, circle.imag, color="#F4F4F4", zorder=0)
    axes.plot(circle.real, circle.imag, color=INK, lw=0.8)
    axes.axhline(0, color=INK, lw=0.8)
    for polynomials, marker, name in zip(wanted, "oX", ("zeros", "poles")):
        r = upper_roots(polynomials)
        axes.plot(r.real, r.imag, marker, ms=14, color=TARGET, mec="none", ls="none", label=f"target {name}")
    for polynomials, marker, name in zip(learned, "ox", ("zeros", "poles")):
        r = upper_roots(polynomials)
        style: dict[str, Any] = {"ms": 7, "mfc": "none", "mec": LEARNED, "mew": 1.8}
        axes.plot(r.real, r.imag, marker, ls="none", label=f"learned {name}", **style)
    axes.set(xlabel="Re z", ylabel="Im z", aspect="equal", anchor="N")


def draw_planes(whole: Axes, zoom: Axes, wanted: Filter, learned: Filter) -> None:
    """The upper half of the unit disc, and its corner at z = 1, where the low frequencies are."""
    draw_plane(whole, wanted, learned)
    draw_plane(zoom, wanted, learned)
    whole.set(title="Poles and zeros in the unit circle", xlim=(-1.04, 1.04), ylim=(-0.03, 1.04))
    zoom.set(title="The corner at z = 1", xlim=(0.872, 1.004), ylim=(-0.004, 0.128))
    zoom.xaxis.set_major_locator(MultipleLocator(0.04))
    zoom.yaxis.set_major_locator(MultipleLocator(0.04))
    whole.legend(
        frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4, columnspacing=1, handletextpad=0.1
    )


def draw(path: Path, curves: Curves, wanted: Filter, learned: Filter) -> None:
    """Write the figure; `wanted` and `learned` are (b, a) of each cascade."""
    rows: list[Any] = [["response"] * 3, ["loss", "whole", "zoom"]]
    with plt.style.context(STYLE):
        figure, axes = plt.subplot_mosaic(
            rows, figsize=(14, 8.4), layout="constrained", height_ratios=[1, 0.9], width_ratios=[1, 1.6, 0.9]
        )
        draw_response(axes["response"], curves)
        draw_loss(axes["loss"], curves)
        draw_planes(axes["whole"], axes["zoom"], wanted, learned)
        figure.savefig(path, dpi=130)
        plt.close(figure)
