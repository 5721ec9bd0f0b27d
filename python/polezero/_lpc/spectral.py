"""Predictors as line spectral frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._arguments import readable
from polezero._conversions.forms import check_not_empty
from polezero._conversions.roots import inverse_series, spread
from polezero._lpc.checks import reals
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["lsf2poly", "poly2lsf"]


@overridable
def poly2lsf(a: Coefficients) -> Tensor:
    r"""Return the line spectral frequencies of a predictor.

    .. math::

        P(z) = A(z) + z^{-(p+1)} A(z^{-1}), \qquad Q(z) = A(z) - z^{-(p+1)} A(z^{-1})

    They are the angles in :math:`(0, \pi)` of the roots of P and Q, which lie on the unit circle and take turns, P's
    first, if, and only if, A is minimum phase.

    Args:
        a: Predictor, shape ``[..., p + 1]``, leading dimensions are a batch; it is divided by ``a[..., 0]``.

    Returns:
        Frequencies in radians per sample, shape ``[..., p]``, in float64, ascending. They come from the eigenvalues of
        two matrices of half the order and one step of Newton's method, of the third order, and are as precise as the
        coefficients are. Derivatives are right up to the third, in any mode.

    Raises:
        ValueError: A root of A is outside the unit circle, or so close to it that rounding decides; ``a[..., 0]`` is
            0, or ``a`` is empty. On a GPU, under ``vmap``, ``torch.func`` and ``torch.compile`` no value is looked at:
            the result is NaN then.
        TypeError: ``a`` is complex.

    Source: MATLAB's function of that name; F. Itakura, "Line spectrum representation of linear predictor coefficients
    of speech signals", J. Acoust. Soc. Am. 57, 1975; P. Kabal and R. P. Ramachandran, "The computation of line spectral
    frequencies using Chebyshev polynomials", IEEE Trans. Acoust., Speech, Signal Process. 34(6), 1986.

    Example:
        >>> import polezero
        >>> polezero.poly2lsf([1.0, 0.6149, 0.9899, 0.0, 0.0031, -0.0082])
        tensor([0.7842, 1.5605, 1.8776, 1.8984, 2.3593], dtype=torch.float64)
    """
    predictor = reals("poly2lsf", "a", a)
    check_not_empty("poly2lsf", "a", predictor)
    if readable(predictor) and (predictor[..., 0] == 0).any():
        raise ValueError("poly2lsf: a: expected a[..., 0] != 0, got 0")
    if predictor.shape[-1] == 1:
        return predictor[..., :0].clone()
    monic = predictor / predictor[..., :1]
    is_finite = monic.detach().isfinite().all(-1, keepdim=True)
    monic = torch.where(is_finite, monic, 0.5)  # any: it is NaN in the end
    start = _eigenvalues(monic.detach())
    lsf = start + _step(monic, start)
    found = lsf.detach()
    rises = torch.nn.functional.pad(found, (1, 0)) < torch.nn.functional.pad(found, (0, 1), value=math.pi)
    is_stable = rises.all(-1, keepdim=True)
    if readable(predictor) and not (is_stable | ~is_finite).all():
        raise ValueError("poly2lsf: a: expected all roots inside the unit circle, got one outside or too close to it")
    return torch.where(is_stable & is_finite, lsf, torch.nan)


def _eigenvalues(a: Tensor) -> Tensor:
    """The frequencies, of P and Q in turns, nearly."""
    p = a.shape[-1] - 1
    whole = torch.nn.functional.pad(a, (0, 1))
    symmetric, antisymmetric = whole + whole.flip(-1), whole - whole.flip(-1)
    # The roots at -1 and 1, which are no frequencies, are divided by. Half of what is left says all: it is symmetric.
    if p % 2:
        first, second = symmetric, _divided(_divided(antisymmetric, 1.0), -1.0)
    else:
        first, second = _divided(symmetric, -1.0), _divided(antisymmetric, 1.0)
    of_p, of_q = _angles(first[..., : (p + 1) // 2 + 1]), _angles(second[..., : p // 2 + 1])
    turns = [k // 2 if k % 2 == 0 else (p + 1) // 2 + k // 2 for k in range(p)]
    return torch.cat([of_p, of_q], -1)[..., turns]


def _divided(p: Tensor, root: float) -> Tensor:
    """By 1 - root / z, where root is 1 or -1; the remainder comes last."""
    if root == 1.0:
        return p.cumsum(-1)
    signs = 1.0 - 2.0 * (torch.arange(p.shape[-1], dtype=p.dtype, device=p.device) % 2)
    return (p * signs).cumsum(-1) * signs


def _angles(c: Tensor) -> Tensor:
    """The angles of the roots of the symmetric c_0 = 1, c_1 .. c_m .. c_0, that is c_m + 2 sum c_{m-j} T_j(cos w)."""
    m = c.shape[-1] - 1
    if m == 0:
        return c[..., :0]
    below = torch.diag(torch.full((m - 1,), 0.5, dtype=c.dtype, device=c.device), -1)
    above = torch.diag(torch.full((m - 1,), 0.5, dtype=c.dtype, device=c.device), 1)
    above[:1] *= 2  # x T_0 = T_1, x T_j = (T_{j-1} + T_{j+1}) / 2
    series = torch.cat([c[..., m:] / 2, c[..., 1:m].flip(-1)], -1)  # -T_m of the others
    last = torch.eye(m, dtype=c.dtype, device=c.device)[:, -1:] * (0.5 if m > 1 else 1.0)
    cosines = torch.linalg.eigvals(below + above - last * series.unsqueeze(-2)).real
    # A root that rounding brought to the border would have no slope there.
    return torch.acos(cosines.sort(-1, descending=True).values.clamp(-1.0, 1.0)).clamp(1e-8, math.pi - 1e-8)


def _step(a: Tensor, at: Tensor) -> Tensor:
    """From constants near the frequencies to them, and their derivatives, up to the third order.

    Of P's the real part of exp(j w (p + 1) / 2) A is 0, of Q's the imaginary one.
    """
    p = a.shape[-1] - 1
    turns = (p + 1) / 2 - torch.arange(p + 1, dtype=a.dtype, device=a.device)
    powers = [(1j * turns) ** j / math.factorial(j) for j in range(4)]
    terms = a.unsqueeze(-1) * torch.stack(powers, -1)
    angles = at.unsqueeze(-1) * turns
    series = torch.complex(angles.cos(), angles.sin()) @ terms
    is_of_p = (torch.arange(p, device=a.device) % 2 == 0).unsqueeze(-1)
    return inverse_series(*torch.where(is_of_p, series.real, series.imag).unbind(-1))


@overridable
def lsf2poly(lsf: Coefficients) -> Tensor:
    r"""Return the predictor with given line spectral frequencies.

    .. math::

        A(z) = \tfrac12 (P(z) + Q(z)), \qquad
        P(z) = (1 + z^{-1})^{[p \text{ even}]} \prod_{i \text{ odd}} (1 - 2 \cos \omega_i z^{-1} + z^{-2}), \qquad
        Q(z) = (1 - z^{-1}) (1 + z^{-1})^{[p \text{ odd}]} \prod_{i \text{ even}} (\dots)

    Frequencies that rise strictly within :math:`(0, \pi)` give a minimum-phase A, any others of them do not.

    Args:
        lsf: :math:`\omega_1 .. \omega_p` in radians per sample, shape ``[..., p]``, leading dimensions are a batch.

    Returns:
        a, shape ``[..., p + 1]``, in float64, with a_0 = 1.

    Raises:
        ValueError: Frequencies do not rise, or are not between 0 and pi. On a GPU, under ``vmap``, ``torch.func`` and
            ``torch.compile`` no value is looked at.
        TypeError: They are complex.

    Source: MATLAB's function of that name; see :func:`poly2lsf`.

    Example:
        >>> import polezero
        >>> polezero.lsf2poly(polezero.poly2lsf([1.0, -0.9, 0.5]))
        tensor([ 1.0000, -0.9000,  0.5000], dtype=torch.float64)
    """
    frequencies = reals("lsf2poly", "lsf", lsf)
    if readable(frequencies):
        _check_rising(frequencies)
    p, cosines = frequencies.shape[-1], 2 * torch.cos(frequencies)
    symmetric, antisymmetric = _product(cosines[..., ::2]), _product(cosines[..., 1::2])
    antisymmetric = _times(antisymmetric, -1.0, 1 + p % 2)
    if p % 2 == 0:
        symmetric = _times(symmetric, 1.0, 1)
    return ((symmetric + antisymmetric) / 2)[..., : p + 1]


def _check_rising(lsf: Tensor) -> None:
    if (outside := lsf[(lsf <= 0) | (lsf >= math.pi)]).numel():
        raise ValueError(f"lsf2poly: lsf: expected radians between 0 and pi, got {outside[0].item():g}")
    if (lsf[..., 1:] < lsf[..., :-1]).any():
        raise ValueError("lsf2poly: lsf: expected them to rise along the last axis, got some that fall")


def _product(cosines: Tensor) -> Tensor:
    """Of 1 - c / z + 1 / z^2."""
    p = cosines.new_ones(*cosines.shape[:-1], 1)
    for k in spread(cosines.shape[-1]):
        p = _times(p, 1.0, 2) - cosines[..., k : k + 1] * torch.nn.functional.pad(p, (1, 1))
    return p


def _times(p: Tensor, value: float, delay: int) -> Tensor:
    """1 + value / z^delay times p."""
    return torch.nn.functional.pad(p, (0, delay)) + value * torch.nn.functional.pad(p, (delay, 0))
