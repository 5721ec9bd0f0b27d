"""Banks of modes. Letters, dtypes and errors are those of :mod:`polezero.functional`."""

from __future__ import annotations

import functools
from typing import overload

import torch
from torch import Tensor
from torch.nn.functional import pad

from polezero._arguments import Coefficients, run, to_tensor
from polezero.functional import lfilter

__all__ = ["diagonalise", "modal_bank", "parallel_form"]

_ops = torch.ops.polezero

#: Poles closer than this are repeated: residues and derivatives have their distance in the denominator, and rounding
#: alone spreads a double pole by some 1e-8, a triple one by some 1e-5.
CLOSEST_POLES = 1e-5


@overload
def modal_bank(poles: Coefficients, gains: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def modal_bank(poles: Coefficients, gains: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
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
    one mode with the gain 2r. A mode with a real pole has a real gain, or only its real part counts.

    Args:
        poles: Shape ``[..., modes]``, complex or real, leading dimensions broadcast against those of ``x``.
        gains: Shape ``[..., modes]``, complex or real.
        x: Real signal, shape ``[..., T]``.
        zi: Initial state ``s[-1]``, shape ``[..., modes]``, complex or real.

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
            ``M >= N`` (the direct part would be longer), or two poles are closer than 1e-5. On a GPU, and under
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
    (b, a), dtype = _wide("parallel_form", b=b, a=a)
    lfilter(b, a, torch.zeros(0, device=a.device))  # for its checks: there is no sample
    N, M = a.shape[-1] - 1, b.shape[-1] - 1
    b, a = b / a[..., :1], a / a[..., :1]
    lead = torch.broadcast_shapes(b.shape[:-1], a.shape[:-1])
    direct = b.new_zeros(*lead, max(M - N, 0) + 1)
    if M >= N:  # a division of polynomials is a filter, from their highest coefficients on
        if _readable(a) and (a[..., N] == 0).any():
            raise ValueError(f"parallel_form: a: expected a[..., {N}] != 0 for M >= N, got 0")
        impulse = pad(a.new_ones(1), (0, M - N))
        direct = lfilter(b.flip(-1), a.flip(-1), impulse).flip(-1)
    remainder = pad(b[..., :N], (0, max(N - M - 1, 0))) - lfilter(direct, a.new_ones(1), a)[..., :N]
    poles = _roots(a)
    _check_distinct("parallel_form: a", poles)
    others = poles.unsqueeze(-1) - poles.unsqueeze(-2)
    others = others + torch.eye(N, dtype=others.dtype, device=others.device)
    residues = poles.new_zeros(*lead, N)  # p^(N-1) R(1/p), Horner's scheme
    for r in remainder.unbind(-1):
        residues = residues * poles + r.unsqueeze(-1)
    residues = residues / others.prod(-1)
    return residues.to(_complex(dtype)), poles.expand_as(residues).to(_complex(dtype)), direct.to(dtype)


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
        ValueError: A shape does not fit, or two poles are closer than 1e-5; values are looked at where
            :func:`parallel_form` does.

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
    (A, B, C), dtype = _wide("diagonalise", A=A, B=B, C=C)
    S = A.shape[-1]
    for name, matrix, fits in (
        ("A: expected [..., S, S]", A, A.dim() >= 2 and A.shape[-2] == S),
        (f"B: expected [..., {S}, I]", B, B.dim() >= 2 and B.shape[-2] == S),
        (f"C: expected [..., O, {S}]", C, C.dim() >= 2 and C.shape[-1] == S),
    ):
        if not fits:
            raise ValueError(f"diagonalise: {name}, got shape {list(matrix.shape)}")
    poles, V = torch.linalg.eig(A)
    _check_distinct("diagonalise: A", poles)
    into = torch.linalg.solve(V, B.to(V.dtype))  # [..., S, I]
    gains = (C.to(V.dtype) @ V).unsqueeze(-2) * into.mT.unsqueeze(-3)
    return poles.to(_complex(dtype)), gains.to(_complex(dtype))


def _wide(function: str, **values: Coefficients) -> tuple[list[Tensor], torch.dtype]:
    """The arguments in double precision, and the dtype of the result: that of tensors, or torch's default."""
    device = next((v.device for v in values.values() if isinstance(v, Tensor)), torch.device("cpu"))
    tensors = [to_tensor(f"{function}: {name}", v, torch.float64, device) for name, v in values.items()]
    given = [v.dtype for v in values.values() if isinstance(v, Tensor)] or [torch.get_default_dtype()]
    dtype = functools.reduce(torch.promote_types, given)
    if not (dtype.is_floating_point or dtype.is_complex):
        dtype = torch.get_default_dtype()
    wide = torch.float64
    if any(t.is_complex() for t in tensors):
        dtype, wide = _complex(dtype), torch.complex128
    return [t.to(wide) for t in tensors], dtype


def _complex(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.complex64)


def _roots(a: Tensor) -> Tensor:
    """Of z^N + a_1 z^(N-1) + ... + a_N."""
    N = a.shape[-1] - 1
    if N == 0:
        return a[..., 1:] + 0j
    below = torch.eye(N - 1, N, dtype=a.dtype, device=a.device).expand(*a.shape[:-1], N - 1, N)
    roots: Tensor = torch.linalg.eigvals(torch.cat([-a[..., 1:].unsqueeze(-2), below], -2))
    return roots


def _readable(values: Tensor) -> bool:
    """Whether there are values that may be looked at: not on a GPU, nor while torch only records what is done."""
    recorded = torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(values)
    return values.is_cpu and not recorded


def _check_distinct(name: str, poles: Tensor) -> None:
    poles = poles.detach()
    if poles.shape[-1] < 2 or not _readable(poles):
        return
    distances = (poles.unsqueeze(-1) - poles.unsqueeze(-2)).abs()
    distances.diagonal(dim1=-2, dim2=-1).fill_(torch.inf)
    if (distances < CLOSEST_POLES).any():
        closest = distances.min().item()
        raise ValueError(f"{name}: expected poles at least {CLOSEST_POLES} apart, got a distance of {closest:.2g}")
