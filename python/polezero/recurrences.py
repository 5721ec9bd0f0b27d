"""Recurrences in state-space form. Letters, dtypes and errors are those of :mod:`polezero.functional`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import Backward, Coefficients, check_options, run

__all__ = ["linear_recurrence", "state_space", "tdf2_ssm"]

_ops = torch.ops.polezero


@overload
def tdf2_ssm(b: Coefficients, a: Coefficients, x: Tensor, zi: None = ..., *, backward: Backward = ...) -> Tensor: ...
@overload
def tdf2_ssm(
    b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients, *, backward: Backward = ...
) -> tuple[Tensor, Tensor]: ...
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
        zi: Initial state ``s_1[0] .. s_P[0]``, shape ``[..., P]``.
        backward: As in :func:`lfilter`.

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given.

    Errors are those of :func:`lfilter`. Source: C.-Y. Yu, "Notes on differentiable TDF-II filter",
    2025.

    Example:
        >>> import torch, polezero
        >>> polezero.tdf2_ssm([1.0], [1.0, -0.5], torch.tensor([1.0, 0.0, 0.0]), zi=[1.0])
        (tensor([2.0000, 1.0000, 0.5000]), tensor([0.2500]))
    """
    check_options("tdf2_ssm", -1, backward)
    return run("tdf2_ssm", _ops.tdf2_ssm.default, x, zi, backward, b=b, a=a)


@overload
def linear_recurrence(a: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def linear_recurrence(a: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
def linear_recurrence(a: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Run a first-order recurrence along the last axis of ``x``.

    .. math::

        h[n] = a[n] h[n-1] + x[n]

    Args:
        a: Shape ``[..., T]``, or ``[..., 1]`` or a scalar where it does not change with time.
        x: Signal, shape ``[..., T]``.
        zi: ``h[-1]``, shape ``[..., 1]``.

    Returns:
        ``h``, or ``(h, zf)`` with its last value, shape ``[..., 1]``, when ``zi`` is given.

    Errors are those of :func:`lfilter`. Source: the definition; the gradients are in
    E. Martin and C. Cundy, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length",
    ICLR 2018.

    Example:
        >>> import torch, polezero
        >>> polezero.linear_recurrence(torch.tensor([0.5, 0.5, 0.0]), torch.ones(3))
        tensor([1.0000, 1.5000, 1.0000])
    """
    return run("linear_recurrence", _ops.linear_recurrence.default, x, zi, a=a)


@overload
def state_space(
    A: Coefficients, B: Coefficients, C: Coefficients | None, D: Coefficients | None, x: Tensor, zi: None = ...
) -> Tensor: ...
@overload
def state_space(
    A: Coefficients, B: Coefficients, C: Coefficients | None, D: Coefficients | None, x: Tensor, zi: Coefficients
) -> tuple[Tensor, Tensor]: ...
def state_space(
    A: Coefficients,
    B: Coefficients,
    C: Coefficients | None,
    D: Coefficients | None,
    x: Tensor,
    zi: Coefficients | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter the ``I`` signals of ``x`` with a linear system of ``S`` states into ``O`` signals.

    .. math::

        v[n+1] &= A v[n] + B x[n] \\
        y[n] &= C v[n] + D x[n], \qquad H(z) = C (z I - A)^{-1} B + D

    Args:
        A: Shape ``[..., S, S]``, leading dimensions broadcast against those of ``x``.
        B: Shape ``[..., S, I]``.
        C: Shape ``[..., O, S]``; None returns the states ``v[0] .. v[T-1]``, shape ``[..., S, T]``.
        D: Shape ``[..., O, I]``; None for zero.
        x: Signals, shape ``[..., I, T]``.
        zi: Initial state ``v[0]``, shape ``[..., S]``.

    Returns:
        ``y`` of shape ``[..., O, T]``, or ``(y, zf)`` with ``zf = v[T]`` when ``zi`` is given.

    The states are not kept in memory unless they are asked for; gradients of the matrices find them
    again. Errors are those of :func:`lfilter`. Source: the definition, which :func:`scipy.signal.dlsim`
    shares.

    Example:
        >>> import torch, polezero
        >>> rotation = [[0.0, -1.0], [1.0, 0.0]]  # a quarter turn each sample
        >>> x = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
        >>> polezero.state_space(rotation, [[1.0], [0.0]], [[1.0, 0.0]], None, x)
        tensor([[ 0.,  1.,  0., -1.]])
    """
    return run("state_space", _ops.state_space.default, x, zi, optional=("C", "D"), A=A, B=B, C=C, D=D)
