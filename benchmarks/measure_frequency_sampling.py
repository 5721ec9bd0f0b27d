"""Draws docs/frequency_sampling.png and prints the tables of docs/frequency_sampling.md.

python benchmarks/measure_frequency_sampling.py [--output docs/frequency_sampling.png]

Error and time of polezero.freq.lfilter against polezero.lfilter, and the identification of filters by gradient descent
through the recursion, through spectra and through poles. One thread; a minute and a half on two cores.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import scipy.signal
import torch
from matplotlib.axes import Axes
from torch import Tensor

import polezero
from polezero import freq

matplotlib.use("Agg")
from matplotlib import pyplot as plt

METHODS = ("none", "zeropad", "truncate")
RADII = (0.9, 0.99, 0.999, 0.9999, 0.99999)
SAMPLES, RADIUS, ANGLE = 2**14, 0.999, 0.3  # where the other is varied
ERROR_LENGTHS = tuple(2**k for k in range(7, 18))
TIME_LENGTHS = tuple(2**k for k in range(8, 19, 2))
ROUNDS, SECONDS_A_TURN = 8, 0.15
ORDERS, TARGETS, STEPS, BURST = (2, 4, 8), 16, 1500, 1024
AROUND = 10  # steps
RATE, BOLD_RATE = 0.01, 0.1  # of Adam; falls to zero along a cosine
DELAYS = (95.0, 98.0, 99.0, 99.9, 101.0, 102.0, 105.0)

INK, GREY = "#222222", "#9A9A9A"
COLOURS = {"none": "#D55E00", "zeropad": "#E69F00", "truncate": "#0072B2"}
LEARNERS: dict[str, dict[str, Any]] = {
    "recursion": {"color": "#56B4E9", "lw": 5},
    "spectra": {"color": INK, "lw": 1.5, "ls": (0, (5, 2))},
    "spectra, ringing cut off": {"color": "#D55E00", "lw": 1.8, "ls": (0, (1, 1))},
    "poles": {"color": "#009E73", "lw": 2},
}
STYLE = Path(__file__).with_name("figures.mplstyle")
Figures = dict[str, list[float]]  # of each method, over radii, lengths or steps


def relative_rms(result: Tensor, exact: Tensor) -> float:
    return float((result.double() - exact).norm() / exact.norm())


def resonator(radius: float) -> tuple[Tensor, Tensor]:
    """b and a in float64, with poles at radius * exp(+-j ANGLE)."""
    b, a = [1.0, 0.4, 0.3], [1.0, -2 * radius * math.cos(ANGLE), radius**2]
    return torch.tensor(b, dtype=torch.float64), torch.tensor(a, dtype=torch.float64)


def errors(radius: float, samples: int) -> dict[str, float]:
    """Errors of each method in float64 against polezero.lfilter; and the latter's own, against SciPy in long double."""
    x = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    b, a = resonator(radius)
    y = polezero.lfilter(b, a, x)
    exact = scipy.signal.lfilter(*(t.numpy().astype(np.longdouble) for t in (b, a, x)))
    own = float(np.linalg.norm(y.numpy() - exact) / np.linalg.norm(exact))
    single = freq.lfilter(b.float(), a.float(), x.float(), "truncate")
    exact_single = polezero.lfilter(b.float().double(), a.float().double(), x.float().double())
    return {
        **{m: relative_rms(freq.lfilter(b, a, x, m), y) for m in METHODS},
        "truncate, float32": relative_rms(single, exact_single),
        "recursion": own,
    }


def squaring(order: int, samples: int) -> tuple[float, float]:
    """The norms of A^T B for a low-pass filter, by squaring the companion matrix and by the recursion."""
    b, a = (torch.from_numpy(c) for c in scipy.signal.butter(order, 0.05))
    A = torch.diag(torch.ones(order - 1, dtype=a.dtype), 1)
    A[:, 0] = -a[1:]
    squared = torch.linalg.matrix_power(A, samples) @ (b[1:] - a[1:] * b[0])
    impulse = torch.eye(1, samples + 1, dtype=a.dtype)[0]
    _, state = polezero.lfilter(b, a, impulse, zi=torch.zeros(order, dtype=a.dtype))
    return float(squared.norm()), float(state.norm())


def columns(rows: list[dict[str, float]]) -> Figures:
    return {name: [row[name] for row in rows] for name in rows[0]}


def calls(samples: int, backward: bool) -> dict[str, Callable[[], Any]]:
    """A call of each method in float32, with its gradients to b, a and x where they are wanted."""
    leaves = [t.float().requires_grad_(backward) for t in (*resonator(RADIUS), torch.randn(samples))]
    grad_y = torch.randn(samples)

    def call(function: Callable[..., Tensor], *options: Any) -> Callable[[], Any]:
        if not backward:
            return lambda: function(*leaves, *options)
        return lambda: torch.autograd.grad(function(*leaves, *options), leaves, grad_y)

    return {"recursion": call(polezero.lfilter), **{m: call(freq.lfilter, m) for m in METHODS}}


def take_turns(functions: dict[str, Callable[[], Any]], best: dict[str, float]) -> None:
    end = time.perf_counter() + SECONDS_A_TURN
    while time.perf_counter() < end:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            best[name] = min(best.get(name, math.inf), time.perf_counter() - start)


def times() -> tuple[Figures, Figures]:
    """Seconds over TIME_LENGTHS, forward and with gradients: the best of rounds, which outlast a busy neighbour."""
    cases = [(calls(T, backward), {}) for backward in (False, True) for T in TIME_LENGTHS]
    for _ in range(ROUNDS):
        for functions, best in cases:
            take_turns(functions, best)
    results = [best for _, best in cases]
    return columns(results[: len(TIME_LENGTHS)]), columns(results[len(TIME_LENGTHS) :])


def sections(radius: Tensor, angle: Tensor, b: Tensor) -> Tensor:
    """sos [..., K, 6] with poles at radius * exp(+-j angle), each [..., K], and zeros from b [..., K, 3]."""
    a = torch.stack([torch.ones_like(radius), -2 * radius * angle.cos(), radius**2], -1)
    return torch.cat([b, a], -1)


def product(polynomials: Tensor) -> Tensor:
    """The product of polynomials [..., K, 3] over K."""
    p, *others = polynomials.unbind(-2)
    for q in others:
        padded = torch.nn.functional.pad(p, (0, 2))
        p = sum(q[..., k : k + 1] * padded.roll(k, -1) for k in range(3))
    return p


def random_targets(order: int, generator: torch.Generator) -> Tensor:
    """Cascades with poles of radius 0.9 to 0.99, one in each of equal parts of the band, and smaller zeros."""
    K = order // 2
    uniform = torch.rand(4, TARGETS, K, generator=generator)
    radius, angle = 0.9 + 0.09 * uniform[0], math.pi * (torch.arange(K) + 0.1 + 0.8 * uniform[1]) / K
    zero_radius, zero_angle = 0.8 * uniform[2], math.pi * uniform[3]
    b = sections(zero_radius, zero_angle, torch.zeros(TARGETS, K, 3))[..., 3:]
    return sections(radius, angle, b)


class Coefficients:
    """b and a of a direct form, with no care for stability, learned through the recursion or through spectra."""

    def __init__(self, order: int, through_spectra: bool) -> None:
        self.spectra = through_spectra
        self.b, self.a = (torch.zeros(TARGETS, order + 1 - skip) for skip in (0, 1))
        self.b[:, 0] = 1
        self.parameters = [self.b.requires_grad_(), self.a.requires_grad_()]

    def filter(self, x: Tensor) -> Tensor:
        return polezero.lfilter(self.b, torch.cat([torch.ones(TARGETS, 1), self.a], -1), x)

    def loss(self, x: Tensor, y: Tensor, X: Tensor, Y: Tensor) -> Tensor:
        """The same by Parseval's theorem, but for what rings beyond the end."""
        if not self.spectra:
            return (self.filter(x) - y).square().mean(-1)
        error = freq.apply(self.b, torch.cat([torch.ones(TARGETS, 1), self.a], -1), X) - Y
        weights = torch.full(X.shape, 2.0)  # the bins beyond half the sampling rate mirror the others
        weights[0] = weights[-1] = 1
        return (weights * error.abs().square()).sum(-1) / len(x) ** 2


class Poles:
    """A cascade: radius and angle of each section's poles, and its zeros' b. Stable wherever the parameters are."""

    def __init__(self, order: int) -> None:
        K = order // 2
        self.radius = torch.zeros(TARGETS, K)  # sigmoid: 0.5
        self.angle = (math.pi * (torch.arange(K) + 0.5) / K).repeat(TARGETS, 1)
        self.b = torch.tensor([1.0, 0.0, 0.0]).repeat(TARGETS, K, 1)
        self.parameters = [t.requires_grad_() for t in (self.radius, self.angle, self.b)]

    def filter(self, x: Tensor) -> Tensor:
        return polezero.sosfilt(sections(self.radius.sigmoid(), self.angle, self.b), x.expand(TARGETS, -1))

    def loss(self, x: Tensor, y: Tensor, X: Tensor, Y: Tensor) -> Tensor:
        return (self.filter(x) - y).square().mean(-1)


def learn(learner: Coefficients | Poles, targets: Tensor, rate: float, silence: bool = True) -> tuple[Tensor, float]:
    """The relative error of the learned filters' output for other noise, [STEPS, TARGETS], and seconds a step."""
    generator = torch.Generator().manual_seed(1)
    x, test = torch.randn(2, 2 * BURST, generator=generator)
    if silence:
        x[BURST:] = 0
    y, wanted = (polezero.sosfilt(targets, t.expand(TARGETS, -1)) for t in (x, test))
    scale = y.square().mean(-1)
    X, Y = torch.fft.rfft(x), torch.fft.rfft(y)
    optimizer = torch.optim.Adam(learner.parameters, rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    history, seconds = [], []
    for _ in range(STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        (learner.loss(x, y, X, Y) / scale).sum().backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        schedule.step()
        with torch.no_grad():
            error = (learner.filter(test).double() - wanted).norm(dim=-1) / wanted.double().norm(dim=-1)
        history.append(error.nan_to_num(math.inf))
    return torch.stack(history), min(seconds)


def decibels(errors: Tensor, quantile: float) -> Tensor:
    """Over the targets; float32 ends at -145 dB or so."""
    return 20 * errors.clamp(1e-8, 1e8).quantile(quantile, dim=-1).log10()


def learning(order: int, rate: float) -> dict[str, tuple[Tensor, float]]:
    targets = random_targets(order, torch.Generator().manual_seed(order))
    recursion, spectra, cut_off = (Coefficients(order, through_spectra=s) for s in (False, True, True))
    return {
        "recursion": learn(recursion, targets, rate),
        "spectra": learn(spectra, targets, rate),
        "spectra, ringing cut off": learn(cut_off, targets, rate, silence=False),
        "poles": learn(Poles(order), targets, rate),
    }


def learn_delay(start: float) -> float:
    """The delay of a comb, in samples, learned from noise and its spectrum through the comb with a delay of 100.4."""
    X = torch.fft.rfft(torch.randn(4096, generator=torch.Generator().manual_seed(0)))
    wanted = freq.comb(0.6, 100.4, 4096) * X
    delay = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.Adam([delay], 0.02)
    for _ in range(600):
        optimizer.zero_grad()
        (freq.comb(0.6, delay, 4096) * X - wanted).abs().square().mean().backward()
        optimizer.step()
    return delay.item()


def draw_errors(axes: Axes, title: str, label: str, values: tuple[float, ...], figures: Figures) -> None:
    for name in METHODS:
        axes.loglog(values, figures[name], "o-", ms=4, color=COLOURS[name], label=name)
    axes.loglog(values, figures["truncate, float32"], "o--", ms=4, color=COLOURS["truncate"], label="truncate, float32")
    axes.loglog(values, figures["recursion"], ":", lw=2, color=GREY, label="recursion's own")
    axes.set(title=title, xlabel=label, ylabel="relative RMS error", ylim=(1e-17, 1e3))


def draw_times(axes: Axes, forward: Figures, backward: Figures) -> None:
    for figures, style, what in ((forward, "-", "forward"), (backward, "--", "forward and gradients")):
        for name in METHODS:
            ratio = [t / u for t, u in zip(figures[name], figures["recursion"], strict=True)]
            axes.loglog(TIME_LENGTHS, ratio, style, marker="o", ms=4, color=COLOURS[name])
        axes.plot([], [], style, color=INK, label=what)
    axes.axhline(1, color=GREY, ls=":", lw=2)
    axes.set(title="Time over the recursion's", xlabel="length T (samples)", ylabel="time / time of polezero.lfilter")
    axes.set_ylim(0.7, None)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.08))


def draw_learning(axes: Axes, order: int, curves: dict[str, tuple[Tensor, float]]) -> None:
    for name, (history, _) in curves.items():
        # the median of the steps around each: one after the other swing by 10 dB now and then
        curve = decibels(history, 0.5).unfold(0, 2 * AROUND + 1, 1).median(-1).values
        axes.plot(range(AROUND + 1, STEPS - AROUND + 1), curve, label=name, **LEARNERS[name])
    axes.set(
        title=f"Learning a filter of order {order}",
        xlabel="step of gradient descent",
        ylabel="error of the output (dB)",
    )
    axes.set(xlim=(0, STEPS), ylim=(-90, 5))


def draw(
    output: Path,
    over_radius: Figures,
    over_length: Figures,
    forward: Figures,
    backward: Figures,
    learned: dict[int, dict[str, tuple[Tensor, float]]],
) -> None:
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(15, 10.4), layout="constrained")
        above, below = figure.subfigures(2, 1, hspace=0.04)
        radius, length, ratio = above.subplots(1, 3)
        draw_errors(radius, f"Error, T = {SAMPLES}", "1 - pole radius", tuple(1 - r for r in RADII), over_radius)
        radius.invert_xaxis()
        draw_errors(length, f"Error, pole radius {RADIUS}", "length T (samples)", ERROR_LENGTHS, over_length)
        draw_times(ratio, forward, backward)
        learning_axes = below.subplots(1, 3)
        for axes, (order, curves) in zip(learning_axes, learned.items()):
            draw_learning(axes, order, curves)
        for part, axes in ((above, radius), (below, learning_axes[0])):
            part.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
        figure.savefig(output, dpi=110)
        plt.close(figure)


def table(heading: list[str], rows: list[list[str]]) -> None:
    print(f"\n| {' | '.join(heading)} |\n|{'--:|' * len(heading)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def print_figures(heading: str, values: tuple[float, ...], figures: Figures, form: str) -> None:
    rows = [[f"{value:g}", *(format(f[k], form) for f in figures.values())] for k, value in enumerate(values)]
    table([heading, *figures], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("frequency_sampling.png"))
    output = parser.parse_args().output
    torch.set_num_threads(1)
    torch.manual_seed(0)

    over_radius = columns([errors(r, SAMPLES) for r in RADII])
    over_length = columns([errors(RADIUS, T) for T in ERROR_LENGTHS])
    forward, backward = times()
    learned, boldly = ({order: learning(order, rate) for order in ORDERS} for rate in (RATE, BOLD_RATE))

    print_figures("radius", RADII, over_radius, ".1e")
    print_figures("T", ERROR_LENGTHS, over_length, ".1e")
    for name, figures in (("forward", forward), ("with gradients", backward)):
        print(f"\nmicroseconds, {name}")
        print_figures("T", TIME_LENGTHS, {k: [1e6 * t for t in v] for k, v in figures.items()}, ".0f")
    rows = [[str(N), str(T), *(f"{norm:.1e}" for norm in squaring(N, T))] for N in (4, 8) for T in (100, 1000)]
    table(["Butterworth order", "T", "norm of A^T B by squaring", "by recursion"], rows)
    print(f"\nerror in dB: median (quartiles); filters of {TARGETS} lost with a rate of {BOLD_RATE}")
    for order, curves in learned.items():
        rows = []
        for name, (history, seconds) in curves.items():
            low, median, high = (decibels(history[-1], q).item() for q in (0.25, 0.5, 0.75))
            lost = int((boldly[order][name][0][-1] > 1).sum())  # worse than silence
            rows.append([name, f"{median:.0f} ({low:.0f} to {high:.0f})", str(lost), f"{1e3 * seconds:.2f}"])
        table([f"order {order}", "error", "lost", "ms a step"], rows)
    table(["delay at the start", "learned"], [[f"{d:g}", f"{learn_delay(d):.4f}"] for d in DELAYS])
    draw(output, over_radius, over_length, forward, backward, learned)


if __name__ == "__main__":
    main()
