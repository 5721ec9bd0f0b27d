"""What arguments of modules are expected to be, each refused by one sentence."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeAlias

import torch
from torch import Tensor

__all__ = ["FS", "Refused", "choice", "is_number", "named", "number", "real", "refusal", "row", "truth", "whole"]

Refused: TypeAlias = Callable[[str, str, object], ValueError]  # of an argument's name, what is expected, and got

LONGEST = 200  # characters of what was got
FS = "a positive number of Hz"
MOST = 1e30  # of numbers, whose powers are computed with


def refusal(module: str) -> Refused:
    """The sentence of a module."""

    def refused(name: str, expected: str, got: object) -> ValueError:
        shown = " ".join(str(got).split())
        shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} .."
        return ValueError(f"{module}: {name}: expected {expected}, got {shown}")

    return refused


def named(module: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a function makes, whose errors are sentences of the module."""
    try:
        return function(*arguments, **options)
    except (TypeError, ValueError) as error:
        _, _, sentence = str(error).partition(": ")
        raise type(error)(f"{module}: {' '.join(sentence.split())}") from None


def is_number(value: object, kind: type) -> bool:
    """NumPy's are such too, and a truth is not."""
    return isinstance(value, kind) and not isinstance(value, bool)


def choice(refused: Refused, name: str, value: object, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise refused(name, f"one of {', '.join(choices)}", repr(value))


def truth(refused: Refused, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise refused(name, "True or False", repr(value))
    return value


def whole(refused: Refused, name: str, value: Any, expected: str = "a positive int", least: int = 1) -> int:
    if not is_number(value, numbers.Integral) or not least <= value < 2**31:
        raise refused(name, expected, repr(value))
    return int(value)


def number(
    refused: Refused, name: str, value: Any, expected: str = "a number", above: float = -MOST, below: float = MOST
) -> float:
    """One between two others, both of which it may not reach."""
    if not is_number(value, numbers.Real) or not above < value < below:
        raise refused(name, expected, repr(value))
    return float(value)


def row(refused: Refused, name: str, values: Any, expected: str) -> tuple[float, ...]:
    """Finite numbers, one after another."""
    try:
        found = tuple(map(float, values if isinstance(values, Iterable) and not isinstance(values, str) else ()))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise refused(name, expected, repr(values))
    return found


def real(refused: Refused, name: str, value: Any, device: torch.device | str | None = "cpu") -> Tensor:
    """Real numbers: a tensor as it is, others in float64."""
    try:
        if isinstance(value, Tensor):
            made = value
        elif getattr(getattr(value, "dtype", None), "kind", "f") == "c":  # which torch would cut off, of NumPy's
            raise TypeError
        else:
            made = torch.as_tensor(value, dtype=torch.float64, device=device)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise refused(name, "numbers", repr(value)) from None
    if made.is_complex():
        raise refused(name, "real numbers", made.dtype)
    return made
