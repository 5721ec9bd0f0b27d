"""Train a small transformer that reads MIDI notes and sets an equaliser for each frame of the sound.

What it has to find is how somebody else sets it, from nothing but what went in and came out: a bell rides on the
fourth harmonic of each note, the louder the note the higher; and where the melody rises, the treble does, by a shelf
whose gain depends on the interval from the note before, for which the transformer has to look back. Melodies and their
sound are synthetic.

The network and the equaliser, polezero.nn.ParametricEQ, are trained as one. The network's outputs go through the
equaliser's own parametrizations, so that they are hertz and decibels in its ranges; its sections are interpolated from
frame to frame, and the gradient of the sound comes back through the time-varying filter.

    python examples/midi_equaliser.py [--seed 1] [--steps 250] [--help]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import polezero

SAMPLE_RATE = 16_000
HOP, FRAMES = 128, 4  # samples of a frame, frames of a note
NOTES, BATCH = 12, 8
LOWEST, HIGHEST = 36, 72  # MIDI: 65 Hz to 523 Hz
SHELF = 3000.0  # Hz


class Melody(NamedTuple):
    pitch: Tensor  # [batch, notes], MIDI numbers
    velocity: Tensor  # 0 to 127


class Settings(NamedTuple):
    """Of each note."""

    bell: Tensor  # Hz
    gain: Tensor  # dB, of the bell and the shelf, [batch, notes, 2]


def hertz(pitch: Tensor) -> Tensor:
    return 440 * 2 ** ((pitch - 69) / 12)


def compose(batch: int, random: torch.Generator) -> Melody:
    steps = torch.randint(-7, 8, (batch, NOTES), generator=random)
    first = torch.randint(LOWEST + 10, HIGHEST - 9, (batch, 1), generator=random)
    span = HIGHEST - LOWEST
    walk = (first + steps.cumsum(-1) - LOWEST) % (2 * span)  # reflected at the ends of the keyboard
    pitch = LOWEST + span - (walk - span).abs()
    return Melody(pitch.float(), torch.randint(20, 128, (batch, NOTES), generator=random).float())


def play(melody: Melody, random: torch.Generator) -> Tensor:
    """A saw and breath noise, [batch, T]."""
    f = hertz(melody.pitch).repeat_interleave(HOP * FRAMES, -1) / SAMPLE_RATE
    saw = 2 * (f.cumsum(-1) % 1) - 1
    loudness = (melody.velocity / 127).repeat_interleave(HOP * FRAMES, -1)
    return (0.5 * saw + torch.randn(saw.shape, generator=random)) * (0.3 + 0.7 * loudness)


def engineer(melody: Melody) -> Settings:
    """The one whose hands are watched."""
    interval = torch.diff(melody.pitch, prepend=melody.pitch[:, :1])
    gains = 12 * melody.velocity / 127, 9 * torch.tanh(interval / 4)
    return Settings(4 * hertz(melody.pitch), torch.stack(gains, -1))


# ---- what is trained


class Equaliser(torch.nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.eq = polezero.nn.ParametricEQ(
            ["peaking", "highshelf"], [1000.0, SHELF], [1.4, 0.7], fs=SAMPLE_RATE, trainable=False
        )
        self.embed = torch.nn.Linear(2, width)
        self.place = torch.nn.Parameter(0.5 * torch.randn(NOTES, width))
        layer = torch.nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.transformer = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = torch.nn.Linear(width, 3)
        ranges = polezero.nn.parametrizations
        self.to_hertz, self.to_decibels = ranges.LogRange(100.0, 5000.0, "Hz"), ranges.Range(-18.0, 18.0, "dB")

    def settings(self, melody: Melody) -> Settings:
        middle, span = (LOWEST + HIGHEST) / 2, (HIGHEST - LOWEST) / 2
        tokens = self.embed(torch.stack([(melody.pitch - middle) / span, melody.velocity / 64 - 1], -1)) + self.place
        past = torch.nn.Transformer.generate_square_subsequent_mask(NOTES)
        outputs = self.head(self.transformer(tokens, mask=past, is_causal=True))
        return Settings(self.to_hertz(outputs[..., 0]), self.to_decibels(outputs[..., 1:]))

    def forward(self, x: Tensor, settings: Settings) -> Tensor:
        shelf = torch.full_like(settings.bell, SHELF)
        frequency = torch.stack([settings.bell, shelf], -1).repeat_interleave(FRAMES, 1)
        return self.eq(x, hop=HOP, frequency=frequency, gain=settings.gain.repeat_interleave(FRAMES, 1))


def train(model: Equaliser, steps: int, random: torch.Generator) -> list[float]:
    """Decibels of what is wrong, against the sound, at each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    errors = []
    for _ in range(steps):
        melody = compose(BATCH, random)
        x = play(melody, random)
        with torch.no_grad():
            wanted = model(x, engineer(melody))
        optimizer.zero_grad()
        error = (model(x, model.settings(melody)) - wanted).square().mean() / wanted.square().mean()
        error.sqrt().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        errors.append(10 * math.log10(error.item()))
    return errors


# ---- what came of it


def response(model: Equaliser, settings: Settings, f: Tensor) -> Tensor:
    """Decibels of the first melody's notes, [notes, frequencies]."""
    frequency = torch.stack([settings.bell, torch.full_like(settings.bell, SHELF)], -1)[0]
    return 20 * model.eq.freqz(f, frequency=frequency, gain=settings.gain[0])[1].abs().log10()


def draw(model: Equaliser, melody: Melody, errors: list[float], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    blue, orange, black = "#0072b2", "#d55e00", "#222222"
    plt.style.use(Path(__file__).parents[1] / "docs" / "figures.mplstyle")
    figure, axes = plt.subplot_mosaic(
        [["roll", "gains"], ["hidden", "learned"], ["error", "error"]],
        figsize=(12, 10),
        constrained_layout=True,
        height_ratios=[3, 3, 2],
    )
    hidden, learned = engineer(melody), model.settings(melody)
    edges = torch.arange(NOTES + 1) * HOP * FRAMES / SAMPLE_RATE * 1000
    ax = axes["roll"]
    for n in range(NOTES):
        strength = 0.2 + 0.8 * melody.velocity[0, n].item() / 127
        label = "notes, darker if louder" if n == 0 else None
        ax.fill_between(
            edges[n : n + 2], *(hertz(melody.pitch[0, n] + d).expand(2) for d in (-0.5, 0.5)),
            color=black, alpha=strength, lw=0, label=label,
        )  # fmt: skip
    ax.stairs(hidden.bell[0], edges, color=black, lw=4, alpha=0.35, baseline=None, label="bell, the engineer's")
    ax.stairs(learned.bell[0], edges, color=blue, lw=1.6, baseline=None, label="bell, the network's")
    ax.set(title="Notes and the bell's frequency", ylabel="Hz", yscale="log", ylim=(50, 6000), xlim=(0, edges[-1]))
    ax.set_yticks([50, 100, 200, 500, 1000, 2000], ["50", "100", "200", "500", "1 k", "2 k"])
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, fontsize=8.5, loc="upper left", ncols=3, columnspacing=0.8, handlelength=1.2)
    ax = axes["gains"]
    for k, (name, color) in enumerate((("bell", blue), ("shelf", orange))):
        ax.stairs(hidden.gain[0, :, k], edges, color=black, lw=4, alpha=0.35, baseline=None)
        ax.stairs(learned.gain[0, :, k], edges, color=color, lw=1.6, baseline=None, label=f"{name}, the network's")
    ax.set(title="Gains (grey: the engineer's)", ylabel="dB", ylim=(-12, 17), xlim=(0, edges[-1]))
    ax.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)
    f = torch.logspace(math.log10(60), math.log10(7500), 300, dtype=torch.float64)
    for name, settings, title in (
        ("hidden", hidden, "The engineer's equaliser"), ("learned", learned, "The network's equaliser")
    ):  # fmt: skip
        ax = axes[name]
        decibels = response(model, settings, f).T.numpy()
        image = ax.pcolormesh(edges, f, decibels[:-1], cmap="RdBu_r", vmin=-15, vmax=15, shading="flat")
        ax.set(title=title, xlabel="ms", ylabel="Hz", yscale="log")
        ax.set_yticks([100, 200, 500, 1000, 2000, 5000], ["100", "200", "500", "1 k", "2 k", "5 k"])
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(False)
    figure.colorbar(image, ax=[axes["learned"]], label="dB", shrink=0.9)
    axes["error"].plot(errors, color=blue, lw=1.2)
    axes["error"].set(title="Error, of new melodies at each step", xlabel="step", ylabel="dB of the sound")
    axes["error"].set_xlim(0, len(errors))
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the melodies and the network")
    parser.add_argument("--steps", type=int, default=250, help="of training")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random = torch.Generator().manual_seed(options.seed)
    model = Equaliser()
    errors = train(model, options.steps, random)
    melody = compose(32, random)  # which it has not seen
    x = play(melody, random)
    with torch.no_grad():
        hidden, learned = engineer(melody), model.settings(melody)
        wanted = model(x, hidden)
        db = 10 * math.log10((model(x, learned) - wanted).square().mean() / wanted.square().mean())
        unset = 10 * math.log10((x - wanted).square().mean() / wanted.square().mean())
    semitones = (12 * (learned.bell / hidden.bell).log2()).abs()
    gains = (learned.gain - hidden.gain).abs()
    print(f"error of unseen melodies: {unset:.1f} dB without the equaliser, {db:.1f} dB with it")
    print(f"bell: {semitones.median():.2f} semitones and {gains[..., 0].median():.2f} dB off (medians)")
    print(f"shelf, by the interval from the note before: {gains[..., 1].median():.2f} dB off")
    assert db < -20 and semitones.median() < 1, "the network has not found the rule"
    options.output.mkdir(parents=True, exist_ok=True)
    figure = options.output / "midi_equaliser.png"
    with torch.no_grad():
        draw(model, melody, errors, figure)
    print(f"wrote {figure}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
