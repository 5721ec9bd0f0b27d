"""Second-order sections one after another, constant or changing with time."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from cases.sentences import ROWS, too_many_rows
from cases.tensors import X, denominator, moving, random_filter, zeros
from polezero import lpv, reference

core = torch.ops.polezero
sosfilt = polezero.sosfilt


def sosfilt_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    K: int = 2,
    lead: tuple[int, ...] = (),
    lead_x: tuple[int, ...] = (2,),
    T: int = 5,
    lead_zi: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """sos [..., K, 6] (a_0 is not 1; lead may end in an axis of time), x and, where its rows are given, zi."""
    b, _ = random_filter(2, 2, dtype, (*lead, K))
    _, a = random_filter(2, 2, dtype, (*lead, K), a0=1.5 - 0.5j if dtype.is_complex else -1.5)
    inputs = torch.cat([b, a], -1), torch.randn(*lead_x, T, dtype=dtype)
    return inputs if lead_zi is None else (*inputs, torch.randn(K, *lead_zi, 2, dtype=dtype))


def sections(radius: float) -> Tensor:
    """Three sections, [3, 6]; the zeros are at 1 and -1."""
    zeros_ = torch.tensor([0.1, 0, -0.1], dtype=torch.float64)
    return torch.stack([torch.cat([zeros_, denominator(radius, angle)]) for angle in (0.3, 1.1, 2.0)])


def of_sections(rows: int) -> tuple[int, ...]:
    """The shape of their state."""
    return 3, rows, 2


def example(**sizes: Any) -> Example:
    return Example(inputs=partial(sosfilt_inputs, **sizes))


def with_axis(axis: int, sos: Tensor, x: Tensor, zi: Tensor) -> tuple[Any, ...]:
    """As the op takes them."""
    return sos, x, axis, zi


def monic(sos: Tensor) -> Tensor:
    return sos / sos[..., 3:4]


def core_arguments(dtype: torch.dtype, **sizes: Any) -> tuple[Tensor, ...]:
    sos, x, zi = sosfilt_inputs(dtype, lead_zi=(2,), **sizes)
    return sos, x, zi.movedim(0, -2)


def backward_arguments(sos: Tensor, x: Tensor, zi: Tensor) -> tuple[Any, ...]:
    return torch.randn_like(x), torch.randn_like(zi), sos, x, zi, True, True, True


def lpv_backward_arguments(sos: Tensor, x: Tensor, zi: Tensor) -> tuple[Any, ...]:
    return torch.randn_like(x), torch.randn_like(zi), sos, x, torch.randn_like(x), zi, True, True, True


def state(shape: str) -> str:
    return f"sosfilt: zi: expected 2 sections along axis 0 and 2 values along that of time, got shape {shape}"


SHAPE = "sos: expected [..., sections, 6], got shape"
TWO = torch.ones(2, 6)
BAD = {
    "a0_zero": Bad(
        lambda: sosfilt([[1.0, 0, 0, 0, 0, 0]], X), ValueError, "sosfilt: sos: expected sos[..., 3] (a_0) != 0, got 0"
    ),
    "sos_shape": Bad(lambda: sosfilt(zeros(2, 5), X), ValueError, f"sosfilt: {SHAPE} [2, 5]"),
    "sos_of_one_dimension": Bad(lambda: sosfilt(zeros(6), X), ValueError, f"sosfilt: {SHAPE} [6]"),
    "no_sections": Bad(lambda: sosfilt(zeros(0, 6), X), ValueError, f"sosfilt: {SHAPE} [0, 6]"),
    "rows": Bad(lambda: sosfilt(zeros(3, 1, 6), X), ValueError, f"sosfilt: {ROWS} sos [3, 1, 6], x [2, 5]"),
    "zi_sections": Bad(lambda: sosfilt(TWO, X, zi=zeros(1, 2, 2)), ValueError, state("[1, 2, 2]")),
    "zi_values": Bad(lambda: sosfilt(TWO, X, zi=zeros(2, 2, 3)), ValueError, state("[2, 2, 3]")),
    "zi_rows": Bad(
        lambda: sosfilt(TWO, X, zi=zeros(2, 3, 2)), ValueError, f"sosfilt: {too_many_rows('[2, 2]', '[3, 2]')}"
    ),
    "axis": Bad(lambda: sosfilt(TWO, X, 2), IndexError, "sosfilt: axis: expected a number from -2 to 1, got 2"),
    "axis_float": Bad(lambda: sosfilt(TWO, X, 0.5), TypeError, "sosfilt: axis: expected an int, got 0.5"),
}

CASES = [
    Case(
        "sosfilt",
        reference.sosfilt,
        "sos x zi",
        saves={"sos": "x", "x": "", "zi": ""},
        examples={
            "zi": example(K=3, T=4, lead_zi=(2,)),
            "rest": example(),
            "rows_side_by_side": example(lead=(9,), lead_x=(9,), T=2, lead_zi=(9,)),
            "first_axis": Example(
                inputs=lambda d: (sosfilt_inputs(d)[0], torch.randn(3, 2, dtype=d), torch.randn(2, 2, 2, dtype=d)),
                options={"axis": 0},
            ),
        },
        sized={
            "sections": Sized(
                coefficients=lambda T, radius: (sections(radius),),
                state=of_sections,
                splits_rows=True,
                error=None,
            )
        },
        ops={
            "sosfilt": {
                "rest": sosfilt_inputs,
                "zi": lambda d: with_axis(-1, *sosfilt_inputs(d, lead=(9,), lead_x=(9,), lead_zi=(9,))),
                "first_axis": lambda d: with_axis(
                    0, sosfilt_inputs(d)[0], torch.randn(7, 2, dtype=d), torch.randn(2, 2, 2, dtype=d)
                ),
            },
            "sosfilt_forward": {"rest": sosfilt_inputs, "zi": core_arguments},
            "sosfilt_backward": {
                "all": lambda d: backward_arguments(*core_arguments(d)),
                "only_x": lambda d: (
                    torch.randn(2, 7, dtype=d),
                    None,
                    sosfilt_inputs(d)[0],
                    None,
                    None,
                    False,
                    True,
                    False,
                ),
            },
        },
        bad=BAD,
    ),
    Case(
        "lpv.sosfilt",
        reference.lpv_sosfilt,
        "sos x zi",
        saves={"sos": "x y", "x": "", "zi": ""},
        examples={
            "zi": example(lead=(5,), lead_zi=(2,)),
            "frames": Example(
                inputs=partial(sosfilt_inputs, lead=(4,), lead_zi=(2,)), options={"hop": 2, "offset": 1}, main=True
            ),
            "held_frames": Example(
                inputs=partial(sosfilt_inputs, lead=(2, 3), lead_zi=(2,)), options={"hop": 2, "interpolation": "hold"}
            ),
            "long_frames": Example(
                inputs=lambda d: (monic(sosfilt_inputs(d, lead=(2,))[0]), torch.randn(2, 6, dtype=d)),
                options={"hop": 40, "offset": 35},
            ),
            "rows_side_by_side": example(lead=(5,), lead_x=(9,), lead_zi=(9,)),
            "rows_of_their_own": example(lead=(9, 2), lead_x=(9,), T=2, lead_zi=(9,)),
            "no_a0_of_1": example(lead=(2, 1, 3), lead_x=(3,), T=3),
        },
        sized={
            "sections": Sized(
                coefficients=lambda T, radius: (moving(sections(radius), T),),
                state=of_sections,
                over_time={"sos": -3},
                error=None,
            ),
            "frames": Sized(
                coefficients=lambda T, radius: (moving(sections(radius), -(-T // 50) + 1),),
                state=of_sections,
                error=None,
                options={"hop": 50},
                opt_out={
                    "semantics": "chunks need an offset: test_sosfilt.py",
                    "compile": "how many frames T samples need is a size of its own: test_sosfilt.py",
                },
            ),
        },
        ops={
            "lpv_sosfilt": {
                "zi": lambda d: sosfilt_inputs(d, lead=(5,), lead_zi=(2,)),
                "frames": lambda d: (*sosfilt_inputs(d, lead=(3,), lead_zi=(2,)), 2, "hold", 1),
            },
            "lpv_sosfilt_forward": {
                "rest": partial(sosfilt_inputs, lead=(5,)),
                "frames": lambda d: (*core_arguments(d, lead=(3,)), 3, 1, True),
            },
            "lpv_sosfilt_backward": {
                "all": lambda d: lpv_backward_arguments(*core_arguments(d, lead=(5,))),
                "shared": lambda d: (*lpv_backward_arguments(*core_arguments(d, lead=(5,))), 1),
                "frames": lambda d: (*lpv_backward_arguments(*core_arguments(d, lead=(3,))), 1, 2, 1, True),
                "only_x": lambda d: (
                    *(torch.randn(2, 7, dtype=d), None, sosfilt_inputs(d, lead=(7,))[0], None, None, None),
                    *(False, True, False),
                ),
            },
        },
        bad={
            "sos_time": Bad(
                lambda: lpv.sosfilt(torch.ones(4, 2, 6), X),
                ValueError,
                "lpv.sosfilt: sos: expected T = 5 or 1 along the last axis but two, got shape [4, 2, 6]",
            ),
            "a0_zero": Bad(
                lambda: lpv.sosfilt(zeros(5, 1, 6), X),
                ValueError,
                "lpv.sosfilt: sos: expected sos[..., 3] (a_0) != 0, got 0",
            ),
            "hop": Bad(
                lambda: lpv.sosfilt(torch.ones(4, 2, 6), X, hop=0),
                ValueError,
                "lpv.sosfilt: hop: expected at least 1, got 0",
            ),
            "hop_float": Bad(
                lambda: lpv.sosfilt(torch.ones(4, 2, 6), X, hop=2.0),
                TypeError,
                "lpv.sosfilt: hop: expected an int, got 2.0",
            ),
            "frames": Bad(
                lambda: lpv.sosfilt(torch.ones(2, 2, 6), X, hop=2),
                ValueError,
                "lpv.sosfilt: sos: expected at least 3 frames of 2 samples along the last axis but two, got shape "
                "[2, 2, 6]",
            ),
            "offset": Bad(
                lambda: lpv.sosfilt(torch.ones(4, 2, 6), X, hop=2, offset=2),
                ValueError,
                "lpv.sosfilt: offset: expected 0 .. 1, got 2",
            ),
            "offset_without_frames": Bad(
                lambda: lpv.sosfilt(torch.ones(5, 2, 6), X, offset=2),
                ValueError,
                "lpv.sosfilt: offset: expected 0 of coefficients of every sample, got 2",
            ),
            "interpolation": Bad(
                lambda: lpv.sosfilt(torch.ones(5, 2, 6), X, hop=1, interpolation="cubic"),
                ValueError,
                "lpv.sosfilt: interpolation: expected 'hold' or 'linear', got 'cubic'",
            ),
            "interpolation_number": Bad(
                lambda: lpv.sosfilt(torch.ones(5, 2, 6), X, interpolation=1),
                TypeError,
                "lpv.sosfilt: interpolation: expected 'hold' or 'linear', got 1",
            ),
            "sos_shape": Bad(
                lambda: lpv.sosfilt(TWO, X),
                ValueError,
                "lpv.sosfilt: sos: expected [..., T, sections, 6], got shape [2, 6]",
            ),
        },
    ),
]
