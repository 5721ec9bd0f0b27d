"""The differentiable functions of polezero, each with small inputs: what the derivative tests run over."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from support import random_filter
from torch import Tensor

import polezero
from polezero import reference


class Case(NamedTuple):
    """``function`` and its plain-PyTorch twin ``truth`` take what ``inputs(dtype)`` makes."""

    function: Callable[..., Any]
    truth: Callable[..., Any]
    inputs: Callable[[torch.dtype], tuple[Tensor, ...]]


def lfilter_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    M: int = 2,
    N: int = 2,
    T: int = 5,
    lead_b: tuple[int, ...] = (),
    lead_a: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """b, a (a_0 is not 1), x and, where its leading dimensions are given, zi."""
    b, _ = random_filter(M, N, dtype, lead_b)
    _, a = random_filter(M, N, dtype, lead_a, a0=1.5 - 0.5j if dtype.is_complex else -1.5)
    inputs = b, a, torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(*lead_zi, max(M, N), dtype=dtype))


def allpole_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    N: int = 2,
    T: int = 5,
    lead_a: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """a_1..a_N, x and, where its leading dimensions are given, zi."""
    inputs = random_filter(0, N, dtype, lead_a)[1][..., 1:].clone(), torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(*lead_zi, N, dtype=dtype))


def lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None, **options: Any) -> Any:
    return polezero.lfilter(b, a, x, zi=zi, **options)


def true_lfilter(b: Tensor, a: Tensor, x: Tensor, zi: Tensor | None = None, axis: int = -1) -> Any:
    return reference.lfilter(b, a, x, axis, zi)


def _lfilter(options: dict[str, Any] | None = None, **sizes: Any) -> Case:
    options = options or {}
    truth = partial(true_lfilter, **{k: v for k, v in options.items() if k == "axis"})
    return Case(partial(lfilter, **options), truth, partial(lfilter_inputs, **sizes))


def _allpole(backward: str = "one_pass", **sizes: Any) -> Case:
    return Case(partial(polezero.allpole, backward=backward), reference.allpole, partial(allpole_inputs, **sizes))


TWO_PASS = {"backward": "two_pass"}
CASES = {
    "lfilter": _lfilter(),
    "lfilter_rows": _lfilter(M=1, N=3, lead_b=(2,), lead_a=(2,)),
    "lfilter_zi": _lfilter(M=3, N=1, lead_a=(2,), lead_zi=(2,)),
    "lfilter_zi_broadcast": _lfilter(N=1, lead_zi=(1,)),
    "lfilter_bank": _lfilter(M=1, lead_b=(3, 1), lead_a=(2,), lead_x=(1, 1), T=3, lead_zi=(3, 2)),
    "lfilter_first_axis": _lfilter({"axis": 0}, lead_x=(4,), T=2),
    "lfilter_short": _lfilter(M=3, N=4, T=2, lead_zi=(2,)),
    "lfilter_fir": _lfilter(M=3, N=0, lead_zi=(2,)),
    "lfilter_no_zeros": _lfilter(M=0, N=3, lead_zi=(2,)),
    "lfilter_two_pass": _lfilter(TWO_PASS, M=1, N=3, lead_b=(2,)),
    "lfilter_two_pass_zi": _lfilter(TWO_PASS, M=2, N=3, T=4, lead_zi=(2,)),
    "allpole": _allpole(),
    "allpole_rows": _allpole(N=3, lead_a=(2,), lead_zi=(2,)),
    "allpole_short": _allpole(N=4, T=2, lead_zi=(2,)),
    "allpole_two_pass": _allpole("two_pass", N=3, T=4),
    "allpole_two_pass_zi": _allpole("two_pass", N=3, lead_zi=(1,)),
}


def requires_grad(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Fresh leaves with the same values."""
    return tuple(t.detach().clone().requires_grad_() for t in inputs)


def loss(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """A real loss with every derivative, through all outputs of the function."""

    def value(*inputs: Tensor) -> Tensor:
        outputs = function(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return torch.stack(
            [(y.abs().square() * 0.5).sum() + torch.view_as_real(y + 0j).sin().sum() for y in outputs]
        ).sum()

    return value
