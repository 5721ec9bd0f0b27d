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
    z, p, k, degree = _proper("lp2lp_zpk", z, p, k)
    (wo,) = numbers("lp2lp_zpk", z, wo=wo)
    return wo.unsqueeze(-1) * z, wo.unsqueeze(-1) * p, k * wo**degree


@overridable
def lp2hp_zpk(z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0) -> ZPK:
    z, p, k, degree = _proper("lp2hp_zpk", z, p, k)
    (wo,) = numbers("lp2hp_zpk", z, wo=wo)
    gain = k * (product(-z) / product(-p)).real
    return _and(wo.unsqueeze(-1) / z, torch.zeros_like(wo), degree), wo.unsqueeze(-1) / p, gain


@overridable
def lp2bp_zpk(
    z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0
) -> ZPK:
    z, p, k, degree = _proper("lp2bp_zpk", z, p, k)
    wo, bw = numbers("lp2bp_zpk", z, wo=wo, bw=bw)
    half = bw.unsqueeze(-1) / 2
    zeros = _and(_about(z * half, wo), torch.zeros_like(wo), degree)
    return zeros, _about(p * half, wo), k * bw**degree


@overridable
def lp2bs_zpk(
    z: Coefficients, p: Coefficients, k: Coefficients, wo: Coefficients = 1.0, bw: Coefficients = 1.0
) -> ZPK:
    z, p, k, degree = _proper("lp2bs_zpk", z, p, k)
    wo, bw = numbers("lp2bs_zpk", z, wo=wo, bw=bw)
    half = bw.unsqueeze(-1) / 2
    zeros = _and(_and(_about(half / z, wo), 1j * wo, degree), -1j * wo, degree)
    return zeros, _about(half / p, wo), k * (product(-z) / product(-p)).real


@overridable
def bilinear_zpk(z: Coefficients, p: Coefficients, k: Coefficients, fs: Coefficients) -> ZPK:
    z, p, k, degree = _proper("bilinear_zpk", z, p, k)
    (fs,) = numbers("bilinear_zpk", z, fs=fs)
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
