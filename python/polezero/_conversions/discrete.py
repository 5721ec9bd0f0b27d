"""Discrete-time systems of continuous-time ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from polezero._arguments import doubles, readable
from polezero._conversions.forms import numbers, tolerance, zeros_poles_gain
from polezero._conversions.spaces import System, companion, of_system, roots_of_system, system
from polezero._conversions.transfer import expanded
from polezero._overrides import overridable
from polezero._signatures import Coefficients

__all__ = ["cont2discrete"]

Method = Literal["gbt", "bilinear", "tustin", "euler", "forward_diff", "backward_diff", "zoh", "foh", "impulse"]
_ALPHA = {"bilinear": 0.5, "tustin": 0.5, "euler": 0.0, "forward_diff": 0.0, "backward_diff": 1.0}


@overridable
def cont2discrete(
    system: Sequence[Coefficients], dt: Coefficients, method: Method = "zoh", alpha: Coefficients | None = None
) -> tuple[Any, ...]:
    r"""Return a discrete-time system that does with samples what a continuous-time one does with signals.

    .. math::

        \dot x = A x + B u, \quad y = C x + D u \qquad \to \qquad
        x[n + 1] = A_d x[n] + B_d u[n], \quad y[n] = C_d x[n] + D_d u[n]

    Args:
        system: ``(num, den)``, ``(z, p, k)`` or ``(A, B, C, D)``, as :func:`tf2ss`, :func:`zpk2ss` and :func:`ss2tf`
            take them, of shapes with leading dimensions that broadcast.
        dt: Time between samples (s), a number or shape ``[...]``, differentiable.
        method: ``"zoh"``, the input is held between samples; ``"foh"``, it is a straight line; ``"impulse"``, the
            response to an impulse is sampled (D = 0); ``"gbt"``, the generalised bilinear transform with a weight
            ``alpha``, of which ``"bilinear"`` or ``"tustin"`` is 1/2, ``"euler"`` or ``"forward_diff"`` 0 and
            ``"backward_diff"`` 1.
        alpha: The weight of the end of a step, from 0 to 1, a number or shape ``[...]``, differentiable.

    Returns:
        The system in the form in which it came, of double precision, and ``dt`` as it came: ``(num, den, dt)`` with
        ``num`` of shape ``[..., O, N + 1]``, ``(z, p, k, dt)`` or ``(A, B, C, D, dt)``.

    Raises:
        ValueError: The method is unknown, ``alpha`` is missing or out of range, D is not 0 for ``"impulse"``,
            ``system`` has another number of parts, or a shape or a device does not fit.

    Source: :func:`scipy.signal.cont2discrete`.

    Example:
        >>> import torch, polezero
        >>> num, den, dt = polezero.cont2discrete(([1.0], [1.0, 1.0]), 0.5)
        >>> num, den
        (tensor([[0.0000, 0.3935]], dtype=torch.float64), tensor([ 1.0000, -0.6065], dtype=torch.float64))
    """
    form, continuous = _as_system(system)
    (step,) = numbers("cont2discrete", {"A": continuous[0]}, 2, dt=dt)
    alpha = _ALPHA.get(method, alpha)
    if method == "gbt" or method in _ALPHA:
        discrete = _generalised_bilinear(*continuous, step[..., None, None], _weight(continuous[0], alpha))
    elif method in _HOLDS:
        discrete = _HOLDS[method](*continuous, step[..., None, None])
    else:
        known = ", ".join(map(repr, ("gbt", *_ALPHA, *_HOLDS)))
        raise ValueError(f"cont2discrete: method: expected one of {known}, got {method!r}")
    if form == "ba":
        return (*of_system("cont2discrete", *discrete, 0), dt)
    if form == "zpk":
        return (*roots_of_system("cont2discrete", *discrete), dt)
    return (*discrete, dt)


def _as_system(given: Sequence[Coefficients]) -> tuple[str, System]:
    if len(given) == 2:
        return "ba", companion("cont2discrete", *doubles("cont2discrete", num=given[0], den=given[1]))
    if len(given) == 3:
        z, p, k = zeros_poles_gain("cont2discrete", *given)
        num = k.unsqueeze(-1) * expanded(z, tolerance(given[0]))
        return "zpk", companion("cont2discrete", num, expanded(p, tolerance(given[1])))
    if len(given) == 4:
        return "ss", system("cont2discrete", *given)
    raise ValueError(f"cont2discrete: system: expected (num, den), (z, p, k) or (A, B, C, D), got {len(given)} of them")


def _weight(A: Tensor, alpha: Coefficients | None) -> Tensor:
    if alpha is None:
        raise ValueError("cont2discrete: alpha: expected a number from 0 to 1 for 'gbt', got None")
    (weight,) = numbers("cont2discrete", {"A": A}, 2, alpha=alpha)
    if readable(weight) and not ((weight >= 0) & (weight <= 1)).all():
        raise ValueError(f"cont2discrete: alpha: expected a number from 0 to 1, got {alpha}")
    return weight[..., None, None]


def _generalised_bilinear(A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt: Tensor, alpha: Tensor) -> System:
    """The state's slope is its mean over a step, alpha being the weight of the end."""
    one = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    implicit = one - alpha * dt * A
    stepped = torch.linalg.solve(implicit, (one + (1 - alpha) * dt * A).expand_as(implicit))
    of_input = torch.linalg.solve(implicit, (dt * B).expand(*implicit.shape[:-1], B.shape[-1]))
    of_state = torch.linalg.solve(implicit.mT, C.mT.expand(*implicit.shape[:-1], C.shape[-2])).mT
    return stepped, of_input, of_state, D + alpha * (C @ of_input)


def _zero_order_hold(A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt: Tensor) -> System:
    S, inputs = B.shape[-2:]
    moved = torch.linalg.matrix_exp(_blocks(dt * A, dt * B, inputs))
    return moved[..., :S, :S], moved[..., :S, S:], C, D


def _first_order_hold(A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt: Tensor) -> System:
    """The input is a straight line between samples."""
    S, inputs = B.shape[-2:]
    whole = _blocks(dt * A, dt * B, 2 * inputs)
    line = torch.zeros_like(whole)
    line[..., S : S + inputs, S + inputs :] = torch.eye(inputs, dtype=A.dtype, device=A.device)
    moved = torch.linalg.matrix_exp(whole + line)[..., :S, :]
    stepped, held, rising = moved[..., :S], moved[..., S : S + inputs], moved[..., S + inputs :]
    return stepped, held - rising + stepped @ rising, C, D + C @ rising


def _impulse_invariant(A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt: Tensor) -> System:
    if readable(D) and (D.abs() > 1e-8).any():
        raise ValueError(f"cont2discrete: system: expected D = 0 for method 'impulse', got {D.abs().max():.3g}")
    stepped = torch.linalg.matrix_exp(dt * A)
    return stepped, stepped @ B * dt, C, C @ B * dt


def _blocks(A: Tensor, B: Tensor, below: int) -> Tensor:
    """[[A, B, 0], [0, 0, 0]], square, with as many rows below."""
    S, inputs = B.shape[-2:]
    lead = torch.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A, B = A.expand(*lead, S, S), B.expand(*lead, S, inputs)
    return torch.nn.functional.pad(torch.cat([A, B], -1), (0, below - inputs, 0, below))


_HOLDS = {"zoh": _zero_order_hold, "foh": _first_order_hold, "impulse": _impulse_invariant}
