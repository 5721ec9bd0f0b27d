"""Times the response of 16 second-order sections at 65 537 frequencies, forward and backward.

python benchmarks/measure_responses.py [--threads 1] [--rounds 21]

polezero.freqz_sos, which computes in float64 whatever it is given, beside frequency sampling as flamo does it: the
product of the FFTs of all numerators, zero-padded to 2^17 points, by that of the denominators, in the dtype of the
sections. They take turns. With one thread the time is that of the processor, which other processes do not disturb.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import polezero

SECTIONS, FREQUENCIES = 16, 2**16 + 1


def sections() -> Tensor:
    """Poles of radius 0.05 to 0.95 anywhere, and zeros of radius 0.8 beside them."""
    generator = torch.Generator().manual_seed(0)
    radius = 0.05 + 0.9 * torch.rand(SECTIONS, generator=generator, dtype=torch.float64)
    angle = math.pi * torch.rand(SECTIONS, generator=generator, dtype=torch.float64)
    one = torch.ones_like(radius)
    zeros, poles = (
        torch.stack([one, -2 * r * torch.cos(angle + shift), r * r], -1) for r, shift in ((0.8 * one, 0.1), (radius, 0))
    )
    return torch.cat([zeros, poles], -1)


def by_sampling(sos: Tensor) -> Tensor:
    num, den = (torch.fft.rfft(c, 2 * (FREQUENCIES - 1)).prod(0) for c in sos.split(3, -1))
    return torch.where(den.abs() != 0, num / den, torch.finfo(sos.dtype).eps)


def by_sections(sos: Tensor) -> Tensor:
    return polezero.freqz_sos(sos, torch.linspace(0, math.pi, FREQUENCIES, dtype=torch.float64))[1]


def seconds(function: Callable[[Tensor], Tensor], sos: Tensor, clock: Callable[[], float]) -> tuple[float, float]:
    """Forward, and forward and backward."""
    leaf = sos.clone().requires_grad_()
    start = clock()
    h = function(leaf)
    middle = clock()
    h.abs().square().sum().backward()
    return middle - start, clock() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    runs = {
        (name, dtype): (function, sections().to(dtype))
        for name, function in (("polezero.freqz_sos", by_sections), ("frequency sampling", by_sampling))
        for dtype in (torch.float32, torch.float64)
    }
    times: dict[tuple[str, torch.dtype], list[tuple[float, float]]] = {run: [] for run in runs}
    for _ in range(options.rounds):
        for run, (function, sos) in runs.items():
            times[run].append(seconds(function, sos, clock))
    print(f"{options.threads} threads, medians of {options.rounds} rounds")
    for (name, dtype), measured in times.items():
        forward, both = (1000 * statistics.median(t) for t in zip(*measured))
        print(f"{name:20} {str(dtype)[6:]:8} forward {forward:6.1f} ms, and backward {both:6.1f} ms")


if __name__ == "__main__":
    main()
