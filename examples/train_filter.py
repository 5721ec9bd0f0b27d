"""Learn a filter from a recording, by gradient descent through polezero.lfilter.

A hidden cascade H of second-order filters (shelves, peaks, dips) colours a recording x into
c = H x. Another cascade,

    G(z) = g prod_k (b_k0 + b_k1 z^-1 + b_k2 z^-2) / (a_k0 + a_k1 z^-1 + a_k2 z^-2),

starts by doing nothing and learns to undo it: the loss is |G c - x|^2, so G becomes 1 / H. It is
the correction itself that is learned, not a model of H to be inverted afterwards, so what comes
out is stable at every step. For each numerator and denominator is the bilinear transform of

    s^2 + (w / q) s + w^2,    s = (1 - z^-1) / (1 + z^-1),    w, q > 0,

which reaches every pair of roots inside the unit circle, and no other. With log w and log q as
parameters, no constraint and no projection is needed.

    python examples/train_filter.py [AUDIO] [--seed 1] [--help]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import soundfile
import torch
from torch import Tensor, nn
from tqdm import tqdm
from training_figure import Curves, draw

import polezero

Lfilter = Callable[[Tensor, Tensor, Tensor], Tensor]  # (b, a, x) -> y
EXAMPLES = Path(__file__).resolve().parent
LOWEST_HZ = 60.0


# ---- second-order sections


def frequencies(sections: int, sample_rate: int, jitter: Tensor | float = 0.5) -> Tensor:
    """One frequency in each of `sections` equal parts of a logarithmic axis, 60 Hz to 0.35 fs."""
    highest = 0.35 * sample_rate
    return LOWEST_HZ * (highest / LOWEST_HZ) ** ((torch.arange(sections) + jitter) / sections)


def prewarp(hertz: Tensor, sample_rate: int) -> Tensor:
    """The analogue frequency w that the bilinear transform takes to `hertz`."""
    return torch.tan(math.pi * hertz / sample_rate)


def polynomial(log_w: Tensor, log_q: Tensor) -> Tensor:
    """s^2 + (w / q) s + w^2 in powers of z^-1, times (1 + z^-1)^2: [K] -> [K, 3]."""
    w, q = log_w.exp(), log_q.exp()
    return torch.stack([1 + w / q + w * w, 2 * (w * w - 1), 1 - w / q + w * w], -1)


def cascade(lfilter: Lfilter, b: Tensor, a: Tensor, x: Tensor) -> Tensor:
    """x [T] through the sections b [K, 3], a [K, 3], one after the other."""
    for b_k, a_k in zip(b, a):
        x = lfilter(b_k, a_k, x)
    return x


def response_db(b: Tensor, a: Tensor, hertz: Tensor, sample_rate: int) -> Tensor:
    """20 log10 |H| of the cascade at each frequency."""
    z = torch.exp(-2j * math.pi * hertz.double() / sample_rate)
    powers = torch.stack([z**0, z, z**2])
    ratio = (b.to(powers.dtype) @ powers) / (a.to(powers.dtype) @ powers)
    return 20 * ratio.abs().log10().sum(0)


def hidden_filter(sections: int, sample_rate: int, seed: int) -> tuple[Tensor, Tensor]:
    """A random equaliser: a low shelf, peaks and dips of 6 to 15 dB, a high shelf (b, a: [K, 3])."""
    random = torch.Generator().manual_seed(seed)
    jitter, size, sharpness = torch.rand(3, sections, generator=random, dtype=torch.float64)
    log_w = prewarp(frequencies(sections, sample_rate, 0.2 + 0.6 * jitter), sample_rate).log()
    sign = torch.where(torch.arange(sections) % 2 == seed % 2, 1.0, -1.0)
    log_gain = sign * (6 + 9 * size) * math.log(10) / 20
    log_q = math.log(0.7) + sharpness * math.log(4 / 0.7)
    # A peak differs between numerator and denominator in q, a shelf in w.
    in_q, in_w = log_gain / 2, torch.zeros(sections, dtype=torch.float64)
    for shelf, direction in ((0, 1), (sections - 1, -1)):
        in_w[shelf], in_q[shelf], log_q[shelf] = direction * log_gain[shelf] / 4, 0.0, math.log(0.7)
    return polynomial(log_w + in_w, log_q - in_q), polynomial(log_w - in_w, log_q + in_q)


class Equaliser(nn.Module):
    """The trainable cascade. It starts flat: every zero on a pole."""

    def __init__(self, sections: int, sample_rate: int) -> None:
        super().__init__()
        log_w = prewarp(frequencies(sections, sample_rate), sample_rate).log()
        start = torch.stack([log_w, torch.zeros(sections)])
        self.zeros = nn.Parameter(start.clone())  # log w, log q: [2, K]
        self.poles = nn.Parameter(start.clone())
        self.log_gain = nn.Parameter(torch.zeros(()))

    def forward(self) -> tuple[Tensor, Tensor]:
        """The coefficients b [K, 3] and a [K, 3]; a_0 is not 1: lfilter divides it out."""
        b, a = polynomial(*self.zeros), polynomial(*self.poles)
        return b * (self.log_gain / len(b)).exp(), a


# ---- the recording


def load_mono(path: Path) -> tuple[Tensor, int]:
    if not path.is_file():
        raise SystemExit(f"no such file: {path}")
    try:
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SystemExit(f"cannot read {path}: {error.error_string}") from None
    x = torch.from_numpy(audio).mean(1)
    return x, sample_rate


def equal_octaves(x: Tensor, order: int = 32) -> Tensor:
    """A whitening FIR [order + 1] for x (linear prediction), short of 3 dB an octave.

    Most recordings have a thousand times more power at 200 Hz than at 10 kHz. Behind this filter
    every octave of x counts about the same, so that the loss hears what an ear hears.
    """
    power = torch.fft.rfft(x.double(), 2 * len(x)).abs().square()
    correlation = torch.fft.irfft(power * torch.arange(len(power)))[: order + 1]
    correlation[0] *= 1 + 1e-5  # an empty band is lifted by 50 dB at most
    lags = torch.arange(order)
    matrix = correlation[(lags[:, None] - lags).abs()]
    prediction = torch.linalg.solve(matrix, correlation[1:])
    return torch.cat([torch.ones(1), -prediction]).to(x.dtype)


# ---- learning


@dataclass
class Stopwatch:
    """Adds up the time spent in `with watch():` blocks."""

    seconds: float = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start


@dataclass
class Run:
    """What a training loop leaves: the error at each step, and the time spent in the filters."""

    errors_db: list[float] = field(default_factory=list)
    filtering: Stopwatch = field(default_factory=Stopwatch)


def train(model: Equaliser, lfilter: Lfilter, coloured: Tensor, original: Tensor, steps: int, title: str) -> Run:
    """Gradient descent (Adam) on |G coloured - original|^2 / |original|^2."""
    run = Run()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    power = original.square().sum()
    for _ in (bar := tqdm(range(steps), desc=title, unit="step", mininterval=0.2)):
        b, a = model()
        with run.filtering():
            y = cascade(lfilter, b, a, coloured)
        error = (y - original).square().sum() / power
        (grad_y,) = torch.autograd.grad(error, y)
        with run.filtering():
            grad_b, grad_a = torch.autograd.grad(y, (b, a), grad_y)
        # The same as error.backward(), in parts so that the filters' share can be timed.
        optimiser.zero_grad()
        torch.autograd.backward((b, a), (grad_b, grad_a))
        optimiser.step()
        schedule.step()
        run.errors_db.append(10 * math.log10(error.item()))
        bar.set_postfix_str(f"error {run.errors_db[-1]:.1f} dB", refresh=False)
    return run


def compare_with_torchaudio(
    sections: int, sample_rate: int, coloured: Tensor, original: Tensor, steps: int, seconds: float
) -> str:
    """What `steps` steps through torchaudio would cost, from 20 of them."""
    try:
        from torchaudio import __version__, functional
    except ImportError:
        version = ".".join(torch.__version__.split(".")[:2])
        return f"torchaudio is not installed: pip install --no-deps 'torchaudio=={version}.*' adds the comparison"

    def lfilter(b: Tensor, a: Tensor, x: Tensor) -> Tensor:
        y: Tensor = functional.lfilter(x, a, b, clamp=False)
        return y

    def measure(steps: int, title: str) -> float:
        run = train(Equaliser(sections, sample_rate), lfilter, coloured, original, steps, title)
        return run.filtering.seconds / steps

    measure(2, "torchaudio, warm-up")
    cost = measure(20, "torchaudio") * steps
    return (
        f"torchaudio {__version__.split('+')[0]}: {cost:.1f} s for the same steps, {cost / seconds:.1f}x (20 measured)"
    )


# ---- the whole


def normalised(b: Tensor, a: Tensor) -> list[list[float]]:
    """Rows b_0 b_1 b_2 1 a_1 a_2, as scipy.signal.sosfilt takes them."""
    rows: list[list[float]] = (torch.cat([b, a], -1) / a[:, :1]).tolist()
    return rows


def main(options: argparse.Namespace) -> None:
    x, sample_rate = load_mono(options.audio)
    excerpt = slice(0, round(options.seconds * sample_rate))
    if len(x[excerpt]) < sample_rate / 10 or not x[excerpt].any():
        raise SystemExit(f"{options.audio}: expected 0.1 s of sound or more, got {len(x[excerpt])} samples or silence")
    b_hidden, a_hidden = hidden_filter(options.sections, sample_rate, options.seed)
    coloured = cascade(polezero.lfilter, b_hidden, a_hidden, x.double())
    gain = (x.abs().max() / coloured.abs().max()).item()  # neither file clips
    b_hidden[0] *= gain
    coloured = (gain * coloured).to(x.dtype)

    weighting = equal_octaves(x[excerpt])
    target, source = (polezero.lfilter(weighting, [1.0], signal[excerpt]) for signal in (x, coloured))
    torch.set_num_threads(options.threads)
    print(
        f"recording  {options.audio.name}: {len(x) / sample_rate:.2f} s at {sample_rate} Hz, {len(target)} samples used"
    )
    print(f"hidden     {options.sections} second-order sections, seed {options.seed}")

    model = Equaliser(options.sections, sample_rate)
    run = train(model, polezero.lfilter, source, target, options.steps, "polezero")

    b, a = (c.detach().double() for c in model())
    corrected = cascade(polezero.lfilter, b, a, coloured.double()).to(x.dtype)
    hertz = torch.logspace(math.log10(40), math.log10(0.45 * sample_rate), 1000, dtype=torch.float64)
    wanted_db = response_db(a_hidden, b_hidden, hertz, sample_rate)
    learned_db = response_db(b, a, hertz, sample_rate)
    before, after = wanted_db.abs().max().item(), (learned_db - wanted_db).abs().max().item()
    plain_db = [10 * torch.log10((s - x).square().sum() / x.square().sum()).item() for s in (coloured, corrected)]

    print(f"error      {run.errors_db[0]:.1f} dB -> {run.errors_db[-1]:.1f} dB, every octave weighted alike (the loss)")
    print(f"           {plain_db[0]:.1f} dB -> {plain_db[1]:.1f} dB, coloured and corrected WAV against the original")
    print(
        f"response   off by {before:.1f} dB -> {after:.2f} dB at most, {hertz[0]:.0f} Hz to {hertz[-1] / 1000:.1f} kHz"
    )
    seconds = run.filtering.seconds
    print(
        f"filtering  polezero {polezero.__version__}: {seconds:.2f} s, forward and backward, {options.steps} steps of "
        f"{options.sections} filters, {torch.get_num_threads()} thread(s)"
    )
    print(
        f"           {compare_with_torchaudio(options.sections, sample_rate, source, target, options.steps, seconds)}"
    )

    options.output.mkdir(parents=True, exist_ok=True)
    for name, signal in {"original": x, "coloured": coloured, "corrected": corrected}.items():
        soundfile.write(options.output / f"{name}.wav", signal.clamp(-1, 1).numpy(), sample_rate, subtype="PCM_16")
    learned = {"sample_rate": sample_rate, "sos": normalised(b, a), "hidden_sos": normalised(b_hidden, a_hidden)}
    (options.output / "learned_filter.json").write_text(json.dumps(learned, indent=2) + "\n")
    draw(
        options.output / "learned_filter.png",
        Curves(hertz.tolist(), wanted_db.tolist(), learned_db.tolist(), run.errors_db, after),
        wanted=(a_hidden.tolist(), b_hidden.tolist()),
        learned=(b.tolist(), a.tolist()),
    )
    print(f"written    {options.output}: " + ", ".join(sorted(f.name for f in options.output.iterdir())))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Learn a filter from a recording through polezero.lfilter.")
    parser.add_argument("audio", nargs="?", type=Path, default=EXAMPLES / "data" / "tabla.wav", help="any sound file")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    parser.add_argument("--seconds", type=float, default=10.0, help="learn from the first so many seconds")
    parser.add_argument("--sections", type=int, default=6, help="second-order sections, hidden and learned")
    parser.add_argument("--steps", type=int, default=3000, help="steps of gradient descent")
    parser.add_argument("--threads", type=int, default=1, help="beside other busy programs, more is far slower")
    parser.add_argument("--seed", type=int, default=2, help="another seed, another hidden filter")
    return parser.parse_args()


if __name__ == "__main__":
    main(parse_arguments())
