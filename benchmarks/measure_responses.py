"""Times the response of 16 second-order sections at 65 537 frequencies, and prints a table.

python benchmarks/measure_responses.py [--threads 1] [--seconds 10]

polezero.freqz_sos, which computes in float64 whatever it is given, beside flamo, where that is installed: its
functional.sosfreqz, which divides products of zero-padded FFTs in the dtype of the sections, and its module SOSFilter,
which adds logarithms up in float64. Backward is the gradient of the sum of |H|^2 to the sections. The calls of one
dtype take turns, and the best timing of each counts. Its error is in relative RMS, from freqz_sos in float64.
"""

import argparse
import importlib
import math
import sys
from collections.abc import Callable

import torch
from implementations import HOW_TO_INSTALL
from machine import describe, is_installed, versions
from measure import Contender, interleaved, keep_memory
from render import aligned, machine_lines
from torch import Tensor

import polezero

SECTIONS, FREQUENCIES = 16, 2**16 + 1
SAMPLES = 2 * (FREQUENCIES - 1)  # of which flamo's frequencies are those of a DFT
AGREEMENT = 1e-4  # of a peer, which may compute in float32: another response, not another rounding
HEADER = ["", "dtype", "error", "forward ms", "over ours", "and backward ms", "over ours"]

Response = Callable[[Tensor], Tensor]  # of sections


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


def ours(sos: Tensor) -> Tensor:
    return polezero.freqz_sos(sos, torch.linspace(0, math.pi, FREQUENCIES, dtype=torch.float64))[1]


def responses(dtype: torch.dtype) -> dict[str, Response]:
    """polezero's, and flamo's where it is installed."""
    found = {"polezero.freqz_sos": ours}
    if is_installed("flamo"):
        functional, dsp = (importlib.import_module(f"flamo.{name}") for name in ("functional", "processor.dsp"))
        # Not freq_response, which remembers the last response, and divides by a_0, here 1, without a gradient (0.2.20).
        response = dsp.SOSFilter(n_sections=SECTIONS, nfft=SAMPLES, dtype=dtype, device="cpu").get_poly_coeff
        found["flamo.functional.sosfreqz"] = lambda sos: functional.sosfreqz(sos, SAMPLES)
        found["flamo.processor.dsp.SOSFilter"] = lambda sos: response(sos[:, :, None, None])[0][:, 0, 0]
    return found


def calls(response: Response, sos: Tensor) -> tuple[Callable[[], object], Callable[[], object]]:
    """Forward; forward and backward."""
    leaf = sos.clone().requires_grad_()
    return lambda: response(leaf), lambda: torch.autograd.grad(response(leaf).abs().square().sum(), leaf)


def rows(dtype: torch.dtype, threads: int, seconds: float) -> list[list[str]]:
    found, sos = responses(dtype), sections().to(dtype)
    errors = [relative_rms(response(sos), ours(sos.double())) for response in found.values()]
    for name, error in zip(found, errors, strict=True):
        if not error < AGREEMENT:
            raise SystemExit(
                f"{name}, {dtype}: differs from polezero.freqz_sos in float64 by {error:.1g}, relative RMS"
            )
    timed = [Contender(call, threads) for response in found.values() for call in calls(response, sos)]
    times = [timing.best_s for timing in interleaved(timed, seconds)]
    return [
        [name, str(dtype)[6:], f"{error:.1g}", *figures(forward, times[0]), *figures(both, times[1])]
        for name, error, forward, both in zip(found, errors, times[0::2], times[1::2], strict=True)
    ]


def relative_rms(result: Tensor, exact: Tensor) -> float:
    return float((result.to(exact.dtype) - exact).norm() / exact.norm())


def figures(time: float, of_ours: float) -> tuple[str, str]:
    return f"{time * 1e3:.1f}", f"{time / of_ours:.2f}x"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each dtype")
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(options.threads)
    if not is_installed("flamo"):
        print(f"flamo is not installed: {HOW_TO_INSTALL['flamo']}", file=sys.stderr)
    heading = machine_lines(describe(), f"{versions('polezero', 'flamo')}; threads: {options.threads}")
    table = [HEADER]
    for dtype in (torch.float32, torch.float64):
        table += rows(dtype, options.threads, options.seconds)
    print("\n".join(heading), end="\n\n")
    print(aligned(table))


if __name__ == "__main__":
    main()
