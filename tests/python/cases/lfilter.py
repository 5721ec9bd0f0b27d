"""lfilter and tdf2_ssm, its derivative and its states."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import NO_SIGNAL, Bad, Case, Example, Sized
from cases.sentences import A0, BACKWARD, DTYPES, NO_ARRAY, NO_TAPS, ROWS, too_many_rows
from cases.tensors import X, denominator, last, random_filter, zeros
from polezero import reference

core = torch.ops.polezero


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


def example(options: dict[str, Any] | None = None, **sizes: Any) -> Example:
    return Example(inputs=partial(lfilter_inputs, **sizes), options=options or {})


def sized(*angles: float, numerator: tuple[float, ...] = (0.2, -0.1, 0.3), **others: Any) -> Sized:
    """Poles at these angles, and a state."""
    b = torch.tensor(numerator, dtype=torch.float64)
    order = max(len(b) - 1, 2 * len(angles))
    return Sized(coefficients=lambda T, radius: (b, denominator(radius, *angles)), state=last(order), **others)


TWO_PASS = {"backward": "two_pass"}
ON_CPU = {"cuda": "test_cuda.py has filters of higher orders"}
SPREAD = (0.2, 0.5, 0.9, 1.3, 1.7, 2.1, 2.5, 2.9)


def arguments(dtype: torch.dtype, *options: Any) -> tuple[Any, ...]:
    """Distinct sizes: 2 rows, 7 samples, orders 1 and 3."""
    return (*lfilter_inputs(dtype, M=1, N=3, T=7, lead_a=(2,), lead_zi=(2,)), *options)


def with_axis(dtype: torch.dtype) -> tuple[Any, ...]:
    """As the op takes them."""
    b, a, x, zi = arguments(dtype)
    return b, a, x, -1, zi


def past_inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
    """b, a, and outputs and inputs of the past."""
    return (*lfilter_inputs(dtype, M=3)[:2], torch.randn(2, 4, dtype=dtype), torch.randn(2, 2, dtype=dtype))


def backward_arguments(dtype: torch.dtype) -> tuple[Any, ...]:
    b, a, x, zi = arguments(dtype)
    y, zf = core.lfilter_forward(b, a, x, zi)
    return (torch.randn_like(y), torch.randn_like(zf), b, a, x, y, zi, zf, True, True, True, True)


def of_x_alone(dtype: torch.dtype) -> tuple[Any, ...]:
    b, a, _ = lfilter_inputs(dtype)
    return torch.randn(2, 7, dtype=dtype), None, b, a, *[None] * 4, False, False, True, False


# ---- derivatives with respect to the coefficients, and states


def true_sensitivity(b: Tensor, a: Tensor, x: Tensor, axis: int = -1) -> tuple[Tensor, Tensor]:
    """x / A(z) k samples ago, and -y / A(z) i samples ago: test_sensitivity.py differentiates instead."""
    x = x.movedim(axis, -1)

    def lagged(signal: Tensor, taps: int) -> Tensor:
        through = reference.lfilter([1.0], a, signal)
        return torch.stack([torch.nn.functional.pad(through, (k, 0))[..., : x.shape[-1]] for k in range(taps)], -1)

    return lagged(x, b.shape[-1]), lagged(-reference.lfilter(b, a, x), a.shape[-1])


def padded(b: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """Both of length P + 1, a_0 divided out."""
    taps = max(b.shape[-1], a.shape[-1])
    b, a = b / a[..., :1], a / a[..., :1]
    return tuple(torch.nn.functional.pad(c, (0, taps - c.shape[-1])) for c in (b, a))


def true_lfilter_zi(b: Tensor, a: Tensor) -> Tensor:
    """s_j = sum_{k >= j} (b_k - a_k y), for an input of 1 and an output of y."""
    b, a = padded(b, a)
    y = b.sum(-1, keepdim=True) / a.sum(-1, keepdim=True)
    return (b - a * y)[..., 1:].flip(-1).cumsum(-1).flip(-1)


def true_lfiltic(b: Tensor, a: Tensor, y: Tensor, x: Tensor | None = None) -> Tensor:
    """s_j = sum_{k >= j} (b_k x[j - 1 - k] - a_k y[j - 1 - k])."""
    b, a = padded(b, a)
    P = b.shape[-1] - 1
    states = []
    for j in range(1, P + 1):
        terms = [-a[..., k] * y[..., k - j] for k in range(j, P + 1) if k - j < y.shape[-1]]
        if x is not None:
            terms += [b[..., k] * x[..., k - j] for k in range(j, P + 1) if k - j < x.shape[-1]]
        states.append(sum(terms))
    return torch.stack(torch.broadcast_tensors(*states), -1)


# ---- what is refused

BA = ([1.0, 0.5], [1.0, 0.5, 0.25])  # P = 2


def bad_filters(name: str) -> dict[str, Bad]:
    """What the functions of b, a, x and an axis refuse alike."""
    call = getattr(polezero, name)
    rows = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    axis = f"{name}: axis: expected a number from -2 to 1, got"
    return {
        "a0_zero": Bad(lambda: call([1.0], [0.0, 1.0], X), ValueError, f"{name}: {A0}"),
        "a0_zero_in_a_row": Bad(lambda: call([1.0], rows, X), ValueError, f"{name}: {A0}"),
        "a0_complex_zero": Bad(lambda: call([1.0], [0j, 1j], X), ValueError, f"{name}: {A0}"),
        "b_empty": Bad(lambda: call([], [1.0], X), ValueError, f"{name}: b: {NO_TAPS} [0]"),
        "a_empty": Bad(lambda: call([1.0], [], X), ValueError, f"{name}: a: {NO_TAPS} [0]"),
        "b_rows_empty": Bad(lambda: call(zeros(2, 0), [1.0], X), ValueError, f"{name}: b: {NO_TAPS} [2, 0]"),
        "b_rows": Bad(
            lambda: call(zeros(3, 2), [1.0], X),
            ValueError,
            f"{name}: {ROWS} b [3, 2], a [1], x [2, 5]",
        ),
        "a_rows": Bad(
            lambda: call([1.0], torch.ones(3, 2), X),
            ValueError,
            f"{name}: {ROWS} b [1], a [3, 2], x [2, 5]",
        ),
        "axis_high": Bad(lambda: call(*BA, X, 2), IndexError, f"{axis} 2"),
        "axis_low": Bad(lambda: call(*BA, X, -3), IndexError, f"{axis} -3"),
        "axis_float": Bad(lambda: call(*BA, X, 1.0), TypeError, f"{name}: axis: expected an int, got 1.0"),
        "b_ragged": Bad(
            lambda: call([[1.0], [1.0, 2.0]], [1.0], X), ValueError, f"{name}: b: {NO_ARRAY} [[1.0], [1.0, 2.0]]"
        ),
        "b_stack": Bad(
            lambda: call([zeros(2), zeros(3)], [1.0], X),
            ValueError,
            f"{name}: b: {NO_ARRAY} [tensor([0., 0.]), tensor([0., 0., 0.])]",
        ),
        "a_text": Bad(lambda: call([1.0], "abc", X), ValueError, f"{name}: a: {NO_ARRAY} 'abc'"),
    }


def bad_zi(length: int, axis: int, shape: str) -> str:
    return f"lfilter: zi: expected {length} values (max(len(a), len(b)) - 1) along axis {axis}, got shape {shape}"


lfilter = polezero.lfilter
BAD = {
    "zi_short": Bad(lambda: lfilter(*BA, X, zi=zeros(2, 1)), ValueError, bad_zi(2, -1, "[2, 1]")),
    "zi_along_axis": Bad(lambda: lfilter(*BA, X, 0, zeros(3, 5)), ValueError, bad_zi(2, 0, "[3, 5]")),
    "zi_transposed": Bad(lambda: lfilter(*BA, X, 0, zeros(5, 2)), ValueError, bad_zi(2, 0, "[5, 2]")),
    "zi_of_one_value": Bad(lambda: lfilter(*BA, X, 0, zeros(1, 5)), ValueError, bad_zi(2, 0, "[1, 5]")),
    "zi_of_an_fir_filter": Bad(
        lambda: lfilter([1.0, 2.0], [1.0], X, zi=zeros(2, 2)), ValueError, bad_zi(1, -1, "[2, 2]")
    ),
    "zi_rows": Bad(
        lambda: lfilter(*BA, X, zi=zeros(3, 2)), ValueError, "lfilter: " + too_many_rows("[2, 2]", "[3, 2]")
    ),
    "zi_more_rows_than_x": Bad(
        lambda: lfilter(*BA, X[:1], zi=zeros(3, 2)), ValueError, "lfilter: " + too_many_rows("[1, 2]", "[3, 2]")
    ),
    "zi_more_dimensions_than_x": Bad(
        lambda: lfilter(*BA, X, zi=zeros(4, 2, 2)), ValueError, "lfilter: " + too_many_rows("[2, 2]", "[4, 2, 2]")
    ),
    "backward": Bad(lambda: lfilter(*BA, X, backward="three_pass"), ValueError, f"lfilter: {BACKWARD} 'three_pass'"),
    "backward_none": Bad(lambda: lfilter(*BA, X, backward=None), TypeError, f"lfilter: {BACKWARD} None"),
    "core_dtypes": Bad(
        lambda: core.lfilter_forward(zeros(2), torch.ones(2), X.double(), None),
        TypeError,
        "lfilter: b: expected Double as x or Double, got Float",
    ),
    "core_integers": Bad(
        lambda: core.lfilter_forward(zeros(2), torch.ones(2), X.long(), None),
        TypeError,
        "lfilter: x: expected float32, float64, complex64 or complex128, got Long",
    ),
    "core_a0": Bad(lambda: core.lfilter_forward(zeros(2), zeros(2), X, None), ValueError, f"lfilter: {A0}"),
    "core_zi": Bad(
        lambda: core.lfilter_forward(zeros(2), torch.ones(2), X, zeros(2, 2)),
        ValueError,
        "lfilter: zi: expected max(len(a), len(b)) - 1 = 1 values along the last axis, got shape [2, 2]",
    ),
}


def bad_states(name: str, *past: list[float]) -> dict[str, Bad]:
    """What the functions of b, a and samples of the past refuse alike."""
    call = getattr(polezero, name)
    return {
        "b_empty": Bad(lambda: call([], [1.0], *past), ValueError, f"{name}: b: {NO_TAPS} [0]"),
        "a_empty": Bad(lambda: call([1.0], [], *past), ValueError, f"{name}: a: {NO_TAPS} [0]"),
        "a0_zero": Bad(lambda: call([1.0, 1.0], [0.0, 1.0], *past), ValueError, f"{name}: {A0}"),
        "rows": Bad(
            lambda: call(zeros(3, 2), torch.ones(2, 2), *past),
            ValueError,
            f"{name}: a{ROWS.removeprefix('x')} b [3, 2], a [2, 2]*",
        ),
        "b_float8": Bad(
            lambda: call(zeros(2).to(torch.float8_e4m3fn), [1.0], *past),
            TypeError,
            f"{name}: b: {DTYPES} Float8_e4m3fn",
        ),
    }


BAD_PAST = {
    "y_text": Bad(lambda: polezero.lfiltic([1.0], [1.0, 0.5], "abc"), ValueError, f"lfiltic: y: {NO_ARRAY} 'abc'"),
    "y_sparse": Bad(
        lambda: polezero.lfiltic(*BA, torch.ones(2).to_sparse()),
        ValueError,
        "lfiltic: y: expected a strided tensor, got Sparse",
    ),
    "y_float8": Bad(
        lambda: polezero.lfiltic(*BA, zeros(2).to(torch.float8_e4m3fn)),
        TypeError,
        f"lfiltic: y: {DTYPES} Float8_e4m3fn",
    ),
    "x_elsewhere": Bad(
        lambda: polezero.lfiltic(*(torch.tensor(c) for c in BA), [1.0], zeros(2).to("meta")),
        ValueError,
        "lfiltic: x: expected a tensor on cpu as b, got one on meta",
    ),
    "x_rows": Bad(
        lambda: polezero.lfiltic(*BA, zeros(2, 2), zeros(3, 2)),
        ValueError,
        f"lfiltic: {ROWS} b [2], a [3], y [2, 2], x [3, 2]",
    ),
}

# ---- the cases


def of_states(dtype: torch.dtype) -> list[torch.dtype]:
    """Double precision, whatever the arguments have."""
    return [torch.complex128 if dtype.is_complex else torch.float64]


CASES = [
    Case(
        "lfilter",
        reference.lfilter,
        "b a x zi",
        saves={"b": "x", "a": "y", "x": "", "zi": ""},
        examples={
            "zi": example(M=3, N=1, lead_a=(2,), lead_zi=(2,)),
            "rest": example(),
            "rows": example(M=1, N=3, lead_b=(2,), lead_a=(2,)),
            "zi_broadcast": example(N=1, lead_zi=(1,)),
            "bank": example(M=1, lead_b=(3, 1), lead_a=(2,), lead_x=(1, 1), T=3, lead_zi=(3, 2)),
            "first_axis": example({"axis": 0}, lead_x=(4,), T=2),
            "short": example(M=3, N=4, T=2, lead_zi=(2,)),
            "fir": example(M=3, N=0, lead_zi=(2,)),
            "no_zeros": example(M=0, N=3, lead_zi=(2,)),
            "two_pass": example(TWO_PASS, M=1, N=3, lead_b=(2,)),
            "two_pass_zi": example(TWO_PASS, M=2, N=3, T=4, lead_zi=(2,)),
        },
        sized={
            "order_2": sized(0.3, splits_rows=True, in_blocks=True),
            "order_4": sized(0.3, 1.1, splits_rows=True, in_blocks=True),
            "order_16": sized(*SPREAD, splits_rows=True, in_blocks=True, opt_out=ON_CPU),
            "fir": Sized(
                coefficients=lambda T, radius: (torch.tensor([0.2, -0.1, 0.3]).double(), torch.tensor([2.0]).double()),
                state=last(2),
                splits_rows=True,
                in_blocks=True,
            ),
            "two_pass": sized(0.3, splits_rows=True, in_blocks=True, options=TWO_PASS),
        },
        ops={
            "lfilter": {
                "zi": with_axis,
                "rest": lambda d: lfilter_inputs(d, T=7, lead_x=(3, 2)),
                "first_axis": lambda d: (
                    *lfilter_inputs(d, M=0, T=2, lead_x=(7,)),
                    0,
                    None,
                    "two_pass",
                ),
                "mixed": lambda d: (torch.randn(3), *lfilter_inputs(d, T=7)[1:]),
            },
            "lfilter_forward": {
                "zi": arguments,
                "rest": lambda d: (*lfilter_inputs(d, T=7), None),
                "two_pass": lambda d: arguments(d, True),
            },
            "lfilter_backward": {"all": backward_arguments, "only_x": of_x_alone},
        },
        bad=bad_filters("lfilter") | BAD,
    ),
    Case(
        "tdf2_ssm",
        reference.lfilter,
        "b a x zi",
        saves={"b": "x", "a": "y", "x": "", "zi": ""},
        examples={"zi": example(M=3, lead_zi=(2,))},
        sized={"order_2": sized(0.3, splits_rows=True, in_blocks=True)},
        ops={"tdf2_ssm": {"zi": arguments}},
        bad={"a_empty": Bad(lambda: polezero.tdf2_ssm([1.0], [], X), ValueError, f"tdf2_ssm: a: {NO_TAPS} [0]")},
    ),
    Case(
        "sensitivity",
        true_sensitivity,
        "b a x",
        examples={
            "row": example(M=1, N=2, T=4, lead_x=()),
            "rows": example(M=2, N=1, T=3),
            "first_axis": example({"axis": 0}, M=1, N=1, T=2, lead_x=(3,)),
        },
        sized={"order_2": Sized(coefficients=sized(0.3).coefficients, splits_rows=True)},
        ops={"sensitivity": {"shared": lambda d: lfilter_inputs(d, M=1, N=3, T=7)}},
        bad=bad_filters("sensitivity"),
    ),
    Case(
        "lfilter_zi",
        true_lfilter_zi,
        "b a",
        results=of_states,
        examples={"rows": Example(inputs=lambda d: lfilter_inputs(d, M=3, N=2, lead_a=(2,))[:2])},
        ops={"lfilter_zi": {"rows": lambda d: lfilter_inputs(d, M=1, N=3, lead_a=(2,))[:2]}},
        bad=bad_states("lfilter_zi"),
        signal=None,
        opt_out=NO_SIGNAL,
    ),
    Case(
        "lfiltic",
        true_lfiltic,
        "b a y x",
        results=of_states,
        examples={
            "past_x": Example(inputs=past_inputs),
            "rest": Example(inputs=lambda d: past_inputs(d)[:3]),
        },
        ops={"lfiltic": {"past_x": past_inputs, "rest": lambda d: past_inputs(d)[:3]}},
        bad=bad_states("lfiltic", [1.0]) | BAD_PAST,
        signal=None,
        opt_out=NO_SIGNAL,
    ),
]
