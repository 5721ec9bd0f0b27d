"""Lattices, and sections side by side, which are lattices of two stages."""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from cases.sentences import NO_TAPS, ROWS, TIME, state
from cases.sosfilt import of_sections, sections, sosfilt_inputs
from cases.tensors import X, last, moving, zeros
from polezero import lpv, reference

core = torch.ops.polezero


def lattice_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    N: int = 2,
    T: int = 5,
    rows: int = 2,
    lead: tuple[int, ...] = (),
    zi: bool = False,
    taps: bool = False,
    constant: bool = False,
) -> tuple[Tensor, ...]:
    """k of magnitude up to 0.85 with an axis of time, x of some rows and, where they are wanted, zi and taps."""
    times = 1 if constant else T
    k = torch.randn(*lead, times, N, dtype=dtype)
    k = 0.85 * k / (1 + k.abs())
    inputs = [k, torch.randn(rows, T, dtype=dtype)]
    if zi:
        inputs.append(torch.randn(rows, N, dtype=dtype))
    if taps:
        inputs.append(torch.randn(*lead, times, N + 1, dtype=dtype))
    return tuple(inputs)


def moving_sections(
    dtype: torch.dtype = torch.float64, *, K: int = 2, T: int = 5, rows: int = 2, zi: bool = False
) -> tuple[Tensor, ...]:
    """sos [T, K, 6] (a_0 is not 1), each stable by itself, x and, where it is wanted, zi."""
    sos, x = sosfilt_inputs(dtype, K=K, lead=(T,), T=T, lead_x=(rows,))
    return (sos, x, torch.randn(K, rows, 2, dtype=dtype)) if zi else (sos, x)


def constant_lattice_inputs(*args: Any, **sizes: Any) -> tuple[Tensor, ...]:
    """Inputs with the coefficients of the first sample alone."""
    return tuple(t[..., 0, :] if i in (0, 3) else t for i, t in enumerate(lattice_inputs(*args, **sizes)))


def constant_sections(*args: Any, **sizes: Any) -> tuple[Tensor, ...]:
    sos, *signals = moving_sections(*args, **sizes)
    return sos[0], *signals


def lattice(arguments: str | None = None, **sizes: Any) -> Example:
    return Example(inputs=partial(lattice_inputs, **sizes), arguments=arguments)


def reflections(radius: float) -> Tensor:
    """A pair of poles at an angle of 0.3."""
    k = -2 * radius * math.cos(0.3) / (1 + radius**2), radius**2
    return torch.tensor(k, dtype=torch.float64)


TAPS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


def ports(dtype: torch.dtype, count: int, *flags: bool, **sizes: Any) -> tuple[Any, ...]:
    k, _, zi = lattice_inputs(dtype, N=3, T=7, zi=True, **sizes)
    return k, torch.randn(2, count, 7, dtype=dtype), zi, *flags


def backward_arguments(dtype: torch.dtype, count: int, **sizes: Any) -> tuple[Any, ...]:
    k, x, zi = lattice_inputs(dtype, N=3, T=7, zi=True, **sizes)
    return torch.randn(2, count, 7, dtype=dtype), torch.randn_like(zi), k, x.unsqueeze(-2), zi


def in_double(arguments: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """The argument at this place is float64 or complex128."""
    t = arguments[place]
    return *arguments[:place], t.to(torch.promote_types(t.dtype, torch.float64)), *arguments[place + 1 :]


def bad(sentence: str, *arguments: Any, **named: Any) -> Bad:
    return Bad(lambda: lpv.lattice(*arguments, **named), ValueError, f"lpv.lattice: {sentence}")


BAD = {
    "k_time": bad(f"k: {TIME} [4, 2]", zeros(4, 2), X),
    "k_no_time": bad(f"k: {TIME} [2]", zeros(2), X),
    "k_empty": bad(f"k: {NO_TAPS} [5, 0]", zeros(5, 0), X),
    "k_rows": bad(f"{ROWS} k [3, 5, 2], x [2, 5]", zeros(3, 5, 2), X),
    "taps": bad(
        "taps: expected N + 1 = 3 values along the last axis, got shape [5, 2]", zeros(5, 2), X, taps=zeros(5, 2)
    ),
    "taps_time": bad(f"taps: {TIME} [4, 3]", zeros(5, 2), X, taps=zeros(4, 3)),
    "taps_rows": bad(f"{ROWS} k [5, 2], taps [3, 5, 3], x [2, 5]", zeros(5, 2), X, taps=zeros(3, 5, 3)),
    "zi": bad(state(2, "[3]"), zeros(5, 2), X, zeros(3)),
    "core_ports": Bad(
        lambda: core.lattice_forward(zeros(5, 2), zeros(2, 5), None, True),
        ValueError,
        "lattice: u: expected [..., 1 or 3, 5], got shape [2, 5]",
    ),
}


def bad_constant(sentence: str, *arguments: Any, **named: Any) -> Bad:
    return Bad(lambda: polezero.lattice(*arguments, **named), ValueError, f"lattice: {sentence}")


CONSTANT = [
    Case(
        "lattice",
        reference.lattice,
        "k x zi taps",
        saves={"k": "x", "x": "x", "zi": "x"},
        examples={
            "zi_taps": Example(inputs=partial(constant_lattice_inputs, T=3, zi=True, taps=True)),
            "rows": Example(inputs=partial(constant_lattice_inputs, N=3, lead=(2,))),
        },
        sized={
            "order_2": Sized(coefficients=lambda T, radius: (reflections(radius),), state=last(2)),
            "ladder": Sized(
                coefficients=lambda T, radius: (TAPS, reflections(radius)), arguments="taps k x zi", state=last(2)
            ),
        },
        bad={
            "k_rows": bad_constant(f"{ROWS} k [3, 2], x [2, 5]", zeros(3, 2), X),
            "k_empty": bad_constant(f"k: {NO_TAPS} [3, 0]", zeros(3, 0), X),
            "taps": bad_constant(
                "taps: expected N + 1 = 2 values along the last axis, got shape [3, 3]", [0.5], X, None, zeros(3, 3)
            ),
            "zi": bad_constant(state(1, "[2, 1, 2]"), [0.5], X, zeros(2, 1, 2)),
        },
    ),
    Case(
        "parallel",
        reference.parallel,
        "sos x zi",
        examples={"zi": Example(inputs=partial(constant_sections, T=3, zi=True))},
        sized={"sections": Sized(coefficients=lambda T, radius: (sections(radius),), state=of_sections)},
        bad={
            "rows": Bad(
                lambda: polezero.parallel(zeros(3, 1, 6), X),
                ValueError,
                f"parallel: {ROWS} sos [3, 1, 6], x [2, 5]",
            ),
            "shape": Bad(
                lambda: polezero.parallel(zeros(2, 5), X),
                ValueError,
                "parallel: sos: expected [..., sections, 6], got shape [2, 5]",
            ),
            "a0_zero": Bad(
                lambda: polezero.parallel(zeros(1, 6), X),
                ValueError,
                "parallel: sos: expected sos[..., 3] (a_0) != 0, got 0",
            ),
        },
    ),
]

CASES = [
    *CONSTANT,
    Case(
        "lpv.lattice",
        reference.lpv_lattice,
        "k x zi taps",
        saves={"k": "x", "x": "x", "zi": "x"},  # of which it takes the number of ports
        examples={
            "zi_taps": lattice(T=3, zi=True, taps=True),
            "rows": lattice(N=3, lead=(2,)),
            "zi_constant": lattice(zi=True, constant=True),
            "taps": lattice("k x taps", N=1, taps=True),
            "frames": Example(inputs=partial(lattice_inputs, zi=True, taps=True), options={"hop": 2, "offset": 1}),
        },
        sized={
            "order_2": Sized(
                coefficients=lambda T, radius: (moving(reflections(radius), T),), state=last(2), over_time={"k": -2}
            ),
            "ladder": Sized(
                coefficients=lambda T, radius: (
                    moving(torch.tensor([0.5, 0.3, 0.2]), T),
                    moving(reflections(radius), T),
                ),
                arguments="taps k x zi",
                state=last(2),
                over_time={"k": -2, "taps": -2},
            ),
        },
        ops={
            "lpv_lattice": {
                "rest": lambda d: lattice_inputs(d, N=3, T=7),
                "zi_taps": lambda d: lattice_inputs(d, N=3, T=7, zi=True, taps=True),
            },
            "lattice_forward": {
                "one_port": lambda d: ports(d, 1, False, False),
                "all_ports": lambda d: ports(d, 4, True, False),
                "adjoint": lambda d: ports(d, 4, True, True),
                "adjoint_one_port": lambda d: ports(d, 1, False, True),
                "wide_k": lambda d: in_double(ports(d, 4, True, False, constant=True), 0),
            },
            "lattice_backward": {
                "one_port": lambda d: backward_arguments(d, 1),
                "all_ports": lambda d: backward_arguments(d, 4),
                "constant": lambda d: backward_arguments(d, 4, constant=True),
                "wide_k": lambda d: in_double(backward_arguments(d, 4, constant=True), 2),
            },
        },
        bad=BAD,
    ),
    Case(
        "lpv.parallel",
        reference.lpv_parallel,
        "sos x zi",
        examples={
            "zi": Example(inputs=partial(moving_sections, T=3, zi=True)),
            "frames": Example(inputs=partial(moving_sections, T=3), options={"hop": 2, "interpolation": "hold"}),
        },
        sized={
            "sections": Sized(
                coefficients=lambda T, radius: (moving(sections(radius), T),),
                state=of_sections,
                over_time={"sos": -3},
                error=None,
                faults={
                    "test_float32_rounds_what_it_writes[0.99999-": "reflection coefficients that vary are float32: 1e-3"
                },
            ),
            "constant": Sized(coefficients=lambda T, radius: (sections(radius)[None],), state=of_sections),
        },
        ops={"lpv_parallel": {"zi": lambda d: moving_sections(d, K=3, T=7, zi=True)}},
        bad={
            "sos_time": Bad(
                lambda: lpv.parallel(torch.ones(4, 2, 6), X),
                ValueError,
                "lpv.parallel: sos: expected T = 5 or 1 along the last axis but two, got shape [4, 2, 6]",
            ),
            "a0_zero": Bad(
                lambda: lpv.parallel(zeros(5, 1, 6), X),
                ValueError,
                "lpv.parallel: sos: expected sos[..., 3] (a_0) != 0, got 0",
            ),
            "sos_shape": Bad(
                lambda: lpv.parallel(torch.ones(5, 2, 5), X),
                ValueError,
                "lpv.parallel: sos: expected [..., T, sections, 6], got shape [5, 2, 5]",
            ),
        },
    ),
]
