"""Filters of single frequencies: notches, peaks, combs of them, and the gammatone. Semantics are SciPy's."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, readable, warn
from polezero._design import checks, outputs
from polezero._design.arithmetic import constant
from polezero._design.polynomials import product
from polezero._overrides import overridable
from polezero._signatures import Coefficients
from polezero._stability import warn_if_unstable

__all__ = ["gammatone", "iircomb", "iirnotch", "iirpeak"]


def _parameter(function: str, name: str, value: Coefficients, device: torch.device) -> Tensor:
    """In float64, as it is: a number has no dimensions."""
    t = checks.real(function, name, value, device)
    return t if getattr(value, "shape", ()) or isinstance(value, (list, tuple)) else t.squeeze(0)


def _frequency(function: str, name: str, value: Coefficients, fs: float, device: torch.device) -> Tensor:
    w = _parameter(function, name, value, device)
    if readable(w):
        for v in w.detach().flatten().tolist():
            if not 0 < v < fs / 2:
                hint = " (in Hz without fs?)" if fs == 2 and v >= 1 else ""
                raise ValueError(
                    f"{function}: {name}: expected a frequency between 0 and fs / 2 = {fs / 2:g}, got {v:g}{hint}"
                )
    return w * (2 * math.pi / fs)


def _quality(function: str, Q: Coefficients, device: torch.device) -> Tensor:
    q = _parameter(function, "Q", Q, device)
    if readable(q):
        for v in q.detach().flatten().tolist():
            if not v > 0:
                raise ValueError(f"{function}: Q: expected a quality above 0, got {v:g}")
    return q


def _second_order(
    function: str,
    w0: Coefficients,
    Q: Coefficients,
    fs: float,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
) -> tuple[Tensor, Tensor]:
    rate = checks.sampling_rate(function, fs)
    at = checks.device_of(device, w0, Q)
    w = _frequency(function, "w0", w0, 2.0 if rate is None else rate, at)
    q = _quality(function, Q, at)
    if w.dim() and q.dim():
        broadcast_leading(function, 0, w0=w, Q=q)
    gain = 1 / (1 + torch.tan(w / q / 2))
    one = torch.ones_like(gain)
    if function == "iirnotch":
        cosine = -2 * torch.cos(w).expand_as(gain)
        b = gain.unsqueeze(-1) * torch.stack([one, cosine, one], -1)
        a = torch.stack([one, gain * cosine, 2 * gain - 1], -1)
    else:
        zero = torch.zeros_like(gain)
        b = (1 - gain).unsqueeze(-1) * torch.stack([one, zero, -one], -1)
        a = torch.stack([one, -2 * gain * torch.cos(w), 2 * gain - 1], -1)
    return outputs.cast(b, dtype), outputs.cast(a, dtype)


@overridable
def iirnotch(
    w0: Coefficients,
    Q: Coefficients,
    fs: float = 2.0,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    r"""A second-order notch.

    .. math::

        H(z) = g \frac{1 - 2 \cos \omega_0 z^{-1} + z^{-2}}{1 - 2 g \cos \omega_0 z^{-1} + (2 g - 1) z^{-2}},
        \quad g = \frac{1}{1 + \tan(\omega_0 / 2 Q)}

    Args:
        w0: The frequency, in units of half the sampling rate or of ``fs``; ``[...]``, as a tensor with a gradient.
        Q: Its quotient by the width of the notch at -3 dB; ``[...]``.
        fs: The sampling rate.
        dtype: That of the results, float64 where there is none.
        device: That of the results, where neither parameter is a tensor.

    Returns:
        ``b`` and ``a``, of shape ``[..., 3]``.

    Errors are ValueError: values on the CPU, outside of torch's transforms and graphs; elsewhere they are not looked
    at. Source: :func:`scipy.signal.iirnotch`; S. J. Orfanidis, "Introduction to signal processing", 1996, ch. 11.

    Example:
        >>> import polezero
        >>> polezero.iirnotch(0.5, 10)[1]
        tensor([ 1.0000e+00, -1.1353e-16,  8.5408e-01], dtype=torch.float64)
    """
    return _second_order("iirnotch", w0, Q, fs, dtype, device)


@overridable
def iirpeak(
    w0: Coefficients,
    Q: Coefficients,
    fs: float = 2.0,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    r"""A second-order resonance, of gain 1 at its peak: what :func:`iirnotch` takes away.

    .. math::

        H(z) = (1 - g) \frac{1 - z^{-2}}{1 - 2 g \cos \omega_0 z^{-1} + (2 g - 1) z^{-2}}

    Args:
        w0: The frequency, in units of half the sampling rate or of ``fs``; ``[...]``, as a tensor with a gradient.
        Q: Its quotient by the width of the peak at -3 dB; ``[...]``.
        fs: The sampling rate.
        dtype: That of the results, float64 where there is none.
        device: That of the results, where neither parameter is a tensor.

    Returns:
        ``b`` and ``a``, of shape ``[..., 3]``.

    Errors are those of :func:`iirnotch`. Source: :func:`scipy.signal.iirpeak`; S. J. Orfanidis, "Introduction to signal
    processing", 1996, ch. 11.

    Example:
        >>> import polezero
        >>> polezero.iirpeak(0.5, 10)[0]
        tensor([ 0.0730,  0.0000, -0.0730], dtype=torch.float64)
    """
    return _second_order("iirpeak", w0, Q, fs, dtype, device)


@overridable
def iircomb(
    w0: float,
    Q: Coefficients,
    ftype: str = "notch",
    fs: float = 2.0,
    *,
    pass_zero: bool = False,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Notches, or peaks, at all multiples of a frequency, of which ``fs`` is one.

    .. math::

        H(z) = \frac{b_0 \pm b_N z^{-N}}{1 \pm a_N z^{-N}}, \quad N = f_s / w_0

    Args:
        w0: The distance of the notches or peaks: a number, since the order is its quotient.
        Q: The quotient of ``w0`` by their width at -3 dB; ``[...]``, as a tensor with a gradient.
        ftype: ``"notch"`` or ``"peak"``.
        fs: The sampling rate, a multiple of ``w0``.
        pass_zero: Whether frequency 0 passes: the notches, or peaks, are then halfway between the multiples
            of notches, and at the multiples of peaks.
        dtype: That of the results, float64 where there is none.
        device: That of the results, where Q is a number.

    Returns:
        ``b`` and ``a``, of shape ``[..., N + 1]``: :func:`sparse_allpole` and :func:`comb_filter` skip the zeros.

    Errors are those of :func:`iirnotch`. Source: :func:`scipy.signal.iircomb`; S. J. Orfanidis, "Introduction to signal
    processing", 1996, ch. 11.

    Example:
        >>> import polezero
        >>> polezero.iircomb(1.0, 10, fs=3.0)[0]
        tensor([ 0.8633,  0.0000,  0.0000, -0.8633], dtype=torch.float64)
    """
    if isinstance(w0, Tensor) and w0.requires_grad:
        raise TypeError("iircomb: w0: expected a number, got a tensor that requires grad (the order is fs / w0)")
    rate = checks.sampling_rate("iircomb", fs)
    rate, w0, ftype = 2.0 if rate is None else rate, float(w0), str(ftype).lower()
    if not 0 < w0 < rate / 2:
        raise ValueError(f"iircomb: w0: expected a frequency between 0 and fs / 2 = {rate / 2:g}, got {w0:g}")
    if ftype not in ("notch", "peak"):
        raise ValueError(f"iircomb: ftype: expected notch or peak, got {ftype!r}")
    N = round(rate / w0)
    if abs(w0 - rate / N) / rate > 1e-14:
        raise ValueError(f"iircomb: w0: expected a frequency of which fs, {rate:g}, is a multiple, got {w0:g}")
    q = _quality("iircomb", Q, checks.device_of(device, Q))
    beta = torch.tan(N * math.pi * w0 / rate / q / 2)
    pole, one = (1 - beta) / (1 + beta), torch.ones_like(beta)
    sign = -1.0 if (ftype == "peak") == pass_zero else 1.0
    first = 1 / (1 + beta) if ftype == "notch" else beta / (1 + beta)
    last = first if ftype == "notch" else -first
    between = torch.zeros_like(beta).unsqueeze(-1).expand(*beta.shape, N - 1)
    b = torch.cat([first.unsqueeze(-1), between, sign * last.unsqueeze(-1)], -1)
    a = torch.cat([one.unsqueeze(-1), between, sign * pole.unsqueeze(-1)], -1)
    return outputs.cast(b, dtype), outputs.cast(a, dtype)


@overridable
def gammatone(
    freq: Coefficients,
    ftype: str,
    order: int | None = None,
    numtaps: int | None = None,
    fs: float | None = None,
    output: str = "ba",
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""A gammatone filter of order 4, a model of the ear's, of gain 1 at its frequency.

    .. math::

        H(z) = g \prod_{i=1}^{4} \frac{1 - r (\cos \phi + c_i \sin \phi) z^{-1}}
            {1 - 2 r \cos \phi z^{-1} + r^2 z^{-2}}, \quad c_i = \pm \sqrt{3 \pm 2^{3/2}}

    Args:
        freq: The centre, in units of half the sampling rate or of ``fs``; ``[...]``, as a tensor with a gradient.
        ftype: ``"iir"``. SciPy's ``"fir"`` is none of this library's.
        order: Without effect, as in SciPy, which warns.
        numtaps: Likewise.
        fs: The sampling rate, 2 where there is none.
        output: ``"ba"`` as SciPy's, or ``"sos"``. Four poles lie in each place, so that the polynomials are unstable
            once rounded where a band is low; that is warned of on the CPU.
        dtype: That of the results, float64 where there is none.
        device: That of the results, where ``freq`` is a number.

    Returns:
        ``b`` and ``a``, of shape ``[..., 5]`` and ``[..., 9]``, or four sections ``[..., 4, 6]``.

    Errors are those of :func:`iirnotch`. Source: :func:`scipy.signal.gammatone`; M. Slaney, "An efficient
    implementation of the Patterson-Holdsworth auditory filter bank", Apple Computer Technical Report 35, 1993.

    Example:
        >>> import polezero
        >>> polezero.gammatone(440.0, "iir", fs=16000, output="sos").shape
        torch.Size([4, 6])
    """
    if not isinstance(ftype, str) or ftype.lower() != "iir":
        reason = (
            " (an FIR filter is a convolution: scipy.signal.gammatone designs it)"
            if str(ftype).lower() == "fir"
            else ""
        )
        raise ValueError(f"gammatone: ftype: expected 'iir', got {ftype!r}{reason}")
    for name, value in (("order", order), ("numtaps", numtaps)):
        if value is not None:
            warn(f"gammatone: {name}: has no effect on an IIR filter, got {value!r}")
    output = checks.output_form("gammatone", output, ("ba", "sos"))
    rate = checks.sampling_rate("gammatone", fs) or 2.0
    angle = _frequency("gammatone", "freq", freq, rate, checks.device_of(device, freq)).unsqueeze(-1)
    bandwidth = 1.019 * (angle * (rate / (2 * math.pi)) / 9.26449 + 24.7)  # Glasberg and Moore's
    radius = torch.exp(bandwidth * (-2 * math.pi / rate))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    tangents = constant([s * math.sqrt(3 + t * 2**1.5) for t in (-1, 1) for s in (1, -1)], angle)
    zeros = radius * (cosine + tangents * sine)
    # The distances of e^(j angle) from the zeros, and from the two poles.
    from_zeros = torch.hypot(zeros - cosine, sine).prod(-1, keepdim=True)
    from_poles = (1 - radius) * torch.hypot((1 - radius) * cosine, (1 + radius) * sine)
    gain = from_poles.pow(4) / from_zeros
    one = torch.ones_like(zeros)
    numerators = torch.stack([one, -zeros], -1)
    poles = torch.cat([torch.ones_like(radius), -2 * radius * cosine, radius * radius], -1)
    if output == "ba":
        b, a = product(numerators) * gain, product(poles.unsqueeze(-2).expand(*zeros.shape, 3))
        a = outputs.cast(a, dtype)
        warn_if_unstable("gammatone", a, "output='sos'")
        return outputs.cast(b, dtype), a
    gains = torch.cat([gain, one[..., 1:]], -1).unsqueeze(-1)
    b = torch.nn.functional.pad(numerators * gains, (0, 1))
    return outputs.cast(torch.cat([b, poles.unsqueeze(-2).expand(*zeros.shape, 3)], -1), dtype)
