"""Poles, and whether a filter is stable."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._conversions.roots import roots
from polezero._overrides import overridable
from polezero._responses.systems import System, system_of

__all__ = ["is_stable", "pole_radius", "poles"]


@overridable
def poles(system: System) -> Tensor:
    r"""Return the poles of a filter.

    .. math::

        a_0 p^N + a_1 p^{N-1} + \dots + a_N = 0

    Args:
        system: A tuple ``(b, a)`` or ``(z, p, k)``, or, being no tuple, sections ``sos`` of shape ``[..., K, 6]``, with
            shapes as in :func:`freqz`, :func:`freqz_zpk` and :func:`freqz_sos`. None is cancelled by a zero.

    Returns:
        Poles in complex128, shape ``[..., N]``, of sections ``[..., 2 K]``: those of each together, a section of first
        order has one at 0. Those of real coefficients are conjugates to the bit, one beside the other. NaN where
        ``a_0`` is 0.

    They are differentiable; where poles are repeated there is no derivative, and the gradient is 0. Errors are those of
    :func:`freqz`. Source: the definition.

    Example:
        >>> import polezero
        >>> polezero.poles(([1.0], [1.0, 0.0, 0.25]))
        tensor([0.+0.5000j, 0.-0.5000j], dtype=torch.complex128)
    """
    return _poles("poles", system)


@overridable
def pole_radius(system: System) -> Tensor:
    r"""Return the largest magnitude of a filter's poles.

    .. math::

        \rho = \max_k |p_k|

    Args:
        system: As in :func:`poles`.

    Returns:
        The radius in float64, shape ``[...]``; 0 where there is no pole. A response dies away as
        :math:`\rho^n` does, where ``rho`` is below 1.

    Errors and gradients are those of :func:`poles`. Source: the definition.

    Example:
        >>> import polezero
        >>> polezero.pole_radius(([1.0], [1.0, 0.0, 0.25]))
        tensor(0.5000, dtype=torch.float64)
    """
    return _radius("pole_radius", system)


@overridable
def is_stable(system: System) -> Tensor:
    r"""Return whether all poles of a filter lie inside the unit circle.

    .. math::

        \max_k |p_k| < 1

    Args:
        system: As in :func:`poles`.

    Returns:
        Booleans of shape ``[...]``. Where ``a_0`` is 0, or a coefficient NaN, a filter is not.

    Errors are those of :func:`poles`. Source: the definition.

    Example:
        >>> import polezero
        >>> polezero.is_stable([[1.0, 0.0, 0.0, 1.0, -1.6, 0.8], [1.0, 0.0, 0.0, 1.0, -0.5, 0.0]])
        tensor(True)
    """
    return _radius("is_stable", system) < 1


def _poles(function: str, system: System) -> Tensor:
    tensors = system_of(function, system)
    if len(tensors) == 3:
        return tensors[1].to(torch.complex128, copy=True)
    if len(tensors) == 2:
        return roots(tensors[1])
    return roots(tensors[0][..., 3:]).flatten(-2)


def _radius(function: str, system: System) -> Tensor:
    radii = _poles(function, system).abs()
    return torch.nn.functional.pad(radii, (0, 1)).amax(-1)
