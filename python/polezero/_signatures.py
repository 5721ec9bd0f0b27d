"""What the signatures of the functions are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from torch import Tensor

if TYPE_CHECKING:  # NumPy is no requirement
    from numpy.typing import ArrayLike

Values: TypeAlias = "Tensor | ArrayLike"  # what is made a tensor: numbers, lists and NumPy arrays too
Coefficients: TypeAlias = Values
Delay: TypeAlias = Values
Backward: TypeAlias = Literal["one_pass", "two_pass"]
Interpolation: TypeAlias = Literal["linear", "lagrange3", "thiran", None]  # None: whole delays
