"""Filters of the classical families. Semantics are those of :mod:`scipy.signal`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from polezero._design import bands, checks, outputs, prototypes
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["bessel", "butter", "cheby1", "cheby2", "ellip", "iirfilter", "legendre"]

Design = Tensor | tuple[Tensor, ...]

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


def design(
    function: str,
    family: str,
    N: int,
    Wn: Coefficients,
    btype: str,
    analog: bool,
    output: str,
    fs: float | None,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
    rp: Coefficients | None = None,
    rs: Coefficients | None = None,
) -> Design:
    N, btype = checks.order(function, N), checks.band_type(function, btype)
    output, fs = checks.output_form(function, output), checks.sampling_rate(function, fs, analog)
    at = checks.device_of(device, Wn, rp, rs)
    low, high = checks.edges(function, Wn, btype, fs, analog, at)
    prototype = _prototype(function, family, N, rp, rs, low)
    factors = bands.transform(prototype, btype, low, high)
    polynomials = bands.analog(factors) if analog else bands.digital(factors)
    result = outputs.FORMS[output](factors, polynomials, outputs.Order.of(family, N, btype))
    if output == "ba" and not analog:
        outputs.warn_if_unstable(function, result[1] if dtype is None else result[1].to(dtype))
    return outputs.cast(result, dtype)


def _prototype(
    function: str, family: str, N: int, rp: Coefficients | None, rs: Coefficients | None, like: Tensor
) -> prototypes.Prototype:
    make: dict[str, Callable[[], prototypes.Prototype]] = {
        "butter": lambda: prototypes.butterworth(N, like),
        "legendre": lambda: prototypes.papoulis(N, like),
        "cheby1": lambda: prototypes.chebyshev1(N, checks.decibels(function, "rp", rp, family, like.device)),
        "cheby2": lambda: prototypes.chebyshev2(N, checks.decibels(function, "rs", rs, family, like.device)),
    }
    if N == 0:
        gain = checks.decibels(function, "rp", rp, family, like.device) if family in ("cheby1", "ellip") else None
        return prototypes.trivial(1.0 if gain is None else 10 ** (-gain / 20), like)
    if family in make:
        return make[family]()
    if family != "ellip":
        return prototypes.bessel(N, family.removeprefix("bessel_"), like)
    ripple = checks.decibels(function, "rp", rp, family, like.device)
    attenuation = checks.decibels(function, "rs", rs, family, like.device)
    checks.attenuation_above(function, ripple, attenuation)
    return prototypes.elliptic(N, ripple, attenuation)


@overridable
def iirfilter(
    N: int,
    Wn: Coefficients,
    rp: Coefficients | None = None,
    rs: Coefficients | None = None,
    btype: str = "band",
    analog: bool = False,
    ftype: str = "butter",
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    family = FAMILIES.get(ftype.lower()) if isinstance(ftype, str) else None
    if family is None:
        raise ValueError(f"iirfilter: ftype: expected one of {', '.join(FAMILIES)}, got {ftype!r}")
    return design("iirfilter", family, N, Wn, btype, analog, output, fs, dtype, device, rp, rs)


@overridable
def butter(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    return design("butter", "butter", N, Wn, btype, analog, output, fs, dtype, device)


@overridable
def cheby1(
    N: int,
    rp: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    return design("cheby1", "cheby1", N, Wn, btype, analog, output, fs, dtype, device, rp=rp)


@overridable
def cheby2(
    N: int,
    rs: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    return design("cheby2", "cheby2", N, Wn, btype, analog, output, fs, dtype, device, rs=rs)


@overridable
def ellip(
    N: int,
    rp: Coefficients,
    rs: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    return design("ellip", "ellip", N, Wn, btype, analog, output, fs, dtype, device, rp, rs)


@overridable
def bessel(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    norm: str = "phase",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    if norm not in ("phase", "delay", "mag"):
        raise ValueError(f"bessel: norm: expected phase, delay or mag, got {norm!r}")
    return design("bessel", f"bessel_{norm}", N, Wn, btype, analog, output, fs, dtype, device)


@overridable
def legendre(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Design:
    return design("legendre", "legendre", N, Wn, btype, analog, output, fs, dtype, device)
