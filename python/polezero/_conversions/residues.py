"""Partial fractions of one filter, repeated poles among them, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from polezero._arguments import doubles
from polezero._conversions.division import deconvolve
from polezero._conversions.forms import check_one_filter, transfer_function
from polezero._conversions.roots import multiply, roots
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["invres", "invresz", "residue", "residuez", "unique_roots"]

Choice = Literal["min", "minimum", "max", "maximum", "avg", "mean"]
Fractions = tuple[Tensor, Tensor, Tensor]
# About a pole, in powers of d, so many terms of the numerator, and each pole's factor of the denominator, c_0 + c_1 d.
About = Callable[[Tensor, int], tuple[Tensor, list[tuple[Tensor, Tensor]]]]


@overridable
def unique_roots(p: Coefficients, tol: float = 1e-3, rtype: Choice = "min") -> tuple[Tensor, Tensor]:
    r"""Return which roots there are, and how often each.

    .. math::

        \prod_i (x - p_i) \approx \prod_j (x - u_j)^{m_j}

    Args:
        p: Roots, shape ``[N]``.
        tol: Roots this close to the first of a group belong to it.
        rtype: ``"min"`` or ``"minimum"``, ``"max"`` or ``"maximum"`` (by the real part, then the imaginary one),
            ``"avg"`` or ``"mean"`` of a group.

    Returns:
        ``(unique, multiplicity)``, both of shape ``[groups]``: of double precision, and int64.

    The shape of the result depends on values: one set of roots on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``.

    Raises:
        ValueError: ``rtype`` is unknown, or there is a batch or no value to look at.

    Source: :func:`scipy.signal.unique_roots`.

    Example:
        >>> import torch, polezero
        >>> polezero.unique_roots([0.5, 2.0, 0.5001])
        (tensor([0.5000, 2.0000], dtype=torch.float64), tensor([2, 1]))
    """
    (p,) = doubles("unique_roots", p=p)
    check_one_filter("unique_roots", p=(p, 1))
    unique, multiplicity = _grouped("unique_roots", p, tol, rtype)
    return torch.stack(unique) if unique else p, p.new_tensor(multiplicity, dtype=torch.int64)


@overridable
def residue(b: Coefficients, a: Coefficients, tol: float = 1e-3, rtype: Choice = "avg") -> Fractions:
    r"""Expand a filter in partial fractions in powers of s.

    .. math::

        \frac{b_0 s^M + \dots + b_M}{a_0 s^N + \dots + a_N} = \sum_i k_i s^{K - i} + \sum_j \frac{r_j}{(s - p_j)^{m_j}}

    Repeated poles have a fraction for each power, with the first power first.

    Args:
        b: Numerator, shape ``[M + 1]``.
        a: Denominator, shape ``[N + 1]``.
        tol: Poles this close to the first of a group are one repeated pole.
        rtype: Which value that has, as in :func:`unique_roots`.

    Returns:
        ``(r, p, k)``: residues and poles, shape ``[N]``, in the order of magnitudes, and the direct part. Residues and
        poles are complex128, or float64 where coefficients and poles are real.

    The shape of the result depends on values: one filter on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``. Gradients are those of the roots: none through repeated poles (:func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a`` has nothing but zeros, ``rtype`` is unknown, or there is a batch or
            no value to look at.

    Source: :func:`scipy.signal.residue`.

    Example:
        >>> import torch, polezero
        >>> r, p, k = polezero.residue([2.0, 1.0], [1.0, 3.0, 2.0])  # 3 / (s + 2) - 1 / (s + 1)
        >>> r, p
        (tensor([-1.,  3.], dtype=torch.float64), tensor([-1., -2.], dtype=torch.float64))
    """
    b, a = transfer_function("residue", b, a)
    check_one_filter("residue", b=(b, 1), a=(a, 1))
    b, a = _trimmed(b), _trimmed(a)
    if not len(a):
        raise ValueError("residue: a: expected a coefficient that is not 0, got none")
    poles, multiplicity = _distinct_poles("residue", a, tol, rtype)
    direct, remainder = deconvolve(b / a[0], a / a[0])
    rest = remainder[len(direct) :]

    def about(pole: Tensor, terms: int) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """d is x - pole, and the factors are x - p."""
        return _taylor(rest, pole, terms), [(pole - p, torch.ones_like(p)) for p in poles]

    return *_expanded(poles, multiplicity, about), direct


@overridable
def residuez(b: Coefficients, a: Coefficients, tol: float = 1e-3, rtype: Choice = "avg") -> Fractions:
    r"""Expand a filter in partial fractions, in powers of z^-1; :func:`parallel_form` does so for batches.

    .. math::

        \frac{b_0 + \dots + b_M z^{-M}}{a_0 + \dots + a_N z^{-N}}
        = \sum_i k_i z^{-i} + \sum_j \frac{r_j}{(1 - p_j z^{-1})^{m_j}}

    Repeated poles have a fraction for each power, with the first power first.

    Args:
        b: Numerator, shape ``[M + 1]``.
        a: Denominator, shape ``[N + 1]``.
        tol: Poles this close to the first of a group are one repeated pole.
        rtype: Which value that has, as in :func:`unique_roots`.

    Returns:
        ``(r, p, k)``: residues and poles, shape ``[N]``, in the order of magnitudes, and the direct part. Residues and
        poles are complex128, or float64 where coefficients and poles are real.

    The shape of the result depends on values: one filter on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``. Gradients are those of the roots: none through repeated poles (:func:`tf2zpk`).

    Raises:
        ValueError: ``b`` or ``a`` is empty, ``a[0]`` is 0, ``rtype`` is unknown, or there is a batch or no value to
            look at.

    Source: :func:`scipy.signal.residuez`.

    Example:
        >>> import torch, polezero
        >>> r, p, k = polezero.residuez([3.0, -1.25], [1.0, -0.75, 0.125])  # 1 / (1 - 0.5 / z) + 2 / (1 - 0.25 / z)
        >>> r, p
        (tensor([2., 1.], dtype=torch.float64), tensor([0.2500, 0.5000], dtype=torch.float64))
    """
    b, a = transfer_function("residuez", b, a)
    check_one_filter("residuez", b=(b, 1), a=(a, 1))
    if a[0] == 0:
        raise ValueError("residuez: a: expected a[0] != 0, got 0")
    b, a = _trimmed(b.flip(0)), _trimmed(a.flip(0))  # polynomials in z^-1
    poles, multiplicity = _distinct_poles("residuez", a.flip(0), tol, rtype)
    direct, remainder = deconvolve(b / a[-1], a / a[-1])
    rest = remainder[len(direct) :]

    def about(pole: Tensor, terms: int) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """d is 1 - pole z^-1, and the factors are 1 - p z^-1."""
        scale = torch.cumprod(torch.cat([pole.new_ones(1), (-1 / pole).expand(terms - 1)]), 0)
        return _taylor(rest, 1 / pole, terms) * scale, [(1 - p / pole, p / pole) for p in poles]

    return *_expanded(poles, multiplicity, about), direct.flip(0)


@overridable
def invres(
    r: Coefficients, p: Coefficients, k: Coefficients, tol: float = 1e-3, rtype: Choice = "avg"
) -> tuple[Tensor, Tensor]:
    r"""Return the transfer function of partial fractions, as :func:`residue` has them.

    .. math::

        \sum_i k_i s^{K - i} + \sum_j \frac{r_j}{(s - p_j)^{m_j}}
        = \frac{b_0 s^M + \dots + b_M}{s^N + a_1 s^{N - 1} + \dots + a_N}

    Args:
        r: Residues, shape ``[N]``.
        p: Poles, shape ``[N]``; a repeated one stands one after the other, of the first power first.
        k: The direct part, shape ``[K + 1]``; none is an empty list.
        tol: Poles this close to the first of those one after the other are one repeated pole.
        rtype: Which value that has, as in :func:`unique_roots`. (SciPy always takes the first.)

    Returns:
        ``(b, a)``, of double precision, complex where an argument is.

    The shape of the result depends on values: one filter on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``. Gradients are those of the roots: none through repeated poles (:func:`tf2zpk`).

    Raises:
        ValueError: The numbers of residues and poles differ, ``rtype`` is unknown, or there is a batch or no value to
            look at.

    Source: :func:`scipy.signal.invres`.

    Example:
        >>> import torch, polezero
        >>> polezero.invres([-1.0, 3.0], [-1.0, -2.0], [])
        (tensor([2., 1.], dtype=torch.float64), tensor([1., 3., 2.], dtype=torch.float64))
    """
    return _recombined("invres", *_fractions("invres", r, p, k), tol, rtype, from_the_left=False)


@overridable
def invresz(
    r: Coefficients, p: Coefficients, k: Coefficients, tol: float = 1e-3, rtype: Choice = "avg"
) -> tuple[Tensor, Tensor]:
    r"""Return the transfer function of partial fractions, as :func:`residuez` has them.

    .. math::

        \sum_i k_i z^{-i} + \sum_j \frac{r_j}{(1 - p_j z^{-1})^{m_j}}
        = \frac{b_0 + \dots + b_M z^{-M}}{1 + a_1 z^{-1} + \dots + a_N z^{-N}}

    Args:
        r: Residues, shape ``[N]``.
        p: Poles, shape ``[N]``; a repeated one stands one after the other, of the first power first.
        k: The direct part, shape ``[K + 1]``; none is an empty list.
        tol: Poles this close to the first of those one after the other are one repeated pole.
        rtype: Which value that has, as in :func:`unique_roots`. (SciPy always takes the first.)

    Returns:
        ``(b, a)``, of double precision, complex where an argument is.

    The shape of the result depends on values: one filter on the CPU, not under ``vmap``, ``torch.func`` or
    ``torch.compile``. Gradients are those of the roots: none through repeated poles (:func:`tf2zpk`).

    Raises:
        ValueError: The numbers of residues and poles differ, ``rtype`` is unknown, or there is a batch or no value to
            look at.

    Source: :func:`scipy.signal.invresz`.

    Example:
        >>> import torch, polezero
        >>> polezero.invresz([1.0], [0.5], [2.0])
        (tensor([ 3., -1.], dtype=torch.float64), tensor([ 1.0000, -0.5000], dtype=torch.float64))
    """
    return _recombined("invresz", *_fractions("invresz", r, p, k), tol, rtype, from_the_left=True)


def _fractions(function: str, r: Coefficients, p: Coefficients, k: Coefficients) -> Fractions:
    residues, poles, direct = doubles(function, r=r, p=p, k=k)
    check_one_filter(function, r=(residues, 1), p=(poles, 1), k=(direct, 1))
    return residues, poles, direct


def _one_of(function: str, group: Tensor, rtype: str) -> Tensor:
    """The least, the largest (by the real part, then the imaginary one), or the mean."""
    if rtype in ("avg", "mean"):
        return group.mean()
    if rtype not in ("min", "minimum", "max", "maximum"):
        known = "'min', 'minimum', 'max', 'maximum', 'avg' or 'mean'"
        raise ValueError(f"{function}: rtype: expected {known}, got {rtype!r}")
    values = [complex(v) for v in group.detach()]
    choose = min if rtype.startswith("min") else max
    return group[choose(range(len(values)), key=lambda i: (values[i].real, values[i].imag))]


def _grouped(function: str, p: Tensor, tol: float, rtype: str) -> tuple[list[Tensor], list[int]]:
    """One root for each group of roots that are within ``tol`` of its first, and how many they are."""
    unique, multiplicity, left = [], [], list(range(len(p)))
    distances = (p.detach().unsqueeze(0) - p.detach().unsqueeze(1)).abs()
    while left:
        near = [i for i in left if distances[left[0], i] <= tol]
        unique.append(_one_of(function, p[near], rtype))
        multiplicity.append(len(near))
        left = [i for i in left if i not in near]
    return unique, multiplicity


def _distinct_poles(function: str, a: Tensor, tol: float, rtype: str) -> tuple[list[Tensor], list[int]]:
    """In the order of magnitudes; real ones where all are."""
    poles = roots(a)
    if not a.is_complex() and not (poles.imag != 0).any():
        poles = poles.real
    pairs = sorted(zip(*_grouped(function, poles, tol, rtype)), key=lambda pair: float(pair[0].detach().abs()))
    return [pole for pole, _ in pairs], [count for _, count in pairs]


def _trimmed(p: Tensor) -> Tensor:
    """Without the zeros that lead."""
    kept = (p != 0).nonzero()
    return p[int(kept[0]) :] if len(kept) else p[:0]


def _taylor(p: Tensor, at: Tensor, terms: int) -> Tensor:
    """So many coefficients of p(at + d), that of d^0 first, by repeated synthetic division."""
    series = []
    for _ in range(terms):
        value, quotient = torch.zeros_like(at), []
        for c in p.unbind(0):
            value = value * at + c
            quotient.append(value)
        series.append(value)
        p = torch.stack(quotient[:-1]) if len(quotient) > 1 else p[:0]
    return torch.stack(series)


def _expanded(poles: list[Tensor], multiplicity: list[int], about: About) -> tuple[Tensor, Tensor]:
    """Residues, the first power first, and their poles."""
    residues = []
    for i, pole in enumerate(poles):
        series, factors = about(pole, multiplicity[i])
        terms = [*series.unbind(0)]
        for j, (constant, slope) in enumerate(factors):
            for _ in range(multiplicity[j] if j != i else 0):  # a power series divided by one factor
                previous = torch.zeros_like(constant)
                for n, term in enumerate(terms):
                    previous = terms[n] = (term - slope * previous) / constant
        residues += terms[::-1]
    repeated = [pole for pole, count in zip(poles, multiplicity) for _ in range(count)]
    return (torch.stack(residues), torch.stack(repeated)) if poles else (torch.zeros(0).double(),) * 2


def _recombined(
    function: str, r: Tensor, p: Tensor, k: Tensor, tol: float, rtype: str, *, from_the_left: bool
) -> tuple[Tensor, Tensor]:
    """Over a common denominator; numerators are aligned at z^0, on the left, or at the power of s that is lowest."""
    if len(r) != len(p):
        raise ValueError(f"{function}: r: expected as many residues as poles, got {len(r)} and {len(p)}")
    k = _trimmed(k.flip(0)).flip(0) if from_the_left else _trimmed(k)
    starts = [0] if len(p) else []
    for i in range(1, len(p)):
        if (p[i] - p[starts[-1]]).detach().abs() > tol:
            starts.append(i)
    blocks = [slice(*ends) for ends in zip(starts, [*starts[1:], len(p)])]
    factors = [_power_of(_one_of(function, p[block], rtype), block.stop - block.start) for block in blocks]
    one = p.new_ones(1)
    den = _product_of([powers[-1] for powers in factors], one)
    terms = [multiply(k, den)] if len(k) else []
    for block, powers in zip(blocks, factors):
        others = _product_of([other[-1] for other in factors if other is not powers], one)
        terms += [r[i] * multiply(others, powers[block.stop - i - 1]) for i in range(block.start, block.stop)]
    width = max(map(len, terms), default=1)
    sides = [(0, width - len(t)) if from_the_left else (width - len(t), 0) for t in terms]
    padded = [torch.nn.functional.pad(t, side) for t, side in zip(terms, sides)]
    return sum(padded, den.new_zeros(width)), den


def _power_of(pole: Tensor, count: int) -> list[Tensor]:
    """(x - pole)^0 .. (x - pole)^count, which in z^-1 are those of 1 - pole z^-1."""
    powers = [pole.new_ones(1)]
    for _ in range(count):
        powers.append(multiply(powers[-1], torch.stack([torch.ones_like(pole), -pole])))
    return powers


def _product_of(polynomials: list[Tensor], one: Tensor) -> Tensor:
    for p in polynomials:
        one = multiply(one, p)
    return one
