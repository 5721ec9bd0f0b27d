"""The polynomials of a filter as tensors, and their derivatives."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from polezero._arguments import readable
from polezero._design.arithmetic import Numbers, Tensors
from polezero._design.bands import Design, roots
from polezero._design.families import prototype
from polezero._design.prototypes import Prototype

_STEP = 1e-100  # of the derivatives of numbers, which vanishes beside them


class Polynomials(NamedTuple):
    """The factors as polynomials ``[..., n, 3]``, highest power of s or z first, and 1 that of each."""

    rows: Tensor  # of the pole pairs, and then of the zero pairs
    gain: Tensor  # [..., 1]
    real: Tensor | None  # the real pole
    squares: Tensor | None  # [..., n], of half the distances of the two roots, negative of real ones


def polynomials(design: Design, Wn: Tensor, *decibels: Tensor) -> Polynomials:
    """``Wn`` is ``[..., 1]`` or ``[..., 2]``, and ``decibels`` are ``[..., 1]``."""
    tensors = (Wn, *decibels)
    parts: Sequence[Tensor] = _of_numbers(design, *tensors) if _is_one(*tensors) else ()
    rows, gain, *others = parts or _of_tensors(design, *tensors)
    real = others.pop(0) if design.single else None
    return Polynomials(rows.unflatten(-1, (-1, 3)), gain, real, others[0] if others else None)


def _of_tensors(design: Design, Wn: Tensor, *decibels: Tensor) -> tuple[Tensor, ...]:
    """The polynomials one after another, and the rest of what :class:`Polynomials` has."""
    f = Tensors(Wn)
    r = roots(f, design, prototype(f, design.family, design.N, *decibels), Wn)
    first, second = torch.broadcast_tensors(r.first, r.second)
    rows = torch.stack([torch.ones_like(first), first, second], -1).flatten(-2)
    gain = r.gain if isinstance(r.gain, Tensor) else torch.full_like(Wn[..., :1], r.gain)
    if not design.N:  # no pole has the shape of the batch
        gain, _ = torch.broadcast_tensors(gain, Wn[..., :1])
        rows = rows.expand(*gain.shape[:-1], 0)
    return tuple(t for t in (rows, gain, r.real, r.squares) if t is not None)


# ---- one filter


def _is_one(*tensors: Tensor) -> bool:
    """Whether they are the numbers of one filter, may be looked at, and have no tangents."""
    return (
        readable(*tensors)
        and not torch._C._are_functorch_transforms_active()
        and all(t.dim() == 1 and forward_ad.unpack_dual(t).tangent is None for t in tensors)
    )


def _of_numbers(design: Design, *tensors: Tensor) -> Sequence[Tensor]:
    """Nothing where they are too large or too small for Python's functions."""
    numbers = [number for t in tensors for number in t.tolist()]
    needed = [t.requires_grad and torch.is_grad_enabled() for t in tensors for _ in range(t.numel())]
    try:
        if not any(needed):
            return [_tensor(part) for part in _real(_parts(design, numbers))]
        steps = [[complex(x, _STEP * (i == j)) for j, x in enumerate(numbers)] for i, n in enumerate(needed) if n]
        parts = [_parts(design, step) for step in steps]
    except (ArithmeticError, ValueError):
        return ()
    slopes = [[v.imag / _STEP for part in one for v in part] for one in parts]
    return _OfNumbers.apply(design, _real(parts[0]), slopes, *tensors)  # type: ignore[no-any-return]


def _tensor(values: Sequence[float] | Sequence[Sequence[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device="cpu")


def _real(parts: list[list[complex]]) -> list[list[float]]:
    return [[v.real for v in part] for part in parts]


def _parts(design: Design, numbers: Sequence[complex]) -> list[list[complex]]:
    """What :func:`_of_tensors` returns, of one filter."""
    edges, decibels = numbers[: 1 + design.banded], numbers[1 + design.banded :]
    r = roots(Numbers(), design, _prototype(design.family, design.N, *decibels), edges)
    rows = [v for first, second in zip(r.first, r.second) for v in (1.0, first, second)]
    parts = [rows, [r.gain], None if r.real is None else [r.real], r.squares]
    return [list(part) for part in parts if part is not None]


@functools.lru_cache(maxsize=32)
def _prototype(family: str, N: int, *decibels: complex) -> Prototype:
    return prototype(Numbers(), family, N, *decibels)


class _OfNumbers(torch.autograd.Function):
    """Values and derivatives that have been found. The derivatives of derivatives are those of tensors."""

    @staticmethod
    def forward(
        ctx: Any, design: Design, values: list[list[float]], slopes: list[list[float]], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.design, ctx.slopes = design, slopes
        ctx.save_for_backward(*tensors)
        return tuple(map(_tensor, values))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[3:]
        inputs = [t for t, is_needed in zip(ctx.saved_tensors, needed) if is_needed]
        if torch.is_grad_enabled():
            outputs = _of_tensors(ctx.design, *ctx.saved_tensors)
            results = _gradients(outputs, inputs, grads)
        else:
            results = (_tensor(ctx.slopes) @ torch.cat(grads)).split([t.numel() for t in inputs])
        each = iter(results)
        return None, None, None, *(next(each) if is_needed else None for is_needed in needed)


def _gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor], grads: Sequence[Tensor]) -> Sequence[Tensor]:
    """With graphs of their own. Of order 0 nothing depends on an edge."""
    pairs = [(y, g) for y, g in zip(outputs, grads) if y.requires_grad]
    if not pairs:
        return [torch.zeros_like(t) for t in inputs]
    outputs, grads = zip(*pairs)
    return torch.autograd.grad(outputs, inputs, grads, create_graph=True, allow_unused=True, materialize_grads=True)
