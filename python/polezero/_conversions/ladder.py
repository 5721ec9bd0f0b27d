"""Lattices and ladders of transfer functions, and back; for :func:`polezero.lattice`."""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor

from polezero._arguments import doubles, has_values
from polezero._conversions.forms import check_not_empty, transfer_function
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["latc2tf", "tf2latc"]


@overload
def tf2latc(num: Coefficients, den: None = None) -> Tensor: ...
@overload
def tf2latc(num: Coefficients, den: Coefficients) -> tuple[Tensor, Tensor]: ...
@overridable
def tf2latc(num: Coefficients, den: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    if den is None:
        (b,) = doubles("tf2latc", num=num)
        check_not_empty("tf2latc", "num", b)
        return _stages("num", b)[0]
    b, a = transfer_function("tf2latc", num, den, names=("num", "den"))
    taps = max(b.shape[-1], a.shape[-1])
    b, a = (torch.nn.functional.pad(p, (0, taps - p.shape[-1])) for p in (b, a))
    k, mirrored = _stages("den", a)
    rest, ladder = b / a[..., :1], []
    for stage in mirrored:  # the highest order first: only that one has the last delay
        tap = rest[..., -1:]
        rest = (rest - tap * stage)[..., :-1]
        ladder.append(tap)
    return k, torch.cat(ladder[::-1], -1)


def _stages(name: str, a: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Reflection coefficients ``k_1 .. k_N``, and the mirrored polynomials of the orders N .. 0."""
    if has_values(a) and (a[..., 0] == 0).any():
        raise ValueError(f"tf2latc: {name}: expected {name}[..., 0] != 0, got 0")
    a = a / a[..., :1]
    k, mirrored = [a[..., :0]], [a.flip(-1).conj()]
    while a.shape[-1] > 1:
        reflection = a[..., -1:]
        cosine = 1 - (reflection * reflection.conj()).real
        if has_values(cosine) and (cosine == 0).any():
            raise ValueError(f"tf2latc: {name}: expected reflection coefficients of magnitudes other than 1, got 1")
        a = ((a - reflection * mirrored[-1]) / cosine)[..., :-1]
        k.insert(1, reflection)
        mirrored.append(a.flip(-1).conj())
    return torch.cat(k, -1), mirrored


@overload
def latc2tf(k: Coefficients, v: Literal["fir"] = "fir") -> Tensor: ...
@overload
def latc2tf(k: Coefficients, v: Coefficients | Literal["allpole", "allpass"]) -> tuple[Tensor, Tensor]: ...
@overridable
def latc2tf(k: Coefficients, v: Coefficients | str = "fir") -> Tensor | tuple[Tensor, Tensor]:
    if isinstance(v, str):
        (reflections,) = doubles("latc2tf", k=k)
        *_, a = _orders(reflections)
        if v == "fir":
            return a
        if v == "allpole":
            return torch.ones_like(a[..., :1]), a
        if v == "allpass":
            return a.flip(-1).conj().resolve_conj(), a
        raise ValueError(f"latc2tf: v: expected taps, 'fir', 'allpole' or 'allpass', got {v!r}")
    reflections, taps = doubles("latc2tf", k=k, v=v)
    N = reflections.shape[-1]
    if taps.shape[-1] > N + 1:
        raise ValueError(f"latc2tf: v: expected at most {N + 1} taps, got shape {list(taps.shape)}")
    orders = _orders(reflections)
    terms = [
        torch.nn.functional.pad(taps[..., i : i + 1] * p.flip(-1).conj(), (0, N + 1 - p.shape[-1]))
        for i, p in enumerate(orders[: taps.shape[-1]])
    ]
    num = terms[0]
    for term in terms[1:]:
        num = num + term
    return num, orders[-1]


def _orders(k: Tensor) -> list[Tensor]:
    """The polynomials of the orders 0 .. N."""
    orders = [torch.ones_like(k[..., :1]) if k.shape[-1] else k.new_ones(*k.shape[:-1], 1)]
    for reflection in k.split(1, -1) if k.shape[-1] else ():
        longer = torch.nn.functional.pad(orders[-1], (0, 1))
        orders.append(longer + reflection * longer.flip(-1).conj())
    return orders
