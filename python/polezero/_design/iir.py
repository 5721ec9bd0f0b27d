"""Filters of the classical families. Semantics are those of :mod:`scipy.signal`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from polezero._design import checks, outputs
from polezero._design.bands import Design
from polezero._design.families import DECIBELS, FAMILIES
from polezero._design.filters import polynomials
from polezero._design.sections import sections
from polezero._overrides import overridable
from polezero._signatures import Coefficients
from polezero._stability import warn_if_unstable

__all__ = ["bessel", "butter", "cheby1", "cheby2", "ellip", "iirfilter", "legendre"]

Filter = Tensor | tuple[Tensor, ...]


def design(
    function: str,
    family: str,
    N: int,
    Wn: Coefficients,
    btype: str,
    analog: bool,
    output: str,
    fs: float | None,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
    rp: Coefficients | None = None,
    rs: Coefficients | None = None,
) -> Filter:
    N, btype = checks.order(function, N, family), checks.band_type(function, btype)
    output, fs = checks.output_form(function, output), checks.sampling_rate(function, fs, analog)
    w = checks.edges(function, Wn, btype, fs, analog, checks.device_of(device, Wn, rp, rs))
    d = Design(family, N, btype, analog, fs, with_roots=output == "zpk")
    p = polynomials(d, w, *decibels(function, family, rp, rs, w))
    if output == "sos":
        return outputs.cast(sections(d, p), dtype)
    if output == "zpk":
        return outputs.cast_all(outputs.zpk(d, p), dtype)
    b, a = outputs.cast_all(outputs.ba(d, p), dtype)
    if not analog:
        warn_if_unstable(function, a, "output='sos'")
    return b, a


def decibels(
    function: str, family: str, rp: Coefficients | None, rs: Coefficients | None, Wn: Tensor
) -> Sequence[Tensor]:
    """Those that the family has, ``[..., 1]``."""
    given = {"rp": rp, "rs": rs}
    found = [checks.decibels(function, name, given[name], family, Wn) for name in DECIBELS.get(family, ())]
    if len(found) == 2:
        checks.attenuation_above(function, *found)
    return found


@overridable
def iirfilter(
    N: int,
    Wn: Coefficients,
    rp: Coefficients | None = None,
    rs: Coefficients | None = None,
    btype: str = "band",
    analog: bool = False,
    ftype: str = "butter",
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""A filter of a classical family by its name: a prototype, moved to a band and, by the bilinear transform, to z.

    .. math::

        H(z) = H_N\big(T(s)\big), \quad s = \frac{1 - z^{-1}}{1 + z^{-1}}, \quad
        T(s) = \frac{s}{w}, \ \frac{w}{s}, \ \frac{s^2 + w_1 w_2}{(w_2 - w_1) s}, \
        \frac{(w_2 - w_1) s}{s^2 + w_1 w_2}, \quad w_i = \tan \frac{\pi W_i}{f_s}

    Args:
        N: The order of the prototype H_N; a band-pass or band-stop filter has twice as many poles.
        Wn: The edge, or ``[..., 2]`` of a band the two: in units of half the sampling rate, in those of ``fs``, or in
            rad/s of an analog filter. A tensor ``[...]``, or ``[..., 2]``, is a batch of filters, with a gradient.
        rp: The ripple of the pass band in decibels, of cheby1 and ellip; ``[...]``, with a gradient.
        rs: The attenuation of the stop band in decibels, of cheby2 and ellip; ``[...]``, with a gradient.
        btype: ``"lowpass"``, ``"highpass"``, ``"bandpass"`` or ``"bandstop"``, or what SciPy shortens them to.
        analog: Whether the filter is one in s.
        ftype: ``"butter"``, ``"cheby1"``, ``"cheby2"``, ``"ellip"``, ``"bessel"``, ``"legendre"``, or another name that
            SciPy has for one; ``"bessel_delay"`` and ``"bessel_mag"`` have the norms of those names.
        output: ``"ba"`` as SciPy's, ``"zpk"``, or ``"sos"``, which alone is precise in high orders and narrow bands.
        fs: The sampling rate.
        dtype: That of the results; float64, in which all is computed, where there is none.
        device: That of the results, where no argument is a tensor.

    Returns:
        ``b`` and ``a``, shape ``[..., n]``, highest power first; zeros, poles and gain; or sections ``[..., K, 6]``.
        The order of roots and sections, and which zeros a section has, are SciPy's; they may change where a gradient
        step moves a pole past another one, and with them, by a jump, the sections, but not the filter.

    Errors are ValueError: names, edges out of range or reversed, no decibels. Values are looked at on the CPU, outside
    of torch's transforms and graphs; elsewhere an edge out of range gives NaN. A warning tells of ``ba`` with a pole
    outside of the unit circle once they are rounded. Source: :func:`scipy.signal.iirfilter`.

    Example:
        >>> import polezero
        >>> polezero.iirfilter(4, [300.0, 3400.0], ftype="butter", output="sos", fs=16000).shape
        torch.Size([4, 6])
    """
    family = FAMILIES.get(ftype.lower()) if isinstance(ftype, str) else None
    if family is None:
        raise ValueError(f"iirfilter: ftype: expected one of {', '.join(FAMILIES)}, got {ftype!r}")
    return design("iirfilter", family, N, Wn, btype, analog, output, fs, dtype, device, rp, rs)


@overridable
def butter(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""A Butterworth filter: of all of its order the flattest in the middle of the pass band.

    .. math::

        |H_N(j \omega)|^2 = \frac{1}{1 + \omega^{2N}}

    Args:
        N: The order.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them; at ``Wn`` half the power is left.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    Errors are those of :func:`iirfilter`. Source: :func:`scipy.signal.butter`.

    Example:
        >>> import polezero
        >>> polezero.butter(4, [300.0, 3400.0], "bandpass", output="sos", fs=16000).shape
        torch.Size([4, 6])
    """
    return design("butter", "butter", N, Wn, btype, analog, output, fs, dtype, device)


@overridable
def cheby1(
    N: int,
    rp: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""A Chebyshev filter: even ripples in the pass band, monotonic in the stop band.

    .. math::

        |H_N(j \omega)|^2 = \frac{1}{1 + (10^{r_p / 10} - 1) T_N^2(\omega)}

    Args:
        N: The order.
        rp: The ripple of the pass band in decibels, above 0; ``[...]``, as a tensor with a gradient.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them; the ripples end at ``Wn``.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    Errors are those of :func:`iirfilter`. Source: :func:`scipy.signal.cheby1`.

    Example:
        >>> import polezero
        >>> polezero.cheby1(4, 0.5, 0.3, output="sos").shape
        torch.Size([2, 6])
    """
    return design("cheby1", "cheby1", N, Wn, btype, analog, output, fs, dtype, device, rp=rp)


@overridable
def cheby2(
    N: int,
    rs: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""An inverse Chebyshev filter: monotonic in the pass band, even ripples in the stop band.

    .. math::

        |H_N(j \omega)|^2 = \frac{1}{1 + (10^{r_s / 10} - 1) / T_N^2(1 / \omega)}

    Args:
        N: The order.
        rs: The attenuation of the stop band in decibels, above 0; ``[...]``, as a tensor with a gradient.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them; the stop band begins at ``Wn``.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    Errors are those of :func:`iirfilter`. Source: :func:`scipy.signal.cheby2`.

    Example:
        >>> import polezero
        >>> polezero.cheby2(4, 40.0, 0.3, output="sos").shape
        torch.Size([2, 6])
    """
    return design("cheby2", "cheby2", N, Wn, btype, analog, output, fs, dtype, device, rs=rs)


@overridable
def ellip(
    N: int,
    rp: Coefficients,
    rs: Coefficients,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""An elliptic, or Cauer, filter: even ripples in both bands, and for them the steepest slope of all filters.

    .. math::

        |H_N(j \omega)|^2 = \frac{1}{1 + (10^{r_p / 10} - 1) R_N^2(\omega)}

    Args:
        N: The order.
        rp: The ripple of the pass band in decibels, above 0; ``[...]``, as a tensor with a gradient.
        rs: The attenuation of the stop band in decibels, above ``rp``; ``[...]``, as a tensor with a gradient.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them; the pass band ends at ``Wn``.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    Poles and zeros are values of Jacobi's sn, by Landen's transformation in float64: to 1e-14, also where the bands are
    so close that SciPy's are not. Errors are those of :func:`iirfilter`. Source: :func:`scipy.signal.ellip`; S. J.
    Orfanidis, "Lecture notes on elliptic filter design", 2006.

    Example:
        >>> import polezero
        >>> polezero.ellip(4, 0.5, 40.0, 0.3, output="sos").shape
        torch.Size([2, 6])
    """
    return design("ellip", "ellip", N, Wn, btype, analog, output, fs, dtype, device, rp, rs)


@overridable
def bessel(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    norm: str = "phase",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""A Bessel filter: as an analog one the flattest group delay of its order at 0.

    .. math::

        H_N(s) = \frac{\theta_N(0)}{\theta_N(s / \omega_0)}, \quad
        \theta_N(s) = \sum_{k=0}^{N} \frac{(2 N - k)!}{2^{N - k} k! (N - k)!} s^k

    Args:
        N: The order.
        norm: ``"phase"``: the phase at ``Wn`` is half way to the last, and the asymptotes are those of a Butterworth
            filter; ``"delay"``: the prototype's delay at 0 is 1; ``"mag"``: half the power is left at ``Wn``.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    The prototype is a constant, right to the last digits in every order. Errors are those of :func:`iirfilter`. Source:
    :func:`scipy.signal.bessel`.

    Example:
        >>> import polezero
        >>> polezero.bessel(4, 0.3, norm="mag", output="sos").shape
        torch.Size([2, 6])
    """
    checks.norm("bessel", norm)
    return design("bessel", f"bessel_{norm}", N, Wn, btype, analog, output, fs, dtype, device)


@overridable
def legendre(
    N: int,
    Wn: Coefficients,
    btype: str = "low",
    analog: bool = False,
    output: str = "ba",
    fs: float | None = None,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Filter:
    r"""An optimum-L filter of Papoulis: of all monotonic responses of its order the steepest at the edge.

    .. math::

        |H_N(j \omega)|^2 = \frac{1}{1 + L_N(\omega^2)}, \quad L_3 = 3 \omega^6 - 3 \omega^4 + \omega^2

    Args:
        N: The order.
        Wn, btype, analog, output, fs, dtype, device: As :func:`iirfilter` has them; at ``Wn`` half the power is left.

    Returns:
        What :func:`iirfilter` does: of sections the shape is ``[..., K, 6]``.

    Errors are those of :func:`iirfilter`. Source: A. Papoulis, "On monotonic response filters", Proc. IRE 47(2), 1959;
    SciPy has none.

    Example:
        >>> import polezero
        >>> polezero.legendre(4, 0.3, output="sos").shape
        torch.Size([2, 6])
    """
    return design("legendre", "legendre", N, Wn, btype, analog, output, fs, dtype, device)
