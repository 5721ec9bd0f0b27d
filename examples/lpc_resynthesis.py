"""Resynthesise recorded speech from linear prediction, sample by sample and frame by frame, and measure what differs.

polezero.nn.AllPole finds 18 reflection coefficients and a gain every 5 ms. From them speech is made again by two kinds
of synthesis: one lattice whose coefficients are interpolated to each sample, and overlapping frames with a constant
filter each, as vocoders have that want all frames at once. Three things are put through both:

- The recording's own residual. Sample by sample this is the recording, to rounding. Frame by frame it is not: the
  frames' filters ring with different phases where they overlap.
- Pulses of a constant pitch, with 2.5 ms to 20 ms between frames. How far the spectral envelope of what comes out is
  from the recording's, and how much is between the harmonics, where a constant filter would leave nothing. Frame by
  frame there is less of it and the envelope is further off, for one reason: a window is four hops long, and its filter
  moves no faster than that.
- A voice: derivatives of glottal flow at the recording's pitch, and noise where it has none. Nothing of the recording
  is left in this but its pitch, its voicing, and the filter. It was found in the recording with its high frequencies
  raised, so that the slope of the glottis is not in it twice.

    python examples/lpc_resynthesis.py [--recording speech.wav] [--help]
"""

from __future__ import annotations

import argparse
import math
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import polezero

RECORDING = Path(__file__).parent / "data" / "arctic_a0007.wav"
ORDER = 18  # two a kHz of the voice's resonances, up to 8 kHz, and two for the slope
SECONDS = 0.005  # from frame to frame
WINDOW = 0.025
HOPS = (0.0025, 0.005, 0.010, 0.020)
PITCH = 125.0  # Hz, of the constant pulses
LOWEST, HIGHEST = 70.0, 300.0  # Hz, where pitch is looked for
RAISED = 0.97  # pre-emphasis
BREATH = 0.1  # noise beside the pulses, as a part of their power


# ---- signals


def read(path: Path) -> tuple[Tensor, int]:
    with wave.open(str(path)) as file:
        if (file.getsampwidth(), file.getnchannels()) != (2, 1):
            raise SystemExit(f"{path}: expected one channel of 16 bits")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return torch.from_numpy(samples / 32768), file.getframerate()


def write(path: Path, y: Tensor, fs: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(fs)
        file.writeframes((y.clamp(-1, 1) * 32767).round().numpy().astype("<i2").tobytes())


def decibels(power: Tensor | float) -> Tensor:
    return 10 * torch.as_tensor(power).clamp(min=1e-30).log10()


def snr(y: Tensor, expected: Tensor) -> float:
    return decibels(expected.square().sum() / (y - expected).square().sum()).item()


def at_each_sample(frames: Tensor, hop: int, samples: int) -> Tensor:
    """Linear between frames; the last one holds."""
    place = np.arange(samples) / hop
    return torch.from_numpy(np.interp(place, np.arange(len(frames)), frames.numpy()))


# ---- the source


def pitch(x: Tensor, hop: int, fs: int) -> tuple[Tensor, Tensor]:
    """Hz, and from 0 to 1 how clearly each frame repeats with that pitch: the height of its autocorrelation's peak."""
    sos = polezero.butter(2, [LOWEST, 900.0], "bandpass", output="sos", fs=fs)
    size = round(2.5 * fs / LOWEST)
    padded = torch.nn.functional.pad(polezero.sosfiltfilt(sos, x), (size // 2, size))
    frames = padded.unfold(-1, size, hop)[: len(x) // hop + 1]
    window = torch.hann_window(size, dtype=x.dtype)
    correlation = autocorrelation(frames * window) / autocorrelation(window)
    correlation = correlation / correlation[:, :1].clamp(min=1e-12)
    lags = torch.arange(int(fs / HIGHEST), int(fs / LOWEST) + 1)
    before, here, after = (correlation[:, lags + k] for k in (-1, 0, 1))
    peaks = torch.where((here >= before) & (here > after), here, 0.0)
    # Two periods repeat as well as one: of peaks that are nearly as high the first is taken.
    height = peaks.amax(-1)
    which = (peaks > 0.9 * height[:, None]).int().argmax(-1, keepdim=True)
    left, top, right = (c.gather(-1, which).squeeze(-1) for c in (before, here, after))
    bend = left - 2 * top + right
    period = lags[which.squeeze(-1)] + torch.where(bend < 0, (left - right) / (2 * bend), 0.0).clamp(-0.5, 0.5)
    power = frames.square().mean(-1)
    voicing = torch.where(power > 2e-3 * power.max(), ((height - 0.5) / 0.3).clamp(0, 1), 0.0)
    return joined(fs / period, voicing == 1), voicing


def autocorrelation(frames: Tensor) -> Tensor:
    n = 2 * frames.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(frames, n).abs().square(), n)


def joined(hertz: Tensor, voiced: Tensor) -> Tensor:
    """The mean of the middle five of nine voiced frames, against wrong octaves; a line where there is no voice."""
    padded = torch.nn.functional.pad(hertz[voiced][None], (4, 4), mode="replicate")[0]
    middle = padded.unfold(0, 9, 1).sort(-1).values[:, 2:7].mean(-1)
    return torch.from_numpy(np.interp(np.arange(len(hertz)), voiced.nonzero().squeeze(-1).numpy(), middle.numpy()))


def glottal_flow(hertz: Tensor, fs: int) -> Tensor:
    """The derivative of Rosenberg's glottal pulses at a pitch that moves, without partials above fs / 2."""
    t = torch.arange(4096, dtype=torch.float64) / 4096
    opening, closing = 0.4, 0.16  # parts of the period
    rising = 0.5 * (1 - torch.cos(math.pi * t / opening))
    falling = torch.cos(0.5 * math.pi * (t - opening) / closing)
    flow = torch.where(t < opening, rising, torch.where(t < opening + closing, falling, 0.0))
    partials = torch.arange(1, int(fs / 2 / hertz.min()) + 1)
    weights = torch.fft.rfft(flow)[partials] * partials * 1j
    phase = (2 * math.pi / fs) * hertz.cumsum(0)
    source = torch.zeros_like(hertz)
    for k, weight in zip(partials.tolist(), weights.tolist()):
        part = torch.exp(1j * k * phase) * weight
        source += torch.where(k * hertz < fs / 2, part.real, 0.0)
    return source


def voice_source(hertz: Tensor, voicing: Tensor, fs: int, seed: int) -> Tensor:
    """Pulses and noise, each of power 1 once its high frequencies are raised: what a filter of raised speech wants."""
    noise = torch.randn(len(hertz), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    noise = polezero.lfilter([1.0], [1.0, -RAISED], noise)
    pulses = glottal_flow(hertz, fs)
    pulses = pulses / raised(pulses).square().mean().sqrt()
    voiced = voicing * (1 - BREATH)
    return voiced.sqrt() * pulses + (1 - voiced).sqrt() * noise


def raised(x: Tensor) -> Tensor:
    return polezero.lfilter([1.0, -RAISED], [1.0], x)


# ---- both kinds of synthesis, and how far they are off


@dataclass(frozen=True)
class Pair:
    """The same by both kinds of synthesis."""

    samples: Tensor
    frames: Tensor


def synthesise(voice: polezero.nn.AllPole, excitation: Tensor, hop: int, values: dict[str, Tensor]) -> Pair:
    return Pair(voice(excitation, hop=hop, **values), voice.overlap_add(excitation, hop=hop, **values))


def envelope(voice: polezero.nn.AllPole, values: dict[str, Tensor]) -> Tensor:
    return decibels(voice.freqz(256, **values)[1].abs().square().clamp(min=1e-12))


def spectral_distance(voice: polezero.nn.AllPole, y: Tensor, x: Tensor, hop: int, size: int) -> float:
    """RMS decibels between the envelopes of two signals, where the second one is no more than 30 dB below its peak."""
    asked, found = (voice.analyse(v, hop=hop, size=size) for v in (x, y))
    is_loud = asked["gain"] > 10 ** (-30 / 20) * asked["gain"].max()
    off = (envelope(voice, found) - envelope(voice, asked))[is_loud]
    return off.square().mean(-1).sqrt().mean().item()


def between_harmonics(y: Tensor, period: int) -> float:
    """The power near the middle between harmonics, in decibels relative to that of the harmonics."""
    periods = 8
    window = torch.hann_window(periods * period, dtype=y.dtype)
    frames = y.unfold(-1, len(window), 2 * period) * window
    power = torch.fft.rfft(frames).abs().square().sum(0)
    place = torch.arange(len(power)) % periods
    return decibels(power[(place - periods // 2).abs() <= 1].mean() / power[place == 0].mean()).item()


@dataclass(frozen=True)
class Artefacts:
    """What both kinds of synthesis make of constant pulses, in decibels."""

    hop: int
    distance: tuple[float, float]  # by samples, by frames
    between: tuple[float, float]


def artefacts(voice: polezero.nn.AllPole, x: Tensor, hop: int, fs: int) -> Artefacts:
    period, step, size = round(fs / PITCH), round(SECONDS * fs), round(WINDOW * fs)
    pulses = torch.zeros_like(x)
    pulses[::period] = math.sqrt(period)
    made = synthesise(voice, pulses, hop, voice.analyse(x, hop=hop, size=size))
    first, second = (
        (spectral_distance(voice, y, x, step, size), between_harmonics(y, period)) for y in (made.samples, made.frames)
    )
    return Artefacts(hop, (first[0], second[0]), (first[1], second[1]))


@dataclass(frozen=True)
class Result:
    x: Tensor
    fs: int
    hop: int
    hertz: Tensor
    voicing: Tensor
    of_residual: Pair
    of_source: Pair
    distance: tuple[float, float]  # of the voice's envelopes from the recording's, in decibels
    artefacts: list[Artefacts]


def resynthesise(x: Tensor, fs: int, seed: int) -> Result:
    hop, size = round(SECONDS * fs), round(WINDOW * fs)
    voice = polezero.nn.AllPole(ORDER, "reflection", fs=fs, trainable=False)
    values = voice.analyse(x, hop=hop, size=size)
    of_residual = synthesise(voice, voice.residual(x, hop=hop, **values), hop, values)
    hertz, voicing = pitch(x, hop, fs)
    source = voice_source(*(at_each_sample(v, hop, len(x)) for v in (hertz, voicing)), fs, seed)
    of_source = synthesise(voice, source, hop, voice.analyse(raised(x), hop=hop, size=size))
    distance = [spectral_distance(voice, y, x, hop, size) for y in (of_source.samples, of_source.frames)]
    found = [artefacts(voice, x, round(seconds * fs), fs) for seconds in HOPS]
    return Result(x, fs, hop, hertz, voicing, of_residual, of_source, (distance[0], distance[1]), found)


# ---- what came of it


def level(y: Tensor, hop: int) -> Tensor:
    frames = y[: len(y) // hop * hop].unflatten(0, (-1, hop))
    return decibels(torch.nn.functional.avg_pool1d(frames.square().mean(-1)[None], 5, 1, 2)[0])


def draw(result: Result, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.ticker import NullLocator

    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [list("aaabbb"), list("ccddee")], figsize=(13, 7.5), constrained_layout=True, height_ratios=[1, 1]
    )
    fs, hop, seconds = result.fs, result.hop, len(result.x) / result.fs

    def spectrogram(ax: Axes, y: Tensor, title: str) -> None:
        size = 256  # 16 ms: pulses and harmonics can both be seen
        window = torch.hann_window(size, dtype=y.dtype)
        power = torch.stft(y, 1024, hop // 2, size, window, return_complex=True).abs().square()
        shown = (decibels(power / power.max()) / 2).round() * 2  # few colours: a small file
        ax.imshow(
            shown, origin="lower", aspect="auto", extent=(0, seconds, 0, fs / 2000), vmin=-60, vmax=0, cmap="magma"
        )
        ax.set(title=title, xlabel="s", ylabel="kHz")
        ax.grid(False)

    spectrogram(axes["a"], result.x, "Recording")
    spectrogram(axes["b"], result.of_source.samples, "From glottal flow at its pitch, and noise")
    time = torch.arange(len(result.hertz)) * (hop / fs)
    hertz = torch.where(result.voicing > 0.5, result.hertz, math.nan)
    pitch_axes = axes["a"].twinx()
    pitch_axes.plot(time, hertz, color="white", lw=3.5)
    pitch_axes.plot(time, hertz, color=blue, lw=1.8)
    pitch_axes.set(ylim=(0, 600), yticks=[50, 100, 150], ylabel="pitch (Hz)")
    pitch_axes.yaxis.label.set(color=blue, position=(1, 0.17))
    pitch_axes.tick_params(axis="y", colors=blue)
    pitch_axes.grid(False)

    ax, error = axes["c"], result.of_residual.frames - result.x
    time = (torch.arange(len(result.x) // hop) + 0.5) * (hop / fs)
    ax.plot(time, level(result.x, hop), color=black, lw=1.2, label="recording")
    ax.plot(time, level(error, hop), color=orange, lw=1.2, label="error of frames")
    exact = snr(result.of_residual.samples, result.x)
    ax.plot([], [], color=blue, label=f"error of samples: {exact:.0f} dB below")
    ax.set(title="From its own residual", xlabel="s", ylabel="level (dB)", ylim=(-90, 25), yticks=range(-80, 1, 20))
    ax.legend(frameon=False, fontsize=9, loc="upper left")

    milliseconds = [1000 * a.hop / fs for a in result.artefacts]
    texts = {
        "d": ("Pulses: envelope", "distance from the recording (dB)", "distance"),
        "e": ("Pulses: between harmonics", "power beside harmonics (dB)", "between"),
    }
    for place, (title, label, name) in texts.items():
        for k, (color, kind) in enumerate(((blue, "sample by sample"), (orange, "frame by frame"))):
            values = [getattr(a, name)[k] for a in result.artefacts]
            axes[place].semilogx(milliseconds, values, "o-", color=color, label=kind)
        axes[place].set(title=title, xlabel="hop (ms)", ylabel=label)
        axes[place].set_xticks(milliseconds, [f"{m:g}" for m in milliseconds])
        axes[place].xaxis.set_minor_locator(NullLocator())
    axes["d"].set_ylim(0)
    axes["d"].legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recording", type=Path, default=RECORDING, help="speech, one channel of 16 bits")
    parser.add_argument("--seed", type=int, default=1, help="of the noise in the source")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    x, fs = read(options.recording)
    result = resynthesise(x, fs, options.seed)
    by_samples, by_frames = snr(result.of_residual.samples, x), snr(result.of_residual.frames, x)
    print("                                 sample by sample   frame by frame")
    print(f"own residual: error below speech   {by_samples:9.1f} dB   {by_frames:11.1f} dB")
    for a in result.artefacts:
        name = f"{1000 * a.hop / fs:4.1f} ms"
        print(f"pulses, {name}: envelope off by    {a.distance[0]:9.2f} dB   {a.distance[1]:11.2f} dB")
        print(f"pulses, {name}: between harmonics  {a.between[0]:9.1f} dB   {a.between[1]:11.1f} dB")
    print(f"voice: envelope off by             {result.distance[0]:9.2f} dB   {result.distance[1]:11.2f} dB")
    heard, voicing = pitch(result.of_source.samples, result.hop, fs)
    both = (result.voicing == 1) & (voicing == 1)
    cents = 1200 * (heard / result.hertz).log2().abs()[both].median().item()
    kept = both.sum().item() / (result.voicing == 1).sum().item()
    print(f"voice: {100 * kept:.0f}% of the voiced frames are, and {cents:.1f} cents off in pitch (median)")
    assert by_samples > 200, "the residual does not give the recording back"
    assert all(a.distance[0] < a.distance[1] for a in result.artefacts), "samples are not closer than frames"
    assert max(result.distance) < 3 and kept > 0.85 and cents < 25, "the voice is not like the recording"
    options.output.mkdir(parents=True, exist_ok=True)
    named = {
        "frames": result.of_residual.frames,
        "voice": result.of_source.samples,
        "voice_frames": result.of_source.frames,
    }
    for name, y in named.items():
        write(options.output / f"speech_{name}.wav", y * (x.square().mean() / y.square().mean()).sqrt(), fs)
    path = options.output / "lpc_resynthesis.png"
    draw(result, path)
    print(f"wrote {path}, and speech_{{{','.join(named)}}}.wav beside it")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
