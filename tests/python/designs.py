"""SciPy's designs over a grid of kinds, bands and orders: filters for the tests."""

import itertools
from collections.abc import Callable
from typing import Any

import scipy.signal

DESIGNS: dict[str, Callable[..., Any]] = {
    "butter": lambda N, Wn, btype, **how: scipy.signal.butter(N, Wn, btype, **how),
    "cheby1": lambda N, Wn, btype, **how: scipy.signal.cheby1(N, 1, Wn, btype, **how),
    "cheby2": lambda N, Wn, btype, **how: scipy.signal.cheby2(N, 40, Wn, btype, **how),
    "ellip": lambda N, Wn, btype, **how: scipy.signal.ellip(N, 1, 40, Wn, btype, **how),
    "bessel": lambda N, Wn, btype, **how: scipy.signal.bessel(N, Wn, btype, **how),
}
BANDS = {"low": 0.3, "high": 0.4, "bandpass": (0.2, 0.5), "bandstop": (0.2, 0.5)}
FILTERS = [*itertools.product(DESIGNS, BANDS, (1, 3, 6))]


def design(kind: str, band: str, order: int, output: str, **others: Any) -> Any:
    return DESIGNS[kind](order, BANDS[band], band, output=output, **others)
