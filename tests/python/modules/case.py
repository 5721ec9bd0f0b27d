"""A module, and what `test_nn.py` needs to try it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from polezero.nn import FilterModule


@dataclass(frozen=True, kw_only=True)
class ModuleCase:
    """One way to make a module. The first of a class's cases has all its parameters."""

    make: Callable[..., FilterModule]  # takes the options of FilterModule: channels, trainable, ..
    label: str  # the class's name, with a word of the variant after a dash
    samples: int = 64
    # Values in the middle of the parameters' ranges, which assignments and predictions vary around; by name.
    typical: Mapping[str, float | Sequence[float]] = field(default_factory=dict)
    vary: float = 0.1  # by how much of themselves
    # Constructors that are refused, and the sentence.
    bad: Sequence[tuple[Callable[[], Any], str]] = ()
    # Tests of test_nn.py, by the beginning of their names, each with the reason.
    opt_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.label.partition("-")[0]

    def signal(self, *leading: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(*leading, self.samples, generator=generator, dtype=dtype)

    def varied(self, name: str, *leading: int, seed: int = 1) -> Tensor:
        """Values of a parameter around the typical ones, of a leading shape."""
        generator = torch.Generator().manual_seed(seed)
        typical = torch.as_tensor(self.typical[name], dtype=torch.float64)
        factors = 1 + self.vary * torch.rand([*leading, *[1] * typical.dim()], generator=generator, dtype=torch.float64)
        return typical * factors
