"""Filters of given coefficients, which the others are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero import _lfilter
from polezero._arguments import coefficients
from polezero._overrides import overridable
from polezero.compat.torchaudio._arguments import Number, check_waveform, numbers

__all__ = ["biquad", "deemphasis", "filtered", "filtfilt", "lfilter", "preemphasis", "section"]


@overridable
def lfilter(waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, clamp: bool = True, batching: bool = True) -> Tensor:
    r"""Filter a waveform with one filter, or with several.

    .. math::

        a_0 y[n] = \sum_{k=0}^{N} b_k x[n-k] - \sum_{i=1}^{N} a_i y[n-i]

    Args:
        waveform: Signal, shape ``[..., time]``.
        a_coeffs: Denominator, shape ``[order + 1]``, or ``[filters, order + 1]``; ``a_0`` is divided out in its dtype,
            as torchaudio does. Where that is float64 beside a float32 waveform the filter runs in float64.
        b_coeffs: Numerator, of the shape of ``a_coeffs``.
        clamp: Whether the result is clamped to [-1, 1].
        batching: Of several filters: each has its row of a waveform ``[..., filters, time]``; else all of them
            filter the same one.

    Returns:
        Shape ``[..., time]``, or of several filters ``[..., filters, time]``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.lfilter``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.lfilter(torch.tensor([0.5, 0.0, 0.0, 0.0]), torch.tensor([1.0, -0.5]), torch.tensor([1.0, 0.0]))
        tensor([0.5000, 0.2500, 0.1250, 0.0625])
    """
    function = "compat.torchaudio.lfilter"
    return filtered(function, waveform, *_checked(function, waveform, a_coeffs, b_coeffs), clamp, batching)


@overridable
def filtfilt(waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor, clamp: bool = True) -> Tensor:
    r"""Filter a waveform forwards and then backwards, both times from rest.

    .. math::

        Y(z) = H(z) H(z^{-1}) X(z)

    There is no padding, and what rings beyond the last sample is lost: :func:`polezero.lfilter` twice, where SciPy's
    ``filtfilt`` extends the signal at both ends.

    Args:
        waveform: Signal, shape ``[..., time]``, or ``[..., filters, time]`` for several filters.
        a_coeffs: Denominator, as in :func:`lfilter`.
        b_coeffs: Numerator, as in :func:`lfilter`.
        clamp: Whether the result is clamped to [-1, 1].

    Returns:
        Shape of ``waveform``.

    Errors are those of :func:`lfilter`. Source: ``torchaudio.functional.filtfilt``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.filtfilt(torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
        tensor([0.0000, 0.2500, 0.5000, 0.2500])
    """
    function = "compat.torchaudio.filtfilt"
    a, b = _checked(function, waveform, a_coeffs, b_coeffs)
    forwards = filtered(function, waveform, a, b, clamp=False)
    return filtered(function, forwards.flip(-1), a, b, clamp).flip(-1)


@overridable
def biquad(waveform: Tensor, b0: Number, b1: Number, b2: Number, a0: Number, a1: Number, a2: Number) -> Tensor:
    r"""Filter a waveform with a section of second order, and clamp it to [-1, 1].

    .. math::

        a_0 y[n] = b_0 x[n] + b_1 x[n-1] + b_2 x[n-2] - a_1 y[n-1] - a_2 y[n-2]

    Args:
        waveform: Signal, shape ``[..., time]``.
        b0: Numbers, or tensors of one element, all of them; they are rounded to the dtype of the waveform.
        b1: Of ``x[n-1]``.
        b2: Of ``x[n-2]``.
        a0: Of ``y[n]``.
        a1: Of ``y[n-1]``.
        a2: Of ``y[n-2]``.

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.biquad``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.biquad(torch.tensor([0.5, 0.0, 0.0, 0.0]), 1.0, 0.0, 0.0, 1.0, -0.5, 0.0)
        tensor([0.5000, 0.2500, 0.1250, 0.0625])
    """
    return section("compat.torchaudio.biquad", waveform, b0, b1, b2, a0, a1, a2)


@overridable
def preemphasis(waveform: Tensor, coeff: Number = 0.97) -> Tensor:
    r"""Raise high frequencies, as before speech is analysed.

    .. math::

        y[n] = x[n] - \text{coeff} \cdot x[n-1]

    Args:
        waveform: Signal, shape ``[..., time]``.
        coeff: A number, or a tensor of one element, which has a gradient.

    Returns:
        Shape of ``waveform``; it is not clamped.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.preemphasis``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.preemphasis(torch.tensor([1.0, 1.0, 1.0]), coeff=0.5)
        tensor([1.0000, 0.5000, 0.5000])
    """
    function = "compat.torchaudio.preemphasis"
    (c,) = numbers(function, waveform, coeff=coeff)
    one = torch.ones_like(c)
    return filtered(function, waveform, one.unsqueeze(0), torch.stack([one, -c]), clamp=False)


@overridable
def deemphasis(waveform: Tensor, coeff: Number = 0.97) -> Tensor:
    r"""Take :func:`preemphasis` back, and clamp the result to [-1, 1].

    .. math::

        y[n] = x[n] + \text{coeff} \cdot y[n-1]

    Args:
        waveform: Signal, shape ``[..., time]``.
        coeff: A number, or a tensor of one element, which has a gradient (it has none in torchaudio).

    Returns:
        Shape of ``waveform``.

    Errors are those that :mod:`polezero.compat.torchaudio` names. Source: ``torchaudio.functional.deemphasis``.

    Example:
        >>> import torch
        >>> import polezero.compat.torchaudio as F
        >>> F.deemphasis(torch.tensor([0.5, 0.0, 0.0]), coeff=0.5)
        tensor([0.5000, 0.2500, 0.1250])
    """
    function = "compat.torchaudio.deemphasis"
    (c,) = numbers(function, waveform, coeff=coeff)
    one = torch.ones_like(c)
    return filtered(function, waveform, torch.stack([one, -c]), one.unsqueeze(0))


def section(
    function: str, waveform: Tensor, b0: Number, b1: Number, b2: Number, a0: Number, a1: Number, a2: Number
) -> Tensor:
    """:func:`biquad`, under the name of the function that made the coefficients."""
    values = numbers(function, waveform, b0=b0, b1=b1, b2=b2, a0=a0, a1=a1, a2=a2)
    b, a = torch.stack(values[:3]), torch.stack(values[3:])
    return filtered(function, waveform, *_monic(a, b))


def filtered(
    function: str, waveform: Tensor, a: Tensor, b: Tensor, clamp: bool = True, batching: bool = True
) -> Tensor:
    if a.dim() > 1:
        if not batching:
            waveform = waveform.unsqueeze(-2)
        elif waveform.dim() < 2 or waveform.shape[-2] != a.shape[0]:
            shape = f"[..., {a.shape[0]}, time] for {a.shape[0]} filters"
            raise ValueError(f"{function}: waveform: expected shape {shape}, got {list(waveform.shape)}")
    y = _lfilter.lfilter(b, a, waveform.to(torch.promote_types(waveform.dtype, a.dtype)))
    return (y.clamp(-1, 1) if clamp else y).to(waveform.dtype)


def _checked(function: str, waveform: Tensor, a_coeffs: Tensor, b_coeffs: Tensor) -> tuple[Tensor, Tensor]:
    check_waveform(function, waveform)
    a = coefficients(function, "a_coeffs", a_coeffs, waveform)
    b = coefficients(function, "b_coeffs", b_coeffs, waveform)
    if a.dim() > 2:
        raise ValueError(f"{function}: a_coeffs: expected one or two dimensions, got shape {list(a.shape)}")
    if a.shape != b.shape or a.shape[-1] == 0:
        shapes = f"{list(a.shape)} and {list(b.shape)}"
        raise ValueError(f"{function}: a_coeffs: expected the shape of b_coeffs, and a coefficient, got {shapes}")
    for name, c in {"a_coeffs": a, "b_coeffs": b}.items():
        if c.device != waveform.device:
            where = f"expected a tensor on {waveform.device} as waveform, got one on {c.device}"
            raise ValueError(f"{function}: {name}: {where}")
    return _monic(a, b)


def _monic(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """a_0 is divided out in the coefficients' dtype, where :func:`polezero.lfilter` would do so in float64."""
    return a / a[..., :1], b / a[..., :1]
