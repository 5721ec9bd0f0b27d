"""The families of classical filters: their names, what they have besides edges, and their prototypes."""

from __future__ import annotations

from collections.abc import Callable

from polezero._design.arithmetic import NEPERS, Arithmetic, Scalar
from polezero._design.elliptic import elliptic
from polezero._design.prototypes import Prototype, all_pole, chebyshev, inverse_chebyshev

FAMILIES = {
    "butter": "butter",
    "butterworth": "butter",
    "cauer": "ellip",
    "elliptic": "ellip",
    "ellip": "ellip",
    "bessel": "bessel_phase",
    "bessel_phase": "bessel_phase",
    "bessel_delay": "bessel_delay",
    "bessel_mag": "bessel_mag",
    "cheby1": "cheby1",
    "chebyshev1": "cheby1",
    "chebyshevi": "cheby1",
    "cheby2": "cheby2",
    "chebyshev2": "cheby2",
    "chebyshevii": "cheby2",
    "legendre": "legendre",
}
DECIBELS = {"cheby1": ("rp",), "cheby2": ("rs",), "ellip": ("rp", "rs")}
WITH_ZEROS = ("cheby2", "ellip")
_RIPPLED: dict[str, Callable[..., Prototype]] = {"cheby1": chebyshev, "cheby2": inverse_chebyshev, "ellip": elliptic}


def prototype(f: Arithmetic, family: str, N: int, *decibels: Scalar) -> Prototype:
    """``decibels`` are those of :data:`DECIBELS`."""
    if N == 0:
        gain = f.exp(decibels[0] * (-NEPERS / 2)) if family in ("cheby1", "ellip") else 1.0
        return Prototype([], [], [], None, gain, gain)
    return _RIPPLED[family](f, N, *decibels) if family in _RIPPLED else all_pole(family, N)
