"""Learn the crossover of a two-way loudspeaker: its frequency, the gains of both drivers and the tweeter's polarity.

The crossover is polezero.crossover, Linkwitz and Riley's of fourth order, whose bands one polezero.sosfilt makes of the
input. By themselves the bands sum to an all-pass. Drivers are not flat, however: behind the bands come here a woofer
with the roll-off of its closed box and a broad resonance before it falls off at the top, and a tweeter which is more
sensitive, falls off at the bottom and turns phases there. What is learned is what makes their sum flattest on axis,
the mean square of its deviation from 0 dB over all octaves from 60 Hz to 16 kHz.

Gradients reach the frequency and the gains through impulse responses. Polarity is no number: both are tried, as one
does with real loudspeakers. With one of them there is one optimum; the other has two, and learning ends in the nearer.
A sweep of the frequency, a batch of 200 crossovers with the learned gains, must not find a flatter sum in either.

    python examples/crossover.py [--seed 1] [--start 500] [--help]
"""

from __future__ import annotations

import argparse
import functools
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

import polezero

SAMPLE_RATE = 48_000
SAMPLES = 8192  # of impulse responses, which have died out by then
ORDER = 4
LOWEST, HIGHEST = 60.0, 16_000.0  # of what is to be flat
HERTZ = torch.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE, dtype=torch.float64)
IN_USE = (HERTZ >= LOWEST) & (HERTZ <= HIGHEST)
WEIGHTS = (1 / HERTZ[IN_USE]) / (1 / HERTZ[IN_USE]).sum()  # as many for each octave
BETWEEN = (300.0, 8_000.0)  # the crossover
STEPS = 60  # evaluations of the gradient, at most
POLARITIES = {1: "in phase", -1: "inverted"}


# ---- the drivers


def drivers(seed: int) -> Tensor:
    """The impulse responses of woofer and tweeter, each a little different from the last one of its kind."""
    random = torch.Generator().manual_seed(seed)
    tolerance = (0.1 * torch.randn(5, generator=random, dtype=torch.float64)).exp().tolist()
    section = functools.partial(polezero.biquad, fs=SAMPLE_RATE)
    woofer = [
        section("highpass", 45 * tolerance[0], Q=0.707),
        section("peaking", 3_000 * tolerance[1], Q=1.5, gain=3.0),
        section("lowpass", 4_500 * tolerance[2], Q=0.8),
    ]
    tweeter = [
        section("highpass", 900 * tolerance[3], Q=0.9),
        section("lowpass", 21_000.0, Q=0.707),
        section("highshelf", 9_000 * tolerance[4], Q=0.6, gain=-1.0),
    ]
    sensitivity = torch.tensor([[1.0], [10 ** (4 / 20)]], dtype=torch.float64)
    return sensitivity * polezero.sosfilt(torch.stack([torch.cat(woofer), torch.cat(tweeter)]), impulse())


def impulse() -> Tensor:
    return nn.functional.pad(torch.ones(1, dtype=torch.float64), (0, SAMPLES - 1))


# ---- the loudspeaker


class Loudspeaker(nn.Module):
    """Its crossover lies at `hertz` at first, and has no gains."""

    def __init__(self, drivers: Tensor, hertz: float, polarity: int) -> None:
        super().__init__()
        self.drivers = drivers
        self.polarity = torch.tensor([1.0, polarity], dtype=torch.float64)
        place = math.log(hertz / BETWEEN[0]) / math.log(BETWEEN[1] / BETWEEN[0])
        self.place = nn.Parameter(torch.logit(torch.tensor([place], dtype=torch.float64)))
        self.gains = nn.Parameter(torch.zeros(2, dtype=torch.float64))  # of woofer and tweeter, in nepers

    def frequency(self) -> Tensor:
        hertz: Tensor = BETWEEN[0] * (BETWEEN[1] / BETWEEN[0]) ** self.place.sigmoid()
        return hertz

    def gains_db(self) -> Tensor:
        return 20 / math.log(10) * self.gains

    def forward(self, frequency: Tensor) -> Tensor:
        """What either driver radiates, [..., 2, SAMPLES], with its crossover at this frequency, [..., 1]."""
        sos = polezero.crossover(ORDER, frequency, fs=SAMPLE_RATE)
        bands = polezero.sosfilt(sos, self.drivers)  # filters commute: the drivers' responses come first
        radiated: Tensor = (self.polarity * self.gains.exp())[:, None] * bands
        return radiated

    def deviation_db(self, frequency: Tensor) -> Tensor:
        """The sum's from 0 dB, root of the mean square over octaves."""
        response_db = decibels(self(frequency).sum(-2))[..., IN_USE]
        deviation: Tensor = (response_db.square() * WEIGHTS).sum(-1).sqrt()
        return deviation


def decibels(h: Tensor) -> Tensor:
    level: Tensor = 20 * torch.fft.rfft(h).abs().clamp_min(1e-6).log10()
    return level


# ---- learning


@dataclass
class Run:
    """At each evaluation of the gradient."""

    speaker: Loudspeaker
    deviation_db: list[float] = field(default_factory=list)
    hertz: list[float] = field(default_factory=list)


def learn(speaker: Loudspeaker) -> Run:
    run = Run(speaker)
    optimiser = torch.optim.LBFGS(
        speaker.parameters(), lr=0.5, max_iter=STEPS, max_eval=STEPS, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def step() -> Tensor:
        optimiser.zero_grad()
        deviation = speaker.deviation_db(speaker.frequency())
        error = deviation.square()
        error.backward()
        run.deviation_db.append(deviation.item())
        run.hertz.append(speaker.frequency().item())
        return error

    optimiser.step(step)
    return run


@torch.no_grad()
def sweep(speaker: Loudspeaker) -> tuple[Tensor, Tensor]:
    """The deviation at 200 frequencies, with the gains as they are."""
    frequencies = torch.logspace(math.log10(BETWEEN[0]), math.log10(BETWEEN[1]), 200, dtype=torch.float64)
    return frequencies, speaker.deviation_db(frequencies[:, None])


def draw(first: Loudspeaker, runs: list[Run], best: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    blue, orange, black, green = "#0072b2", "#d55e00", "#222222", "#009e73"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, ((before, after), (learning, sweeps)) = plt.subplots(
        2, 2, figsize=(12, 7.5), constrained_layout=True, height_ratios=[5, 4]
    )
    for ax, speaker, when in ((before, first, "at the start"), (after, best.speaker, "learned")):
        radiated = speaker(speaker.frequency()).detach()
        hertz = speaker.frequency().item()
        for name, band, color in zip(("woofer", "tweeter"), radiated, (orange, green)):
            ax.semilogx(HERTZ, decibels(band), color=color, lw=1.2, label=f"{name} in its band")
        for name, driver, color in zip(("woofer", "tweeter"), speaker.drivers, (orange, green)):
            ax.semilogx(HERTZ, decibels(driver), color=color, lw=1, ls=":", label=f"{name} alone")
        ax.semilogx(HERTZ, decibels(radiated.sum(-2)), color=blue, lw=2.5, label="sum")
        ax.axvline(hertz, color=black, lw=0.8, ls="--")
        ax.annotate(f"{hertz:.0f} Hz", (hertz, 7), xytext=(-4, 0), textcoords="offset points", ha="right")
        title = f"Crossover {when}: {speaker.deviation_db(speaker.frequency()).item():.2f} dB RMS from flat"
        ax.set(title=title, xlabel="frequency (Hz)", ylabel="dB", xlim=(20, 20_000), ylim=(-30, 9))
    before.legend(frameon=False, fontsize=8, loc="lower left")
    for run, (name, color) in zip(runs, (("in phase", blue), ("inverted", orange))):
        learning.semilogy(range(1, len(run.deviation_db) + 1), run.deviation_db, color=color, label=f"tweeter {name}")
        frequencies, deviations = sweep(run.speaker)
        sweeps.loglog(frequencies, deviations, color=color, lw=1.2, label=f"tweeter {name}")
        sweeps.plot(run.hertz[-1], run.deviation_db[-1], "o", color=color, ms=7)
    learning.set(title="Learning", xlabel="evaluation of the gradient", ylabel="deviation from 0 dB (dB RMS)")
    learning.legend(frameon=False, fontsize=9)
    sweeps.set(title="Sweep with the learned gains", xlabel="crossover (Hz)", ylabel="deviation from 0 dB (dB RMS)")
    sweeps.set(xlim=BETWEEN, ylim=learning.get_ylim())
    for ax in (learning, sweeps):
        ax.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
        ax.yaxis.set_minor_formatter(NullFormatter())
    for ax in (before, after, sweeps):
        ticks = [f for f in (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000) if ax.get_xlim()[0] <= f]
        ticks = [f for f in ticks if f <= ax.get_xlim()[1]]
        ax.set_xticks(ticks, [f"{f // 1000} k" if f >= 1000 else str(f) for f in ticks])
        ax.xaxis.set_minor_formatter(NullFormatter())
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the drivers' tolerances")
    parser.add_argument("--start", type=float, default=500.0, help="where the crossover is at first, in Hz")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    if not BETWEEN[0] < options.start < BETWEEN[1]:
        parser.error("--start: expected {:g} to {:g} Hz, got {:g} Hz".format(*BETWEEN, options.start))
    pair = drivers(options.seed)
    runs = [learn(Loudspeaker(pair, options.start, polarity)) for polarity in POLARITIES]
    for name, run in zip(POLARITIES.values(), runs):
        woofer, tweeter = run.speaker.gains_db().tolist()
        print(
            f"tweeter {name}: crossover at {run.hertz[0]:.0f} Hz, then {run.hertz[-1]:.1f} Hz; "
            f"woofer {woofer:+.2f} dB, tweeter {tweeter:+.2f} dB; "
            f"deviation {run.deviation_db[0]:.2f} dB, then {run.deviation_db[-1]:.3f} dB"
        )
    best = min(runs, key=lambda run: run.deviation_db[-1])
    for name, run in zip(POLARITIES.values(), runs):
        frequencies, deviations = sweep(run.speaker)
        print(f"flattest of a sweep, {name}: {deviations.min():.3f} dB at {frequencies[deviations.argmin()]:.0f} Hz")
        assert best.deviation_db[-1] < deviations.min() + 1e-3, "the sweep finds a flatter sum"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "crossover.png"
    draw(Loudspeaker(pair, options.start, 1), runs, best, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
