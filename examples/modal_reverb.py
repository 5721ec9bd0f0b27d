"""Fit a modal reverb to the response of a plate, by gradient descent through a bank of modes.

A plate that is struck rings in modes, each at a frequency with a decay of its own:

    h(t) = sum_k a_k e^(-d_k t) sin(2 pi f_k t)

polezero.modal_bank is that sum as a filter: a mode has the pole p_k = e^((-d_k + 2 pi j f_k) / fs) and a complex gain.
Frequencies, decays and gains are learned from a noisy recording of h alone, and the bank then reverberates any sound.

The plate is synthetic, and not by this model: the formula above with the modes of a thin, simply supported steel plate,
f_mn = pi/2 sqrt(D / (rho h)) (m^2 / L^2 + n^2 / W^2), struck at one point and heard at another, with noise 50 dB below
it. The fit begins with the modes that matching pursuit finds on the grid of an FFT, all with one decay.

    python examples/modal_reverb.py [--seed 1] [--modes 60] [--help]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

import polezero

SAMPLE_RATE = 4_000
SAMPLES = 4_000
STEPS = 400
FIRST_DECAY = 8.0  # 1/s


# ---- the plate


@dataclass(frozen=True)
class Plate:
    """Its modes, and what was recorded of them."""

    hertz: Tensor
    decay: Tensor  # 1/s
    amplitude: Tensor
    recording: Tensor

    def response(self, samples: int) -> Tensor:
        t = torch.arange(samples, dtype=torch.float64)[:, None] / SAMPLE_RATE
        return (self.amplitude * torch.exp(-self.decay * t) * torch.sin(2 * math.pi * self.hertz * t)).sum(-1)

    def reverberate(self, x: Tensor) -> Tensor:
        """By FFT."""
        n = 2 * len(x)
        y: Tensor = torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(self.response(len(x)), n), n)[: len(x)]
        return y


def hidden_plate(seed: int) -> Plate:
    random = torch.Generator().manual_seed(seed)
    u = torch.rand(6, generator=random, dtype=torch.float64)
    length, width = 0.4 + 0.1 * u[0], 0.28 + 0.05 * u[1]
    m, n = torch.meshgrid(torch.arange(1.0, 20.0).double(), torch.arange(1.0, 20.0).double(), indexing="ij")
    stiffness = math.sqrt(2e11 * 1e-3**2 / (12 * 7850 * (1 - 0.3**2)))  # sqrt(D / (rho h)) of 1 mm of steel, m^2/s
    hertz = math.pi / 2 * stiffness * ((m / length) ** 2 + (n / width) ** 2)

    def shape(x: Tensor, y: Tensor) -> Tensor:
        return torch.sin(math.pi * m * x) * torch.sin(math.pi * n * y)

    amplitude = shape(0.1 + 0.3 * u[2], 0.1 + 0.3 * u[3]) * shape(0.6 + 0.3 * u[4], 0.6 + 0.3 * u[5])
    heard = hertz < 0.3 * SAMPLE_RATE
    plate = Plate(hertz[heard], 3 + 8 * (hertz[heard] / 1000) ** 2, amplitude[heard], torch.empty(0))
    clean = plate.response(SAMPLES)
    noise = (
        torch.randn(SAMPLES, generator=random, dtype=torch.float64) * clean.square().mean().sqrt() * 10 ** (-50 / 20)
    )
    return Plate(plate.hertz, plate.decay, plate.amplitude, clean + noise)


# ---- the reverb


class Reverb(nn.Module):
    def __init__(self, hertz: Tensor, gains: Tensor) -> None:
        super().__init__()
        self.hertz = nn.Parameter(hertz.clone())
        self.log_decay = nn.Parameter(torch.full_like(hertz, math.log(FIRST_DECAY)))
        self.gains = nn.Parameter(torch.view_as_real(gains).clone())

    def poles(self) -> Tensor:
        return torch.exp(torch.complex(-self.log_decay.exp(), 2 * math.pi * self.hertz) / SAMPLE_RATE)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = polezero.modal_bank(self.poles(), torch.view_as_complex(self.gains), x)
        return y


def first_guess(h: Tensor, modes: int) -> Reverb:
    """Orthogonal matching pursuit: the frequency where the rest is largest, then all gains anew by least squares.

    Modes are at least 6 Hz apart: what a wrong decay leaves beside one is no mode.
    """
    t = torch.arange(len(h), dtype=torch.float64)[:, None] / SAMPLE_RATE
    grid = torch.fft.rfftfreq(4 * len(h), 1 / SAMPLE_RATE, dtype=torch.float64)
    hertz, free = h.new_empty(0), torch.ones_like(grid)
    rest, found = h, h.new_empty(0)
    for _ in range(modes):
        loudest = (torch.fft.rfft(rest, 4 * len(h)).abs() * free).argmax()
        hertz = torch.cat([hertz, grid[loudest, None]])
        free = free * ((grid - hertz[-1]).abs() >= 6)
        ringing = torch.exp(-FIRST_DECAY * t) * torch.polar(torch.ones_like(t), 2 * math.pi * hertz * t)
        columns = torch.cat([ringing.real, -ringing.imag], -1)
        found = torch.linalg.lstsq(columns, h[:, None]).solution[:, 0]
        rest = h - columns @ found
    return Reverb(hertz, torch.complex(found[:modes], found[modes:]))


# ---- learning


@dataclass
class Run:
    error_db: list[float] = field(default_factory=list)


def learn(reverb: Reverb, h: Tensor, steps: int = STEPS) -> Run:
    """Gradient descent (Adam) on |reverb(impulse) - h|^2 / |h|^2."""
    run = Run()
    impulse = torch.zeros_like(h)
    impulse[0] = 1
    rates = [(reverb.hertz, 0.05), (reverb.log_decay, 0.05), (reverb.gains, 0.02 * reverb.gains.abs().max().item())]
    optimiser = torch.optim.Adam([{"params": [p], "lr": rate} for p, rate in rates])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        error = (reverb(impulse) - h).square().sum() / h.square().sum()
        error.backward()
        optimiser.step()
        schedule.step()
        run.error_db.append(10 * math.log10(error.item()))
    return run


def error_db(y: Tensor, truth: Tensor) -> float:
    return 10 * math.log10(((y - truth).square().sum() / truth.square().sum()).item())


@dataclass(frozen=True)
class Match:
    """The modes of the plate that are above -30 dB of the loudest, and the louder ones of the reverb next to them."""

    plate: Tensor  # their numbers
    reverb: Tensor

    @staticmethod
    def of(plate: Plate, reverb: Reverb) -> Match:
        loudness = plate.amplitude.abs() / plate.decay.sqrt()
        loud = (loudness > loudness.max() * 10 ** (-30 / 20)).nonzero()[:, 0]
        distance = (reverb.hertz.detach() - plate.hertz[loud][:, None]).abs()
        return Match(loud, distance.argmin(-1))


def draw(plate: Plate, first: Reverb, learned: Reverb, run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    h = plate.recording
    impulse = torch.zeros_like(h)
    impulse[0] = 1
    responses = [(r(impulse).detach(), color, label) for r, color, label in _curves(first, learned)]
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, ((ax, spectrum), (error, rings)) = plt.subplots(2, 2, figsize=(12, 7.5), constrained_layout=True)
    black = "#222222"
    window = slice(1200, 1400)
    ms = torch.arange(window.start, window.stop) / SAMPLE_RATE * 1e3
    ax.plot(ms, h[window], color=black, lw=3, alpha=0.35, label="the plate")
    hertz = torch.fft.rfftfreq(len(h), 1 / SAMPLE_RATE)
    spectrum.plot(hertz, 20 * torch.fft.rfft(h).abs().log10(), color=black, lw=3, alpha=0.35)
    for y, color, label in responses:
        ax.plot(ms, y[window], color=color, lw=1, label=label)
        spectrum.plot(hertz, 20 * torch.fft.rfft(y).abs().log10(), color=color, lw=0.8)
    ax.set(title="Impulse response, 0.3 s after its beginning", xlabel="time (ms)", ylabel="amplitude")
    ax.margins(y=0.25)
    ax.legend(frameon=False, loc="upper right", ncols=3, fontsize=8)
    spectrum.set(title="Spectrum", xlabel="frequency (Hz)", ylabel="dB", xlim=(0, 0.33 * SAMPLE_RATE))
    error.plot(range(1, len(run.error_db) + 1), run.error_db, color="#0072b2")
    error.axhline(-50, color=black, lw=1, ls=":")
    error.annotate("noise", (1, -50), xytext=(0, 3), textcoords="offset points")
    error.set(title="Error", xlabel="step", ylabel="error (dB)")
    match = Match.of(plate, learned)
    fall = 3 * math.log(10)
    rings.scatter(plate.hertz[match.plate], fall / plate.decay[match.plate], s=45, color=black, alpha=0.35, lw=0)
    for reverb, color, _ in _curves(first, learned):
        decay, at = reverb.log_decay.detach().exp(), reverb.hertz.detach()
        rings.scatter(at[match.reverb], fall / decay[match.reverb], s=10, color=color)
    rings.set(title="The louder modes", xlabel="frequency (Hz)", ylabel="time to fall by 60 dB (s)", ylim=(0, None))
    figure.savefig(path, dpi=150)


def _curves(first: Reverb, learned: Reverb) -> list[tuple[Reverb, str, str]]:
    return [(first, "#d55e00", "bank at the start"), (learned, "#0072b2", "bank learned")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden plate")
    parser.add_argument("--modes", type=int, default=60, help="of the bank")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    plate = hidden_plate(options.seed)
    first, reverb = (first_guess(plate.recording, options.modes) for _ in range(2))
    run = learn(reverb, plate.recording)
    match = Match.of(plate, reverb)
    hertz = (reverb.hertz[match.reverb] - plate.hertz[match.plate]).abs()
    decay = (reverb.log_decay.exp()[match.reverb] / plate.decay[match.plate]).log().abs()
    noise = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(options.seed), dtype=torch.float64)
    print(f"a plate of {len(plate.hertz)} modes, {len(match.plate)} of them above -30 dB; a bank of {options.modes}")
    print(f"error: {run.error_db[0]:.1f} dB at the start, {run.error_db[-1]:.1f} dB at the end")
    print(f"half of the louder modes are off by at most {hertz.median():.3f} Hz, their decays by {decay.median():.1%}")
    print(f"noise through the bank is within {error_db(reverb(noise), plate.reverberate(noise)):.1f} dB of the plate's")
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "modal_reverb.png"
    draw(plate, first, reverb, run, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
