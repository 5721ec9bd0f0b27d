"""The parameters that an all-pole filter 1 / A(z) may have, and how each is filtered."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from polezero import lpv
from polezero._allpole import allpole
from polezero._conversions.roots import spread
from polezero._conversions.transfer import tf2sos
from polezero._lattice import lattice
from polezero._lfilter import lfilter
from polezero._lpc.reflection import poly2rc, rc2poly
from polezero._lpc.spectral import lsf2poly, poly2lsf
from polezero.nn.parametrizations import Lsf, Parametrization, Reflection, Triangle

__all__ = ["FORMS", "Form"]

Filtered = Tensor | tuple[Tensor, Tensor]


class Form(ABC):
    """One of them. Its values are ``[..., *shape]``, or over time ``[..., T or 1, *shape]``, in float64."""

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

    def synthesis(self, values: Tensor, x: Tensor, zi: Tensor | None, varies: bool) -> Filtered:
        """1 / A(z), in direct form; the state has N numbers."""
        run = lpv.allpole if varies else allpole
        a = self.polynomial(values)[..., 1:]
        return run(a, x) if zi is None else run(a, x, zi)

    def analysis(self, values: Tensor, y: Tensor, varies: bool) -> Tensor:
        """A(z): what `synthesis` made ``y`` of, from rest."""
        a = self.polynomial(values)
        return lpv.fir(a, y) if varies else lfilter(a, [1.0], y)


class Reflections(Form):
    """Reflection coefficients, in a normalised lattice."""

    name = "reflection"

    def __init__(self, order: int, fs: float) -> None:
        self.shape = (order,)
        self.parametrization = Reflection()
        self.start = torch.zeros(order, dtype=torch.float64)

    def polynomial(self, values: Tensor) -> Tensor:
        return rc2poly(values)

    def of_polynomial(self, a: Tensor) -> Tensor:
        return poly2rc(a)

    def synthesis(self, values: Tensor, x: Tensor, zi: Tensor | None, varies: bool) -> Filtered:
        run = lpv.lattice if varies else lattice
        return run(values, x) if zi is None else run(values, x, zi)

    def analysis(self, values: Tensor, y: Tensor, varies: bool) -> Tensor:
        # The stages of lpv.lattice, solved for what goes in; each knows the delayed signal of all times.
        k = values if varies else values.unsqueeze(-2)
        c = (1 - k.square()).sqrt()
        f = g = y.to(torch.promote_types(y.dtype, torch.float64))
        for k_i, c_i in zip(k.unbind(-1), c.unbind(-1)):
            delayed = torch.nn.functional.pad(g, (1, 0))[..., :-1]
            f = (f + k_i * delayed) / c_i
            g = k_i * f + c_i * delayed
        return (c.prod(-1) * f).to(y.dtype)


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
    """Second-order sections ``[N / 2, 2]``, multiplied out: a cascade would round each section's signal."""

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
            a1, a2 = values[..., k, :1], values[..., k, 1:]
            a = torch.nn.functional.pad(a, (0, 2)) + (
                a1 * torch.nn.functional.pad(a, (1, 1)) + a2 * torch.nn.functional.pad(a, (2, 0))
            )
        return a

    def of_polynomial(self, a: Tensor) -> Tensor:
        sections = tf2sos([1.0], a)[..., 4:]
        a1, a2 = sections.detach().unbind(-1)
        angle = torch.atan2((4 * a2 - a1.square()).clamp(min=0).sqrt(), -a1)
        rising = angle.argsort(-1)  # so that those of one frame and the next belong together, where all are complex
        return torch.take_along_dim(sections, rising.unsqueeze(-1), -2)


FORMS: dict[str, Callable[[int, float], Form]] = {"triangle": Resonances, "reflection": Reflections, "lsf": Spectrum}
