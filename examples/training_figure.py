"""The figure of train_filter.py: responses, loss curve, poles and zeros."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Coefficients = list[list[float]]
# Colours that stay apart for every kind of colour vision (Okabe and Ito).
INK, TARGET, INITIAL, LEARNED = "#222222", "#BBBBBB", "#D55E00", "#0072B2"


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
    axes.semilogx(curves.hertz, curves.wanted_db, color=TARGET, lw=7, label="target: 1 / hidden filter", solid_capstyle="round")
    axes.axhline(0, color=INITIAL, lw=1.6, ls=(0, (5, 3)), label="initial: flat")
    axes.semilogx(curves.hertz, curves.learned_db, color=LEARNED, lw=1.8, label=f"learned: within {curves.deviation_db:.2f} dB")
    axes.set(title="The filter that undoes the colouring", xlabel="frequency", ylabel="magnitude (dB)")
    axes.set_xlim(curves.hertz[0], curves.hertz[-1])
    axes.set_xticks([f for f in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if curves.hertz[0] <= f <= curves.hertz[-1]])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(FuncFormatter(hertz_label))
    axes.legend(frameon=False, loc="best")


def draw_loss(axes: Axes, curves: Curves) -> None:
    axes.plot(curves.errors_db, color=LEARNED, lw=1.2)
    axes.set(title="Learning", xlabel="step of gradient descent", ylabel="error over signal (dB)")
    axes.set_xlim(0, len(curves.errors_db))
    axes.annotate(f"{curves.errors_db[-1]:.0f} dB", (len(curves.errors_db), curves.errors_db[-1]), xytext=(-6, 12), textcoords="offset points", ha="right", color=LEARNED, weight="bold")


def roots(polynomials: Coefficients) -> np.ndarray:
    """Roots with a positive imaginary part, or real: the others mirror them."""
    found = np.concatenate([np.roots(p) for p in polynomials])
    return found[found.imag >= 0]


def draw_plane(axes: Axes, wanted: tuple[Coefficients, Coefficients], learned: tuple[Coefficients, Coefficients]) -> None:
    circle = np.exp(1j * np.linspace(0, np.pi, 400))
    axes.plot(circle.real, circle.imag, color=INK, lw=0.8)
    axes.axhline(0, color=INK, lw=0.8)
    for polynomials, marker, name in zip(wanted, "oX", ("zeros", "poles")):
        r = roots(polynomials)
        axes.plot(r.real, r.imag, marker, ms=13, color=TARGET, mec="none", label=f"target {name}")
    for polynomials, marker, name in zip(learned, "ox", ("zeros", "poles")):
        r = roots(polynomials)
        axes.plot(r.real, r.imag, marker, ms=6, mfc="none", mec=LEARNED, mew=1.6, label=f"learned {name}")
    axes.set(xlabel="real part of z", aspect="equal")


def draw(path: Path, curves: Curves, wanted: tuple[Coefficients, Coefficients], learned: tuple[Coefficients, Coefficients]) -> None:
    """Write the figure. `wanted` and `learned` are (b, a) of each cascade, [K][3]."""
    style = {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "axes.titleweight": "bold", "axes.titlelocation": "left"}
    with plt.rc_context(style):
        figure, panels = plt.subplot_mosaic([["response"] * 3, ["loss", "plane", "zoom"]], figsize=(12, 8.4), layout="constrained")
        draw_response(panels["response"], curves)
        draw_loss(panels["loss"], curves)
        for name, title in (("plane", "Zeros and poles"), ("zoom", "... near z = 1 (low frequencies)")):
            draw_plane(panels[name], wanted, learned)
            panels[name].set_title(title)
        panels["plane"].set_ylabel("imaginary part of z")
        panels["zoom"].set(xlim=(0.85, 1.01), ylim=(-0.01, 0.15))
        panels["plane"].legend(frameon=False)
        figure.savefig(path, dpi=150)
        plt.close(figure)
