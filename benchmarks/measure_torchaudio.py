"""Prints the table of docs/torchaudio.md: the time of torchaudio's filters over that of polezero.compat.torchaudio's.

python benchmarks/measure_torchaudio.py [--rows 16] [--samples 65536] [--loop-samples 2048]

With torchaudio 2.11.0 and its torch. float32, one thread; forward without a graph, and forward and backward to the
waveform and to all coefficients. `phaser` and `flanger` are loops in Python there: the forward pass has all samples,
with its gradients it has `--loop-samples`, for the graph of torchaudio's flanger takes time by the square of them.
torchaudio's overdrive has no gradient on the CPU.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torchaudio.functional
from measure import Contender, interleaved
from torch import Tensor

import polezero.compat.torchaudio

Call = Callable[[Any, Tensor], Tensor]
A, B = torch.tensor([1.0, -1.6, 0.9, -0.1]), torch.tensor([0.1, 0.2, 0.2, 0.1])
FREQUENCY = torch.tensor(1000.0)

# The function of a module, of the waveform and of what else has a gradient.
CALLS: Mapping[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]] = {
    "lowpass_biquad": (lambda F, x, f: F.lowpass_biquad(x, 44100, f), (FREQUENCY,)),
    "lfilter": (lambda F, x, a, b: F.lfilter(x, a, b), (A, B)),
    "filtfilt": (lambda F, x, a, b: F.filtfilt(x, a, b), (A, B)),
    "overdrive": (lambda F, x: F.overdrive(x), ()),
    "phaser": (lambda F, x: F.phaser(x, 44100), ()),
    "flanger": (lambda F, x: F.flanger(x.view(-1, 4, x.shape[-1]), 44100), ()),
    "flanger, regen=50": (lambda F, x: F.flanger(x.view(-1, 4, x.shape[-1]), 44100, regen=50.0), ()),
}
LOOPS = ("phaser", "flanger", "flanger, regen=50")


def seconds(call: Callable[..., Tensor], inputs: tuple[Tensor, ...], with_gradients: bool) -> tuple[float, float]:
    """Of polezero and of torchaudio."""

    def contender(module: Any) -> Contender:
        if not with_gradients:
            return Contender(lambda: call(module, *inputs))
        leaves = [t.clone().requires_grad_() for t in inputs]
        return Contender(lambda: torch.autograd.grad(call(module, *leaves).sum(), leaves))

    ours, theirs = interleaved([contender(polezero.compat.torchaudio), contender(torchaudio.functional)], seconds=3)
    return ours.best_s, theirs.best_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--samples", type=int, default=2**16)
    parser.add_argument("--loop-samples", type=int, default=2**11)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    x = 0.1 * torch.randn(arguments.rows, arguments.samples, generator=generator)
    print("| | samples | polezero | torchaudio | ratio |\n|---|---|---|---|---|")
    for name, (call, coefficients) in CALLS.items():
        for with_gradients in (False, True):
            if with_gradients and name == "overdrive":
                continue
            waveform = x[:, : arguments.loop_samples].contiguous() if with_gradients and name in LOOPS else x
            ours, theirs = seconds(call, (waveform, *coefficients), with_gradients)
            title = f"`{name}`" + (" and gradients" if with_gradients else "")
            size = f"{waveform.shape[0]} x {waveform.shape[1]}"
            print(
                f"| {title} | {size} | {ours * 1e3:.2f} ms | {theirs * 1e3:.2f} ms | {theirs / ours:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
