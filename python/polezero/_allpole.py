"""Filters that are all feedback. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import check_backward, run
from polezero._overrides import overridable
from polezero._signatures import Backward, Coefficients

__all__ = ["allpole", "linear_recurrence"]

_ops = torch.ops.polezero


@overload
def allpole(a: Coefficients, x: Tensor, zi: None = None, *, backward: Backward = ...) -> Tensor: ...
@overload
def allpole(a: Coefficients, x: Tensor, zi: Coefficients, *, backward: Backward = ...) -> tuple[Tensor, Tensor]: ...
@overridable
def allpole(
    a: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    backward: Backward = "one_pass",
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` along its last axis with an all-pole filter, as linear prediction writes it.

    .. math::

        y[n] = x[n] - \sum_{i=1}^{N} a_i y[n-i],
        \qquad
        H(z) = \frac{1}{1 + a_1 z^{-1} + \dots + a_N z^{-N}}

    Args:
        a: ``a_1 .. a_N``, shape ``[..., N]``, leading dimensions broadcast against those of ``x``.
            No leading 1: of a denominator of :func:`lfilter` it is ``a[..., 1:] / a[..., :1]``.
        x: Signal, shape ``[..., T]``.
        zi: Past outputs, newest first, shape ``[..., N]``: ``zi[..., k - 1] = y[-k]``. Broadcast along rows; 0 is rest.
        backward: As in :func:`lfilter`.

    Returns:
        ``y``, or ``(y, zf)`` when ``zi`` is given; ``zf`` is the last ``N`` outputs, newest
        first (of ``zi`` where ``T < N``). ``y`` is kept for the gradient of ``a``, as in
        :func:`lfilter`.

    Dtypes and errors are those of :func:`lfilter`. Source: C.-Y. Yu and G. Fazekas, "Singing
    Voice Synthesis Using Differentiable LPC and Glottal-Flow-Inspired Wavetables", ISMIR 2023.

    Example:
        >>> import torch, polezero
        >>> y, zf = polezero.allpole([-0.5], torch.zeros(3), zi=[8.0])
        >>> y, zf
        (tensor([4., 2., 1.]), tensor([1.], dtype=torch.float64))
    """
    check_backward("allpole", backward)
    return run("allpole", _ops.allpole.default, x, zi, backward, of_samples=True, a=a)


@overload
def linear_recurrence(a: Coefficients, x: Tensor, zi: None = None) -> Tensor: ...
@overload
def linear_recurrence(a: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
@overridable
def linear_recurrence(a: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Run a first-order recurrence along the last axis of ``x``.

    .. math::

        h[n] = a[n] h[n-1] + x[n]

    Args:
        a: Shape ``[..., T]``, or ``[..., 1]`` or a scalar where it does not change with time.
        x: Signal, shape ``[..., T]``.
        zi: ``h[-1]``, shape ``[..., 1]``. Broadcast along rows; 0 is rest.

    Returns:
        ``h``, or ``(h, zf)`` with its last value, shape ``[..., 1]``, when ``zi`` is given. ``h`` is kept for the
        gradient of ``a``, as in :func:`lfilter`.

    Errors are those of :func:`lfilter`. Source: the definition; the gradients are in
    E. Martin and C. Cundy, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length",
    ICLR 2018.

    Example:
        >>> import torch, polezero
        >>> polezero.linear_recurrence(torch.tensor([0.5, 0.5, 0.0]), torch.ones(3))
        tensor([1.0000, 1.5000, 1.0000])
    """
    return run("linear_recurrence", _ops.linear_recurrence.default, x, zi, states=lambda _: (1,), of_samples=True, a=a)
