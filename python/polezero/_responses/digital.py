"""Responses of digital filters on the unit circle. Letters are those of :mod:`polezero`, F frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._conversions.forms import sections, transfer_function, zeros_poles_gain
from polezero._overrides import overridable
from polezero._responses.grids import Frequencies, Grid, Plot, circle_at, grid_of
from polezero._responses.products import polynomial_at, ratio_of_products, root_factors, sections_at
from polezero._responses.systems import complex_of, result_dtype
from polezero._signatures import Coefficients

__all__ = ["freqz", "freqz_sos", "freqz_zpk", "sosfreqz"]


@overridable
def freqz(
    b: Coefficients,
    a: Coefficients = 1,
    worN: Frequencies = 512,
    whole: bool = False,
    plot: Plot = None,
    fs: float = 2 * math.pi,
    include_nyquist: bool = False,
) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of a digital filter.

    .. math::

        H(e^{j \omega}) = \frac{b_0 + b_1 e^{-j\omega} + \dots + b_M e^{-j M \omega}}
            {a_0 + a_1 e^{-j\omega} + \dots + a_N e^{-j N \omega}}, \qquad \omega = 2 \pi w / f_s

    Args:
        b: Numerator, shape ``[..., M + 1]``. As everywhere in polezero, and not as in SciPy, coefficients lie along
            the last axis, and leading dimensions are those of a batch, which broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        worN: How many frequencies, evenly from 0 up to ``fs / 2``, which is left out (None: 512), or the frequencies
            in the units of ``fs``, shape ``[F]``, or ``[..., F]`` to broadcast, in which H is differentiable, too. A
            tensor is always frequencies.
        whole: Whether that many frequencies go up to ``fs``.
        plot: Called with ``(w, h)``. :mod:`polezero.plot` has figures.
        fs: Sampling rate. By default frequencies are angles in radians a sample.
        include_nyquist: Whether the last of so many frequencies is ``fs / 2``.

    Returns:
        ``(w, h)``: the frequencies, ``[F]``, and the complex response, ``[..., F]``. It is computed in float64 and
        rounded to complex64 where ``b`` and ``a`` are tensors of at most single precision.

    The response is differentiable where it vanishes, too; ``h.abs()`` has the gradient 0 there, by torch's
    convention, and decibels have none: ``20 * torch.log10(h.abs().clamp(min=floor))`` has. Evenly spaced
    frequencies take two FFTs, whatever the orders. Near poles in clusters polynomials lose their digits:
    :func:`freqz_sos` and :func:`freqz_zpk` keep them.

    Raises:
        ValueError: ``b`` or ``a`` is empty, leading dimensions do not fit, ``worN`` is negative, or ``fs`` no number.
        TypeError: Frequencies are complex.

    Source: :func:`scipy.signal.freqz`.

    Example:
        >>> import torch, polezero
        >>> a = torch.tensor([1.0, -0.5], requires_grad=True)
        >>> w, h = polezero.freqz([1.0], a, worN=3, include_nyquist=True, fs=8000)
        >>> w, h.abs().detach()
        (tensor([   0., 2000., 4000.], dtype=torch.float64), tensor([2.0000, 0.8944, 0.6667], dtype=torch.float64))
        >>> h.abs().sum().backward()
        >>> a.grad
        tensor([-5.1600, -3.1978])
    """
    b_, a_ = transfer_function("freqz", b, a)
    dtype = result_dtype(b, a)
    grid = grid_of("freqz", "worN", worN, whole, fs, dtype, b_.device, include_nyquist)
    return _response(polynomial_at(b_, grid) / polynomial_at(a_, grid), grid, dtype, plot)


@overridable
def freqz_zpk(
    z: Coefficients,
    p: Coefficients,
    k: Coefficients,
    worN: Frequencies = 512,
    whole: bool = False,
    fs: float = 2 * math.pi,
) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of a digital filter by zeros, poles and gain.

    .. math::

        H(e^{j \omega}) = k \frac{\prod_{i=1}^{M} (e^{j \omega} - z_i)}{\prod_{i=1}^{N} (e^{j \omega} - p_i)}

    Args:
        z: Zeros, shape ``[..., M]``.
        p: Poles, shape ``[..., N]``, leading dimensions broadcast.
        k: Gain, shape ``[...]``.
        worN: As in :func:`freqz`.
        whole: As in :func:`freqz`.
        fs: As in :func:`freqz`.

    Returns:
        ``(w, h)``, as :func:`freqz` does. Where a filter has fewer zeros than poles, it is by ``N - M`` samples later
        than the polynomials of ``zpk2tf`` in powers of 1/z are.

    The factors are multiplied and divided in groups, in float64, so that long products do not overflow. Errors and
    gradients are those of :func:`freqz`. Source: :func:`scipy.signal.freqz_zpk`.

    Example:
        >>> import torch, polezero
        >>> w, h = polezero.freqz_zpk([-1.0], [0.5], 0.25, worN=[0.0, torch.pi / 2, torch.pi])
        >>> h.abs()
        tensor([1.0000, 0.3162, 0.0000], dtype=torch.float64)
    """
    z_, p_, k_ = zeros_poles_gain("freqz_zpk", z, p, k)
    dtype = result_dtype(z, p, k)
    grid = grid_of("freqz_zpk", "worN", worN, whole, fs, dtype, z_.device)
    circle = circle_at(grid.turns)
    h = k_.unsqueeze(-1) * ratio_of_products(root_factors(z_, circle), root_factors(p_, circle))
    return _response(h, grid, dtype)


@overridable
def freqz_sos(
    sos: Coefficients, worN: Frequencies = 512, whole: bool = False, fs: float = 2 * math.pi
) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of a cascade of second-order sections.

    .. math::

        H(e^{j \omega}) = \prod_{k=1}^{K} \frac{b_{k0} + b_{k1} e^{-j\omega} + b_{k2} e^{-2j\omega}}
            {a_{k0} + a_{k1} e^{-j\omega} + a_{k2} e^{-2j\omega}}

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., K, 6]``; ``a_0`` need not be 1.
        worN: As in :func:`freqz`.
        whole: As in :func:`freqz`.
        fs: As in :func:`freqz`.

    Returns:
        ``(w, h)``, as :func:`freqz` does.

    Each section is computed in float64 by what keeps its digits for poles and zeros close to 1 and -1, where those of
    low frequencies lie; the products are made and divided in groups of 16, so that long cascades overflow only where
    ``h`` does. Errors and gradients are those of :func:`freqz`. Source: :func:`scipy.signal.freqz_sos`.

    Example:
        >>> import torch, polezero
        >>> sos = torch.tensor([[0.25, 0.25, 0.0, 1.0, -0.5, 0.0]], requires_grad=True)
        >>> w, h = polezero.freqz_sos(sos, worN=2)
        >>> h.abs().detach()
        tensor([1.0000, 0.3162])
        >>> h.abs().sum().backward()
        >>> sos.grad.shape
        torch.Size([1, 6])
    """
    return _of_sections("freqz_sos", sos, worN, whole, fs)


@overridable
def sosfreqz(
    sos: Coefficients, worN: Frequencies = 512, whole: bool = False, fs: float = 2 * math.pi
) -> tuple[Tensor, Tensor]:
    r"""Return the frequency response of sections: the older name of :func:`freqz_sos`.

    .. math::

        H(e^{j \omega}) = \prod_{k=1}^{K} \frac{B_k(e^{j \omega})}{A_k(e^{j \omega})}

    Args:
        sos: Sections, shape ``[..., K, 6]``.
        worN: As in :func:`freqz`.
        whole: As in :func:`freqz`.
        fs: As in :func:`freqz`.

    Returns:
        ``(w, h)``, as :func:`freqz` does.

    Errors and gradients are those of :func:`freqz`. Source: :func:`scipy.signal.sosfreqz`.

    Example:
        >>> import polezero
        >>> polezero.sosfreqz([[0.25, 0.25, 0.0, 1.0, -0.5, 0.0]], worN=2)[1].abs()
        tensor([1.0000, 0.3162], dtype=torch.float64)
    """
    return _of_sections("sosfreqz", sos, worN, whole, fs)


def _of_sections(function: str, sos: Coefficients, worN: Frequencies, whole: bool, fs: float) -> tuple[Tensor, Tensor]:
    cascade, dtype = sections(function, sos), result_dtype(sos)
    grid = grid_of(function, "worN", worN, whole, fs, dtype, cascade.device)
    return _response(sections_at(cascade, grid.turns), grid, dtype)


def _response(h: Tensor, grid: Grid, dtype: torch.dtype, plot: Plot = None) -> tuple[Tensor, Tensor]:
    h = h.to(complex_of(dtype))
    if plot is not None:
        plot(grid.w, h)
    return grid.w, h
