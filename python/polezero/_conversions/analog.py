"""Analog filters by numerator and denominator: to another band, and to digital ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import torch
from torch import Tensor

from polezero._conversions.forms import check_one_filter, monic, numbers, transfer_function
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["bilinear", "lp2bp", "lp2bs", "lp2hp", "lp2lp", "normalize"]


@overridable
def normalize(b: Coefficients, a: Coefficients) -> tuple[Tensor, Tensor]:
    r"""Divide a transfer function by the first coefficient of its denominator, and cut off zeros that lead.

    .. math::

        \frac{b_0 x^M + \dots + b_M}{a_0 x^N + \dots + a_N}
        = \frac{b'_0 x^{M'} + \dots}{x^{N'} + a'_1 x^{N' - 1} + \dots}

    Args:
        b: Numerator, shape ``[M + 1]``, or several of one denominator, shape ``[outputs, M + 1]``.
        a: Denominator, shape ``[N + 1]``.

    Returns:
        ``(b, a)``, of double precision. What leads in ``b`` counts as zero up to 1e-14 beside 1 and beside the largest
        of ``b``, in all outputs, with a warning unless it is 0; in SciPy up to 1e-14 alone, which empties the numerator
        of a narrow low-pass filter of high order.

    The shape of the result depends on values: one filter on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``.

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or there is a batch or no value to look at.

    Source: :func:`scipy.signal.normalize`.

    Example:
        >>> import torch, polezero
        >>> polezero.normalize([0.0, 2.0], [4.0, 2.0])
        (tensor([0.5000], dtype=torch.float64), tensor([1.0000, 0.5000], dtype=torch.float64))
    """
    b, a = transfer_function("normalize", b, a)
    check_one_filter("normalize", b=(b, 2), a=(a, 1))
    b, a = monic("normalize", b, a)
    return b.squeeze(0) if b.dim() == 2 and b.shape[0] == 1 else b, a


@overridable
def lp2lp(b: Coefficients, a: Coefficients, wo: Coefficients = 1.0) -> tuple[Tensor, Tensor]:
    r"""Move the cut-off of an analog low-pass filter from 1 rad/s to another frequency.

    .. math::

        H(s) \to H(s / \omega_0)

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        wo: Cut-off (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(b, a)``, of the shapes of the arguments, of
        double precision, with ``a[..., 0] = 1`` and without the zeros that lead (:func:`normalize`; in a batch those of
        all rows, and where values may be looked at: :func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    A polynomial of high order loses digits: :func:`lp2lp_zpk` does not.

    Source: :func:`scipy.signal.lp2lp`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2lp([1.0], [1.0, 1.0], 4.0)
        (tensor([4.], dtype=torch.float64), tensor([1., 4.], dtype=torch.float64))
    """
    b, a = transfer_function("lp2lp", b, a)
    (wo,) = numbers("lp2lp", {"b": b}, wo=wo)
    order = a.shape[-1] - 1
    scaled = (p * wo.unsqueeze(-1) ** (_powers(p) + order) for p in (b, a))
    return monic("lp2lp", *scaled)


@overridable
def lp2hp(b: Coefficients, a: Coefficients, wo: Coefficients = 1.0) -> tuple[Tensor, Tensor]:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a high-pass filter.

    .. math::

        H(s) \to H(\omega_0 / s)

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        wo: Cut-off (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(b, a)``, of shape ``[..., max(M, N) + 1]`` both, of
        double precision, with ``a[..., 0] = 1`` and without the zeros that lead (:func:`normalize`; in a batch those of
        all rows, and where values may be looked at: :func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    A polynomial of high order loses digits: :func:`lp2hp_zpk` does not.

    Source: :func:`scipy.signal.lp2hp`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2hp([1.0], [1.0, 1.0], 4.0)
        (tensor([1., 0.], dtype=torch.float64), tensor([1., 4.], dtype=torch.float64))
    """
    b, a = transfer_function("lp2hp", b, a)
    (wo,) = numbers("lp2hp", {"b": b}, wo=wo)
    width = max(b.shape[-1], a.shape[-1])

    def turned(p: Tensor) -> Tensor:
        rising = p.flip(-1) * wo.unsqueeze(-1) ** -_powers(p).flip(-1)
        return torch.nn.functional.pad(rising, (0, width - p.shape[-1]))

    return monic("lp2hp", turned(b), turned(a))


@overridable
def lp2bp(b: Coefficients, a: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0) -> tuple[Tensor, Tensor]:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a band-pass filter.

    .. math::

        H(s) \to H\left(\frac{s^2 + \omega_0^2}{B s}\right)

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        wo: Centre, the geometric mean of both edges (rad/s), a number or shape ``[...]``, differentiable.
        bw: Width of the band (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(b, a)``, of shapes ``[..., M + max(M, N) + 1]`` and ``[..., N + max(M, N) + 1]``, of
        double precision, with ``a[..., 0] = 1`` and without the zeros that lead (:func:`normalize`; in a batch those of
        all rows, and where values may be looked at: :func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    A polynomial of high order loses digits: :func:`lp2bp_zpk` does not.

    Source: :func:`scipy.signal.lp2bp`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2bp([1.0], [1.0, 1.0], 4.0, 2.0)
        (tensor([2., 0.], dtype=torch.float64), tensor([ 1.,  2., 16.], dtype=torch.float64))
    """
    b, a = transfer_function("lp2bp", b, a)
    wo, bw = numbers("lp2bp", {"b": b}, wo=wo, bw=bw)
    top = max(b.shape[-1], a.shape[-1]) - 1

    def of_band(p: Tensor) -> Tensor:
        """s^top times the sum of p_i ((s^2 + wo^2) / (bw s))^i."""
        order = p.shape[-1] - 1
        rising = p.flip(-1) * bw.unsqueeze(-1) ** _powers(p).flip(-1)
        return _squares(rising, wo, order + top, [(top - i, i) for i in range(order + 1)])

    return monic("lp2bp", of_band(b), of_band(a))


@overridable
def lp2bs(b: Coefficients, a: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0) -> tuple[Tensor, Tensor]:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a band-stop filter.

    .. math::

        H(s) \to H\left(\frac{B s}{s^2 + \omega_0^2}\right)

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        wo: Centre, the geometric mean of both edges (rad/s), a number or shape ``[...]``, differentiable.
        bw: Width of the band (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(b, a)``, of shape ``[..., 2 max(M, N) + 1]`` both, of
        double precision, with ``a[..., 0] = 1`` and without the zeros that lead (:func:`normalize`; in a batch those of
        all rows, and where values may be looked at: :func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    A polynomial of high order loses digits: :func:`lp2bs_zpk` does not.

    Source: :func:`scipy.signal.lp2bs`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2bs([1.0], [1.0, 1.0], 4.0, 2.0)
        (tensor([ 1.,  0., 16.], dtype=torch.float64), tensor([ 1.,  2., 16.], dtype=torch.float64))
    """
    b, a = transfer_function("lp2bs", b, a)
    wo, bw = numbers("lp2bs", {"b": b}, wo=wo, bw=bw)
    top = max(b.shape[-1], a.shape[-1]) - 1

    def of_band(p: Tensor) -> Tensor:
        """(s^2 + wo^2)^top times the sum of p_i (bw s / (s^2 + wo^2))^i."""
        rising = p.flip(-1) * bw.unsqueeze(-1) ** -_powers(p).flip(-1)
        return _squares(rising, wo, 2 * top, [(i, top - i) for i in range(p.shape[-1])])

    return monic("lp2bs", of_band(b), of_band(a))


@overridable
def bilinear(b: Coefficients, a: Coefficients, fs: Coefficients = 1.0) -> tuple[Tensor, Tensor]:
    r"""Turn an analog filter into a digital one by the bilinear transform, that is by the trapezoidal rule.

    .. math::

        H(s) \to H\left(2 f_s \frac{z - 1}{z + 1}\right)

    Args:
        b: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        a: Denominator, shape ``[..., N + 1]``.
        fs: Sampling rate (Hz), a number or shape ``[...]``, differentiable. Nothing is warped beforehand: the frequency
            :math:`\omega` goes to :math:`2 f_s \arctan(\omega / (2 f_s))`.

    Returns:
        ``(b, a)``, of shape ``[..., max(M, N) + 1]`` both, of
        double precision, with ``a[..., 0] = 1`` and without the zeros that lead (:func:`normalize`; in a batch those of
        all rows, and where values may be looked at: :func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, or a shape or a device does not fit.

    A polynomial of high order loses digits: :func:`bilinear_zpk` does not.

    Source: :func:`scipy.signal.bilinear`.

    Example:
        >>> import torch, polezero
        >>> polezero.bilinear([1.0], [1.0, 1.0], 0.5)
        (tensor([0.5000, 0.5000], dtype=torch.float64), tensor([1., 0.], dtype=torch.float64))
    """
    b, a = transfer_function("bilinear", b, a)
    b, a = monic("bilinear", b, a)
    (fs,) = numbers("bilinear", {"b": b}, fs=fs)
    N = max(b.shape[-1], a.shape[-1]) - 1
    table = torch.tensor(_bilinear_table(N), dtype=torch.float64, device=b.device)

    def warped(p: Tensor) -> Tensor:
        """(z + 1)^N times the sum of p_i (2 fs (z - 1) / (z + 1))^i, and a factor that both have."""
        rising = p.flip(-1) * (2 * fs.unsqueeze(-1)) ** (-_powers(p).flip(-1) - N / 2)
        return rising @ table[: p.shape[-1]].to(p.dtype)

    return monic("bilinear", warped(b), warped(a))


def _powers(p: Tensor) -> Tensor:
    """-N .. 0, the powers of 1/s beside the coefficients of a polynomial in s."""
    return torch.arange(1 - p.shape[-1], 1, dtype=torch.float64, device=p.device)


def _squares(rising: Tensor, wo: Tensor, order: int, terms: Sequence[tuple[int, int]]) -> Tensor:
    """The sum of rising_i s^m (s^2 + wo^2)^n over the terms (m, n), the highest of the powers ``order`` .. 0 first."""
    binomials = [[0.0] * (order + 1) for _ in terms]
    powers = [[0.0] * (order + 1) for _ in terms]
    for i, (m, n) in enumerate(terms):
        for k in range(n + 1):
            binomials[i][order - m - 2 * k] = float(comb(n, k))
            powers[i][order - m - 2 * k] = 2.0 * (n - k)
    table, exponents = (torch.tensor(t, dtype=torch.float64, device=rising.device) for t in (binomials, powers))
    return (rising.unsqueeze(-1) * (table * wo[..., None, None] ** exponents)).sum(-2)


def _bilinear_table(N: int) -> list[list[float]]:
    """The coefficients of (z + 1)^(N - i) (z - 1)^i, highest first, in row i."""
    row = [comb(N, j) for j in range(N + 1)]
    rows = [row]
    for _ in range(N):
        quotient = [0]  # by z + 1, and a 0 before it
        for c in row[:-1]:
            quotient.append(c - quotient[-1])
        row = [now - before for before, now in zip(quotient, [*quotient[1:], 0])]
        rows.append(row)
    return [[float(c) for c in row] for row in rows]
