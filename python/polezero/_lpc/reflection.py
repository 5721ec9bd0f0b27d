"""Predictors as reflection coefficients, and as ratios of the areas of a tube."""

from __future__ import annotations

from typing import overload

import torch
from torch import Tensor

from polezero._arguments import doubles, readable
from polezero._conversions.forms import Pair, check_not_empty, numbers
from polezero._conversions.ladder import orders, stages
from polezero._lpc.checks import reals
from polezero._lpc.recursion import power
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["lar2rc", "poly2rc", "rc2lar", "rc2poly"]


@overload
def poly2rc(a: Coefficients, efinal: None = None) -> Tensor: ...
@overload
def poly2rc(a: Coefficients, efinal: Coefficients) -> Pair: ...
@overridable
def poly2rc(a: Coefficients, efinal: Coefficients | None = None) -> Tensor | Pair:
    r"""Return the reflection coefficients of a predictor, and the power of the signal that it predicts.

    .. math::

        k_i = a_i^{(i)}, \qquad
        A_{i-1}(z) = \frac{A_i(z) - k_i z^{-i} \overline{A_i}(z^{-1})}{1 - |k_i|^2}, \qquad
        r_0 = \frac{E}{\prod_i (1 - |k_i|^2)}

    Args:
        a: Predictor, shape ``[..., p + 1]``, leading dimensions are a batch; it is divided by ``a[..., 0]``.
        efinal: The power E of its error, shape ``[...]``.

    Returns:
        k, shape ``[..., p]``, in double precision, signed as those of :func:`tf2latc` and :func:`lattice` are (those of
        ``tf2latc(1.0, a)``); beside ``efinal`` ``(k, r0)``. All ``|k| < 1`` if, and only if, a is minimum phase.

    Raises:
        ValueError: ``a[..., 0]`` is 0, a coefficient has the magnitude 1 (:func:`tf2latc`), or a shape does not fit.

    Source: MATLAB's function of that name; J. Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63(4), 1975.

    Example:
        >>> import polezero
        >>> polezero.poly2rc([1.0, 0.625, 0.25])
        tensor([0.5000, 0.2500], dtype=torch.float64)
    """
    (predictor,) = doubles("poly2rc", a=a)
    check_not_empty("poly2rc", "a", predictor)
    k, _ = stages("poly2rc", "a", predictor)
    if efinal is None:
        return k
    (error,) = numbers("poly2rc", {"a": predictor}, efinal=efinal)
    return k, error / _remaining(k)


@overload
def rc2poly(k: Coefficients, r0: None = None) -> Tensor: ...
@overload
def rc2poly(k: Coefficients, r0: Coefficients) -> Pair: ...
@overridable
def rc2poly(k: Coefficients, r0: Coefficients | None = None) -> Tensor | Pair:
    r"""Return the predictor with given reflection coefficients, and the power of its error.

    .. math::

        A_i(z) = A_{i-1}(z) + k_i z^{-i} \overline{A_{i-1}}(z^{-1}), \qquad A_0 = 1, \qquad
        E = r_0 \prod_i (1 - |k_i|^2)

    Args:
        k: Reflection coefficients ``k_1 .. k_p``, shape ``[..., p]``, leading dimensions are a batch; signed as those
            of :func:`latc2tf` and :func:`lattice` are.
        r0: The power of the signal that is predicted, shape ``[...]``.

    Returns:
        a, shape ``[..., p + 1]``, in double precision, with a_0 = 1; beside ``r0`` ``(a, efinal)``. It is minimum phase
        if, and only if, all ``|k| < 1``.

    Raises:
        ValueError: A shape does not fit.

    Source: MATLAB's function of that name; J. Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63(4), 1975.

    Example:
        >>> import polezero
        >>> polezero.rc2poly([0.5, 0.25])
        tensor([1.0000, 0.6250, 0.2500], dtype=torch.float64)
    """
    (reflections,) = doubles("rc2poly", k=k)
    a = orders(reflections)[-1]
    if r0 is None:
        return a
    (signal,) = numbers("rc2poly", {"k": reflections}, r0=r0)
    return a, signal * _remaining(reflections)


def _remaining(k: Tensor) -> Tensor:
    """The part of the power that is not predicted."""
    return torch.prod(1 - power(k), -1)


@overridable
def rc2lar(k: Coefficients) -> Tensor:
    r"""Return the log area ratios of reflection coefficients.

    .. math::

        g_i = \ln \frac{1 + k_i}{1 - k_i} = 2 \operatorname{artanh} k_i

    They are the logarithms of the ratios of neighbouring areas of a lossless tube, and any real numbers are such: a
    network may predict them.

    Args:
        k: Reflection coefficients, any shape ``[..., p]``, between -1 and 1.

    Returns:
        g, of the same shape, in float64.

    Raises:
        ValueError: A coefficient is not between -1 and 1. On a GPU, under ``vmap``, ``torch.func`` and
            ``torch.compile`` no value is looked at: the result is inf or NaN then.
        TypeError: They are complex.

    Source: MATLAB's function of that name; R. Viswanathan and J. Makhoul, "Quantization properties of transmission
    parameters in linear predictive systems", IEEE Trans. Acoust., Speech, Signal Process. 23(3), 1975.

    Example:
        >>> import polezero
        >>> polezero.rc2lar([0.5, -0.25])
        tensor([ 1.0986, -0.5108], dtype=torch.float64)
    """
    reflections = reals("rc2lar", "k", k)
    if readable(reflections) and (outside := reflections[reflections.abs() >= 1]).numel():
        raise ValueError(f"rc2lar: k: expected numbers between -1 and 1, got {outside[0].item():g}")
    return 2 * torch.atanh(reflections)


@overridable
def lar2rc(g: Coefficients) -> Tensor:
    r"""Return the reflection coefficients of log area ratios.

    .. math::

        k_i = \frac{e^{g_i} - 1}{e^{g_i} + 1} = \tanh \frac{g_i}{2}

    Args:
        g: Log area ratios, any shape ``[..., p]``.

    Returns:
        k, of the same shape, in float64, between -1 and 1 (at the border, to rounding, from \|g\| = 38 on).

    Raises:
        TypeError: They are complex, which is the only error.

    Source: MATLAB's function of that name; see :func:`rc2lar`.

    Example:
        >>> import polezero
        >>> polezero.lar2rc(polezero.rc2lar([0.5, -0.25]))
        tensor([ 0.5000, -0.2500], dtype=torch.float64)
    """
    return torch.tanh(reals("lar2rc", "g", g) / 2)
