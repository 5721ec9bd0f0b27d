"""Banks of modes. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import run
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["modal_bank"]

_ops = torch.ops.polezero


@overload
def modal_bank(poles: Coefficients, gains: Coefficients, x: Tensor, zi: None = None) -> Tensor: ...
@overload
def modal_bank(poles: Coefficients, gains: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
@overridable
def modal_bank(
    poles: Coefficients, gains: Coefficients, x: Tensor, zi: Coefficients | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with many modes side by side, first-order filters with complex poles, and add up what they give.

    .. math::

        s_k[n] &= p_k s_k[n-1] + x[n] \\
        y[n] &= \operatorname{Re} \sum_k g_k s_k[n], \qquad
        H(z) = \frac{1}{2} \sum_k \left( \frac{g_k}{1 - p_k z^{-1}} + \frac{\bar g_k}{1 - \bar p_k z^{-1}} \right)

    The response to an impulse is the sum of :math:`|g_k| |p_k|^n \cos(n \angle p_k + \angle g_k)`. A mode with a
    complex pole stands for a conjugate pair of poles at half the work: the pair with residues r and its conjugate is
    one mode with the gain 2r. A mode with a real pole has a real gain, or only its real part counts. In terms of an
    angular frequency and a decay per sample a pole is ``torch.exp(torch.complex(-decay, omega))``.

    Args:
        poles: Shape ``[..., modes]``, complex or real, leading dimensions broadcast against those of ``x``.
        gains: Shape ``[..., modes]``, complex or real.
        x: Real signal, shape ``[..., T]``.
        zi: Initial state ``s[-1]``, shape ``[..., modes]``, complex or real. Broadcast along rows; 0 is rest.

    Returns:
        ``y`` of shape ``[..., T]``, real, or ``(y, zf)`` with the complex final state ``s[T-1]`` when ``zi`` is given.

    The states are not kept in memory, and gradients find them again: memory does not grow with modes times T. Errors
    are those of :func:`lfilter`, and ``TypeError`` for a complex ``x``. Source: J. O. Smith, "Introduction to Digital
    Filters", on the parallel form; J.-M. Adrien, "The Missing Link: Modal Synthesis", in "Representations of Musical
    Signals", MIT Press 1991.

    Example:
        >>> import torch, polezero
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
        >>> polezero.modal_bank([0.5j, -0.5], [1.0, 2.0], x)  # 0.5^n cos(n pi / 2) + 2 (-0.5)^n
        tensor([ 3.0000, -1.0000,  0.2500, -0.2500,  0.1875])
    """
    return run("modal_bank", _ops.modal_bank.default, x, zi, poles=poles, gains=gains)
