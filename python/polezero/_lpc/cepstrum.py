"""Predictors as cepstra."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import broadcast_leading, doubles, readable
from polezero._conversions.forms import Pair, check_not_empty, numbers
from polezero._lfilter import lfilter
from polezero._lpc.checks import check_order
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["cepstrum2poly", "poly2cepstrum"]


@overridable
def poly2cepstrum(a: Coefficients, error: Coefficients = 1.0, n: int | None = None) -> Tensor:
    r"""Return the cepstrum of an all-pole filter.

    .. math::

        \ln \frac{\sqrt E}{A(z)} = \sum_{i=0}^{\infty} c_i z^{-i}, \qquad c_0 = \tfrac12 \ln E, \qquad
        c_i = -a_i - \frac1i \sum_{j=1}^{i-1} j c_j a_{i-j}

    ``poly2cepstrum(*lpc(x, order))`` is that of a signal's predictor.

    Args:
        a: Predictor, shape ``[..., p + 1]``, leading dimensions are a batch; it is divided by ``a[..., 0]``, and the
            series is that of its logarithm where it is minimum phase.
        error: The power E of its error, shape ``[...]``.
        n: The last index of the cepstrum; p if None.

    Returns:
        ``c_0 .. c_n`` in double precision, shape ``[..., n + 1]``. Where E is 0, in silence, c_0 is -inf and has a
        derivative of 0.

    Raises:
        ValueError: ``a[..., 0]`` is 0, ``n`` or an error is negative, or a shape does not fit.

    Source: the ``lpc2c`` of SPTK; B. S. Atal, "Effectiveness of linear prediction characteristics of the speech wave
    for automatic speaker identification and verification", J. Acoust. Soc. Am. 55(6), 1974.

    Example:
        >>> import polezero
        >>> polezero.poly2cepstrum([1.0, -0.5], n=3)
        tensor([0.0000, 0.5000, 0.1250, 0.0417], dtype=torch.float64)
    """
    (predictor,) = doubles("poly2cepstrum", a=a)
    check_not_empty("poly2cepstrum", "a", predictor)
    (E,) = numbers("poly2cepstrum", {"a": predictor}, error=error)
    p = predictor.shape[-1] - 1
    n = p if n is None else n
    check_order("poly2cepstrum", n, name="n")
    if readable(predictor) and (predictor[..., 0] == 0).any():
        raise ValueError("poly2cepstrum: a: expected a[..., 0] != 0, got 0")
    if readable(E) and (E < 0).any():
        raise ValueError(f"poly2cepstrum: error: expected no negative number, got {E.min().item():g}")
    # i c_i is the response of z A'(z) / A(z).
    index = torch.arange(max(p, n) + 1, dtype=torch.float64, device=predictor.device)
    impulse = torch.nn.functional.pad(torch.ones_like(predictor[..., :1]), (0, n))
    rising = lfilter(-predictor * index[: p + 1], predictor, impulse)
    is_silent = (E == 0).detach()
    first = torch.where(is_silent, -torch.inf, torch.where(is_silent, 1.0, E).log() / 2).unsqueeze(-1)
    rest = rising[..., 1:] / index[1 : n + 1]
    leading = broadcast_leading("poly2cepstrum", 1, a=rest, error=first)
    return torch.cat([first.expand(*leading, 1), rest.expand(*leading, n)], -1)


@overridable
def cepstrum2poly(c: Coefficients, order: int | None = None) -> Pair:
    r"""Return the all-pole filter with a given cepstrum.

    .. math::

        E = e^{2 c_0}, \qquad a_0 = 1, \qquad a_i = -\frac1i \sum_{j=1}^{i} j c_j a_{i-j}

    It is the inverse of :func:`poly2cepstrum`. Of the cepstrum of another filter, or one that has been changed, the
    predictor has the first ``order`` values, need not be minimum phase.

    Args:
        c: Cepstrum, shape ``[..., n + 1]``, leading dimensions are a batch.
        order: p; n if None. Values beyond ``c_n`` are 0.

    Returns:
        A tuple ``(a, error)`` of double precision, as from :func:`lpc`: shapes ``[..., p + 1]`` and ``[...]``.

    Raises:
        ValueError: ``c`` is empty, or ``order`` negative.

    Source: the ``lpc2c`` of SPTK, of which this is the inverse; see :func:`poly2cepstrum`.

    Example:
        >>> import polezero
        >>> a, error = polezero.cepstrum2poly([0.0, 0.5, 0.25])
        >>> a, error
        (tensor([ 1.0000, -0.5000, -0.1250], dtype=torch.float64), tensor(1., dtype=torch.float64))
    """
    (cepstrum,) = doubles("cepstrum2poly", c=c)
    check_not_empty("cepstrum2poly", "c", cepstrum)
    n = cepstrum.shape[-1] - 1
    p = n if order is None else order
    check_order("cepstrum2poly", p)
    error = (2 * cepstrum[..., 0].real).exp()
    index = torch.arange(min(n, p) + 1, dtype=torch.float64, device=cepstrum.device)
    rising = torch.nn.functional.pad(cepstrum[..., : p + 1] * index, (0, max(p - n, 0)))
    backwards = rising.flip(-1)  # p c_p .. 1 c_1, 0
    a = torch.ones_like(cepstrum[..., :1])
    for i in range(1, p + 1):
        a = torch.cat([a, (a * backwards[..., p - i : p]).sum(-1, keepdim=True) / -i], -1)
    return a, error
