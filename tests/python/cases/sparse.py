"""Comb filters and sparse all-pole filters: delays that are whole or not, constant or moving."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import polezero
from cases.case import Bad, Case, Example, Sized
from cases.sentences import NO_ARRAY
from cases.tensors import last, moving, zeros
from polezero import reference

comb_filter, sparse_allpole = polezero.comb_filter, polezero.sparse_allpole


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


def sparse(delays: list[Any], **sizes: Any) -> Example:
    def inputs(dtype: torch.dtype) -> tuple[Tensor, ...]:
        a, *signals = sparse_inputs(dtype, **sizes)
        return a, torch.tensor(delays), *signals

    return Example(inputs=inputs)


def comb_inputs(
    dtype: torch.dtype = torch.float64,
    *,
    delay: float = 0.0,
    over_time: bool = False,
    moving: bool | None = None,
    T: int = 6,
    zi: int | None = None,
) -> tuple[Tensor, ...]:
    """a, a delay (whole, or up to 1 more than a number), constant or not, x of two rows and, where it is wanted, zi."""
    (a, *signals) = sparse_inputs(dtype, L=1, T=T, zi=zi)
    if over_time:
        a = a + 0.3 * torch.randn(2, T, dtype=dtype)
    if isinstance(delay, int):
        return a, torch.tensor([delay]), *signals
    moving = over_time if moving is None else moving
    return a, delay + torch.rand((2, T) if moving else (1,), dtype=torch.float64), *signals


def comb(interpolation: str | None = None, backward: str | None = None, main: bool = False, **sizes: Any) -> Example:
    options = {"interpolation": interpolation} | ({} if backward is None else {"backward": backward})
    return Example(inputs=partial(comb_inputs, **sizes), options=options, main=main)


def sized(delays: Callable[[int], Tensor], state: int | None = None, sign: int = -1, **options: Any) -> Sized:
    """Feedback of a radius, after delays of a number of samples."""
    return Sized(
        coefficients=lambda T, radius: (torch.tensor([sign * radius], dtype=torch.float64), delays(T)),
        state=None if state is None else last(state),
        options=options,
        over_time={"delay": -1} if delays(9).shape[-1] == 9 else {},
        # the loop and the all-pass filter in it are one recurrence, which feeds back at once
        spreads="from then on" if options.get("interpolation") == "thiran" else "as in the reference",
        splits_rows=options.get("interpolation") == "thiran",
    )


def whole(delay: int) -> Callable[[int], Tensor]:
    """No longer than half the signal, or nothing would be fed back."""
    return lambda T: torch.tensor([min(delay, 1 + T // 2)])


def between(delay: float) -> Callable[[int], Tensor]:
    return lambda T: torch.tensor([min(delay, delay % 1 + 3 + T // 3)], dtype=torch.float64)


def wandering(delay: float) -> Callable[[int], Tensor]:
    """From three samples to the delay, [1, T]."""
    return lambda T: 3 + (delay - 3) * torch.linspace(0, 9, T, dtype=torch.float64).sin().square()[None]


def moving_delays(T: int) -> Tensor:
    """[1, T, 2], from 9 to 59."""
    return 9 + 7 * torch.arange(2 * T).view(1, -1, 2) % 51


# ---- arguments of the ops


def arguments(
    dtype: torch.dtype, *attributes: Any, past: int = 3, moving: bool = False, between: bool = False
) -> tuple[Any, ...]:
    """Taps over time at delays that are constant or not, whole or between samples, two rows."""
    a, x = sparse_inputs(dtype, T=7, L=2, over_time=moving)
    delays = torch.randint(1, 4, (7 if moving else 1, 2))
    if between:
        delays = delays.clamp_max(2).double() + 0.3
    return (a if moving else a.unsqueeze(0)), delays, torch.cat([x[:, :past], x], -1), past, *attributes


def pair(dtype: torch.dtype, moving: bool, *attributes: Any, between: bool = False) -> tuple[Any, ...]:
    _, delays, x, past, *_ = arguments(dtype, moving=moving, between=between)
    return torch.randn_like(x), x, delays, past, *attributes


def spread(delays: Tensor, inputs: tuple[Any, ...], *attributes: Any) -> tuple[Any, ...]:
    """The delays go behind the coefficients."""
    return inputs[0], delays, *inputs[1:], *attributes


def delay() -> Tensor:
    return torch.tensor([2.3], dtype=torch.float64)


# ---- what is refused


def bad(name: str, sentence: str, *arguments: Any, exception: type[Exception] = ValueError, **named: Any) -> Bad:
    return Bad(lambda: getattr(polezero, name)(*arguments, **named), exception, f"{name}: {sentence}")


X = torch.zeros(2, 5)
BAD_DELAYS = {
    "delay_zero": bad("comb_filter", "delay: expected numbers >= 1, got 0", 0.5, 0, X),
    "delay_real": bad(
        "comb_filter", "delay: expected integers without interpolation, got Double", 0.5, 1.5, X, exception=TypeError
    ),
    "delay_bool": bad(
        "comb_filter", "delay: expected integers without interpolation, got Double", 0.5, True, X, exception=TypeError
    ),
    "delay_none": bad("comb_filter", f"delay: {NO_ARRAY} None", 0.5, None, X),
    "delay_huge": bad("comb_filter", f"delay: {NO_ARRAY} {10**30}", 0.5, 10**30, X),
    "delay_ragged": bad("comb_filter", f"delay: {NO_ARRAY} [[1], [2, 3]]", 0.5, [[1], [2, 3]], X),
    "delay_far": bad("comb_filter", "delay: expected numbers below 1e+15, got 1e+16", 0.5, 10**16, X),
    "delay_inf": bad(
        "comb_filter",
        "delay: expected numbers below 1e+15 for 'linear', got inf",
        0.5,
        torch.inf,
        X,
        interpolation="linear",
    ),
    "delay_times": bad(
        "comb_filter",
        "delay: expected T = 5 or 1 along the last axis, got shape [2, 4]",
        0.5,
        zeros(2, 4).long() + 1,
        X,
    ),
}
BAD_COMB = BAD_DELAYS | {
    "a_none": bad("comb_filter", f"a: {NO_ARRAY} None", None, 3, X),
    "zi_empty": bad("comb_filter", "zi: expected at least one sample, got shape [2, 0]", 0.5, 3, X, zeros(2, 0)),
    "zi_short": bad(
        "comb_filter", "zi: expected at least 3 samples for the longest delay, got 2", 0.5, 3, X, zeros(2, 2)
    ),
    "zi_thiran": bad(
        "comb_filter",
        "zi: expected None where interpolation is 'thiran', got a tensor",
        0.5,
        3.2,
        X,
        zeros(2, 5),
        interpolation="thiran",
    ),
    "thiran_moving": bad(
        "comb_filter",
        "interpolation: expected 'linear' or 'lagrange3' for a or a delay that changes with time, got 'thiran'",
        0.5,
        X + 3.2,
        X,
        interpolation="thiran",
    ),
    "interpolation": bad(
        "comb_filter",
        "interpolation: expected 'linear', 'lagrange3' or 'thiran', got 'cubic'",
        0.5,
        3.2,
        X,
        interpolation="cubic",
    ),
    "interpolation_type": bad(
        "comb_filter",
        "interpolation: expected None, 'linear', 'lagrange3' or 'thiran', got 3",
        0.5,
        3.2,
        X,
        interpolation=3,
        exception=TypeError,
    ),
    "two_pass_moving": bad(
        "comb_filter",
        "backward: expected 'one_pass' with interpolation, or for a that changes with time, got 'two_pass'",
        zeros(2, 5),
        3,
        X,
        backward="two_pass",
    ),
}
BAD_FEEDFORWARD = {
    "delay_short": bad(
        "feedforward_comb",
        "delay: expected numbers >= 2 for 'lagrange3', got 1.5",
        0.5,
        [2.5, 1.5],
        X,
        interpolation="lagrange3",
    ),
    "thiran": bad(
        "feedforward_comb",
        "interpolation: expected 'linear' or 'lagrange3', got 'thiran'",
        0.5,
        3.2,
        X,
        interpolation="thiran",
    ),
}
BAD_ALLPASS = {
    "delay_nan": bad(
        "allpass_comb",
        "delay: expected numbers >= 1 for 'linear', got nan",
        0.5,
        torch.nan,
        X,
        interpolation="linear",
    )
}
BAD_SPARSE = {
    "delays_zero": bad("sparse_allpole", "delays: expected numbers >= 1, got 0", [0.5], [0], X),
    "delays_real": bad("sparse_allpole", "delays: expected integers, got Double", [0.5], [1.5], X, exception=TypeError),
    "delays_text": bad("sparse_allpole", f"delays: {NO_ARRAY} ['3']", [0.5], ["3"], X),
    "delays_of_other_taps": bad(
        "sparse_allpole", "delays: expected L = 1 values along the last axis as a, got shape [2]", [0.5], [1, 2], X
    ),
    "zi_short": bad(
        "sparse_allpole", "zi: expected at least 3 samples for the longest delay, got 2", [0.5], [3], X, zeros(2, 2)
    ),
}


CASES = [
    Case(
        "comb_filter",
        reference.comb_filter,
        "a delay x zi",
        own_dtype=("delay",),
        saves={"a": "y", "x": "", "zi": ""},
        examples={
            "linear_zi": comb("linear", delay=1.2, over_time=True, zi=4),
            "zi": comb(delay=2, zi=3, over_time=True, main=True),
            "two_pass_zi": comb(delay=2, zi=2, backward="two_pass"),
            "linear_varying_a": comb("linear", delay=1.2, over_time=True, moving=False),
            "lagrange3_moving": comb("lagrange3", delay=2.05, moving=True, main=True),
            "lagrange3": comb("lagrange3", delay=2.05),
            "thiran": comb("thiran", delay=1.55, main=True),
        },
        sized={
            "whole": sized(whole(100), 100),
            "negative": sized(whole(9), 9, sign=1),
            "two_pass": sized(whole(100), 100, backward="two_pass"),
            "linear": sized(between(100.3), 105, interpolation="linear"),
            "linear_moving": sized(wandering(100), 105, interpolation="linear"),
            "lagrange3": sized(between(40.2), 60, interpolation="lagrange3"),
            "lagrange3_moving": sized(wandering(45.2), 60, interpolation="lagrange3"),
            "thiran": sized(between(40.3), interpolation="thiran"),
        },
        ops={
            "comb_filter": {
                "zi": lambda d: spread(torch.tensor([2]), sparse_inputs(d, L=1, T=7, zi=3)),
                "two_pass": lambda d: spread(torch.tensor([2]), sparse_inputs(d, L=1, T=7), None, None, "two_pass"),
                **{
                    how: lambda d, how=how: spread(delay(), sparse_inputs(d, L=1, T=7), None, how)
                    for how in ("linear", "lagrange3", "thiran")
                },
            },
            "thiran_delay": {"rows": lambda d: (delay(),)},
        },
        bad=BAD_COMB,
    ),
    Case(
        "feedforward_comb",
        reference.feedforward_comb,
        "b delay x zi",
        own_dtype=("delay",),
        examples={
            "lagrange3_zi": comb("lagrange3", delay=2.1, over_time=True, zi=6),
            "zi": comb(delay=2, zi=2, main=True),
        },
        sized={
            "whole": sized(whole(100), 100),
            "lagrange3_moving": sized(wandering(45.2), 60, interpolation="lagrange3"),
        },
        ops={
            "feedforward_comb": {"zi": lambda d: spread(delay(), sparse_inputs(d, L=1, T=7, zi=4), "linear")},
            "sparse_fir": {
                "zi": arguments,
                "transposed": lambda d: arguments(d, True),
                "moving_transposed": lambda d: arguments(d, True, moving=True),
                "derivative": lambda d: arguments(d, False, 1, 1, between=True),
                "derivative_moving": lambda d: arguments(d, True, 1, 1, between=True, moving=True),
            },
        },
        bad=BAD_FEEDFORWARD,
    ),
    Case(
        "allpass_comb",
        reference.allpass_comb,
        "a delay x zi",
        own_dtype=("delay",),
        examples={
            "zi": comb(delay=2, zi=2),
            "lagrange3": comb("lagrange3", delay=2.1, main=True),
            "linear": comb("linear", delay=1.3),
        },
        sized={"whole": sized(whole(100), 100), "lagrange3": sized(between(40.2), 60, interpolation="lagrange3")},
        ops={"allpass_comb": {"zi": lambda d: spread(delay(), sparse_inputs(d, L=1, T=7, zi=5), "lagrange3")}},
        bad=BAD_ALLPASS,
    ),
    Case(
        "sparse_allpole",
        reference.sparse_allpole,
        "a delays x zi",
        own_dtype=("delays",),
        saves={"a": "y", "x": "", "zi": ""},
        examples={
            "moving_delays_zi": sparse([[[1, 3], [2, 2], [4, 1], [1, 1], [3, 2], [4, 4]]], zi=4),
            "zi": sparse([1, 3], zi=3, lead=(2,)),
            "moving_taps": sparse([2, 3], over_time=True, lead=(2,)),
        },
        sized={
            "constant": Sized(
                coefficients=lambda T, radius: (
                    torch.tensor([-0.6, 0.4], dtype=torch.float64) * radius,
                    torch.tensor([37, 53]).clamp(max=1 + T // 2),
                ),
                state=last(53),
            ),
            "moving": Sized(
                coefficients=lambda T, radius: (
                    moving(torch.tensor([-0.6, 0.35], dtype=torch.float64), T)[None],
                    moving_delays(T),
                ),
                state=last(60),
                over_time={"a": -2, "delays": -2},
            ),
        },
        ops={
            "sparse_allpole": {
                "zi": lambda d: spread(torch.tensor([2, 3]), sparse_inputs(d, T=7, zi=4)),
                "moving": lambda d: spread(torch.randint(1, 4, (1, 7, 2)), sparse_inputs(d, T=7, over_time=True)),
            },
            "sparse_allpole_forward": {
                "zi": arguments,
                "transposed": lambda d: arguments(d, True),
                "two_pass": lambda d: (
                    torch.randn(1, 1, dtype=d),
                    torch.ones(1, 1).long(),
                    *arguments(d, False, True)[2:],
                ),
                "moving": lambda d: arguments(d, past=0, moving=True),
                "moving_transposed": lambda d: arguments(d, True, moving=True),
                "between": lambda d: arguments(d, False, False, 1, between=True),
                "between_moving": lambda d: arguments(d, True, False, 1, between=True, moving=True),
            },
            "sparse_product": {
                "between": lambda d: pair(d, False, True, 1, 1, between=True),
                "between_moving_sum": lambda d: pair(d, True, True, 1, between=True),
                "sum": lambda d: pair(d, False, True),
                "moving": lambda d: pair(d, True),
                "moving_sum": lambda d: pair(d, True, True),
            },
        },
        bad=BAD_SPARSE,
    ),
]
