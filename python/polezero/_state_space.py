"""Linear systems of states. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import run
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["state_space"]

_ops = torch.ops.polezero


@overload
def state_space(
    A: Coefficients, B: Coefficients, C: Coefficients | None, D: Coefficients | None, x: Tensor, zi: None = None
) -> Tensor: ...
@overload
def state_space(
    A: Coefficients, B: Coefficients, C: Coefficients | None, D: Coefficients | None, x: Tensor, zi: Coefficients
) -> tuple[Tensor, Tensor]: ...
@overridable
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
        zi: Initial state ``v[0]``, shape ``[..., S]``. Broadcast along rows; 0 is rest.

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
