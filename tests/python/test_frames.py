"""hop= of every function of polezero.lpv: chunks, bad input. Values and derivatives are the shared list's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from cases.allpole import lpv_inputs
from cases.lattice import lattice_inputs, moving_sections
from cases.state_space import state_space_inputs
from support import assert_close
from torch import Tensor

from polezero import lpv

T, HOP = 40, 7
INPUTS: dict[str, tuple[Callable[..., Any], Callable[..., tuple[Tensor, ...]]]] = {
    "allpole": (lpv.allpole, partial(lpv_inputs, M=-1)),
    "fir": (lpv.fir, partial(lpv_inputs, N=-1)),
    "lattice": (lpv.lattice, lattice_inputs),
    "df1": (partial(lpv.lfilter, form="df1"), lpv_inputs),
    "df2": (partial(lpv.lfilter, form="df2"), lpv_inputs),
    "tdf1": (partial(lpv.lfilter, form="tdf1"), lpv_inputs),
    "section": (lpv.lfilter, lpv_inputs),
    "first_order": (lpv.tdf2_ssm, partial(lpv_inputs, M=0, N=1)),
    "order_3": (lpv.tdf2_ssm, partial(lpv_inputs, M=3)),
    "parallel": (lpv.parallel, moving_sections),
    "sosfilt": (lpv.sosfilt, moving_sections),
    "state_space": (lpv.state_space, lambda: state_space_inputs(over_time=True, T=5)[:-1]),
}
functions = pytest.mark.parametrize("name", INPUTS)


def made(name: str) -> tuple[Callable[..., Any], list[Tensor], Tensor, int]:
    """A function, coefficients of five frames that T samples with an offset of 1 lie between, x, and their own axis."""
    function, inputs = INPUTS[name]
    *coefficients, x = inputs()
    own = -3 if name in ("parallel", "sosfilt", "state_space") else -2
    frames = [torch.cat([c, c[..., :1, :] if own == -2 else c[..., :1, :, :]], own) for c in coefficients]
    return function, frames, torch.randn(*x.shape[:-1], T, dtype=x.dtype), own


@functions
@pytest.mark.parametrize("interpolation", ["linear", "hold"])
def test_chunks_are_the_whole(name: str, interpolation: Any) -> None:
    function, frames, x, own = made(name)
    if name in ("parallel", "sosfilt"):  # a_0 of one sign
        frames = [torch.cat([c[..., :3], c[..., 3:4].abs(), 0.2 * c[..., 4:]], -1) for c in frames]
    whole, zf = function(*frames, x, 0, hop=HOP, interpolation=interpolation, offset=1)
    parts, state, begin = [], 0, 0
    for length in (1, 0, 12, 20, 7):
        first, offset = divmod(begin + 1, HOP)
        part = x[..., begin : begin + length]
        here = [c.narrow(own, first, c.shape[own] - first) for c in frames]
        y, state = function(*here, part, state, hop=HOP, interpolation=interpolation, offset=offset)
        parts.append(y)
        begin += length

    assert begin == T
    assert_close(torch.cat(parts, -1), whole)
    assert_close(state, zf)


@functions
def test_a_hop_of_one_is_no_hop(name: str) -> None:
    function, inputs = INPUTS[name]
    *coefficients, x = inputs()

    assert_close(function(*coefficients, x, hop=1), function(*coefficients, x))


@functions
def test_bad_frames_are_refused_in_a_sentence(name: str) -> None:
    function, frames, x, own = made(name)
    op = {"df1": "lfilter", "df2": "lfilter", "tdf1": "lfilter", "section": "lfilter"}.get(name, name)
    op = "lpv." + {"first_order": "tdf2_ssm", "order_3": "tdf2_ssm"}.get(op, op)
    few = [c.narrow(own, 0, 2) for c in frames]
    where = "two" if own == -3 else "one"
    for coefficients, options, error, sentence in (
        (frames, {"hop": 0}, ValueError, f"{op}: hop: expected at least 1, got 0"),
        (frames, {"hop": 2.0}, TypeError, f"{op}: hop: expected an int, got 2.0"),
        (frames, {"hop": 7, "offset": 7}, ValueError, f"{op}: offset: expected 0 .. 6, got 7"),
        (frames, {"offset": 1}, ValueError, f"{op}: offset: expected 0 of coefficients of every sample, got 1"),
        (frames, {"hop": 7, "interpolation": "cubic"}, ValueError, f"{op}: interpolation: expected 'hold' or 'linear'"),
        (few, {"hop": 7}, ValueError, f"expected at least 6 frames of 7 samples along the last axis but {where}, got"),
    ):
        with pytest.raises(error) as caught:
            function(*coefficients, x, **options)
        assert sentence in str(caught.value)
        assert str(caught.value).startswith(op)
