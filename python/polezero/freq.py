"""Frequency sampling: filters evaluated on a grid of frequencies, by FFT.

For comparison, and for what it is good at: losses on spectra, which need no filtered signal, and delays that are no
whole number of samples. For filtering, :func:`polezero.lfilter` is faster and more precise
(``docs/frequency_sampling.md`` has the figures). Letters are those of :mod:`polezero`; ``n`` is the number
of points of the grid, ``F`` that of its frequencies: ``n // 2 + 1`` where only those from 0 to half the sampling rate
are kept, as :func:`torch.fft.rfft` does, else ``n``. All functions are differentiable in all their tensors.
"""

from __future__ import annotations

import numbers
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import (
    check_int,
    coefficients,
    precise,
    signal,
)
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["apply", "comb", "lfilter", "response"]

Correction: TypeAlias = Literal["none", "zeropad", "truncate"]

_ops = torch.ops.polezero


@overridable
def lfilter(b: Coefficients, a: Coefficients, x: Tensor, correction: Correction = "none", axis: int = -1) -> Tensor:
    r"""Filter ``x`` along ``axis`` by multiplying its spectrum with samples of the filter's response.

    .. math::

        y = \text{IFFT}_L(\text{FFT}_L(x) \cdot H(z_k)), \qquad H(z) =
            \frac{b_0 + b_1 z^{-1} + \dots + b_M z^{-M}}{a_0 + a_1 z^{-1} + \dots + a_N z^{-N}}, \qquad
            z_k = e^{2 \pi j k / L}

    Sampled spectra belong to periodic signals: the output is that of a stable filter for ``x`` repeated every ``L``
    samples. With :math:`y_\infty` the recursion's output for ``x`` and silence after it,

    .. math::

        y[n] = \sum_{m \ge 0} y_\infty[n + m L]

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``; ``a[..., 0]`` is divided out, in float64.
        x: Signal of any rank. The leading dimensions of ``b`` and ``a`` broadcast against those of ``x`` with
            ``axis`` left out.
        correction: What is done about the terms :math:`m > 0`.

            - ``"none"``: nothing, ``L = T``.
            - ``"zeropad"``: ``L`` is the next fast length from ``2 T`` on, so that at least ``T`` samples pass before
              the ringing comes back: good where it has died away by then.
            - ``"truncate"``: the same ``L``, and the response of the filter's first ``T + 1`` samples alone. Nothing
              comes back: the result is :func:`polezero.lfilter`'s, for unstable filters too, but for rounding.
        axis: The axis of time.

    Returns:
        ``y``, of the shape and dtype that :func:`polezero.lfilter` gives it.

    With the filter as a system ``A, B, C`` in transposed direct form II (``A`` is the companion matrix), the truncated
    response is

    .. math::

        H_T(z) = b_0 + C (I - z^{-T} A^T) (z I - A)^{-1} B = \frac{B(z) - z^{-T-1} R(z)}{A(z)}

    where :math:`A^T` is a power of the matrix, and the coefficients of ``R`` are the state :math:`A^T B` (times
    ``a_0``) that an impulse leaves, which the recursion gives: ``T P`` operations a filter, few beside the FFT's. The
    points lie outside the unit circle, :math:`|z_k| = 10^{1/T}`, so that no pole in or on it comes near one.

    Responses are computed in float64, the spectra of float32 signals in float32. Rounding errors are relative to the
    largest samples of signal and response, not to each, and NaN or inf in a sample reaches all of its row.
    ``torch.compile`` makes a graph for each ``T``, and ``torch.export`` wants it fixed, except of ``"none"``.

    Raises:
        ValueError: ``a[..., 0]`` is 0, ``b`` or ``a`` is empty, a shape does not fit, the tensors are on different
            devices, or ``correction`` is unknown.
        TypeError: ``x`` is no tensor, or a dtype is not supported.
        IndexError: ``axis`` is out of range.
        NotImplementedError: The tensors are on a device that this build has no kernels for.

    Source: the truncated response is in R. N. Parnichkun et al., "State-free inference of state-space models: the
    transfer function approach", ICML 2024, as :math:`C (I - A^T)`, which is the same on the ``T`` points where
    :math:`z^T = 1`, and leaves the convolution circular; ``2 T`` points make it linear, and need the power of ``z``.

    Example:
        >>> import torch, polezero
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> polezero.freq.lfilter([1.0], [1.0, -0.5], x)
        tensor([1.0667, 0.5333, 0.2667, 0.1333])
        >>> polezero.freq.lfilter([1.0], [1.0, -0.5], x, "truncate")
        tensor([1.0000, 0.5000, 0.2500, 0.1250])
    """
    if not isinstance(correction, str):
        raise TypeError(f"freq.lfilter: correction: expected 'none', 'zeropad' or 'truncate', got {correction!r}")
    b_, a_ = _filter("freq.lfilter", b, a, signal("freq.lfilter", x), axis)
    y: Tensor = _ops.freq_lfilter.default(b_, a_, x, correction, axis)
    return y


@overridable
def apply(
    b: Coefficients, a: Coefficients, X: Tensor, n: int | None = None, axis: int = -1, onesided: bool = True
) -> Tensor:
    r"""Multiply spectra with the response of a filter, for losses on spectra without an inverse FFT.

    .. math::

        Y_k = H(e^{j \omega_k}) X_k, \qquad \omega_k = 2 \pi k / n, \qquad
        H(z) = \frac{b_0 + b_1 z^{-1} + \dots + b_M z^{-M}}{a_0 + a_1 z^{-1} + \dots + a_N z^{-N}}

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``.
        X: Spectra with the frequencies :math:`\omega_0 .. \omega_{F-1}` along ``axis``: ``torch.fft.rfft(x, n)``,
            ``torch.fft.fft(x, n)`` with ``onesided=False``, or :func:`torch.stft`'s, with ``axis=-2``. The leading
            dimensions of ``b`` and ``a`` broadcast against those of ``X`` with ``axis`` left out.
        n: The length of that FFT. One-sided spectra of ``F`` frequencies belong to two, ``2 F - 2``, which is the
            default as in :func:`torch.fft.irfft`, and the odd ``2 F - 1``, which has to be named. (``F = 1`` belongs
            to 1 alone.) Two-sided ones belong to ``n = F``.
        axis: The axis of frequency.
        onesided: Whether ``X`` ends at half the sampling rate, as the spectrum of a real signal may. ``b`` and ``a``
            must be real then.

    Returns:
        ``Y``, complex, of the shape of ``X`` broadcast against ``b`` and ``a``. ``H`` is computed in float64; ``Y``
        has the precision of ``X``, at least single.

    The signal that belongs to ``Y`` is that of :func:`lfilter` with ``correction="none"``. Errors are those of
    :func:`lfilter`, ValueError where ``n`` does not fit ``F``, and TypeError for complex coefficients of a one-sided
    spectrum. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> X = torch.fft.rfft(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        >>> polezero.freq.apply([1.0], [1.0, -0.5], X).abs()
        tensor([2.0000, 0.8944, 0.6667])
    """
    b_, a_ = _filter("freq.apply", b, a, signal("freq.apply", X, "X"), axis)
    if n is not None:
        check_int("freq.apply", "n", n)
    Y: Tensor = _ops.freq_apply.default(b_, a_, X, n, axis, onesided)
    return Y


@overridable
def response(b: Coefficients, a: Coefficients, n: int, onesided: bool = True) -> Tensor:
    r"""Return the response of a filter at ``n`` frequencies around the unit circle, or at those of the upper half.

    .. math::

        H(e^{j \omega_k}), \qquad \omega_k = 2 \pi k / n, \qquad
        H(z) = \frac{b_0 + b_1 z^{-1} + \dots + b_M z^{-M}}{a_0 + a_1 z^{-1} + \dots + a_N z^{-N}}

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``, leading dimensions broadcast against those of ``b``.
        n: Points of the grid.
        onesided: ``k = 0 .. n // 2``, as :func:`torch.fft.rfft` has them, else ``k = 0 .. n - 1``. ``b`` and ``a``
            must be real for it.

    Returns:
        ``H`` of shape ``[..., F]``. It is computed in float64 and has the complex dtype, complex64 at least, of
        ``b`` and ``a``, promoted (lists and arrays: complex128).

    Errors are those of :func:`apply`. Source: :func:`scipy.signal.freqz`, which takes the angles instead of ``n``.

    Example:
        >>> import torch, polezero
        >>> polezero.freq.response([1.0], [1.0, -0.5], 4)
        tensor([2.0000+0.0000j, 0.8000-0.4000j, 0.6667+0.0000j],
               dtype=torch.complex128)
    """
    check_int("freq.response", "n", n)
    H: Tensor = _ops.freq_response.default(*precise("freq.response", b=b, a=a), n, onesided)
    return H


@overridable
def comb(a: Coefficients, delay: Coefficients, n: int, onesided: bool = True) -> Tensor:
    r"""Return the response of a feedback comb filter whose delay may lie between samples, and be learned.

    .. math::

        y[t] = x[t] - a\, y[t - D], \qquad H(e^{j \omega_k}) = \frac{1}{1 + a e^{-j \omega_k D}}, \qquad
        \omega_k = 2 \pi k / n

    For whole ``D`` this is :func:`response` of ``a`` with the denominator ``[1, 0, .., 0, a]``. For others the delay
    is that of the signal between the samples; only on a grid of frequencies is it this simple.

    Args:
        a: Feedback, any shape ``[...]``; stable where its magnitude is below 1.
        delay: ``D`` in samples, any shape ``[...]`` that broadcasts against that of ``a``.
        n: Points of the grid. What the comb still holds after ``n`` samples, :math:`a^{n / D}`, is folded back.
        onesided: ``k = 0 .. n // 2``, as :func:`torch.fft.rfft` has them, else all ``n`` in the order of
            :func:`torch.fft.fft`, the upper half at the negative frequencies :math:`\omega_k - 2 \pi`. ``a`` must be
            real for it.

    Returns:
        ``H`` of shape ``[..., F]``, to be multiplied with a spectrum. It is computed in float64; the dtype is that of
        :func:`response`. At half the sampling rate, which even ``n`` have, it is complex where ``D`` is not whole;
        :func:`torch.fft.irfft` takes its real part.

    Raises:
        ValueError: The shapes do not broadcast, the tensors are on different devices, or ``n`` is below 1.
        TypeError: ``n`` is no int, ``delay`` is complex, or ``a`` is for a one-sided response.

    Source: the definition.

    Example:
        >>> import torch, polezero
        >>> polezero.freq.comb(0.5, 1.0, 4).abs()
        tensor([0.6667, 0.8944, 2.0000], dtype=torch.float64)
        >>> delay = torch.tensor(1.5, requires_grad=True)
        >>> polezero.freq.comb(0.5, delay, 4).abs().sum().backward()
        >>> delay.grad.isfinite()
        tensor(True)
    """
    check_int("freq.comb", "n", n)
    # the arguments have any rank, 0 for a number
    a_, delay_ = (
        v if isinstance(v, Tensor) else t[0] if isinstance(v, numbers.Number) else t
        for v, t in zip((a, delay), precise("freq.comb", a=a, delay=delay))
    )
    H: Tensor = _ops.freq_comb.default(a_, delay_, n, onesided)
    return H


def _filter(function: str, b: Coefficients, a: Coefficients, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """b and a; lists beside a complex spectrum may be real."""
    check_int(function, "axis", axis)
    real = x.real
    return coefficients(function, "b", b, real), coefficients(function, "a", a, real)
