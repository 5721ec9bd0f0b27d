"""The three forms of a filter as arguments: checked, in double precision, without the zeros that lead."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, doubles, has_values, precise
from polezero._signatures import Coefficients

_NEGLIGIBLE = 1e-14  # a leading coefficient of a numerator beside its largest one, as in scipy.signal.normalize


def transfer_function(function: str, b: Coefficients, a: Coefficients, names: tuple[str, str] = ("b", "a")) -> Pair:
    """b ``[..., M + 1]`` and a ``[..., N + 1]``, whose leading dimensions broadcast."""
    pair = dict(zip(names, doubles(function, **dict(zip(names, (b, a))))))
    for name, t in pair.items():
        check_not_empty(function, name, t)
    broadcast_leading(function, 1, **pair)
    return pair[names[0]], pair[names[1]]


def zeros_poles_gain(function: str, z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    """z ``[..., M]``, p ``[..., N]`` and k, a number or of the leading dimensions."""
    z, p, k_ = doubles(function, z=z, p=p, k=k)
    is_number = k_.shape == (1,) and z.dim() == p.dim() == 1
    k_ = k_.squeeze(0) if is_number or not getattr(k, "ndim", getattr(k, "shape", ())) else k_
    broadcast_leading(function, 0, k=k_, z=z[..., 0] if z.shape[-1] else z.sum(-1), p=p.sum(-1))
    return z, p, k_


def sections(function: str, sos: Coefficients) -> Tensor:
    """sos ``[..., S, 6]``."""
    (sections,) = doubles(function, sos=sos)
    if sections.dim() < 2 or sections.shape[-1] != 6 or sections.shape[-2] < 1:
        raise ValueError(f"{function}: sos: expected shape [..., sections, 6], got {list(sections.shape)}")
    return sections


Pair = tuple[Tensor, Tensor]


def tolerance(value: Coefficients) -> float:
    """How far numbers of this precision may be off as parts of a conjugate pair, relative to them; SciPy's."""
    dtype = precise("", value=value)[0].dtype
    return 100 * torch.finfo(dtype if dtype.is_floating_point or dtype.is_complex else torch.float64).eps


def check_not_empty(function: str, name: str, t: Tensor) -> None:
    if t.shape[-1] == 0:
        got = f"got shape {list(t.shape)}"
        raise ValueError(f"{function}: {name}: expected at least 1 coefficient along the last axis, {got}")


def _leading_zeros(is_zero: Tensor) -> int:
    """How many columns are zero in all rows before the first that is not."""
    columns = is_zero.reshape(-1, is_zero.shape[-1]).all(0)
    return int(columns.logical_not().nonzero()[0]) if not columns.all() else len(columns)


def monic(function: str, b: Tensor, a: Tensor, *, outputs: bool = False, names: tuple[str, str] = ("b", "a")) -> Pair:
    """Divide by the first coefficient of a; cut off zeros before it, and what is zero before the first of b.

    Zeros are looked for where there are values (:func:`has_values`), and are those of all rows; a numerator keeps at
    least one. b has one dimension more than a, of outputs, where ``outputs`` says so.
    """
    if has_values(b, a):
        leading = _leading_zeros(a == 0)
        if leading == a.shape[-1]:
            raise ValueError(f"{function}: {names[1]}: expected a coefficient that is not 0, got none")
        a = a[..., leading:]
        if (a[..., 0] == 0).any():
            rule = "a first coefficient that is not 0 in all rows, after the zeros that all have"
            raise ValueError(f"{function}: {names[1]}: expected {rule}, got 0 in some")
        is_zero = b.abs() <= _NEGLIGIBLE * b.abs().amax(-1, keepdim=True)
        leading = min(_leading_zeros(is_zero), b.shape[-1] - 1)
        if (b[..., :leading] != 0).any():
            warnings.warn(
                f"{function}: {names[0]}: {leading} leading coefficients are as small as rounding errors and taken for 0",
                stacklevel=4,
            )
        b = b[..., leading:]
    first = a[..., :1]
    return b / (first.unsqueeze(-2) if outputs else first), a / first
