"""Filters by numerator and denominator, as SciPy has them, and their states. Letters are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import (
    check_backward,
    check_int,
    coefficients,
    precise,
    run,
    signal,
)
from polezero._overrides import overridable
from polezero._signatures import Backward, Coefficients

__all__ = ["lfilter", "lfilter_zi", "lfiltic", "sensitivity", "tdf2_ssm"]

_ops = torch.ops.polezero


@overload
def lfilter(
    b: Coefficients, a: Coefficients, x: Tensor, axis: int = ..., zi: None = None, *, backward: Backward = ...
) -> Tensor: ...
@overload
def lfilter(
    b: Coefficients, a: Coefficients, x: Tensor, axis: int = ..., zi: Coefficients = ..., *, backward: Backward = ...
) -> tuple[Tensor, Tensor]: ...
@overridable
def lfilter(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    axis: int = -1,
    zi: Coefficients | None = None,
    *,
    backward: Backward = "one_pass",
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` along ``axis`` with a recursive (IIR) or FIR filter.

    .. math::

        a_0 y[n] = \sum_{k=0}^{M} b_k x[n-k] - \sum_{i=1}^{N} a_i y[n-i],
        \qquad
        H(z) = \frac{b_0 + b_1 z^{-1} + \dots + b_M z^{-M}}{a_0 + a_1 z^{-1} + \dots + a_N z^{-N}}

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``; ``a[..., 0]`` is divided out, in float64.
        x: Signal of any rank. The leading dimensions of ``b`` and ``a`` broadcast against those
            of ``x`` with ``axis`` left out, so ``x[..., None, :]`` with ``b[bands, M + 1]`` is a
            filter bank.
        axis: The axis of time.
        zi: Initial state of transposed direct form II, ``P`` values along ``axis``, the rest
            broadcast along the rows of ``x``; as :func:`lfilter_zi` and :func:`lfiltic` make it.
            The number 0 is rest, of any ``P``: the first of several chunks.
        backward: How reverse mode computes the gradients of ``b`` and ``a``: ``"one_pass"``
            (one reverse recurrence, fused with the reductions) or ``"two_pass"`` (one more
            recurrence forward in time); they are equal.

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given. Where ``a`` needs a
        gradient both are kept for the gradient: write ``y = gain * y`` then, for ``y *= gain``
        before ``backward()`` is an error.

    The order of arguments is SciPy's; torchaudio's ``lfilter`` has ``(x, a, b)``, which is a
    filter here too, but another one: with ``x`` as numerator.

    ``y`` has the dtype of ``x`` (its complex one where ``b``, ``a`` or ``zi`` is complex; the
    default dtype where ``x`` holds integers), whatever the coefficients have. That is not SciPy's
    promotion: float64 coefficients beside a float32 signal are used as they are, for rounding them
    is the largest error there is near the unit circle (docs/numerics.md), and lists, NumPy arrays
    and Python numbers are float64 (complex128). A float64 ``zi`` beside a float32 ``x`` is not
    rounded either, and ``zf`` has the dtype of ``y`` and ``zi``, promoted. Gradients have the dtype
    of their tensor. float16 and bfloat16 are computed in float32; float32 signals are filtered with
    a float64 state. Denormal numbers are read and written as zero. NaN and inf behave as in a
    filter that runs sample by sample, and never reach other rows.

    Raises:
        ValueError: ``a[..., 0]`` is 0, ``b`` or ``a`` is empty, a shape does not fit, the
            tensors are on different devices, or ``backward`` is unknown.
        TypeError: ``x`` is no tensor, or a dtype is not supported.
        IndexError: ``axis`` is out of range.
        NotImplementedError: The tensors are on a device that this build has no kernels for.

    Source: the structure and its state are those of :func:`scipy.signal.lfilter`; the one-pass
    gradient is in C.-Y. Yu et al., "Differentiable All-pole Filters for Time-varying Audio
    Systems", DAFx 2024, the two-pass gradient in C.-Y. Yu and G. Fazekas, "Singing Voice
    Synthesis Using Differentiable LPC and Glottal-Flow-Inspired Wavetables", ISMIR 2023.

    Example:
        >>> import torch, polezero
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> polezero.lfilter([1.0], [1.0, -0.5], x)
        tensor([1.0000, 0.5000, 0.2500, 0.1250])
        >>> a = torch.tensor([1.0, -0.5], requires_grad=True)
        >>> polezero.lfilter([1.0], a, x).sum().backward()
        >>> a.grad
        tensor([-3.2500, -2.7500])
    """
    check_int("lfilter", "axis", axis)
    check_backward("lfilter", backward)
    return run("lfilter", _ops.lfilter.default, x, zi, backward, states=states, axis=axis, b=b, a=a)


@overload
def tdf2_ssm(b: Coefficients, a: Coefficients, x: Tensor, zi: None = None, *, backward: Backward = ...) -> Tensor: ...
@overload
def tdf2_ssm(
    b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients, *, backward: Backward = ...
) -> tuple[Tensor, Tensor]: ...
@overridable
def tdf2_ssm(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    backward: Backward = "one_pass",
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` along its last axis with a state-space filter in transposed direct form II.

    .. math::

        y[n] &= b_0 x[n] + s_1[n] \\
        s_j[n+1] &= b_j x[n] + s_{j+1}[n] - a_j y[n], \quad j = 1 .. P, \quad s_{P+1} = 0

    with ``b`` and ``a`` divided by ``a_0``. That is :func:`lfilter` along the last axis, states
    and gradients included: backwards in time it is direct form II. No state is kept in memory.

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``.
        x: Signal, shape ``[..., T]``.
        zi: Initial state ``s_1[0] .. s_P[0]``, shape ``[..., P]``. Broadcast along rows; 0 is rest.
        backward: As in :func:`lfilter`.

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given; kept for the gradient
        as in :func:`lfilter`.

    Errors are those of :func:`lfilter`. Source: C.-Y. Yu, "Notes on differentiable TDF-II filter",
    2025.

    Example:
        >>> import torch, polezero
        >>> polezero.tdf2_ssm([1.0], [1.0, -0.5], torch.tensor([1.0, 0.0, 0.0]), zi=[1.0])
        (tensor([2.0000, 1.0000, 0.5000]), tensor([0.2500], dtype=torch.float64))
    """
    check_backward("tdf2_ssm", backward)
    return run("tdf2_ssm", _ops.tdf2_ssm.default, x, zi, backward, states=states, b=b, a=a)


@overridable
def sensitivity(b: Coefficients, a: Coefficients, x: Tensor, axis: int = -1) -> tuple[Tensor, Tensor]:
    r"""Return how the output of :func:`lfilter`, from rest, moves with each coefficient.

    .. math::

        \frac{\partial y[n]}{\partial b_k} = \phi[n-k], \quad \phi = \frac{1}{A(z)} x,
        \qquad
        \frac{\partial y[n]}{\partial a_i} = \psi[n-i], \quad \psi = -\frac{1}{A(z)} y

    One filter pass for each of the two Jacobians, whatever the order, after one for ``y``: what
    Gauss-Newton, Levenberg-Marquardt and sensitivity plots need.

    Args:
        b: As in :func:`lfilter`.
        a: As in :func:`lfilter`.
        x: As in :func:`lfilter`.
        axis: As in :func:`lfilter`.

    Returns:
        ``dy_db`` of shape ``[..., T, M + 1]`` and ``dy_da`` of shape ``[..., T, N + 1]``
        (``a_0`` included), the axis of time moved last but one.

    Errors are those of :func:`lfilter`. Source: the two-pass algorithm in C.-Y. Yu and G.
    Fazekas, "Singing Voice Synthesis Using Differentiable LPC and Glottal-Flow-Inspired
    Wavetables", ISMIR 2023.

    Example:
        >>> import torch, polezero
        >>> dy_db, dy_da = polezero.sensitivity([1.0], [1.0, -0.5], torch.tensor([1.0, 0.0, 0.0]))
        >>> dy_db[:, 0], dy_da[:, 1]
        (tensor([1.0000, 0.5000, 0.2500]), tensor([ 0., -1., -1.]))
    """
    x = signal("sensitivity", x)
    check_int("sensitivity", "axis", axis)
    b_, a_ = coefficients("sensitivity", "b", b, x), coefficients("sensitivity", "a", a, x)
    dy_db, dy_da = _ops.sensitivity.default(b_, a_, x, axis)
    return dy_db, dy_da


@overridable
def lfilter_zi(b: Coefficients, a: Coefficients, *, dtype: torch.dtype | None = None) -> Tensor:
    r"""Return the state in which :func:`lfilter` answers a step with its steady state at once.

    It solves :math:`z = A^T z + B` for the transposed direct form II, which has the closed form

    .. math::

        z_0 = \frac{\sum_{k \ge 1} (b_k - a_k b_0)}{\sum_k a_k}, \qquad
        z_m = z_0 \sum_{k=0}^{m} a_k - \sum_{k=1}^{m} (b_k - a_k b_0)

    with ``a`` and ``b`` divided by ``a_0``.

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``.
        dtype: Of the result; by default float64 or complex128, in which it is computed, whatever
            the arguments have: a filter takes such a state beside a signal of any dtype.

    Returns:
        ``zi`` of shape ``[..., P]``, to be multiplied by the first sample of the signal. Where
        values may not be looked at, that of a filter with a pole at ``z = 1`` is inf or NaN.

    Raises:
        ValueError: ``a[..., 0]`` is 0, ``sum(a)`` is 0 to rounding (a pole at ``z = 1``, where there is no such
            state), ``b`` or ``a`` is empty, or leading dimensions or devices do not fit.
        TypeError: A dtype is not supported.

    Source: :func:`scipy.signal.lfilter_zi`.

    Example:
        >>> import torch, polezero
        >>> b, a = [0.25, 0.25], [1.0, -0.5]
        >>> zi = polezero.lfilter_zi(b, a)
        >>> polezero.lfilter(b, a, torch.ones(3), zi=zi)[0]
        tensor([1., 1., 1.])
    """
    zi: Tensor = _ops.lfilter_zi.default(*precise("lfilter_zi", b=b, a=a))
    return zi if dtype is None else zi.to(dtype)


@overridable
def lfiltic(
    b: Coefficients,
    a: Coefficients,
    y: Coefficients,
    x: Coefficients | None = None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor:
    r"""Return the state of :func:`lfilter` that past outputs and inputs leave behind.

    .. math::

        z_m = \sum_{k > m} b_k x[m-k] - \sum_{i > m} a_i y[m-i]

    with ``a`` and ``b`` divided by ``a_0``.

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``.
        y: Past outputs, newest first, ``y[..., k - 1] = y[-k]``; missing ones are zero.
        x: Past inputs, newest first; missing ones are zero.
        dtype: Of the result; by default float64 or complex128, in which it is computed, whatever
            the arguments have: a filter takes such a state beside a signal of any dtype.

    Returns:
        ``zi`` of shape ``[..., P]``.

    Raises:
        ValueError: ``a[..., 0]`` is 0, ``b`` or ``a`` is empty, or leading dimensions or devices do not fit.
        TypeError: A dtype is not supported.

    Source: :func:`scipy.signal.lfiltic`.

    Example:
        >>> import torch, polezero
        >>> zi = polezero.lfiltic([1.0], [1.0, -0.5], y=[8.0])
        >>> polezero.lfilter([1.0], [1.0, -0.5], torch.zeros(3), zi=zi)[0]
        tensor([4., 2., 1.])
    """
    past = {"y": y} if x is None else {"y": y, "x": x}
    zi: Tensor = _ops.lfiltic.default(*precise("lfiltic", b=b, a=a, **past))
    return zi if dtype is None else zi.to(dtype)


def states(b: Tensor, a: Tensor) -> tuple[int]:
    """P of them, in the transposed direct form II."""
    return (max(b.shape[-1], a.shape[-1]) - 1,)
