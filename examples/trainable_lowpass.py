"""A low pass that is trained: the module that people write first, beside polezero's, which learns a moving average.

The first part runs the module of a note of 2025, "Universal Differentiable IIR Filter (PyTorch)", as it was printed:
biquads in a Python loop over samples, from a Butterworth design. Two things fail there, and are mended here:
SciPy's zpk2sos has no argument fs; and the target, an average of 8 samples, is 7 samples shorter than what it is
compared with, so that the loss is one of 1024 and 1017 values. Here the output is compared from its eighth sample on,
where the average of the last 8 is. The other faults stay: coefficients rounded to float32, a state that is that of
another signal from the second call on, of two numbers whatever the batch is, and a graph of 14 nodes for each sample
and section. polezero's IIRFilter does the same training, to float32's rounding; a table says in how much time and
memory.

In the second part the filter learns the average itself. Its 7 zeros lie on the unit circle, and its poles at 0, so that
a Chebyshev filter of the second kind, of order 7, is a good start. Three of the four parametrizations that keep a
filter stable come down to rounding. "poles" has the radius of each pair, of which 0 is the border, where the gradient
ends: it comes down to 1 % of the amplitude, with poles that zeros nearly cancel.

    python examples/trainable_lowpass.py [--steps 10] [--help]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from scipy import signal
from torch import Tensor, nn
from torch.func import functional_call, jacfwd

from polezero.nn import IIRFilter

AVERAGED = 8  # samples
# How far each comes down, in dB of the average's power. That of "poles" has its border where the poles have to go.
LEARNED_DB = {"triangle": -150, "reflection": -150, "tanh": -150, "poles": -35}
SHOWN = "tanh"
STEPS = 100
FREQUENCIES = torch.linspace(0, 1, 1000, dtype=torch.float64)  # of Nyquist's


# ---- the module as it was printed


class DifferentiableBiquad(nn.Module):
    def __init__(self, b, a):
        super().__init__()
        b = b / a[0]
        a = a / a[0]
        self.b = nn.Parameter(torch.tensor(b, dtype=torch.float32))
        self.a = nn.Parameter(torch.tensor(a[1:], dtype=torch.float32))
        self.register_buffer("zi", torch.zeros(2))

    def forward(self, x):
        y = []
        z1, z2 = self.zi
        for n in range(x.shape[-1]):
            xn = x[..., n]
            yn = self.b[0] * xn + z1
            z1_new = self.b[1] * xn - self.a[0] * yn + z2
            z2_new = self.b[2] * xn - self.a[1] * yn
            z1, z2 = z1_new, z2_new
            y.append(yn)
        self.zi = torch.stack([z1.detach(), z2.detach()])
        return torch.stack(y, dim=-1)


class DifferentiableIIR(nn.Module):
    def __init__(self, z, p, k):
        super().__init__()
        sos = signal.zpk2sos(z, p, k)  # mended: it had fs=fs
        self.sections = nn.ModuleList([DifferentiableBiquad(s[:3], s[3:]) for s in sos])

    def forward(self, x):
        y = x
        for section in self.sections:
            y = section(y)
        return y


# ---- both in one training


def averages(x: Tensor) -> Tensor:
    """Of each sample and the 7 before it, from the eighth on."""
    return nn.functional.avg_pool1d(x.unsqueeze(1), kernel_size=AVERAGED, stride=1).squeeze(1)


def loss_of(module: nn.Module, x: Tensor) -> Tensor:
    return nn.functional.mse_loss(module(x)[..., AVERAGED - 1 :], averages(x))  # mended: it had all samples


@dataclass
class Training:
    losses: list[float]
    seconds: float  # of a step, the fastest


def train(module: nn.Module, steps: int) -> Training:
    """As it was printed, on seeded noise."""
    random, losses, seconds = torch.Generator().manual_seed(0), [], []
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    for _ in range(steps):
        x = torch.randn(1, 1024, generator=random)
        start = time.perf_counter()
        loss = loss_of(module, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        losses.append(loss.item())
    return Training(losses, min(seconds))


def nodes_of(result: Tensor) -> int:
    """How many nodes a graph has."""
    seen, left = set(), [result.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            left.extend(parent for parent, _ in node.next_functions)
    return len(seen)


def memory_of(make: Callable[[], nn.Module]) -> float:
    """MiB that a graph takes, by how much a process of its own grows."""
    context = multiprocessing.get_context("fork")
    grown = context.SimpleQueue()

    def measure() -> None:
        module = make()
        loss_of(module, torch.randn(1, 64))  # what is loaded once
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        loss = loss_of(make(), torch.randn(1, 1024))
        grown.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, loss.item()))

    process = context.Process(target=measure)
    process.start()
    kibibytes, _ = grown.get()
    process.join()
    return kibibytes / 1024


def compare(steps: int) -> None:
    z, p, k = signal.butter(4, 0.3, output="zpk")
    modules: dict[str, Callable[[], nn.Module]] = {
        "as printed": lambda: DifferentiableIIR(z, p, k),
        "polezero.nn.IIRFilter": lambda: IIRFilter.from_zpk(z, p, k, stateful=True),  # as the printed one is
    }
    memory = {name: memory_of(make) for name, make in modules.items()}
    trained = {
        name: train(make(), steps if name == "as printed" else max(steps, 100)) for name, make in modules.items()
    }
    print(f"{'':24}{'a step':>12}{'nodes':>8}{'memory':>12}   loss of step 1 and of step {steps}")
    for name, run in trained.items():
        nodes, losses = nodes_of(loss_of(modules[name](), torch.randn(1, 1024))), run.losses
        size = f"{memory[name]:.1f} MiB" if memory[name] >= 0.1 else "< 0.1 MiB"
        print(f"{name:24}{1000 * run.seconds:>9.2f} ms{nodes:>8}{size:>12}   {losses[0]:.6f} {losses[steps - 1]:.6f}")
    printed, ours = trained.values()
    off = max(abs(a / b - 1) for a, b in zip(printed.losses, ours.losses))
    print(f"{printed.seconds / ours.seconds:.0f} times as fast; the losses are the same to {off:.1e}")
    assert off < 1e-4, "the two trainings went apart"


# ---- learning the average


@dataclass
class Run:
    error_db: list[float] = field(default_factory=list)  # below the average's own power
    poles: list[Tensor] = field(default_factory=list)
    zeros: list[Tensor] = field(default_factory=list)
    responses: list[Tensor] = field(default_factory=list)

    @torch.no_grad()
    def note(self, module: IIRFilter, error: Tensor) -> None:
        self.error_db.append(10 * error.log10().item())
        self.poles.append(module.poles)
        self.zeros.append(module.zeros)
        self.responses.append(module.freqz(FREQUENCIES)[1])


def learn(parametrization: str) -> Run:
    """By steps of Levenberg and Marquardt's from the impulse response, of which forward mode gives all derivatives."""
    module = IIRFilter.from_design("cheby2", AVERAGED - 1, 0.25, parametrization=parametrization)  # type: ignore[arg-type]
    shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
    impulse = torch.eye(1, 128, dtype=torch.float64)
    wanted = torch.where(torch.arange(128) < AVERAGED, 1 / AVERAGED, 0.0)

    def misses(numbers: Tensor) -> Tensor:
        parts = numbers.split([shape.numel() for shape in shapes.values()])
        parameters = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts)}
        return functional_call(module, parameters, (impulse,))[0] - wanted

    run, numbers, damping = Run(), torch.cat([p.detach().flatten() for p in module.parameters()]), 1e-2
    for _ in range(STEPS):
        before, jacobian = misses(numbers), jacfwd(misses)(numbers)
        run.note(module, before.square().sum() / wanted.square().sum())
        curvature, gradient = jacobian.T @ jacobian, jacobian.T @ before
        better = None
        while better is None and damping < 1e8:
            change = torch.linalg.solve(curvature + damping * torch.diag(curvature.diagonal() + 1e-6), gradient)
            if misses(numbers - change).square().sum() < before.square().sum():
                better, damping = numbers - change, damping / 5
            else:
                damping *= 4
        if better is None or run.error_db[-1] < -180:
            break
        numbers = better
        torch.nn.utils.vector_to_parameters(numbers, module.parameters())
    return run


def response_of_the_average() -> Tensor:
    lags = torch.arange(AVERAGED, dtype=torch.float64)
    return torch.exp(-1j * torch.pi * FREQUENCIES[:, None] * lags).mean(-1)


def decibels(h: Tensor) -> Tensor:
    return 20 * h.abs().clamp(min=1e-9).log10()


def draw(runs: dict[str, Run], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    colours = dict(zip(runs, ("#e69f00", "#009e73", "#56b4e9", blue)))
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["response", "roots"], ["error", "roots"]], figsize=(12, 7), constrained_layout=True, width_ratios=[1.25, 1]
    )
    run = runs[SHOWN]
    ax = axes["response"]
    ax.plot(FREQUENCIES, decibels(response_of_the_average()), color=black, lw=4, alpha=0.35, label="moving average")
    ax.plot(FREQUENCIES, decibels(run.responses[0]), color=orange, lw=1.2, label="start: Chebyshev II, order 7")
    ax.plot(FREQUENCIES, decibels(run.responses[-1]), color=blue, lw=1.2, label="learned")
    ax.set(title="Magnitude response", xlabel="frequency (of Nyquist's)", ylabel="dB", xlim=(0, 1), ylim=(-52, 3))
    ax.legend(frameon=False, loc="upper right", borderaxespad=0, fontsize=10)
    for name, one in runs.items():
        axes["error"].plot(one.error_db, color=colours[name], label=name, lw=1.6)
    axes["error"].set(title="Error", xlabel="step", ylabel="dB of the average's power")
    axes["error"].legend(frameon=False, loc="center right", title="parametrization", alignment="left")
    ax = axes["roots"]
    angles = torch.linspace(0, 2 * torch.pi, 400)
    ax.plot(angles.cos(), angles.sin(), color=black, lw=0.8)
    for roots, colour in ((run.zeros, blue), (run.poles, orange)):
        on_the_way = torch.cat(roots)
        ax.plot(on_the_way.real, on_the_way.imag, ".", color=colour, ms=2.5, alpha=0.6)
    ax.plot(run.zeros[0].real, run.zeros[0].imag, "o", mfc="none", ms=7, color=blue, alpha=0.45)
    ax.plot(run.poles[0].real, run.poles[0].imag, "x", ms=7, color=orange, alpha=0.45)
    ax.plot(run.zeros[-1].real, run.zeros[-1].imag, "o", ms=6, color=blue, label="zeros, learned")
    ax.plot(run.poles[-1].real, run.poles[-1].imag, "x", ms=9, mew=2.2, color=orange, label="poles, learned")
    at = torch.exp(2j * torch.pi * torch.arange(1, AVERAGED) / AVERAGED)
    ax.plot(at.real, at.imag, "o", mfc="none", ms=13, color=black, label="zeros of the average")
    ax.set(
        title=f"Poles and zeros from the start on ({SHOWN})",
        aspect="equal",
        xlabel="real part",
        ylabel="imaginary part",
    )
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10, help="of the printed module's training")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    compare(options.steps)
    runs = {name: learn(name) for name in LEARNED_DB}
    for name, run in runs.items():
        radius = run.poles[-1].abs().max().item()
        steps = len(run.error_db) - 1
        print(
            f"{name}: error {run.error_db[0]:.1f} dB at the start, {run.error_db[-1]:.1f} dB after {steps} steps;"
            f" largest pole radius {radius:.3f}"
        )
        assert run.error_db[-1] < LEARNED_DB[name], f"{name} has not learned the average"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "trainable_lowpass.png"
    draw(runs, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
