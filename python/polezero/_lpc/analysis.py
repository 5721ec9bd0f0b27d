"""Linear prediction of signals."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from polezero._arguments import doubles
from polezero._conversions.forms import Pair
from polezero._conversions.ladder import orders
from polezero._conversions.roots import conjugate
from polezero._lpc.checks import check_order
from polezero._lpc.recursion import durbin, power
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["lpc"]

Method: TypeAlias = Literal["autocorrelation", "covariance", "burg"]

# A frame is predicted, and what is left of it rounding, where that has this part of the frame's power: 241 dB.
_ROUNDING = 2.0**-80


@overridable
def lpc(x: Coefficients, order: int, method: Method = "autocorrelation") -> Pair:
    r"""Return the linear predictors of frames of a signal: the all-pole filters that noise would make them of.

    .. math::

        e_n = \sum_{i=0}^{p} a_i x_{n-i}, \qquad a_0 = 1, \qquad
        H(z) = \frac{\sqrt{E}}{A(z)}, \qquad E = \mathrm{mean}\, |e_n|^2

    The methods differ in the errors that they make least:

    ``"autocorrelation"``
        :math:`\sum |e_n|^2` over all n, where x is 0 outside the frame (:func:`levinson`). Minimum phase. **No window
        is applied**: multiply frames by one (``torch.hann_window``) before, as one does for speech.
    ``"burg"``
        Those forward and backward together, stage by stage of a lattice, and within the frame alone: sharp on short
        frames, without a window. Minimum phase, but for frames that are predicted without an error, as a constant
        or a sine: their poles are on the unit circle, to rounding.
    ``"covariance"``
        :math:`\sum |e_n|^2` within the frame, n from p on. It finds the poles of a free response exactly, and **may
        be unstable**. Of several predictors that are equally good, as of a sine above order 2, it is one with small
        coefficients.

    Args:
        x: Frames, shape ``[..., T]``, leading dimensions are a batch; real or complex, of any dtype: all is computed in
            double precision.
        order: p, from 0 to T - 1, of the covariance method to T / 2.
        method: One of the above.

    Returns:
        A tuple ``(a, error)`` of double precision: the predictors, shape ``[..., p + 1]``, a_0 = 1, and the
        power E of their error, shape ``[...]``. It is a mean over the frame (autocorrelation: the sum of all errors,
        divided by T), so ``sqrt(error)`` is the gain of the filter that unit noise passes.

    Derivatives of all orders are those of the formulas. A frame of silence has a = [1, 0, ..], an error of 0 and
    gradients of 0; so has a coefficient that is rounding alone, because the ones before predict the frame. ``"burg"``
    and ``"covariance"`` need memory of p times the frames, ``"autocorrelation"`` none.

    Raises:
        ValueError: ``order`` is negative or too large for the frames, or ``method`` is another word.
        TypeError: ``order`` is no int.

    Source: MATLAB's function of that name, and ``arburg`` and ``arcov``; J. Makhoul, "Linear prediction: a tutorial
    review", Proc. IEEE 63(4), 1975; J. P. Burg, "Maximum entropy spectral analysis", PhD thesis, Stanford, 1975.

    Example:
        >>> import torch, polezero
        >>> x = polezero.lfilter([1.0], [1.0, -1.2, 0.8], torch.eye(1, 400).double())
        >>> a, error = polezero.lpc(x, 2)
        >>> a, 400 * error
        (tensor([[ 1.0000, -1.2000,  0.8000]], dtype=torch.float64), tensor([1.0000], dtype=torch.float64))
    """
    (frames,) = doubles("lpc", x=x)
    if method not in ("autocorrelation", "covariance", "burg"):
        raise ValueError(f"lpc: method: expected 'autocorrelation', 'covariance' or 'burg', got {method!r}")
    T = frames.shape[-1]
    if T == 0:
        raise ValueError(f"lpc: x: expected at least 1 sample along the last axis, got shape {list(frames.shape)}")
    if method == "covariance":
        check_order("lpc", order, T // 2, "half of the frame's samples by this method")
    else:
        check_order("lpc", order, T - 1, "one less than the frame's samples")
    # The predictor does not depend on the level, whose square may be too small, or large, for a number.
    level = _power_of_two(frames.detach().abs().amax(-1, keepdim=True))
    a, error = _METHODS[method](frames / level, order)
    return a, error * level.squeeze(-1).square()


def _power_of_two(level: Tensor) -> Tensor:
    """The largest one below, which rounds nothing, or 1 for silence (and where there are no numbers)."""
    mantissa, _ = torch.frexp(level)
    return torch.where((level > 0) & level.isfinite(), level / (2 * mantissa), 1.0)


def _autocorrelation(x: Tensor, order: int) -> Pair:
    r = torch.ops.polezero.lag_correlation(x, conjugate(x), order + 1) / x.shape[-1]
    a, error, _ = durbin(r, order)
    return a, error


def _burg(x: Tensor, order: int) -> Pair:
    error = power(x).mean(-1, keepdim=True)
    rounding = _ROUNDING * 2 * x.shape[-1] * error.detach()
    forward, backward = x[..., 1:], x[..., :-1]
    reflections = [x[..., :0]]
    for _ in range(order):
        total = (power(forward) + power(backward)).sum(-1, keepdim=True)
        common = (forward * conjugate(backward)).sum(-1, keepdim=True)
        is_predicted = total.detach() <= rounding
        k = torch.where(is_predicted, 0.0, -2 * common / torch.where(is_predicted, 1.0, total))
        k = k / k.detach().abs().clamp(min=1.0)
        error = error * (1 - power(k))
        reflections.append(k)
        forward, backward = (forward + k * backward)[..., 1:], (backward + conjugate(k) * forward)[..., :-1]
    return orders(torch.cat(reflections, -1))[-1], error.squeeze(-1)


def _covariance(x: Tensor, order: int) -> Pair:
    delayed = x.unfold(-1, order + 1, 1).flip(-1)  # x[n - i], [..., T - p, p + 1]
    now, past = delayed[..., :1], delayed[..., 1:]
    adjoint = conjugate(past).mT
    matrix = adjoint @ past
    total = matrix.detach().diagonal(dim1=-2, dim2=-1).real.sum(-1)[..., None, None]
    is_silent = total <= 0
    # What is added is as much as rounding, and makes the matrix positive definite.
    ridge = torch.where(is_silent, 1.0, 2 * torch.finfo(torch.float64).eps * total)
    factor, _ = torch.linalg.cholesky_ex(matrix + ridge * torch.eye(order, dtype=x.dtype, device=x.device))
    a = -torch.cholesky_solve(adjoint @ now, factor)
    # The squares in the normal equations cost digits, which what is left of the frame gives back.
    for _ in range(2):
        a = a - torch.cholesky_solve(adjoint @ (now + past @ a), factor)
    a = torch.where(is_silent, 0.0, a)
    error = power(now + past @ a).mean((-2, -1))
    return torch.cat([torch.ones_like(now[..., :1, :]), a], -2).squeeze(-1), error


_METHODS = {"autocorrelation": _autocorrelation, "burg": _burg, "covariance": _covariance}
