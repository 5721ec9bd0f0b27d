"""Polynomials and their roots, coefficients along the last axis and the highest power first."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

_ORDER = 4  # terms of the Taylor series about a root: derivatives are right up to the third


def roots(p: Tensor) -> Tensor:
    r"""Return the roots ``[..., N]`` of polynomials ``[..., N + 1]``, in complex128 and differentiable.

    They are the eigenvalues of the companion matrix (up to the second order in closed form). Of roots in a cluster each
    is off by far more than rounding, but all together are the roots of a polynomial that differs from ``p`` by rounding
    alone; one by one, Newton's method would move them closer, and what they multiply to away: by 3e-6 for an elliptic
    filter of order 16.

    The derivatives are those of the inverse series

    .. math::

        r = r_0 - u - \frac{c_2}{c_1} u^2 - \left(2 \frac{c_2^2}{c_1^2} - \frac{c_3}{c_1}\right) u^3 - \dots,
        \qquad u = \frac{c_0}{c_1}, \qquad p(r_0 + d) = c_0 + c_1 d + c_2 d^2 + \dots

    with :math:`r_0` a constant and :math:`c_0` of value 0, up to the third, in any mode. Where roots are repeated,
    which is where they lie as close together as rounding of ``p`` moves them, there is no derivative: it is 0.

    The order is that of ``Re r + |Im r| / 10``, ascending, which neither rounding nor a small step changes for the
    symmetries that filters have. The roots of a real polynomial are real or conjugates to the bit, one beside the
    other, the one above the real axis first. A polynomial whose first coefficient is 0, or with NaN or inf, has NaN.
    """
    p = p.to(torch.complex128 if p.is_complex() else torch.float64)
    if p.shape[-1] < 2:
        return p[..., :0].to(torch.complex128)
    is_regular = (p.isfinite().all(-1, keepdim=True) & (p[..., :1] != 0)).detach()
    found = _sorted(unsorted_roots(torch.where(is_regular, p, 1.0).detach()))
    return torch.where(is_regular, found + _change(p, found), torch.nan)


def polynomial(roots: Tensor) -> Tensor:
    """Return the coefficients ``[..., N + 1]`` of the monic polynomials with roots ``[..., N]``."""
    p = torch.ones_like(roots[..., :1]) if roots.shape[-1] else roots.new_ones(*roots.shape[:-1], 1)
    for k in _spread_pairs(roots.shape[-1]):
        root = roots[..., k : k + 1]
        p = torch.nn.functional.pad(p, (0, 1)) - root * torch.nn.functional.pad(p, (1, 0))
    return p


def spread(count: int) -> list[int]:
    """An order of factors in which neighbours are far apart: 0, then the one in the middle, those in the quarters ..

    Roots that come sorted, all of one half of a circle before the other, multiply to large coefficients in between,
    which cancel: of x^60 - 1/2 that leaves two digits, and this order thirteen.
    """
    bits = max(count - 1, 0).bit_length()
    places = [int(f"{k:0{bits}b}"[::-1], 2) if bits else 0 for k in range(2**bits)]
    return [place for place in places if place < count]


def _spread_pairs(count: int) -> list[int]:
    """Such an order of roots, in which pairs stay."""
    return [k for place in spread((count + 1) // 2) for k in (2 * place, 2 * place + 1) if k < count]


def multiply(p: Tensor, q: Tensor) -> Tensor:
    """Return the product ``[..., N + M + 1]`` of polynomials ``[..., N + 1]`` and ``[..., M + 1]``."""
    terms = p.unsqueeze(-1) * q.unsqueeze(-2)
    rows, columns = terms.shape[-2:]
    # The sums along the antidiagonals: rows one longer than the product are columns once they are cut off.
    sheared: Tensor = torch.nn.functional.pad(terms, (0, rows)).flatten(-2)[..., : rows * (rows + columns - 1)]
    sums: Tensor = sheared.unflatten(-1, (rows, rows + columns - 1)).sum(-2)
    return sums


def conjugate(values: Tensor) -> Tensor:
    """The conjugates, and not a view: torch refuses to differentiate one forward in a batch of tangents."""
    return torch.complex(values.real, -values.imag) if values.is_complex() else values


def product(values: Tensor) -> Tensor:
    """Return the product ``[...]`` of values ``[..., N]``, whose derivatives nothing has to be divided for."""
    while values.shape[-1] > 1:
        odd = values[..., -1:] if values.shape[-1] % 2 else values[..., :0]
        values = torch.cat([values[..., :-1:2] * values[..., 1::2], odd], -1)
    return values.squeeze(-1) if values.shape[-1] else values.sum(-1) + 1


def unsorted_roots(p: Tensor) -> Tensor:
    """The roots in any order, without derivatives, of finite p / p[0].

    Pairs of a real polynomial are one beside the other, the one with Im r > 0 first.
    """
    N, monic = p.shape[-1] - 1, p[..., 1:] / p[..., :1]
    if N == 1:
        return (-monic).to(torch.complex128)
    if N == 2:
        half, constant = monic[..., :1] / 2, monic[..., 1:]
        width = (half * half - constant).to(torch.complex128).sqrt()
        far = torch.where((half.conj() * width).real > 0, -half - width, -half + width)  # nothing cancels
        near = torch.where(far == 0, 0.0, constant / torch.where(far == 0, 1.0, far))
        is_pair = (far.imag > 0) & (not p.is_complex())
        return torch.cat([far, torch.where(is_pair, far.conj(), near)], -1)
    companion = torch.diag_embed(torch.ones_like(monic[..., 1:]), -1)
    companion[..., 0, :] = -monic
    eigenvalues: Tensor = torch.linalg.eigvals(companion)
    return eigenvalues


def _sorted(roots: Tensor) -> Tensor:
    """The order is stable: the pairs, which come one beside the other, have equal keys and stay so."""
    return torch.gather(roots, -1, torch.argsort(roots.real + roots.imag.abs() / 10, dim=-1, stable=True))


def _taylor(p: Tensor, at: Tensor) -> list[Tensor]:
    """c_0, c_1 .. of p(at + d) = c_0 + c_1 d + .., and, last, the sum of the magnitudes that c_0 consists of."""
    N = p.shape[-1] - 1
    ones = torch.ones_like(at.unsqueeze(-1))
    powers = torch.cat([ones, at.unsqueeze(-1).expand(*at.shape, N)], -1).cumprod(-1)
    rising = p.flip(-1).unsqueeze(-2)
    terms = []
    for j in range(_ORDER):
        if j > N:
            terms.append(torch.zeros_like(at))
            continue
        binomials = torch.tensor([float(comb(k, j)) for k in range(j, N + 1)], dtype=torch.float64, device=p.device)
        terms.append((binomials * rising[..., j:] * powers[..., : N + 1 - j]).sum(-1))
    return [*terms, (rising * powers).abs().sum(-1)]


def _change(p: Tensor, found: Tensor) -> Tensor:
    """0, with the derivatives of the roots that were found, or with those of 0 where they are repeated."""
    N = found.shape[-1]
    c0, c1, c2, c3, size = _taylor(p, found)
    itself = torch.eye(N, dtype=torch.bool, device=p.device)
    nearest = (found.unsqueeze(-1) - found.unsqueeze(-2)).abs().masked_fill(itself, 1e300).amin(-1)
    uncertainty = 2 * torch.finfo(torch.float64).eps * size.detach() + c0.detach().abs()
    is_simple = c1.detach().abs() * nearest > 2 * N * uncertainty
    c1 = torch.where(is_simple, c1, 1.0)
    return inverse_series(torch.where(is_simple, c0 - c0.detach(), 0.0), c1, c2, c3)


def inverse_series(c0: Tensor, c1: Tensor, c2: Tensor, c3: Tensor) -> Tensor:
    """The d nearest 0 at which c_0 + c_1 d + c_2 d^2 + c_3 d^3 is 0, to the third order of c_0."""
    u, bend = c0 / c1, c2 / c1
    return -u * (1 + u * (bend + u * (2 * bend * bend - c3 / c1)))
