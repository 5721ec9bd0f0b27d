"""Learn the pitch and the damping of a plucked string, by gradient descent through a comb with a fractional delay.

Karplus and Strong's string is a delay line whose end is fed back to its beginning through a filter that damps it:

    y[n] = x[n] + g ((1 - s) v[n] + s v[n-1]),    v[n] = y[n - D]

A loop of D + s samples (low partials) is a pitch of fs / (D + s); g and s damp it, s the high partials more. D is no
whole number: v is interpolated, and the delay has a gradient. (polezero.comb_filter has the loop without a filter in
it; with one it is polezero.sparse_allpole, whose taps are the interpolation's times the filter's.)

The note is synthetic, and not by this model: a string with an exact delay, e^(-j w D), on a grid of frequencies
(polezero.freq), with noise 50 dB below it. Nothing is known of it but the samples: D starts at the whole number where
its autocorrelation is largest, x is its first period.

    python examples/karplus_strong.py [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

import polezero

SAMPLE_RATE = 44_100
# Samples from the pluck on, and steps of gradient descent. Longer notes tell the pitch more exactly, but where it is
# off by half a period of a partial at their end, they tell the wrong way.
STAGES = ((2_000, 150), (8_000, 150), (44_100, 200))


# ---- the string


def interpolation(fraction: Tensor) -> Tensor:
    """The weights of the samples at -1, 0, 1, 2 for a place between 0 and 1: the polynomial through all four."""
    f = fraction
    return torch.stack(
        [
            -f * (f - 1) * (f - 2) / 6,
            (f + 1) * (f - 1) * (f - 2) / 2,
            -(f + 1) * f * (f - 2) / 2,
            (f + 1) * f * (f - 1) / 6,
        ]
    )


class String(nn.Module):
    """D starts at `delay`, the gain of the loop at 0.95, and without a filter."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self.delay = nn.Parameter(torch.tensor(delay, dtype=torch.float64))
        self.gain = nn.Parameter(torch.logit(torch.tensor(0.95, dtype=torch.float64)))
        self.softness = nn.Parameter(torch.tensor(-3.0, dtype=torch.float64))

    def values(self) -> tuple[Tensor, Tensor, Tensor]:
        """D, g < 1 and s < 1/2."""
        return self.delay, self.gain.sigmoid(), 0.5 * self.softness.sigmoid()

    def period(self) -> Tensor:
        D, _, s = self.values()
        return D + s

    def taps(self) -> tuple[Tensor, Tensor]:
        """Five taps of feedback and their delays."""
        D, g, s = self.values()
        whole = int(D.detach().floor())
        weights = interpolation(D - whole)
        taps = nn.functional.pad((1 - s) * weights, (0, 1)) + nn.functional.pad(s * weights, (1, 0))
        return g * taps, torch.arange(whole - 1, whole + 4)

    def forward(self, x: Tensor) -> Tensor:
        taps, delays = self.taps()
        y: Tensor = polezero.sparse_allpole(-taps, delays, x)
        return y

    @torch.no_grad()
    def loop_gain(self, z: Tensor) -> Tensor:
        """At points of the unit circle; the interpolation damps high partials too."""
        taps, delays = self.taps()
        return (taps * z[:, None] ** -delays).sum(-1).abs()


def exact_string(D: float, g: float, s: float, x: Tensor) -> Tensor:
    """The same with the delay e^(-j w D) itself. The grid is long enough for the note to have rung out."""
    n = 2**18
    w = 2 * math.pi * torch.fft.rfftfreq(n, dtype=torch.float64)
    loop = g * (1 - s + s * torch.exp(-1j * w)) * torch.exp(-1j * w * D)
    y: Tensor = torch.fft.irfft(torch.fft.rfft(x, n) / (1 - loop), n)[: len(x)]
    return y


def pluck(samples: int, length: int, random: torch.Generator) -> Tensor:
    """A short soft noise, and silence."""
    noise = torch.randn(length, generator=random, dtype=torch.float64)
    soft = polezero.lfilter([0.35], [1.0, -0.65], noise) * torch.hann_window(length, dtype=torch.float64)
    return nn.functional.pad(soft, (0, samples - length))


# ---- the note, and what can be seen of it


@dataclass(frozen=True)
class Note:
    y: Tensor
    D: float
    g: float
    s: float

    @property
    def period(self) -> float:
        return self.D + self.s


def hidden_note(seed: int) -> Note:
    random = torch.Generator().manual_seed(seed)
    u = torch.rand(3, generator=random, dtype=torch.float64)
    D, g, s = 150 + 150 * u[0].item(), 0.985 + 0.01 * u[1].item(), 0.15 + 0.2 * u[2].item()
    samples = max(n for n, _ in STAGES)
    y = exact_string(D, g, s, pluck(samples, 140, random))
    noise = torch.randn(samples, generator=random, dtype=torch.float64)
    return Note(y + noise * y.square().mean().sqrt() * 10 ** (-50 / 20), D, g, s)


def first_guess(y: Tensor, shortest: int = 40, longest: int = 1000) -> int:
    """The whole number of samples after which y is most like itself."""
    power = torch.fft.rfft(y, 2 * len(y)).abs().square()
    correlation = torch.fft.irfft(power)[: longest + 1]
    return shortest + int(correlation[shortest:].argmax())


def first_period(y: Tensor) -> Tensor:
    """y until something comes back, and silence: what the string was plucked with."""
    return torch.where(torch.arange(len(y)) < first_guess(y) - 2, y, 0.0)


# ---- learning


@dataclass
class Run:
    """At each step: the error of the note, of the pitch, and of the two damping parameters."""

    error_db: list[float] = field(default_factory=list)
    cents: list[float] = field(default_factory=list)
    g: list[float] = field(default_factory=list)
    s: list[float] = field(default_factory=list)


def learn(string: String, note: Note, stages: tuple[tuple[int, int], ...] = STAGES) -> Run:
    """Gradient descent (Adam) on |string(x) - y|^2 / |y|^2, over more and more of the note."""
    run = Run()
    plucked = first_period(note.y)
    for samples, steps in stages:
        y, x = note.y[:samples], plucked[:samples]
        optimiser = torch.optim.Adam(
            [{"params": [string.delay], "lr": 0.01}, {"params": [string.gain, string.softness], "lr": 0.05}]
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            optimiser.zero_grad()
            error = (string(x) - y).square().sum() / y.square().sum()
            error.backward()
            optimiser.step()
            schedule.step()
            _, g, s = string.values()
            run.error_db.append(10 * math.log10(error.item()))
            run.cents.append(1200 * math.log2(note.period / string.period().item()))
            run.g.append(g.item())
            run.s.append(s.item())
    return run


def ringing_s(gain: Tensor, period: float) -> Tensor:
    """Seconds in which a partial falls by 60 dB, of the gain of the loop at its frequency."""
    return -60 / (20 * gain.log10()) * period / SAMPLE_RATE


def draw(note: Note, first: String, learned: String, run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    x = first_period(note.y)
    before, after = first(x).detach(), learned(x).detach()
    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplots(2, 2, figsize=(12, 7.5), constrained_layout=True)
    begin = 22_050
    window = slice(begin, begin + 3 * round(note.period))
    ms = torch.arange(window.start, window.stop) / SAMPLE_RATE * 1e3
    (ax, pitch), (error, rings) = axes
    ax.plot(ms, note.y[window], color=black, lw=3, alpha=0.35, label="the note")
    ax.plot(ms, before[window], color=orange, lw=1, label="string at the start")
    ax.plot(ms, after[window], color=blue, lw=1, label="string learned")
    ax.set(title="Three periods, half a second after the pluck", xlabel="time (ms)", ylabel="amplitude")
    ax.legend(frameon=False, loc="upper right", ncols=3, fontsize=8)
    ax.margins(y=0.25)
    steps = range(1, len(run.cents) + 1)
    pitch.semilogy(steps, [abs(c) for c in run.cents], color=blue)
    pitch.set(title="Pitch", xlabel="step", ylabel="error (cents)")
    error.plot(steps, run.error_db, color=blue)
    error.axhline(-50, color=black, lw=1, ls=":")
    error.annotate("noise", (1, -50), xytext=(0, 3), textcoords="offset points")
    error.set(title="Error over the samples in use", xlabel="step", ylabel="error (dB)")
    for axis in (pitch, error):
        for end in (sum(s for _, s in STAGES[:k]) for k in range(1, len(STAGES))):
            axis.axvline(end, color=black, lw=0.5, alpha=0.4)
    hertz = torch.logspace(2, 4, 60, dtype=torch.float64)
    z = torch.exp(2j * math.pi * hertz / SAMPLE_RATE)
    hidden = note.g * (1 - note.s + note.s / z).abs()
    gains = [(hidden, {"color": black, "lw": 3, "alpha": 0.35, "label": "the note"})]
    for string, color, label in ((first, orange, "string at the start"), (learned, blue, "string learned")):
        gains.append((string.loop_gain(z), {"color": color, "label": label}))
    for gain, style in gains:
        rings.loglog(hertz, ringing_s(gain, note.period), **style)
    rings.set(title="Damping", xlabel="frequency of a partial (Hz)", ylabel="time to fall by 60 dB (s)")
    rings.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden note")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    note = hidden_note(options.seed)
    guess = first_guess(note.y)
    first, string = String(guess), String(guess)
    run = learn(string, note)
    at_first, learned, hidden = (SAMPLE_RATE / p for p in (first.period().item(), string.period().item(), note.period))
    print(f"pitch: {at_first:.4f} Hz at the start, {learned:.4f} Hz learned, {hidden:.4f} Hz hidden")
    print(f"off by {run.cents[-1]:+.4f} cents, after {run.cents[0]:+.4f} at the start")
    print(f"damping: g {run.g[-1]:.5f}, s {run.s[-1]:.4f} learned; g {note.g:.5f}, s {note.s:.4f} hidden")
    print(f"error: {run.error_db[0]:.1f} dB at the start, {run.error_db[-1]:.1f} dB at the end")
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "karplus_strong.png"
    draw(note, first, string, run, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
