"""Fit a modal reverb to the response of a plate, by gradient descent through a bank of modes.

A plate that is struck rings in modes, each at a frequency with a decay of its own:

    h(t) = sum_k a_k e^(-d_k t) sin(2 pi f_k t)

polezero.nn.ModalReverb is that sum as a filter, whose parameters are frequencies in Hz, times to fall by 60 dB, and
gains. They are learned from a noisy recording of h alone, and the bank then reverberates any sound.

The plate is synthetic: the formula above, summed as it stands, with the modes of a thin, simply supported steel plate,
f_mn = pi/2 sqrt(D / (rho h)) (m^2 / L^2 + n^2 / W^2), struck at one point and heard at another, with noise 50 dB below
it. The bank begins empty and grows in rounds: it gets silent modes where the spectrum of what it misses is largest,
and then all modes are learned. Modes closer than a few Hz, which ring as one for most of a second, are told apart last
and least well.

    python examples/modal_reverb.py [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.func import functional_call

from polezero.nn import ModalReverb

SAMPLE_RATE = 4_000
SAMPLES = 4_000
NOISE_DB = -50
ROUNDS = 5
MODES = 12  # more of them in each round
STEPS = 150  # in each round, at most
FIRST_DECAY = 8.0  # 1/s
FALL = 3 * math.log(10)  # a decay times the time to fall by 60 dB


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
        torch.randn(SAMPLES, generator=random, dtype=torch.float64)
        * clean.square().mean().sqrt()
        * 10 ** (NOISE_DB / 20)
    )
    return Plate(plate.hertz, plate.decay, plate.amplitude, clean + noise)


# ---- the reverb


def with_more_modes(reverb: ModalReverb | None, hertz: Tensor) -> ModalReverb:
    """Silent ones, with the decays of the modes next to them."""
    count, modes = len(hertz), {"frequency": hertz, "decay": torch.full_like(hertz, FALL / FIRST_DECAY)}
    modes |= {name: torch.zeros(count, dtype=torch.float64) for name in ("gain", "quadrature")}
    if reverb is not None:
        own = {name: value.detach() for name, value in reverb.values().items()}
        modes["decay"] = own["decay"][(own["frequency"] - hertz[:, None]).abs().argmin(-1)]
        modes = {name: torch.cat([own[name], modes[name]]) for name in own}
    return ModalReverb(**modes, fs=SAMPLE_RATE)


# ---- learning


def peaks(rest: Tensor, count: int) -> Tensor:
    """The frequencies where the spectrum is largest, 6 Hz apart: nearer to a peak lie its own flanks."""
    n = 4 * len(rest)
    hertz = torch.fft.rfftfreq(n, 1 / SAMPLE_RATE, dtype=torch.float64)
    magnitude = torch.fft.rfft(rest, n).abs()
    found: list[Tensor] = []
    for _ in range(count):
        found.append(hertz[magnitude.argmax()])
        magnitude = torch.where((hertz - found[-1]).abs() < 6, 0.0, magnitude)
    return torch.stack(found)


@dataclass
class Run:
    rounds: list[ModalReverb] = field(default_factory=list)  # the reverb after each
    error_db: list[float] = field(default_factory=list)


def learn(h: Tensor) -> Run:
    run, reverb, rest = Run(), None, h
    impulse = torch.zeros_like(h)
    impulse[0] = 1
    for _ in range(ROUNDS):
        reverb = with_more_modes(reverb, peaks(rest, MODES))
        descend(reverb, impulse, h, run)
        rest = h - reverb(impulse).detach()
        run.rounds.append(reverb)
    return run


def descend(reverb: ModalReverb, x: Tensor, y: Tensor, run: Run) -> None:
    """Along the gradient of |reverb(x) - y|^2 / |y|^2; L-BFGS finds how far to go in Hz, in decays and in gains.

    It begins with steps that are as long for all of them. The unconstrained number of a frequency moves it by some 1000
    Hz, of which a wave that lasts for a second knows a fraction of one: so it is taken by thousandths.
    """
    start = {name: parameter.detach() for name, parameter in reverb.named_parameters()}
    unit = {name: 1e-3 if "frequency" in name else 1.0 for name in start}
    way = {name: torch.zeros_like(parameter, requires_grad=True) for name, parameter in start.items()}
    optimiser = torch.optim.LBFGS(
        list(way.values()),
        max_iter=STEPS,
        max_eval=STEPS,
        history_size=50,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def now() -> dict[str, Tensor]:
        return {name: start[name] + unit[name] * way[name] for name in start}

    def step() -> Tensor:
        optimiser.zero_grad()
        error: Tensor = (functional_call(reverb, now(), (x,)) - y).square().sum() / y.square().sum()
        error.backward()
        run.error_db.append(10 * math.log10(error.item()))
        return error

    optimiser.step(step)
    reverb.load_state_dict(now())


def error_db(y: Tensor, truth: Tensor) -> float:
    return 10 * math.log10(((y - truth).square().sum() / truth.square().sum()).item())


@dataclass(frozen=True)
class Match:
    """The plate's louder modes that stand alone, and the loudest of the reverb's within 2 Hz of each.

    Louder: above -30 dB of the loudest. Alone: none above -40 dB within 4 Hz, which is about how wide a mode is.
    """

    plate: Tensor  # their numbers
    reverb: Tensor

    @staticmethod
    def of(plate: Plate, reverb: ModalReverb) -> Match:
        level = loudness_db(plate.amplitude, plate.decay)
        near = ((plate.hertz[:, None] - plate.hertz).abs() < 4) & (level > -40)
        chosen = ((level > -30) & (near.sum(-1) == 1)).nonzero()[:, 0]
        amplitude = torch.hypot(reverb.gain, reverb.quadrature).detach()
        learned = loudness_db(amplitude, FALL / reverb.decay.detach())
        far = (reverb.frequency.detach() - plate.hertz[chosen][:, None]).abs() > 2
        return Match(chosen, learned.expand_as(far).masked_fill(far, -math.inf).argmax(-1))


def loudness_db(amplitude: Tensor, decay: Tensor) -> Tensor:
    """Of the energy of each mode, to the loudest."""
    energy = amplitude.square() / decay
    return 10 * (energy / energy.max()).log10()


def draw(plate: Plate, run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    h, learned = plate.recording, run.rounds[-1]
    impulse = torch.zeros_like(h)
    impulse[0] = 1
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, ((ax, spectrum), (error, rings)) = plt.subplots(2, 2, figsize=(12, 7.5), constrained_layout=True)
    black = "#222222"
    window = slice(1200, 1400)
    ms = torch.arange(window.start, window.stop) / SAMPLE_RATE * 1e3
    ax.plot(ms, h[window], color=black, lw=3, alpha=0.35, label="the plate")
    hertz = torch.fft.rfftfreq(len(h), 1 / SAMPLE_RATE)
    spectrum.plot(hertz, 20 * torch.fft.rfft(h).abs().log10(), color=black, lw=3, alpha=0.35)
    curves = ((run.rounds[0], "#d55e00", "bank after one round"), (learned, "#0072b2", "bank learned"))
    for reverb, color, label in curves:
        y = reverb(impulse).detach()
        ax.plot(ms, y[window], color=color, lw=1, label=label)
        spectrum.plot(hertz, 20 * torch.fft.rfft(y).abs().log10(), color=color, lw=0.8)
    ax.set(title="Impulse response, 0.3 s after its beginning", xlabel="time (ms)", ylabel="amplitude")
    ax.margins(y=0.25)
    ax.legend(frameon=False, loc="upper right", ncols=3, fontsize=8)
    spectrum.set(title="Spectrum", xlabel="frequency (Hz)", ylabel="dB", xlim=(0, 0.33 * SAMPLE_RATE))
    error.plot(range(1, len(run.error_db) + 1), run.error_db, color="#0072b2")
    error.axhline(NOISE_DB, color=black, lw=1, ls=":")
    error.annotate("noise", (1, NOISE_DB), xytext=(0, 3), textcoords="offset points")
    error.set(title="Error", xlabel="evaluation of the gradient", ylabel="error (dB)")
    match = Match.of(plate, learned)
    rings.scatter(plate.hertz[match.plate], FALL / plate.decay[match.plate], s=45, color=black, alpha=0.35, lw=0)
    at, decay = (value.detach()[match.reverb] for value in (learned.frequency, learned.decay))
    rings.scatter(at, decay, s=10, color="#0072b2")
    rings.set(
        title="The louder modes that stand alone",
        xlabel="frequency (Hz)",
        ylabel="time to fall by 60 dB (s)",
        ylim=(0, None),
    )
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the hidden plate")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    plate = hidden_plate(options.seed)
    run = learn(plate.recording)
    reverb = run.rounds[-1]
    match = Match.of(plate, reverb)
    hertz_off = (reverb.frequency[match.reverb] - plate.hertz[match.plate]).abs()
    t60_off = (reverb.decay[match.reverb] * plate.decay[match.plate] / FALL).log().abs()
    noise = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(options.seed), dtype=torch.float64)
    print(f"a plate of {len(plate.hertz)} modes, {len(match.plate)} loud and alone; a bank of {reverb.count}")
    print(f"error: {run.error_db[0]:.1f} dB at the start, {run.error_db[-1]:.1f} dB at the end")
    for share, q in (("half", 0.5), ("nine in ten", 0.9)):
        print(f"{share} are off by at most {hertz_off.quantile(q):.4f} Hz and {t60_off.quantile(q):.2%} of T60")
    print(f"noise through the bank is within {error_db(reverb(noise), plate.reverberate(noise)):.1f} dB of the plate's")
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "modal_reverb.png"
    draw(plate, run, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
