"""Lattices and ladders of transfer functions, and back; for :func:`polezero.lattice`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

import torch
from torch import Tensor

from polezero._arguments import doubles, readable
from polezero._conversions.forms import Pair, check_not_empty, transfer_function
from polezero._conversions.roots import conjugate
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["latc2tf", "tf2latc"]


@overload
def tf2latc(num: Coefficients, den: None = None) -> Tensor: ...
@overload
def tf2latc(num: Coefficients, den: Coefficients) -> Pair: ...
@overridable
def tf2latc(num: Coefficients, den: Coefficients | None = None) -> Tensor | Pair:
    r"""Return the lattice of a filter, and the ladder of a recursive one, for :func:`lattice`.

    .. math::

        k_i = a_i^{(i)}, \qquad
        A_{i-1}(z) = \frac{A_i(z) - k_i \tilde A_i(z)}{1 - |k_i|^2}, \qquad
        \tilde A_i(z) = z^{-i} \overline{A_i}(z^{-1}), \qquad
        \sum_{i=0}^{N} v_i \tilde A_i(z) = B(z)

    from :math:`A_N`, which is ``den`` (without it, ``num``) divided by its first coefficient, down to :math:`A_0 = 1`.

    Args:
        num: Numerator, shape ``[..., M + 1]``, leading dimensions broadcast.
        den: Denominator, shape ``[..., N + 1]``, or None: ``num`` is an FIR filter. The shorter one is filled up with
            zeros.

    Returns:
        ``k`` of an FIR filter, shape ``[..., M]``, without its gain ``num[..., 0]``; else ``(k, v)`` of shapes
        ``[..., max(M, N)]`` and ``[..., max(M, N) + 1]``, so that ``lattice(k, x, taps=v)`` is
        ``lfilter(num, den, x)``. All ``|k| < 1`` if, and only if, the filter is stable (FIR: has all zeros within the
        unit circle).

    Raises:
        ValueError: The first coefficient is 0, a reflection coefficient has the magnitude 1 (a root is on the unit
            circle), ``num`` or ``den`` is empty, or a shape or a device does not fit. On a GPU, under ``vmap``,
            ``torch.func`` and ``torch.compile`` no value is looked at: the result is inf or NaN then.

    Source: MATLAB's function of that name, which SciPy lacks; A. H. Gray and J. D. Markel, "Digital lattice and ladder
    filter synthesis", IEEE Trans. Audio Electroacoust. 21(6), 1973.

    Example:
        >>> import torch, polezero
        >>> k, v = polezero.tf2latc([1.0, 0.5], [1.0, -0.5])
        >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0])
        >>> polezero.lattice(k, x, taps=v), polezero.lfilter([1.0, 0.5], [1.0, -0.5], x)
        (tensor([1.0000, 1.0000, 0.5000, 0.2500]), tensor([1.0000, 1.0000, 0.5000, 0.2500]))
    """
    if den is None:
        (b,) = doubles("tf2latc", num=num)
        check_not_empty("tf2latc", "num", b)
        return stages("tf2latc", "num", b)[0]
    b, a = transfer_function("tf2latc", num, den, names=("num", "den"))
    taps = max(b.shape[-1], a.shape[-1])
    b, a = (torch.nn.functional.pad(p, (0, taps - p.shape[-1])) for p in (b, a))
    k, mirrored = stages("tf2latc", "den", a)
    rest, ladder = b / a[..., :1], []
    for stage in mirrored:  # the highest order first: only that one has the last delay
        tap = rest[..., -1:]
        rest = (rest - tap * stage)[..., :-1]
        ladder.append(tap)
    return k, torch.cat(ladder[::-1], -1)


def stages(function: str, name: str, a: Tensor, farthest: float | None = None) -> tuple[Tensor, list[Tensor]]:
    """Reflection coefficients ``k_1 .. k_N``, and the mirrored polynomials of the orders N .. 0.

    Real ones are kept within ``farthest`` where that is said: where poles crowd, rounding decides which side of 1 the
    magnitude of a coefficient is on.
    """
    if readable(a) and (a[..., 0] == 0).any():
        raise ValueError(f"{function}: {name}: expected {name}[..., 0] != 0, got 0")
    a = a / a[..., :1]
    k, mirrored = [a[..., :0]], [conjugate(a.flip(-1))]
    while a.shape[-1] > 1:
        reflection = a[..., -1:] if farthest is None else a[..., -1:].clamp(-farthest, farthest)
        cosine = 1 - (reflection * conjugate(reflection)).real
        if farthest is None and readable(cosine) and (cosine == 0).any():
            raise ValueError(f"{function}: {name}: expected reflection coefficients with |k| != 1, got 1")
        a = ((a - reflection * mirrored[-1]) / cosine)[..., :-1]
        k.insert(1, reflection)
        mirrored.append(conjugate(a.flip(-1)))
    return torch.cat(k, -1), mirrored


@overload
def latc2tf(k: Coefficients, v: Literal["fir"] = ...) -> Tensor: ...
@overload
def latc2tf(k: Coefficients, v: Tensor | Literal["allpole", "allpass"] | Sequence[complex]) -> Pair: ...
@overridable
def latc2tf(k: Coefficients, v: Coefficients | Literal["fir", "allpole", "allpass"] = "fir") -> Tensor | Pair:
    r"""Return the filter of a lattice, or of a lattice with a ladder, as :func:`lattice` has it.

    .. math::

        A_i(z) = A_{i-1}(z) + k_i z^{-1} \tilde A_{i-1}(z), \qquad
        \tilde A_i(z) = z^{-i} \overline{A_i}(z^{-1}), \qquad
        H(z) = \frac{\sum_i v_i \tilde A_i(z)}{A_N(z)}, \qquad A_0 = 1

    Args:
        k: Reflection coefficients ``k_1 .. k_N``, shape ``[..., N]``, leading dimensions broadcast.
        v: Taps of the ladder, shape ``[..., up to N + 1]``; or ``"allpole"``, 1 / A_N, ``"allpass"``, of which the
            numerator is the mirrored denominator, or ``"fir"``, A_N alone.

    Returns:
        ``num`` of an FIR filter, else ``(num, den)``, of shape ``[..., N + 1]`` each (``"allpole"``: ``num`` is 1, of
        shape ``[..., 1]``) and of double precision.

    Raises:
        ValueError: ``v`` is another word, there are too many taps, or a shape or a device does not fit.

    Source: MATLAB's function of that name, which SciPy lacks; A. H. Gray and J. D. Markel, "Digital lattice and ladder
    filter synthesis", IEEE Trans. Audio Electroacoust. 21(6), 1973.

    Example:
        >>> import torch, polezero
        >>> polezero.latc2tf([0.5, 0.25], "allpole")
        (tensor([1.], dtype=torch.float64), tensor([1.0000, 0.6250, 0.2500], dtype=torch.float64))
        >>> polezero.latc2tf([0.5, 0.25])
        tensor([1.0000, 0.6250, 0.2500], dtype=torch.float64)
    """
    if isinstance(v, str):
        (reflections,) = doubles("latc2tf", k=k)
        *_, a = orders(reflections)
        if v == "fir":
            return a
        if v == "allpole":
            return torch.ones_like(a[..., :1]), a
        if v == "allpass":
            return conjugate(a.flip(-1)), a
        raise ValueError(f"latc2tf: v: expected taps, 'fir', 'allpole' or 'allpass', got {v!r}")
    reflections, taps = doubles("latc2tf", k=k, v=v)
    N = reflections.shape[-1]
    if taps.shape[-1] > N + 1:
        raise ValueError(f"latc2tf: v: expected at most {N + 1} taps, got shape {list(taps.shape)}")
    polynomials = orders(reflections)
    terms = [
        torch.nn.functional.pad(taps[..., i : i + 1] * conjugate(p.flip(-1)), (0, N + 1 - p.shape[-1]))
        for i, p in enumerate(polynomials[: taps.shape[-1]])
    ]
    num = terms[0]
    for term in terms[1:]:
        num = num + term
    return num, polynomials[-1]


def orders(k: Tensor) -> list[Tensor]:
    """The polynomials of the orders 0 .. N."""
    found = [torch.ones_like(k[..., :1]) if k.shape[-1] else k.new_ones(*k.shape[:-1], 1)]
    for reflection in k.split(1, -1) if k.shape[-1] else ():
        longer = torch.nn.functional.pad(found[-1], (0, 1))
        found.append(longer + reflection * conjugate(longer.flip(-1)))
    return found
