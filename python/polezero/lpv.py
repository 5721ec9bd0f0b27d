"""Filters of :mod:`polezero` with coefficients that change with time, under the names of the constant ones.

The coefficients have an axis of time more, before those that they have there: ``[..., T, coefficients]``, or
``[..., 1, coefficients]`` where they stay as they are. In ``x`` time is the last axis. Letters, dtypes and errors are
those of :mod:`polezero`.

With ``hop`` they are those of *frames*, ``[..., F, coefficients]``, where frame ``f`` is that of sample ``f hop -
offset``. All ``ceil((offset + T) / hop)`` frames in which there are samples have to be there. ``interpolation`` is
``"linear"``, of the coefficients as they are given, between a frame and the next one, of which the last is held; or
``"hold"``: a frame holds until the next one. ``offset`` is the place of the first sample within its frame, 0 to ``hop -
1``: the next chunk of a signal has ``(offset + T) % hop``, and its first frame is the one before its first sample. What
is stable in two frames is stable between them where :func:`lattice` (``|k| < 1``), :func:`parallel` and :func:`sosfilt`
(sections with an ``a_0`` of one sign), and :func:`lfilter` of second order are told; polynomials of higher order may
not be. :func:`sosfilt`, :func:`tdf2_ssm` and ``"tdf2"`` of order 2 or less interpolate in float64 while they filter, so
that nothing is written to memory for each sample; the others interpolate first.

:func:`allpole`, :func:`lattice`, :func:`parallel`, :func:`sosfilt`, :func:`state_space` and :func:`tdf2_ssm` take the
coefficients of each sample as they come; :func:`lfilter` has the four direct forms, which differ as soon as a
coefficient moves; :func:`fir` is :func:`lfilter` without feedback.

Not here are functions whose coefficients or delays may be constant or change, which they tell by the shape:
:func:`polezero.linear_recurrence`, :func:`polezero.comb_filter`, :func:`polezero.feedforward_comb`,
:func:`polezero.allpass_comb` and :func:`polezero.sparse_allpole`. No word changes their meaning.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, overload

import torch
from torch import Tensor

from polezero import _lfilter, _sosfilt
from polezero._arguments import check_int, coefficients, run, signal
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["allpole", "fir", "lattice", "lfilter", "parallel", "sosfilt", "state_space", "tdf2_ssm"]

Form: TypeAlias = Literal["df1", "df2", "tdf1", "tdf2"]
Interpolation: TypeAlias = Literal["hold", "linear"]

_ops = torch.ops.polezero


def _frames(
    function: str, hop: int | None, interpolation: Interpolation, offset: int
) -> tuple[int | None, Interpolation, int]:
    if not isinstance(interpolation, str):
        raise TypeError(f"{function}: interpolation: expected 'hold' or 'linear', got {interpolation!r}")
    for name, value in {"hop": hop, "offset": offset}.items():
        if value is not None:
            check_int(function, name, value)
    return hop, interpolation, offset


@overload
def allpole(
    a: Coefficients,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def allpole(
    a: Coefficients,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def allpole(
    a: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with an all-pole filter whose coefficients change with time.

    .. math::

        y[n] = x[n] - \sum_{i=1}^{N} a_i[n] y[n-i]

    Args:
        a: ``a_1 .. a_N`` without the leading 1, shape ``[..., T, N]``, leading dimensions broadcast against those of
            ``x``.
        x: Signal, shape ``[..., T]``.
        zi: Past outputs, newest first, shape ``[..., N]``: ``zi[..., k - 1] = y[-k]``. Broadcast along rows; 0 is rest.
        hop, interpolation, offset: Of frames, ``[..., F, N]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` when ``zi`` is given; ``zf`` is the last ``N`` outputs, newest first. ``y`` is kept for
        the gradient of ``a``, as in :func:`polezero.lfilter`.

    Errors are those of :func:`polezero.lfilter`. Source: C.-Y. Yu et al., "Differentiable All-pole
    Filters for Time-varying Audio Systems", DAFx 2024.

    Example:
        >>> import torch, polezero
        >>> a = torch.tensor([[-1.0], [-1.0], [-0.5], [-0.5]])
        >>> polezero.lpv.allpole(a, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 1.0000, 0.5000, 0.2500])
    """
    options = _frames("lpv.allpole", hop, interpolation, offset)
    return run("lpv.allpole", _ops.lpv_allpole.default, x, zi, *options, of_samples=True, a=a)


@overload
def fir(
    b: Coefficients,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def fir(
    b: Coefficients,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def fir(
    b: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with an FIR filter whose coefficients change with time.

    .. math::

        y[n] = \sum_{k=0}^{M} b_k[n] x[n-k]

    Args:
        b: Shape ``[..., T, M + 1]``, leading dimensions broadcast against those of ``x``.
        x: Signal, shape ``[..., T]``.
        zi: Past inputs, newest first, shape ``[..., M]``: ``zi[..., k - 1] = x[-k]``. Broadcast along rows; 0 is rest.
        hop, interpolation, offset: Of frames, ``[..., F, M + 1]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` when ``zi`` is given; ``zf`` is the last ``M`` inputs, newest first.

    Errors are those of :func:`polezero.lfilter`. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> b = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # at last the sample before
        >>> polezero.lpv.fir(b, torch.tensor([1.0, 2.0, 3.0]))
        tensor([1., 2., 2.])
    """
    options = _frames("lpv.fir", hop, interpolation, offset)
    return run(
        "lpv.fir", _ops.lpv_fir.default, x, zi, *options, states=lambda b: (b.shape[-1] - 1,), of_samples=True, b=b
    )


@overload
def lattice(
    k: Coefficients,
    x: Tensor,
    zi: None = None,
    taps: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def lattice(
    k: Coefficients,
    x: Tensor,
    zi: Coefficients,
    taps: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def lattice(
    k: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    taps: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a lattice that stays stable however its reflection coefficients move.

    .. math::

        f_N[n] &= x[n] / (c_1 \cdots c_N), \qquad c_i = \sqrt{1 - |k_i[n]|^2} \\
        f_{i-1}[n] &= c_i f_i[n] - k_i[n] g_{i-1}[n-1], \qquad
            g_i[n] = \overline{k_i[n]} f_i[n] + c_i g_{i-1}[n-1], \qquad i = N .. 1 \\
        y[n] &= f_0[n] = g_0[n], \quad\text{or with taps}\quad
            y[n] = \sum_{i=0}^{N} \text{taps}_i[n]\, c_1 \cdots c_i\, g_i[n]

    Each stage is a rotation, so that in every sample the energy of the states grows by no more than
    that of ``f_N``. With constant ``k`` it is the all-pole filter :math:`1 / A_N(z)` of

    .. math::

        A_i(z) = A_{i-1}(z) + k_i z^{-1} \tilde A_{i-1}(z), \quad
        \tilde A_i(z) = z^{-1} \tilde A_{i-1}(z) + \overline{k_i} A_{i-1}(z), \quad
        A_0 = \tilde A_0 = 1

    and with taps :math:`\sum_i \text{taps}_i \tilde A_i(z) / A_N(z)`.

    Args:
        k: Reflection coefficients ``k_1 .. k_N``, shape ``[..., T, N]``, of magnitude below 1 (the
            result is NaN from there on).
        x: Signal, shape ``[..., T]``.
        zi: What the delays hold, ``g_0[-1] .. g_{N-1}[-1]``, shape ``[..., N]``. Broadcast along rows; 0 is rest.
        taps: Ladder taps, shape ``[..., T, N + 1]``.
        hop, interpolation, offset: Of frames, ``[..., F, N]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` with ``g_0 .. g_{N-1}`` at the last sample when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: A. H. Gray and J. D. Markel, "A normalized
    digital filter structure", IEEE Trans. Acoust., Speech, Signal Process. 23(3), 1975.

    Example:
        >>> import torch, polezero
        >>> k = torch.tensor([[-0.5]]).expand(4, 1)  # 1 / (1 - 0.5 z^-1)
        >>> polezero.lpv.lattice(k, torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.0000, 0.5000, 0.2500, 0.1250])
    """
    taps = None if taps is None else coefficients("lpv.lattice", "taps", taps, signal("lpv.lattice", x))
    options = _frames("lpv.lattice", hop, interpolation, offset)
    return run("lpv.lattice", _ops.lpv_lattice.default, x, zi, taps, *options, k=k)


@overload
def lfilter(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: None = None,
    form: Form = ...,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def lfilter(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: Coefficients,
    form: Form = ...,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def lfilter(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    form: Form = "tdf2",
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
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
        zi: Initial state. ``"df1"``: ``x[-1] .. x[-M], y[-1] .. y[-N]``. ``"df2"``: ``w[-1] .. w[-P]``. ``"tdf1"``:
            what is added to ``v[0] .. v[N-1]``, then what is added to ``y[0] .. y[M-1]``. ``"tdf2"``: what is added to
            ``y[0] .. y[P-1]``. Broadcast along rows; 0 is rest.
        form: ``"df1"``, ``"df2"``, ``"tdf1"`` or ``"tdf2"``.
        hop, interpolation, offset: Of frames, ``[..., F, M + 1]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given. ``y`` of ``"df1"`` and ``"tdf2"`` is
        kept for the gradient of ``b`` and ``a``, as in :func:`polezero.lfilter`.

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

    def states(b: Tensor, a: Tensor) -> tuple[int]:  # the first forms of both kinds keep those of b and of a
        return (b.shape[-1] + a.shape[-1] - 2,) if form in ("df1", "tdf1") else _lfilter.states(b, a)

    options = _frames("lpv.lfilter", hop, interpolation, offset)
    return run("lpv.lfilter", _ops.lpv_lfilter.default, x, zi, form, *options, states=states, b=b, a=a)


@overload
def parallel(
    sos: Coefficients,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def parallel(
    sos: Coefficients,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def parallel(
    sos: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Add up second-order sections side by side, stable however they move.

    .. math::

        H(z) = \sum_{k=1}^{K}
            \frac{b_{k0} + b_{k1} z^{-1} + b_{k2} z^{-2}}{a_{k0} + a_{k1} z^{-1} + a_{k2} z^{-2}}

    at constant sections. Each one is a :func:`lattice` of two stages with a ladder, which is stable
    as long as the section is stable at every time by itself, where direct forms may not be.

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., T, K, 6]``.
        x: Signal, shape ``[..., T]``.
        zi: The lattices' states, shape ``[K, ..., 2]``. Broadcast along rows; 0 is rest.
        hop, interpolation, offset: Of frames, ``[..., F, K, 6]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` with the final states when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: A. H. Gray and J. D. Markel, "Digital lattice
    and ladder filter synthesis", IEEE Trans. Audio Electroacoust. 21(6), 1973.

    Example:
        >>> import torch, polezero
        >>> sos = torch.tensor([[[1.0, 0, 0, 1, -0.5, 0], [1.0, 0, 0, 1, 0.5, 0]]])
        >>> polezero.lpv.parallel(sos, torch.tensor([1.0, 0.0, 0.0]))
        tensor([2.0000, 0.0000, 0.5000])
    """
    options = _frames("lpv.parallel", hop, interpolation, offset)
    return run("lpv.parallel", _ops.lpv_parallel.default, x, zi, *options, states=_sosfilt.states, sos=sos)


@overload
def sosfilt(
    sos: Coefficients,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def sosfilt(
    sos: Coefficients,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def sosfilt(
    sos: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a cascade of second-order sections that change with time.

    .. math::

        u_0 = x, \qquad u_k = \text{tdf2\_ssm}(b_k[n], a_k[n], u_{k-1}), \qquad y = u_K

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., T, K, 6]``; with ``hop`` of frames, ``[..., F, K, 6]``.
            They are used in their own precision: float64 beside float32 signals keeps low frequencies where they are.
        x: Signal, shape ``[..., T]``.
        zi: Initial states, shape ``[K, ..., 2]``, as :func:`polezero.sosfilt` has them. Broadcast along rows; 0 is
            rest.
        hop: Samples between two frames, at least 1. None: ``sos`` has those of every sample.
        interpolation: ``"linear"``, of all six coefficients, or ``"hold"`` (:mod:`polezero.lpv`).
        offset: The place of the first sample within its frame, 0 to ``hop - 1``.

    Returns:
        ``y``, or ``(y, zf)`` with the final states when ``zi`` is given. ``y`` is kept for the gradient of ``sos``, as
        in :func:`polezero.lfilter`; what is between the sections is filtered once more.

    Errors are those of :func:`polezero.lfilter`. Source: each section is :func:`tdf2_ssm`.

    Example:
        >>> import torch, polezero
        >>> sos = torch.tensor([[[1.0, 0, 0, 1, -1, 0]], [[1.0, 0, 0, 1, -0.5, 0]], [[1.0, 0, 0, 1, 0, 0]]])
        >>> polezero.lpv.sosfilt(sos, torch.tensor([1.0, 0.0, 0.0]))
        tensor([1.0000, 1.0000, 0.5000])
        >>> polezero.lpv.sosfilt(sos[::2], torch.tensor([1.0, 0.0, 0.0]), hop=2)  # the same sections
        tensor([1.0000, 1.0000, 0.5000])
    """
    options = _frames("lpv.sosfilt", hop, interpolation, offset)
    return run("lpv.sosfilt", _ops.lpv_sosfilt.default, x, zi, *options, states=_sosfilt.states, sos=sos)


@overload
def state_space(
    A: Coefficients,
    B: Coefficients,
    C: Coefficients | None,
    D: Coefficients | None,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def state_space(
    A: Coefficients,
    B: Coefficients,
    C: Coefficients | None,
    D: Coefficients | None,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def state_space(
    A: Coefficients,
    B: Coefficients,
    C: Coefficients | None,
    D: Coefficients | None,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Filter ``x`` with a linear system whose matrices change with time.

    .. math::

        v[n+1] &= A[n] v[n] + B[n] x[n] \\
        y[n] &= C[n] v[n] + D[n] x[n]

    Args:
        A: Shape ``[..., T, S, S]``; this and the others have 1 in place of ``T`` where they do not
            change.
        B: Shape ``[..., T, S, I]``.
        C: Shape ``[..., T, O, S]``; None returns the states ``v[0] .. v[T-1]``, shape ``[..., S, T]``.
        D: Shape ``[..., T, O, I]``; None for zero.
        x: Signals, shape ``[..., I, T]``.
        zi: Initial state ``v[0]``, shape ``[..., S]``. Broadcast along rows; 0 is rest.
        hop, interpolation, offset: Of frames, ``[..., F, rows, columns]`` (:mod:`polezero.lpv`).

    Returns:
        ``y`` of shape ``[..., O, T]``, or ``(y, zf)`` with ``zf = v[T]`` when ``zi`` is given.

    Errors are those of :func:`polezero.lfilter`. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> A = torch.tensor([[[0.5]], [[0.5]], [[0.0]]])
        >>> polezero.lpv.state_space(A, [[[1.0]]], [[[1.0]]], [[[1.0]]], torch.ones(1, 3))
        tensor([[1.0000, 2.0000, 2.5000]])
    """
    options = _frames("lpv.state_space", hop, interpolation, offset)
    op = _ops.lpv_state_space.default
    return run("lpv.state_space", op, x, zi, *options, optional=("C", "D"), A=A, B=B, C=C, D=D)


@overload
def tdf2_ssm(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> Tensor: ...
@overload
def tdf2_ssm(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: Coefficients,
    *,
    hop: int | None = None,
    interpolation: Interpolation = ...,
    offset: int = 0,
) -> tuple[Tensor, Tensor]: ...
@overridable
def tdf2_ssm(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    zi: Coefficients | None = None,
    *,
    hop: int | None = None,
    interpolation: Interpolation = "linear",
    offset: int = 0,
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
        zi: Initial state ``s_1[0] .. s_P[0]``, shape ``[..., P]``. Broadcast along rows; 0 is rest.
        hop, interpolation, offset: Of frames, ``[..., F, M + 1]`` (:mod:`polezero.lpv`).

    Returns:
        ``y``, or ``(y, zf)`` with the final state when ``zi`` is given. ``y`` is kept for the gradient of
        ``b`` and ``a``, as in :func:`polezero.lfilter`.

    Errors are those of :func:`polezero.lfilter`. Source: C.-Y. Yu, "Notes on differentiable TDF-II
    filter", 2025.

    Example:
        >>> import torch, polezero
        >>> b, a = torch.ones(3, 1), torch.tensor([[1.0, -1.0], [1.0, -1.0], [1.0, 0.0]])
        >>> polezero.lpv.tdf2_ssm(b, a, torch.tensor([1.0, 0.0, 0.0]), zi=[0.5])
        (tensor([1.5000, 1.5000, 1.5000]), tensor([0.], dtype=torch.float64))
    """
    options = _frames("lpv.tdf2_ssm", hop, interpolation, offset)
    return run("lpv.tdf2_ssm", _ops.lpv_tdf2_ssm.default, x, zi, *options, states=_lfilter.states, b=b, a=a)
