"""What is measured: the cases, their reaches, and the filters and signals they use. Needs torch only."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

# clone    time over the time of x.clone()              call     microseconds of the whole Python call
# threads  time on one thread over the time on two      memory   peak over the start, in signals of B x T
# silence  time on an impulse and zeros over noise      mode     nanoseconds for each mode and sample
# On a GPU (gpu.py):
# copy     time of the kernels over the time of y.copy_(x)  kernel  microseconds of the kernels
Measure = Literal["clone", "call", "threads", "memory", "silence", "mode", "copy", "kernel"]
Direction = Literal["forward", "both"]  # both: forward, then backward to x and all coefficients

# The reads and writes of whole signals that no implementation can avoid: forward x, y; backward grad_y, x, y, grad_x.
SIGNALS_MOVED = {"forward": 2, "both": 6}

# Poles whose impulse response gets to the denormals of float32, or of float64 as well, within ten seconds.
SILENCE_RADII = (0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Case:
    name: str
    measure: Measure
    direction: Direction
    rows: int
    samples: int
    order: int = 2
    dtype: str = "float32"
    op: str = "lfilter"
    reach: float | None = None

    @property
    def size(self) -> int:
        return self.rows * self.samples


@dataclass(frozen=True)
class Problem:
    """Coefficients b [M+1] and a [N+1], a signal x [B, T] and an output's gradient grad_y [B, T]."""

    b: Tensor
    a: Tensor
    x: Tensor
    grad_y: Tensor

    def sos(self) -> Tensor:
        """A section for each pair of a's poles, places as in `filter_of_order`, zeros within the poles."""
        count = (self.a.shape[-1] - 1) // 2
        pairs = [
            resonator(0.9 - 0.3 * place, 0.15 + 2.8 * place) for place in ((k + 0.5) / count for k in range(count))
        ]
        return torch.stack([torch.cat([polynomial([0.9 * z for z in p]), polynomial(p)]) for p in pairs]).to(self.x)

    def moving(self) -> Tensor:
        """a_1..a_N for every row and time, [B, T, N]: a moves by a thousandth, up and down."""
        n = torch.arange(self.x.shape[-1], dtype=self.x.dtype)
        move = 1 + 1e-3 * torch.sin(0.01 * n)
        return (self.a[1:] * move[:, None]).expand(*self.x.shape, -1).contiguous()

    def moving_with_a0(self) -> Tensor:
        """1, a_1..a_N for every row and time."""
        return torch.nn.functional.pad(self.moving(), (1, 0), value=1.0)

    def system(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A, B, C and D of a filter with a's poles, one input and one output."""
        order = self.a.shape[-1] - 1
        A = torch.cat([-self.a[None, 1:], torch.eye(order).to(self.x)[:-1]])
        B, C = torch.eye(order).to(self.x)[:, :1], torch.ones(1, order).to(self.x)
        return A, B, C, torch.ones(1, 1).to(self.x)

    def feedback(self, taps: int) -> Tensor:
        """Coefficients of so many delays, [taps]."""
        return torch.linspace(-0.3, 0.2, taps).to(self.x) if taps > 1 else torch.tensor([-0.7]).to(self.x)

    def moving_delay(self) -> Tensor:
        """Samples, for every row and time, from 90 to 110."""
        n = torch.arange(self.x.shape[-1], dtype=self.x.dtype)
        return (100 + 10 * torch.sin(1e-3 * n)).expand(*self.x.shape).contiguous()

    def points(self) -> Tensor:
        """Between samples, as many as there are samples."""
        return 0.99 * torch.arange(self.x.shape[-1], dtype=self.x.dtype)

    def modes(self) -> tuple[Tensor, Tensor]:
        """Poles and gains of as many modes as a has an order, in the upper half plane."""
        count = self.a.shape[-1] - 1
        place = (torch.arange(count) + 0.5) / count
        return torch.polar(0.999 + 0.0009 * place, 3 * place), torch.polar(1 / count * torch.ones(count), 6 * place)

    def reflections(self) -> Tensor:
        """k_1..k_N for every row and time, [B, T, N], that move up and down."""
        n = torch.arange(self.x.shape[-1], dtype=self.x.dtype)
        order = self.a.shape[-1] - 1
        k = 0.6 * torch.sin(1.0 + torch.arange(order)) * (1 + 0.1 * torch.sin(0.01 * n))[:, None]
        return k.to(self.x).expand(*self.x.shape, -1).contiguous()


def lpv(what: str, rows: int, samples: int, order: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"lpv.allpole, {what}, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "clone", direction, rows, samples, order, op="lpv.allpole", reach=reach)


def sosfilt(what: str, rows: int, samples: int, K: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"sosfilt, {what}, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "clone", direction, rows, samples, 2 * K, op="sosfilt", reach=reach)


WHAT = {"forward": "forward", "both": "forward + backward"}


def rows_of_32(op: str, direction: Direction, reach: float | None = None) -> Case:
    return Case(f"{op}, {WHAT[direction]}, 32 x 2^16", "clone", direction, 32, 2**16, op=op, reach=reach)


def modal_bank(rows: int, samples: int, modes: int, direction: Direction = "forward", reach: float = 0) -> Case:
    name = f"modal_bank, {WHAT[direction]}, {modes} modes, {rows} x 2^{samples.bit_length() - 1}"
    return Case(name, "mode", direction, rows, samples, modes, op="modal_bank", reach=reach or None)


CASES = [
    Case("forward, 1 x 2^20", "clone", "forward", 1, 2**20, reach=1.45),
    Case("forward, 64 x 2^20", "clone", "forward", 64, 2**20, reach=1.3),
    Case("forward, 1024 x 4096", "clone", "forward", 1024, 4096, reach=1.9),
    Case("forward, 16384 x 256", "clone", "forward", 16384, 256, reach=2.2),
    Case("forward + backward, 1 x 2^20", "clone", "both", 1, 2**20, reach=5),
    Case("forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, reach=5),
    Case("forward, order 8, 16 x 2^16", "clone", "forward", 16, 2**16, order=8, reach=3),
    Case("forward, order 16, 16 x 2^16", "clone", "forward", 16, 2**16, order=16, reach=6),
    Case("whole call, forward, 1 x 2^14", "call", "forward", 1, 2**14, reach=15),
    Case("whole call, forward + backward, 1 x 2^14", "call", "both", 1, 2**14, reach=60),
    Case("2 threads over 1, forward, 32 x 2^16", "threads", "forward", 32, 2**16, reach=1.7),
    Case("2 threads over 1, forward + backward, 32 x 2^16", "threads", "both", 32, 2**16, reach=1.7),
    Case("peak memory, forward + backward, 32 x 2^18", "memory", "both", 32, 2**18, reach=4.3),
    Case("silence over noise, forward, 1 x 480001", "silence", "forward", 1, 480_001, reach=1.5),
    Case("silence over noise, forward + backward, 1 x 480001", "silence", "both", 1, 480_001, reach=1.5),
    Case("forward, order 1, 16 x 2^16", "clone", "forward", 16, 2**16, order=1),
    Case("forward, order 4, 16 x 2^16", "clone", "forward", 16, 2**16, order=4),
    Case("forward, order 32, 16 x 2^16", "clone", "forward", 16, 2**16, order=32),
    Case("forward + backward, order 8, 16 x 2^16", "clone", "both", 16, 2**16, order=8),
    Case("forward, float64, 1 x 2^20", "clone", "forward", 1, 2**20, dtype="float64"),
    Case("forward, float64, 1024 x 4096", "clone", "forward", 1024, 4096, dtype="float64"),
    Case("forward + backward, float64, 32 x 2^16", "clone", "both", 32, 2**16, dtype="float64"),
    Case("allpole, forward, order 2, 32 x 2^16", "clone", "forward", 32, 2**16, op="allpole"),
    Case("allpole, forward + backward, order 2, 32 x 2^16", "clone", "both", 32, 2**16, op="allpole"),
    Case("allpole, forward, order 16, 16 x 2^16", "clone", "forward", 16, 2**16, order=16, op="allpole"),
    Case("allpole, forward + backward, order 16, 16 x 2^16", "clone", "both", 16, 2**16, order=16, op="allpole"),
    lpv("forward, order 2", 32, 2**16, 2, reach=3),
    lpv("forward + backward, order 2", 32, 2**16, 2, "both", reach=10),
    lpv("forward, order 2", 1, 2**20, 2, reach=6),
    lpv("forward, order 16", 16, 2**16, 16, reach=20),
    lpv("forward + backward, order 16", 16, 2**16, 16, "both", reach=50),
    sosfilt("forward, K = 4", 32, 2**16, 4, reach=3.2),
    sosfilt("forward, K = 8", 32, 2**16, 8, reach=5),
    sosfilt("forward, K = 32", 32, 2**16, 32, reach=16),
    sosfilt("forward + backward, K = 4", 32, 2**16, 4, "both", reach=14),
    sosfilt("forward, K = 4", 1, 2**20, 4, reach=5),
    sosfilt("forward, K = 32", 1, 2**20, 32, reach=36),
    rows_of_32("comb_filter, D = 100", "forward", 1.6),
    rows_of_32("comb_filter, D = 100", "both", 6),
    rows_of_32("sparse_allpole, 4 taps", "forward", 5),
    rows_of_32("sparse_allpole, 4 taps", "both", 16),
    rows_of_32("comb_filter, lagrange3, moving", "both", 60),
    rows_of_32("comb_filter, linear, moving", "both"),
    rows_of_32("comb_filter, thiran", "both"),
    rows_of_32("comb_filter, D = 4", "forward"),
    rows_of_32("feedforward_comb, lagrange3, moving", "forward"),
    rows_of_32("allpass_comb, D = 100", "both"),
    rows_of_32("cspline1d", "forward", 3),
    rows_of_32("cspline1d", "both"),
    rows_of_32("cspline1d, smoothing", "forward"),
    rows_of_32("cspline1d_eval", "both"),
    rows_of_32("symiirorder2", "forward"),
    rows_of_32("cubic_spline, m = 4", "forward", 8),
    Case("linear_recurrence, 32 x 2^16", "clone", "forward", 32, 2**16, 1, op="linear_recurrence", reach=1.4),
    Case(
        "linear_recurrence, varying, 32 x 2^16",
        "clone",
        "forward",
        32,
        2**16,
        1,
        op="linear_recurrence, varying",
        reach=2.5,
    ),
    Case("state_space, 4 states, 32 x 2^16", "clone", "forward", 32, 2**16, 4, op="state_space", reach=6),
    Case("state_space, 4 states, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 4, op="state_space"),
    Case("lpv.lattice, order 8, 32 x 2^16", "clone", "forward", 32, 2**16, 8, op="lpv.lattice"),
    Case("lpv.lattice, order 8, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 8, op="lpv.lattice"),
    Case("lpv.tdf2_ssm, order 2, 32 x 2^16", "clone", "forward", 32, 2**16, 2, op="lpv.tdf2_ssm"),
    Case("lpv.tdf2_ssm, order 2, forward + backward, 32 x 2^16", "clone", "both", 32, 2**16, 2, op="lpv.tdf2_ssm"),
    modal_bank(1, 2**18, 64, reach=0.2),
    modal_bank(1, 2**18, 64, "both"),
    modal_bank(32, 2**12, 16, "both"),
    Case("peak memory, modal_bank, 1024 modes", "memory", "both", 16, 2**18, 1024, op="modal_bank", reach=8),
    Case("peak memory, lpv.allpole, forward + backward", "memory", "both", 32, 2**18, op="lpv.allpole", reach=8.4),
]


def higher_is_better(measure: Measure) -> bool:
    return measure == "threads"


def is_met(case: Case, figure: float) -> bool | None:
    if case.reach is None:
        return None
    return figure >= case.reach if higher_is_better(case.measure) else figure <= case.reach


def polynomial(roots: list[complex]) -> Tensor:
    """The real coefficients, highest power first, of the monic polynomial with these roots (conjugates included)."""
    p = torch.ones(1, dtype=torch.complex128)
    for root in roots:
        p = torch.cat([p, p.new_zeros(1)]) - root * torch.cat([p.new_zeros(1), p])
    return p.real


def resonator(radius: float, angle: float) -> list[complex]:
    pole = complex(radius * math.cos(angle), radius * math.sin(angle))
    return [pole, pole.conjugate()]


def biquad(radius: float, dtype: torch.dtype, angle: float = 0.3) -> tuple[Tensor, Tensor]:
    """b and a of a resonator with poles radius * exp(+-j angle) and zeros at 1 and -1."""
    return 0.1 * polynomial([1, -1]).to(dtype), polynomial(resonator(radius, angle)).to(dtype)


def filter_of_order(order: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Dense b and a of one order, stable after rounding: pairs of poles spread over the band, radii 0.6 to 0.9."""
    pairs = order // 2
    poles: list[complex] = [0.8] if order % 2 else []
    for i in range(pairs):
        place = (i + 0.5) / pairs
        poles += resonator(0.9 - 0.3 * place, 0.15 + 2.8 * place)
    zeros = [-0.9 * p for p in poles]
    return (0.1 * polynomial(zeros)).to(dtype), polynomial(poles).to(dtype)


def noise(case: Case) -> Problem:
    dtype = getattr(torch, case.dtype)
    generator = torch.Generator().manual_seed(case.size)
    x = torch.randn(case.rows, case.samples, dtype=dtype, generator=generator)
    grad_y = torch.randn(x.shape, dtype=dtype, generator=generator) if case.direction == "both" else x
    return Problem(*filter_of_order(case.order, dtype), x, grad_y)


def silence(case: Case, radius: float) -> tuple[Problem, Problem]:
    """The same resonator on (an impulse and then zeros, the gradient mirrored in time) and on noise."""
    loud = noise(case)
    b, a = biquad(radius, loud.x.dtype)
    x, grad_y = torch.zeros_like(loud.x), torch.zeros_like(loud.x)
    x[:, 0] = 1
    grad_y[:, -1] = 1
    return Problem(b, a, x, grad_y), Problem(b, a, loud.x, loud.grad_y)
