"""Transfer functions, zeros and poles, second-order sections. Letters are those of :mod:`polezero`."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from polezero._arguments import readable
from polezero._conversions.forms import monic, sections, tolerance, transfer_function, zeros_poles_gain
from polezero._conversions.pairing import are_conjugates, second_order, separated
from polezero._conversions.roots import multiply, polynomial, roots
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["sos2tf", "sos2zpk", "tf2sos", "tf2zpk", "zpk2sos", "zpk2tf"]

Pairing = Literal["nearest", "keep_odd", "minimal"]


@overridable
def tf2zpk(b: Coefficients, a: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the zeros, poles and gain of a transfer function.

    .. math::

        H(x) = \frac{b_0 x^M + \dots + b_M}{a_0 x^N + \dots + a_N} = k \frac{\prod_i (x - z_i)}{\prod_i (x - p_i)}

    with x = s of an analog filter, or x = z of a digital one with as many coefficients in ``b`` as in ``a``.

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.

    Returns:
        ``(z, p, k)`` of shapes ``[..., M]``, ``[..., N]`` and ``[...]``: z and p in complex128 (SciPy's are real where
        all are), k in float64, or complex128 of complex coefficients. Real coefficients have pairs that are conjugate
        to the bit, one beside the other, the one with the positive imaginary part first, in an order (of
        ``Re r + |Im r| / 10``, ascending) that a small step of the coefficients does not change.

    Zeros before the first coefficient are cut off, from ``b`` (up to 1e-14 beside the first of ``a`` and beside the
    largest of ``b``; a warning says so unless they are exactly 0), and from ``a`` exact ones, where all rows of a batch
    have them and values may be looked at: on the CPU, and not under ``vmap``, ``torch.func`` or ``torch.compile``,
    where such rows have NaN.

    Roots are differentiable up to the third order. Repeated roots, which lie as close together as rounding of the
    coefficients moves them, have no derivative: it is 0 there.

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    Source: :func:`scipy.signal.tf2zpk`.

    Example:
        >>> import torch, polezero
        >>> z, p, k = polezero.tf2zpk([1.0, 1.0], [1.0, -1.0, 0.5])
        >>> p, k
        (tensor([0.5000+0.5000j, 0.5000-0.5000j], dtype=torch.complex128), tensor(1., dtype=torch.float64))
    """
    b, a = transfer_function("tf2zpk", b, a)
    return zeros_and_poles("tf2zpk", b, a)


def zeros_and_poles(function: str, b: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    b, a = monic(function, b, a)
    return roots(b), roots(a), b[..., 0]


@overridable
def zpk2tf(z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, Tensor]:
    r"""Return the transfer function with these zeros, poles and gain.

    .. math::

        b_0 x^M + \dots + b_M = k \prod_{i=1}^{M} (x - z_i), \qquad a_0 x^N + \dots + a_N = \prod_{i=1}^{N} (x - p_i)

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``.
        k: Gain, a number or shape ``[...]``.

    Returns:
        ``(b, a)`` of shapes ``[..., M + 1]`` and ``[..., N + 1]``, of double precision. A polynomial is real where its
        roots are real or conjugates of each other (as parts of one another, to 100 times the precision of the
        argument), in all rows of a batch, and ``k`` is real. Where values may not be looked at (on a GPU, under
        ``vmap``, ``torch.func`` and ``torch.compile``) complex roots give complex coefficients: take ``b.real`` there.

        A batch keeps imaginary gains, which SciPy drops (scipy issue 24382).

    Raises:
        ValueError: A shape or a device does not fit.

    Source: :func:`scipy.signal.zpk2tf`.

    Example:
        >>> import torch, polezero
        >>> polezero.zpk2tf([-1.0], [0.5 + 0.5j, 0.5 - 0.5j], 2.0)
        (tensor([2., 2.], dtype=torch.float64), tensor([ 1.0000, -1.0000,  0.5000], dtype=torch.float64))
    """
    zeros, poles, gain = zeros_poles_gain("zpk2tf", z, p, k)
    return gain.unsqueeze(-1) * expanded(zeros, tolerance(z)), expanded(poles, tolerance(p))


def expanded(roots: Tensor, limit: float) -> Tensor:
    """The polynomial, a real one where it is known that the roots are real or conjugates."""
    p = polynomial(roots)
    return p.real if p.is_complex() and readable(roots) and are_conjugates(roots, limit) else p


@overridable
def sos2tf(sos: Coefficients) -> tuple[Tensor, Tensor]:
    r"""Return the transfer function of a cascade of second-order sections.

    .. math::

        H(z) = \prod_{s=1}^{S} \frac{b_{s0} + b_{s1} z^{-1} + b_{s2} z^{-2}}{a_{s0} + a_{s1} z^{-1} + a_{s2} z^{-2}}

    Args:
        sos: Shape ``[..., S, 6]``, a row is ``b_0, b_1, b_2, a_0, a_1, a_2`` of a section.

    Returns:
        ``(b, a)``, of shape ``[..., 2 S + 1]`` each and of double precision. Zeros that lead in both are cut off where
        values may be looked at (:func:`tf2zpk`). Zeros that lead in one of them stay, for they are a delay: SciPy drops
        them, and with them the delay of a digital filter.

    Raises:
        ValueError: ``sos`` has another shape.

    Source: :func:`scipy.signal.sos2tf`.

    Example:
        >>> import torch, polezero
        >>> b, a = polezero.sos2tf([[1.0, 2.0, 1.0, 1.0, -0.5, 0.0], [1.0, 0.0, 0.0, 1.0, 0.5, 0.0]])
        >>> a
        tensor([ 1.0000,  0.0000, -0.2500,  0.0000,  0.0000], dtype=torch.float64)
    """
    return product(sections("sos2tf", sos))


def product(sos: Tensor) -> tuple[Tensor, Tensor]:
    b, a = sos[..., 0, :3], sos[..., 0, 3:]
    for section in sos.unbind(-2)[1:]:
        b, a = multiply(b, section[..., :3]), multiply(a, section[..., 3:])
    if readable(sos):  # a common factor of z^-1, or order that no section has
        both = ((b == 0) & (a == 0)).reshape(-1, a.shape[-1]).all(0).tolist()
        leading = (*both, False).index(False)
        b, a = b[..., min(leading, b.shape[-1] - 1) :], a[..., min(leading, a.shape[-1] - 1) :]
    return b, a


@overridable
def sos2zpk(sos: Coefficients) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the zeros, poles and gain of a cascade of second-order sections.

    .. math::

        \prod_{s=1}^{S} \frac{b_{s0} x^2 + b_{s1} x + b_{s2}}{a_{s0} x^2 + a_{s1} x + a_{s2}}
        = k \prod_{i=1}^{2 S} \frac{x - z_i}{x - p_i}

    Args:
        sos: Shape ``[..., S, 6]``, a row is ``b_0, b_1, b_2, a_0, a_1, a_2`` of a section.

    Returns:
        ``(z, p, k)`` of shapes ``[..., 2 S]``, ``[..., 2 S]`` and ``[...]``, two of each for every section, pairs and
        derivatives as in :func:`tf2zpk`. A section with leading coefficients of 0 has roots at 0 for them, as in SciPy.

    Raises:
        ValueError: ``sos`` has another shape.

    Source: :func:`scipy.signal.sos2zpk`.

    Example:
        >>> import torch, polezero
        >>> z, p, k = polezero.sos2zpk([[2.0, 2.0, 0.0, 1.0, -1.0, 0.5]])
        >>> z.real, p
        (tensor([-1.,  0.], dtype=torch.float64), tensor([0.5000+0.5000j, 0.5000-0.5000j], dtype=torch.complex128))
    """
    sos = sections("sos2zpk", sos)
    b, a = _from_the_left(sos[..., :3]), _from_the_left(sos[..., 3:])
    k = (b[..., 0] / a[..., 0]).prod(-1)
    return roots(b).flatten(-2), roots(a).flatten(-2), k


def _from_the_left(p: Tensor) -> Tensor:
    """Quadratics with roots at 0 in place of leading coefficients of 0."""
    for _ in range(2):
        p = torch.where(p[..., :1] == 0, p.roll(-1, -1), p)
    return p


@overridable
def tf2sos(b: Coefficients, a: Coefficients, pairing: Pairing | None = None, *, analog: bool = False) -> Tensor:
    r"""Return second-order sections of a transfer function: :func:`zpk2sos` of :func:`tf2zpk`.

    .. math::

        \frac{b_0 x^M + \dots + b_M}{a_0 x^N + \dots + a_N}
        = \prod_{s=1}^{S} \frac{b_{s0} x^2 + b_{s1} x + b_{s2}}{a_{s0} x^2 + a_{s1} x + a_{s2}}

    Args:
        b: Numerator, real, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, real, shape ``[..., N + 1]``.
        pairing: As in :func:`zpk2sos`.
        analog: As in :func:`zpk2sos`.

    Returns:
        ``sos`` of shape ``[..., S, 6]``, in float64.

    The roots of a polynomial of high order are less precise than its coefficients: a design as ``sos`` is better than
    one as ``ba`` that is turned into it. Where zeros are repeated, as those of a Butterworth filter, only the gain has
    a gradient through the numerator (:func:`tf2zpk`).

    Raises:
        ValueError: As :func:`tf2zpk` and :func:`zpk2sos` do.

    Source: :func:`scipy.signal.tf2sos`.

    Example:
        >>> import torch, polezero
        >>> polezero.tf2sos([1.0, 2.0, 1.0], [1.0, -1.0, 0.5])
        tensor([[ 1.0000,  2.0000,  1.0000,  1.0000, -1.0000,  0.5000]],
               dtype=torch.float64)
    """
    b, a = transfer_function("tf2sos", b, a)
    z, p, k = zeros_and_poles("tf2sos", b, a)
    return cascade("tf2sos", z, p, k, pairing, analog, tolerance(z), tolerance(p))


@overridable
def zpk2sos(
    z: Coefficients, p: Coefficients, k: Coefficients, pairing: Pairing | None = None, *, analog: bool = False
) -> Tensor:
    r"""Return second-order sections with these zeros, poles and gain.

    .. math::

        k \frac{\prod_i (x - z_i)}{\prod_i (x - p_i)}
        = \prod_{s=1}^{S} \frac{b_{s0} x^2 + b_{s1} x + b_{s2}}{a_{s0} x^2 + a_{s1} x + a_{s2}}

    The pole that is closest to the unit circle (the imaginary axis, of an analog filter) and its conjugate, or the next
    real one, make up the last section together with the zeros that are closest to it, and so on with what is left. The
    gain is in the first section.

    Args:
        z: Zeros, real or in conjugate pairs, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, likewise, shape ``[..., N]``.
        k: Gain, real, a number or shape ``[...]``.
        pairing: ``"nearest"``, the default: poles and zeros at 0 are added up to an even number; ``"keep_odd"``: only
            up to the larger of M and N, so that one section is of the first order; ``"minimal"``: none are added,
            sections of a lower order have leading zeros. That is the one for analog filters, and needs M <= N.
        analog: Whether the filter is one in s.

    Returns:
        ``sos`` of shape ``[..., S, 6]`` with ``S = (max(M, N) + 1) // 2``, in float64.

    What belongs together is decided by values, without gradients, and jumps where two poles are as close; the sections
    are differentiable in what they are made of. A pair is the mean of both parts. The order of the arguments does not
    matter. All shapes depend on those of the arguments alone: so batches, ``vmap`` and ``torch.compile`` work, on any
    device.

    Raises:
        ValueError: A root has no conjugate (to 100 times the precision of the argument) or k is not real, where values
            may be looked at (:func:`tf2zpk`); ``pairing`` is unknown, there are more zeros than poles for
            ``"minimal"``, or a shape or a device does not fit.

    Source: :func:`scipy.signal.zpk2sos`.

    Example:
        >>> import torch, polezero
        >>> polezero.zpk2sos([-1.0, -1.0], [0.5 + 0.5j, 0.5 - 0.5j], 0.25)
        tensor([[ 0.2500,  0.5000,  0.2500,  1.0000, -1.0000,  0.5000]], dtype=torch.float64)
    """
    forms = zeros_poles_gain("zpk2sos", z, p, k)
    return cascade("zpk2sos", *forms, pairing, analog, tolerance(z), tolerance(p))


def cascade(
    function: str, z: Tensor, p: Tensor, k: Tensor, pairing: str | None, analog: bool, of_z: float, of_p: float
) -> Tensor:
    pairing = pairing or ("minimal" if analog else "nearest")
    minimal = pairing == "minimal"
    M, N = z.shape[-1], p.shape[-1]
    if pairing not in ("nearest", "keep_odd", "minimal"):
        raise ValueError(f"{function}: pairing: expected 'nearest', 'keep_odd' or 'minimal', got {pairing!r}")
    if analog and not minimal:
        raise ValueError(f"{function}: pairing: expected 'minimal' of an analog filter, got {pairing!r}")
    if minimal and M > N:
        raise ValueError(f"{function}: z: expected no more zeros than poles for 'minimal', got {M} and {N}")
    if k.is_complex():
        if readable(k) and (k.imag != 0).any():
            raise ValueError(f"{function}: k: expected a real gain, got {k}")
        k = k.real
    order = max(M, N)
    if not minimal:
        padded = order + (order % 2 if pairing == "nearest" else 0)
        z, p = (torch.nn.functional.pad(r, (0, padded - r.shape[-1])) for r in (z, p))
    lead = torch.broadcast_shapes(z.shape[:-1], p.shape[:-1], k.shape)
    zeros = separated(function, "z", z.expand(*lead, z.shape[-1]), of_z)
    poles = separated(function, "p", p.expand(*lead, p.shape[-1]), of_p)
    sos = second_order(zeros, poles, max((order + 1) // 2, 1), minimal=minimal, analog=analog)
    numerators = torch.cat([k[..., None, None] * sos[..., :1, :3], sos[..., 1:, :3]], -2)
    return torch.cat([numerators, sos[..., 3:]], -1)
