"""Prints the accuracy table of docs/numerics.md: float32 filters with one pair of poles, against float64 ones.

python benchmarks/measure_accuracy.py [--samples 262144] [--threads 1]

The error is ||result - exact|| / ||exact||. The exact filter is in float64 and has the same float32 coefficients and
signal. The last column is what is left out so: the exact filter against one whose coefficients were never rounded.
"""

import argparse
import math

import numpy as np
import scipy.signal
import torch
from torch import Tensor

import polezero

RADII = (0.9, 0.99, 0.999, 0.9999, 0.99999)
ANGLES = (0.003, 0.1, 1.0, 3.1)
HEADINGS = ("radius", "angle", "y", "y, SciPy float32", "grad_x", "grad_b", "grad_a", "b and a rounded")


def filter_of(radius: float, angle: float) -> tuple[Tensor, Tensor]:
    """b and a, in float64, of a filter with poles at radius * exp(+-j angle)."""
    b, a = [1.0, 0.4, 0.3], [1.0, -2 * radius * math.cos(angle), radius**2]
    return torch.tensor(b, dtype=torch.float64), torch.tensor(a, dtype=torch.float64)


def relative_rms(result: Tensor, exact: Tensor) -> float:
    return float((result.double() - exact).norm() / exact.norm())


def outputs(inputs: list[Tensor], grad_y: Tensor) -> tuple[Tensor, ...]:
    """polezero's y, grad_x, grad_b and grad_a."""
    b, a, x = (t.clone().requires_grad_() for t in inputs)
    y = polezero.lfilter(b, a, x)
    assert isinstance(y, Tensor)
    return (y.detach(), *torch.autograd.grad(y, (x, b, a), grad_y))


def scipy_lfilter(inputs: list[Tensor], dtype: type[np.floating]) -> Tensor:
    y = scipy.signal.lfilter(*(t.numpy().astype(dtype) for t in inputs))
    assert y.dtype == dtype
    return torch.from_numpy(y)


def errors(radius: float, angle: float, samples: int) -> list[float]:
    """In the order of HEADINGS."""
    generator = torch.Generator().manual_seed(0)
    x, grad_y = torch.randn(2, samples, generator=generator).unbind()
    b, a = filter_of(radius, angle)
    inputs = [b.float(), a.float(), x]
    y, *gradients = outputs(inputs, grad_y)
    exact_y = scipy_lfilter(inputs, np.float64)
    exact_gradients = outputs([t.double() for t in inputs], grad_y.double())[1:]
    signals = [relative_rms(y, exact_y), relative_rms(scipy_lfilter(inputs, np.float32), exact_y)]
    errors_of_gradients = [relative_rms(g, exact) for g, exact in zip(gradients, exact_gradients, strict=True)]
    return [*signals, *errors_of_gradients, relative_rms(exact_y, scipy_lfilter([b, a, x], np.float64))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2**18)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"| {' | '.join(HEADINGS)} |\n{'|--:' * len(HEADINGS)}|")
    for radius in RADII:
        for angle in ANGLES:
            cells = [f"{e:.1e}" for e in errors(radius, angle, arguments.samples)]
            print(f"| {radius} | {angle} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
