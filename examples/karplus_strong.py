"""Learn the pitch and the damping of a plucked string, by gradient descent through a comb with a fractional delay.

Karplus and Strong's string is a delay line whose end is fed back to its beginning through a filter that damps it:

    y[n] = x[n] + g ((1 - s) v[n] + s v[n-1]),    v[n] = y[n - D]

A loop of D + s samples (low partials) is a pitch of fs / (D + s); g and s damp it, s the high partials more. D is no
whole number: v is interpolated, and the delay has a gradient. polezero.nn.KarplusStrong is that string by its pitch in
Hz, its decay in seconds, and s, which are what is learned.

The note is synthetic, and not by this model: a string with an exact delay, e^(-j w D), on a grid of frequencies, with
noise 50 dB below it. Nothing is known of it but the samples: D starts at the whole number where its autocorrelation is
largest, x is its first period. The interpolation damps high partials a little too, and so s is learned a few per cent
too low: what is compared is how long partials ring, by g, s and the interpolation together. It is also why the note is
plucked softly: what it has above 4 kHz or so, the interpolation gets wrong.

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
from polezero.nn import KarplusStrong

SAMPLE_RATE = 44_100
# Samples from the pluck on. Longer notes tell the pitch more exactly, but where it is off by half a period of a partial
# at their end, they tell the wrong way.
STAGES = (2_000, 8_000, 44_100)
STEPS = 30  # in each stage, at most
NOISE_DB = -50


# ---- the string


def string_at(samples: int) -> KarplusStrong:
    """Of a pitch of so many samples, with g = 0.95 and a mild filter."""
    hertz = SAMPLE_RATE / samples
    decay = -3 / (hertz * math.log10(0.95))
    near = SAMPLE_RATE / (samples + 3), SAMPLE_RATE / (samples - 3)
    return KarplusStrong(hertz, decay, 0.1, fs=SAMPLE_RATE, frequency_range=near)


def period(string: KarplusStrong) -> float:
    return SAMPLE_RATE / string.frequency.item()


def t60(string: KarplusStrong, hertz: Tensor) -> Tensor:
    """How long partials ring."""
    response = string.freqz(hertz)[1].detach()
    return t60_of_loop((1 - 1 / response).abs(), period(string))


def t60_of_loop(gain: Tensor, period: float) -> Tensor:
    """Seconds in which a partial falls by 60 dB, by the gain of the loop at its frequency."""
    return -60 / (20 * gain.log10()) * period / SAMPLE_RATE


def exact_string(D: float, g: float, s: float, x: Tensor) -> Tensor:
    """The same with the delay e^(-j w D) itself. The grid is long enough for the note to have rung out."""
    n = 2**18
    w = 2 * math.pi * torch.fft.rfftfreq(n, dtype=torch.float64)
    loop = g * (1 - s + s * torch.exp(-1j * w)) * torch.exp(-1j * w * D)
    y: Tensor = torch.fft.irfft(torch.fft.rfft(x, n) / (1 - loop), n)[: len(x)]
    return y


def pluck(samples: int, length: int, random: torch.Generator) -> Tensor:
    """A short noise, soft above 2 kHz, and silence."""
    noise = torch.randn(length, generator=random, dtype=torch.float64)
    for _ in range(4):
        noise = polezero.lfilter([0.25], [1.0, -0.75], noise)
    return nn.functional.pad(noise * torch.hann_window(length, dtype=torch.float64), (0, samples - length))


# ---- the note, and what can be seen of it


@dataclass(frozen=True)
class Note:
    y: Tensor
    noise: Tensor  # in y
    D: float
    g: float
    s: float

    @property
    def period(self) -> float:
        return self.D + self.s

    def t60(self, hertz: Tensor) -> Tensor:
        one_sample = torch.exp(-2j * math.pi * hertz / SAMPLE_RATE)
        return t60_of_loop(self.g * (1 - self.s + self.s * one_sample).abs(), self.period)


def hidden_note(seed: int) -> Note:
    random = torch.Generator().manual_seed(seed)
    u = torch.rand(3, generator=random, dtype=torch.float64)
    D, g, s = 150 + 150 * u[0].item(), 0.985 + 0.01 * u[1].item(), 0.15 + 0.2 * u[2].item()
    samples = max(STAGES)
    y = exact_string(D, g, s, pluck(samples, 140, random))
    noise = torch.randn(samples, generator=random, dtype=torch.float64)
    noise *= y.square().mean().sqrt() * 10 ** (NOISE_DB / 20)
    return Note(y + noise, noise, D, g, s)


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
    """At each evaluation of the gradient, those of line searches too: the error of the note, and of the pitch."""

    error_db: list[float] = field(default_factory=list)
    cents: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # of the stages


def learn(string: KarplusStrong, note: Note) -> Run:
    """Descent along the gradient (L-BFGS) of |string(x) - y|^2 / |y|^2, over more and more of the note."""
    run = Run()
    plucked = first_period(note.y)
    for samples in STAGES:
        descend(string, plucked[:samples], note.y[:samples], note, run)
        run.ends.append(len(run.cents))
    return run


def descend(string: KarplusStrong, x: Tensor, y: Tensor, note: Note, run: Run) -> None:
    optimiser = torch.optim.LBFGS(
        string.parameters(), max_iter=STEPS, max_eval=STEPS, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def step() -> Tensor:
        optimiser.zero_grad()
        error: Tensor = (string(x) - y).square().sum() / y.square().sum()
        error.backward()
        run.error_db.append(decibels(error))
        run.cents.append(cents(string, note))
        return error

    optimiser.step(step)


def decibels(power: Tensor) -> float:
    return 10 * math.log10(power.item())


def cents(string: KarplusStrong, note: Note) -> float:
    return 1200 * math.log2(note.period / period(string))


def draw(note: Note, first: KarplusStrong, learned: KarplusStrong, run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

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
    pitch.set(title="Pitch", xlabel="evaluation of the gradient", ylabel="error (cents)")
    error.plot(steps, run.error_db, color=blue)
    for samples, begin, end in zip(STAGES, [0, *run.ends], run.ends, strict=False):
        noise = decibels(note.noise[:samples].square().sum() / note.y[:samples].square().sum())
        error.plot([begin + 1, end], [noise, noise], color=black, lw=1, ls=":")
    error.annotate("noise", (end, noise), xytext=(0, -4), ha="right", va="top", textcoords="offset points")
    error.set(title="Error over the samples in use", xlabel="evaluation of the gradient", ylabel="error (dB)")
    for axis in (pitch, error):
        for end in run.ends[:-1]:
            axis.axvline(end + 0.5, color=black, lw=0.5, alpha=0.4)
    hertz = torch.logspace(2, 4, 60, dtype=torch.float64)
    rings.loglog(hertz, note.t60(hertz), color=black, lw=3, alpha=0.35)
    rings.loglog(hertz, t60(first, hertz), color=orange)
    rings.loglog(hertz, t60(learned, hertz), color=blue)
    rings.set(title="Damping", xlabel="frequency of a partial (Hz)", ylabel="time to fall by 60 dB (s)")
    rings.yaxis.set_minor_formatter(NullFormatter())
    rings.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden note")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    note = hidden_note(options.seed)
    guess = first_guess(note.y)
    first, string = string_at(guess), string_at(guess)
    run = learn(string, note)
    at_first, learned, hidden = (SAMPLE_RATE / p for p in (period(first), period(string), note.period))
    print(f"pitch: {at_first:.4f} Hz at the start, {learned:.4f} Hz learned, {hidden:.4f} Hz hidden")
    print(f"off by {cents(string, note):+.4f} cents, after {cents(first, note):+.4f} at the start")
    for k in (1, 10):
        partial = torch.tensor([k * SAMPLE_RATE / note.period], dtype=torch.float64)
        rings, truth = t60(string, partial).item(), note.t60(partial).item()
        print(f"T60 of partial {k}: {rings:.4f} s learned, {truth:.4f} s hidden ({rings / truth - 1:+.2%})")
    g, s = 10 ** (-3 / (string.frequency * string.decay).item()), string.damping.item()
    print(f"g {g:.5f}, s {s:.4f} learned; g {note.g:.5f}, s {note.s:.4f} hidden")
    print(f"error: {run.error_db[0]:.1f} dB at the start, {run.error_db[-1]:.1f} dB at the end")
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "karplus_strong.png"
    draw(note, first, string, run, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
