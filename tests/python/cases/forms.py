"""The direct forms with coefficients that change with time, and what they are made of."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from cases.allpole import lpv_inputs
from cases.case import Bad, Case, Example, Sized
from cases.sentences import A0, NO_TAPS, TIME, state
from cases.tensors import X, denominator, last, moving, zeros
from polezero import lpv, reference

core = torch.ops.polezero
B = torch.tensor([0.2, -0.1, 0.3], dtype=torch.float64)
STATES = {"df1": 4, "df2": 2, "tdf1": 4, "tdf2": 2}  # of second order


def example(form: str | None = None, **sizes: Any) -> Example:
    main = "zi" in sizes and "constant" not in sizes  # each form
    return Example(inputs=partial(lpv_inputs, **sizes), options={} if form is None else {"form": form}, main=main)


def sized(form: str, options: bool = True, **others: Any) -> Sized:
    def coefficients(T: int, radius: float) -> tuple[Tensor, ...]:
        return moving(B, T), moving(denominator(radius, 0.3), T)

    return Sized(
        coefficients=coefficients,
        state=last(STATES[form]),
        over_time={"b": -2, "a": -2},
        options={"form": form} if options else {},
        **others,
    )


def with_a0(T: int, radius: float) -> tuple[Tensor, Tensor]:
    """Constant coefficients, a_0 is not 1."""
    return 1.5 * B[None], 1.5 * denominator(radius, 0.3)[None]


def signals(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return torch.randn(2, 7, dtype=dtype), torch.randn(2, 7, dtype=dtype)


def of_section(dtype: torch.dtype, **sizes: Any) -> tuple[Tensor, ...]:
    """As the core op takes them: three taps each, over as much time."""
    return lpv_inputs(dtype, T=7, zi=2, **sizes)


def section_backward(b: Tensor, a: Tensor, x: Tensor, zi: Tensor) -> tuple[Any, ...]:
    return torch.randn_like(x), torch.randn_like(zi), b, a, x, torch.randn_like(x), True, True, True


FRAMES = {"hop": 2, "offset": 1}  # three for five samples
FORMS = "form: expected 'df1', 'df2', 'tdf1' or 'tdf2', got"
TAPS = "taps: expected a number >= 0, got"
BAD_FIR = {
    "b_time": Bad(lambda: lpv.fir(zeros(6, 2), X), ValueError, f"lpv.fir: b: {TIME} [6, 2]"),
    "b_empty": Bad(lambda: lpv.fir(zeros(5, 0), X), ValueError, f"lpv.fir: b: {NO_TAPS} [5, 0]"),
    "core_b_empty": Bad(lambda: core.fir(zeros(1, 0), X), ValueError, f"fir: b: {NO_TAPS} [1, 0]"),
    "core_b_time": Bad(lambda: core.fir(zeros(3, 2), X), ValueError, f"fir: b: {TIME} [3, 2]"),
    "core_b_no_time": Bad(lambda: core.fir(zeros(2), X), ValueError, f"fir: b: {TIME} [2]"),
    "core_dtype": Bad(lambda: core.fir(zeros(5, 2).double(), X), TypeError, "fir: b: expected Float as x, got Double"),
    "core_product_shift": Bad(
        lambda: core.lag_product(X, X, 2, -1, True), ValueError, "lag_product: shift: expected 0 or 1, got -1"
    ),
    "core_product_taps": Bad(lambda: core.lag_product(X, X, -1), ValueError, f"lag_product: {TAPS} -1"),
    "core_correlation_taps": Bad(lambda: core.lag_correlation(X, X, -1), ValueError, f"lag_correlation: {TAPS} -1"),
    "core_correlation_lengths": Bad(
        lambda: core.lag_correlation(X, X[:, 1:], 2),
        ValueError,
        "lag_correlation: x: expected T = 5 values along the last axis, got shape [2, 4]",
    ),
}
BAD_LFILTER = {
    "b_time": Bad(lambda: lpv.lfilter(zeros(4, 2), zeros(5, 2), X), ValueError, f"lpv.lfilter: b: {TIME} [4, 2]"),
    "a0_zero": Bad(lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X), ValueError, f"lpv.lfilter: {A0}"),
    "rows": Bad(
        lambda: lpv.lfilter(zeros(2, 5, 2), torch.ones(3, 5, 2), X),
        ValueError,
        "lpv.lfilter: a: expected leading dimensions that broadcast, got b [2, 5, 2], a [3, 5, 2]",
    ),
    "form": Bad(
        lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X, form="df3"), ValueError, f"lpv.lfilter: {FORMS} 'df3'"
    ),
    "form_type": Bad(lambda: lpv.lfilter(zeros(5, 2), zeros(5, 2), X, form=2), TypeError, f"lpv.lfilter: {FORMS} 2"),
    "zi_of_df1": Bad(
        lambda: lpv.lfilter(zeros(5, 2), torch.ones(5, 3), X, zeros(2), "df1"),
        ValueError,
        f"lpv.lfilter: {state(3, '[2]')}",
    ),
}

CASES = [
    Case(
        "lpv.fir",
        reference.lpv_fir,
        "b x zi",
        saves={"b": "x", "x": "", "zi": ""},
        examples={
            "zi": example(N=-1, T=3, zi=2),
            "rows": example(N=-1, lead=(2,)),
            "frames": Example(inputs=partial(lpv_inputs, N=-1), options=FRAMES),
        },
        sized={"order_2": Sized(coefficients=lambda T, radius: (moving(B, T),), state=last(2), over_time={"b": -2})},
        ops={
            "lpv_fir": {"rest": lambda d: lpv_inputs(d, N=-1), "zi": lambda d: lpv_inputs(d, N=-1, zi=2)},
            "fir": {
                "forward": lambda d: (torch.randn(1, 3, dtype=d), torch.randn(2, 7, dtype=d)),
                "reverse": lambda d: (torch.randn(2, 1, 3, dtype=d), torch.randn(2, 7, dtype=d), 0, True),
                "varying": lambda d: (torch.randn(7, 3, dtype=d), torch.randn(2, 7, dtype=d), -1),
            },
            "lag_product": {"rows": lambda d: (*signals(d), 3, 1, True)},
            "lag_correlation": {"rows": lambda d: (*signals(d), 3)},
        },
        bad=BAD_FIR,
    ),
    Case(
        "lpv.lfilter",
        reference.lpv_lfilter,
        "b a x zi",
        examples={
            "tdf2_zi": example("tdf2", M=1, zi=2, lead=(2,)),
            "df1_zi": example("df1", M=1, zi=3),
            "df2_zi": example("df2", M=3, T=4, zi=3, lead=(2,)),
            "tdf1_zi": example("tdf1", N=1, zi=3),
            "tdf2": example("tdf2"),
            "tdf2_short": example("tdf2", M=3, T=2, zi=3, constant="a"),
            "section": example("tdf2", zi=2, lead=(2,)),
            "section_of_rows": Example(
                inputs=lambda d: (*lpv_inputs(d)[:2], torch.randn(5, 5, dtype=d)), options={"form": "tdf2"}, main=True
            ),
            "section_constant_b": example("tdf2", zi=2, constant="b"),
            "section_frames": Example(inputs=partial(lpv_inputs, zi=2, lead=(2,)), options=FRAMES),
            "frames": Example(inputs=partial(lpv_inputs, M=3, zi=3), options={**FRAMES, "interpolation": "hold"}),
        },
        sized={
            **{form: sized(form) for form in STATES},
            "a0": Sized(coefficients=with_a0, state=last(2), splits_rows=True),
        },
        ops={
            "lpv_lfilter": {
                form: lambda d, form=form, states=states: (*lpv_inputs(d, M=1, zi=states), form)
                for form, states in [("df1", 3), ("df2", 2), ("tdf1", 3), ("tdf2", 2)]
            },
            "lpv_lfilter_forward": {
                "rest": lambda d: of_section(d)[:3],
                "frames": lambda d: (*of_section(d), 3, 1, True),
            },
            "lpv_lfilter_backward": {
                "all": lambda d: section_backward(*of_section(d, lead=(2,))),
                "shared": lambda d: (*section_backward(*of_section(d)), 1),
                "frames": lambda d: (*section_backward(*of_section(d)), 0, 3, 1, True),
                "only_x": lambda d: (
                    *(torch.randn(2, 7, dtype=d), None, *of_section(d)[:2], None, None),
                    *(False, True, False),
                ),
            },
            "monic": {
                "rows": lambda d: lpv_inputs(d, T=7, lead=(2,))[:2],
                "constant_a": lambda d: lpv_inputs(d, T=7, constant="a")[:2],
                "rows_of_b": lambda d: (lpv_inputs(d, T=7, lead=(2,))[0], lpv_inputs(d, T=7)[1]),
            },
        },
        bad=BAD_LFILTER,
    ),
    Case(
        "lpv.tdf2_ssm",
        reference.lpv_lfilter,
        "b a x zi",
        examples={"zi": example(M=3, T=4, zi=3)},
        sized={"order_2": sized("tdf2", options=False)},
        ops={"lpv_tdf2_ssm": {"rest": lambda d: lpv_inputs(d, M=3), "zi": lambda d: lpv_inputs(d, M=3, zi=3)}},
        bad={
            "a_time": Bad(
                lambda: lpv.tdf2_ssm(zeros(5, 2), zeros(3, 2), X), ValueError, f"lpv.tdf2_ssm: a: {TIME} [3, 2]"
            ),
            "a0_zero": Bad(lambda: lpv.tdf2_ssm(zeros(5, 2), zeros(5, 2), X), ValueError, f"lpv.tdf2_ssm: {A0}"),
        },
    ),
]
