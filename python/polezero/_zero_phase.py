"""Filters forth and back, so that nothing is delayed. Letters, dtypes and errors are those of :mod:`polezero`."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, cast

import torch
from torch import Tensor

from polezero._arguments import check_int, coefficients, precise, signal
from polezero._design.iir import cheby1
from polezero._overrides import overridable
from polezero._signatures import Coefficients
from polezero._sosfilt import sosfilt
from polezero._stability import warn_if_unstable

__all__ = ["decimate", "filtfilt", "sosfilt_zi", "sosfiltfilt"]

Padding: TypeAlias = Literal["odd", "even", "constant", None]
Method: TypeAlias = Literal["pad", "gust"]

_ops = torch.ops.polezero


@overridable
def filtfilt(
    b: Coefficients,
    a: Coefficients,
    x: Tensor,
    axis: int = -1,
    padtype: Padding = "odd",
    padlen: int | None = None,
    method: Method = "pad",
    irlen: int | None = None,
) -> Tensor:
    r"""Filter ``x`` along ``axis`` with :func:`lfilter`, and then backwards: twice the order, and no phase.

    .. math::

        y = F^H F x, \qquad |H(e^{j\omega})|^2 \text{ in place of } H(e^{j\omega})

    The way back has conjugate coefficients. Both ways begin in a state that suits the signal's end.

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``; ``a[..., 0]`` is divided out. As ``b`` and ``a`` narrow bands and high
            orders have rounded poles outside the unit circle: :func:`sosfiltfilt` has not.
        x: Signal of any rank. The leading dimensions of ``b`` and ``a`` broadcast against those of ``x`` with
            ``axis`` left out.
        axis: The axis of time.
        padtype: How method ``"pad"`` extends the signal at both ends: ``"odd"`` about the end sample as a centre,
            ``"even"`` about it as a mirror, ``"constant"`` with it, or None, not at all. Both ways begin in the steady
            state of the first sample they meet, so a constant stays one.
        padlen: The number of samples to extend by, fewer than ``x`` has; by default ``3 max(len(a), len(b))``.
            MATLAB's is ``3 (max(len(a), len(b)) - 1)``.
        method: ``"pad"``, or ``"gust"``: states for which it makes no difference which direction comes first.
        irlen: For ``"gust"``, after how many samples the filter's impulse response is over; by default those of
            ``x``. It says how much is solved for: ``irlen`` equations for each of ``2 P`` unknowns.

    Returns:
        ``y``, in the shape of ``x`` broadcast with the filter and in the dtype of :func:`lfilter`'s. Between the two
        directions the signal is float64.

    Warns:
        UserWarning: On the CPU, outside graphs and transforms, that a pole of ``a`` is not inside the unit circle, with
            the largest radius.

    Raises:
        ValueError: What :func:`lfilter` raises, or ``x`` has no more than ``padlen`` samples, ``padtype`` or
            ``method`` is unknown, or for method ``"pad"`` the filter has a pole at ``z = 1``.

    Source: :func:`scipy.signal.filtfilt`; F. Gustafsson, "Determining the initial states in forward-backward
    filtering", IEEE Trans. Signal Process. 44(4), 1996.

    Example:
        >>> import torch, polezero
        >>> x = torch.tensor([0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0])
        >>> polezero.filtfilt([0.5], [1.0, -0.5], x, padlen=0)
        tensor([0.1680, 0.3359, 0.6719, 1.3438, 0.6875, 0.3750, 0.2500])
    """
    x = signal("filtfilt", x)
    _check("filtfilt", axis, padtype, padlen, method, irlen)
    b_, a_ = coefficients("filtfilt", "b", b, x), coefficients("filtfilt", "a", a, x)
    warn_if_unstable("filtfilt", a_, "sosfiltfilt of a design with output='sos'")
    y: Tensor = _ops.filtfilt.default(b_, a_, x, axis, padtype, padlen, method, irlen)
    return y


@overridable
def sosfiltfilt(
    sos: Coefficients,
    x: Tensor,
    axis: int = -1,
    padtype: Padding = "odd",
    padlen: int | None = None,
    *,
    method: Method = "pad",
    irlen: int | None = None,
) -> Tensor:
    r"""Filter ``x`` along ``axis`` with :func:`sosfilt`, and then backwards: as :func:`filtfilt`, for any order.

    .. math::

        y = F^H F x, \qquad |H(e^{j\omega})|^2 \text{ in place of } H(e^{j\omega}) = \prod_{k=1}^{K} H_k(e^{j\omega})

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., K, 6]``; ``sos[..., 3]`` is divided out. The leading
            dimensions broadcast against those of ``x`` with ``axis`` left out.
        x: Signal of any rank.
        axis: The axis of time.
        padtype: As :func:`filtfilt`'s.
        padlen: The number of samples to extend by, fewer than ``x`` has. The default is SciPy's: 3 times the number
            of taps, ``2 K + 1`` less the number of sections whose ``b_2``, or ``a_2`` where that are fewer, is 0.
            Where values may not be looked at (on a GPU, under ``torch.vmap`` and in graphs) it is ``3 (2 K + 1)``.
        method: As :func:`filtfilt`'s, and SciPy has no other than ``"pad"`` here.
        irlen: As :func:`filtfilt`'s; the unknowns are ``4 K``.

    Returns:
        ``y``, in the shape of ``x`` broadcast with the sections and in the dtype of :func:`sosfilt`'s.

    Errors are those of :func:`filtfilt`. Source: :func:`scipy.signal.sosfiltfilt`.

    Example:
        >>> import torch, polezero
        >>> polezero.sosfiltfilt([[0.5, 0.0, 0.0, 1.0, -0.5, 0.0]], torch.ones(8))
        tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    x = signal("sosfiltfilt", x)
    _check("sosfiltfilt", axis, padtype, padlen, method, irlen)
    sos_ = coefficients("sosfiltfilt", "sos", sos, x)
    y: Tensor = _ops.sosfiltfilt.default(sos_, x, axis, padtype, padlen, method, irlen)
    return y


def _check(function: str, axis: int, padtype: str | None, padlen: int | None, method: str, irlen: int | None) -> None:
    check_int(function, "axis", axis)
    for name, value in (("padlen", padlen), ("irlen", irlen)):
        if value is not None:
            check_int(function, name, value)
    if padtype is not None and not isinstance(padtype, str):
        raise TypeError(f"{function}: padtype: expected 'odd', 'even', 'constant' or None, got {padtype!r}")
    if not isinstance(method, str):
        raise TypeError(f"{function}: method: expected 'pad' or 'gust', got {method!r}")


@overridable
def sosfilt_zi(sos: Coefficients, *, dtype: torch.dtype | None = None) -> Tensor:
    r"""Return the states in which :func:`sosfilt` answers a step with its steady state at once.

    Those of section ``k`` are :func:`lfilter_zi`'s, times the gain at frequency 0 of the sections before it:

    .. math::

        z_k = \text{lfilter\_zi}(b_k, a_k) \prod_{i < k} H_i(1)

    Args:
        sos: Sections ``b_0 b_1 b_2 a_0 a_1 a_2``, shape ``[..., K, 6]``.
        dtype: Of the result; by default float64 or complex128, in which it is computed.

    Returns:
        ``zi`` of shape ``[K, ..., 2]``, to be multiplied by the first sample of the signal. Where values may not be
        looked at, a section with a pole at ``z = 1`` has inf or NaN.

    Raises:
        ValueError: ``sos[..., 3]`` is 0, a section has a pole at ``z = 1``, or the shape is wrong.
        TypeError: A dtype is not supported.

    Source: :func:`scipy.signal.sosfilt_zi`.

    Example:
        >>> import torch, polezero
        >>> sos = [[0.25, 0.25, 0.0, 1.0, -0.5, 0.0]]
        >>> polezero.sosfilt(sos, torch.ones(3), zi=polezero.sosfilt_zi(sos))[0]
        tensor([1., 1., 1.])
    """
    (values,) = precise("sosfilt_zi", sos=sos)
    zi: Tensor = _ops.sosfilt_zi.default(values)
    return zi if dtype is None else zi.to(dtype)


@overridable
def decimate(
    x: Tensor, q: int, n: int | None = None, ftype: str = "iir", axis: int = -1, zero_phase: bool = True
) -> Tensor:
    r"""Keep every ``q``-th sample of ``x`` along ``axis``, after a low-pass filter.

    .. math::

        y[m] = (F^H F x)[q m] \quad\text{or}\quad (F x)[q m]

    ``F`` is a Chebyshev filter of type I, ``cheby1(n, 0.05, 0.8 / q, output="sos")``.

    Args:
        x: Signal of any rank.
        q: The factor, at least 1; decimate twice where it is above 13.
        n: The order of the filter; by default 8.
        ftype: ``"iir"``. SciPy's ``"fir"`` is no recursive filter, and is refused.
        axis: The axis of time.
        zero_phase: Whether to filter forth and back (:func:`sosfiltfilt`), so that nothing is delayed, or once.

    Returns:
        ``y``, in the shape of ``x`` but with ``ceil(T / q)`` samples, and in the dtype of :func:`sosfilt`'s. The
        filter is float64 whatever ``x`` is.

    Raises:
        ValueError: ``q`` or ``n`` is below 1, ``ftype`` is not ``"iir"``, or ``x`` is too short to be padded
            (``padlen`` of :func:`sosfiltfilt`).
        TypeError: ``x`` is no tensor, or ``q`` or ``n`` is no int.

    Source: :func:`scipy.signal.decimate`.

    Example:
        >>> import torch, polezero
        >>> polezero.decimate(torch.ones(40), 10)
        tensor([0.9886, 0.9886, 0.9886, 0.9886])
    """
    x = signal("decimate", x)
    order = 8 if n is None else n
    for name, value in (("q", q), ("n", order), ("axis", axis)):
        check_int("decimate", name, value)
    for name, value in (("q", q), ("n", order)):
        if value < 1:
            raise ValueError(f"decimate: {name}: expected at least 1, got {value}")
    if ftype != "iir":
        raise ValueError(
            f"decimate: ftype: expected 'iir', got {ftype!r} (FIR filters are torch.nn.functional.conv1d's)"
        )
    # There a design is made of numbers, on a GPU by hundreds of kernels.
    sos = cast(Tensor, cheby1(order, 0.05, 0.8 / q, output="sos", device="cpu")).to(x.device)
    try:
        y = sosfiltfilt(sos, x, axis) if zero_phase else sosfilt(sos, x, axis)
    except (IndexError, NotImplementedError, TypeError, ValueError) as error:  # the sentence of what decimate calls
        raise type(error)(re.sub(r"^sosfilt(filt)?:", "decimate:", str(error))) from None
    return y.movedim(axis, -1)[..., ::q].movedim(-1, axis)
