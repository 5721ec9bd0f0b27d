"""What `make gpu` runs under compute-sanitizer: every op, forward and backward, small. gpu_stress.py has the same ops.

python tests/python/gpu_small.py [cpu]
"""

import math
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

import polezero
from polezero import lpv

RADIUS = 0.9999  # of the poles: a sample is felt 30 tiles later, so that a lost message shows
SAMPLES = (1, 300, 9000, 300_000)


def noise(*shape: int, dtype: torch.dtype) -> Tensor:
    return torch.rand(shape, dtype=dtype) - 0.5


def denominator(*angles: float) -> Tensor:
    """1, a_1..a_N: a pair of poles at each angle."""
    a = torch.ones(1, dtype=torch.float64)
    for angle in angles:
        pair = -2 * RADIUS * math.cos(angle), RADIUS**2
        a = torch.nn.functional.pad(a, (0, 2))
        a = a + pair[0] * a.roll(1) + pair[1] * a.roll(2)
    return a


def sections() -> Tensor:
    """Three sections, [3, 6]; the zeros are at 1 and -1."""
    return torch.stack([torch.cat([torch.tensor([0.1, 0, -0.1]), denominator(angle)]) for angle in (0.3, 1.1, 2.0)])


def moving(coefficients: Tensor, T: int) -> Tensor:
    """[T, ...]: less than would bring a pole to the circle."""
    return coefficients * (1 + 1e-5 * noise(T, *coefficients.shape, dtype=torch.float64))


def rotation() -> Tensor:
    return RADIUS * torch.tensor([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]])


@cache
def constant_delays(device: torch.device) -> Tensor:
    return torch.tensor([37, 53], device=device)


def moving_delays(x: Tensor) -> Tensor:
    """[1, T, 2], from 9 to 59."""
    return 9 + 7 * torch.arange(2 * x.shape[-1], device=x.device).view(1, -1, 2) % 51


B = torch.tensor([0.2, -0.1, 0.3])
A1, A2 = denominator(0.3), denominator(0.3, 1.1)
ONE_POLE = torch.tensor([RADIUS])
REFLECTIONS = torch.tensor([-math.cos(0.3), RADIUS**2])
SPARSE = torch.tensor([-0.6, 0.35])
MODES = torch.linspace(0.05, 3.0, 40)  # angles
INPUT, OUTPUT = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0, 1.0]])


class Op(NamedTuple):
    function: Callable[..., Any]
    coefficients: Callable[[int], Sequence[Tensor]]  # of a number of samples
    state: Callable[[int], tuple[int, ...] | None]  # its shape for a number of rows
    ports: int | None = None  # x is [rows, ports, T]

    def inputs(self, rows: int, samples: int, dtype: torch.dtype) -> list[Tensor]:
        shape = (rows, samples) if self.ports is None else (rows, self.ports, samples)
        signals = [noise(*shape, dtype=dtype)]
        if (state := self.state(rows)) is not None:
            signals.append(noise(*state, dtype=dtype))
        return [*(c.to(dtype) for c in self.coefficients(samples)), *signals]


def with_zi(function: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the state, the last argument, by its name."""
    return lambda *arguments: function(*arguments[:-1], zi=arguments[-1])


def last(length: int) -> Callable[[int], tuple[int, ...]]:
    return lambda rows: (rows, length)


def of_sections(rows: int) -> tuple[int, ...]:
    return 3, rows, 2


# A new op is a line here.
OPS = {
    "lfilter": Op(with_zi(polezero.lfilter), lambda T: (B, A1), last(2)),
    "lfilter, order 4": Op(with_zi(polezero.lfilter), lambda T: (B, A2), last(4)),
    "lfilter, FIR": Op(with_zi(polezero.lfilter), lambda T: (B, 2 * torch.ones(1)), last(2)),
    "lfilter, two_pass": Op(with_zi(partial(polezero.lfilter, backward="two_pass")), lambda T: (B, A1), last(2)),
    "allpole": Op(polezero.allpole, lambda T: (A1[1:],), last(2)),
    "sensitivity": Op(polezero.sensitivity, lambda T: (B, A1), lambda rows: None),
    "tdf2_ssm": Op(polezero.tdf2_ssm, lambda T: (B, A1), last(2)),
    "sosfilt": Op(with_zi(polezero.sosfilt), lambda T: (sections(),), of_sections),
    "linear_recurrence": Op(polezero.linear_recurrence, lambda T: (ONE_POLE,), last(1)),
    "linear_recurrence, varying": Op(polezero.linear_recurrence, lambda T: (moving(ONE_POLE, T)[:, 0],), last(1)),
    "sparse_allpole": Op(
        lambda a, x, zi: polezero.sparse_allpole(a, constant_delays(x.device), x, zi),
        lambda T: (SPARSE,),
        last(53),
    ),
    "sparse_allpole, moving": Op(
        lambda a, x, zi: polezero.sparse_allpole(a, moving_delays(x), x, zi),
        lambda T: (moving(SPARSE, T)[None],),
        last(60),
    ),
    "comb_filter": Op(lambda a, x, zi: polezero.comb_filter(a, 100, x, zi), lambda T: (SPARSE[:1],), last(100)),
    "comb_filter, lagrange3": Op(
        lambda a, delay, x, zi: polezero.comb_filter(a, delay.real, x, zi, interpolation="lagrange3"),
        lambda T: (SPARSE[:1], 40.2 + 5 * torch.linspace(0, 1, T).sin()[None]),
        last(60),
    ),
    "comb_filter, thiran": Op(
        lambda a, delay, x: polezero.comb_filter(a, delay.real, x, interpolation="thiran"),
        lambda T: (SPARSE[:1], torch.tensor([40.3])),
        lambda rows: None,
    ),
    "feedforward_comb": Op(
        lambda b, x, zi: polezero.feedforward_comb(b, 100, x, zi), lambda T: (SPARSE[:1],), last(100)
    ),
    "allpass_comb": Op(lambda a, x, zi: polezero.allpass_comb(a, 100, x, zi), lambda T: (SPARSE[:1],), last(100)),
    "cubic_spline": Op(lambda x: polezero.cubic_spline(x, 3), lambda T: (), lambda rows: None),
    "cspline1d, smoothing": Op(lambda x: polezero.cspline1d(x, 5.0), lambda T: (), lambda rows: None),
    "cspline1d_eval": Op(
        lambda t, c: polezero.cspline1d_eval(c, t.real),
        lambda T: (1.1 * T * torch.linspace(0, 1, T).sin(),),
        lambda rows: None,
    ),
    "qspline1d_eval": Op(
        lambda t, c: polezero.qspline1d_eval(polezero.qspline1d(c), t.real),
        lambda T: (1.1 * T * torch.linspace(0, 1, T).sin(),),
        lambda rows: None,
    ),
    "modal_bank": Op(
        lambda re, im, gains, x, zi: polezero.modal_bank(torch.complex(re.real, im.real), gains, x.real, zi),
        lambda T: (RADIUS * MODES.cos(), RADIUS * MODES.sin(), torch.ones(40) / 40),
        last(40),
    ),
    "state_space": Op(
        lambda A, B, C, x, zi: polezero.state_space(A, B, C, None, x, zi),
        lambda T: (rotation(), INPUT, OUTPUT),
        last(2),
        ports=1,
    ),
    "lpv.allpole": Op(lpv.allpole, lambda T: (moving(A1[1:], T),), last(2)),
    "lpv.allpole, order 4": Op(lpv.allpole, lambda T: (moving(A2[1:], T),), last(4)),
    "lpv.fir": Op(lpv.fir, lambda T: (moving(B, T),), last(2)),
    "lpv.lfilter, df1": Op(partial(lpv.lfilter, form="df1"), lambda T: (moving(B, T), moving(A1, T)), last(4)),
    "lpv.lfilter, tdf2": Op(lpv.lfilter, lambda T: (moving(B, T), moving(A1, T)), last(2)),
    "lpv.tdf2_ssm": Op(lpv.tdf2_ssm, lambda T: (moving(B, T), moving(A1, T)), last(2)),
    "lpv.sosfilt": Op(lpv.sosfilt, lambda T: (moving(sections(), T),), of_sections),
    "lpv.state_space": Op(
        lambda A, B, C, x, zi: lpv.state_space(A, B, C, None, x, zi),
        lambda T: (moving(rotation(), T), moving(INPUT, T), moving(OUTPUT, T)),
        last(2),
        ports=1,
    ),
    "lpv.lattice": Op(lpv.lattice, lambda T: (moving(REFLECTIONS, T),), last(2)),
    "lpv.parallel": Op(lpv.parallel, lambda T: (moving(sections(), T),), of_sections),
}


def results(op: Op, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The outputs, and the gradients of half their squares to all inputs."""
    leaves = [t.detach().requires_grad_() for t in inputs]
    outputs = op.function(*leaves)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    values = [y.detach() for y in outputs]
    return [*values, *torch.autograd.grad(outputs, leaves, values)]


def main(device: str) -> None:
    torch.manual_seed(0)
    sizes = [(2, T, torch.float32) for T in SAMPLES]
    sizes += [(2, 9000, dtype) for dtype in (torch.float64, torch.complex64, torch.complex128)]
    processors = torch.cuda.get_device_properties(0).multi_processor_count if device == "cuda" else 1
    sizes.append((2 * processors + 1, 5000, torch.float32))  # rows enough for a block each, of two tiles
    sizes.append((67, 30, torch.float32))  # short ones: several in a warp
    for op in OPS.values():
        for rows, samples, dtype in sizes:
            results(op, [t.to(device) for t in op.inputs(rows, samples, dtype)])
    if device == "cuda":
        torch.cuda.synchronize()
    print(f"ran {len(OPS)} ops on {device}")


if __name__ == "__main__":
    if sys.argv[1:] != ["cpu"] and not torch.cuda.is_available():
        sys.exit("gpu_small.py: no NVIDIA GPU was found")
    main(*(sys.argv[1:] or ["cuda"]))
