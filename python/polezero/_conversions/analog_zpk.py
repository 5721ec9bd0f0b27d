"""Analog filters by zeros, poles and gain: to another band, and to digital ones."""

from __future__ import annotations

import torch
from torch import Tensor

from polezero._conversions.forms import numbers, zeros_poles_gain
from polezero._conversions.roots import product
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["bilinear_zpk", "lp2bp_zpk", "lp2bs_zpk", "lp2hp_zpk", "lp2lp_zpk"]

ZPK = tuple[Tensor, Tensor, Tensor]


@overridable
def lp2lp_zpk(z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0) -> ZPK:
    r"""Move the cut-off of an analog low-pass filter from 1 rad/s to another frequency.

    .. math::

        H(s) \to H(s / \omega_0), \qquad z \to \omega_0 z, \quad p \to \omega_0 p, \quad k \to k \omega_0^{N - M}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.
        wo: Cut-off (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(z, p, k)`` of double precision: as many zeros and poles.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.lp2lp_zpk`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2lp_zpk([], [-1.0], 1.0, 4.0)
        (tensor([], dtype=torch.float64), tensor([-4.], dtype=torch.float64), tensor(4., dtype=torch.float64))
    """
    z, p, k, degree = _proper("lp2lp_zpk", z, p, k)
    (wo,) = numbers("lp2lp_zpk", {"z": z}, wo=wo)
    return wo.unsqueeze(-1) * z, wo.unsqueeze(-1) * p, k * wo**degree


@overridable
def lp2hp_zpk(z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0) -> ZPK:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a high-pass filter.

    .. math::

        H(s) \to H(\omega_0 / s), \qquad z \to \omega_0 / z, \quad p \to \omega_0 / p, \quad
        k \to k \operatorname{Re} \frac{\prod_i (-z_i)}{\prod_i (-p_i)}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.
        wo: Cut-off (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(z, p, k)`` of double precision: N zeros, N - M of which are 0, and N poles.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.lp2hp_zpk`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2hp_zpk([], [-1.0], 1.0, 4.0)
        (tensor([0.], dtype=torch.float64), tensor([-4.], dtype=torch.float64), tensor(1., dtype=torch.float64))
    """
    z, p, k, degree = _proper("lp2hp_zpk", z, p, k)
    (wo,) = numbers("lp2hp_zpk", {"z": z}, wo=wo)
    gain = k * (product(-z) / product(-p)).real
    return _and(wo.unsqueeze(-1) / z, torch.zeros_like(wo), degree), wo.unsqueeze(-1) / p, gain


@overridable
def lp2bp_zpk(z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0) -> ZPK:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a band-pass filter.

    .. math::

        H(s) \to H\left(\frac{s^2 + \omega_0^2}{B s}\right), \qquad
        r \to \frac{B r}{2} \pm \sqrt{\left(\frac{B r}{2}\right)^2 - \omega_0^2}, \quad k \to k B^{N - M}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.
        wo: Centre, the geometric mean of both edges (rad/s), a number or shape ``[...]``, differentiable.
        bw: Width of the band (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(z, p, k)`` of double precision: M + N zeros, N - M of which are 0, and 2 N poles, complex. A root where
        the square root is 0 is a double one, and its derivative through the square root is taken for 0.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.lp2bp_zpk`.

    Example:
        >>> import torch, polezero
        >>> polezero.lp2bp_zpk([], [-2.0], 1.0, 4.0, 4.0)[1]
        tensor([-4.+0.j, -4.+0.j], dtype=torch.complex128)
    """
    z, p, k, degree = _proper("lp2bp_zpk", z, p, k)
    wo, bw = numbers("lp2bp_zpk", {"z": z}, wo=wo, bw=bw)
    half = bw.unsqueeze(-1) / 2
    zeros = _and(_about(z * half, wo), torch.zeros_like(wo), degree)
    return zeros, _about(p * half, wo), k * bw**degree


@overridable
def lp2bs_zpk(z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0) -> ZPK:
    r"""Turn an analog low-pass filter with a cut-off of 1 rad/s into a band-stop filter.

    .. math::

        H(s) \to H\left(\frac{B s}{s^2 + \omega_0^2}\right), \qquad
        r \to \frac{B}{2 r} \pm \sqrt{\left(\frac{B}{2 r}\right)^2 - \omega_0^2}, \quad
        k \to k \operatorname{Re} \frac{\prod_i (-z_i)}{\prod_i (-p_i)}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.
        wo: Centre, the geometric mean of both edges (rad/s), a number or shape ``[...]``, differentiable.
        bw: Width of the band (rad/s), a number or shape ``[...]``, differentiable.

    Returns:
        ``(z, p, k)`` of double precision: 2 N zeros, 2 (N - M) of which are +-1j wo, and 2 N poles, complex; of
        double roots as in :func:`lp2bp_zpk`.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.lp2bs_zpk`.

    Example:
        >>> import torch, polezero
        >>> z, p, k = polezero.lp2bs_zpk([], [-1.0], 1.0, 5.0, 8.0)
        >>> z, p
        (tensor([0.+5.j, 0.-5.j], dtype=torch.complex128), tensor([-4.+3.j, -4.-3.j], dtype=torch.complex128))
    """
    z, p, k, degree = _proper("lp2bs_zpk", z, p, k)
    wo, bw = numbers("lp2bs_zpk", {"z": z}, wo=wo, bw=bw)
    half = bw.unsqueeze(-1) / 2
    zeros = _and(_and(_about(half / z, wo), 1j * wo, degree), -1j * wo, degree)
    return zeros, _about(half / p, wo), k * (product(-z) / product(-p)).real


@overridable
def bilinear_zpk(z: Coefficients, p: Coefficients, k: Coefficients, fs: Coefficients) -> ZPK:
    r"""Turn an analog filter into a digital one by the bilinear transform, that is by the trapezoidal rule.

    .. math::

        H(s) \to H\left(2 f_s \frac{z - 1}{z + 1}\right), \qquad r \to \frac{2 f_s + r}{2 f_s - r}, \quad
        k \to k \operatorname{Re} \frac{\prod_i (2 f_s - z_i)}{\prod_i (2 f_s - p_i)}

    Args:
        z: Zeros, shape ``[..., M]``, leading dimensions broadcast; none is an empty list.
        p: Poles, shape ``[..., N]``, N >= M.
        k: Gain, a number or shape ``[...]``.
        fs: Sampling rate (Hz), a number or shape ``[...]``, differentiable. Nothing is warped beforehand: the frequency
            :math:`\omega` goes to :math:`2 f_s \arctan(\omega / (2 f_s))`.

    Returns:
        ``(z, p, k)`` of double precision: N zeros, N - M of which are -1, and N poles.

    Raises:
        ValueError: There are more zeros than poles, or a shape or a device does not fit.

    Source: :func:`scipy.signal.bilinear_zpk`.

    Example:
        >>> import torch, polezero
        >>> polezero.bilinear_zpk([], [-1.0], 1.0, 0.5)
        (tensor([-1.], dtype=torch.float64), tensor([0.], dtype=torch.float64), tensor(0.5000, dtype=torch.float64))
    """
    z, p, k, degree = _proper("bilinear_zpk", z, p, k)
    (fs,) = numbers("bilinear_zpk", {"z": z}, fs=fs)
    double = 2 * fs.unsqueeze(-1)
    zeros = _and((double + z) / (double - z), -torch.ones_like(fs), degree)
    return zeros, (double + p) / (double - p), k * (product(double - z) / product(double - p)).real


def _proper(function: str, z: Coefficients, p: Coefficients, k: Coefficients) -> tuple[Tensor, Tensor, Tensor, int]:
    """And how many more poles than zeros there are, which are zeros at infinity."""
    z, p, k = zeros_poles_gain(function, z, p, k)
    degree = p.shape[-1] - z.shape[-1]
    if degree < 0:
        got = f"got {z.shape[-1]} and {p.shape[-1]}"
        raise ValueError(f"{function}: z: expected no more zeros than poles, {got}")
    return z, p, k, degree


def _and(roots: Tensor, another: Tensor, times: int) -> Tensor:
    """The roots, and so many times another one, ``[...]``."""
    lead = torch.broadcast_shapes(roots.shape[:-1], another.shape)
    others = another.unsqueeze(-1).expand(*lead, times)
    return torch.cat([roots.expand(*lead, roots.shape[-1]), others], -1)


def _about(r: Tensor, wo: Tensor) -> Tensor:
    """The two roots s of (s^2 + wo^2) / (2 s) = r, for each r."""
    square = (r * r).to(torch.complex128) - wo.unsqueeze(-1) ** 2
    is_double = square == 0  # has no derivative: 0
    apart = torch.where(is_double, 0.0, torch.where(is_double, 1.0, square).sqrt())
    return torch.cat([r + apart, r - apart], -1)
