"""Times the modules of polezero.nn beside what else there is, and prints five tables.

python benchmarks/measure_modules.py [--only equalisers loops bank frames design] [--threads 1] [--seconds 20]

equalisers: a step of training of six bands on 16 x 2^16 samples in float32, in time and memory, beside other libraries;
loops: filters beside the recurrence as a loop in Python, on 4096 samples; bank: 32 bands beside the op that filters
them; frames: where the time goes of a step whose bands are predicted for each frame of 256 samples; design: six bands,
eager and by torch.compile(fullgraph=True). A step is the call, its mean squared error to a target, and the gradients to
all parameters. The calls of a table, or of a row where it has ratios of its own, take turns, and the best
timing of each counts.
"""

import argparse
import importlib
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from implementations import HOW_TO_INSTALL
from machine import describe, is_installed, versions
from measure import Call, Contender, interleaved, keep_memory
from peak_memory import peak_bytes
from render import MET, aligned, machine_lines
from torch import Tensor

import polezero
from polezero.nn import Biquad, FilterBank, IIRFilter, ParametricEQ

PEERS = ("dasp_pytorch", "grafx", "torchaudio")
FS, ROWS, SAMPLES, HOP = 48000, 16, 2**16, 256
LOOP_SAMPLES, BANK_ROWS, BANK_BANDS = 4096, 4, 32
SHELVES_AND_PEAKS = ("lowshelf", "peaking", "peaking", "peaking", "peaking", "highshelf")  # what dasp and grafx have
FREQUENCY, Q, GAIN = [100.0, 250.0, 700.0, 2000.0, 5000.0, 9000.0], 1.0, [3.0, -4.0, 2.0, -3.0, 4.0, -2.0]
AGREEMENT = 1e-2  # relative RMS; another filter, not another rounding or a response cut off
BANK_REACH, FRAMES_REACH_MS = 1.3, 20
DESIGN_REACH_US = {False: (250, 600), True: (60, 200)}  # forward, and with gradients; eager, compiled

Equaliser = tuple[Callable[[Tensor], Tensor], list[Tensor]]  # of signals [ROWS, T], and its parameters


def leaf(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, requires_grad=True)


def noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def step(call: Callable[..., Tensor], leaves: Sequence[Tensor], x: Tensor) -> Call:
    target = x.roll(1, -1)
    return lambda: torch.autograd.grad((call(x) - target).square().mean(), leaves)


def best(calls: Sequence[Call], options: argparse.Namespace) -> list[float]:
    """Seconds of each."""
    return [t.best_s for t in interleaved([Contender(c, options.threads) for c in calls], options.seconds)]


def relative_rms(result: Tensor, exact: Tensor) -> float:
    return float((result.double() - exact).norm() / exact.norm())


def check_agreement(name: str, result: Tensor, exact: Tensor, limit: float = AGREEMENT) -> float:
    error = relative_rms(result.detach(), exact.detach())
    if not error < limit:
        raise SystemExit(f"{name}: expected what polezero makes of it, got another result by {error:.1g}, relative RMS")
    return error


# ---- an equaliser of constant parameters


def ours(dtype: torch.dtype = torch.float64) -> ParametricEQ:
    return ParametricEQ(SHELVES_AND_PEAKS, FREQUENCY, Q, GAIN, fs=FS, dtype=dtype)


def equalisers() -> dict[str, Callable[[], Equaliser]]:
    """Of the same response: polezero's, and those of the peers that are installed."""
    found: dict[str, Callable[[], Equaliser]] = {"polezero.nn.ParametricEQ": _polezero}
    if is_installed("torchaudio"):
        found["polezero's design, six torchaudio lfilter"] = _torchaudio_lfilter
        found["torchaudio, six *_biquad"] = _torchaudio_biquads
    if is_installed("dasp_pytorch"):
        found["dasp_pytorch.functional.parametric_eq"] = _dasp
    if is_installed("grafx"):
        found['grafx ParametricEqualizer, "fsm"'] = _grafx
    return found


def _polezero() -> Equaliser:
    eq = ours()
    return eq, list(eq.parameters())


def _torchaudio_lfilter() -> Equaliser:
    lfilter, eq = importlib.import_module("torchaudio.functional").lfilter, ours()

    def call(x: Tensor) -> Tensor:
        for section in eq.sos().float():
            x = lfilter(x, section[3:], section[:3], clamp=False)
        return x

    return call, list(eq.parameters())


def _torchaudio_biquads() -> Equaliser:
    F = importlib.import_module("torchaudio.functional")
    frequency, q, gain = leaf(FREQUENCY), leaf([Q] * 6), leaf(GAIN)

    def call(x: Tensor) -> Tensor:
        x = F.bass_biquad(x, FS, gain[0], frequency[0], q[0])
        for k in range(1, 5):
            x = F.equalizer_biquad(x, FS, frequency[k], gain[k], q[k])
        return F.treble_biquad(x, FS, gain[5], frequency[5], q[5])

    return call, [frequency, q, gain]


def _dasp() -> Equaliser:
    parametric_eq = importlib.import_module("dasp_pytorch.functional").parametric_eq
    settings = [leaf([value]) for band in zip(GAIN, FREQUENCY, [Q] * 6, strict=True) for value in band]
    return lambda x: parametric_eq(x[None], FS, *settings)[
        0
    ], settings  # of an item with channels: one response for all


def _grafx() -> Equaliser:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # grafx 0.6.0 takes torchaudio 2.11 for an older one than 2.4
        processors = importlib.import_module("grafx.processors")
    # With 4001 taps, not its 4000: its FFT has samples + taps - 1 points, and is inverted as if that were even.
    eq = processors.ParametricEqualizer(num_filters=6, flashfftconv=False, fsm_fir_len=4001)
    logits = [math.log(f / (FS / 2 - f)) for f in FREQUENCY]
    settings = [leaf([[values]]) for values in (logits, [-math.log(Q)] * 6, [g * math.log(10) / 40 for g in GAIN])]
    return lambda x: eq(x[None], *settings)[0], settings


def equaliser_table(options: argparse.Namespace) -> list[list[str]]:
    found, x = {name: make() for name, make in equalisers().items()}, noise(ROWS, SAMPLES)
    exact = ours()(x.double())
    errors = [check_agreement(name, call(x), exact) for name, (call, _) in found.items()]
    times = best([step(call, leaves, x) for call, leaves in found.values()], options)
    peaks = [peak_in_another_process(name, options.threads) for name in found]
    header = ["six bands, a step of training", "error", "ms", "over ours", "MiB at the peak", "over ours"]
    return [header] + [
        [name, f"{error:.0e}", f"{t * 1e3:.1f}", f"{t / times[0]:.1f}x", f"{peak:.0f}", f"{peak / peaks[0]:.1f}x"]
        for name, error, t, peak in zip(found, errors, times, peaks, strict=True)
    ]


def peak_in_another_process(name: str, threads: int) -> float:
    """MiB, with malloc's own thresholds, which give freed signals back at once."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    command = [sys.executable, __file__, "--peak", name, "--threads", str(threads)]
    run = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(run.stdout.splitlines()[-1])


def peak_here(name: str) -> float:
    """After a short signal, so that loading code does not count."""
    make = {**equalisers(), "frames": predicted}[name]

    def prepared(samples: int) -> Call:
        call, leaves = make() if name != "frames" else predicted(samples)
        return step(call, leaves, noise(ROWS, samples))

    return [peak_bytes(lambda n=n: prepared(n)) for n in (HOP, SAMPLES)][-1] / 2**20


# ---- loops in Python


def loop(x: Tensor, sos: Tensor) -> Tensor:
    """Sections ``[K, 6]`` with a_0 = 1, one after another, in transposed direct form II."""
    for b0, b1, b2, _, a1, a2 in (section.unbind() for section in sos):
        s1 = s2 = x.new_zeros(x.shape[:-1])
        filtered = []
        for sample in x.unbind(-1):
            y = b0 * sample + s1
            s1, s2 = b1 * sample - a1 * y + s2, b2 * sample - a2 * y
            filtered.append(y)
        x = torch.stack(filtered, -1)
    return x


def loop_table(options: argparse.Namespace) -> list[list[str]]:
    iir = IIRFilter.from_design("butter", 4, 0.3)
    edges = [("low", 0.2), ("bandpass", [0.2, 0.6]), ("high", 0.6)]
    bands = [{"ftype": "butter", "order": 2, "btype": btype, "cutoff": cutoff} for btype, cutoff in edges]
    bank, biquad = FilterBank(bands, trainable="coefficients"), Biquad("lowpass", 1000.0, fs=44100)

    def looped_bank(x: Tensor) -> Tensor:
        return torch.stack([loop(x, sos[:K]) for sos, K in zip(bank.sos().float(), (1, 2, 1), strict=True)], -2)

    pairs: dict[str, tuple[torch.nn.Module, Callable[[Tensor], Tensor]]] = {
        "IIRFilter, Butterworth of order 4 (seed 000)": (iir, lambda x: loop(x, iir.sos().float())),
        "FilterBank, three bands (seed 001)": (bank, looped_bank),
        "Biquad, a low pass (seed 002)": (biquad, lambda x: loop(x, biquad.sos().float())),
    }
    x = noise(1, LOOP_SAMPLES)
    table = [["1 x 4096", "loop ms", "ours us", "faster", "step: loop ms", "ours us", "faster"]]
    for name, (module, looped) in pairs.items():
        check_agreement(name, looped(x), module(x.double()), 1e-4)
        leaves = list(module.parameters())
        both = [step(looped, leaves, x), step(module, leaves, x)]
        with torch.no_grad():
            forward = best([lambda looped=looped: looped(x), lambda module=module: module(x)], options)
        row = [name]
        for slow, fast in (forward, best(both, options)):
            row += [f"{slow * 1e3:.0f}", f"{fast * 1e6:.0f}", f"{slow / fast:.0f}x"]
        table.append(row)
    return table


# ---- a bank of 32 bands


def bank_table(options: argparse.Namespace) -> list[list[str]]:
    """Gammatone filters, of four sections each. With fixed ones the gradient is the signal's, of both."""
    x = noise(BANK_ROWS, SAMPLES)
    table = [["32 bands, 4 x 2^16", "ms", "sosfilt ms", "ratio", "and gradients ms", "sosfilt ms", "ratio", "met"]]
    for trainable in ("none", "coefficients", "edges"):
        bank = FilterBank.gammatone(BANK_BANDS, fs=16000, trainable=trainable)
        leaves = list(bank.parameters())
        signal = x if leaves else x.clone().requires_grad_()
        sos = bank.sos().detach().requires_grad_(bool(leaves))
        grad_y = noise(BANK_ROWS, BANK_BANDS, SAMPLES)

        def op(sos: Tensor = sos, signal: Tensor = signal) -> Tensor:
            return polezero.sosfilt(sos, signal[:, None])

        def module(bank: FilterBank = bank, signal: Tensor = signal) -> Tensor:
            return bank(signal)

        check_agreement(trainable, module(), op(), 1e-6)
        wanted = [(module, leaves or [signal]), (op, [sos] if leaves else [signal])]
        both = [lambda f=f, to=to, g=grad_y: torch.autograd.grad(f(), to, g) for f, to in wanted]
        times = best([module, op, *both], options)
        ratios = times[0] / times[1], times[2] / times[3]
        row = [f'FilterBank.gammatone, trainable="{trainable}"']
        for k in (0, 1):
            row += [f"{times[2 * k] * 1e3:.1f}", f"{times[2 * k + 1] * 1e3:.1f}", f"{ratios[k]:.2f}x"]
        table.append([*row, MET[max(ratios) <= BANK_REACH]])
    return table


# ---- six bands predicted for each frame


def settings(eq: ParametricEQ, frames: Tensor) -> dict[str, Tensor]:
    """A network's 16 numbers for each frame, in the ranges of the equaliser."""
    parts = zip(("frequency", "Q", "gain"), frames.split([6, 6, 4], -1), strict=True)
    return {name: eq.parametrizations[name][0](part) for name, part in parts}  # type: ignore[index,operator,union-attr]


def predicted(samples: int = SAMPLES) -> Equaliser:
    eq, frames = ParametricEQ(fs=FS), noise(ROWS, samples // HOP + 1, 16).requires_grad_()
    return lambda x: eq(x, hop=HOP, **settings(eq, frames)), [frames]


def frames_table(options: argparse.Namespace) -> list[list[str]]:
    eq, x = ParametricEQ(fs=FS), noise(ROWS, SAMPLES)
    call, (frames,) = predicted()

    def part(function: Callable[..., Any], *inputs: Tensor) -> tuple[Call, list[Tensor]]:
        """Forward and backward of a part of the step, and its results for the next one."""
        leaves = [t.detach().requires_grad_() for t in inputs]
        results = function(*leaves)
        gradients = [torch.ones_like(t) for t in results]
        return lambda: torch.autograd.grad(function(*leaves), leaves, gradients), [t.detach() for t in results]

    ranges, values = part(lambda f: list(settings(eq, f).values()), frames)
    design, (sos,) = part(lambda f, q, g: [eq.sos(frequency=f, Q=q, gain=g)], *values)
    op, (y,) = part(lambda sos: [polezero.lpv.sosfilt(sos, x, hop=HOP)], sos)
    loss, _ = part(lambda y: [(y - x.roll(1, -1)).square().mean()], y)
    check_agreement("frames", call(x), y, 1e-6)
    whole, inner, *others = best([step(call, [frames], x), op, design, ranges, loss], options)
    rows = {
        "the step": whole,
        "lpv.sosfilt": inner,
        "all but lpv.sosfilt": sum(others),
        **dict(zip(("design", "ranges", "loss"), others, strict=True)),
    }
    reaches = {"all but lpv.sosfilt": (f"<= {FRAMES_REACH_MS}", MET[sum(others) * 1e3 <= FRAMES_REACH_MS])}
    memory = f"{peak_in_another_process('frames', options.threads):.0f} MiB at the peak"
    return [[f"six bands predicted a frame, {memory}", "ms", "of the step", "reach", "met"]] + [
        [name, f"{t * 1e3:.1f}", f"{t / whole:.0%}", *reaches.get(name, ("", ""))] for name, t in rows.items()
    ]


# ---- a design of six bands


def design_table(options: argparse.Namespace) -> list[list[str]]:
    eq = ParametricEQ(fs=FS, gain=[3.0, -4.0, 2.0, -3.0])
    leaves, grad_sos = list(eq.parameters()), noise(6, 6).double()
    table = [["ParametricEQ.sos, six bands", "us", "reach", "met", "and gradients us", "reach", "met"]]
    for is_compiled, reaches in DESIGN_REACH_US.items():

        def design() -> Tensor:
            return eq.sos()

        made = torch.compile(design, fullgraph=True) if is_compiled else design
        check_agreement("design", made(), eq.sos(), 1e-12)
        calls = [made, lambda made=made: torch.autograd.grad(made(), leaves, grad_sos)]
        row = ["compiled" if is_compiled else "eager"]
        for seconds, reach in zip(best(calls, options), reaches, strict=True):
            row += [f"{seconds * 1e6:.0f}", f"<= {reach}", MET[seconds * 1e6 <= reach]]
        table.append(row)
    return table


TABLES = {
    "equalisers": equaliser_table,
    "loops": loop_table,
    "bank": bank_table,
    "frames": frames_table,
    "design": design_table,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="for calls that take turns")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        torch.set_num_threads(options.threads)
        print(peak_here(options.peak))
        return
    keep_memory()
    torch.set_num_threads(options.threads)
    for peer in PEERS:
        if not is_installed(peer):
            print(f"{peer} is not installed: {HOW_TO_INSTALL[peer]}", file=sys.stderr)
    cores = len(os.sched_getaffinity(0))
    found = f"{versions('polezero', *PEERS)}; threads: {options.threads}, cores they may use: {cores}"
    heading = machine_lines(describe(), found)
    tables = [aligned(TABLES[name](options)) for name in options.only]
    load = os.getloadavg()[0]
    heading.append(f"load at the end {load:.1f}{', so beside other work' if load > options.threads + 0.5 else ''}")
    print("\n".join([*heading, "", "\n\n".join(tables)]))


if __name__ == "__main__":
    main()
