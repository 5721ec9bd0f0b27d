"""An equaliser of three bands that is trained to an energy profile, by its edges and gains.

The bands, the signal and the loss are those of a note of 2025, "Differentiable FilterBank": Butterworth filters of
order 2, low, band and high pass, fed with white noise; their mean powers shall be 1, 0.5 and 0.2. As printed, its
module does not run, since SciPy's zpk2sos has no argument fs; mended, it filters in a Python loop over samples, as that
of examples/trainable_lowpass.py, and trains the sections' coefficients, although it says that the bank "learns band
edges, gains, Q".

polezero's FilterBank does. Given the same dictionaries, with a gain of 0 dB to begin with, trainable="edges" learns the
cut-offs in Hz, or of Nyquist's, and decibels: what comes out is three Butterworth filters still, that an engineer can
read. Beside it the same training of the coefficients comes to the same profile by filters of no shape.

    python examples/energy_profile.py [--steps 500] [--help]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from polezero.nn import FilterBank

BANDS = [
    {"ftype": "butter", "order": 2, "cutoff": 0.2, "btype": "low", "gain": 0.0},
    {"ftype": "butter", "order": 2, "cutoff": [0.2, 0.6], "btype": "bandpass", "gain": 0.0},
    {"ftype": "butter", "order": 2, "cutoff": 0.6, "btype": "high", "gain": 0.0},
]
NAMES = ("low", "mid", "high")
PROFILE = torch.tensor([1.0, 0.5, 0.2], dtype=torch.float64)
FREQUENCIES = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000  # of Nyquist's


@torch.no_grad()
def response(bank: FilterBank) -> Tensor:
    return bank.freqz(FREQUENCIES)[1]


def power(bank: FilterBank) -> Tensor:
    """Of each band, of white noise of power 1: the mean of the squared magnitude."""
    return response(bank).abs().square().mean(-1)


@dataclass
class Run:
    bank: FilterBank
    powers: list[Tensor] = field(default_factory=list)  # before each step, and after the last one


def train(trainable: str, steps: int, rate: float) -> Run:
    run = Run(FilterBank(BANDS, trainable=trainable))
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(run.bank.parameters(), lr=rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        run.powers.append(power(run.bank))
        energy = run.bank(torch.randn(16, 1024, generator=random)).square().mean(-1)  # [batch, bands]
        loss = (energy - PROFILE).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
    run.powers.append(power(run.bank))
    return run


def settings(bank: FilterBank) -> str:
    """As an engineer would set it."""
    (low, high), (first, last) = bank.cutoff.tolist(), bank.edges[0].tolist()
    edges = f"below {low:.3f}", f"{first:.3f} to {last:.3f}", f"above {high:.3f}"
    return "; ".join(f"{name} {edge}, {gain:+.2f} dB" for name, edge, gain in zip(NAMES, edges, bank.gain.tolist()))


def at_edges(bank: FilterBank) -> Tensor:
    """In dB of the band's gain, at each edge: -3.01 of a Butterworth filter."""
    (low, high), (first, last) = bank.cutoff.detach(), bank.edges[0].detach()
    level = (
        20 * bank.freqz(torch.stack([low, first, last, high]))[1].abs().log10().detach() - bank.gain.detach()[:, None]
    )
    return torch.stack([level[0, 0], level[1, 1], level[1, 2], level[2, 3]])


def draw(start: FilterBank, runs: dict[str, Run], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = ("#0072b2", "#d55e00", "#009e73")
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["start", "edges", "coefficients"], ["learning", "learning", "learning"]],
        figsize=(12, 7),
        constrained_layout=True,
    )
    titles = {"start": "Start", "edges": "Learned by edges and gains", "coefficients": "Learned by coefficients"}
    for name, bank in {"start": start, **{name: run.bank for name, run in runs.items()}}.items():
        for band, colour, h in zip(NAMES, colours, response(bank)):
            axes[name].plot(FREQUENCIES, 20 * h.abs().log10(), color=colour, label=band)
        axes[name].set(title=titles[name], xlabel="frequency (of Nyquist's)", xlim=(0, 1), ylim=(-26, 9))
    axes["start"].set_ylabel("dB")
    axes["start"].legend(frameon=False, loc="upper center", ncols=3)
    edges = runs["edges"].bank
    for colour, band in zip((colours[0], colours[2]), edges.cutoff.tolist()):
        axes["edges"].axvline(band, color=colour, lw=0.9, ls=":")
    for band in edges.edges[0].tolist():
        axes["edges"].axvline(band, color=colours[1], lw=0.9, ls=":")
    ax = axes["learning"]
    for k, (band, colour) in enumerate(zip(NAMES, colours)):
        ax.axhline(PROFILE[k], color=colour, lw=5, alpha=0.2)
        for (name, run), style in zip(runs.items(), ("-", "--")):
            ax.plot([p[k] for p in run.powers], style, color=colour, label=f"{band}, by {name}")
    ax.set(title="Power of each band, and the profile", xlabel="step", ylabel="mean power")
    ax.set(xlim=(0, len(runs["edges"].powers) - 1), ylim=(0, 1.15))
    ax.legend(frameon=False, ncols=3, loc="upper right", bbox_to_anchor=(1, 0.82))
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    start = FilterBank(BANDS, trainable="edges")
    runs = {name: train(name, options.steps, rate) for name, rate in (("edges", 0.02), ("coefficients", 0.005))}
    print(f"start:   {settings(start)}")
    print(f"learned: {settings(runs['edges'].bank)}")
    for name, bank in {"start": start, **{name: run.bank for name, run in runs.items()}}.items():
        print(f"power of the bands, {name}: " + ", ".join(f"{p:.3f}" for p in power(bank)))
    for name, run in runs.items():
        off = (power(run.bank) / PROFILE - 1).abs().max()
        assert off < 0.02, f"{name} has not learned the profile: off by {off:.1%}"
    assert (at_edges(runs["edges"].bank) + 3.0103).abs().max() < 1e-3, "the bands are no Butterworth filters"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "energy_profile.png"
    draw(start, runs, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
