"""Learn the settings of a parametric equaliser from a recording, by gradient descent through polezero.nn.

A hidden equaliser H (two shelves, four peaks) colours a recording x into c = H x. Another one of the same kind,

    G = polezero.nn.ParametricEQ(["lowshelf", "peaking", .., "highshelf"], fs=sample_rate),

starts flat and learns to undo it: the loss is |G c - x|^2, so G becomes 1 / H. The inverse of a shelf or a peak is the
same with the opposite gain, so what is learned can be read beside what was hidden, as an engineer would set it: band,
Hz, dB, Q. Its parameters stay in the ranges of an equaliser while the optimiser moves them freely, and it is stable at
every step.

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
from torch import Tensor
from tqdm import tqdm
from training_figure import Curves, draw

import polezero
from polezero.nn import ParametricEQ

Cascade = Callable[[Tensor, Tensor], Tensor]  # (sos, x) -> y
EXAMPLES = Path(__file__).resolve().parent


# ---- equalisers


def equaliser(bands: int, sample_rate: int) -> ParametricEQ:
    """A flat one, a band in each of equal parts of a logarithmic axis."""
    types = ["lowshelf", *["peaking"] * (bands - 2), "highshelf"]
    return ParametricEQ(types, frequencies(bands, sample_rate, torch.tensor(0.5)), 1.0, fs=sample_rate)


def frequencies(bands: int, sample_rate: int, within: Tensor) -> Tensor:
    """From 60 Hz to 0.35 fs."""
    lowest, highest = 60.0, 0.35 * sample_rate
    return lowest * (highest / lowest) ** ((torch.arange(bands) + within) / bands)


def hidden_equaliser(bands: int, sample_rate: int, seed: int) -> ParametricEQ:
    """A random one: shelves and peaks of 6 to 15 dB, up and down by turns."""
    random = torch.Generator().manual_seed(seed)
    place, size, sharpness = torch.rand(3, bands, generator=random, dtype=torch.float64)
    eq = equaliser(bands, sample_rate)
    eq.frequency = frequencies(bands, sample_rate, 0.2 + 0.6 * place)
    eq.gain = torch.where(torch.arange(bands) % 2 == seed % 2, 1.0, -1.0) * (6 + 9 * size)
    eq.Q = 0.7 * (4 / 0.7) ** sharpness
    eq.Q = torch.where(torch.tensor([True, *[False] * (bands - 2), True]), 0.7, eq.Q.detach())
    return eq.requires_grad_(False)


def response_db(sos: Tensor, hertz: Tensor, sample_rate: int) -> Tensor:
    """20 log10 |H| at each frequency."""
    _, H = polezero.freqz_sos(sos, hertz, fs=sample_rate)
    return 20 * H.abs().log10()


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


def train(eq: ParametricEQ, cascade: Cascade, coloured: Tensor, original: Tensor, steps: int, title: str) -> Run:
    """Gradient descent (Adam) on |G coloured - original|^2 / |original|^2."""
    run = Run()
    rates = {"frequency": 0.03, "Q": 0.05, "gain": 0.1}
    groups = [{"params": eq.parametrizations[name].parameters(), "lr": rate} for name, rate in rates.items()]
    optimiser = torch.optim.Adam(groups)

    def share(step: int) -> float:
        return (1 + math.cos(math.pi * step / steps)) / 2

    def later(step: int) -> float:
        """Bands first find out whether they are to lift or to cut, and only then move to where."""
        return share(step) * min(1.0, step / (0.15 * steps)) ** 2

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, [later, share, share])
    power = original.square().sum()
    for _ in (bar := tqdm(range(steps), desc=title, unit="step", mininterval=0.2)):
        sos = eq.sos()
        with run.filtering():
            y = cascade(sos, coloured)
        error = (y - original).square().sum() / power
        (grad_y,) = torch.autograd.grad(error, y)
        with run.filtering():
            (grad_sos,) = torch.autograd.grad(y, sos, grad_y)
        # The same as (eq(coloured) - original)..backward(), in parts so that the filters' share can be timed.
        optimiser.zero_grad()
        sos.backward(grad_sos)
        optimiser.step()
        schedule.step()
        run.errors_db.append(10 * math.log10(error.item()))
        bar.set_postfix_str(f"error {run.errors_db[-1]:.1f} dB", refresh=False)
    return run


def compare_with_torchaudio(
    bands: int, sample_rate: int, coloured: Tensor, original: Tensor, steps: int, seconds: float
) -> str:
    """What `steps` steps through torchaudio would cost, from 20 of them."""
    try:
        from torchaudio import __version__, functional
    except ImportError:
        return "torchaudio is not installed: pip install --no-deps torchaudio adds the comparison"

    def cascade(sos: Tensor, x: Tensor) -> Tensor:
        for section in sos.to(x.dtype):
            x = functional.lfilter(x, section[3:], section[:3], clamp=False)
        return x

    def measure(steps: int, title: str) -> float:
        run = train(equaliser(bands, sample_rate), cascade, coloured, original, steps, title)
        return run.filtering.seconds / steps

    measure(2, "torchaudio, warm-up")
    cost = measure(20, "torchaudio") * steps
    return (
        f"torchaudio {__version__.split('+')[0]}: {cost:.1f} s for the same steps, {cost / seconds:.1f}x (20 measured)"
    )


# ---- the whole


def settings(hidden: ParametricEQ, learned: ParametricEQ) -> Iterator[str]:
    """Line by line what was hidden and what undoes it."""
    width = max(map(len, hidden.bands)) + 1
    yield f"settings   {'':{width}}{'hidden':32}learned, which undoes it"
    for was, now in zip(hidden.settings().splitlines(), learned.settings().splitlines()):
        yield f"{'':10} {was}     {now[width:]}"


def main(options: argparse.Namespace) -> None:
    x, sample_rate = load_mono(options.audio)
    excerpt = slice(0, round(options.seconds * sample_rate))
    if len(x[excerpt]) < sample_rate / 10 or not x[excerpt].any():
        raise SystemExit(f"{options.audio}: expected 0.1 s of sound or more, got {len(x[excerpt])} samples or silence")
    hidden = hidden_equaliser(options.bands, sample_rate, options.seed)
    coloured = hidden(x)

    weighting = equal_octaves(x[excerpt])
    target, source = (polezero.lfilter(weighting, [1.0], signal[excerpt]) for signal in (x, coloured))
    torch.set_num_threads(options.threads)
    print(
        f"recording  {options.audio.name}: {len(x) / sample_rate:.2f} s at {sample_rate} Hz, {len(target)} samples used"
    )
    print(f"hidden     a parametric equaliser of {options.bands} bands, seed {options.seed}")

    learned = equaliser(options.bands, sample_rate)
    run = train(learned, polezero.sosfilt, source, target, options.steps, "polezero")
    learned.requires_grad_(False)

    corrected = learned(coloured)
    hertz = torch.logspace(math.log10(40), math.log10(0.45 * sample_rate), 1000, dtype=torch.float64)
    wanted_db = -response_db(hidden.sos(), hertz, sample_rate)
    learned_db = response_db(learned.sos(), hertz, sample_rate)
    before, after = wanted_db.abs().max().item(), (learned_db - wanted_db).abs().max().item()
    plain_db = [10 * torch.log10((s - x).square().sum() / x.square().sum()).item() for s in (coloured, corrected)]

    print(f"error      {run.errors_db[0]:.1f} dB -> {run.errors_db[-1]:.1f} dB, every octave weighted alike (the loss)")
    print(f"           {plain_db[0]:.1f} dB -> {plain_db[1]:.1f} dB, coloured and corrected WAV against the original")
    print(
        f"response   off by {before:.1f} dB -> {after:.2f} dB at most, {hertz[0]:.0f} Hz to {hertz[-1] / 1000:.1f} kHz"
    )
    print("\n".join(settings(hidden, learned)))
    seconds = run.filtering.seconds
    print(
        f"filtering  polezero {polezero.__version__}: {seconds:.2f} s, forward and backward, {options.steps} steps of "
        f"{options.bands} sections, {torch.get_num_threads()} thread(s)"
    )
    print(f"           {compare_with_torchaudio(options.bands, sample_rate, source, target, options.steps, seconds)}")

    options.output.mkdir(parents=True, exist_ok=True)
    loudest = max(signal.abs().max().item() for signal in (x, coloured, corrected))  # no file clips
    for name, signal in {"original": x, "coloured": coloured, "corrected": corrected}.items():
        soundfile.write(options.output / f"{name}.wav", (signal / loudest).numpy(), sample_rate, subtype="PCM_16")
    both = {"sample_rate": sample_rate, "sos": learned.sos().tolist(), "hidden_sos": hidden.sos().tolist()}
    (options.output / "learned_filter.json").write_text(json.dumps(both, indent=2) + "\n")
    wanted, found = hidden.sos(), learned.sos()
    draw(
        options.output / "learned_filter.png",
        Curves(hertz.tolist(), wanted_db.tolist(), learned_db.tolist(), run.errors_db, after),
        wanted=(wanted[:, 3:].tolist(), wanted[:, :3].tolist()),
        learned=(found[:, :3].tolist(), found[:, 3:].tolist()),
    )
    print(f"written    {options.output}: " + ", ".join(sorted(f.name for f in options.output.iterdir())))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Learn an equaliser from a recording through polezero.nn.")
    parser.add_argument("audio", nargs="?", type=Path, default=EXAMPLES / "data" / "tabla.wav", help="any sound file")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder to write to")
    parser.add_argument("--seconds", type=float, default=10.0, help="learn from the first so many seconds")
    parser.add_argument(
        "--bands", type=int, default=6, help="of the equalisers, hidden and learned: 2 shelves and peaks"
    )
    parser.add_argument("--steps", type=int, default=2000, help="steps of gradient descent")
    parser.add_argument("--threads", type=int, default=1, help="beside other busy programs, more is far slower")
    parser.add_argument("--seed", type=int, default=2, help="another seed, another hidden filter")
    return parser.parse_args()


if __name__ == "__main__":
    main(parse_arguments())
