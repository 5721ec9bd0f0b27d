"""Times the design of a filter in a training loop, and prints a table.

python benchmarks/measure_design.py [--families butter ellip] [--threads 1] [--seconds 3] [--eager]

A step designs a band pass of order 4, which is four sections, from tensors of its edges and of the decibels that the
family has, applies it to 16 x 2^16 samples in float32, and finds the gradients to those tensors. Compiled is what
torch.compile(fullgraph=True) makes of the step, and of the design alone. The three calls of a row of the table take
turns, and the best timing of each counts.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

import scipy.signal
import torch
from machine import describe, versions
from measure import Contender, interleaved, keep_memory
from render import MET, aligned, machine_lines
from torch import Tensor

import polezero

ORDER, ROWS, SAMPLES = 4, 16, 2**16
EDGES, RIPPLE, ATTENUATION = (0.1, 0.3), 0.5, 60.0
DECIBELS = {"butter": [], "cheby1": [RIPPLE], "cheby2": [ATTENUATION], "ellip": [RIPPLE, ATTENUATION]}
REACH_US = {False: 1000, True: 200}  # of the design and its gradients; eager, compiled
AGREEMENT = 1e-6  # relative, of sections with SciPy's, and of what is compiled with what is not
HEADER = ["family", "step ms", "design us, forward", "and backward", "of the step", "reach", "met"]


class Calls(NamedTuple):
    """Each returns what it finds."""

    step: Callable[[], Sequence[Tensor]]
    forward: Callable[[], Sequence[Tensor]]  # of the design alone
    both: Callable[[], Sequence[Tensor]]


def calls(family: str, is_compiled: bool) -> Calls:
    def design(*specification: Tensor) -> Tensor:
        return getattr(polezero, family)(ORDER, *specification, "bandpass", output="sos")

    def filtered(*specification: Tensor) -> Tensor:
        return polezero.sosfilt(design(*specification), x)

    generator = torch.Generator().manual_seed(0)
    x, grad_y = torch.randn(2, ROWS, SAMPLES, generator=generator)
    grad_sos = torch.randn(ORDER, 6, dtype=torch.float64, generator=generator)
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (*DECIBELS[family], EDGES)]
    whole, alone = (torch.compile(f, fullgraph=True) if is_compiled else f for f in (filtered, design))
    return Calls(
        step=lambda: torch.autograd.grad(whole(*leaves), leaves, grad_y),
        forward=lambda: [alone(*leaves)],
        both=lambda: torch.autograd.grad(alone(*leaves), leaves, grad_sos),
    )


def check_agreement(family: str, eager: Calls, others: Calls) -> None:
    """With SciPy's sections, and of all results."""
    sos = getattr(scipy.signal, family)(ORDER, *DECIBELS[family], EDGES, "bandpass", output="sos")
    pairs = [(eager.forward()[0].detach(), torch.from_numpy(sos))]
    for ours, theirs in zip(eager, others, strict=True):
        pairs += [(a.detach(), b.detach()) for a, b in zip(ours(), theirs(), strict=True)]
    for a, b in pairs:
        if not torch.allclose(a, b, rtol=AGREEMENT, atol=AGREEMENT * float(b.abs().max())):
            raise SystemExit(f"{family}: expected {b.tolist()}, got {a.tolist()}")


def row(family: str, is_compiled: bool, options: argparse.Namespace) -> list[str]:
    timed = calls(family, is_compiled)
    check_agreement(family, calls(family, is_compiled=False), timed)
    step, forward, both = (
        timing.best_s for timing in interleaved([Contender(c, options.threads) for c in timed], options.seconds)
    )
    reach = REACH_US[is_compiled]
    return [
        f"{family}{', compiled' if is_compiled else ''}",
        f"{step * 1e3:.2f}",
        f"{forward * 1e6:.0f}",
        f"{both * 1e6:.0f}",
        f"{both / step:.0%}",
        f"<= {reach}",
        MET[both * 1e6 <= reach],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=list(DECIBELS), default=list(DECIBELS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0, help="for a row of the table")
    parser.add_argument("--eager", action="store_true", help="compile nothing")
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(options.threads)
    heading = machine_lines(describe(), f"{versions('polezero', 'scipy')}; threads: {options.threads}")
    kinds = [False] if options.eager else [False, True]
    rows = [row(family, is_compiled, options) for family in options.families for is_compiled in kinds]
    print("\n".join(heading), end="\n\n")
    print(aligned([HEADER, *rows]))


if __name__ == "__main__":
    main()
