"""A picture of each module of polezero.nn, drawn by what it does.

python examples/modules.py [--output build/modules]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import matplotlib
import soundfile
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from torch import Tensor

from polezero import nn

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[1]
FS = 48000.0
HERTZ = torch.logspace(1.31, 4.36, 1500, dtype=torch.float64)
GREY = "#BDBDBD"
PANELS: dict[str, Callable[[Axes], None]] = {}


def panel(title: str) -> Callable[[Callable[[Axes], None]], Callable[[Axes], None]]:
    def added(draw: Callable[[Axes], None]) -> Callable[[Axes], None]:
        PANELS[title] = draw
        return draw

    return added


# ---- axes


def decibels(H: Tensor) -> Tensor:
    return 20 * H.detach().abs().clamp(min=1e-9).log10()


def curve(ax: Axes, module: nn.FilterModule, label: str = "", hertz: Tensor = HERTZ, **style: object) -> None:
    f, H = module.freqz(hertz)
    for row in decibels(H).reshape(-1, len(hertz)):
        ax.plot(f, row, label=label, **style)


def over_hertz(ax: Axes, low: float, high: float, ends: tuple[float, float] = (20, 20000)) -> None:
    ax.set_xscale("log")
    ax.set(xlim=ends, ylim=(low, high), ylabel="dB")
    ax.set_xticks((20, 100, 1000, 10000) if ends[0] == 20 else (200, 1000, 5000))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda f, _: f"{f / 1000:g} kHz" if f >= 1000 else f"{f:g} Hz"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def over_time(ax: Axes, seconds: float, unit: str = "s") -> None:
    ax.set(xlim=(0, seconds), xlabel=f"time ({unit})")


def speech() -> tuple[Tensor, float]:
    samples, fs = soundfile.read(ROOT / "examples" / "data" / "arctic_a0007.wav", dtype="float32")
    return torch.from_numpy(samples), float(fs)


# ---- equalisers


@panel("Biquad: seven of its nine types")
def biquads(ax: Axes) -> None:
    for btype in ("lowpass", "highpass", "bandpass", "notch", "peaking", "lowshelf", "highshelf"):
        gain = 9.0 if btype in ("peaking", "lowshelf", "highshelf") else None
        curve(ax, nn.Biquad(btype, 1000.0, 1.5, gain, fs=FS), lw=1.4)
    over_hertz(ax, -30, 14)


@panel("ParametricEQ: bands, and their product")
def parametric(ax: Axes) -> None:
    bands, f, Q, g = (
        ["lowshelf", "peaking", "peaking", "highshelf"],
        [120, 400, 2500, 8000],
        [0.7, 3, 2, 0.7],
        [6, -9, 7, -5],
    )
    for band in zip(bands, f, Q, g):
        curve(ax, nn.Biquad(*band, fs=FS), color=GREY, lw=1.2)
    curve(ax, nn.ParametricEQ(bands, f, Q, g, fs=FS), lw=2)
    over_hertz(ax, -12, 12)


@panel("ShelvingEQ: a tilt of 2, 4, 6 dB")
def shelves(ax: Axes) -> None:
    for tilt in (2.0, 4.0, 6.0):
        curve(ax, nn.ShelvingEQ([400.0, 1600.0], 0.4, [-tilt, tilt], fs=FS))
    over_hertz(ax, -8, 8)


@panel("GraphicEQ: gains, and the response")
def graphic(ax: Axes) -> None:
    eq = nn.GraphicEQ("octave", [6, 4, -2, -8, -3, 3, 9, 2, -4, 5], fs=FS)
    curve(ax, eq, lw=1.8)
    ax.plot(eq.frequency, eq.gain.detach(), "o", color="#D55E00", ms=6)
    over_hertz(ax, -12, 13)


@panel("ToneStack: bass and treble from 0 to 1")
def tone(ax: Axes) -> None:
    for knob in (0.0, 0.5, 1.0):
        curve(ax, nn.ToneStack(knob, 0.5, 0.5, fs=FS), color="C0", alpha=0.4 + 0.6 * knob)
        curve(ax, nn.ToneStack(0.5, 0.5, knob, fs=FS), color="C1", alpha=0.4 + 0.6 * knob)
    over_hertz(ax, -20, 2)


# ---- filters


@panel("IIRFilter: six designs of order 5")
def designs(ax: Axes) -> None:
    for name in ("butter", "cheby1", "cheby2", "ellip", "bessel", "legendre"):
        rs = {"rs": 40.0} if name in ("cheby2", "ellip") else {}
        Wn = 2000.0 if name == "cheby2" else 1000.0
        curve(ax, nn.IIRFilter.from_design(name, 5, Wn, fs=FS, **rs), name, lw=1.3)
    over_hertz(ax, -60, 3, (200, 5000))
    ax.legend(frameon=False, fontsize=7, ncols=2, loc="lower left")


@panel("FilterBank: 16 gammatones")
def bank(ax: Axes) -> None:
    curve(ax, nn.FilterBank.gammatone(16, fs=FS), lw=1)
    over_hertz(ax, -40, 3)


@panel("Crossover: three bands, and their sum")
def crossover(ax: Axes) -> None:
    split = nn.Crossover([300.0, 3000.0], fs=FS)
    curve(ax, split, lw=1.5)
    _, H = split.freqz(HERTZ)
    ax.plot(HERTZ, decibels(H.sum(-2).reshape(-1)), color="#222222", lw=1.2, ls=(0, (4, 2)))
    over_hertz(ax, -40, 4)


@panel("Weighting: A, B, C, K")
def weighting(ax: Axes) -> None:
    for letter in "ABCK":
        curve(ax, nn.Weighting(letter, fs=FS), letter, lw=1.4)
    over_hertz(ax, -50, 8)
    ax.legend(frameon=False, fontsize=8, loc="lower center")


@panel("PreEmphasis, and its inverse")
def emphasis(ax: Axes) -> None:
    for coef in (0.7, 0.9, 0.97):
        curve(ax, nn.PreEmphasis(coef, fs=FS), f"{coef}", color="C0", alpha=coef**4)
        curve(ax, nn.PreEmphasis(coef, inverse=True, fs=FS), color="C1", alpha=coef**4)
    over_hertz(ax, -35, 35)


@panel("DCBlocker: 20, 40, 80 Hz")
def blocker(ax: Axes) -> None:
    for hertz in (20.0, 40.0, 80.0):
        curve(ax, nn.DCBlocker(hertz, fs=FS))
    over_hertz(ax, -15, 3)


@panel("AllPole: a frame of speech, order 18")
def allpole(ax: Axes) -> None:
    x, fs = speech()
    frame = x[16500:17012].double() * torch.hann_window(512, dtype=torch.float64)
    f = torch.fft.rfftfreq(4096, 1 / fs)
    ax.plot(f, decibels(torch.fft.rfft(frame, 4096) / len(frame) ** 0.5), color=GREY, lw=0.8)
    voice = nn.AllPole.from_lpc(frame, 18, fs=fs)
    curve(ax, voice, lw=2, hertz=f[1:-1].double())
    ax.set(xlim=(0, fs / 2), xlabel="Hz", ylabel="dB")


# ---- delays and modulation


@panel("Comb: feedback and feedforward")
def comb(ax: Axes) -> None:
    hertz = torch.linspace(1, 4000, 2000, dtype=torch.float64)
    curve(ax, nn.Comb(1e-3, 0.8, fs=FS), hertz=hertz)
    curve(ax, nn.Comb(1e-3, 0.8, kind="feedforward", fs=FS), hertz=hertz)
    ax.set(xlabel="Hz", ylabel="dB", xlim=(0, 4000))


@panel("Allpass: its impulse response")
def allpass(ax: Axes) -> None:
    h = nn.Allpass(2e-3, 0.6, fs=FS)(impulse(960)).detach()
    ax.stem(torch.arange(960)[h.abs() > 1e-3] / FS * 1000, h[h.abs() > 1e-3], basefmt=" ", markerfmt="C0.")
    ax.set(xlim=(-0.5, 20), xlabel="time (ms)")


@panel("Phaser: the middle of a sweep, and its ends")
def phaser(ax: Axes) -> None:
    for octaves in (-1, 1, 0):
        curve(ax, nn.Phaser(800.0 * 2**octaves, fs=FS), **({} if octaves == 0 else {"color": GREY}))
    over_hertz(ax, -20, 12)


@panel("Flanger: the middle of a sweep, and an end")
def flanger(ax: Axes) -> None:
    hertz = torch.linspace(20, 4000, 4000, dtype=torch.float64)
    curve(ax, nn.Flanger(0.003 * 0.4, fs=FS), hertz=hertz, color=GREY)
    curve(ax, nn.Flanger(0.003, fs=FS), hertz=hertz)
    ax.set(xlabel="Hz", ylabel="dB", xlim=(0, 4000))


@panel("Chorus: the lags of its voices")
def chorus(ax: Axes) -> None:
    fs, every = 44100, 1323  # an impulse each 30 ms, whose echoes are a column
    pulses = torch.zeros(100, every)
    pulses[:, 0] = 1
    echoes = nn.Chorus(fs=fs)(pulses.flatten()).detach().reshape(100, every).abs().sqrt()
    seconds = 100 * every / fs
    extent = (0.0, seconds, 0.0, 1000 * every / fs)
    ax.imshow(echoes.T, origin="lower", aspect="auto", vmax=0.5, cmap="magma", extent=extent)
    ax.grid(False)
    over_time(ax, seconds)
    ax.set(ylim=(15, 21), ylabel="lag (ms)")


@panel("KarplusStrong: a pluck, 80 dB")
def string(ax: Axes) -> None:
    pluck = impulse(44100)
    y = nn.KarplusStrong(220.0, 1.5, 0.4, fs=44100)(pluck).detach()
    spectrogram(ax, y, 44100, 5000)


@panel("ModalReverb: a bell of six modes, 80 dB")
def bell(ax: Axes) -> None:
    modes = [440.0, 880.0, 1056.0, 1320.0, 1760.0, 2640.0], [4.0, 3.0, 2.5, 1.5, 1.2, 0.8]
    spectrogram(ax, nn.ModalReverb(*modes, fs=16000)(impulse(32000)).detach(), 16000, 3500)


@panel("PlateReverb: an impulse, 80 dB")
def plate(ax: Axes) -> None:
    y = nn.PlateReverb(decay=1.5, fs=16000, highest=5000.0)(impulse(16000)).detach()
    spectrogram(ax, y, 16000, 5000)


def impulse(samples: int) -> Tensor:
    return torch.nn.functional.pad(torch.ones(1), (0, samples - 1))


def spectrogram(ax: Axes, y: Tensor, fs: float, highest: float) -> None:
    n = 2048 if fs > 20000 else 1024
    S = torch.stft(y, n, n // 8, window=torch.hann_window(n), return_complex=True)
    level = decibels(S)
    ax.imshow(
        level - level.max(), origin="lower", aspect="auto", vmin=-80, vmax=0, cmap="magma",
        extent=(0, len(y) / fs, 0, fs / 2),
    )  # fmt: skip
    ax.grid(False)
    ax.set(ylim=(0, highest), ylabel="Hz", xlabel="time (s)")


# ---- levels


@panel("Smoother, Envelope: of a burst")
def levels(ax: Axes) -> None:
    fs, t = 8000, torch.arange(1600) / 8000
    x = torch.sin(2 * torch.pi * 200 * t) * ((t > 0.02) & (t < 0.1))
    ax.plot(t, x, color=GREY, lw=0.7)
    ax.plot(t, nn.Smoother(0.01, fs=fs)(x.abs()).detach(), label="smoother of |x|")
    ax.plot(t, nn.Envelope("peak", 0.01, fs=fs)(x).detach(), label="envelope, peak")
    over_time(ax, 0.2)
    ax.legend(frameon=False, fontsize=8, loc="lower right")


@panel("Loudness: of a sentence")
def loudness(ax: Axes) -> None:
    x, fs = speech()
    ax.plot(torch.arange(len(x)) / fs, x / x.abs().max() * 20 - 35, color=GREY, lw=0.4)
    momentary = nn.Loudness("momentary", rate=50, fs=fs)(x[None])
    ax.plot(0.4 + torch.arange(len(momentary)) / 50, momentary, label="momentary")
    ax.axhline(nn.Loudness("integrated", fs=fs)(x[None]), color="C1", label="integrated")
    over_time(ax, len(x) / fs)
    ax.set(ylabel="LUFS", ylim=(-60, -10))
    ax.legend(frameon=False, fontsize=8, loc="lower center", ncols=2)


@panel("PCEN: gammatones of a sentence")
def pcen(ax: Axes) -> None:
    x, fs = speech()
    energy = nn.FilterBank.gammatone(64, fs=fs)(x).square()
    energy = torch.nn.functional.avg_pool1d(energy, 160, 160)
    image = nn.PCEN(time_constant=0.4, fs=100)(energy).detach()
    ax.imshow(
        image, origin="lower", aspect="auto", cmap="magma", extent=(0, len(x) / fs, 0, 64), vmax=image.quantile(0.99)
    )
    ax.grid(False)
    over_time(ax, len(x) / fs)
    ax.set(ylabel="band")


@panel("NonlinearBiquad: a sine of 1, 3, 9")
def nonlinear(ax: Axes) -> None:
    t = torch.arange(480) / FS
    for level in (1.0, 3.0, 9.0):
        y = nn.NonlinearBiquad("lowpass", 1000.0, fs=FS)(level * torch.sin(2 * torch.pi * 300 * t))
        ax.plot(1000 * t, y.detach(), lw=1.4)
    over_time(ax, 10, "ms")


def main(output: Path) -> None:
    columns = 4
    rows = -(-len(PANELS) // columns)
    with plt.style.context(ROOT / "docs" / "figures.mplstyle"):
        plt.rcParams["font.size"] = 9
        figure, axes = plt.subplots(rows, columns, figsize=(17, 3.1 * rows), layout="constrained")
        for ax in axes.flat[len(PANELS) :]:
            ax.remove()
        for ax, (title, draw) in zip(axes.flat, PANELS.items()):
            draw(ax)
            ax.set_title(title, fontsize=10)
        output.mkdir(parents=True, exist_ok=True)
        figure.savefig(output / "modules.png", dpi=80)
    print(f"written {output / 'modules.png'}: {len(PANELS)} panels")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw what the modules of polezero.nn do.")
    parser.add_argument("--output", type=Path, default=Path("build/modules"), help="folder to write to")
    main(parser.parse_args().output)
