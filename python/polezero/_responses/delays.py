"""Group delay, of roots, sections and polynomials."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from polezero._overrides import overridable
from polezero._responses.grids import Circle, Frequencies, Grid, circle_at, grid_of
from polezero._responses.products import polynomial_at, root_factors
from polezero._responses.systems import System, parts_of, result_dtype, system_of

__all__ = ["group_delay"]

_EPS = torch.finfo(torch.float64).eps
_ON_CIRCLE = 8 * _EPS  # as close as rounding puts a root that is meant to lie on the circle


@overridable
def group_delay(
    system: System, w: Frequencies = 512, whole: bool = False, fs: float = 2 * math.pi
) -> tuple[Tensor, Tensor]:
    r"""Return the group delay of a digital filter, in samples.

    .. math::

        \tau(\omega) = -\frac{d}{d\omega} \arg H(e^{j \omega})
            = \sum_p \operatorname{Re} \frac{1}{1 - p e^{-j\omega}}
            - \sum_z \operatorname{Re} \frac{1}{1 - z e^{-j\omega}}

    Args:
        system: A tuple ``(b, a)`` or ``(z, p, k)``, or, being no tuple, sections ``sos`` of shape ``[..., K, 6]``, with
            shapes as in :func:`freqz`, :func:`freqz_zpk` and :func:`freqz_sos`.
        w: As ``worN`` in :func:`freqz`.
        whole: As in :func:`freqz`.
        fs: As in :func:`freqz`.

    Returns:
        ``(w, gd)``: the frequencies, ``[F]``, and the delay, real, ``[..., F]``. It is computed in float64 and rounded
        to float32 where the system is tensors of at most single precision.

    Delays of roots are added up root by root, those of sections section by section, and so are right for narrow bands,
    of which polynomials do not hold the digits. Roots on the unit circle, by rounding, have the delay of those
    exactly on it, half a sample, at their own frequency, too, where it is the limit from both sides (SciPy has 0 for
    the whole filter, and a warning), and no gradient there. Where polynomials vanish several times at one frequency
    the delay is that of a linear phase.

    Raises:
        ValueError: ``system`` is no such thing, or what :func:`freqz` refuses.

    Source: :func:`scipy.signal.group_delay`; J. O. Smith, "Introduction to Digital Filters", on its computation.

    Example:
        >>> import torch, polezero
        >>> polezero.group_delay(([0.0, 1.0], [1.0]), w=3)[1]
        tensor([1., 1., 1.], dtype=torch.float64)
        >>> polezero.group_delay(torch.tensor([[1.0, 1.0, 0.0, 1.0, -0.5, 0.0]]), w=[0.0, torch.pi])[1]
        tensor([1.5000, 0.1667])
    """
    tensors, dtype = system_of("group_delay", system), result_dtype(*parts_of(system))
    grid = grid_of("group_delay", "w", w, whole, fs, dtype, tensors[0].device)
    if len(tensors) == 3:
        z, p, k = tensors
        circle = circle_at(grid.turns)
        delay = _of_roots(p, circle) - _of_roots(z, circle) + torch.zeros_like(k.detach().abs()).unsqueeze(-1)
    elif len(tensors) == 2:
        b, a = tensors
        delay = _of_polynomial(b, grid) - _of_polynomial(a, grid)
    else:
        num, den = tensors[0].split(3, -1)
        of_section = _of_complex_sections if num.is_complex() else _of_sections
        delay = (of_section(num, grid) - of_section(den, grid)).sum(-2)
    return grid.w, delay.to(dtype)


def _of_roots(roots: Tensor, circle: Circle) -> Tensor:
    r"""The sum over roots ``[..., N]`` of :math:`1/2 + (1 - |r|^2) / (2 |z - r|^2)`, ``[..., F]``."""
    radius = _squared(roots) if roots.is_complex() else roots.square()
    skew = _snapped(1 - radius, torch.ones_like(radius)).unsqueeze(-1)
    distance = _squared(root_factors(roots, circle))
    at_root = (distance <= (4 * _EPS) ** 2).detach()
    term = 0.5 + 0.5 * torch.where(at_root, 0.0, skew) / torch.where(at_root, 1.0, distance)
    return term.sum(-2)


def _of_sections(c: Tensor, grid: Grid) -> Tensor:
    r"""The delays ``[..., K, F]`` of real :math:`c_0 + c_1 z^{-1} + c_2 z^{-2}`, c ``[..., K, 3]``.

    With :math:`s = c_0 + c_2` and :math:`d = c_0 - c_2` that is :math:`z^{-1} (c_1 + s \cos \omega + j d \sin \omega)`,
    a delay of :math:`1 - d (s + c_1 \cos \omega) / |.|^2`. Where d is 0 both roots lie on the circle, or are
    inverses: where the polynomial is 0 at 1 or -1, one does.
    """
    circle = circle_at(grid.turns)
    c0, c1, c2 = (t.unsqueeze(-1) for t in c.unbind(-1))
    size = c.detach().abs().sum(-1, keepdim=True)
    s, d = c0 + c2, _snapped(c0 - c2, size)
    at_one, at_minus_one = _snapped(s + c1, size), _snapped(s - c1, size)
    right, offset, sine = (t.unsqueeze(-2) for t in (circle.right, circle.offset, circle.sine))
    real = torch.where(right, at_one, -at_minus_one) + s * offset
    slope = torch.where(right, at_one, at_minus_one) + c1 * offset
    magnitude = real.square() + (d * sine).square()
    at_root = (magnitude <= (4 * _EPS * size) ** 2).detach()
    # The limit at a real root on the circle; two of them there are no delay beside the one sample.
    single = at_root & (torch.where(right, at_one, at_minus_one) == 0) & (d != 0)
    limit = torch.where(right, -c1, c1).detach() / torch.where(single, 2 * d.detach(), 1.0)
    ratio = torch.where(at_root, 0.0, d * slope) / torch.where(at_root, 1.0, magnitude)
    return 1 - torch.where(single, limit, ratio)


def _of_complex_sections(c: Tensor, grid: Grid) -> Tensor:
    return _of_polynomial(c, Grid(grid.w.unsqueeze(-2), grid.turns.unsqueeze(-2)))


def _of_polynomial(c: Tensor, grid: Grid) -> Tensor:
    r"""The delay ``[..., F]`` of :math:`C = \sum_{k=0}^{M} c_k z^{-k}`, :math:`M/2 + \operatorname{Re} C_1 / C_0`.

    :math:`C_m = \sum_k (k - M/2)^m c_k z^{-k}`. In halves :math:`C = E + O` that are symmetric and antisymmetric,
    :math:`E_1 \bar E_0` and :math:`O_1 \bar O_0` are imaginary. Without them a linear phase, which numerators with
    all zeros on the circle have, has its delay wherever it vanishes. At a simple root on the circle the limit is that
    of :math:`C_2 / 2 C_1`.
    """
    M = c.shape[-1] - 1
    k = torch.arange(M + 1, dtype=torch.float64, device=c.device) - M / 2
    mirrored = c.flip(-1)
    if c.is_complex():
        mirrored = torch.complex(mirrored.real, -mirrored.imag)
    halves = torch.stack([c + mirrored, c - mirrored], -2) / 2
    turns = grid.turns if grid.turns.dim() == 1 else grid.turns.unsqueeze(-2)
    E0, O0, E1, O1, E2, O2 = polynomial_at(
        torch.cat([halves, k * halves, k * k * halves], -2), Grid(grid.w, turns, grid.points)
    ).unbind(-2)
    size = c.detach().abs().sum(-1, keepdim=True)
    at_root = ((E0 + O0).abs() <= 32 * _EPS * size).detach()
    is_simple = at_root & ((E1 + O1).abs() > 1e-6 * M * size)
    limit = ((E2 + O2) / torch.where(is_simple, 2 * (E1 + O1), 1.0)).real
    slope = torch.where(at_root, 0.0, _inner(O1, E0) + _inner(E1, O0))
    delay = slope / torch.where(at_root, 1.0, _squared(E0 + O0))
    return M / 2 + torch.where(is_simple, limit.detach(), delay)


def _inner(x: Tensor, y: Tensor) -> Tensor:
    """The real part of x times the conjugate of y."""
    return x.real * y.real + x.imag * y.imag


def _squared(z: Tensor) -> Tensor:
    return _inner(z, z)


def _snapped(difference: Tensor, size: Tensor) -> Tensor:
    """0 where it is rounding of what it is the difference of; the derivative is kept."""
    return difference - torch.where(difference.detach().abs() <= _ON_CIRCLE * size, difference.detach(), 0.0)
