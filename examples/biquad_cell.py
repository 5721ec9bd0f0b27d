"""Learn the cut-off and the quality of a low pass from a signal that went through it: a biquad as a recurrent cell.

A biquad is a linear recurrent cell of two states. Written as one, in a loop over samples, a step over a tenth of a
second of audio takes about a second. Here are both: that loop, as it is often printed (writing into y[n] overwrites
what the gradient needs, so that its backward pass raises) and mended by a list, and polezero.nn.Biquad, whose
recurrence and gradient are one pass each and whose parameters stay in their ranges.

Both start from 1 kHz and learn the same hidden filter from the same noise, sent through it. The loop's cut-off is a
number of hertz, which needs a step a thousand times that of its quality; the module's parameters are logarithms of
both, for which one step fits.

    python examples/biquad_cell.py [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

import polezero

SAMPLE_RATE = 44_100
START = 1000.0, 0.707  # Hz, Q
SAMPLES = 300  # that both learn from
STEPS = 150
LENGTHS = {"loop": (100, 300, 1000, 3000), "module": (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000)}


class BiquadLayer(torch.nn.Module):
    """The loop."""

    def __init__(self, fs: float = SAMPLE_RATE) -> None:
        super().__init__()
        self.f0 = torch.nn.Parameter(torch.tensor(START[0]))
        self.Q = torch.nn.Parameter(torch.tensor(START[1]))
        self.fs = fs

    def coefficients(self) -> tuple[Tensor, ...]:
        w0 = 2 * torch.pi * self.f0 / self.fs
        alpha = torch.sin(w0) / (2 * self.Q)
        b0, b1, b2 = (1 - torch.cos(w0)) / 2, 1 - torch.cos(w0), (1 - torch.cos(w0)) / 2
        a0, a1, a2 = 1 + alpha, -2 * torch.cos(w0), 1 - alpha
        return b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0

    def forward(self, x: Tensor) -> Tensor:
        b0, b1, b2, a1, a2 = self.coefficients()
        y = []
        x1 = x2 = y1 = y2 = torch.zeros(())
        for n in range(len(x)):
            y.append(b0 * x[n] + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2)
            x2, x1 = x1, x[n]
            y2, y1 = y1, y[n]
        return torch.stack(y)


class BiquadLayerAsPrinted(BiquadLayer):
    def forward(self, x: Tensor) -> Tensor:
        b0, b1, b2, a1, a2 = self.coefficients()
        y = torch.zeros_like(x)
        x1 = x2 = y1 = y2 = 0.0
        for n in range(len(x)):
            y[n] = b0 * x[n] + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x2, x1 = x1, x[n]
            y2, y1 = y1, y[n]
        return y


def backward_of(model: torch.nn.Module) -> str:
    try:
        model(torch.ones(8)).sum().backward()
    except RuntimeError as error:
        return str(error).split(":")[0]
    return "works"


# ---- learning


@dataclass
class Run:
    """Before each step."""

    cutoff: list[float] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)
    seconds: float = 0.0


def learn(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, values: Callable[[], tuple[Tensor, Tensor]], data: Tensor
) -> Run:
    run, (x, target) = Run(), data
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    begin = time.perf_counter()
    for _ in range(STEPS):
        note(run, values)
        optimizer.zero_grad()
        (model(x) - target).square().mean().backward()
        optimizer.step()
        schedule.step()
    run.seconds = time.perf_counter() - begin
    note(run, values)
    return run


def note(run: Run, values: Callable[[], tuple[Tensor, Tensor]]) -> None:
    cutoff, quality = values()
    run.cutoff.append(cutoff.item())
    run.quality.append(quality.item())


def step_time(model: torch.nn.Module, samples: int) -> float:
    """Seconds of a forward and a backward pass: the least of a few."""
    x = torch.randn(samples)
    model(x)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        model(x).square().mean().backward()
        times.append(time.perf_counter() - begin)
    return min(times)


# ---- what came of it


def draw(hidden: tuple[float, float], runs: dict[str, Run], times: dict[str, list[float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["cutoff", "times"], ["quality", "times"]], figsize=(12, 6), constrained_layout=True
    )
    looks = {"loop": (orange, 4.5, 0.45, "loop over samples"), "module": (blue, 1.6, 1.0, "polezero.nn.Biquad")}
    for name, wanted, title, unit in (
        ("cutoff", hidden[0], "Cut-off", "Hz"),
        ("quality", hidden[1], "Quality", "Q"),
    ):
        ax = axes[name]
        ax.axhline(wanted, color=black, lw=1, ls=":", label="hidden")
        for kind, run in runs.items():
            color, width, alpha, label = looks[kind]
            ax.plot(getattr(run, name), color=color, lw=width, alpha=alpha, label=label)
        ax.set(title=title, xlabel="step", ylabel=unit, xlim=(0, STEPS))
    axes["cutoff"].legend(frameon=False, loc="lower right")
    ax = axes["times"]
    for kind, seconds in times.items():
        color, _, _, label = looks[kind]
        ax.loglog(LENGTHS[kind], [1000 * s for s in seconds], "o-", color=color, label=label)
    ax.set(title="Time of a step, forward and backward", xlabel="samples", ylabel="ms")
    factor = times["loop"][-1] / times["module"][LENGTHS["module"].index(LENGTHS["loop"][-1])]
    x, low, high = LENGTHS["loop"][-1], 1000 * times["loop"][-1] / factor, 1000 * times["loop"][-1]
    ax.annotate("", (x, low * 1.3), (x, high / 1.3), arrowprops={"arrowstyle": "<->", "color": black, "lw": 0.8})
    ax.text(x * 1.25, (low * high) ** 0.5, f"{factor:.0f} times", va="center")
    ax.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden filter and the noise")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    random = torch.Generator().manual_seed(options.seed)
    u, v = torch.rand(2, generator=random).tolist()
    hidden = 2500 * 1.6**u, 1.5 + 2 * v
    x = torch.randn(SAMPLES, generator=random)
    data = torch.stack([x, polezero.sosfilt(polezero.biquad("lowpass", hidden[0], Q=hidden[1], fs=SAMPLE_RATE), x)])

    print(f"backward of the loop as printed: {backward_of(BiquadLayerAsPrinted())}")
    print(f"backward of the loop with a list: {backward_of(BiquadLayer())}")
    loop, module = BiquadLayer(), polezero.nn.Biquad("lowpass", START[0], START[1], fs=SAMPLE_RATE)
    apart = [{"params": [loop.f0], "lr": 120.0}, {"params": [loop.Q], "lr": 0.12}]
    runs = {
        "loop": learn(loop, torch.optim.Adam(apart), lambda: (loop.f0, loop.Q), data),
        "module": learn(
            module, torch.optim.Adam(module.parameters(), lr=0.07), lambda: (module.frequency, module.Q), data
        ),
    }
    print(f"hidden: {hidden[0]:.2f} Hz, Q {hidden[1]:.4f}")
    for name, run in runs.items():
        print(f"{name}: {run.cutoff[-1]:.2f} Hz, Q {run.quality[-1]:.4f}, {STEPS} steps in {run.seconds:.2f} s")
        assert abs(run.cutoff[-1] / hidden[0] - 1) < 0.01, f"the {name} has not found the cut-off"
        assert abs(run.quality[-1] / hidden[1] - 1) < 0.01, f"the {name} has not found the quality"
    times = {name: [step_time(model, n) for n in LENGTHS[name]] for name, model in (("loop", loop), ("module", module))}
    for n, loop_time, module_time in zip(LENGTHS["loop"], times["loop"], times["module"]):
        print(
            f"a step over {n} samples: loop {1000 * loop_time:.1f} ms, module {1000 * module_time:.2f} ms, "
            f"{loop_time / module_time:.0f} times"
        )
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "biquad_cell.png"
    draw(hidden, runs, times, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
