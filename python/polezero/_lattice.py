"""The normalised lattice. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import coefficients, run, signal, without_time
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["lattice"]

_lattice = without_time("lattice", torch.ops.polezero.lpv_lattice.default, k=1, taps=1)


@overload
def lattice(k: Coefficients, x: Tensor, zi: None = None, taps: Coefficients | None = ...) -> Tensor: ...
@overload
def lattice(k: Coefficients, x: Tensor, zi: Coefficients, taps: Coefficients | None = ...) -> tuple[Tensor, Tensor]: ...
@overridable
def lattice(
    k: Coefficients, x: Tensor, zi: Coefficients | None = None, taps: Coefficients | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with the all-pole filter of reflection coefficients, or with taps any filter.

    .. math::

        f_N[n] &= x[n] / (c_1 \cdots c_N), \qquad c_i = \sqrt{1 - |k_i|^2} \\
        f_{i-1}[n] &= c_i f_i[n] - k_i g_{i-1}[n-1], \qquad
            g_i[n] = \overline{k_i} f_i[n] + c_i g_{i-1}[n-1], \qquad i = N .. 1 \\
        y[n] &= f_0[n] = g_0[n], \quad\text{or with taps}\quad
            y[n] = \sum_{i=0}^{N} \text{taps}_i\, c_1 \cdots c_i\, g_i[n]

    That is the normalised lattice, all of whose stages are rotations, with

    .. math::

        H(z) = \frac{1}{A_N(z)} \quad\text{or with taps}\quad \frac{\sum_i \text{taps}_i \tilde A_i(z)}{A_N(z)}, \qquad
        A_i(z) = A_{i-1}(z) + k_i z^{-1} \tilde A_{i-1}(z), \quad
        \tilde A_i(z) = z^{-1} \tilde A_{i-1}(z) + \overline{k_i} A_{i-1}(z), \quad
        A_0 = \tilde A_0 = 1

    It is stable wherever all ``|k_i| < 1``, so that ``k = torch.tanh(..)`` learns a stable filter of any order.
    :func:`polezero.lpv.lattice` lets the coefficients change with time.

    Args:
        k: Reflection coefficients ``k_1 .. k_N``, shape ``[..., N]``, leading dimensions broadcast against those of
            ``x``, of magnitude below 1 (the result is NaN from there on).
        x: Signal, shape ``[..., T]``.
        zi: What the delays hold, ``g_0[-1] .. g_{N-1}[-1]``, shape ``[..., N]``. Broadcast along rows; 0 is rest.
        taps: Ladder taps, shape ``[..., N + 1]``.

    Returns:
        ``y``, or ``(y, zf)`` with ``g_0 .. g_{N-1}`` at the last sample when ``zi`` is given.

    Errors are those of :func:`lfilter`. Source: A. H. Gray and J. D. Markel, "A normalized digital filter structure",
    IEEE Trans. Acoust., Speech, Signal Process. 23(3), 1975.

    Example:
        >>> import torch, polezero
        >>> polezero.lattice([-0.5], torch.tensor([1.0, 0.0, 0.0, 0.0]))  # 1 / (1 - 0.5 z^-1)
        tensor([1.0000, 0.5000, 0.2500, 0.1250])
    """
    taps = None if taps is None else coefficients("lattice", "taps", taps, signal("lattice", x))
    return run("lattice", _lattice, x, zi, taps, k=k)
