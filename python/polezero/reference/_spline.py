"""Splines by their definitions: the part of :mod:`polezero.reference` that has them. Time is the last axis."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from polezero.reference._promotion import promote

__all__ = ["cspline1d", "cspline1d_eval", "cubic_spline", "qspline1d", "qspline1d_eval", "symiirorder1", "symiirorder2"]


def symiirorder1(x: Tensor, c0: float, z1: float) -> Tensor:
    """c0 / ((1 - z1/z) (1 - z1 z)) of x, mirrored half a sample beyond its ends."""
    return _two_sided(x, [-z1], c0, "scipy")


def symiirorder2(x: Tensor, r: float, omega: float) -> Tensor:
    """A(1)^2 / (A(z) A(1/z)), A = 1 - 2 r cos(omega)/z + r^2/z^2, of x, mirrored half a sample beyond its ends."""
    a = [-2 * r * math.cos(omega), r * r]
    return _two_sided(x, a, (1 + sum(a)) ** 2, "scipy")


def cspline1d(x: Tensor, lamb: float = 0.0, boundary: str = "scipy") -> Tensor:
    """c with (c[n-1] + 4 c[n] + c[n+1]) / 6 + lamb (fourth difference of c)[n] = x[n], mirrored as x is."""
    pairs = torch.eye(x.shape[-1], dtype=torch.float64)
    around = {k: _at(pairs, torch.arange(x.shape[-1]) + k, boundary) for k in range(-2, 3)}
    system = (around[-1] + 4 * around[0] + around[1]) / 6
    system = system + lamb * (around[-2] - 4 * around[-1] + 6 * around[0] - 4 * around[1] + around[2])
    return _solved(system, x)


def qspline1d(x: Tensor) -> Tensor:
    """c with (c[n-1] + 6 c[n] + c[n+1]) / 8 = x[n], mirrored half a sample beyond its ends."""
    pairs = torch.eye(x.shape[-1], dtype=torch.float64)
    around = {k: _at(pairs, torch.arange(x.shape[-1]) + k, "scipy") for k in (-1, 0, 1)}
    return _solved((around[-1] + 6 * around[0] + around[1]) / 8, x)


def cspline1d_eval(cj: Tensor, newx: Tensor, boundary: str = "scipy") -> Tensor:
    """sum_k c_k beta(t - k) with the cubic B-spline; t mirrored about 0 and T - 1."""

    def cubic(t: Tensor) -> Tensor:
        t = t.abs()
        inner, outer = (4 - 6 * t**2 + 3 * t**3) / 6, (2 - t) ** 3 / 6
        return torch.where(t < 1, inner, torch.where(t < 2, outer, torch.zeros_like(t)))

    return _evaluated(cj, newx, cubic, boundary)


def qspline1d_eval(cj: Tensor, newx: Tensor) -> Tensor:
    """sum_k c_k beta(t - k) with the quadratic B-spline; t mirrored about 0 and T - 1."""

    def quadratic(t: Tensor) -> Tensor:
        t = t.abs()
        outer = (1.5 - t) ** 2 / 2
        return torch.where(t < 0.5, 0.75 - t**2, torch.where(t < 1.5, outer, torch.zeros_like(t)))

    return _evaluated(cj, newx, quadratic, "scipy")


def cubic_spline(x: Tensor, m: int, boundary: str = "reflect") -> Tensor:
    """The spline through x at 0, 1/m .. T - 1."""
    points = torch.arange((x.shape[-1] - 1) * m + 1, dtype=torch.float64) / m
    (x, _), dtype, _ = promote(x, x)
    return cspline1d_eval(cspline1d(x, 0.0, boundary), points, boundary).to(dtype)


def _at(x: Tensor, n: Tensor, boundary: str) -> Tensor:
    """x at whole times that may lie beyond its ends, where it is mirrored."""
    T, half = x.shape[-1], boundary == "scipy"
    if T == 1:
        return x[..., 0 * n]
    period = 2 * T if half else 2 * T - 2
    n = n % period
    return x[..., torch.where(n < T, n, period - half - n)]


def _two_sided(x: Tensor, a: list[float], gain: float, boundary: str) -> Tensor:
    """gain / (A(z) A(1/z)) of the mirrored signal, from far enough before it to far enough behind it."""
    (x, _), dtype, _ = promote(x, x)
    T, far = x.shape[-1], 400
    if T == 0:
        return x.to(dtype)
    y = list(_at(x, torch.arange(-far, T + far), boundary).unbind(-1))
    for _ in range(2):
        for n in range(len(y)):
            for i, c in enumerate(a[: n if n < len(a) else None], 1):
                y[n] = y[n] - c * y[n - i]
        y.reverse()
    return gain * torch.stack(y, -1)[..., far : far + T].to(dtype)


def _solved(system: Tensor, x: Tensor) -> Tensor:
    """c with system c = x; `system` has rows of how c[n] is read."""
    (x, _), dtype, _ = promote(x, x)
    c: Tensor = torch.linalg.solve(system.T.to(x.dtype), x.unsqueeze(-1)).squeeze(-1).to(dtype)
    return c


def _evaluated(cj: Tensor, newx: Tensor, basis: Callable[[Tensor], Tensor], boundary: str) -> Tensor:
    T = cj.shape[-1]
    end = T - 1
    t = 0 * newx if end == 0 else newx.abs() % (2 * end)
    t = torch.minimum(t, 2 * end - t)
    k = torch.arange(-2, T + 2)
    return (_at(cj, k, boundary).unsqueeze(-2) * basis(t.unsqueeze(-1) - k).to(cj.dtype)).sum(-1)
