"""Transfer functions, zeros and poles, second-order sections. Letters are those of :mod:`polezero`."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from polezero._arguments import has_values
from polezero._conversions.forms import monic, sections, tolerance, transfer_function, zeros_poles_gain
from polezero._conversions.pairing import are_conjugates, second_order, separated
from polezero._conversions.roots import multiply, polynomial, roots
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["sos2tf", "sos2zpk", "tf2sos", "tf2zpk", "zpk2sos", "zpk2tf"]

Pairing = Literal["nearest", "keep_odd", "minimal"]


@overridable
def tf2zpk(b: Coefficients, a: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    """Return zeros, poles and gain of a transfer function."""
    b, a = transfer_function("tf2zpk", b, a)
    return zeros_and_poles("tf2zpk", b, a)


def zeros_and_poles(function: str, b: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    b, a = monic(function, b, a)
    return roots(b), roots(a), b[..., 0]


@overridable
def zpk2tf(z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, Tensor]:
    """Return the transfer function with these zeros, poles and gain."""
    limits = tolerance(z), tolerance(p)
    z, p, k = zeros_poles_gain("zpk2tf", z, p, k)
    return k.unsqueeze(-1) * expanded(z, limits[0]), expanded(p, limits[1])


def expanded(roots: Tensor, limit: float) -> Tensor:
    """The polynomial, a real one where it is known that the roots are real or conjugates."""
    p = polynomial(roots)
    return p.real if p.is_complex() and has_values(roots) and are_conjugates(roots, limit) else p


@overridable
def sos2tf(sos: Coefficients) -> tuple[Tensor, Tensor]:
    """Return the transfer function of a cascade of second-order sections."""
    return product(sections("sos2tf", sos))


def product(sos: Tensor) -> tuple[Tensor, Tensor]:
    b, a = sos[..., 0, :3], sos[..., 0, 3:]
    for section in sos.unbind(-2)[1:]:
        b, a = multiply(b, section[..., :3]), multiply(a, section[..., 3:])
    if has_values(sos):  # a common factor of z^-1, or order that no section has
        both = ((b == 0) & (a == 0)).reshape(-1, a.shape[-1]).all(0).tolist()
        leading = (*both, False).index(False)
        b, a = b[..., min(leading, b.shape[-1] - 1) :], a[..., min(leading, a.shape[-1] - 1) :]
    return b, a


@overridable
def sos2zpk(sos: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    """Return zeros, poles and gain of a cascade of second-order sections."""
    sos = sections("sos2zpk", sos)
    b, a = _from_the_left(sos[..., :3]), _from_the_left(sos[..., 3:])
    k = (b[..., 0] / a[..., 0]).prod(-1)
    return roots(b).flatten(-2), roots(a).flatten(-2), k


def _from_the_left(p: Tensor) -> Tensor:
    """Quadratics with roots at 0 in place of leading coefficients of 0."""
    for _ in range(2):
        p = torch.where(p[..., :1] == 0, p.roll(-1, -1), p)
    return p


@overridable
def tf2sos(b: Coefficients, a: Coefficients, pairing: Pairing | None = None, *, analog: bool = False) -> Tensor:
    """Return second-order sections of a transfer function."""
    b, a = transfer_function("tf2sos", b, a)
    z, p, k = zeros_and_poles("tf2sos", b, a)
    return cascade("tf2sos", z, p, k, pairing, analog, tolerance(z), tolerance(p))


@overridable
def zpk2sos(
    z: Coefficients, p: Coefficients, k: Coefficients, pairing: Pairing | None = None, *, analog: bool = False
) -> Tensor:
    """Return second-order sections with these zeros, poles and gain."""
    limits = tolerance(z), tolerance(p)
    return cascade("zpk2sos", *zeros_poles_gain("zpk2sos", z, p, k), pairing, analog, *limits)


def cascade(
    function: str, z: Tensor, p: Tensor, k: Tensor, pairing: str | None, analog: bool, of_z: float, of_p: float
) -> Tensor:
    pairing = pairing or ("minimal" if analog else "nearest")
    minimal = pairing == "minimal"
    M, N = z.shape[-1], p.shape[-1]
    if pairing not in ("nearest", "keep_odd", "minimal"):
        raise ValueError(f"{function}: pairing: expected 'nearest', 'keep_odd' or 'minimal', got {pairing!r}")
    if analog and not minimal:
        raise ValueError(f"{function}: pairing: expected 'minimal' of an analog filter, got {pairing!r}")
    if minimal and M > N:
        raise ValueError(f"{function}: z: expected no more zeros than poles for 'minimal', got {M} and {N}")
    if k.is_complex():
        if has_values(k) and (k.imag != 0).any():
            raise ValueError(f"{function}: k: expected a real gain, got {k}")
        k = k.real
    order = max(M, N)
    if not minimal:
        padded = order + (order % 2 if pairing == "nearest" else 0)
        z, p = (torch.nn.functional.pad(r, (0, padded - r.shape[-1])) for r in (z, p))
    lead = torch.broadcast_shapes(z.shape[:-1], p.shape[:-1], k.shape)
    zeros = separated(function, "z", z.expand(*lead, z.shape[-1]), of_z)
    poles = separated(function, "p", p.expand(*lead, p.shape[-1]), of_p)
    sos = second_order(zeros, poles, max((order + 1) // 2, 1), minimal=minimal, analog=analog)
    numerators = torch.cat([k[..., None, None] * sos[..., :1, :3], sos[..., 1:, :3]], -2)
    return torch.cat([numerators, sos[..., 3:]], -1)
