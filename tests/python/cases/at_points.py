"""Filters of every form as functions of s or z, at some points."""

import torch
from torch import Tensor

from polezero import reference

# None of them is near a root.
POINTS = torch.tensor([1.7 + 0.4j, -0.3 + 1.9j, 2.5j], dtype=torch.complex128)
DIRAC = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)


def at(p: Tensor, x: Tensor) -> Tensor:
    x = x.to(p.device)
    value = torch.zeros_like(x)
    for c in p.unbind(-1):
        value = value * x + c[..., None]
    return value


def tf_at(b: Tensor, a: Tensor, x: Tensor = POINTS) -> Tensor:
    return at(b, x) / at(a, x)


def tf_in_z(b: Tensor, a: Tensor) -> Tensor:
    """Of coefficients that count from z^0 downwards."""
    return tf_at(b.flip(-1), a.flip(-1), 1 / POINTS)


def outputs_at(num: Tensor, den: Tensor) -> Tensor:
    """The outputs one after the other."""
    return tf_at(num, den[..., None, :]).flatten(-2)


def zpk_at(z: Tensor, p: Tensor, k: Tensor, x: Tensor = POINTS) -> Tensor:
    x = x.to(k.device)
    value = k[..., None] * torch.ones_like(x)
    for zero in z.unbind(-1):
        value = value * (x - zero[..., None])
    for pole in p.unbind(-1):
        value = value / (x - pole[..., None])
    return value


def sos_at(sos: Tensor) -> Tensor:
    value = torch.ones_like(POINTS, device=sos.device)
    for section in sos.unbind(-2):
        value = value * tf_at(section[..., :3], section[..., 3:])
    return value


def ss_at(A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """Of the first input, the outputs one after the other."""
    A, B, C = A + 0j, B[..., :1] + 0j, C + 0j
    one = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    values = [C @ torch.linalg.inv(x * one - A) @ B + D[..., :1] for x in POINTS.to(A.device)]
    return torch.cat(values, -1).flatten(-2)


def fractions_at(r: Tensor, p: Tensor, k: Tensor) -> Tensor:
    """Of poles that are not repeated."""
    value, x = at(k, POINTS), POINTS.to(p.device)
    for residue, pole in zip(r.unbind(-1), p.unbind(-1)):
        value = value + residue / (x - pole)
    return value


def fractions_in_z(r: Tensor, p: Tensor, k: Tensor) -> Tensor:
    value, x = at(k.flip(-1), 1 / POINTS), POINTS.to(p.device)
    for residue, pole in zip(r.unbind(-1), p.unbind(-1)):
        value = value + residue / (1 - pole / x)
    return value


def through_lattice(k: Tensor, v: Tensor) -> Tensor:
    return reference.lattice(k, DIRAC.to(k.device), taps=v)


def of_num_and_den(num: Tensor, den: Tensor) -> Tensor:
    return tf_at(num, den)


def through_filter(num: Tensor, den: Tensor) -> Tensor:
    return reference.lfilter(num, den, DIRAC.to(num.device))
