"""Systems as arguments: ``(b, a)``, ``(z, p, k)`` or sections, told apart and made tensors in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from polezero._arguments import doubles
from polezero._conversions.forms import transfer_function, zeros_poles_gain
from polezero._signatures import Coefficients

System: TypeAlias = "tuple[Coefficients, Coefficients] | tuple[Coefficients, Coefficients, Coefficients] | Coefficients"


def system_of(function: str, system: System) -> tuple[Tensor, ...]:
    """``(b, a)``, ``(z, p, k)`` or ``(sos,)``, checked."""
    if isinstance(system, tuple) and len(system) == 2:
        return transfer_function(function, *system)
    if isinstance(system, tuple) and len(system) == 3:
        return zeros_poles_gain(function, *system)
    expected = f"{function}: system: expected (b, a), (z, p, k) or sos [..., sections, 6]"
    if isinstance(system, tuple):
        raise ValueError(f"{expected}, got a tuple of {len(system)}")
    (sos,) = doubles(function, system=system)
    if sos.dim() < 2 or sos.shape[-1] != 6 or sos.shape[-2] < 1:
        raise ValueError(f"{expected}, got shape {list(sos.shape)}")
    return (sos,)


def parts_of(system: System) -> Sequence[Coefficients]:
    """What ``system`` consists of, as it is given."""
    return system if isinstance(system, tuple) else (system,)


def result_dtype(*values: Coefficients) -> torch.dtype:
    """float32 where that is all that the tensors have, else float64; plain numbers have no say beside tensors."""
    dtypes = [v.dtype if isinstance(v, Tensor) else torch.float64 for v in values if not _is_number(v)]
    floating = [d if d.is_floating_point or d.is_complex else torch.get_default_dtype() for d in dtypes]
    return torch.float64 if torch.float64 in floating or torch.complex128 in floating or not floating else torch.float32


def complex_of(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.complex64)  # Dynamo does not know dtype.to_complex


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, complex))
