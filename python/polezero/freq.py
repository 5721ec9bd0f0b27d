"""Frequency sampling: filters evaluated on a grid of frequencies, by FFT.

For comparison, and for what it is good at: losses on spectra, which need no filtered signal, and delays that are no
whole number of samples. For filtering, :func:`polezero.lfilter` is faster and more precise
(``docs/frequency_sampling.md`` has the figures). Letters are those of :mod:`polezero.functional`; ``n`` is the number
of points of the grid, ``F`` that of its frequencies: ``n // 2 + 1`` where only those from 0 to half the sampling rate
are kept, as :func:`torch.fft.rfft` does, else ``n``. All functions are differentiable in all their tensors.
"""

from __future__ import annotations

import functools
import math
import numbers
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import pad

from polezero import functional
from polezero._arguments import Coefficients, check_axis, coefficients, to_tensor

__all__ = ["apply", "comb", "lfilter", "response"]

Correction: TypeAlias = Literal["none", "zeropad", "truncate"]

CORRECTIONS = ("none", "zeropad", "truncate")
# r^T of the circle |z| = r that "truncate" samples. A smaller circle comes closer to poles on the unit circle, a larger
# one magnifies what the FFT rounds: float64 errors were 10 times the recursion's (geometric mean over pole radii from
# 0.9 to 1, angles and lengths) with anything from 4 to 20, 14 times with 2, 23 times with 100.
GROWTH = 10.0


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
    ``torch.compile`` makes a graph for each ``T``, except of ``"none"``.

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
    if correction not in CORRECTIONS:
        error = ValueError if isinstance(correction, str) else TypeError
        raise error(f"freq.lfilter: correction: expected 'none', 'zeropad' or 'truncate', got {correction!r}")
    b, a, x, dtype = _arguments("freq.lfilter", b, a, "x", x, axis)
    T = x.shape[-1]
    if 0 in (*b.shape, *a.shape, *x.shape):  # there is no FFT of no samples or no rows
        y = functional.lfilter(b, a, x)
    elif correction == "none":
        y = _circular(b, a, x, T)
    elif correction == "zeropad":
        y = _circular(b, a, x, _fast_length(2 * T))[..., :T]
    else:
        b = _truncated(b, a, T)
        decay = torch.exp(-math.log(GROWTH) / T * torch.arange(b.shape[-1], device=x.device, dtype=torch.float64))
        weights = decay[:T].to(x.real.dtype)  # on a circle of radius r, y[n] r^-n is the filter of x[n] r^-n
        y = _circular(b * decay, a * decay[: a.shape[-1]], x * weights, _fast_length(2 * T))[..., :T] / weights
    return y.to(dtype).movedim(-1, _from_the_end(axis, x))


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
        ``Y``, complex, of the shape of ``X`` broadcast against ``b`` and ``a``. ``H`` is computed in float64; the
        precision of ``Y`` is that of ``b``, ``a`` and ``X``, promoted, and at least single.

    The signal that belongs to ``Y`` is that of :func:`lfilter` with ``correction="none"``. Errors are those of
    :func:`lfilter`, ValueError where ``n`` does not fit ``F``, and TypeError for complex coefficients of a one-sided
    spectrum. Source: the definition.

    Example:
        >>> import torch, polezero
        >>> X = torch.fft.rfft(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        >>> polezero.freq.apply([1.0], [1.0, -0.5], X).abs()
        tensor([2.0000, 0.8944, 0.6667])
    """
    b, a, X, dtype = _arguments("freq.apply", b, a, "X", X, axis)
    n = _points(X.shape, n, onesided)
    if onesided:
        _check_real("freq.apply", b=b, a=a)
    Y = X * _response(b, a, n, onesided).to(_complex(dtype))
    return Y.movedim(-1, _from_the_end(axis, X))


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
        ``H`` of shape ``[..., F]``. It is computed in float64 and has the complex dtype, complex64 at least, of the
        tensors among the arguments, promoted; where there are none, that of torch's default dtype.

    Errors are those of :func:`apply`. Source: :func:`scipy.signal.freqz`, which takes the angles instead of ``n``.

    Example:
        >>> import torch, polezero
        >>> polezero.freq.response([1.0], [1.0, -0.5], 4)
        tensor([2.0000+0.0000j, 0.8000-0.4000j, 0.6667+0.0000j])
    """
    dtype, (b, a) = functional._wide("freq.response", None, b, a)
    _check_count("freq.response", n)
    if onesided:
        _check_real("freq.response", b=b, a=a)
    return _response(b, a, n, onesided).to(_complex(dtype))


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
        tensor([0.6667, 0.8944, 2.0000])
        >>> delay = torch.tensor(1.5, requires_grad=True)
        >>> polezero.freq.comb(0.5, delay, 4).abs().sum().backward()
        >>> delay.grad.isfinite()
        tensor(True)
    """
    _check_count("freq.comb", n)
    tensors = [v for v in (a, delay) if isinstance(v, Tensor)]
    device = tensors[0].device if tensors else torch.device("cpu")
    a, delay = _parameter("a", a, device), _parameter("delay", delay, device)
    if delay.is_complex():
        raise TypeError(f"freq.comb: delay: expected real numbers, got {delay.dtype}")
    if onesided:
        _check_real("freq.comb", a=a)
    a, delay = a.unsqueeze(-1), delay.unsqueeze(-1)
    _check_leading("freq.comb", a=a, delay=delay)
    frequencies = torch.fft.rfftfreq if onesided else torch.fft.fftfreq
    phase = delay * (-2 * math.pi * frequencies(n, dtype=torch.float64, device=device))
    dtypes = [t.dtype for t in tensors if t.is_floating_point() or t.is_complex()] or [torch.get_default_dtype()]
    return (1 / (1 + a * torch.polar(torch.ones_like(phase), phase))).to(_complex(*dtypes))


def _arguments(
    function: str, b: Coefficients, a: Coefficients, name: str, x: Tensor, axis: int
) -> tuple[Tensor, Tensor, Tensor, torch.dtype]:
    """b and a in double precision, x in that of the arithmetic with its axis last, and lfilter's dtype for them."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{function}: {name}: expected a torch.Tensor, got {type(x).__module__}.{type(x).__name__}")
    if x.layout != torch.strided or x.is_nested:
        layout = "a nested one" if x.is_nested else str(x.layout)
        raise ValueError(f"{function}: {name}: expected a strided tensor, got {layout}")
    if x.dim() == 0:
        raise ValueError(f"{function}: {name}: expected at least one dimension, got a scalar")
    check_axis(function, axis)
    if not -x.dim() <= axis < x.dim():
        raise IndexError(f"{function}: axis: expected a number from {-x.dim()} to {x.dim() - 1}, got {axis}")
    x = x.movedim(axis, -1)
    # as x.real: lists beside a complex spectrum may be real
    b_, a_ = (coefficients(f"{function}: {k}", v, x.real) for k, v in (("b", b), ("a", a)))
    _check_leading(function, **{"b": b_, "a": a_, name: x})
    dtype = functional.lfilter(b, a, x[..., :0]).dtype  # there is no sample: for its checks
    x = x.to(torch.promote_types(dtype, torch.float32))
    return _double(b_), _double(a_), x, dtype


def _double(t: Tensor) -> Tensor:
    return t.to(torch.promote_types(t.dtype, torch.float64))


def _complex(*dtypes: torch.dtype) -> torch.dtype:
    return functools.reduce(torch.promote_types, dtypes, torch.complex64)


def _from_the_end(axis: int, x: Tensor) -> int:
    """Broadcasting adds dimensions in front."""
    return axis if axis < 0 else axis - x.dim()


def _parameter(name: str, value: Coefficients, device: torch.device) -> Tensor:
    """A tensor of any rank, 0 for a number."""
    tensor = value if isinstance(value, Tensor) else to_tensor(f"freq.comb: {name}", value, torch.float64, device)
    if tensor.device != device:
        raise ValueError(f"freq.comb: {name}: expected a tensor on {device} as a, got one on {tensor.device}")
    return tensor[0] if isinstance(value, numbers.Number) else tensor


def _check_leading(function: str, **tensors: Tensor) -> None:
    try:
        torch.broadcast_shapes(*(t.shape[:-1] for t in tensors.values()))
    except RuntimeError:
        shapes = ", ".join(f"{name} {list(t.shape)}" for name, t in tensors.items())
        name = list(tensors)[-1]
        raise ValueError(f"{function}: {name}: expected leading dimensions that broadcast, got {shapes}") from None


def _check_real(function: str, **tensors: Tensor) -> None:
    for name, t in tensors.items():
        if t.is_complex():
            raise TypeError(f"{function}: {name}: expected real numbers, or onesided=False, got {t.dtype}")


def _check_count(function: str, n: int) -> None:
    if not hasattr(n, "__index__"):
        raise TypeError(f"{function}: n: expected an int, got {n!r}")
    if n < 1:
        raise ValueError(f"{function}: n: expected at least 1, got {n}")


def _points(shape: torch.Size, n: int | None, onesided: bool) -> int:
    """The length of the FFT that a spectrum came from."""
    F = shape[-1]
    if F == 0:
        raise ValueError(f"freq.apply: X: expected at least one frequency along axis, got shape {list(shape)}")
    lengths = (max(2 * F - 2, 1), 2 * F - 1) if onesided else (F,)
    if n is None:
        return lengths[0]
    _check_count("freq.apply", n)
    if n not in lengths:
        expected = " or ".join(map(str, dict.fromkeys(lengths)))
        raise ValueError(f"freq.apply: n: expected {expected} for F = {F} frequencies, onesided={onesided}, got {n!r}")
    return n


def _fast_length(n: int) -> int:
    """A length from n on, at most a quarter above it, of which FFTs are fast."""
    return min(odd << (-(-n // odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15))


def _polynomial(c: Tensor, n: int, onesided: bool) -> Tensor:
    """sum_k c_k z^-k at the n-th roots of unity."""
    if c.numel() == 0:  # there is no FFT of no rows
        return c.new_zeros(*c.shape[:-1], n // 2 + 1 if onesided else n)
    if c.shape[-1] > n:  # where z^-n = 1
        c = pad(c, (0, -c.shape[-1] % n)).unflatten(-1, (-1, n)).sum(-2)
    values: Tensor = torch.fft.rfft(c, n) if onesided else torch.fft.fft(c, n)
    return values


def _response(b: Tensor, a: Tensor, n: int, onesided: bool) -> Tensor:
    return _polynomial(b, n, onesided) / _polynomial(a, n, onesided)


def _circular(b: Tensor, a: Tensor, x: Tensor, n: int) -> Tensor:
    """n samples of the filter for x, padded to n, over and over again."""
    H = _response(b, a, n, onesided=not x.is_complex()).to(_complex(x.dtype))
    y: Tensor = (
        torch.fft.ifft(torch.fft.fft(x, n) * H) if x.is_complex() else torch.fft.irfft(torch.fft.rfft(x, n) * H, n)
    )
    return y


def _truncated(b: Tensor, a: Tensor, T: int) -> Tensor:
    """B(z) - z^(-T-1) R(z): what the first T + 1 samples of the filter's response have over A(z).

    R is the state A^T B, which the recursion leaves. Squaring A over and over would need no recursion, but powers of A
    may be large before they decay, and round there: for a Butterworth filter of order 8 and T = 1000 the state came out
    as 4e28 instead of 2e-13 (docs/frequency_sampling.md).
    """
    P = max(b.shape[-1], a.shape[-1]) - 1
    impulse = torch.eye(1, T + 1, dtype=b.dtype, device=b.device)[0]
    _, state = functional.lfilter(b, a, impulse, zi=impulse.new_zeros(P))
    return pad(b, (0, T + 1 + P - b.shape[-1])) - pad(a[..., :1] * state, (T + 1, 0))
