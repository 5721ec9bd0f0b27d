"""State-space systems, and other forms of a filter from and to them."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, doubles, readable
from polezero._conversions.forms import (
    check_not_empty,
    monic,
    sections,
    tolerance,
    zeros_poles_gain,
)
from polezero._conversions.roots import polynomial
from polezero._conversions.transfer import expanded, zeros_and_poles
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["sos2ss", "ss2tf", "ss2zpk", "tf2ss", "zpk2ss"]

System = tuple[Tensor, Tensor, Tensor, Tensor]


@overridable
def tf2ss(num: Coefficients, den: Coefficients) -> System:
    r"""Return a state-space system of a transfer function, in controller canonical form.

    .. math::

        H(s) = C (s I - A)^{-1} B + D, \qquad
        A = \begin{pmatrix} -a_1 & \cdots & -a_N \\ & I & 0 \end{pmatrix}, \quad
        B = \begin{pmatrix} 1 \\ 0 \end{pmatrix}, \quad
        C_i = b_i - b_0 a_i, \quad D = b_0

    of ``num`` and ``den`` divided by the first coefficient of ``den``, ``num`` filled up with zeros in front.

    Args:
        num: Numerator, shape ``[..., M + 1]``, M <= N, leading dimensions broadcast; with one dimension more than
            ``den``, ``[..., O, M + 1]``, those of several outputs.
        den: Denominator, shape ``[..., N + 1]``.

    Returns:
        ``(A, B, C, D)`` of shapes ``[..., N, N]``, ``[..., N, 1]``, ``[..., O, N]`` and ``[..., O, 1]``, of double
        precision, for :func:`state_space`. For N = 0 there is one state, with zeros, as in SciPy. Leading zeros are cut
        off as by :func:`tf2zpk`.

    Raises:
        ValueError: ``num`` or ``den`` is empty, ``num`` is longer, or a shape or a device does not fit.

    Source: :func:`scipy.signal.tf2ss`.

    Example:
        >>> import torch, polezero
        >>> A, B, C, D = polezero.tf2ss([1.0, 2.0], [1.0, 3.0, 4.0])
        >>> A, C
        (tensor([[-3., -4.],
                [ 1.,  0.]], dtype=torch.float64), tensor([[1., 2.]], dtype=torch.float64))
    """
    num, den = doubles("tf2ss", num=num, den=den)
    return companion("tf2ss", num, den)


@overridable
def zpk2ss(z: Coefficients, p: Coefficients, k: Coefficients) -> System:
    r"""Return a state-space system with these zeros, poles and gain: :func:`tf2ss` of :func:`zpk2tf`.

    .. math::

        C (s I - A)^{-1} B + D
        = k \frac{\prod_i (s - z_i)}{\prod_i (s - p_i)}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.

    Returns:
        ``(A, B, C, D)`` as :func:`tf2ss` returns them; real where the results of :func:`zpk2tf` are.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.zpk2ss`.

    Example:
        >>> import torch, polezero
        >>> A, B, C, D = polezero.zpk2ss([], [-1.0, -2.0], 6.0)
        >>> A, C
        (tensor([[-3., -2.],
                [ 1.,  0.]], dtype=torch.float64), tensor([[0., 6.]], dtype=torch.float64))
    """
    zeros, poles, gain = zeros_poles_gain("zpk2ss", z, p, k)
    return companion("zpk2ss", gain.unsqueeze(-1) * expanded(zeros, tolerance(z)), expanded(poles, tolerance(p)))


def companion(function: str, num: Tensor, den: Tensor) -> System:
    """In controller canonical form."""
    for name, t in (("num", num), ("den", den)):
        check_not_empty(function, name, t)
    outputs = num.dim() == den.dim() + 1
    lead = broadcast_leading(function, 1, num=num[..., 0, :] if outputs else num, den=den)
    num, den = (t.to(torch.promote_types(num.dtype, den.dtype)) for t in (num, den))
    num, den = monic(function, num, den, outputs=outputs, names=("num", "den"))
    num = num if outputs else num.unsqueeze(-2)
    missing = den.shape[-1] - num.shape[-1]
    if missing < 0:
        got = f"{num.shape[-1]} and {den.shape[-1]}"
        raise ValueError(f"{function}: num: expected no more coefficients than den has, got {got}")
    num = torch.nn.functional.pad(num, (missing, 0)).expand(*lead, *num.shape[-2:-1], -1)
    den = den.expand(*lead, -1)
    N = den.shape[-1] - 1
    D = num[..., :1]
    if N == 0:  # one state that nothing moves, as SciPy has it
        return den.new_zeros(*lead, 1, 1), den.new_zeros(*lead, 1, 1), torch.zeros_like(D), D
    below = torch.eye(N - 1, N, dtype=den.dtype, device=den.device).expand(*lead, N - 1, N)
    A = torch.cat([-den[..., 1:].unsqueeze(-2), below], -2)
    B = torch.nn.functional.pad(torch.ones_like(D[..., :1, :]), (0, 0, 0, N - 1))
    return A, B, num[..., 1:] - D * den[..., 1:].unsqueeze(-2), D


@overridable
def ss2tf(
    A: Coefficients, B: Coefficients, C: Coefficients, D: Coefficients | None = None, input: int = 0
) -> tuple[Tensor, Tensor]:
    r"""Return the transfer functions of one input of a state-space system to all outputs.

    .. math::

        \dot x = A x + B u, \qquad y = C x + D u, \qquad H(s) = C (s I - A)^{-1} B + D

    Args:
        A: Shape ``[..., S, S]``, leading dimensions broadcast.
        B: Shape ``[..., S, I]``.
        C: Shape ``[..., O, S]``.
        D: Shape ``[..., O, I]``, or None: 0.
        input: Which of the inputs.

    Returns:
        ``(num, den)`` of shapes ``[..., O, S + 1]`` and ``[..., S + 1]``, of double precision. The values of ``den``
        are those of the eigenvalues of ``A``; the derivatives, of any order, are those of the recursion of Faddeev and
        Leverrier, which has them for repeated eigenvalues too.

    Raises:
        ValueError: A shape or a device does not fit, or there is no such input.

    Source: :func:`scipy.signal.ss2tf`.

    Example:
        >>> import torch, polezero
        >>> num, den = polezero.ss2tf([[-3.0, -4.0], [1.0, 0.0]], [[1.0], [0.0]], [[1.0, 2.0]], [[0.0]])
        >>> num, den
        (tensor([[0., 1., 2.]], dtype=torch.float64), tensor([1.0000, 3.0000, 4.0000], dtype=torch.float64))
    """
    return of_system("ss2tf", *system("ss2tf", A, B, C, D), input)


@overridable
def ss2zpk(
    A: Coefficients, B: Coefficients, C: Coefficients, D: Coefficients | None = None, input: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return zeros, poles and gain of a state-space system with one output: :func:`tf2zpk` of :func:`ss2tf`.

    .. math::

        \dot x = A x + B u, \qquad y = C x + D u, \qquad H(s) = C (s I - A)^{-1} B + D
        = k \frac{\prod_i (s - z_i)}{\prod_i (s - p_i)}

    Args:
        A: Shape ``[..., S, S]``, leading dimensions broadcast.
        B: Shape ``[..., S, I]``.
        C: Shape ``[..., O, S]``.
        D: Shape ``[..., O, I]``, or None: 0.
        input: Which of the inputs.

    Returns:
        ``(z, p, k)`` as :func:`tf2zpk` returns them.

    Raises:
        ValueError: There are several outputs (SciPy takes the first), a shape or a device does not fit, or there is no
            such input.

    Source: :func:`scipy.signal.ss2zpk`.

    Example:
        >>> import torch, polezero
        >>> z, p, k = polezero.ss2zpk([[-3.0, -2.0], [1.0, 0.0]], [[1.0], [0.0]], [[1.0, 4.0]], [[0.0]])
        >>> z.real, p.real, k
        (tensor([-4.], dtype=torch.float64), tensor([-2., -1.], dtype=torch.float64), tensor(1., dtype=torch.float64))
    """
    return roots_of_system("ss2zpk", *system("ss2zpk", A, B, C, D), input)


def roots_of_system(
    function: str, A: Tensor, B: Tensor, C: Tensor, D: Tensor, input: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    if C.shape[-2] != 1:
        raise ValueError(f"{function}: C: expected one output, got {C.shape[-2]}")
    num, den = of_system(function, A, B, C, D, input)
    return zeros_and_poles(function, num.squeeze(-2), den)


@overridable
def sos2ss(sos: Coefficients) -> System:
    r"""Return the state-space system of a cascade of second-order sections: two states for each, in their order.

    .. math::

        A = \begin{pmatrix} A_1 & 0 \\ B_2 C_1 & A_2 \end{pmatrix}, \quad
        B = \begin{pmatrix} B_1 \\ B_2 D_1 \end{pmatrix}, \quad
        C = \begin{pmatrix} D_2 C_1 & C_2 \end{pmatrix}, \quad
        D = D_2 D_1

    and so on, of the systems that :func:`tf2ss` gives for each. No polynomial of high order comes in between.

    Args:
        sos: Shape ``[..., S, 6]``, a row is ``b_0, b_1, b_2, a_0, a_1, a_2`` of a section.

    Returns:
        ``(A, B, C, D)`` of shapes ``[..., 2 S, 2 S]``, ``[..., 2 S, 1]``, ``[..., 1, 2 S]`` and ``[..., 1, 1]``, of
        double precision, for :func:`state_space`.

    Raises:
        ValueError: ``sos`` has another shape, or a first coefficient ``a_0`` of 0.

    Source: MATLAB's function of that name, which SciPy lacks; J. O. Smith, "Introduction to Digital Filters", on series
    combination of state-space filters.

    Example:
        >>> import torch, polezero
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> sos = [[1.0, 2.0, 1.0, 1.0, -0.5, 0.25]]
        >>> polezero.state_space(*polezero.sos2ss(sos), x[None]), polezero.sosfilt(sos, x)
        (tensor([[1.0000, 2.5000, 2.0000, 0.3750]]), tensor([1.0000, 2.5000, 2.0000, 0.3750]))
    """
    sos = sections("sos2ss", sos)
    if readable(sos) and (sos[..., 3] == 0).any():
        raise ValueError("sos2ss: sos: expected sos[..., 3] != 0, got 0")
    A, B, C, D = companion_of_section(sos[..., 0, :])
    for section in sos.unbind(-2)[1:]:
        A2, B2, C2, D2 = companion_of_section(section)
        above = torch.cat([A, torch.zeros_like(B @ C2)], -1)
        A = torch.cat([above, torch.cat([B2 @ C, A2], -1)], -2)
        B, C, D = torch.cat([B, B2 @ D], -2), torch.cat([D2 @ C, C2], -1), D2 @ D
    return A, B, C, D


def companion_of_section(section: Tensor) -> System:
    b, a = section[..., :3] / section[..., 3:4], section[..., 3:] / section[..., 3:4]
    A = torch.cat([-a[..., None, 1:], torch.eye(1, 2, dtype=a.dtype, device=a.device).expand_as(a[..., None, 1:])], -2)
    D = b[..., None, :1]
    B = torch.nn.functional.pad(torch.ones_like(D), (0, 0, 0, 1))
    return A, B, b[..., None, 1:] - D * a[..., None, 1:], D


def system(function: str, A: Coefficients, B: Coefficients, C: Coefficients, D: Coefficients | None) -> System:
    """Matrices of one dtype whose shapes fit; a vector is one row, as in SciPy, and no D is 0."""
    given = {"A": A, "B": B, "C": C} | ({} if D is None else {"D": D})
    matrices = {k: m if m.dim() > 1 else m.unsqueeze(0) for k, m in zip(given, doubles(function, **given))}
    S, inputs, outputs = matrices["A"].shape[-1], matrices["B"].shape[-1], matrices["C"].shape[-2]
    matrices.setdefault("D", matrices["A"].new_zeros(outputs, inputs))
    shapes = {"A": (S, S), "B": (S, inputs), "C": (outputs, S), "D": (outputs, inputs)}
    for name, shape in shapes.items():
        if matrices[name].shape[-2:] != shape:
            expected = f"[..., {shape[0]}, {shape[1]}]"
            raise ValueError(f"{function}: {name}: expected {expected}, got shape {list(matrices[name].shape)}")
    broadcast_leading(function, 2, **matrices)
    dtype = torch.complex128 if any(m.is_complex() for m in matrices.values()) else torch.float64
    a, b, c, d = (m.to(dtype) for m in matrices.values())
    return a, b, c, d


def of_system(function: str, A: Tensor, B: Tensor, C: Tensor, D: Tensor, input: int) -> tuple[Tensor, Tensor]:
    r"""Numerators ``[..., O, S + 1]`` of one input, and the denominator ``[..., S + 1]``.

    The numerators are those of :math:`C M_k B` (:func:`characteristic`), as small as they may be beside the
    denominator. Rounding grows with the largest eigenvalue to the power of k in them: where that is above all
    coefficients, as beside one eigenvalue that is far larger than others, the values are those of

    .. math::

        D \det(s I - A) + C \operatorname{adj}(s I - A) B = \det(s I - A + B C) + (D - 1) \det(s I - A)
    """
    if not 0 <= input < B.shape[-1]:
        raise ValueError(f"{function}: input: expected a number from 0 to {B.shape[-1] - 1}, got {input}")
    B, D = B[..., input : input + 1], D[..., input : input + 1]
    den, adjugate, radius = characteristic(A)
    terms = torch.broadcast_tensors(torch.zeros_like(D), *(C @ M @ B for M in adjugate))
    num = torch.cat(terms, -1) + D * den.unsqueeze(-2)
    closed = (A.unsqueeze(-3) - B.unsqueeze(-3) * C.unsqueeze(-2)).detach()
    values = _characteristic_values(closed)[0] + (D.detach() - 1) * den.detach().unsqueeze(-2)
    grown = radius.unsqueeze(-1) ** torch.arange(A.shape[-1] + 1, device=A.device)
    is_precise = grown <= A.shape[-1] * den.detach().abs().cummax(-1).values
    better = torch.where(is_precise.unsqueeze(-2), num.detach(), values)
    return better + (num - num.detach()), den


def characteristic(A: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
    r"""Return det(s I - A), the matrices of adj(s I - A), highest power first, and the spectral radius.

    By the recursion of Faddeev and Leverrier

    .. math::

        M_0 = I, \qquad c_k = -\operatorname{tr}(A M_{k-1}) / k, \qquad M_k = A M_{k-1} + c_k I

    It has all derivatives, where eigenvalues are repeated as well, but loses the digits of :math:`c_k` of a large
    matrix. So they have the values that the eigenvalues give.
    """
    values, radius = _characteristic_values(A.detach())
    one = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    coefficients, adjugate = [torch.ones_like(values[..., 0])], [one.expand(A.shape)]
    for k in range(1, A.shape[-1] + 1):
        product = A @ adjugate[-1]
        c = -product.diagonal(dim1=-2, dim2=-1).sum(-1) / k
        c = values[..., k] + (c - c.detach())
        coefficients.append(c)
        adjugate.append(product + c[..., None, None] * one)
    return torch.stack(coefficients, -1), adjugate[:-1], radius


def _characteristic_values(A: Tensor) -> tuple[Tensor, Tensor]:
    """det(s I - A) of the eigenvalues, and the largest of their magnitudes; NaN where A has NaN or inf."""
    is_regular = A.isfinite().all(-1).all(-1)[..., None]
    eigenvalues = torch.linalg.eigvals(torch.where(is_regular.unsqueeze(-1), A, 0.0))
    values = polynomial(torch.where(is_regular, eigenvalues, torch.nan))
    return values if A.is_complex() else values.real, eigenvalues.abs().amax(-1)
