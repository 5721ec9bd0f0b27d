"""Crossovers, which split a signal into bands."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import check_int, readable
from polezero._design.bilinear import first_order, second_order
from polezero._design.parameters import chosen, frequency, number, place_of, prewarped
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["crossover"]

CrossoverType: TypeAlias = Literal["linkwitz-riley", "butterworth"]


@overridable
def crossover(
    order: int,
    frequencies: Coefficients,
    ftype: CrossoverType = "linkwitz-riley",
    *,
    compensate: bool = True,
    fs: float = 2.0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Design the filters that split a signal into bands, by low and high passes of one frequency for each split.

    .. math::

        H_k(z) = \prod_{j < k} \mathrm{HP}_j(z) \; \mathrm{LP}_k(z) \; \prod_{j > k} \mathrm{AP}_j(z), \qquad
        \mathrm{AP}_j = \mathrm{LP}_j + \mathrm{HP}_j

    A Linkwitz-Riley low pass is the square of a Butterworth one of half its order, B, and its bands are 6 dB down and
    in phase where they cross. They sum to the all-pass B(-s) / B(s), after the high pass has been inverted for orders
    2, 6, ..; it is, in the result. The bands of a Butterworth crossover are 3 dB down. Those of an odd order sum to an
    all-pass, too, in phase quadrature. **Those of an even order do not**: of order 2 nothing is left at the crossover,
    of order 4 there are 3 dB too much; what sums to 1 is their power.

    From three bands on the sum is an all-pass only if the lower bands pass the all-pass of each split above them, as
    the upper ones do. The even orders of Butterworth, which have none, go without.

    Args:
        order: Of each low and high pass: 2, 4, 6, 8, .. for Linkwitz-Riley, 1, 2, 3, .. for Butterworth.
        frequencies: Where the bands cross, rising along the last axis, shape ``[..., n - 1]`` for n bands. In the units
            of ``fs``.
        ftype: ``"linkwitz-riley"`` or ``"butterworth"``.
        compensate: With these all-passes.
        fs: Sampling frequency, a number. The default says that 1 is Nyquist's frequency.
        dtype: Of the result; float64 if None.
        device: Of the result; that of ``frequencies``, or the CPU, if None.

    Returns:
        A cascade for each band, the lowest first, shape ``[..., n, K, 6]``. Shorter ones are filled up with sections
        that pass everything, so that one :func:`sosfilt` of ``x.unsqueeze(-2)`` gives all bands.

    Parameters and errors are those of :func:`biquad`. Source: S. H. Linkwitz, "Active crossover networks for
    noncoincident drivers", J. Audio Eng. Soc. 24(1), 1976; J. A. D'Appolito, "Active realization of multiway all-pass
    crossover systems", J. Audio Eng. Soc. 35(4), 1987.

    Example:
        >>> import torch, polezero
        >>> frequencies = torch.tensor([200.0, 2000.0], requires_grad=True)
        >>> bands = polezero.crossover(4, frequencies, fs=48000)
        >>> y = polezero.sosfilt(bands, torch.randn(2, 1, 48000))
        >>> y.shape
        torch.Size([2, 3, 48000])
    """
    chosen("crossover", "ftype", ftype, ("linkwitz-riley", "butterworth"))
    _check_order(order, ftype)
    fs, place = number("crossover", "fs", fs), place_of("crossover", device, frequencies=frequencies)
    f = torch.atleast_1d(frequency("crossover", "frequencies", frequencies, place, fs))
    _check_rising(f)
    make = _linkwitz_riley if ftype == "linkwitz-riley" else _butterworth
    low, high, both = make(order, prewarped(f, fs))  # [..., n - 1, sections, 6]
    if not compensate:
        both = _passing(low)
    splits = f.shape[-1]
    bands = [
        torch.cat([high[..., :k, :, :], low[..., k : k + 1, :, :], both[..., k + 1 :, :, :]], -3) for k in range(splits)
    ]
    return torch.stack([*bands, high], -4).flatten(-3, -2).to(device, dtype)


def _check_order(order: int, ftype: str) -> None:
    check_int("crossover", "order", order)
    if ftype == "linkwitz-riley" and (order < 2 or order % 2):
        raise ValueError(f"crossover: order: expected an even number for Linkwitz-Riley, got {order}")
    if order < 1:
        raise ValueError(f"crossover: order: expected a number >= 1, got {order}")


def _check_rising(f: Tensor) -> None:
    if f.shape[-1] == 0:
        raise ValueError(f"crossover: frequencies: expected at least 1 along the last axis, got shape {list(f.shape)}")
    if readable(f) and not (f[..., 1:] > f[..., :-1]).all():
        raise ValueError(f"crossover: frequencies: expected them to rise along the last axis, got {f.tolist()}")


def _linkwitz_riley(order: int, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The low pass, the high pass and their sum, each with as many sections."""
    damping = _damping(order // 2)
    pairs, odd = len(damping), order // 2 % 2 == 1
    # A real pole, squared, is a pair of quality 1/2, and the all-pass of it is of first order.
    low, high, both = _pairs(K, [2.0, *damping] if odd else damping)
    low, high = (torch.cat([band, band[..., -pairs:, :]], -2) if pairs else band for band in (low, high))
    both = both[..., int(odd) :, :]
    if odd:
        high = torch.cat([torch.cat([-high[..., :1, :3], high[..., :1, 3:]], -1), high[..., 1:, :]], -2)  # inverted
        both = torch.cat([both, _real_pole(K)[2]], -2)
    return low, high, _filled_up(both, low)


def _butterworth(order: int, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high, both = _pairs(K, _damping(order))
    if order % 2 == 0:
        return low, high, _passing(low)
    real_low, real_high, _ = _real_pole(K)
    low, high = torch.cat([low, real_low], -2), torch.cat([high, real_high], -2)
    # The sum is (1 + s^N) / B(s), of whose poles those cancel that are roots of -1: the real one and each second pair.
    return low, high, _filled_up(both[..., ::2, :], low)


def _damping(order: int) -> list[float]:
    """1 / Q of each pair of a Butterworth filter's poles, from the real axis on."""
    angles = [math.pi * (2 * k + 1 + order % 2) / (2 * order) for k in range(order // 2)]
    return [2 * math.cos(angle) for angle in angles]


def _pairs(K: Tensor, damping: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Low pass, high pass and all-pass of pairs of poles, ``[..., pairs, 6]``."""
    damped = K[..., None] * torch.tensor(damping, dtype=K.dtype, device=K.device)
    square, one, zero = (K * K)[..., None].expand_as(damped), torch.ones_like(damped), torch.zeros_like(damped)
    powers = (zero, one, one), (zero, zero, -damped), (square, zero, square)
    squares, middles, constants = (torch.stack(three) for three in powers)
    low, high, both = second_order((squares, middles, constants), (one, damped, square)).unbind()
    return low, high, both


def _real_pole(K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same of a pole at s = -K, one section each; the all-pass is 1 at 0 and -1 at Nyquist's frequency."""
    K = K[..., None]
    one, zero = torch.ones_like(K), torch.zeros_like(K)
    low, high, both = first_order((torch.stack([zero, one, -one]), torch.stack([K, zero, K])), (one, K)).unbind()
    return low, high, both


def _passing(like: Tensor) -> Tensor:
    """As many sections, which pass everything."""
    return torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], dtype=like.dtype, device=like.device).expand_as(like)


def _filled_up(sections: Tensor, like: Tensor) -> Tensor:
    return torch.cat([sections, _passing(like)[..., sections.shape[-2] :, :]], -2)
