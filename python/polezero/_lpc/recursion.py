"""The recursion of Levinson and Durbin."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import doubles
from polezero._conversions.forms import check_not_empty
from polezero._conversions.roots import conjugate
from polezero._lpc.checks import check_order
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["levinson"]


@overridable
def levinson(r: Coefficients, order: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the predictor of a signal with a given autocorrelation, by the recursion of Levinson and Durbin.

    .. math::

        \sum_{i=0}^{p} a_i r_{j-i} = 0, \quad j = 1 .. p, \qquad a_0 = 1, \qquad r_{-j} = \overline{r_j}, \qquad
        E = \sum_{i=0}^{p} a_i \overline{r_i} = r_0 \prod_{i=1}^{p} (1 - |k_i|^2)

    With :math:`r_j = \sum_n x_n \overline{x_{n-j}}` the error :math:`e_n = \sum_i a_i x_{n-i}` has the least power.

    Args:
        r: Autocorrelation at the lags 0, 1, .., shape ``[..., more than order]``, leading dimensions are a batch.
        order: p, from 0 to the last lag, which None is.

    Returns:
        A tuple ``(a, error, k)`` of double precision: the predictor, shape ``[..., p + 1]``, the power E of its
        error, shape ``[...]``, and the reflection coefficients, shape ``[..., p]``, signed as those of
        :func:`tf2latc` and :func:`lattice` are: ``k_i`` is the last coefficient of the predictor of order i.

    A is minimum phase, and ``lfilter([1.0], a, x)`` stable: all ``|k| < 1``. Where an autocorrelation is not positive
    definite, or only by rounding, the recursion ends: the next coefficient would not be below 1, and it and all that
    follow are 0, with derivatives of 0. So silence, r = 0, gives a = [1, 0, ..] and an error of 0.

    Raises:
        ValueError: ``order`` is negative or beyond the last lag, or ``r`` is empty.

    Source: MATLAB's function of that name; J. Makhoul, "Linear prediction: a tutorial review", Proc. IEEE 63(4), 1975.

    Example:
        >>> import polezero
        >>> a, error, k = polezero.levinson([1.0, 0.5, 0.1])
        >>> a, error
        (tensor([ 1.0000, -0.6000,  0.2000], dtype=torch.float64), tensor(0.7200, dtype=torch.float64))
        >>> k
        tensor([-0.5000,  0.2000], dtype=torch.float64)
    """
    (lags,) = doubles("levinson", r=r)
    check_not_empty("levinson", "r", lags)
    last = lags.shape[-1] - 1
    if order is not None:
        check_order("levinson", order, last, "the last lag of r")
    return durbin(lags, last if order is None else order)


def durbin(r: Tensor, order: int) -> tuple[Tensor, Tensor, Tensor]:
    backwards, last = r.flip(-1), r.shape[-1] - 1
    a = torch.ones_like(r[..., :1])
    error = r[..., :1].real
    has_ended = torch.zeros_like(error, dtype=torch.bool)
    reflections = [r[..., :0]]
    for m in range(1, order + 1):
        remainder = (a * backwards[..., last - m : last]).sum(-1, keepdim=True)
        # NaN is no end: it goes on into all that follows.
        has_ended = has_ended | (remainder.detach().abs() >= error.detach())
        k = torch.where(has_ended, 0.0, -remainder / torch.where(has_ended, 1.0, error))
        a = torch.nn.functional.pad(a, (0, 1))
        a = a + k * conjugate(a.flip(-1))
        error = error * (1 - power(k))
        reflections.append(k)
    return a, error.squeeze(-1), torch.cat(reflections, -1)


def power(values: Tensor) -> Tensor:
    """|v|^2, which is smooth at 0 too."""
    return values.real.square() + values.imag.square() if values.is_complex() else values.square()
