"""The polynomials of a filter as tensors, and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

from polezero._arguments import readable
from polezero._design.arithmetic import Numbers, Tensors
from polezero._design.bands import Design, roots

_STEP = 1e-100  # of the derivatives of numbers, which vanishes beside them


class Polynomials(NamedTuple):
    """The factors as polynomials ``[..., n, 3]``, highest power of s or z first, and 1 that of each."""

    rows: Tensor  # of the pole pairs, and then of the zero pairs
    squares: Tensor  # [..., n], of half the distances of the two roots, negative of real ones
    gain: Tensor  # [..., 1]
    real: Tensor | None  # the real pole


def polynomials(design: Design, Wn: Tensor, *decibels: Tensor) -> Polynomials:
    """``Wn`` is ``[..., 1]`` or ``[..., 2]``, and ``decibels`` are ``[..., 1]``."""
    tensors = (Wn, *decibels)
    parts: Sequence[Tensor] = _of_numbers(design, *tensors) if _is_one(*tensors) else ()
    if not parts and torch.compiler.is_dynamo_compiling() and not torch.compiler.is_exporting():
        # A tensor that a graph keeps for its derivatives costs more than all of them anew.
        parts = checkpoint(_of_tensors, design, *tensors, use_reentrant=False)
    rows, squares, gain, *real = parts or _of_tensors(design, *tensors)
    return Polynomials(rows.unflatten(-1, (-1, 3)), squares, gain, real[0] if real else None)


def _of_tensors(design: Design, Wn: Tensor, *decibels: Tensor) -> tuple[Tensor, ...]:
    """The polynomials one after another, and the rest of what :class:`Polynomials` has."""
    edges = (Wn[..., :1], Wn[..., 1:] if design.banded else None)
    r = roots(Tensors(Wn), design, *edges, *decibels)
    first, second = torch.broadcast_tensors(r.first, r.second)
    rows = torch.stack([torch.ones_like(first), first, second], -1).flatten(-2)
    gain = r.gain if isinstance(r.gain, Tensor) else torch.full_like(Wn[..., :1], r.gain)
    return (rows, r.squares, gain) if r.real is None else (rows, r.squares, gain, r.real)


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
            return [torch.tensor(part, dtype=torch.float64) for part in _real(_parts(design, numbers))]
        steps = [[complex(x, _STEP * (i == j)) for j, x in enumerate(numbers)] for i, n in enumerate(needed) if n]
        parts = [_parts(design, step) for step in steps]
    except (ArithmeticError, ValueError):
        return ()
    slopes = [[v.imag / _STEP for part in one for v in part] for one in parts]
    return _OfNumbers.apply(design, _real(parts[0]), slopes, *tensors)  # type: ignore[no-any-return, no-untyped-call]


def _real(parts: list[list[complex]]) -> list[list[float]]:
    return [[v.real for v in part] for part in parts]


def _parts(design: Design, numbers: Sequence[complex]) -> list[list[complex]]:
    """What :func:`_of_tensors` returns, of one filter."""
    edges = (numbers[0], numbers[1] if design.banded else None)
    r = roots(Numbers(), design, *edges, *numbers[1 + design.banded :])
    rows = [v for first, second in zip(r.first, r.second) for v in (1.0, first, second)]
    return [rows, list(r.squares), [r.gain], *([] if r.real is None else [[r.real]])]


class _OfNumbers(torch.autograd.Function):
    """Values and derivatives that have been found. The derivatives of derivatives are those of tensors."""

    @staticmethod
    def forward(
        ctx: Any, design: Design, values: list[list[float]], slopes: list[list[float]], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.design, ctx.slopes = design, slopes
        ctx.save_for_backward(*tensors)
        return tuple(torch.tensor(part, dtype=torch.float64) for part in values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[3:]
        inputs = [t for t, is_needed in zip(ctx.saved_tensors, needed) if is_needed]
        if torch.is_grad_enabled():
            outputs = _of_tensors(ctx.design, *ctx.saved_tensors)
            outputs, grads = zip(*((y, g) for y, g in zip(outputs, grads) if y.requires_grad))
            results: Sequence[Tensor] = torch.autograd.grad(outputs, inputs, grads, create_graph=True)
        else:
            slopes = torch.tensor(ctx.slopes, dtype=torch.float64)
            results = (slopes @ torch.cat(grads)).split([t.numel() for t in inputs])
        each = iter(results)
        return None, None, None, *(next(each) if is_needed else None for is_needed in needed)
