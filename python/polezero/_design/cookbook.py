"""The sections of R. Bristow-Johnson's cookbook as one table, so that bands of any types are designed at once.

A coefficient of an analog section with its cut-off at s = jK is a constant times powers of K, Q and A: a monomial,
whose logarithm is linear in those three logarithms. The bilinear transform is linear in the coefficients. So all
sections, before the division by a_0, are ``exp(logs @ exponents) @ mixing`` with two constant matrices, and their
gradient is as short. A logarithm of 2e-16 n costs n roundings: 1e-15 of a section at 20 Hz, relative to K, Q and A and
so without the amplification that a rounded a_1 or a_2 has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor

__all__ = ["SHELVES", "TYPES", "WITHOUT_GAIN", "Bands", "BiquadType", "sections"]

BiquadType: TypeAlias = Literal[
    "lowpass",
    "highpass",
    "bandpass",
    "bandpass_skirt",
    "notch",
    "allpass",
    "peaking",
    "lowshelf",
    "highshelf",
]


class _Monomial(NamedTuple):
    """A constant times powers of K, of the quality, and of A, the root of the gain."""

    constant: float = 1.0
    K: float = 0.0
    Q: float = 0.0
    A: float = 0.0


def _one(A: float = 0.0) -> _Monomial:
    return _Monomial(A=A)


def _damped(A: float = 0.0, constant: float = 1.0) -> _Monomial:
    return _Monomial(constant, 1.0, -1.0, A)


def _square(A: float = 0.0) -> _Monomial:
    return _Monomial(1.0, 2.0, 0.0, A)


_NONE = _Monomial(0.0)
_Quadratic = tuple[_Monomial, _Monomial, _Monomial]  # of s^2, of s, and the constant
_RESONANCE = (_one(), _damped(), _square())
_ANALOG: dict[str, tuple[_Quadratic, _Quadratic]] = {
    "lowpass": ((_NONE, _NONE, _square()), _RESONANCE),
    "highpass": ((_one(), _NONE, _NONE), _RESONANCE),
    "bandpass": ((_NONE, _damped(), _NONE), _RESONANCE),
    "bandpass_skirt": ((_NONE, _Monomial(K=1.0), _NONE), _RESONANCE),
    "notch": ((_one(), _NONE, _square()), _RESONANCE),
    "allpass": ((_one(), _damped(constant=-1.0), _square()), _RESONANCE),
    "peaking": ((_one(), _damped(1.0), _square()), (_one(), _damped(-1.0), _square())),
    "lowshelf": ((_one(), _damped(0.5), _square(1.0)), (_one(), _damped(-0.5), _square(-1.0))),
    "highshelf": ((_one(1.0), _damped(0.5), _square()), (_one(-1.0), _damped(-0.5), _square())),
}
TYPES = tuple(_ANALOG)
SHELVES = ("lowshelf", "highshelf")
WITHOUT_GAIN = tuple(t for t in TYPES if t != "peaking" and t not in SHELVES)

# Of 1, z^-1 and z^-2: (z - 1)^2, (z - 1)(z + 1) and (z + 1)^2 over z^2.
_BILINEAR = ((1.0, -2.0, 1.0), (1.0, 0.0, -1.0), (1.0, 2.0, 1.0))


class Bands(NamedTuple):
    """The matrices of bands of some types.

    Their entries are small integers and halves, which no floating-point dtype rounds.
    """

    exponents: Tensor  # [logarithms, monomials]
    mixing: Tensor  # [monomials, 6 bands]

    @classmethod
    def of(cls, types: Sequence[str], device: torch.device | None = None) -> Bands:
        """The logarithms are those of K of each band, of Q of each band, and of A of each band that has a gain."""
        count, gains = len(types), [k for k, t in enumerate(types) if t not in WITHOUT_GAIN]
        powers: dict[tuple[float, ...], list[float]] = {}  # a row of the mixing matrix for each monomial
        for band, btype in enumerate(types):
            for part, polynomial in enumerate(_ANALOG[btype]):
                for monomial, transformed in zip(polynomial, _BILINEAR):
                    exponents = [0.0] * (2 * count + len(gains))
                    exponents[band], exponents[count + band] = monomial.K, monomial.Q
                    if band in gains:
                        exponents[2 * count + gains.index(band)] = monomial.A
                    row = powers.setdefault(tuple(exponents), [0.0] * (6 * count))
                    first = 6 * band + 3 * part
                    for k, c in enumerate(transformed):
                        row[first + k] += monomial.constant * c
        columns = [list(column) for column in zip(*powers)]
        made = (torch.tensor(m, dtype=torch.float64) for m in (columns, list(powers.values())))
        return cls(*(m.to(device, non_blocking=True) for m in made))  # a GPU is not waited for


def sections(bands: Bands, K: Tensor, Q: Tensor, gain: Tensor | None) -> Tensor:
    """Sections ``[..., bands, 6]`` whose a_0 is 1.

    Args:
        bands: Their types.
        K: tan(pi f / fs), ``[..., bands]``.
        Q: Quality, ``[..., bands]``.
        gain: In dB, ``[..., bands that have one]``; None where none has.
    """
    logs = [K.log(), Q.log(), *([] if gain is None else [gain * (math.log(10) / 40)])]
    leading = torch.broadcast_shapes(*(t.shape[:-1] for t in logs))
    joined = torch.cat([t.expand(*leading, t.shape[-1]) for t in logs], -1)
    unnormalised = (joined @ bands.exponents).exp() @ bands.mixing
    polynomials: Tensor = unnormalised.unflatten(-1, (-1, 6))
    return polynomials / polynomials[..., 3:4]
