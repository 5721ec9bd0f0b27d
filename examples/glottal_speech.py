"""Learn a voice from a vowel: the glottal flow that excites it, its pitch, and the vocal tract that it goes through.

The vocal tract is polezero.nn.AllPole, whose 18 reflection coefficients are learned at every 10 ms and interpolated
between, so that one filter moves with the sound. What excites it is the derivative of the flow through the glottis, as
Rosenberg drew it: a rise, a fall, and silence. Three numbers of it are learned, the part of a period in which the
glottis is open, the part of that in which the flow rises, and how softly it closes. Pulses are made of their partials
up to half of the sampling frequency, at a pitch that is learned as well, and have a gradient to all of these.

The vowel is the first one of "always" out of examples/data. What is compared is the waveform itself, beside magnitudes
of short spectra of four lengths, which tell where to go as long as waveforms are apart. Linear prediction and a pitch
tracker make the start: they hear the sound, but know no phases.

This is GOLF's idea (C.-Y. Yu and G. Fazekas, "GOLF: a singing voice synthesiser with glottal flow wavetables and LPC
filters", TISMIR 7(1), 2024) with nothing but the parameters of one sound in place of its network.

    python examples/glottal_speech.py [--steps 300] [--help]
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lpc_resynthesis import RECORDING, decibels, pitch, raised, read, snr, write
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

import polezero
from polezero.nn.parametrizations import LogRange, Range, Reflection

BEGIN, SECONDS = 0.82, 0.2  # the vowel in the recording
FRAME = 0.010  # seconds from frame to frame
ORDER = 18
TABLE = 512  # points of a period of flow


# ---- the voice


class Glottis(nn.Module):
    """A period of the flow's derivative, as complex weights of its partials."""

    def __init__(self) -> None:
        super().__init__()
        ranges = {
            "opened": (0.6, Range(0.3, 0.95)),
            "rising": (0.75, Range(0.5, 0.9)),
            "sharpness": (20.0, LogRange(5, 500)),
        }
        for name, (value, kept_in) in ranges.items():
            setattr(self, name, nn.Parameter(torch.tensor(value, dtype=torch.float64)))
            register_parametrization(self, name, kept_in)

    def flow(self) -> Tensor:
        t = torch.arange(TABLE, dtype=torch.float64) / TABLE
        rise, end = self.opened * self.rising, self.opened
        rising = 0.5 * (1 - torch.cos(math.pi * t / rise))
        falling = torch.cos(0.5 * math.pi * ((t - rise) / (end - rise)).clamp(max=1))
        return torch.where(t < rise, rising, falling)

    def partials(self, count: int) -> Tensor:
        """Those of a power of 1: the level is the tract's."""
        k = torch.arange(1, count + 1)
        weights = 1j * k * torch.fft.rfft(self.flow())[k] / (1 + 1j * k / self.sharpness)
        return weights / weights.abs().square().sum().sqrt() * math.sqrt(2)

    def derivative(self) -> Tensor:
        return torch.fft.irfft(torch.nn.functional.pad(self.partials(TABLE // 2 - 1), (1, 1)), TABLE)


class Voice(nn.Module):
    """A glottis, and a vocal tract of frames that begin with linear prediction's."""

    def __init__(self, x: Tensor, hertz: Tensor, frames: dict[str, Tensor], hop: int, fs: int) -> None:
        super().__init__()
        self.fs, self.hop, self.samples = fs, hop, len(x)
        self.glottis = Glottis()
        self.tract = polezero.nn.AllPole(ORDER, fs=fs, trainable=False)
        self.reflection = nn.Parameter(frames["reflection"])
        self.gain = nn.Parameter(frames["gain"])
        self.pitch = nn.Parameter(hertz)
        self.phase = nn.Parameter(torch.zeros((), dtype=torch.float64))  # of the first sample, in periods
        register_parametrization(self, "reflection", Reflection())
        register_parametrization(self, "gain", LogRange(1e-6, 10.0))
        register_parametrization(self, "pitch", LogRange(50.0, 500.0, "Hz"))

    def source(self) -> Tensor:
        size = (len(self.pitch) - 1) * self.hop + 1
        hertz = nn.functional.interpolate(self.pitch[None, None], size, mode="linear", align_corners=True)
        hertz = hertz[0, 0, : self.samples, None]
        k = torch.arange(1, int(self.fs / 2 / hertz.min().item()) + 1)
        angles = 2 * math.pi * k * (hertz.cumsum(0) / self.fs + self.phase)
        weights = self.glottis.partials(len(k))
        partials = angles.cos() * weights.real - angles.sin() * weights.imag
        return torch.where(k * hertz < self.fs / 2, partials, 0.0).sum(-1)

    def forward(self) -> Tensor:
        y: Tensor = self.tract(self.source(), hop=self.hop, reflection=self.reflection, gain=self.gain)
        return y


def hear(x: Tensor, fs: int) -> tuple[Tensor, Voice]:
    """The vowel, and a voice as linear prediction and a pitch tracker find it, in the best of 32 phases."""
    hop = round(FRAME * fs)
    first, count = round(BEGIN * fs) // hop, round(SECONDS * fs) // hop
    vowel = x[first * hop : (first + count) * hop]
    hertz, _ = pitch(x, hop, fs)
    frames = polezero.nn.AllPole(ORDER, fs=fs).analyse(raised(x), hop=hop, size=round(0.025 * fs))
    chosen = slice(first, first + count + 1)
    voice = Voice(vowel, hertz[chosen].clone(), {name: v[chosen].clone() for name, v in frames.items()}, hop, fs)
    with torch.no_grad():
        voice.gain = voice.gain * (vowel.square().mean() / voice().square().mean()).sqrt()
        errors = []
        for k in range(32):
            voice.phase.fill_(k / 32)
            errors.append((voice() - vowel).square().sum().item())
        voice.phase.fill_(errors.index(min(errors)) / 32)
    return vowel, voice


# ---- learning


def spectral_loss(y: Tensor, x: Tensor) -> Tensor:
    loss = torch.zeros((), dtype=y.dtype)
    for size in (64, 128, 256, 512):
        window = torch.hann_window(size, dtype=y.dtype)
        Y, X = (torch.stft(v, size, size // 4, window=window, return_complex=True).abs() for v in (y, x))
        loss = loss + (Y - X).abs().mean() / X.mean() + 0.3 * ((Y + 1e-4).log() - (X + 1e-4).log()).abs().mean()
    return loss


@dataclass
class Run:
    """Before each step."""

    snr_db: list[float] = field(default_factory=list)
    spectral: list[float] = field(default_factory=list)


def learn(voice: Voice, vowel: Tensor, steps: int) -> Run:
    rates = {"reflection": 0.02, "gain": 0.05, "pitch": 0.004, "phase": 0.005, "glottis": 0.08}
    groups = [{"params": [p for n, p in voice.named_parameters() if name in n]} for name in rates]
    optimiser = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, list(rates.values()), total_steps=steps)
    run = Run()
    for _ in range(steps):
        optimiser.zero_grad()
        y = voice()
        waveform, spectral = (y - vowel).square().sum() / vowel.square().sum(), spectral_loss(y, vowel)
        run.snr_db.append(-decibels(waveform.detach()).item())
        run.spectral.append(spectral.item())
        (waveform + 0.2 * spectral).backward()
        optimiser.step()
        schedule.step()
    return run


# ---- what came of it


def spectrum(y: Tensor, fs: int) -> tuple[Tensor, Tensor]:
    power = torch.fft.rfft(y * torch.hann_window(len(y), dtype=y.dtype), 8192).abs().square()
    return torch.fft.rfftfreq(8192, 1 / fs) / 1000, decibels(power)


def draw(vowel: Tensor, voice: Voice, start: tuple[Tensor, Tensor], run: Run, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["wave"] * 3, ["glottis", "spectrum", "error"]], figsize=(13, 7.5), constrained_layout=True
    )
    fs, y = voice.fs, voice()
    ax, shown = axes["wave"], slice(round(0.06 * fs), round(0.12 * fs))
    time = 1000 * torch.arange(len(vowel)) / fs
    ax.plot(time[shown], vowel[shown], color=black, lw=4, alpha=0.35, label="recording")
    ax.plot(time[shown], start[0][shown], color=orange, lw=1, label="start")
    ax.plot(time[shown], y[shown], color=blue, lw=1.3, label="learned")
    ax.set(title="Vowel, 60 of 200 ms", xlabel="ms", ylabel="pressure", xlim=(60, 120), ylim=(-0.55, 0.78))
    ax.legend(frameon=False, ncols=3, loc="upper right")

    ax, t = axes["glottis"], torch.arange(TABLE) / TABLE
    ax.plot(t, start[1] / start[1].abs().max(), color=orange, lw=1, label="start")
    derivative = voice.glottis.derivative()
    ax.plot(t, derivative / derivative.abs().max(), color=blue, label="learned")
    ax.plot(t, voice.glottis.flow(), color=blue, ls=":", label="learned flow")
    ax.set(title="Derivative of glottal flow", xlabel="part of the period", ylabel="parts of its peak")
    ax.legend(frameon=False, fontsize=9)

    ax = axes["spectrum"]
    for signal, color, width in ((vowel, black, 2.5), (y, blue, 1.0)):
        kilohertz, power = spectrum(signal, fs)
        ax.plot(kilohertz, power, color=color, lw=width, alpha=0.4 if color == black else 1)
    middle = len(voice.gain) // 2
    w, H = voice.tract.freqz(512, reflection=voice.reflection[middle], gain=voice.gain[middle])
    tract = decibels(H.abs().square())
    ax.plot(
        w / 1000, tract - tract.max() + spectrum(vowel, fs)[1].max() + 12, color=orange, label="vocal tract (+ 12 dB)"
    )
    ax.set(title="Spectrum", xlabel="kHz", ylabel="dB", xlim=(0, 5), ylim=(-35, 65))
    ax.legend(frameon=False, fontsize=9, loc="upper right")

    ax = axes["error"]
    ax.plot(run.snr_db, color=blue)
    ax.set(title="Learning", xlabel="step", ylabel="waveform: signal to error (dB)")
    ax.yaxis.label.set_color(blue)
    other = ax.twinx()
    other.plot(run.spectral, color=black, lw=1)
    other.set_ylabel("spectral loss")
    other.grid(False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300, help="of learning")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    x, fs = read(RECORDING)
    vowel, voice = hear(x, fs)
    with torch.no_grad():
        start = voice(), voice.glottis.derivative()
    run = learn(voice, vowel, options.steps)
    with torch.no_grad():
        y, glottis = voice(), voice.glottis
        print(f"waveform: {run.snr_db[0]:.1f} dB above its error at the start, {snr(y, vowel):.1f} dB learned")
        print(f"spectral loss: {run.spectral[0]:.2f} at the start, {spectral_loss(y, vowel).item():.2f} learned")
        print(f"glottis: open for {100 * glottis.opened.item():.0f}% of a period, of which the flow rises for", end=" ")
        print(f"{100 * glottis.rising.item():.0f}%; closing is soft from partial {glottis.sharpness.item():.0f} on")
        print(f"pitch: {voice.pitch.min().item():.1f} to {voice.pitch.max().item():.1f} Hz")
        assert snr(y, vowel) > 10, "the waveform has not been learned"
        options.output.mkdir(parents=True, exist_ok=True)
        for name, signal in (("vowel", vowel), ("vowel_learned", y), ("glottis", voice.source() * 0.1)):
            write(options.output / f"speech_{name}.wav", signal, fs)
        path = options.output / "glottal_speech.png"
        draw(vowel, voice, start, run, path)
    print(f"wrote {path}, and speech_{{vowel,vowel_learned,glottis}}.wav beside it")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
