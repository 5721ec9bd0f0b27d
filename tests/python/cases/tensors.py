"""What the cases are made of: stable filters, random and with poles of a given radius."""

import math

import torch
from torch import Tensor

X = torch.ones(2, 5)


def zeros(*shape: int, device: str = "cpu") -> Tensor:
    return torch.zeros(shape, device=device)


def polynomial(roots: Tensor) -> Tensor:
    """The monic polynomials [..., N+1] with the roots [..., N], highest power first."""
    p = torch.ones(*roots.shape[:-1], 1, dtype=roots.dtype)
    for root in roots.unbind(-1):
        zero = torch.zeros_like(p[..., :1])
        p = torch.cat([p, zero], -1) - root[..., None] * torch.cat([zero, p], -1)
    return p


def random_filter(
    M: int, N: int, dtype: torch.dtype = torch.float64, lead: tuple[int, ...] = (), a0: complex = 1.0
) -> tuple[Tensor, Tensor]:
    """Coefficients b [*lead, M+1] and a [*lead, N+1].

    The poles have radius 0.3 to 0.8 and are spread around the circle, for poles in a cluster amplify every rounding
    error: the tests of values are not tests of conditioning (test_numerics.py is).
    """
    pairs = N if dtype.is_complex else N // 2
    grid = torch.arange(pairs) + torch.rand(*lead, pairs, dtype=torch.float64)
    angle = (2 if dtype.is_complex else 1) * torch.pi * grid / max(pairs, 1)
    radius = 0.3 + 0.5 * torch.rand_like(angle)
    poles = torch.polar(radius, angle)
    if not dtype.is_complex:
        real = 0.3 + 0.5 * torch.rand(*lead, N % 2, dtype=torch.float64)
        poles = torch.cat([poles, poles.conj(), real.to(poles.dtype)], -1)
    a = polynomial(poles) * a0
    b = torch.randn(*lead, M + 1, dtype=a.dtype) / (M + 1) ** 0.5
    return (b.to(dtype), a.to(dtype)) if dtype.is_complex else (b.real.to(dtype), a.real.to(dtype))


def resonator(radius: float, angle: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """The denominator with one pair of poles at radius * exp(+-j angle)."""
    pole = torch.polar(torch.tensor(radius, dtype=torch.float64), torch.tensor(angle, dtype=torch.float64))
    return torch.stack([torch.ones_like(pole.real), -2 * pole.real, pole.abs() ** 2]).to(dtype)


def denominator(radius: float, *angles: float) -> Tensor:
    """1, a_1..a_N: a pair of poles at each angle."""
    a = torch.ones(1, dtype=torch.float64)
    for angle in angles:
        pair = -2 * radius * math.cos(angle), radius**2
        a = torch.nn.functional.pad(a, (0, 2))
        a = a + pair[0] * a.roll(1) + pair[1] * a.roll(2)
    return a


def moving(coefficients: Tensor, T: int) -> Tensor:
    """[T, ...]: less than would bring a pole to the circle; ones stay, so that a_0 divides without rounding."""
    moved = coefficients * (1 + 1e-5 * (torch.rand(T, *coefficients.shape, dtype=torch.float64) - 0.5))
    return torch.where(coefficients == 1, 1.0, moved)


def last(length: int):
    """The shape of a state of that length, of a number of rows."""
    return lambda rows: (rows, length)
