"""Linear prediction by its definitions: linear equations, products of roots, series of logarithms."""

import math

import torch
from torch import Tensor

__all__ = [
    "cepstrum2poly",
    "lar2rc",
    "levinson",
    "lpc",
    "lsf2poly",
    "poly2cepstrum",
    "poly2lsf",
    "poly2rc",
    "rc2lar",
    "rc2poly",
]


def with_one(a: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(a[..., :1]) if a.shape[-1] else a.new_ones(*a.shape[:-1], 1), a], -1)


# ---- analysis


def levinson(r: Tensor, order: int) -> tuple[Tensor, Tensor, Tensor]:
    """By the equations of each order, the last coefficient of which is a reflection coefficient."""
    lags = torch.cat([r[..., 1:].flip(-1).conj(), r[..., :1].real.to(r.dtype), r[..., 1:]], -1)

    def lag(k: int) -> Tensor:
        return lags[..., k + r.shape[-1] - 1]

    def predictor(m: int) -> Tensor:
        matrix = torch.stack([torch.stack([lag(j - i) for i in range(1, m + 1)], -1) for j in range(1, m + 1)], -2)
        solution: Tensor = torch.linalg.solve(matrix, -r[..., 1 : m + 1])
        return solution

    predictors = [predictor(m) for m in range(1, order + 1)]
    a = with_one(predictors[-1])
    error = (a * torch.stack([lag(-i) for i in range(order + 1)], -1)).sum(-1).real
    return a, error, torch.stack([p[..., -1] for p in predictors], -1)


def lpc(x: Tensor, order: int, method: str = "autocorrelation") -> tuple[Tensor, Tensor]:
    T = x.shape[-1]
    if method == "autocorrelation":
        r = [(x[..., k:] * x[..., : T - k].conj()).sum(-1) / T for k in range(order + 1)]
        return levinson(torch.stack(r, -1), order)[:2]
    if method == "covariance":
        past = torch.stack([x[..., order - i : T - i] for i in range(1, order + 1)], -1)
        now = x[..., order:, None]
        a = torch.linalg.solve(past.mH @ past, -past.mH @ now)
        return with_one(a.squeeze(-1)), (now + past @ a).abs().square().mean((-2, -1))
    a = torch.ones_like(x[..., :1])
    error = x.abs().square().mean(-1)
    for m in range(1, order + 1):
        forward, backward = zip(*(errors(a, x, n) for n in range(m, T)))
        f, b = torch.stack(forward, -1), torch.stack(backward, -1)
        k = -2 * (f * b.conj()).sum(-1) / (f.abs().square() + b.abs().square()).sum(-1)
        longer = torch.nn.functional.pad(a, (0, 1))
        a = longer + k[..., None] * longer.flip(-1).conj()
        error = error * (1 - k.abs().square())
    return a, error


def errors(a: Tensor, x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """What the predictor of order m - 1 leaves of x[n], and backward of x[n - m]."""
    m = a.shape[-1]
    forward = torch.stack([a[..., i] * x[..., n - i] for i in range(m)])
    backward = torch.stack([a[..., i].conj() * x[..., n - m + i] for i in range(m)])
    return forward.sum(0), backward.sum(0)


# ---- forms


def rc2poly(k: Tensor, r0: Tensor) -> tuple[Tensor, Tensor]:
    a = torch.ones_like(k[..., :1])
    for i in range(k.shape[-1]):
        longer = torch.nn.functional.pad(a, (0, 1))
        a = longer + k[..., i : i + 1] * longer.flip(-1).conj()
        r0 = r0 * (1 - k[..., i].abs().square())
    return a, r0


def poly2rc(a: Tensor, efinal: Tensor) -> tuple[Tensor, Tensor]:
    k: list[Tensor] = []
    a = a / a[..., :1]
    while a.shape[-1] > 1:
        k.insert(0, a[..., -1])
        rest = 1 - k[0].abs().square()
        a = ((a - k[0][..., None] * a.flip(-1).conj()) / rest[..., None])[..., :-1]
        efinal = efinal / rest
    return torch.stack(k, -1), efinal


def rc2lar(k: Tensor) -> Tensor:
    return torch.log((1 + k) / (1 - k))


def lar2rc(g: Tensor) -> Tensor:
    return (torch.exp(g) - 1) / (torch.exp(g) + 1)


def poly2lsf(a: Tensor) -> Tensor:
    """The angles of all roots of P and Q, and Newton's method along the circle."""
    a = torch.nn.functional.pad(a / a[..., :1], (0, 1))
    N = a.shape[-1] - 1
    middle = N / 2 - torch.arange(N + 1, dtype=a.dtype)
    found = []
    for sign in (1, -1):
        p = a + sign * a.flip(-1)
        companion = torch.diag(torch.ones(N - 1, dtype=a.dtype), -1).expand(*a.shape[:-1], N, N).clone()
        companion[..., 0, :] = -p.detach()[..., 1:] / p.detach()[..., :1]
        angles = torch.linalg.eigvals(companion).angle()
        is_frequency = (angles > 1e-6) & (angles < math.pi - 1e-6)
        count = N // 2 if sign == 1 else (N - 1) // 2
        w = torch.where(is_frequency, angles, torch.inf).sort(-1).values[..., :count]
        for _ in range(4):
            turned = w[..., None] * middle
            terms = (turned.cos(), -turned.sin()) if sign == 1 else (turned.sin(), turned.cos())
            value, slope = (p[..., None, :] * t for t in (terms[0], middle * terms[1]))
            w = w - value.sum(-1) / slope.sum(-1)
        found.append(w)
    return torch.cat(found, -1).sort(-1).values


def lsf2poly(lsf: Tensor) -> Tensor:
    p = lsf.shape[-1]
    z = torch.polar(torch.ones_like(lsf), lsf)
    one = torch.ones_like(z[..., :1])
    trivial = ([one, -one], []) if p % 2 else ([one], [-one])  # of Q, of P
    halves = []
    for roots, others in ((z[..., 1::2], trivial[0]), (z[..., ::2], trivial[1])):
        half = one
        for root in torch.cat([roots, roots.conj(), *others], -1).split(1, -1):
            half = torch.nn.functional.pad(half, (0, 1)) - root * torch.nn.functional.pad(half, (1, 0))
        halves.append(half)
    return ((halves[0] + halves[1]).real / 2)[..., : p + 1]


def poly2cepstrum(a: Tensor, error: Tensor, n: int) -> Tensor:
    a = torch.nn.functional.pad(a / a[..., :1], (0, n))
    c = [error.log() / 2 + 0 * a[..., 0]]
    for i in range(1, n + 1):
        earlier = [j * c[j] * a[..., i - j] for j in range(1, i)]
        c.append(-a[..., i] - sum(earlier) / i)
    return torch.stack(c, -1)


def cepstrum2poly(c: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """The series of exp(-c_1 / z - c_2 / z^2 ..)."""
    tail = torch.nn.functional.pad(c[..., 1 : order + 1], (1, max(order + 1 - c.shape[-1], 0)))
    term = torch.nn.functional.pad(torch.ones_like(c[..., :1]), (0, order))
    a = term
    for power in range(1, order + 1):
        shifted = [
            tail[..., j : j + 1] * torch.nn.functional.pad(term, (j, 0))[..., : order + 1] for j in range(1, order + 1)
        ]
        term = -torch.stack(shifted).sum(0) / power
        a = a + term
    return a, (2 * c[..., 0].real).exp()
