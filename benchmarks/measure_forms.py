"""Prints the table of the four direct forms in docs/numerics.md: float32 against float64, in value and gradients.

python benchmarks/measure_forms.py [--samples 65536] [--loop-samples 4096]

A pair of poles at radius * exp(+-j angle), whose angle moves by a hundredth, up and down; the worst error of four
angles. Once by polezero, whose state is float64, and once (*) by a loop over each form as it is drawn, all in float32.
The error is ||result - exact|| / ||exact||; exact is polezero in float64, of the same float32 coefficients and signal.
"""

import argparse
import math
from collections.abc import Callable

import torch
from torch import Tensor

from polezero import lpv, reference

RADII = (0.9, 0.99, 0.999, 0.9999, 0.99999)
ANGLES = (0.003, 0.1, 1.0, 3.1)
FORMS = ("df1", "df2", "tdf1", "tdf2")
QUANTITIES = ("y", "grad_x", "grad_b", "grad_a")


def moving_filters(radius: float, samples: int) -> tuple[Tensor, Tensor]:
    """b and a, [angles, samples, 3], as float32 holds them."""
    n = torch.arange(samples, dtype=torch.float64)
    angle = torch.tensor(ANGLES, dtype=torch.float64)[:, None] * (1 + 0.01 * torch.sin(2 * math.pi * n / samples))
    a = torch.stack([torch.ones_like(angle), -2 * radius * angle.cos(), torch.full_like(angle, radius**2)], -1)
    b = torch.tensor([1.0, 0.4, 0.3]).expand(len(ANGLES), samples, 3)
    return b.float(), a.float()


def outputs(filter: Callable[..., Tensor], inputs: list[Tensor], grad_y: Tensor, form: str) -> tuple[Tensor, ...]:
    """y and the gradients, in the order of QUANTITIES."""
    b, a, x = (t.clone().requires_grad_() for t in inputs)
    y = filter(b, a, x, form=form)
    return (y.detach(), *torch.autograd.grad(y, (x, b, a), grad_y))


def errors(filter: Callable[..., Tensor], radius: float, form: str, samples: int) -> list[float]:
    """The worst of all angles, in the order of QUANTITIES."""
    generator = torch.Generator().manual_seed(0)
    x, grad_y = torch.randn(2, samples, generator=generator).unbind()
    inputs, grad_y = [*moving_filters(radius, samples), x.expand(len(ANGLES), -1)], grad_y.expand(len(ANGLES), -1)
    results = outputs(filter, inputs, grad_y, form)
    exact = outputs(lpv.lfilter, [t.double() for t in inputs], grad_y.double(), form)

    def error(result: Tensor, true: Tensor) -> float:
        return max(float((r.double() - t).norm() / t.norm()) for r, t in zip(result, true, strict=True))

    return [error(r, e) for r, e in zip(results, exact, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2**16)
    parser.add_argument("--loop-samples", type=int, default=2**12)
    arguments = parser.parse_args()
    headings = ["radius", "form", *QUANTITIES, *(f"{q} *" for q in QUANTITIES)]
    print(f"| {' | '.join(headings)} |\n|--:|:--{'|--:' * (len(headings) - 2)}|")
    for radius in RADII:
        for form in FORMS:
            ours = errors(lpv.lfilter, radius, form, arguments.samples)
            loops = errors(reference.lpv_lfilter, radius, form, arguments.loop_samples)
            print(f"| {radius} | {form} | {' | '.join(f'{e:.1e}' for e in (*ours, *loops))} |")


if __name__ == "__main__":
    main()
