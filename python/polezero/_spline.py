"""B-splines: coefficients by recursive filters forth and back, and what a spline is between its knots.

Names and the order of arguments are :mod:`scipy.signal`'s (a signal is ``x`` here), on any axis and any number of them,
differentiable in the signal and in the points. Letters, dtypes and errors are those of :mod:`polezero`. A
signal is mirrored beyond its ends again and again: half a sample beyond the end (``x[-1] = x[0]``), or, for
:func:`cubic_spline` with ``"reflect"``, about the end (``x[-1] = x[1]``).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import check_int, signal, to_tensor
from polezero._overrides import overridable
from polezero._signatures import Values

__all__ = [
    "cspline1d",
    "cspline1d_eval",
    "cspline2d",
    "cubic_spline",
    "qspline1d",
    "qspline1d_eval",
    "qspline2d",
    "symiirorder1",
    "symiirorder2",
]

Boundary: TypeAlias = Literal["reflect", "scipy"]

_ops = torch.ops.polezero


@overridable
def cubic_spline(x: Tensor, m: int, boundary: Boundary = "reflect", axis: int = -1) -> Tensor:
    r"""Upsample ``x`` by the cubic spline through its samples.

    .. math::

        y[n m + r] = s(n + r / m), \qquad s(t) = \sum_k c[k] \, \beta^3(t - k), \qquad s(n) = x[n]

    with :math:`c` of :func:`cspline1d` and the cubic B-spline :math:`\beta^3`.

    Args:
        x: Signal, T >= 1 samples along ``axis``.
        m: Samples of y for each of x, an integer >= 1.
        boundary: ``"reflect"`` mirrors x about its end samples, as :func:`torch.nn.functional.pad` does; ``"scipy"``
            half a sample beyond them, as :func:`cspline1d`.
        axis: The axis of time.

    Returns:
        y, the shape of x with (T - 1) m + 1 samples along ``axis``; ``y[::m]`` is x, but for rounding.

    Errors are those of :func:`lfilter`. Source: M. Unser, "Splines: a perfect fit for signal and image processing",
    IEEE Signal Processing Magazine 16, 1999.

    Example:
        >>> import torch, polezero
        >>> polezero.cubic_spline(torch.tensor([0.0, 1.0, 0.0]), 2).round(decimals=4) + 0.0
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    check_int("cubic_spline", "m", m)
    if not isinstance(boundary, str):
        raise TypeError(f"cubic_spline: boundary: expected 'reflect' or 'scipy', got {boundary!r}")
    return _apply("cubic_spline", x, m, boundary, axis=axis)


@overridable
def cspline1d(x: Tensor, lamb: float = 0.0, axis: int = -1) -> Tensor:
    r"""Coefficients of the cubic spline through the samples of ``x``, or of one that smooths them.

    .. math::

        C(z) = \frac{6}{z + 4 + z^{-1}} X(z), \qquad
        \text{or } \frac{1}{(z + 4 + z^{-1}) / 6 + \lambda (z - 2 + z^{-1})^2} X(z)

    The second minimises :math:`\sum_n (x[n] - s(n))^2 + \lambda \int s''(t)^2 dt` over all splines s.

    Args:
        x: Signal, T samples along ``axis``.
        lamb: :math:`\lambda`, 0 or above 1/144.
        axis: The axis of time.

    Returns:
        c, in the shape of x, for :func:`cspline1d_eval`.

    Differs from SciPy 1.17 where x is shorter than 20 samples (SciPy mirrors it once, so that its splines miss the
    samples there) and with ``lamb``: SciPy begins with two samples in the wrong order, which is heard for as long as
    the filter rings (hundreds of samples from ``lamb`` = 1000 on), and gives NaN for some values below 0.03. Errors are
    those of :func:`lfilter`. Source: M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing: Part II", IEEE
    Transactions on Signal Processing 41, 1993.

    Example:
        >>> import torch, polezero
        >>> c = polezero.cspline1d(torch.tensor([0.0, 1.0, 0.0, 0.0]))
        >>> ((c[:-2] + 4 * c[1:-1] + c[2:])[0] / 6).round(decimals=4)
        tensor(1.)
    """
    return _apply("cspline1d", x, _number("cspline1d", "lamb", lamb), axis=axis)


@overridable
def qspline1d(x: Tensor, lamb: float = 0.0, axis: int = -1) -> Tensor:
    r"""Coefficients of the quadratic spline through the samples of ``x``.

    .. math::

        C(z) = \frac{8}{z + 6 + z^{-1}} X(z)

    Args:
        x: Signal, T samples along ``axis``.
        lamb: 0, for SciPy's signature: quadratic splines do not smooth.
        axis: The axis of time.

    Returns:
        c, in the shape of x, for :func:`qspline1d_eval`.

    Differences from SciPy and errors are those of :func:`cspline1d`. Source: as there.

    Example:
        >>> import torch, polezero
        >>> c = polezero.qspline1d(torch.tensor([0.0, 1.0, 0.0, 0.0]))
        >>> ((c[:-2] + 6 * c[1:-1] + c[2:])[0] / 8).round(decimals=4)
        tensor(1.)
    """
    _check_no_smoothing("qspline1d", lamb)
    return _apply("qspline1d", x, axis=axis)


@overridable
def cspline1d_eval(
    cj: Tensor, newx: Values, dx: float | Tensor = 1.0, x0: float | Tensor = 0.0, axis: int = -1
) -> Tensor:
    r"""The cubic spline with coefficients ``cj`` at the points ``newx``: resampling at any points, time warping.

    .. math::

        y_i = \sum_k c_k \, \beta^3(t_i - k), \qquad t_i = (\mathit{newx}_i - x_0) / \mathit{dx}

    Points before the first knot or behind the last are mirrored about it. The spline has corners there: at the ends
    themselves its derivative is the one inside.

    Args:
        cj: Coefficients, T of them along ``axis``: those of :func:`cspline1d`.
        newx: Points, shape ``[P]``, or of as many dimensions as ``cj`` has, P along ``axis`` and the others broadcast.
            The spline is differentiable in them.
        dx: The distance of knots.
        x0: The place of the first knot.
        axis: The axis of time.

    Returns:
        y, P values along ``axis``, in the dtype of ``cj``.

    Errors are those of :func:`lfilter`; a NaN among the points is one in the result. Source: as :func:`cubic_spline`.

    Example:
        >>> import torch, polezero
        >>> c = polezero.cspline1d(torch.arange(50.0).square())
        >>> polezero.cspline1d_eval(c, [20.0, 20.5])
        tensor([400.0000, 420.2500])
    """
    return _evaluate("cspline1d_eval", cj, newx, dx, x0, axis)


@overridable
def qspline1d_eval(
    cj: Tensor, newx: Values, dx: float | Tensor = 1.0, x0: float | Tensor = 0.0, axis: int = -1
) -> Tensor:
    r"""The quadratic spline with coefficients ``cj`` at the points ``newx``.

    .. math::

        y_i = \sum_k c_k \, \beta^2(t_i - k), \qquad t_i = (\mathit{newx}_i - x_0) / \mathit{dx}

    Args:
        cj: Coefficients, those of :func:`qspline1d`.
        newx: Points, of the shapes that :func:`cspline1d_eval` takes, mirrored and differentiable as there.
        dx: The distance of knots.
        x0: The place of the first knot.
        axis: The axis of time.

    Returns:
        y, P values along ``axis``, in the dtype of ``cj``.

    Errors are those of :func:`cspline1d_eval`. Source: as :func:`cubic_spline`.

    Example:
        >>> import torch, polezero
        >>> c = polezero.qspline1d(torch.arange(50.0).square())
        >>> polezero.qspline1d_eval(c, [20.0, 20.5])
        tensor([400.0000, 420.2500])
    """
    return _evaluate("qspline1d_eval", cj, newx, dx, x0, axis)


@overridable
def cspline2d(x: Tensor, lamb: float = 0.0, precision: float = -1.0) -> Tensor:
    r"""Cubic B-spline coefficients of images: :func:`cspline1d` along both of the last axes.

    .. math::

        C(z, w) = \frac{6}{z + 4 + z^{-1}} \, \frac{6}{w + 4 + w^{-1}} X(z, w)

    Args:
        x: Images, shape ``[..., H, W]``.
        lamb: As in :func:`cspline1d`.
        precision: For SciPy's signature; sums are always taken as far as float64 goes.

    Returns:
        Coefficients, in the shape of x.

    Errors are those of :func:`cspline1d`. Source: as there.

    Example:
        >>> import torch, polezero
        >>> polezero.cspline2d(torch.ones(2, 3)).round(decimals=4)
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """
    del precision
    c: Tensor = _ops.cspline2d.default(signal("cspline2d", x), _number("cspline2d", "lamb", lamb))
    return c


@overridable
def qspline2d(x: Tensor, lamb: float = 0.0, precision: float = -1.0) -> Tensor:
    r"""Quadratic B-spline coefficients of images: :func:`qspline1d` along both of the last axes.

    .. math::

        C(z, w) = \frac{8}{z + 6 + z^{-1}} \, \frac{8}{w + 6 + w^{-1}} X(z, w)

    Args:
        x: Images, shape ``[..., H, W]``.
        lamb: As in :func:`qspline1d`.
        precision: As in :func:`cspline2d`.

    Returns:
        Coefficients, in the shape of x.

    Errors are those of :func:`qspline1d`. Source: as there.

    Example:
        >>> import torch, polezero
        >>> polezero.qspline2d(torch.ones(1, 2)).round(decimals=4)
        tensor([[1., 1.]])
    """
    del precision
    _check_no_smoothing("qspline2d", lamb)
    c: Tensor = _ops.qspline2d.default(signal("qspline2d", x))
    return c


@overridable
def symiirorder1(x: Tensor, c0: float, z1: float, precision: float = -1.0, axis: int = -1) -> Tensor:
    r"""Filter ``x`` forth and back with one pole, mirrored beyond its ends.

    .. math::

        H(z) = \frac{c_0}{(1 - z_1 z^{-1}) (1 - z_1 z)}

    Args:
        x: Signal, T samples along ``axis``.
        c0: The gain.
        z1: The pole, between -1 and 1.
        precision: For SciPy's signature; sums are always taken as far as float64 goes.
        axis: The axis of time.

    Returns:
        y, in the shape of x.

    Errors are those of :func:`lfilter`; SciPy's, for signals too short for its precision, is none here. Source: as
    :func:`cspline1d`.

    Example:
        >>> import torch, polezero
        >>> polezero.symiirorder1(torch.tensor([0.0, 0.0, 3.0, 0.0, 0.0]), 0.25, 0.5).round(decimals=4)
        tensor([0.3871, 0.5806, 1.0645, 0.5806, 0.3871])
    """
    del precision
    numbers = (_number("symiirorder1", name, value) for name, value in (("c0", c0), ("z1", z1)))
    return _apply("symiirorder1", x, *numbers, axis=axis)


@overridable
def symiirorder2(x: Tensor, r: float, omega: float, precision: float = -1.0, axis: int = -1) -> Tensor:
    r"""Filter ``x`` forth and back with a pair of poles, mirrored beyond its ends; gain 1 at frequency 0.

    .. math::

        H(z) = \frac{A(1)^2}{A(z) A(z^{-1})}, \qquad A(z) = 1 - 2 r \cos(\omega) z^{-1} + r^2 z^{-2}

    Args:
        x: Signal, T samples along ``axis``.
        r: Radius of the poles, 0 <= r < 1.
        omega: Their angle, in radians.
        precision: For SciPy's signature; sums are always taken as far as float64 goes.
        axis: The axis of time.

    Returns:
        y, in the shape of x.

    SciPy's ends are 1e-6 off (it sums what lies beyond them up to its precision), and its ``r = 0`` is no identity.
    Errors are those of :func:`symiirorder1`. Source: as there.

    Example:
        >>> import torch, polezero
        >>> polezero.symiirorder2(torch.ones(3), 0.5, 1.0).round(decimals=4)
        tensor([1., 1., 1.])
    """
    del precision
    numbers = (_number("symiirorder2", name, value) for name, value in (("r", r), ("omega", omega)))
    return _apply("symiirorder2", x, *numbers, axis=axis)


def _apply(function: str, x: Tensor, *options: object, axis: int) -> Tensor:
    check_int(function, "axis", axis)
    y: Tensor = getattr(_ops, function).default(signal(function, x), *options, axis)
    return y


def _number(function: str, name: str, value: float) -> float:
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(f"{function}: {name}: expected a number, which has no gradient, got a tensor that requires one")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{function}: {name}: expected a real number, got {value!r}") from None


def _check_no_smoothing(function: str, lamb: float) -> None:
    if _number(function, "lamb", lamb) != 0:
        raise ValueError(f"{function}: lamb: expected 0 (quadratic splines do not smooth), got {lamb!r}")


def _evaluate(function: str, cj: Tensor, newx: Values, dx: Values, x0: Values, axis: int) -> Tensor:
    device = signal(function, cj, "cj").device
    points = _real(f"{function}: newx", newx, device)
    if points.device != device:
        raise ValueError(f"{function}: newx: expected a tensor on {device} as cj, got one on {points.device}")
    step, first = _scale(f"{function}: dx", dx, device), _scale(f"{function}: x0", x0, device)
    try:
        torch.broadcast_shapes(points.shape, step.shape, first.shape)
    except RuntimeError:
        shapes = f"dx {list(step.shape)}, x0 {list(first.shape)}"
        message = f"{function}: dx, x0: expected shapes that broadcast against newx {list(points.shape)}, got {shapes}"
        raise ValueError(message) from None
    return _apply(function, cj, (points - first) / step, axis=axis)


def _real(name: str, value: Values, device: torch.device) -> Tensor:
    """In a floating dtype: torch would divide integers in its default dtype."""
    numbers = to_tensor(name, value, torch.float64, device)
    if numbers.dtype == torch.bool or numbers.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {str(numbers.dtype).removeprefix('torch.')}")
    return numbers if numbers.is_floating_point() else numbers.double()


def _scale(name: str, value: Values, device: torch.device) -> Tensor:
    """One number has no dimension: then its dtype is not that of the points, nor has it to be on their device."""
    numbers = _real(name, value, device)
    return numbers.squeeze(0) if numbers.shape == (1,) else numbers
