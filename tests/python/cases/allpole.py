"""allpole, lpv.allpole and linear_recurrence, which is of first order."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from cases.sentences import BACKWARD, ROWS, TIME, state, too_many_rows
from cases.tensors import X, denominator, last, moving, random_filter, zeros
from polezero import lpv, reference

core = torch.ops.polezero


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


def lpv_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    M: int = 2,
    N: int = 2,
    T: int = 5,
    lead: tuple[int, ...] = (),
    zi: int | None = None,
    constant: str = "",
) -> tuple[Tensor, ...]:
    """b, a (a_0 is not 1) with an axis of time, x of two rows, and where its length is given zi.

    Coefficients named in ``constant`` do not change with time. M or N of -1: no b, or no a, and a without a_0.
    """
    b = torch.randn(*lead, 1 if "b" in constant else T, M + 1, dtype=dtype)
    a = 0.4 * torch.randn(*lead, 1 if "a" in constant else T, N + 1, dtype=dtype)
    a = torch.cat([0.25 * a[..., :1] + 1.5, a[..., 1:]], -1)
    inputs = [*([b] if M >= 0 else []), *([a if M >= 0 else a[..., 1:]] if N >= 0 else [])]
    inputs.append(torch.randn(2, T, dtype=dtype))
    return tuple(inputs) if zi is None else (*inputs, torch.randn(2, zi, dtype=dtype))


def recurrence_inputs(dtype: torch.dtype, a: tuple[int, ...], zi: bool = False) -> tuple[Tensor, ...]:
    inputs = torch.randn(a, dtype=dtype), torch.randn(2, 5, dtype=dtype)
    return (*inputs, torch.randn(2, 1, dtype=dtype)) if zi else inputs


def example(backward: str = "one_pass", **sizes: Any) -> Example:
    return Example(inputs=partial(allpole_inputs, **sizes), options={"backward": backward})


def sized(*angles: float, backward: str = "one_pass", **others: Any) -> Sized:
    return Sized(
        coefficients=lambda T, radius: (denominator(radius, *angles)[1:],),
        state=last(2 * len(angles)),
        options={"backward": backward},
        splits_rows=True,
        **others,
    )


def lpv_sized(*angles: float, **others: Any) -> Sized:
    return Sized(
        coefficients=lambda T, radius: (moving(denominator(radius, *angles)[1:], T),),
        state=last(2 * len(angles)),
        over_time={"a": -2},
        **others,
    )


def constant(a: Tensor, *others: Any) -> tuple[Any, ...]:
    """Constant coefficients, for ops whose coefficients have an axis of time."""
    return (a.unsqueeze(-2), *others)


def arguments(dtype: torch.dtype, *options: Any) -> tuple[Any, ...]:
    return (*constant(*allpole_inputs(dtype, N=3, T=7, lead_zi=(2,))), *options)


def varying(dtype: torch.dtype, *lags: Any) -> tuple[Any, ...]:
    """Coefficients [T, N] of an all-pole filter, two rows, no past outputs."""
    return (0.3 * torch.randn(7, 3, dtype=dtype), torch.randn(2, 7, dtype=dtype), None, *lags)


def backward_arguments(*arguments: Any) -> tuple[Any, ...]:
    """After a, x, zi, shift and reverse of the filter."""
    a, _, zi, *lags = arguments
    y = core.allpole_forward(*arguments)
    return (torch.randn_like(y), a, y, zi, True, True, zi is not None, *lags)


BAD = {
    "a_rows": Bad(lambda: polezero.allpole(zeros(3, 2), X), ValueError, f"allpole: {ROWS} a [3, 2], x [2, 5]"),
    "zi_long": Bad(lambda: polezero.allpole([0.5], X, zeros(2, 2)), ValueError, f"allpole: {state(1, '[2, 2]')}"),
    "zi_rows": Bad(
        lambda: polezero.allpole([0.5], X, zeros(3, 1)), ValueError, f"allpole: {too_many_rows('[2, 1]', '[3, 1]')}"
    ),
    "zi_more_rows_than_x": Bad(
        lambda: polezero.allpole([0.5], X[:1], zeros(3, 1)),
        ValueError,
        f"allpole: {too_many_rows('[1, 1]', '[3, 1]')}",
    ),
    "backward": Bad(lambda: polezero.allpole([0.5], X, backward=""), ValueError, f"allpole: {BACKWARD} ''"),
    "core_zi": Bad(
        lambda: core.allpole_forward(zeros(1, 1), X, zeros(2, 2)),
        ValueError,
        "allpole: zi: expected N = 1 values along the last axis, got shape [2, 2]",
    ),
    "core_time": Bad(lambda: core.allpole_forward(zeros(3, 2), X), ValueError, f"allpole: a: {TIME} [3, 2]"),
    "core_shift": Bad(
        lambda: core.allpole_forward(zeros(5, 2), X, None, 1), ValueError, "allpole: shift: expected 0 or -1, got 1"
    ),
    "core_shift_zi": Bad(
        lambda: core.allpole_forward(zeros(5, 2), X, zeros(2), -1),
        ValueError,
        "allpole: zi: expected None with a shift of -1, got a tensor",
    ),
    "core_dtype": Bad(
        lambda: core.allpole_forward(zeros(5, 2).double(), X), TypeError, "allpole: a: expected Float as x, got Double"
    ),
    "core_reverse_two_pass": Bad(
        lambda: core.allpole_forward(zeros(1, 2), X, None, 0, True, True),
        ValueError,
        "allpole: backward: expected 'one_pass' for a reversed filter, got 'two_pass'",
    ),
    "core_varying_two_pass": Bad(
        lambda: core.allpole_forward(zeros(5, 2), X, None, 0, False, True),
        ValueError,
        "allpole: backward: expected 'one_pass' for coefficients that change with time, got 'two_pass'",
    ),
}

CASES = [
    Case(
        "allpole",
        reference.allpole,
        "a x zi",
        saves={"a": "y", "x": "", "zi": ""},
        examples={
            "zi": example(N=3, lead_a=(2,), lead_zi=(2,)),
            "rest": example(),
            "short": example(N=4, T=2, lead_zi=(2,)),
            "two_pass": example("two_pass", N=3, T=4),
            "two_pass_zi": example("two_pass", N=3, lead_zi=(1,)),
        },
        sized={
            "order_2": sized(0.3),
            "order_4": sized(0.3, 1.1, opt_out={"cuda": "lfilter has filters in chunks"}),
            "two_pass": sized(0.3, backward="two_pass", opt_out={"cuda": "test_cuda.py has it with a filter a row"}),
        },
        ops={
            "allpole": {
                "rest": lambda d: allpole_inputs(d, T=7),
                "zi": lambda d: allpole_inputs(d, N=3, T=7, lead_a=(2,), lead_zi=(2,)),
            },
            "allpole_forward": {
                "rest": lambda d: constant(*allpole_inputs(d, T=7)),
                "zi": arguments,
                "reverse": lambda d: arguments(d, 0, True),
                "two_pass": lambda d: arguments(d, 0, False, True),
                "varying": lambda d: (torch.randn(7, 3, dtype=d), *arguments(d)[1:]),
                "varying_shift": lambda d: varying(d, -1),
            },
            "allpole_backward": {
                "all": lambda d: backward_arguments(*arguments(d, 0, False)),
                "varying": lambda d: backward_arguments(*varying(d, -1, False)),
                "varying_reverse": lambda d: backward_arguments(*varying(d)[:2], torch.randn(2, 3, dtype=d), 0, True),
            },
        },
        bad=BAD,
    ),
    Case(
        "lpv.allpole",
        reference.lpv_allpole,
        "a x zi",
        saves={"a": "y", "x": "", "zi": ""},
        examples={
            "zi": Example(inputs=partial(lpv_inputs, M=-1, N=3, zi=3)),
            "rows": Example(inputs=partial(lpv_inputs, M=-1, lead=(2,))),
            "frames": Example(inputs=partial(lpv_inputs, M=-1), options={"hop": 2, "offset": 1}),
        },
        sized={"order_2": lpv_sized(0.3), "order_4": lpv_sized(0.3, 1.1)},
        ops={"lpv_allpole": {"rest": lambda d: lpv_inputs(d, M=-1), "zi": lambda d: lpv_inputs(d, M=-1, zi=2)}},
        bad={
            "a_time": Bad(lambda: lpv.allpole(zeros(4, 2), X), ValueError, f"lpv.allpole: a: {TIME} [4, 2]"),
            "a_no_time": Bad(lambda: lpv.allpole(zeros(2), X), ValueError, f"lpv.allpole: a: {TIME} [2]"),
            "a_rows": Bad(lambda: lpv.allpole(zeros(3, 5, 2), X), ValueError, f"allpole: {ROWS} a [3, 5, 2], x [2, 5]"),
            "zi": Bad(lambda: lpv.allpole(zeros(5, 2), X, zeros(3)), ValueError, f"lpv.allpole: {state(2, '[3]')}"),
        },
    ),
    Case(
        "linear_recurrence",
        reference.linear_recurrence,
        "a x zi",
        saves={"a": "y", "x": "", "zi": ""},
        examples={
            "varying_zi": Example(inputs=partial(recurrence_inputs, a=(2, 5), zi=True)),
            "varying": Example(inputs=partial(recurrence_inputs, a=(2, 5))),
            "scalar_zi": Example(inputs=partial(recurrence_inputs, a=(), zi=True)),
        },
        sized={
            "constant": Sized(
                coefficients=lambda T, radius: (torch.tensor([radius], dtype=torch.float64),),
                state=last(1),
                splits_rows=True,
            ),
            "varying": Sized(
                coefficients=lambda T, radius: (moving(torch.tensor(radius, dtype=torch.float64), T),),
                state=last(1),
                over_time={"a": -1},
            ),
        },
        ops={
            "linear_recurrence": {
                "varying": lambda d: (torch.randn(2, 7, dtype=d), torch.randn(2, 7, dtype=d)),
                "scalar_zi": lambda d: (
                    torch.randn((), dtype=d),
                    torch.randn(2, 7, dtype=d),
                    torch.randn(2, 1, dtype=d),
                ),
            }
        },
        bad={
            "a_time": Bad(
                lambda: polezero.linear_recurrence(zeros(4), X),
                ValueError,
                "linear_recurrence: a: expected T = 5 or 1 along the last axis, got shape [4]",
            ),
            "zi": Bad(
                lambda: polezero.linear_recurrence(0.5, X, zeros(2)),
                ValueError,
                f"linear_recurrence: {state(1, '[2]')}",
            ),
        },
    ),
]
