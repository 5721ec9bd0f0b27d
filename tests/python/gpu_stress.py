"""What `make gpu` runs after the tests: every case a thousand times, compared bit for bit with the first.

    python tests/python/gpu_stress.py [RUNS]

Alone, and beside matrix products on another stream, which take multiprocessors away from blocks that wait for each
other. `make gpu` runs it a second time with a library whose blocks wait at random before they publish and have a
multiprocessor each (POLEZERO_STRESS).
"""

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from cases.case import Bound, widened
from gpu_small import ON_GPU, inputs_of, on, results
from torch import Tensor

SIZES = ((3, 20_000), (1, 300_000))  # rows and samples: one and two levels of the tree of tiles
SECONDS = 4.0  # of an op, a size and a condition: what is slow gets fewer runs, and the table says how many
TOLERANCE = 1e-3  # of the first run's error over its norm: only so that equal wrong runs are noticed


class MatrixProducts:
    """Keeps a stream of its own supplied with products of several sizes."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.matrices = [torch.randn(n, n, device="cuda") for n in (256, 1024, 2048)]
        self.done = torch.cuda.Event()
        torch.cuda.synchronize()

    def supply(self) -> None:
        if self.done.query():
            with torch.cuda.stream(self.stream):
                for matrix in random.choices(self.matrices, k=4):
                    matrix @ matrix
                self.done.record()


def nothing() -> None:
    pass


def bits(t: Tensor) -> Tensor:
    return t.contiguous().reshape(-1).view(torch.uint8)


def worst_error(got: Sequence[Tensor], want: Sequence[Tensor]) -> float:
    """The largest error of a tensor over its norm; NaN and inf come out as inf."""
    errors = [((g.cpu().to(w.dtype) - w).norm() / w.norm().clamp(min=1e-300)).item() for g, w in zip(got, want)]
    return max(e if e == e else float("inf") for e in errors)


def compare(
    example: Bound, inputs: Mapping[str, Tensor], first: Sequence[Tensor], runs: int, before: Callable[[], None]
) -> str:
    """Nothing in the loop waits for the GPU but a look at the clock now and then."""
    expected = [bits(t) for t in first]
    differs = torch.zeros(runs, dtype=torch.bool, device="cuda")
    start, made = time.monotonic(), 0
    while made < runs:
        before()
        for got, want in zip(results(example, inputs), expected, strict=True):
            differs[made] |= (bits(got) != want).any()
        made += 1
        if made % 10 == 0:
            torch.cuda.current_stream().synchronize()
            if time.monotonic() - start > SECONDS:
                break
    bad = differs[:made].nonzero()[:, 0].tolist()
    return f"{made} runs equal" if not bad else f"{len(bad)} OF {made} RUNS DIFFER, first run {bad[0] + 1}"


def main(runs: int) -> int:
    torch.manual_seed(0)
    random.seed(0)
    products = MatrixProducts()
    failed = False
    for name, example in ON_GPU.items():
        for rows, samples in SIZES:
            given = inputs_of(example, rows, samples, torch.float32)
            inputs = on("cuda", given)
            first = results(example, inputs)
            relative = worst_error(first, results(example, widened(given)))
            alone = compare(example, inputs, first, runs, nothing)
            beside = compare(example, inputs, first, runs, products.supply)
            wrong = "" if relative <= TOLERANCE else " WRONG"
            failed |= bool(wrong) or "DIFFER" in alone + beside
            print(
                f"{name}, {rows} x {samples}: alone {alone}; beside matrix products {beside}; "
                f"relative error {relative:.1e}{wrong}",
                flush=True,
            )
    torch.cuda.synchronize()
    print("a run differs or is wrong" if failed else "all runs equal")
    return int(failed)


if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("gpu_stress.py: no NVIDIA GPU was found")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
