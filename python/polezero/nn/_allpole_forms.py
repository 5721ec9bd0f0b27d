"""The parameters that an all-pole filter 1 / A(z) may have."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from polezero._conversions.ladder import stages
from polezero._conversions.roots import spread
from polezero._conversions.transfer import tf2sos
from polezero._lpc.reflection import poly2rc, rc2poly
from polezero._lpc.spectral import lsf2poly, poly2lsf
from polezero.nn._ranges import MARGIN, Parametrization
from polezero.nn.parametrizations import Lsf, Reflection, Triangle

__all__ = ["FORMS", "Form"]


class Form(ABC):
    """One kind of them: values ``[..., *shape]`` in float64."""

    name: ClassVar[str]  # of the module's parameter
    parametrization: Parametrization
    shape: tuple[int, ...]
    start: Tensor  # of a filter that is not known yet: one of a flat response, or nearly

    @abstractmethod
    def polynomial(self, values: Tensor) -> Tensor:
        """A(z), ``[..., N + 1]``."""

    @abstractmethod
    def of_polynomial(self, a: Tensor) -> Tensor:
        """The values of A(z)."""

    def reflections(self, values: Tensor) -> Tensor:
        """The reflection coefficients, ``[..., N]``, of magnitudes below 1."""
        return stages("AllPole", self.name, self.polynomial(values), 1 - MARGIN)[0]


class Reflections(Form):
    """Reflection coefficients."""

    name = "reflection"

    def __init__(self, order: int, fs: float) -> None:
        self.shape = (order,)
        self.parametrization = Reflection()
        self.start = torch.zeros(order, dtype=torch.float64)

    def polynomial(self, values: Tensor) -> Tensor:
        return rc2poly(values)

    def of_polynomial(self, a: Tensor) -> Tensor:
        return poly2rc(a)

    def reflections(self, values: Tensor) -> Tensor:
        return values


class Spectrum(Form):
    """Line spectral frequencies in Hz."""

    name = "lsf"

    def __init__(self, order: int, fs: float) -> None:
        self.shape = (order,)
        self.radians = 2 * math.pi / fs
        self.parametrization = Lsf(fs=fs)
        self.start = torch.arange(1, order + 1, dtype=torch.float64) / (order + 1) * (fs / 2)

    def polynomial(self, values: Tensor) -> Tensor:
        return lsf2poly(values * self.radians)

    def of_polynomial(self, a: Tensor) -> Tensor:
        return poly2lsf(a) / self.radians


class Resonances(Form):
    """Second-order sections ``[N / 2, 2]``."""

    name = "sections"

    def __init__(self, order: int, fs: float) -> None:
        K = order // 2
        self.shape = (K, 2)
        self.parametrization = Triangle()
        # Sections that are alike would stay so: their gradients are. These have a product of 1 + z^-N / 10.
        angles = (torch.arange(K, dtype=torch.float64) + 0.5) * (math.pi / K)
        radius = 0.1 ** (1 / order)
        self.start = torch.stack([-2 * radius * angles.cos(), torch.full_like(angles, radius**2)], -1)

    def polynomial(self, values: Tensor) -> Tensor:
        a = torch.ones_like(values[..., 0, :1])
        for k in spread(self.shape[0]):
            once, twice = a * values[..., k, :1], a * values[..., k, 1:]
            a, once, twice = (torch.nn.functional.pad(p, (d, 2 - d)) for d, p in enumerate((a, once, twice)))
            a = a + (once + twice)
        return a

    def of_polynomial(self, a: Tensor) -> Tensor:
        sections = tf2sos([1.0], a)[..., 4:]
        a1, a2 = sections.detach().unbind(-1)
        angle = torch.atan2((4 * a2 - a1.square()).clamp(min=0).sqrt(), -a1)
        rising = angle.argsort(-1)  # so that those of one frame and the next belong together, where all are complex
        return torch.take_along_dim(sections, rising.unsqueeze(-1), -2)


FORMS: dict[str, Callable[[int, float], Form]] = {"triangle": Resonances, "reflection": Reflections, "lsf": Spectrum}
