"""Banks of modes, and filters turned into modes for them. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import precise, run
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["diagonalise", "modal_bank", "parallel_form"]

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


@overridable
def parallel_form(b: Coefficients, a: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    r"""Expand a filter in partial fractions: modes for :func:`modal_bank`, and an FIR filter beside them.

    .. math::

        H(z) = \frac{\sum_k b_k z^{-k}}{\sum_i a_i z^{-i}}
             = \sum_i d_i z^{-i} + \sum_{k=1}^{N} \frac{r_k}{1 - p_k z^{-1}}

    The poles are the eigenvalues of the companion matrix of ``a``, the direct part is the quotient of ``b`` and ``a``
    as polynomials in :math:`z^{-1}`, and with the remainder R

    .. math::

        r_k = \frac{R(p_k^{-1})}{\prod_{j \ne k} (1 - p_j p_k^{-1})}

    Real coefficients give conjugate pairs. A real signal is filtered with all poles and ``gains = residues``, or, at
    half the work, with one of each pair at twice its residue.

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``; ``a_0`` is divided out.

    Returns:
        ``(residues, poles, direct)`` of shapes ``[..., N]``, ``[..., N]`` and ``[..., max(M - N, 0) + 1]``: complex
        residues and poles in the precision of the arguments; all is computed in float64, and differentiable.

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a[..., 0]`` is 0, a shape does not fit, ``a[..., N]`` is 0 where
            ``M >= N`` (the direct part would be longer), a coefficient is NaN or inf, two poles are closer than 1e-5,
            or the residues of several that lie close together are more than 10000 times the impulse response that
            they add up to (its largest of the samples 0 .. N and N 2^k, growing modes scaled down). On a GPU, and under
            ``torch.compile`` and ``torch.func``, no value is looked at: the result is inf, NaN or meaningless then.

    Poles in a cluster give residues that are large and cancel, and lose their digits: :func:`lfilter` or
    :func:`sosfilt` filter with them better. Source: J. O. Smith, "Introduction to Digital Filters", on partial
    fraction expansion; :func:`scipy.signal.residuez`.

    Example:
        >>> import torch, polezero
        >>> b, a = torch.tensor([3.0, 0.5, 1.0]), torch.tensor([1.0, -0.25, -0.125])
        >>> r, p, d = polezero.parallel_form(b, a)
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> polezero.lfilter(d, [1.0], x) + polezero.modal_bank(p, r, x)
        tensor([3.0000, 1.2500, 1.6875, 0.5781])
        >>> polezero.lfilter(b, a, x)
        tensor([3.0000, 1.2500, 1.6875, 0.5781])
    """
    residues, poles, direct = _ops.parallel_form.default(*precise("parallel_form", b=b, a=a))
    return residues, poles, direct


@overridable
def diagonalise(A: Coefficients, B: Coefficients, C: Coefficients) -> tuple[Tensor, Tensor]:
    r"""Turn a state-space filter into modes for :func:`modal_bank`, one for each state.

    .. math::

        H(z) = C (z I - A)^{-1} B = z^{-1} \sum_{k=1}^{S} \frac{g_k}{1 - p_k z^{-1}}, \qquad
        A = V \operatorname{diag}(p) V^{-1}, \qquad g_k = (C V)_k (V^{-1} B)_k

    The factor :math:`z^{-1}` is a delay by one sample, as :func:`state_space` has it between ``B`` and ``C``. With real
    matrices and one input and output

    .. code-block:: python

        y = modal_bank(poles, gains[..., 0, 0, :], torch.nn.functional.pad(x, (1, 0))[..., :-1])

    Args:
        A: Shape ``[..., S, S]``.
        B: Shape ``[..., S, I]``, leading dimensions broadcast.
        C: Shape ``[..., O, S]``.

    Returns:
        ``(poles, gains)`` of shapes ``[..., S]`` and ``[..., O, I, S]``, complex, in the precision of the arguments;
        computed in float64, and differentiable. Output o is the sum over the inputs i of the banks with
        ``gains[..., o, i, :]``.

    Raises:
        ValueError: A shape does not fit, ``A`` has NaN or inf, two poles are closer than 1e-5 (even of a diagonal
            ``A``: there is no derivative), or the condition number of V takes more than half the digits of the least
            precise argument; values are looked at where :func:`parallel_form` does.

    Source: J. O. Smith, "Introduction to Digital Filters", on diagonalizing a state-space model.

    Example:
        >>> import torch, polezero
        >>> A, B, C = torch.tensor([[0.5, 1.0], [0.0, -0.5]]), torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0, 0.0]])
        >>> poles, gains = polezero.diagonalise(A, B, C)
        >>> polezero.modal_bank(poles, gains[0, 0], torch.tensor([0.0, 1.0, 0.0, 0.0]))
        tensor([0., 0., 1., 0.])
        >>> polezero.state_space(A, B, C, None, torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
        tensor([[0., 0., 1., 0.]])
    """
    poles, gains = _ops.diagonalise.default(*precise("diagonalise", A=A, B=B, C=C))
    return poles, gains
