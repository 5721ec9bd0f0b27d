"""zi=0: rest, for every function that takes a state."""

from typing import Any

import pytest
import torch
from cases.tensors import random_filter
from public import FUNCTIONS, small_calls, takes_zi
from support import assert_close
from torch import Tensor

import polezero


@pytest.mark.parametrize("zero", [0, 0.0], ids=["int", "float"])
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if takes_zi(n)])
def test_a_state_of_0_is_rest(name: str, zero: float) -> None:
    function, arguments = FUNCTIONS[name], small_calls()[name]

    y, zf = function(**arguments, zi=zero)

    assert_close(y, function(**arguments), tolerance=0.0)
    assert_close((y, zf), function(**arguments, zi=torch.zeros_like(zf)), tolerance=0.0)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_rest_lies_along_the_axis(axis: int) -> None:
    (b, a), x = random_filter(1, 3), torch.randn(4, 5, 6, dtype=torch.float64)
    sos, rows = torch.cat([*random_filter(2, 2, lead=(2,))], -1), list(x.shape)
    rows[axis] = 3

    y, zf = polezero.lfilter(b, a, x, axis, 0)
    assert_close((y, zf), polezero.lfilter(b, a, x, axis, torch.zeros(rows).double()), tolerance=0.0)
    rows[axis] = 2
    y, zf = polezero.sosfilt(sos, x, axis, 0)
    assert_close((y, zf), polezero.sosfilt(sos, x, axis, torch.zeros(2, *rows).double()), tolerance=0.0)


@pytest.mark.parametrize("form", ["df1", "df2", "tdf1", "tdf2"])
def test_rest_of_each_form(form: str) -> None:
    b, a, x = (t for _, t in small_calls()["lpv.lfilter"].items())
    y, zf = polezero.lpv.lfilter(b[:, :2], a, x, 0, form)
    assert zf.shape[-1] == (3 if form in ("df1", "tdf1") else 2)
    assert_close((y, zf), polezero.lpv.lfilter(b[:, :2], a, x, torch.zeros_like(zf), form), tolerance=0.0)


@pytest.mark.parametrize(
    ("delay", "interpolation", "length"),
    [
        (3, None, 3),
        (torch.tensor([1, 4]), None, 4),
        (torch.arange(1, 7)[None], None, 6),
        (2.5, "linear", 3),
        (torch.tensor(2.5), "lagrange3", 4),
        (3.0, "linear", 4),
    ],
)
def test_rest_is_as_long_as_the_delays_want_it(delay: Any, interpolation: str | None, length: int) -> None:
    x = torch.randn(2, 6, dtype=torch.float64)
    for function in (polezero.comb_filter, polezero.feedforward_comb, polezero.allpass_comb):
        y, zf = function(0.5, delay, x, 0, interpolation=interpolation)
        assert zf.shape == (2, length)
        zeros = torch.zeros(length).double()
        assert_close((y, zf), function(0.5, delay, x, zeros, interpolation=interpolation), tolerance=0.0)


def test_rest_under_transforms() -> None:
    b, a, x = small_calls()["lfilter"].values()
    expected = polezero.lfilter(b, a, x, zi=0)

    def at_rest(x: Tensor) -> Any:
        return polezero.lfilter(b, a, x, zi=0)

    assert_close(torch.vmap(at_rest)(x), expected)
    assert_close(torch.compile(at_rest, fullgraph=True, dynamic=True, backend="eager")(x), expected)
    comb = torch.compile(lambda x: polezero.comb_filter(0.5, 2, x, 0), fullgraph=True, backend="eager")
    assert_close(comb(x), polezero.comb_filter(0.5, 2, x, 0))


def test_other_numbers_are_states_of_one_value() -> None:
    x = torch.zeros(3)
    assert_close(polezero.linear_recurrence(0.5, x, 8.0)[0], torch.tensor([4.0, 2.0, 1.0]))
    for zi in (1.0, False):
        with pytest.raises(ValueError, match="zi: expected 2 values"):
            polezero.allpole([0.5, 0.25], x, zi)
