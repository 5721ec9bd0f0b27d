"""Filters whose coefficients change with time: ``[..., T, coefficients]``, time on the last axis of ``x``.

``[..., 1, coefficients]`` stands for coefficients that stay as they are. Letters, dtypes and errors
are those of :mod:`polezero.functional`; the time axes of coefficients and signal must agree.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, overload

import torch
from torch import Tensor

from polezero._arguments import Coefficients, run

__all__ = ["allpole", "fir", "lfilter", "sosfilt", "tdf2_ssm"]

Form: TypeAlias = Literal["df1", "df2", "tdf1", "tdf2"]

_ops = torch.ops.polezero


@overload
def allpole(a: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def allpole(a: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
def allpole(a: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with an all-pole filter whose coefficients change with time.

    .. math::

        y[n] = x[n] - \sum_{i=1}^{N} a_i[n] y[n-i]

    Args:
        a: ``a_1 .. a_N``, shape ``[..., T, N]``, leading dimensions broadcast against those of ``x``.
        x: Signal, shape ``[..., T]``.
        zi: Past outputs, newest first, shape ``[..., N]``: ``zi[..., k - 1] = y[-k]``.

    Returns:
        ``y``, or ``(y, zf)`` when ``zi`` is given; ``zf`` is the last ``N`` outputs, newest first.

    Errors are those of :func:`polezero.lfilter`. Source: C.-Y. Yu et al., "Differentiable All-pole
    Filters for Time-varying Audio Systems", DAFx 2024.

    Example:
        >>> import torch, polezero
        >>> a = torch.tensor([[-1.0], [-1.0], [-0.5], [-0.5]])
        >>> polezero.lpv.allpole(a, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 1.0000, 0.5000, 0.2500])
    """
    return run("lpv.allpole", _ops.lpv_allpole.default, x, zi, a=a)


@overload
def fir(b: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def fir(b: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
def fir(b: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with an FIR filter whose coefficients change with time.

    .. math::

        y[n] = \sum_{k=0}^{M} b_k[n] x[n-k]

    Args:
        b: Shape ``[..., T, M + 1]``, leading dimensions broadcast against those of ``x``.
        x: Signal, shape ``[..., T]``.
        zi: Past inputs, newest first, shape ``[..., M]``: ``zi[..., k - 1] = x[-k]``.

    Returns:
        ``y``, or ``(y, zf)`` when ``zi`` is given; ``zf`` is the last ``M`` inputs, newest first.

    Errors are those of :func:`polezero.lfilter`. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> b = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # at last the sample before
        >>> polezero.lpv.fir(b, torch.tensor([1.0, 2.0, 3.0]))
        tensor([1., 2., 2.])
    """
    return run("lpv.fir", _ops.lpv_fir.default, x, zi, b=b)


@overload
def lfilter(b: Coefficients, a: Coefficients, x: Tensor, zi: None = ..., form: Form = ...) -> Tensor: ...
@overload
def lfilter(
    b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients, form: Form = ...
) -> tuple[Tensor, Tensor]: ...
def lfilter(
    b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients | None = None, form: Form = "tdf2"
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a filter whose coefficients change with time, in one of the direct forms.

    With constant coefficients all forms are :func:`polezero.lfilter`. Otherwise they differ in
    the time whose coefficients a sample meets:

    .. math::

        \text{df1:}\quad & y[n] = \sum_k b_k[n] x[n-k] - \sum_i a_i[n] y[n-i] \\
        \text{df2:}\quad & w[n] = x[n] - \sum_i a_i[n] w[n-i], \quad y[n] = \sum_k b_k[n] w[n-k] \\
        \text{tdf1:}\quad & v[n] = x[n] - \sum_i a_i[n-i] v[n-i], \quad
            y[n] = \sum_k b_k[n-k] v[n-k] \\
        \text{tdf2:}\quad & y[n] = \sum_k b_k[n-k] x[n-k] - \sum_i a_i[n-i] y[n-i]

    with ``b[n]`` and ``a[n]`` divided by ``a_0[n]``. ``"tdf2"`` is SciPy's structure.

    Args:
        b: Numerators, shape ``[..., T, M + 1]``.
        a: Denominators, shape ``[..., T, N + 1]``.
        x: Signal, shape ``[..., T]``.
        zi: Initial state. ``"df1"``: ``x[-1] .. x[-M], y[-1] .. y[-N]``. ``"df2"``:
            ``w[-1] .. w[-P]``. ``"tdf1"``: what is added to ``v[0] .. v[N-1]``, then what is
            added to ``y[0] .. y[M-1]``. ``"tdf2"``: what is added to ``y[0] .. y[P-1]``.
        form: ``"df1"``, ``"df2"``, ``"tdf1"`` or ``"tdf2"``.

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: C.-Y. Yu, "Notes on differentiable TDF-II
    filter", 2025.

    Example:
        >>> import torch, polezero
        >>> b, a = torch.ones(3, 1), torch.tensor([[1.0, -1.0], [1.0, -1.0], [1.0, 0.0]])
        >>> x = torch.tensor([1.0, 0.0, 0.0])
        >>> polezero.lpv.lfilter(b, a, x, form="df1")
        tensor([1., 1., 0.])
        >>> polezero.lpv.lfilter(b, a, x, form="tdf2")
        tensor([1., 1., 1.])
    """
    if not isinstance(form, str):
        raise TypeError(f"lpv.lfilter: form: expected 'df1', 'df2', 'tdf1' or 'tdf2', got {form!r}")
    return run("lpv.lfilter", _ops.lpv_lfilter.default, x, zi, form, b=b, a=a)


@overload
def sosfilt(sos: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def sosfilt(sos: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
def sosfilt(sos: Coefficients, x: Tensor, zi: Coefficients | None = None) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a cascade of second-order sections that change with time.

    .. math::

        u_0 = x, \qquad u_k = \text{tdf2\_ssm}(b_k[n], a_k[n], u_{k-1}), \qquad y = u_K

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., T, K, 6]``.
        x: Signal, shape ``[..., T]``.
        zi: Initial states, shape ``[K, ..., 2]``, as :func:`polezero.sosfilt` has them.

    Returns:
        ``y``, or ``(y, zf)`` with the final states when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: each section is :func:`tdf2_ssm`.

    Example:
        >>> import torch, polezero
        >>> sos = torch.tensor([[[1.0, 0, 0, 1, -1, 0]], [[1.0, 0, 0, 1, -0.5, 0]], [[1.0, 0, 0, 1, 0, 0]]])
        >>> polezero.lpv.sosfilt(sos, torch.tensor([1.0, 0.0, 0.0]))
        tensor([1.0000, 1.0000, 0.5000])
    """
    return run("lpv.sosfilt", _ops.lpv_sosfilt.default, x, zi, sos=sos)


@overload
def tdf2_ssm(b: Coefficients, a: Coefficients, x: Tensor, zi: None = ...) -> Tensor: ...
@overload
def tdf2_ssm(b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients) -> tuple[Tensor, Tensor]: ...
def tdf2_ssm(
    b: Coefficients, a: Coefficients, x: Tensor, zi: Coefficients | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a state-space filter in transposed direct form II that changes with time.

    .. math::

        y[n] &= b_0[n] x[n] + s_1[n] \\
        s_j[n+1] &= b_j[n] x[n] + s_{j+1}[n] - a_j[n] y[n], \quad j = 1 .. P, \quad s_{P+1} = 0

    with ``b[n]`` and ``a[n]`` divided by ``a_0[n]``. The states are never kept in memory.

    Args:
        b: Numerators, shape ``[..., T, M + 1]``.
        a: Denominators, shape ``[..., T, N + 1]``.
        x: Signal, shape ``[..., T]``.
        zi: Initial state ``s_1[0] .. s_P[0]``, shape ``[..., P]``.

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: C.-Y. Yu, "Notes on differentiable TDF-II
    filter", 2025.

    Example:
        >>> import torch, polezero
        >>> b, a = torch.ones(3, 1), torch.tensor([[1.0, -1.0], [1.0, -1.0], [1.0, 0.0]])
        >>> polezero.lpv.tdf2_ssm(b, a, torch.tensor([1.0, 0.0, 0.0]), zi=[0.5])
        (tensor([1.5000, 1.5000, 1.5000]), tensor([0.]))
    """
    return run("lpv.tdf2_ssm", _ops.lpv_tdf2_ssm.default, x, zi, b=b, a=a)
