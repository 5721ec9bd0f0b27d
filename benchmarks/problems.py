"""The filters and signals that the cases use. Needs torch only."""

import math
from dataclasses import dataclass

import torch
from cases import Case
from torch import Tensor

# Poles whose impulse response gets to the denormals of float32, or of float64 as well, within ten seconds.
SILENCE_RADII = (0.9, 0.99, 0.999)


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
