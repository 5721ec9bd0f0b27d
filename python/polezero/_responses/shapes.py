"""What figures show of one filter: its roots with their multiplicities, a continuous phase, where it has its detail."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from polezero._conversions import sos2zpk, tf2zpk, zpk2sos
from polezero._responses.delays import group_delay
from polezero._responses.digital import freqz, freqz_sos, freqz_zpk
from polezero._responses.simulation import impulse_response
from polezero._responses.systems import System, system_of
from polezero._sosfilt import sosfilt

Roots = list[tuple[complex, int]]  # each with its multiplicity

_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Shape:
    """One filter, its gain, and its zeros and poles in the plane of z."""

    tensors: tuple[Tensor, ...]
    zeros: Roots
    poles: Roots
    gain: complex

    @property
    def roots(self) -> list[complex]:
        return [root for root, _ in (*self.zeros, *self.poles)]

    def decibels(self, w: Tensor, fs: float) -> Tensor:
        first, *others = self.tensors
        if not others:
            h = freqz_sos(first, w, fs=fs)[1]
        elif len(others) == 1:
            h = freqz(first, others[0], w, fs=fs)[1]
        else:
            h = freqz_zpk(first, others[0], others[1], w, fs=fs)[1]
        return 20 * h.abs().clamp(min=1e-300).log10()

    def degrees(self, w: Tensor, fs: float) -> Tensor:
        """The phase, continuous but for +180 degrees at a zero on the circle, and at first between -180 and 180."""
        angles = 2 * math.pi / fs * w
        total = torch.full_like(angles, cmath.phase(self.gain))
        for sign, roots in ((1, self.zeros), (-1, self.poles)):
            for root, count in roots:
                total += sign * count * _phase_of(root, angles)
        return torch.rad2deg(total - 2 * math.pi * torch.round(total[0] / (2 * math.pi)))

    def delay(self, w: Tensor, fs: float) -> Tensor:
        """In samples."""
        return group_delay(self.tensors if len(self.tensors) > 1 else self.tensors[0], w, fs=fs)[1]

    def impulse(self, n: int | None) -> Tensor:
        """n samples, or as many as are more than 1/200 of the largest, from 20 to 4000 of them."""
        x = (torch.arange(n or 4000) == 0).double()
        if len(self.tensors) == 2:
            y = impulse_response(*self.tensors, len(x))
        elif len(self.tensors) == 1:
            y = sosfilt(self.tensors[0], x)
        else:
            z, p, k = self.tensors
            y = sosfilt(zpk2sos(z, p, k), x.roll(max(p.shape[-1] - z.shape[-1], 0)))
        heard = (y.abs() > y.abs().max() / 200).nonzero()
        return y if n is not None or not len(heard) else y[: max(20, int(1.1 * int(heard[-1])) + 2)]


def shape_of(function: str, system: System) -> Shape:
    tensors = tuple(t.detach().cpu() for t in system_of(function, system))
    dimensions = {1: (2,), 2: (1, 1), 3: (1, 1, 0)}[len(tensors)]
    if any(t.dim() > d for t, d in zip(tensors, dimensions)):
        shapes = ", ".join(str(list(t.shape)) for t in tensors)
        raise ValueError(f"{function}: system: expected one filter, got a batch, of shapes {shapes}")
    if len(tensors) == 2:
        length = max(t.shape[-1] for t in tensors)
        b, a = (torch.nn.functional.pad(t, (0, length - t.shape[-1])) for t in tensors)
        z, p, k = tf2zpk(b, a)
    elif len(tensors) == 3:
        z, p, k = tensors
    else:
        z, p, k = sos2zpk(tensors[0])
    zeros, poles = ([complex(v) for v in roots.tolist()] for roots in (z, p))
    for _ in range(min(zeros.count(0), poles.count(0))):  # sections of first order have both there
        zeros.remove(0)
        poles.remove(0)
    is_exact = len(tensors) != 2
    return Shape(tensors, _repeated(zeros, is_exact), _repeated(poles, is_exact), complex(k))


def frequencies_of(shapes: Sequence[Shape], fs: float | None) -> Tensor:
    """Up to half the rate, from 0 or, in hertz, on a logarithmic scale from below all poles and zeros.

    They are closer around each pole and zero: no resonance is narrower.
    """
    roots = [root for shape in shapes for root in shape.roots]
    angles = torch.tensor([abs(cmath.phase(r)) for r in roots], dtype=torch.float64)
    widths = torch.tensor([max(abs(1 - abs(r)), 1e-5) for r in roots], dtype=torch.float64)
    lowest, w = 0.0, torch.linspace(0, math.pi, 2001, dtype=torch.float64)
    if fs is not None:
        details = [abs(1 - r) / 3 for r in roots if abs(1 - r) > 1e-6]
        lowest = 2 * math.pi / fs * _rounded_down(min([math.pi / 1000, *details]) * fs / (2 * math.pi))
        w = torch.logspace(math.log10(lowest), math.log10(math.pi), 2001, dtype=torch.float64).clamp(max=math.pi)
    scale = torch.logspace(-2, 1, 16, dtype=torch.float64)
    close = (angles.unsqueeze(-1) + widths.unsqueeze(-1) * torch.cat([-scale, scale.new_zeros(1), scale])).flatten()
    found: Tensor = torch.cat([w, close[(close >= lowest) & (close <= math.pi)]]).unique()
    return found if fs is None else found * (fs / (2 * math.pi))


def _rounded_down(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    decade = 10.0 ** math.floor(math.log10(value))
    return decade * max(step for step in (1, 2, 5) if step * decade <= value * (1 + 1e-9))


def _phase_of(root: complex, angles: Tensor) -> Tensor:
    """z - root, continuous for a root inside the circle as for one outside; on the circle it is inside.

    There it is the limit from below the root's own angle, and from above that of 0.
    """
    z = torch.polar(torch.ones_like(angles), angles)
    if abs(abs(root) - 1) <= 1e-8:
        beyond = torch.remainder(angles - cmath.phase(root) + math.pi, 2 * math.pi) - math.pi
        is_above = (beyond > 1e-9) | ((beyond.abs() <= 1e-9) & (angles < 1e-9))
        return angles + torch.where(is_above, math.pi / 2, -math.pi / 2) - beyond / 2
    if abs(root) < 1:
        inside: Tensor = angles + torch.angle(1 - root / z)
        return inside
    outside: Tensor = cmath.phase(-root) + torch.angle(1 - z / root)
    return outside


def _repeated(roots: Sequence[complex], is_exact: bool) -> Roots:
    """Roots that are one: m equal ones of a polynomial are found eps^(1/m) apart."""
    left, found = list(roots), []
    for m in range(len(left), 0, -1):
        reach = 1e-6 if is_exact else 3 * _EPS ** (1 / m)
        for root in roots:
            if len(left) < m or root not in left:
                continue
            group = sorted(left, key=lambda other, root=root: abs(other - root))[:m]  # type: ignore[misc]
            centre = sum(group) / m
            if all(abs(other - centre) <= reach for other in group):
                found.append((centre, m))
                for other in group:
                    left.remove(other)
    return found
