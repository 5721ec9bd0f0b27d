"""What linear prediction takes."""

from __future__ import annotations

from torch import Tensor

from polezero._arguments import check_int, doubles
from polezero._signatures import Coefficients


def check_order(function: str, order: int, largest: int | None = None, reason: str = "", name: str = "order") -> None:
    """``reason`` says what the largest is. A size may be a symbol, which becomes text only in the error."""
    check_int(function, name, order)
    if order < 0 or (largest is not None and order > largest):
        expected = "a number >= 0" if largest is None else f"a number from 0 to {largest}, {reason}"
        raise ValueError(f"{function}: {name}: expected {expected}, got {order}")


def reals(function: str, name: str, value: Coefficients) -> Tensor:
    """In float64, ``[..., N]``."""
    (t,) = doubles(function, **{name: value})
    if t.is_complex():
        raise TypeError(f"{function}: {name}: expected real numbers, got complex ones")
    return t
