"""Second-order sections, one after another or side by side. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import check_int, run, without_time
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["parallel", "sosfilt"]

_ops = torch.ops.polezero
_parallel = without_time("parallel", _ops.lpv_parallel.default, sos=2)


@overload
def sosfilt(sos: Coefficients, x: Tensor, axis: int = ..., zi: None = None) -> Tensor: ...
@overload
def sosfilt(sos: Coefficients, x: Tensor, axis: int = ..., zi: Coefficients = ...) -> tuple[Tensor, Tensor]: ...
@overridable
def sosfilt(
    sos: Coefficients, x: Tensor, axis: int = -1, zi: Coefficients | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` along ``axis`` with a cascade of second-order sections, in one pass over memory.

    .. math::

        H(z) = \prod_{k=1}^{K}
            \frac{b_{k0} + b_{k1} z^{-1} + b_{k2} z^{-2}}{a_{k0} + a_{k1} z^{-1} + a_{k2} z^{-2}}

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., K, 6]``; ``sos[..., 3]`` is divided
            out, in float64. The leading dimensions broadcast against those of ``x`` with ``axis``
            left out, so ``[rows, K, 6]`` is a cascade for each row.
        x: Signal of any rank.
        axis: The axis of time.
        zi: Initial states in transposed direct form II, shape ``[K, ...]`` with 2 values along ``axis``, as SciPy's.
            Broadcast along rows; 0 is rest.

    Returns:
        ``y``, or ``(y, zf)`` with the final states when ``zi`` is given.

    The signals between the sections are float64 and stay in the cache where there are 4 rows or
    more. The first gradient filters the sections once more instead of keeping them. Errors are those
    of :func:`lfilter`. Source: :func:`scipy.signal.sosfilt`; the adjoint of each section is that of
    :func:`lfilter`.

    Example:
        >>> import torch, polezero
        >>> sos = [[1.0, 0.0, 0.0, 1.0, -0.5, 0.0], [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]]
        >>> polezero.sosfilt(sos, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 1.5000, 0.7500, 0.3750])
    """
    check_int("sosfilt", "axis", axis)
    return run("sosfilt", _ops.sosfilt.default, x, zi, states=states, axis=axis, sos=sos)


@overload
def parallel(sos: Coefficients, x: Tensor, zi: None = None) -> Tensor: ...
@overload
def parallel(sos: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
@overridable
def parallel(sos: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with second-order sections side by side, and add up what they give.

    .. math::

        H(z) = \sum_{k=1}^{K}
            \frac{b_{k0} + b_{k1} z^{-1} + b_{k2} z^{-2}}{a_{k0} + a_{k1} z^{-1} + a_{k2} z^{-2}}

    Each section is a :func:`lattice` of two stages with a ladder, and has its state. :func:`polezero.lpv.parallel`
    lets the sections change with time, and continues from that state.

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, each stable, shape ``[..., K, 6]``; ``sos[..., 3]`` is divided out,
            in float64. Leading dimensions broadcast against those of ``x``.
        x: Signal, shape ``[..., T]``.
        zi: The lattices' states, shape ``[K, ..., 2]``. Broadcast along rows; 0 is rest.

    Returns:
        ``y``, or ``(y, zf)`` with the final states when ``zi`` is given.

    Errors are those of :func:`lfilter`. Source: A. H. Gray and J. D. Markel, "Digital lattice and ladder filter
    synthesis", IEEE Trans. Audio Electroacoust. 21(6), 1973.

    Example:
        >>> import torch, polezero
        >>> sos = [[1.0, 0.0, 0.0, 1.0, -0.5, 0.0], [1.0, 0.0, 0.0, 1.0, 0.5, 0.0]]
        >>> polezero.parallel(sos, torch.tensor([1.0, 0.0, 0.0]))
        tensor([2.0000, 0.0000, 0.5000])
    """
    return run("parallel", _parallel, x, zi, states=states, sos=sos)


def states(sos: Tensor) -> tuple[int, int]:
    """Two of each section."""
    return sos.shape[-2] if sos.dim() > 1 else 1, 2
