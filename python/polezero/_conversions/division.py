"""The division of polynomials, which is a filter's impulse response."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._arguments import doubles
from polezero._conversions.forms import check_not_empty, check_one_filter
from polezero._lfilter import lfilter
from polezero._overrides import overridable
from polezero._signatures import Coefficients


@overridable
def deconvolve(signal: Coefficients, divisor: Coefficients) -> tuple[Tensor, Tensor]:
    r"""Divide polynomials: the quotient and the remainder of ``signal`` by ``divisor``.

    .. math::

        \text{signal} = \text{divisor} * \text{quotient} + \text{remainder}

    The quotient is the impulse response of the filter ``signal`` over ``divisor``.

    Args:
        signal: Coefficients of one polynomial, shape ``[S]``.
        divisor: Coefficients of one polynomial, shape ``[D]``; the first is not 0.

    Returns:
        ``(quotient, remainder)`` of shapes ``[S - D + 1]`` and ``[S]`` in float64 or complex128. Where the divisor is
        the longer one the quotient is empty, and the remainder is ``signal``.

    Raises:
        ValueError: One is not a single polynomial of values on the CPU, or ``divisor`` is empty or begins with 0.
        TypeError: A dtype is not supported.

    Source: :func:`scipy.signal.deconvolve`.

    Example:
        >>> import polezero
        >>> quotient, _ = polezero.deconvolve([1.0, 3.0, 2.0], [1.0, 1.0])
        >>> quotient
        tensor([1., 2.], dtype=torch.float64)
    """
    num, den = doubles("deconvolve", signal=signal, divisor=divisor)
    check_one_filter("deconvolve", signal=(num, 1), divisor=(den, 1))
    check_not_empty("deconvolve", "divisor", den)
    if den[0] == 0:
        raise ValueError(f"deconvolve: divisor: expected a first coefficient that is not 0, got {den.tolist()}")
    if len(num) < len(den):
        return num.new_empty(0), num.clone()
    impulse = torch.zeros(len(num) - len(den) + 1, dtype=torch.float64)
    impulse[0] = 1
    quotient = lfilter(num, den, impulse)
    product = lfilter(den, torch.ones(1), torch.nn.functional.pad(quotient, (0, len(den) - 1)))
    return quotient, num - product
