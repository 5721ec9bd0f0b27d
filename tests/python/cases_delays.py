"""The part of cases.py with delays, splines and banks."""

from functools import partial
from typing import Any

import torch
from support import Case
from torch import Tensor

import polezero
from polezero import reference


def sparse_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    L: int = 2,
    T: int = 6,
    lead: tuple[int, ...] = (),
    zi: int | None = None,
    over_time: bool = False,
) -> tuple[Tensor, ...]:
    """a of magnitude up to 0.9 / L, x of two rows and, where their number is given, past outputs."""
    a = torch.randn(*((*(lead or (1,)), T) if over_time else lead), L, dtype=dtype)
    inputs = 0.9 / L * a / a.abs().clamp(min=1), torch.randn(2, T, dtype=dtype)
    return inputs if zi is None else (*inputs, torch.randn(2, zi, dtype=dtype))


def _sparse(delays: Any, **sizes: Any) -> Case:
    return Case(
        lambda a, x, zi=None: polezero.sparse_allpole(a, delays, x, zi),
        lambda a, x, zi=None: reference.sparse_allpole(a, delays, x, zi),
        partial(sparse_inputs, **sizes),
    )


def comb_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    delay: float | None = None,
    over_time: bool = False,
    moving: bool | None = None,
    T: int = 6,
    zi: int | None = None,
) -> tuple[Tensor, ...]:
    """a, where one is given a delay (up to 1 more), both constant or not, x of two rows and, likewise, zi."""
    (a, *signals) = sparse_inputs(dtype, L=1, T=T, zi=zi)
    if over_time:
        a = a + 0.3 * torch.randn(2, T, dtype=dtype)
    if delay is None:
        return a, *signals
    moving = over_time if moving is None else moving
    return a, delay + torch.rand((2, T) if moving else (1,), dtype=torch.float64), *signals


def _comb(kind: str, delay: int, *, options: dict[str, Any] | None = None, **sizes: Any) -> Case:
    """A whole delay."""
    options = options or {}
    return Case(
        lambda a, x, zi=None: getattr(polezero, kind)(a, delay, x, zi, **options),
        lambda a, x, zi=None: getattr(reference, kind)(a, delay, x, zi),
        partial(comb_inputs, **sizes),
    )


def _between(kind: str, interpolation: str, **sizes: Any) -> Case:
    """A delay between samples."""
    return Case(
        lambda a, delay, x, zi=None: getattr(polezero, kind)(a, delay, x, zi, interpolation=interpolation),
        lambda a, delay, x, zi=None: getattr(reference, kind)(a, delay, x, zi, interpolation),
        partial(comb_inputs, **sizes),
    )


def _spline(name: str, *options: Any, T: int = 6) -> Case:
    """Linear, and so true as the reference's matrix: jacrev fails in torch.linalg.solve, which the reference calls."""
    return Case(
        lambda x: getattr(polezero, name)(x, *options),
        lambda x: x @ getattr(reference, name)(torch.eye(T, dtype=x.dtype), *options),
        lambda dtype: (torch.randn(2, T, dtype=dtype),),
    )


def _spline_at_points(name: str) -> Case:
    """Points between all knots, and beyond both ends."""
    points = torch.tensor([[-2.3, 0.2, 1.7], [4.1, 4.9, 7.3]], dtype=torch.float64)
    return Case(
        getattr(polezero, name),
        getattr(reference, name),
        lambda dtype: (torch.randn(2, 6, dtype=dtype), points + 0.1 * torch.rand(2, 3, dtype=torch.float64)),
    )


def modal_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    modes: int = 3,
    T: int = 5,
    lead: tuple[int, ...] = (),
    rows: int = 2,
    zi: bool = False,
    radius: float = 0.9,
) -> tuple[Tensor, ...]:
    """Poles of up to a radius and gains, real or complex, a real x of some rows and, where it is wanted, zi."""
    poles = torch.randn(*lead, modes, dtype=dtype)
    poles = radius * poles / poles.abs().clamp(min=1)
    gains = torch.randn(*lead, modes, dtype=dtype) / max(modes, 1)
    inputs = poles, gains, torch.randn(rows, T, dtype=dtype.to_real())
    return (*inputs, torch.randn(rows, modes, dtype=dtype)) if zi else inputs


def _modal_bank(**sizes: Any) -> Case:
    return Case(polezero.modal_bank, reference.modal_bank, partial(modal_inputs, **sizes))


def _of_frequency_and_decay(bank: Any) -> Any:
    """The bank with poles exp(i omega - decay)."""
    return lambda omega, decay, *others: bank(torch.exp(torch.complex(-decay, omega)), *others)


def frequency_and_decay_inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    """omega and decay, which are real, gains, x and zi."""
    _, *others = modal_inputs(dtype, zi=True)
    real = dtype.to_real()
    return (3 * torch.rand(3, dtype=real), 0.05 + 0.5 * torch.rand(3, dtype=real), *others)


CASES = {
    "sparse_allpole_zi": _sparse([1, 3], zi=3, lead=(2,)),
    "sparse_allpole_moving_taps": _sparse([2, 3], over_time=True, lead=(2,)),
    "sparse_allpole_moving_delays_zi": _sparse([[[1, 3], [2, 2], [4, 1], [1, 1], [3, 2], [4, 4]]], zi=4),
    "comb_filter_zi": _comb("comb_filter", 2, zi=3, over_time=True),
    "comb_filter_two_pass_zi": _comb("comb_filter", 2, zi=2, options={"backward": "two_pass"}),
    "comb_filter_linear_zi": _between("comb_filter", "linear", delay=1.2, over_time=True, zi=4),
    "comb_filter_linear_varying_a": _between("comb_filter", "linear", delay=1.2, over_time=True, moving=False),
    "comb_filter_lagrange3_moving": _between("comb_filter", "lagrange3", delay=2.05, moving=True),
    "comb_filter_lagrange3": _between("comb_filter", "lagrange3", delay=2.05),
    "comb_filter_thiran": _between("comb_filter", "thiran", delay=1.55),
    "feedforward_comb_zi": _comb("feedforward_comb", 2, zi=2),
    "feedforward_comb_lagrange3_zi": _between("feedforward_comb", "lagrange3", delay=2.1, over_time=True, zi=6),
    "allpass_comb_zi": _comb("allpass_comb", 2, zi=2),
    "allpass_comb_lagrange3": _between("allpass_comb", "lagrange3", delay=2.1),
    "allpass_comb_linear": _between("allpass_comb", "linear", delay=1.3),
    "cubic_spline": _spline("cubic_spline", 3),
    "cubic_spline_scipy": _spline("cubic_spline", 2, "scipy", T=3),
    "cspline1d_smoothing": _spline("cspline1d", 0.5),
    "qspline1d": _spline("qspline1d"),
    "cspline2d": Case(
        polezero.cspline2d,
        lambda x: reference.cspline1d(reference.cspline1d(x).mT).mT,
        lambda dtype: (torch.randn(3, 2, dtype=dtype),),
    ),
    "qspline2d": Case(
        polezero.qspline2d,
        lambda x: reference.qspline1d(reference.qspline1d(x).mT).mT,
        lambda dtype: (torch.randn(2, 3, dtype=dtype),),
    ),
    "symiirorder1": _spline("symiirorder1", 0.7, -0.6, T=1),
    "symiirorder2": _spline("symiirorder2", 0.8, 0.4, T=5),
    "cspline1d_eval": _spline_at_points("cspline1d_eval"),
    "qspline1d_eval": _spline_at_points("qspline1d_eval"),
    "modal_bank": _modal_bank(lead=(2,)),
    "modal_bank_zi": _modal_bank(zi=True),
    "modal_bank_of_frequency_and_decay": Case(
        _of_frequency_and_decay(polezero.modal_bank),
        _of_frequency_and_decay(reference.modal_bank),
        frequency_and_decay_inputs,
    ),
}
