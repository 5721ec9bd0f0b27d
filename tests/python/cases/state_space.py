"""Systems of states, constant or changing with time."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from cases.sentences import ROWS, state, too_many_rows
from cases.tensors import last, moving, zeros
from polezero import lpv, reference

core = torch.ops.polezero
System = tuple[Tensor, ...]


def state_space_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    S: int = 2,
    I: int = 2,  # noqa: E741
    O: int = 1,  # noqa: E741
    T: int = 5,
    rows: int = 2,
    lead: tuple[int, ...] = (),
    over_time: bool = False,
    constant: str = "",
) -> System:
    """A (of norm 0.8), B, C, D, x of some rows, and zi. Matrices named in ``constant`` do not change with time."""

    def matrix(name: str, *shape: int) -> Tensor:
        times = ((1 if name in constant else T),) if over_time else ()
        return torch.randn(*lead, *times, *shape, dtype=dtype) / shape[-1] ** 0.5

    A = matrix("A", S, S)
    if A.numel():
        A = 0.8 * A / torch.linalg.matrix_norm(A, 2).clamp(min=1e-3)[..., None, None]
    x, zi = torch.randn(rows, I, T, dtype=dtype), torch.randn(rows, S, dtype=dtype)
    return A, matrix("B", S, I), matrix("C", O, S), matrix("D", O, I), x, zi


def some(names: str, **sizes: Any) -> Example:
    """Some of the arguments; the matrices that are not among them are None."""

    def inputs(dtype: torch.dtype) -> System:
        values = dict(zip("A B C D x zi".split(), state_space_inputs(dtype, **sizes), strict=True))
        return tuple(values[name] for name in names.split())

    return Example(inputs=inputs, arguments=names, options={m: None for m in "ABCD" if m not in names.split()})


def rotating(T: int, radius: float) -> System:
    A = radius * torch.tensor([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]], dtype=torch.float64)
    return A, torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[1.0, 1.0]]).double()


def rotating_over_time(T: int, radius: float) -> System:
    return tuple(moving(m, T) for m in rotating(T, radius))


def sized(coefficients: Callable[[int, float], System], **others: Any) -> Sized:
    return Sized(
        coefficients=coefficients, arguments="A B C x zi", options={"D": None}, ports=(1,), state=last(2), **others
    )


def states_only(system: System) -> tuple[Any, ...]:
    A, B, _, _, x, zi = system
    return A, B, None, None, x, zi


def over_time(system: System) -> System:
    """Constant matrices, for the op whose matrices have an axis of time."""
    *matrices, x, zi = system
    return (*(m.unsqueeze(-3) for m in matrices), x, zi)


def adjoint(system: System) -> tuple[Any, ...]:
    A, B, C, D, x, zi = system
    return A, B, C, D, torch.randn(2, C.shape[-2], x.shape[-1], dtype=x.dtype), zi, True


def adjoint_states(system: System) -> tuple[Any, ...]:
    A, _, C, _, x, zi, flag = adjoint(system)
    return A, None, C, None, x, zi, flag


def system(function: Callable[..., Any] = polezero.state_space, **arguments: Any) -> Any:
    """A call with two states, one input and one output, some of its arguments replaced."""
    usual = {"A": zeros(2, 2), "B": zeros(2, 1), "C": zeros(1, 2), "D": zeros(1, 1), "x": zeros(1, 5)}
    return function(**usual | arguments)


def bad(sentence: str, exception: type[Exception] = ValueError, **arguments: Any) -> Bad:
    return Bad(lambda: system(**arguments), exception, f"state_space: {sentence}")


SQUARE = "A: expected [..., S, S] with at least one state S, got shape"
SIGNALS = "x: expected [..., I, T] with at least one signal I, got shape"
OUTPUTS = "C: expected [..., O, 2] with at least one output O, got shape"
SQUARES = "lpv.state_space: A: expected [..., 5 or 1, S, S] with at least one state S, got shape"
BAD = {
    "A_not_square": bad(f"{SQUARE} [2, 3]", A=zeros(2, 3)),
    "A_of_one_dimension": bad(f"{SQUARE} [4]", A=zeros(4)),
    "no_states": bad(f"{SQUARE} [0, 0]", A=zeros(0, 0)),
    "B_states": bad("B: expected [..., 2, 1], got shape [3, 1]", B=zeros(3, 1)),
    "B_inputs": bad("B: expected [..., 2, 1], got shape [2, 3]", B=zeros(2, 3)),
    "C_states": bad(f"{OUTPUTS} [1, 3]", C=zeros(1, 3)),
    "D": bad("D: expected [..., 1, 1], got shape [2, 1]", D=zeros(2, 1)),
    "D_without_C": bad("D: expected None without C (the states are returned), got shape [1, 1]", C=None),
    "no_inputs": bad(f"{SIGNALS} [0, 5]", B=zeros(2, 0), x=zeros(0, 5)),
    "no_outputs": bad(f"{OUTPUTS} [0, 2]", C=zeros(0, 2), D=None),
    "x_of_one_dimension": bad(f"{SIGNALS} [5]", x=zeros(5)),
    "rows": bad(f"{ROWS} A [3, 2, 2], B [2, 1], C [1, 2], D [1, 1], x [4, 1, 5]", A=zeros(3, 2, 2), x=zeros(4, 1, 5)),
    "zi": bad(state(2, "[3]"), zi=zeros(3)),
    "zi_rows": bad(too_many_rows("[2]", "[3, 2]"), zi=zeros(3, 2)),
    "core_inputs": Bad(
        lambda: core.state_space_forward(zeros(1, 2, 2), zeros(1, 2, 1), None, None, zeros(3, 5)),
        ValueError,
        "state_space: x: expected 1 channels along the last axis but one, got shape [3, 5]",
    ),
    "core_dtype": Bad(
        lambda: core.state_space_forward(zeros(1, 2, 2).double(), None, None, None, zeros(2, 5)),
        TypeError,
        "state_space: A: expected Float as x, got Double",
    ),
}

CASES = [
    Case(
        "state_space",
        reference.state_space,
        "A B C D x zi",
        saves={"A": "x", "B": "x", "C": "x", "x": "", "zi": ""},
        examples={
            "zi": Example(inputs=partial(state_space_inputs, S=3, lead=(2,))),
            "rest": some("A B C D x"),
            "states": some("A B x zi"),
        },
        sized={"rotation": sized(rotating)},
        ops={
            "state_space": {
                "rest": lambda d: state_space_inputs(d, T=7, S=3)[:-1],
                "zi": lambda d: state_space_inputs(d, T=7, S=3, O=4),
                "states": lambda d: states_only(state_space_inputs(d, T=7, S=3)),
            },
            "state_space_forward": {
                "constant": lambda d: over_time(state_space_inputs(d, T=7, S=3, O=4)),
                "varying": lambda d: state_space_inputs(d, T=7, S=3, O=4, over_time=True),
                "adjoint": lambda d: adjoint(state_space_inputs(d, T=7, S=3, I=2, O=4, over_time=True)),
                "states": lambda d: states_only(over_time(state_space_inputs(d, T=7, S=3))),
                "adjoint_states": lambda d: adjoint_states(over_time(state_space_inputs(d, T=7, S=3, O=4))),
            },
        },
        bad=BAD,
    ),
    Case(
        "lpv.state_space",
        reference.lpv_state_space,
        "A B C D x zi",
        saves={"A": "x", "B": "x", "C": "x", "x": "", "zi": ""},
        examples={
            "zi": Example(inputs=partial(state_space_inputs, over_time=True, T=3, O=2, constant="C")),
            "frames": Example(
                inputs=partial(state_space_inputs, over_time=True, T=3, constant="C"), options={"hop": 2, "offset": 1}
            ),
        },
        sized={"rotation": sized(rotating_over_time, over_time={"A": -3, "B": -3, "C": -3})},
        ops={"lpv_state_space": {"zi": lambda d: state_space_inputs(d, T=7, S=3, O=4, over_time=True)}},
        bad={
            "A_time": Bad(lambda: system(lpv.state_space, A=zeros(4, 2, 2)), ValueError, f"{SQUARES} [4, 2, 2]"),
            "A_no_time": Bad(lambda: system(lpv.state_space), ValueError, f"{SQUARES} [2, 2]"),
        },
    ),
]
