"""Filters with delays, one sample at a time: the part of :mod:`polezero.reference` that has them."""

from typing import Any

import torch
from torch import Tensor

from polezero._arguments import to_delays
from polezero.reference._promotion import promote

__all__ = ["allpass_comb", "comb_filter", "feedforward_comb", "sparse_allpole"]


def sparse_allpole(a: Any, delays: Any, x: Any, zi: Any = None) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of ``x`` with taps a_l[n] at delays d_l[n] >= 1::

        y[n] = x[n] - sum_{l=1..L} a_l[n] y[n - d_l[n]],    y[-k] = zi[k-1]

    Shapes: a and delays ``[..., L]``, or ``[..., T, L]`` of one dimension more than x; zi ``[..., D]`` the past
    outputs, newest first. Returns ``y``, or ``(y, zf)`` with the last D outputs when zi is given.
    """
    (a, x, zi), dtype, of_state = promote(x, a, x, zi=zi)
    a, d = (t if t.dim() > x.dim() else t.unsqueeze(-2) for t in (a, to_delays("sparse_allpole", "delays", delays, x)))
    taps = torch.broadcast_shapes(a.shape[:-1], d.shape[:-1])
    line = _Line(torch.broadcast_shapes(taps[:-1], x.shape[:-1]), x, zi)
    for n in range(x.shape[-1]):
        y = x[..., n]
        for a_l, d_l in zip(a.unbind(-1), d.unbind(-1), strict=True):
            y = y - _at(a_l, n) * line.at(_at(d_l, n))
        line.append(y)
    return line.result(line.samples, zi, dtype, of_state)


def comb_filter(
    a: Any, delay: Any, x: Any, zi: Any = None, interpolation: str | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    """Filter the last axis of ``x`` with feedback after D samples::

        y[n] = x[n] - a[n] y[n - D[n]],    y[-k] = zi[k-1]

    Shapes: a and delay ``[...]`` of the rows of x, or, with as many dimensions as x, ``[..., T]``; zi ``[..., D]``.
    Between samples y is the polynomial through 2 ("linear") or 4 ("lagrange3") of its samples, or ("thiran") what an
    all-pass filter of first order makes of them.
    """
    (a, x, zi), dtype, of_state = promote(x, a, x, zi=zi)
    a, d = (_of_samples(t, x) for t in (a, to_delays("comb_filter", "delay", delay, x)))
    line = _Line(torch.broadcast_shapes(a.shape[:-1], d.shape[:-1], x.shape[:-1]), x, zi)
    v = line.zero
    for n in range(x.shape[-1]):
        v = line.read(_at(d, n), interpolation, v)
        line.append(x[..., n] - _at(a, n) * v)
    return line.result(line.samples, zi, dtype, of_state)


def feedforward_comb(
    b: Any, delay: Any, x: Any, zi: Any = None, interpolation: str | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    """y[n] = x[n] + b[n] x[n - D[n]], x[-k] = zi[k-1]; shapes as for :func:`comb_filter`."""
    (b, x, zi), dtype, of_state = promote(x, b, x, zi=zi)
    b, d = (_of_samples(t, x) for t in (b, to_delays("feedforward_comb", "delay", delay, x)))
    line = _Line(torch.broadcast_shapes(b.shape[:-1], d.shape[:-1], x.shape[:-1]), x, zi)
    y = []
    for n in range(x.shape[-1]):
        y.append(x[..., n] + _at(b, n) * line.read(_at(d, n), interpolation))
        line.append(x[..., n])
    return line.result(y, zi, dtype, of_state)


def allpass_comb(
    a: Any, delay: Any, x: Any, zi: Any = None, interpolation: str | None = None
) -> Tensor | tuple[Tensor, Tensor]:
    """w[n] = x[n] - a[n] w[n - D[n]], y[n] = a[n] w[n] + w[n - D[n]], w[-k] = zi[k-1]; shapes as above."""
    (a, x, zi), dtype, of_state = promote(x, a, x, zi=zi)
    a, d = (_of_samples(t, x) for t in (a, to_delays("allpass_comb", "delay", delay, x)))
    line = _Line(torch.broadcast_shapes(a.shape[:-1], d.shape[:-1], x.shape[:-1]), x, zi)
    y = []
    for n in range(x.shape[-1]):
        v = line.read(_at(d, n), interpolation)
        w = x[..., n] - _at(a, n) * v
        y.append(_at(a, n) * w + v)
        line.append(w)
    return line.result(y, zi, dtype, of_state)


class _Line:
    """The samples of a signal so far, [...] each, and those before it."""

    def __init__(self, lead: tuple[int, ...], x: Tensor, zi: Tensor | None) -> None:
        self.lead = lead
        self.zero = x.new_zeros(lead)
        self.past = [] if zi is None else [t.expand(lead) for t in zi.flip(-1).unbind(-1)]
        self.samples: list[Tensor] = []

    def append(self, sample: Tensor) -> None:
        self.samples.append(sample.expand(self.lead))

    def empty(self) -> Tensor:
        return self.zero.unsqueeze(-1)[..., :0]

    def at(self, delay: Tensor) -> Tensor:
        """The sample ``delay`` before the next one, zero before all."""
        known = torch.stack([self.zero, *self.past, *self.samples], -1)
        place = (known.shape[-1] - delay).clamp(min=0).expand(self.lead)
        return known.gather(-1, place.unsqueeze(-1)).squeeze(-1)

    def read(self, delay: Tensor, interpolation: str | None, v: Tensor | None = None) -> Tensor:
        """The value as of :meth:`at`, at any delay; ``v`` is what "thiran" read before."""
        if interpolation is None:
            return self.at(delay)
        if interpolation == "thiran":
            first = (delay - 0.5).floor()
            eta = (1 - (delay - first)) / (1 + (delay - first))
            assert v is not None
            return eta * (self.at(first.long()) - v) + self.at(first.long() + 1)
        nodes = {"linear": (0, 1), "lagrange3": (-1, 0, 1, 2)}[interpolation]
        first = delay.floor()
        value = self.zero
        for k in nodes:
            weight = torch.ones_like(delay)
            for j in nodes:
                if j != k:
                    weight = weight * (delay - first - j) / (k - j)
            value = value + weight * self.at(first.long() + k)
        return value

    def result(
        self, y: list[Tensor], zi: Tensor | None, dtype: torch.dtype, of_state: torch.dtype
    ) -> Tensor | tuple[Tensor, Tensor]:
        filtered = torch.stack(y, -1).to(dtype) if y else self.empty().to(dtype)
        if zi is None:
            return filtered
        last = (self.past + self.samples)[len(self.samples) :]
        return filtered, (torch.stack(last, -1).flip(-1) if last else self.empty()).to(of_state)


def _of_samples(c: Tensor, x: Tensor) -> Tensor:
    """[..., T or 1] from what has a value for each row of x."""
    return c if c.dim() >= x.dim() else c.unsqueeze(-1)


def _at(c: Tensor, n: int) -> Tensor:
    """Sample n of [..., T or 1]."""
    return c[..., n if c.shape[-1] > 1 else 0]
