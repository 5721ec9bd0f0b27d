"""The three forms of a filter as arguments: checked, in double precision, without the zeros that lead."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, doubles, precise, readable, warn
from polezero._signatures import Coefficients

Pair = tuple[Tensor, Tensor]

# Of a leading coefficient of a numerator, as in scipy.signal.normalize, but also beside the largest one: those of a
# narrow low-pass of order 10 are all smaller.
_NEGLIGIBLE = 1e-14


def transfer_function(function: str, b: Coefficients, a: Coefficients, names: tuple[str, str] = ("b", "a")) -> Pair:
    """b ``[..., M + 1]`` and a ``[..., N + 1]``, whose leading dimensions broadcast."""
    pair = dict(zip(names, doubles(function, **dict(zip(names, (b, a))))))
    for name, t in pair.items():
        check_not_empty(function, name, t)
    broadcast_leading(function, 1, **pair)
    return pair[names[0]], pair[names[1]]


def zeros_poles_gain(function: str, z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    """z ``[..., M]``, p ``[..., N]`` and k, a number or of the leading dimensions."""
    zeros, poles, gain = doubles(function, z=z, p=p, k=k)
    if _is_number(k) or (gain.shape == (1,) and zeros.dim() == poles.dim() == 1):
        gain = gain.squeeze(0)
    broadcast_leading(function, 1, z=zeros, p=poles, k=gain.unsqueeze(-1))
    return zeros, poles, gain


def _is_number(value: Coefficients) -> bool:
    return not isinstance(value, (list, tuple)) and len(getattr(value, "shape", ())) == 0


def sections(function: str, sos: Coefficients) -> Tensor:
    """sos ``[..., S, 6]``."""
    (sections,) = doubles(function, sos=sos)
    if sections.dim() < 2 or sections.shape[-1] != 6 or sections.shape[-2] < 1:
        raise ValueError(f"{function}: sos: expected shape [..., sections, 6], got {list(sections.shape)}")
    return sections


def numbers(function: str, beside: Mapping[str, Tensor], dimensions: int = 1, **values: Coefficients) -> list[Tensor]:
    """Real parameters of shape ``[...]``, one for each filter of a batch: of what precedes the last ``dimensions``."""
    found = []
    ((first, of_filters),) = beside.items()
    for name, value in values.items():
        _, t = doubles(function, **{first: of_filters, name: value})
        if t.is_complex():
            raise TypeError(f"{function}: {name}: expected real numbers, got complex ones")
        t = t.squeeze(0) if _is_number(value) else t
        try:
            torch.broadcast_shapes(t.shape, of_filters.shape[: of_filters.dim() - dimensions])
        except RuntimeError:
            expected = f"a number, or a shape that broadcasts with the leading dimensions of {first}"
            got = f"shape {list(t.shape)} beside {list(of_filters.shape)}"
            raise ValueError(f"{function}: {name}: expected {expected}, got {got}") from None
        found.append(t)
    return found


def check_one_filter(function: str, **tensors: tuple[Tensor, int]) -> None:
    """Refuse batches, and tensors whose values may not be looked at; each comes with the dimensions it may have."""
    for name, (t, dimensions) in tensors.items():
        if t.dim() > dimensions or not readable(t):
            what = f"one filter of values on the CPU, on which the shape of the result depends (at most {dimensions}-D)"
            how = f"shape {list(t.shape)}" + ("" if readable(t) else f" on {t.device}, traced or transformed")
            raise ValueError(f"{function}: {name}: expected {what}, got {how}")


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

    Zeros are looked for where there are values (:func:`readable`), and are those of all rows; a numerator keeps at
    least one. b has one dimension more than a, of outputs, where ``outputs`` says so.
    """
    looks = readable(b, a)
    if looks:
        leading = _leading_zeros(a == 0)
        if leading == a.shape[-1]:
            raise ValueError(f"{function}: {names[1]}: expected a coefficient that is not 0, got none")
        a = a[..., leading:]
        if (a[..., 0] == 0).any():
            rule = "a first coefficient that is not 0 in all rows, after the zeros that all have"
            raise ValueError(f"{function}: {names[1]}: expected {rule}, got 0 in some")
    first = a[..., :1]
    b, a = b / (first.unsqueeze(-2) if outputs else first), a / first
    if looks:
        is_zero = b.abs() <= _NEGLIGIBLE * b.abs().amax(-1, keepdim=True).clamp(max=1.0)
        leading = min(_leading_zeros(is_zero), b.shape[-1] - 1)
        if (b[..., :leading] != 0).any():
            what = f"{leading} leading coefficients are as small as rounding errors and taken for 0"
            warn(f"{function}: {names[0]}: {what}")
        b = b[..., leading:]
    return b, a
