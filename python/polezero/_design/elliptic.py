"""The elliptic prototype, by Landen's transformation and the products of Jacobi's theta functions, in float64."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from polezero._design.prototypes import Prototype, constant, epsilon


def elliptic(N: int, rp: Tensor, rs: Tensor) -> Prototype:
    """``rp`` and ``rs`` are ``[..., 1]``. Poles and zeros are j sn(u + jv) and j / (k sn(u)).

    The modulus k is that whose nome is the N-th root of the nome of k_1, the ratio of the two ripples.
    Source: S. J. Orfanidis, "Lecture notes on elliptic filter design", 2006.
    """
    e, stop = epsilon(rp), epsilon(rs)
    log_nome, depth = _landen(e / stop, epsilon(rs - rp) * (1 + e * e).sqrt() / stop, 1 / e)
    angles = constant([math.pi * j / (2 * N) for j in range(1 - N % 2, N, 2)], rp)  # that of a real pole first
    odd, count = N % 2, angles.shape[-1]
    of_poles = constant([1.0 / N] * count + [0.0] * (count - odd), rp)
    sn_x, sn_y, k = _sn(torch.cat([angles, angles[odd:]]), depth * of_poles, log_nome / N)
    zeros = 1 / (k * sn_x[..., count:])
    real = -sn_y[..., :1] if odd else None
    x, y = -sn_y[..., odd:count], sn_x[..., odd:count]
    at_zero = 1.0 if odd else torch.rsqrt(1 + e * e)
    gain = at_zero * ((x * x + y * y) / (zeros * zeros)).log().sum(-1, keepdim=True).exp()
    if real is not None:
        gain = -real * gain
    return Prototype(
        torch.cat([x, torch.zeros_like(zeros)], -1), torch.cat([y, zeros], -1), N // 2, real, gain, at_zero
    )


def elliptic_of_numbers(N: int, rp: float, rs: float, like: Tensor) -> Prototype:
    """The same, computed once."""
    points, real, gain, at_zero = _computed(N, float(rp), float(rs))
    x, y = constant(points, like).unbind()
    return Prototype(x, y, N // 2, constant(real, like) if real else None, gain, at_zero)


@functools.cache
@torch.no_grad()
def _computed(N: int, rp: float, rs: float) -> tuple[list[list[float]], list[float], float, float]:
    p = elliptic(N, *(torch.tensor([r], dtype=torch.float64) for r in (rp, rs)))
    real = [] if p.real is None else p.real.tolist()
    return [p.x.tolist(), p.y.tolist()], real, float(p.gain), float(p.at_zero)


def _landen(k: Tensor, dual: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """log of the nome of k, and pi/2 of sc^-1(w) by the complement of k, in units of K(k); dual^2 is 1 - k^2.

    Landen's transformation, which squares the nome, five times: k = 0.999 ends at 1e-7. The nome is found by its
    series, where k is small, but not so small as to vanish.
    """
    log_nome, one = k, torch.ones_like(k)
    for n in range(5):
        if n:
            dual = (1 - k * k).sqrt()
        more = 1 + dual
        if n == 2:
            nome = k * k / (2 * more * (1 + dual.sqrt()).square())  # its first term
            t = nome.pow(4)
            log_nome = (nome.log() + torch.log1p(t * (2 + t * (15 + t * 150)))) / 4
        w = w * more / (1 + torch.hypot(k * w, one))
        k = (k / more).square()
    return log_nome, torch.asinh(w)


def _sn(a: Tensor, b: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The real and imaginary part of sn at a + jb, in units of 2 K / pi, for a nome q, and its modulus.

    By the products of theta_1 and theta_4, with a factor 1 - 2 q^m cos 2z + q^2m = (1 - q^m)^2 + 4 q^m sin^2 z for each
    even and each odd m, of which nothing cancels where q nears 1, as it does in the series. They end where q = 0.75 is
    below the rounding of float64.
    """
    q = (log_q * constant([*range(2, 130, 2), *range(1, 129, 2)], a)).exp()
    sine_x, sine_y = a.sin() * b.cosh(), a.cos() * b.sinh()
    square_x, square_y = (sine_x - sine_y) * (sine_x + sine_y), 2 * sine_x * sine_y
    times = 4 * q.unsqueeze(-2)
    factor_x = torch.addcmul((1 - q).square().unsqueeze(-2), times, square_x.unsqueeze(-1))
    factor_y = times * square_y.unsqueeze(-1)
    logs, turns = torch.hypot(factor_x, factor_y).log(), torch.atan2(factor_y, factor_x)
    dual = torch.log1p(q)

    def quotient(t: Tensor) -> Tensor:
        return t[..., :64].sum(-1) - t[..., 64:].sum(-1)

    scale = 2 * quotient(dual).unsqueeze(-1)
    modulus, angle = (quotient(logs) - scale).exp(), quotient(turns)
    x, y = modulus * angle.cos(), modulus * angle.sin()
    return sine_x * x - sine_y * y, sine_x * y + sine_y * x, 4 * (log_q / 2 + 2 * scale).exp()
