"""Comb filters and sparse all-pole filters against plain loops, dense filters and each other."""

from typing import Any

import numpy as np
import pytest
import torch
from cases.sparse import sparse_inputs
from support import DTYPES, assert_close, ids, wide
from torch import Tensor

import polezero
from polezero import reference

COMBS = ("comb_filter", "feedforward_comb", "allpass_comb")


def moving(delays: tuple[int, int], T: int, *rows: int) -> Tensor:
    return torch.randint(*delays, (*rows, T, 2))


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("past", [None, 40], ids=["rest", "zi"])
@pytest.mark.parametrize("T", [0, 1, 7, 90])
@pytest.mark.parametrize(
    ("taps", "delays"),
    [("constant", (1, 4)), ("constant", (17, 40)), ("moving", (1, 4)), ("moving", (17, 40)), ("row", (9, 20))],
    ids=str,
)
def test_sparse_allpole_matches_its_loop(
    taps: str, delays: tuple[int, int], T: int, past: int | None, dtype: torch.dtype
) -> None:
    lead = (2,) if taps == "row" else ()
    a, *signals = sparse_inputs(dtype, T=T, lead=lead, zi=past, over_time=taps == "moving")
    d = {"moving": moving(delays, T, 1), "constant": moving(delays, 1)[0], "row": moving(delays, 2)}[taps]

    result = polezero.sparse_allpole(a, d, *signals)

    assert_close(result, reference.sparse_allpole(wide(a), d, *map(wide, signals)))
    assert (result if past is None else result[0]).dtype == dtype


def test_sparse_allpole_is_allpole_with_zeros_between_its_taps() -> None:
    a, x, zi = sparse_inputs(L=2, T=300, zi=25)
    dense = torch.zeros(25, dtype=a.dtype)
    dense[[13, 24]] = a

    y, zf = polezero.sparse_allpole(a, [14, 25], x, zi)

    assert_close((y, zf), polezero.allpole(dense, x, zi), tolerance=1e-13)


@pytest.mark.kernels
@pytest.mark.parametrize("interpolation", [None, "linear", "lagrange3"])
@pytest.mark.parametrize("of_time", [False, True], ids=["constant", "moving"])
@pytest.mark.parametrize("comb", COMBS)
def test_combs_match_their_loops(comb: str, of_time: bool, interpolation: str | None) -> None:
    for T in (1, 8, 60):
        delay = 2 + 6 * torch.rand((2, T) if of_time else (2,), dtype=torch.float64)
        delay = delay if interpolation else delay.long()
        c, x, zi = torch.rand(2, T, dtype=torch.float64) - 0.5, torch.randn(2, T).double(), torch.randn(2, 12).double()
        for past in (None, zi):
            result = getattr(polezero, comb)(c, delay, x, past, interpolation=interpolation)
            assert_close(result, getattr(reference, comb)(c, delay, x, past, interpolation))


@pytest.mark.kernels
def test_a_comb_with_a_thiran_all_pass_matches_its_loop() -> None:
    x, a = torch.randn(2, 60, dtype=torch.float64), torch.tensor([0.5, -0.8], dtype=torch.float64)
    for delay in (1.5, 2.0, 7.49, 7.5, torch.tensor(3.25).half()):
        result = polezero.comb_filter(a, delay, x, interpolation="thiran")
        exact = torch.as_tensor(delay, dtype=torch.float64)  # the all-pass is in float64, whatever the delay is in
        assert_close(result, reference.comb_filter(a, exact, x, None, "thiran"), tolerance=1e-13)


@pytest.mark.parametrize("interpolation", ["linear", "lagrange3", "thiran"])
def test_interpolation_at_a_whole_delay_reads_the_sample_itself(interpolation: Any) -> None:
    x = torch.randn(2, 60, dtype=torch.float64)
    assert_close(
        polezero.comb_filter(0.7, 5.0, x, interpolation=interpolation), polezero.comb_filter(0.7, 5, x), tolerance=1e-13
    )


def test_the_gradient_at_a_whole_delay_is_that_of_longer_ones() -> None:
    x = torch.randn(60, dtype=torch.float64)

    def slope(delay: float) -> float:
        d = torch.tensor(delay, dtype=torch.float64, requires_grad=True)
        polezero.comb_filter(0.7, d, x, interpolation="linear").square().sum().backward()
        return float(d.grad)

    assert abs(slope(5.0) - slope(5.0 + 1e-9)) < 1e-4 < abs(slope(5.0) - slope(5.0 - 1e-9))


def test_an_all_pass_keeps_the_energy_of_what_has_rung_out() -> None:
    x = torch.nn.functional.pad(torch.randn(3, 100, dtype=torch.float64), (0, 4000))
    y = polezero.allpass_comb(0.6, 17, x)
    assert_close(y.square().sum(-1), x.square().sum(-1), tolerance=1e-13)


def test_a_learned_delay_converges() -> None:
    torch.manual_seed(0)
    x = torch.randn(4000, dtype=torch.float64)
    kernel = torch.hann_window(21, dtype=torch.float64)  # smooth, so that neighbouring delays are alike
    x = torch.nn.functional.conv1d(x[None, None], kernel[None, None])[0, 0]
    want = polezero.comb_filter(-0.6, 20.4, x, interpolation="lagrange3")
    delay = torch.tensor(22.3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([delay], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (polezero.comb_filter(-0.6, delay, x, interpolation="lagrange3") - want).square().mean()
        loss.backward()
        optimizer.step()
    assert abs(delay.item() - 20.4) < 0.01


@pytest.mark.parametrize("interpolation", [0, 1, 3])
@pytest.mark.parametrize("moving", [False, True], ids=["constant", "moving"])
def test_a_delay_that_no_function_lets_through_reads_nothing_that_is_not_there(
    moving: bool, interpolation: int
) -> None:
    """The product of two signals does not look at its delays."""
    x = torch.randn(2, 40)
    for delay in (-(2**40), -1, 0, 2**60, 0.5, torch.nan, -torch.inf):
        if interpolation == 0 and not isinstance(delay, int):
            continue
        d = torch.full((2, 40 if moving else 1, 1), delay, dtype=torch.float64 if interpolation else torch.int64)
        for sum in (False, True):
            p = torch.ops.polezero.sparse_product(x, x, d, 0, sum, interpolation)
            assert p.shape == (2, 1 if sum else 40, 1)


def test_no_taps_between_samples() -> None:
    x, none = torch.randn(2, 9, dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    assert_close(torch.ops.polezero.sparse_allpole_forward(none, none, x, 0, False, False, 1), x, 0.0)
    assert torch.ops.polezero.sparse_product(x, x, none, 0, True, 1).shape == (2, 1, 0)


def test_forward_mode_in_every_dtype_of_coefficients() -> None:
    x, delays = torch.randn(2, 50), 9 + torch.rand(2, 50, 1, dtype=torch.float64)
    a = torch.full((1, 1), 0.5, dtype=torch.float64)  # beside a signal in float32
    filter = torch.ops.polezero.sparse_allpole_forward
    tangent = torch.rand_like(delays)
    _, got = torch.func.jvp(lambda d: filter(a, d, x, 0, False, False, 1), (delays,), (tangent,))
    _, want = torch.func.jvp(lambda d: filter(a, d, x.double(), 0, False, False, 1), (delays,), (tangent,))
    assert_close(got, want, 1e-5)
    product = torch.ops.polezero.sparse_product
    value, slope = torch.func.jvp(lambda d: product(x, x, d, 0, True, 1), (delays,), (tangent,))
    assert value.dtype == slope.dtype == torch.float64


def test_delays_may_be_any_array_of_integers() -> None:
    x = torch.randn(2, 40, dtype=torch.float64)
    expected = polezero.comb_filter(0.5, torch.tensor([2, 3]), x)
    for delay in ([2, torch.tensor(3)], np.array([3, 2])[::-1], np.array([2, 3], dtype=np.uint8), (2, np.int32(3))):
        assert torch.equal(polezero.comb_filter(0.5, delay, x), expected)
