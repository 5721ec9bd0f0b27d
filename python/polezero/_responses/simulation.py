"""Responses in time, through the recurrences. Letters are those of :mod:`polezero`."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import check_int, doubles
from polezero._conversions import tf2ss, zpk2ss
from polezero._conversions.forms import transfer_function, zeros_poles_gain
from polezero._overrides import overridable
from polezero._responses.systems import complex_of, result_dtype
from polezero._signatures import Coefficients, Values

__all__ = ["dimpulse", "dlsim", "dstep", "impulse_response", "step_response"]

TimedSystem: TypeAlias = (
    "tuple[Coefficients, Coefficients, float] | tuple[Coefficients, Coefficients, Coefficients, float]"
    " | tuple[Coefficients, Coefficients, Coefficients, Coefficients | None, float]"
)

_ops = torch.ops.polezero


@overridable
def impulse_response(b: Coefficients, a: Coefficients, n: int) -> Tensor:
    r"""Return the first ``n`` samples of a filter's response to an impulse.

    .. math::

        h = h[0], h[1], \dots, h[n - 1], \qquad \sum_{i=0}^{N} a_i h[t - i] = b_t

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``, leading dimensions broadcast.
        n: Samples.

    Returns:
        ``h`` of shape ``[..., n]``, filtered in float64 (complex128) and rounded to single precision where ``b`` and
        ``a`` are tensors of no more. :func:`sosfilt` of an impulse is that of sections.

    Raises:
        ValueError: What :func:`lfilter` refuses of ``b`` and ``a``, or a negative ``n``.
        TypeError: ``n`` is no int.

    Source: the definition.

    Example:
        >>> import polezero
        >>> polezero.impulse_response([1.0], [1.0, -0.5], 4)
        tensor([1.0000, 0.5000, 0.2500, 0.1250], dtype=torch.float64)
    """
    return _response("impulse_response", b, a, n, step=False)


@overridable
def step_response(b: Coefficients, a: Coefficients, n: int) -> Tensor:
    r"""Return the first ``n`` samples of a filter's response to a step from 0 to 1.

    .. math::

        y[t] = \sum_{i=0}^{t} h[i]

    Args:
        b: Numerator, shape ``[..., M + 1]``.
        a: Denominator, shape ``[..., N + 1]``, leading dimensions broadcast.
        n: Samples.

    Returns:
        ``y`` of shape ``[..., n]``, with the dtype of :func:`impulse_response`.

    Errors are those of :func:`impulse_response`. Source: the definition.

    Example:
        >>> import polezero
        >>> polezero.step_response([1.0], [1.0, -0.5], 4)
        tensor([1.0000, 1.5000, 1.7500, 1.8750], dtype=torch.float64)
    """
    return _response("step_response", b, a, n, step=True)


@overridable
def dlsim(system: TimedSystem, u: Values, t: Values | None = None, x0: Values | None = None) -> tuple[Tensor, ...]:
    r"""Simulate a discrete-time linear system.

    .. math::

        v[n+1] = A v[n] + B u[n], \qquad y[n] = C v[n] + D u[n]

    Args:
        system: ``(num, den, dt)`` in falling powers of z, ``(z, p, k, dt)`` with roots in conjugate pairs, or
            ``(A, B, C, D, dt)``; dt is the time between samples, a number. Leading dimensions are those of a batch:
            ``num`` is ``[M + 1]`` or ``[..., O, M + 1]`` for O outputs, ``den`` ``[..., N + 1]``; roots and matrices
            have the shapes of :func:`freqz_zpk` and :func:`state_space`.
        u: Input, shape ``[T]``, or ``[..., T, I]`` of I inputs.
        t: Times of ``u``, T numbers; it is interpolated linearly at multiples of dt up to the last. None: its samples
            are dt apart.
        x0: State ``v[0]``, shape ``[..., S]``, by default rest; of other systems that of :func:`tf2ss` or
            :func:`zpk2ss`.

    Returns:
        ``(t, y)``, or ``(t, y, v)`` of matrices: times, ``[T]``, outputs ``[..., T, O]`` and states ``[..., T, S]``.
        They are computed in float64 and rounded to float32 where system and input are tensors of at most single
        precision.

    From rest, polynomials and roots are filtered by :func:`lfilter`, the roots one after another, and are not made
    matrices.

    Raises:
        ValueError: A shape does not fit, or ``num`` is longer than ``den``, or there are more zeros than poles: such a
            system looks ahead.

    Source: :func:`scipy.signal.dlsim`.

    Example:
        >>> import polezero
        >>> t, y = polezero.dlsim(([1.0], [1.0, -1.0], 0.5), [0.0, 1.0, 1.0, 0.0])
        >>> t, y.squeeze(-1)
        (tensor([0.0000, 0.5000, 1.0000, 1.5000], dtype=torch.float64), tensor([0., 0., 1., 2.], dtype=torch.float64))
    """
    return _simulate("dlsim", system, u, t, x0)


@overridable
def dimpulse(
    system: TimedSystem, x0: Values | None = None, t: Values | None = None, n: int | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    r"""Return the responses of a discrete-time linear system to an impulse in each of its inputs.

    .. math::

        u_i[n] = \delta[n], \qquad i = 1 .. I

    Args:
        system: As in :func:`dlsim`.
        x0: As in :func:`dlsim`.
        t: Times, T numbers.
        n: How many times, dt apart, where ``t`` is not given (None: 100).

    Returns:
        ``(t, y)``: times, ``[T]``, and a tuple of outputs of shape ``[..., T, O]``, one for each input.

    Errors are those of :func:`dlsim`. Source: :func:`scipy.signal.dimpulse`.

    Example:
        >>> import polezero
        >>> t, (y,) = polezero.dimpulse(([1.0, 0.0], [1.0, -0.5], 1.0), n=3)
        >>> y.squeeze(-1)
        tensor([1.0000, 0.5000, 0.2500], dtype=torch.float64)
    """
    return _of_each_input("dimpulse", system, x0, t, n, step=False)


@overridable
def dstep(
    system: TimedSystem, x0: Values | None = None, t: Values | None = None, n: int | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    r"""Return the responses of a discrete-time linear system to a step in each of its inputs.

    .. math::

        u_i[n] = 1, \qquad i = 1 .. I

    Args:
        system: As in :func:`dlsim`.
        x0: As in :func:`dlsim`.
        t: As in :func:`dimpulse`.
        n: As in :func:`dimpulse`.

    Returns:
        ``(t, y)``: times, ``[T]``, and a tuple of outputs of shape ``[..., T, O]``, one for each input.

    Errors are those of :func:`dlsim`. Source: :func:`scipy.signal.dstep`.

    Example:
        >>> import polezero
        >>> t, (y,) = polezero.dstep(([1.0, 0.0], [1.0, -0.5], 1.0), n=3)
        >>> y.squeeze(-1)
        tensor([1.0000, 1.5000, 1.7500], dtype=torch.float64)
    """
    return _of_each_input("dstep", system, x0, t, n, step=True)


def _response(function: str, b: Coefficients, a: Coefficients, n: int, step: bool) -> Tensor:
    check_int(function, "n", n)
    if n < 0:
        raise ValueError(f"{function}: n: expected a number of samples >= 0, got {n}")
    b_, a_ = transfer_function(function, b, a)
    x = torch.ones(n, dtype=torch.float64, device=b_.device)
    if not step:
        x = (torch.arange(n, device=b_.device) == 0).double()
    return _rounded(_lfilter(b_, a_, x), result_dtype(b, a))


def _lfilter(b: Tensor, a: Tensor, x: Tensor) -> Tensor:
    y: Tensor = _ops.lfilter.default(b, a, x, -1)[0]
    return y


def _rounded(t: Tensor, dtype: torch.dtype) -> Tensor:
    return t.to(complex_of(dtype) if t.is_complex() else dtype)


def _of_each_input(
    function: str, system: TimedSystem, x0: Values | None, t: Values | None, n: int | None, step: bool
) -> tuple[Tensor, tuple[Tensor, ...]]:
    coefficients, dt = _split(function, system)
    inputs = doubles(function, B=coefficients[1])[0].shape[-1] if len(coefficients) == 4 else 1
    if t is None:
        T = 100 if n is None else n
        check_int(function, "n", T)
        times = torch.arange(T, dtype=torch.float64) * dt
    else:
        times = _times(function, t)
    dtype = result_dtype(*(c for c in coefficients if c is not None))
    results = []
    for i in range(inputs):
        u = torch.zeros(len(times), inputs, dtype=dtype, device=_device(coefficients))
        (u if step else u[:1])[:, i] = 1
        results.append(_simulate(function, system, u, None if t is None else times, x0))
    return results[0][0], tuple(y for _, y, *_ in results)


def _simulate(function: str, system: TimedSystem, u: Values, t: Values | None, x0: Values | None) -> tuple[Tensor, ...]:
    coefficients, dt = _split(function, system)
    (x,) = doubles(function, u=u)
    x = x if isinstance(u, Tensor) else x.to(_device(coefficients))
    dtype = result_dtype(*(c for c in (*coefficients, u) if c is not None))
    x = x if x.dim() > 1 else x.unsqueeze(-1)
    if t is None:
        times = torch.arange(x.shape[-2], dtype=torch.float64, device=x.device) * dt
    else:
        times, x = _resampled(_times(function, t), x, dt, function)
    if len(coefficients) == 4:
        y, v = _states(function, coefficients, x, x0)
        return times, _rounded(y, dtype), _rounded(v, dtype)
    if x.shape[-1] != 1:
        raise ValueError(f"{function}: u: expected 1 input, [T] or [..., T, 1], got shape {list(x.shape)}")
    if x0 is not None:
        as_matrices = tf2ss if len(coefficients) == 2 else zpk2ss
        return times, _rounded(_states(function, as_matrices(*coefficients), x, x0)[0], dtype)
    simulate = _polynomials if len(coefficients) == 2 else _roots
    return times, _rounded(simulate(function, coefficients, x), dtype)


def _split(function: str, system: TimedSystem) -> tuple[tuple[Any, ...], float]:
    """The coefficients, and the time between samples."""
    expected = "expected (num, den, dt), (z, p, k, dt) or (A, B, C, D, dt)"
    if not isinstance(system, tuple) or not 3 <= len(system) <= 5:
        raise ValueError(f"{function}: system: {expected}, got {type(system).__name__}")
    *coefficients, dt = system
    if not isinstance(dt, (int, float)):
        raise ValueError(f"{function}: system: {expected} with a number dt, got dt = {dt!r}")
    return tuple(coefficients), float(dt)


def _device(coefficients: tuple[Any, ...]) -> torch.device:
    return next((c.device for c in coefficients if isinstance(c, Tensor)), torch.device("cpu"))


def _times(function: str, t: Values) -> Tensor:
    (times,) = doubles(function, t=t)
    return times.detach()


def _resampled(t: Tensor, u: Tensor, dt: float, function: str) -> tuple[Tensor, Tensor]:
    """Times up to the last of t, and u ``[..., T, I]``, by straight lines between and beyond its samples."""
    if len(t) != u.shape[-2]:
        raise ValueError(f"{function}: t: expected {u.shape[-2]} times, as u has samples, got {len(t)}")
    stop = float(t[-1])
    times = torch.linspace(0.0, stop, math.floor(stop / dt) + 1, dtype=torch.float64, device=u.device)
    t = t.to(u.device)
    if len(t) == 1:
        return times, u.expand(*u.shape[:-2], len(times), u.shape[-1])
    left = (torch.searchsorted(t, times, right=True) - 1).clamp(0, len(t) - 2)
    part = ((times - t[left]) / (t[left + 1] - t[left])).unsqueeze(-1)
    before, after = u.index_select(-2, left), u.index_select(-2, left + 1)
    return times, before + part * (after - before)


def _states(function: str, coefficients: tuple[Any, ...], x: Tensor, x0: Values | None) -> tuple[Tensor, Tensor]:
    """Outputs ``[..., T, O]`` and states ``[..., T, S]``."""
    A, B, C, D = coefficients
    given = {"A": A, "B": B, "C": C, **({} if D is None else {"D": D}), **({} if x0 is None else {"x0": x0})}
    tensors = dict(zip(given, doubles(function, **given)))
    try:
        v, _ = _ops.state_space.default(tensors["A"], tensors["B"], None, None, x.mT, tensors.get("x0"))
    except ValueError as error:
        raise ValueError(str(error).replace("state_space: zi:", f"{function}: x0:")) from None
    y = v.mT @ tensors["C"].mT
    return (y + x.to(y.dtype) @ tensors["D"].to(y.dtype).mT if "D" in tensors else y), v.mT


def _polynomials(function: str, coefficients: tuple[Any, ...], x: Tensor) -> Tensor:
    num, den = transfer_function(function, *coefficients)
    num = num if num.dim() > 1 else num.unsqueeze(0)
    late = den.shape[-1] - num.shape[-1]
    if late < 0:
        raise ValueError(
            f"{function}: system: expected a numerator no longer than its denominator (others look ahead), got shapes "
            f"{list(num.shape)} and {list(den.shape)}"
        )
    return _lfilter(torch.nn.functional.pad(num, (late, 0)), den.unsqueeze(-2), x.mT).mT


def _roots(function: str, coefficients: tuple[Any, ...], x: Tensor) -> Tensor:
    """One pole, with a zero or a delay, after another: polynomials would lose the digits of poles in clusters."""
    z, p, k = zeros_poles_gain(function, *coefficients)
    late = p.shape[-1] - z.shape[-1]
    if late < 0:
        raise ValueError(
            f"{function}: system: expected no more zeros than poles (others look ahead), got {z.shape[-1]} and "
            f"{p.shape[-1]}"
        )
    y = k.unsqueeze(-1) * x.squeeze(-1)
    one, none = (torch.full_like(p[..., :1], value) for value in (1.0, 0.0))
    for i in range(p.shape[-1]):
        b = torch.cat([none, one], -1) if i < late else _factor(z[..., i - late : i - late + 1])
        y = _lfilter(b, _factor(p[..., i : i + 1]), y)
    return (y if x.is_complex() or not y.is_complex() else y.real).unsqueeze(-1)


def _factor(root: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(root), -root], -1)
