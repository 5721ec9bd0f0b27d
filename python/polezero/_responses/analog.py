"""Responses of analog filters. Letters are those of :mod:`polezero`, F frequencies."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor

from polezero._arguments import readable
from polezero._conversions.forms import transfer_function, zeros_poles_gain
from polezero._conversions.roots import roots
from polezero._overrides import overridable
from polezero._responses.grids import Frequencies, Plot, is_count, to_frequencies
from polezero._responses.products import ratio_of_products
from polezero._responses.systems import complex_of, result_dtype
from polezero._signatures import Coefficients

__all__ = ["freqs", "freqs_zpk"]


@overridable
def freqs(b: Coefficients, a: Coefficients, worN: Frequencies = 200, plot: Plot = None) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of an analog filter.

    .. math::

        H(j \omega) = \frac{b_0 (j\omega)^M + b_1 (j\omega)^{M-1} + \dots + b_M}
            {a_0 (j\omega)^N + a_1 (j\omega)^{N-1} + \dots + a_N}

    Args:
        b: Numerator, highest power first, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``, leading dimensions broadcast.
        worN: Angular frequencies (rad/s), shape ``[F]``, or ``[..., F]`` to broadcast, in which H is differentiable,
            too; or how many (None: 200), evenly on a logarithmic scale around the poles and zeros, of all filters of
            a batch. They are looked for by the values of the coefficients, on the CPU, and so not under
            ``torch.compile`` and ``torch.func``.
        plot: Called with ``(w, h)``.

    Returns:
        ``(w, h)``: the frequencies, ``[F]``, and the complex response, ``[..., F]``, computed in float64 and rounded
        to complex64 where ``b`` and ``a`` are tensors of at most single precision.

    Raises:
        ValueError: ``b`` or ``a`` is empty, leading dimensions do not fit, or ``worN`` is a number of frequencies that
            is negative or whose place cannot be looked for.
        TypeError: Frequencies are complex.

    Source: :func:`scipy.signal.freqs`.

    Example:
        >>> import torch, polezero
        >>> w, h = polezero.freqs([1.0], [1.0, 1.0], torch.tensor([0.0, 1.0]))
        >>> h
        tensor([1.0000+0.0000j, 0.5000-0.5000j], dtype=torch.complex128)
    """
    b_, a_ = transfer_function("freqs", b, a)
    dtype = result_dtype(b, a)
    w = _frequencies("freqs", worN, dtype, b_, a_)
    h = (_horner(b_, w) / _horner(a_, w)).to(complex_of(dtype))
    if plot is not None:
        plot(w, h)
    return w, h


@overridable
def freqs_zpk(z: Coefficients, p: Coefficients, k: Coefficients, worN: Frequencies = 200) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of an analog filter by zeros, poles and gain.

    .. math::

        H(j \omega) = k \frac{\prod_{i=1}^{M} (j \omega - z_i)}{\prod_{i=1}^{N} (j \omega - p_i)}

    Args:
        z: Zeros, shape ``[..., M]``.
        p: Poles, shape ``[..., N]``, leading dimensions broadcast.
        k: Gain, shape ``[...]``.
        worN: As in :func:`freqs`.

    Returns:
        ``(w, h)``, as :func:`freqs` does.

    Errors are those of :func:`freqs`. Source: :func:`scipy.signal.freqs_zpk`.

    Example:
        >>> import torch, polezero
        >>> polezero.freqs_zpk([], [-1.0], 1.0, [0.0, 1.0])[1]
        tensor([1.0000+0.0000j, 0.5000-0.5000j], dtype=torch.complex128)
    """
    z_, p_, k_ = zeros_poles_gain("freqs_zpk", z, p, k)
    dtype = result_dtype(z, p, k)
    w = _frequencies("freqs_zpk", worN, dtype, z_, p_, are_roots=True)
    s = torch.complex(torch.zeros_like(w), w).unsqueeze(-2).to(torch.complex128)
    zeros, poles = ((s - roots.unsqueeze(-1)).unbind(-2) for roots in (z_, p_))
    h = k_.unsqueeze(-1) * ratio_of_products(zeros, poles, torch.ones_like(s.squeeze(-2)))
    return w, h.to(complex_of(dtype))


def _horner(c: Tensor, w: Tensor) -> Tensor:
    s = torch.complex(torch.zeros_like(w), w).to(torch.complex128)
    total = torch.zeros_like(s)
    for coefficient in c.unbind(-1):
        total = total * s + coefficient.unsqueeze(-1)
    return total


def _frequencies(
    function: str, worN: Any, dtype: torch.dtype, num: Tensor, den: Tensor, are_roots: bool = False
) -> Tensor:
    worN = 200 if worN is None else worN
    if not is_count(worN):
        return to_frequencies(function, "worN", worN, dtype, num.device)
    count = operator.index(worN)
    if count < 0:
        raise ValueError(f"{function}: worN: expected a number of frequencies >= 0, got {count}")
    if not readable(num, den):
        raise ValueError(
            f"{function}: worN: expected frequencies where values of coefficients are not looked at (on a GPU, under "
            f"torch.compile and torch.func), got their number, {count}"
        )
    zeros, poles = (_all_roots(t.detach(), are_roots) for t in (num, den))
    return _around(zeros, poles, count).to(dtype)


def _all_roots(t: Tensor, are_roots: bool) -> Tensor:
    """Those of all filters; a polynomial begins where it is not 0."""
    if are_roots:
        return t.flatten().to(torch.complex128)
    return torch.cat([roots(row[int((row != 0).int().argmax()) :]) for row in t.reshape(-1, t.shape[-1])])


def _around(zeros: Tensor, poles: Tensor, count: int) -> Tensor:
    """From a tenth of the lowest frequency of a pole or zero to ten times the highest, in whole decades."""
    if poles.numel() == 0:
        poles = torch.tensor([-1000.0 + 0j], dtype=torch.complex128)
    found = torch.cat([poles[poles.imag >= 0], zeros[(zeros.abs() < 1e5) & (zeros.imag >= 0)]])
    at_origin = (found.abs() < 1e-10).double()
    real = (found.real + at_origin).abs()
    highest = torch.round(torch.log10((3 * real + 1.5 * found.imag).max()) + 0.5)
    lowest = torch.round(torch.log10(0.1 * (real + 2 * found.imag).min()) - 0.5)
    return torch.logspace(float(lowest), float(highest), count, dtype=torch.float64)
