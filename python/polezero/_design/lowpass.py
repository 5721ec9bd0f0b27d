"""The analog low-pass prototypes as zeros, poles and gain, in SciPy's order."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._design import checks, outputs
from polezero._design.bands import Design
from polezero._design.filters import polynomials
from polezero._design.iir import decibels
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["besselap", "buttap", "cheb1ap", "cheb2ap", "ellipap", "legendreap"]

Zpk = tuple[Tensor, Tensor, Tensor]


def _zpk(
    function: str,
    family: str,
    N: int,
    device: torch.device | str | None,
    rp: Coefficients | None = None,
    rs: Coefficients | None = None,
) -> Zpk:
    d = Design(family, checks.order(function, N, family), "lowpass", analog=True, with_roots=True)
    one = torch.ones(1, dtype=torch.float64, device=checks.device_of(device, rp, rs))
    return outputs.zpk(d, polynomials(d, one, *decibels(function, family, rp, rs, one)))


@overridable
def buttap(
    N: int,
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The Butterworth prototype: of all of its order the flattest at 0, with half its power at 1 rad/s.

    .. math::

        |H(j \omega)|^2 = \frac{1}{1 + \omega^{2N}}

    Args:
        N: The order.
        device: That of the results.

    Returns:
        Zeros and poles in s, of shape ``[n]`` and complex, and the gain; in float64.

    Errors are those of :func:`butter`. Source: :func:`scipy.signal.buttap`.

    Example:
        >>> import polezero
        >>> polezero.buttap(2)[1]
        tensor([-0.7071+0.7071j, -0.7071-0.7071j], dtype=torch.complex128)
    """
    return _zpk("buttap", "butter", N, device)


@overridable
def cheb1ap(
    N: int,
    rp: Coefficients,
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The Chebyshev prototype: ``rp`` decibels of ripple as far as 1 rad/s.

    .. math::

        |H(j \omega)|^2 = \frac{1}{1 + (10^{r_p / 10} - 1) T_N^2(\omega)}

    Args:
        N: The order.
        rp: The ripple of the pass band in decibels; ``[...]``, as a tensor with a gradient.
        device: That of the results, where they are numbers.

    Returns:
        Zeros and poles in s, of shape ``[..., n]`` and complex, and the gain, ``[...]``; in float64.

    Errors are those of :func:`cheby1`. Source: :func:`scipy.signal.cheb1ap`.

    Example:
        >>> import polezero
        >>> polezero.cheb1ap(2, 1.0)[1]
        tensor([-0.5489+0.8951j, -0.5489-0.8951j], dtype=torch.complex128)
    """
    return _zpk("cheb1ap", "cheby1", N, device, rp=rp)


@overridable
def cheb2ap(
    N: int,
    rs: Coefficients,
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The inverse Chebyshev prototype: ``rs`` decibels of attenuation from 1 rad/s on.

    .. math::

        |H(j \omega)|^2 = \frac{1}{1 + (10^{r_s / 10} - 1) / T_N^2(1 / \omega)}

    Args:
        N: The order.
        rs: The attenuation of the stop band in decibels; ``[...]``, as a tensor with a gradient.
        device: That of the results, where they are numbers.

    Returns:
        Zeros and poles in s, of shape ``[..., n]`` and complex, and the gain, ``[...]``; in float64.

    Errors are those of :func:`cheby2`. Source: :func:`scipy.signal.cheb2ap`.

    Example:
        >>> import polezero
        >>> polezero.cheb2ap(2, 40.0)[1]
        tensor([-0.0995-0.1005j, -0.0995+0.1005j], dtype=torch.complex128)
    """
    return _zpk("cheb2ap", "cheby2", N, device, rs=rs)


@overridable
def ellipap(
    N: int,
    rp: Coefficients,
    rs: Coefficients,
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The elliptic prototype: ``rp`` decibels of ripple as far as 1 rad/s, and the steepest slope to ``rs`` below.

    .. math::

        |H(j \omega)|^2 = \frac{1}{1 + (10^{r_p / 10} - 1) R_N^2(\omega)}

    Args:
        N: The order.
        rp: The ripple of the pass band in decibels; ``[...]``, as a tensor with a gradient.
        rs: The attenuation of the stop band in decibels; ``[...]``, as a tensor with a gradient.
        device: That of the results, where they are numbers.

    Returns:
        Zeros and poles in s, of shape ``[..., n]`` and complex, and the gain, ``[...]``; in float64.

    Errors are those of :func:`ellip`. Source: :func:`scipy.signal.ellipap`.

    Example:
        >>> import polezero
        >>> polezero.ellipap(2, 1.0, 40.0)[1]
        tensor([-0.5458-0.9001j, -0.5458+0.9001j], dtype=torch.complex128)
    """
    return _zpk("ellipap", "ellip", N, device, rp=rp, rs=rs)


@overridable
def besselap(
    N: int,
    norm: str = "phase",
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The Bessel prototype: of all of its order the one with the flattest delay at 0.

    .. math::

        H(s) = \frac{\theta_N(0)}{\theta_N(s / \omega_0)}

    Args:
        N: The order.
        norm: ``"phase"``: asymptotes of the Butterworth filter; ``"delay"``: a delay of 1 s at 0; ``"mag"``: half the
            power at 1 rad/s.
        device: That of the results.

    Returns:
        Zeros and poles in s, of shape ``[n]`` and complex, and the gain; in float64.

    Errors are those of :func:`bessel`. Source: :func:`scipy.signal.besselap`.

    Example:
        >>> import polezero
        >>> polezero.besselap(2)[1]
        tensor([-0.8660+0.5000j, -0.8660-0.5000j], dtype=torch.complex128)
    """
    checks.norm("besselap", norm)
    return _zpk("besselap", f"bessel_{norm}", N, device)


@overridable
def legendreap(
    N: int,
    *,
    device: torch.device | str | None = None,
) -> Zpk:
    r"""The optimum-L prototype: of all monotonic responses with half their power at 1 rad/s the steepest there.

    .. math::

        |H(j \omega)|^2 = \frac{1}{1 + L_N(\omega^2)}

    Args:
        N: The order.
        device: That of the results.

    Returns:
        Zeros and poles in s, of shape ``[n]`` and complex, and the gain; in float64.

    Errors are those of :func:`legendre`. Source: A. Papoulis, "On monotonic response filters", Proc. IRE 47(2), 1959.

    Example:
        >>> import polezero
        >>> polezero.legendreap(3)[1]
        tensor([-0.3452+0.9009j, -0.6203+0.0000j, -0.3452-0.9009j],
               dtype=torch.complex128)
    """
    return _zpk("legendreap", "legendre", N, device)
