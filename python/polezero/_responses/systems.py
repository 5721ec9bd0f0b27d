"""Systems as arguments: ``(b, a)``, ``(z, p, k)`` or sections, told apart and made tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from polezero._arguments import precise
from polezero._signatures import Coefficients

System: TypeAlias = "tuple[Coefficients, Coefficients] | tuple[Coefficients, Coefficients, Coefficients] | Coefficients"


def system_of(function: str, system: System) -> tuple[Tensor, ...]:
    """``(b, a)``, ``(z, p, k)`` or ``(sos,)``, checked."""
    if not isinstance(system, tuple):
        return (sections_of(function, system, "system"),)
    if len(system) == 2:
        return polynomials_of(function, *system)
    if len(system) == 3:
        return roots_of(function, *system)
    raise ValueError(f"{function}: system: expected (b, a), (z, p, k) or sos, got a tuple of {len(system)}")


def values_of(system: System) -> Sequence[Coefficients]:
    return system if isinstance(system, tuple) else (system,)


def polynomials_of(function: str, b: Coefficients, a: Coefficients) -> tuple[Tensor, ...]:
    tensors = precise(function, b=b, a=a)
    for name, t in zip("ba", tensors):
        if t.shape[-1] == 0:
            expected = "expected at least 1 coefficient along the last axis"
            raise ValueError(f"{function}: {name}: {expected}, got shape {list(t.shape)}")
    check_leading(function, b=tensors[0], a=tensors[1])
    return tuple(map(wide, tensors))


def roots_of(function: str, z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, ...]:
    """Roots are ``[..., N]``, gains ``[...]``."""
    z_, p_, k_ = precise(function, z=z, p=p, k=k)
    if not isinstance(k, Tensor) and k_.dim() == 1 and k_.shape[0] == 1:
        k_ = k_[0]  # a number, and SciPy's arrays of one
    k_ = k if isinstance(k, Tensor) else k_
    check_leading(function, z=z_, p=p_, k=k_.unsqueeze(-1))
    return wide(z_), wide(p_), wide(k_)


def sections_of(function: str, sos: Coefficients, name: str = "sos") -> Tensor:
    (t,) = precise(function, **{name: sos})
    if t.dim() < 2 or t.shape[-1] != 6 or t.shape[-2] == 0:
        expected = "(b, a), (z, p, k) or sos [..., K, 6]" if name == "system" else "[..., K, 6] with K >= 1"
        raise ValueError(f"{function}: {name}: expected {expected}, got shape {list(t.shape)}")
    return wide(t)


def wide(t: Tensor) -> Tensor:
    return t.to(torch.complex128 if t.is_complex() else torch.float64)


def check_leading(function: str, **tensors: Tensor) -> None:
    try:
        torch.broadcast_shapes(*(t.shape[:-1] for t in tensors.values()))
    except RuntimeError:
        *_, last = tensors
        shapes = ", ".join(f"{name} {list(t.shape)}" for name, t in tensors.items())
        raise ValueError(f"{function}: {last}: expected leading dimensions that broadcast, got {shapes}") from None


def result_dtype(*values: Coefficients) -> torch.dtype:
    """float32 where that is all that the tensors have, else float64; plain numbers have no say beside tensors."""
    dtypes = [v.dtype if isinstance(v, Tensor) else torch.float64 for v in values if not _is_number(v)]
    floating = [d if d.is_floating_point or d.is_complex else torch.get_default_dtype() for d in dtypes]
    narrow = floating and all(torch.promote_types(d.to_real(), torch.float32) == torch.float32 for d in floating)
    return torch.float32 if narrow else torch.float64


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, complex))
