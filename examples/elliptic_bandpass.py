"""Learn the cut-offs, the ripple and the attenuation of an elliptic band pass from a measured magnitude response.

What is learned is not the filter's coefficients but the four numbers of its specification: polezero.ellip designs the
filter from them, by Jacobi's elliptic functions, and passes gradients through. So every step of learning is an
elliptic filter, stable and of the order asked for.

The measurement is synthetic: the response of a hidden elliptic filter with noise 90 dB below its pass band. Four
parameters ask for Gauss and Newton's steps, damped as Levenberg and Marquardt do it; torch.func.jacfwd gives the
derivatives of the whole response to the four in forward mode. The start is an octave or more off at either end, where
decibels of the stop band's notches are full of local minima: the level below which nothing is compared falls in stages,
and in the first, which sees the pass band alone, only its edges are learned.

    python examples/elliptic_bandpass.py [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

import polezero

SAMPLE_RATE = 48_000
ORDER = 4  # of the low pass that the band pass is made of: 8 poles
LOWEST, HIGHEST = 20.0, 20_000.0
HERTZ = torch.logspace(math.log10(LOWEST), math.log10(HIGHEST), 400, dtype=torch.float64)
NOISE_DB = -90
FLOORS_DB = (-20, -40, -70)  # of each stage; the last is clear of the noise
STEPS = 30  # in each stage, at most


# ---- the filter


@dataclass(frozen=True)
class Specification:
    low: float  # Hz
    high: float
    ripple: float  # dB
    attenuation: float

    def __str__(self) -> str:
        edges = f"{self.low:.1f} Hz to {self.high:.1f} Hz"
        return f"{edges}, ripple {self.ripple:.3f} dB, attenuation {self.attenuation:.2f} dB"


START = Specification(80.0, 12_000.0, 0.3, 25.0)


def to_parameters(wanted: Specification) -> Tensor:
    """Four numbers without bounds."""
    places = (
        math.log(wanted.low / LOWEST) / math.log(HIGHEST / LOWEST),
        math.log(wanted.high / wanted.low) / math.log(HIGHEST / wanted.low),
    )
    edges = torch.logit(torch.tensor(places, dtype=torch.float64))
    return torch.cat([edges, torch.tensor([wanted.ripple, wanted.attenuation - wanted.ripple]).double().log()])


def to_values(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """LOWEST < low < high < HIGHEST, and 0 < ripple < attenuation, whatever the four numbers are."""
    first, second = parameters[:2].sigmoid()
    low = LOWEST * (HIGHEST / LOWEST) ** first
    high = low * (HIGHEST / low) ** second
    ripple, more = parameters[2:].exp()
    return low, high, ripple, ripple + more


def to_specification(parameters: Tensor) -> Specification:
    return Specification(*(value.item() for value in to_values(parameters)))


def response(parameters: Tensor) -> Tensor:
    low, high, ripple, attenuation = to_values(parameters)
    edges = torch.stack([low, high])
    sos = polezero.ellip(ORDER, ripple, attenuation, edges, "bandpass", output="sos", fs=SAMPLE_RATE)
    return polezero.freqz_sos(sos, HERTZ, fs=SAMPLE_RATE)[1]


def decibels(h: Tensor, floor_db: float = -math.inf) -> Tensor:
    """Magnitudes that bend into a floor."""
    return 10 * (h.abs().square() + 10 ** (floor_db / 10)).log10()


def rms(db: Tensor) -> float:
    return db.square().mean().sqrt().item()


def measure(seed: int) -> tuple[Specification, Tensor]:
    """A hidden specification, and what was measured of the filter."""
    random = torch.Generator().manual_seed(seed)
    u = torch.rand(4, generator=random, dtype=torch.float64).tolist()
    hidden = Specification(200 * 4 ** u[0], 2000 * 3 ** u[1], 0.5 + 2 * u[2], 40 + 15 * u[3])
    noise = torch.randn(len(HERTZ), generator=random, dtype=torch.complex128)
    return hidden, response(to_parameters(hidden)) + noise * 10 ** (NOISE_DB / 20)


# ---- learning


@dataclass
class Run:
    """Before each step: the parameters, and the error as the last stage sees it."""

    parameters: list[Tensor] = field(default_factory=list)
    error_db: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # of the stages

    def note(self, parameters: Tensor, measured: Tensor) -> None:
        self.parameters.append(parameters)
        self.error_db.append(rms(decibels(response(parameters), FLOORS_DB[-1]) - decibels(measured, FLOORS_DB[-1])))


def learn(measured: Tensor) -> Run:
    run, parameters = Run(), to_parameters(START)
    run.note(parameters, measured)
    for stage, floor_db in enumerate(FLOORS_DB):

        def misses(parameters: Tensor, floor_db: float = floor_db) -> Tensor:
            return decibels(response(parameters), floor_db) - decibels(measured, floor_db)

        learned = 2 if stage == 0 else 4
        damping = 1e-2
        for _ in range(STEPS):
            better, damping = step(misses, parameters, learned, damping)
            moved = (better - parameters).abs().max().item()
            parameters = better
            run.note(parameters, measured)
            if moved < 1e-3:
                break
        run.ends.append(len(run.error_db) - 1)
    return run


def step(misses: Callable[[Tensor], Tensor], parameters: Tensor, learned: int, damping: float) -> tuple[Tensor, float]:
    """Levenberg and Marquardt's, of the first so many parameters: the damping grows until the error falls."""
    before = misses(parameters)
    jacobian = torch.func.jacfwd(misses)(parameters)[:, :learned]
    curvature, gradient = jacobian.T @ jacobian, jacobian.T @ before
    while damping < 1e8:
        damped = curvature + damping * torch.diag(curvature.diagonal() + 1e-3)
        change = torch.linalg.solve(damped, gradient).clamp(-0.5, 0.5)
        after = parameters - torch.nn.functional.pad(change, (0, len(parameters) - learned))
        if misses(after).square().sum() < before.square().sum():
            return after, damping / 8
        damping *= 4
    return parameters, damping


# ---- what came of it


def draw(hidden: Specification, measured: Tensor, run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    blue, orange, black, green, yellow = "#0072b2", "#d55e00", "#222222", "#009e73", "#e69f00"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["response", "response"], ["error", "values"]],
        figsize=(12, 7.5),
        constrained_layout=True,
        height_ratios=[3, 2],
    )
    start, learned = (decibels(response(p)) for p in (run.parameters[0], run.parameters[-1]))
    ax = axes["response"]
    ax.semilogx(HERTZ, decibels(measured), color=black, lw=4, alpha=0.35, label="measured")
    ax.semilogx(HERTZ, start, color=orange, lw=1.2, label="start")
    ax.semilogx(HERTZ, learned, color=blue, lw=1.2, label="learned")
    ax.set(title="Magnitude response", xlabel="frequency (Hz)", ylabel="dB", xlim=(LOWEST, HIGHEST), ylim=(-98, 4))
    ticks = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
    ax.set_xticks(ticks, [f"{f // 1000} k" if f >= 1000 else str(f) for f in ticks])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, loc="upper left")
    zoom = ax.inset_axes((0.4, 0.16, 0.22, 0.36))
    zoom.semilogx(HERTZ, decibels(measured), color=black, lw=4, alpha=0.35)
    zoom.semilogx(HERTZ, start, color=orange, lw=1.2)
    zoom.semilogx(HERTZ, learned, color=blue, lw=1.2)
    zoom.set_title("pass band", fontsize=9, weight="normal", loc="center")
    zoom.set(xlim=(hidden.low / 1.1, hidden.high * 1.1), ylim=(-1.4 * hidden.ripple, 0.2 * hidden.ripple))
    zoom.set_xticks([500, 1000, 2000], ["500", "1 k", "2 k"])
    zoom.xaxis.set_minor_locator(NullLocator())
    zoom.tick_params(labelsize=8)
    steps = range(len(run.error_db))
    axes["error"].semilogy(steps, run.error_db, color=blue)
    axes["error"].set(title="Error", xlabel="step", ylabel="RMS over the response (dB)")
    values = [to_specification(p) for p in run.parameters]
    names = (
        ("low", "lower cut-off", blue),
        ("high", "upper cut-off", green),
        ("ripple", "ripple", orange),
        ("attenuation", "attenuation", yellow),
    )
    for name, label, color in names:
        ratio = [getattr(value, name) / getattr(hidden, name) for value in values]
        axes["values"].semilogy(steps, ratio, color=color, label=label)
    axes["values"].set(title="Learned over hidden", xlabel="step", ylabel="ratio")
    axes["values"].set_yticks([0.1, 0.2, 0.5, 1, 2, 5])
    axes["values"].legend(facecolor="white", edgecolor="none", framealpha=1, fontsize=9, loc="upper right")
    for name in ("error", "values"):
        axes[name].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes[name].yaxis.set_minor_formatter(NullFormatter())
        for end in run.ends[:-1]:
            axes[name].axvline(end, color=black, lw=0.8, ls=":")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden filter")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    hidden, measured = measure(options.seed)
    run = learn(measured)
    learned = to_specification(run.parameters[-1])
    print(f"start:   {START}")
    print(f"learned: {learned}")
    print(f"hidden:  {hidden}")
    print(f"error: {run.error_db[0]:.2f} dB at the start, {run.error_db[-1]:.3f} dB after {run.ends[-1]} steps")
    noiseless = decibels(response(to_parameters(hidden)), FLOORS_DB[-1])
    noise = rms(noiseless - decibels(measured, FLOORS_DB[-1]))
    print(f"error of the hidden filter itself, which is the noise: {noise:.3f} dB")
    assert run.error_db[-1] < 1.01 * noise, "learning has not come down to the noise"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "elliptic_bandpass.png"
    draw(hidden, measured, run, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
