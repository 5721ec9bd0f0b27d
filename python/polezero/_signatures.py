"""What the signatures of the functions are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from torch import Tensor

if TYPE_CHECKING:  # NumPy is no requirement
    from numpy.typing import ArrayLike

Values: TypeAlias = "Tensor | ArrayLike"  # what is made a tensor: numbers, lists and NumPy arrays too
Coefficients: TypeAlias = Values
Delay: TypeAlias = Values
Backward: TypeAlias = Literal["one_pass", "two_pass"]
Interpolation: TypeAlias = Literal["linear", "lagrange3", "thiran", None]  # None: whole delays

Function = TypeVar("Function", bound=Callable[..., Any])


def typed_as(model: Function) -> Callable[[Callable[..., Any]], Function]:
    """Give a function the type of ``model``, which has the same parameters.

    A filter returns ``y``, or ``(y, zf)`` where it is given ``zi``: two overloads, which so stand once.
    """
    del model
    return lambda function: function  # type: ignore[return-value]
