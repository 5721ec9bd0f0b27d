"""NaN, inf, overflow and denormals: as in a serial filter, and never in another row."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from cases import SIZED
from cases.case import Bound, widened
from cases.tensors import random_filter, resonator
from support import DTYPES, REAL, TOLERANCE, assert_close, each, ids, requires_grad, scipy_lfilter, wide
from torch import Tensor

import polezero
from polezero import reference

T = 75  # more than two of the widest blocks, and not a multiple of any
FILTERS = {"biquad": (2, 2), "allpole": (0, 3), "order5": (1, 5), "zeros": (6, 2), "fir": (4, 0), "order17": (17, 17)}
BAD = {"nan": torch.nan, "inf": torch.inf, "-inf": -torch.inf}


def spoiled(x: Tensor, bad: float) -> Tensor:
    """Row n of x gets the bad value at sample n."""
    return torch.where(torch.eye(x.shape[-1], dtype=torch.bool), torch.full_like(x, bad), x)


def assert_spreads_alike(y: Tensor, expected: Tensor) -> None:
    """Finite in the same places, with the same values there."""
    finite = torch.isfinite(expected)
    assert torch.equal(torch.isfinite(y), finite)
    assert_close(torch.where(finite, y, torch.zeros_like(y)), torch.where(finite, expected, torch.zeros_like(expected)))


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", FILTERS)
def test_a_bad_sample_at_every_position_spreads_as_in_a_serial_filter(name: str, bad: str, dtype: torch.dtype) -> None:
    M, N = FILTERS[name]
    b, a = random_filter(M, N, dtype)
    x = spoiled(torch.randn(T, T, dtype=dtype), BAD[bad])
    expected = reference.lfilter(wide(b), wide(a), wide(x))

    rows = polezero.lfilter(b, a, x)  # many rows
    alone = torch.stack([polezero.lfilter(b, a, row) for row in x])  # one at a time
    for y in (rows, alone):
        assert_spreads_alike(y, expected)
        if bad == "nan":
            assert torch.equal(torch.isnan(y), torch.isnan(expected))
        # A complex product with inf is inf or NaN by the compiler's rules, and inf - inf depends on the order of sums.
        if not dtype.is_complex and N == 0:
            assert torch.equal(y.isnan(), expected.isnan()) and torch.equal(y.sign(), expected.sign().to(dtype))
        if not dtype.is_complex:
            assert torch.equal(y.diagonal().isnan(), expected.diagonal().isnan())
            assert torch.equal(y.diagonal().sign(), expected.diagonal().sign())


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", FILTERS)
def test_a_bad_gradient_at_every_position_spreads_backwards_alone(name: str, bad: str, dtype: torch.dtype) -> None:
    M, N = FILTERS[name]
    b, a = random_filter(M, N, dtype)
    grad_y = spoiled(torch.randn(T, T, dtype=dtype), BAD[bad])
    expected = reference.lfilter(wide(b), wide(a), wide(grad_y).flip(-1)).flip(-1)

    x = torch.randn(T, T, dtype=dtype, requires_grad=True)
    (rows,) = torch.autograd.grad(polezero.lfilter(b, a, x), x, grad_y)
    assert_spreads_alike(rows, expected)

    coefficients = requires_grad((b.expand(T, -1), a.expand(T, -1)))
    y = polezero.lfilter(*coefficients, x)
    *gradients, grad_x = torch.autograd.grad(y, (*coefficients, x), grad_y)  # the kernel with the reductions fused
    assert_spreads_alike(grad_x, expected)
    assert not torch.isfinite(gradients[0][:, 0]).any()


@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize("name", FILTERS)
def test_a_bad_state_spreads_from_its_own_sample(name: str, dtype: torch.dtype) -> None:
    M, N = FILTERS[name]
    b, a = random_filter(M, N, dtype)
    P = max(M, N)
    x, zi = torch.randn(P, T, dtype=dtype), spoiled(torch.randn(P, P, dtype=dtype), torch.nan)

    y, zf = polezero.lfilter(b, a, x, zi=zi)

    expected = reference.lfilter(wide(b), wide(a), wide(x), zi=wide(zi))
    assert_spreads_alike(y, expected[0])
    assert_spreads_alike(zf, expected[1])


def spoiled_signal(example: Bound, bad: float) -> dict[str, Tensor]:
    """A row for each sample, with the bad value there."""
    inputs, signal = example.sized(T, T, torch.float32), example.case.signal
    x = inputs[signal]
    at = torch.eye(T, dtype=torch.bool).view(T, *[1] * (x.dim() - 2), T)
    return inputs | {signal: torch.where(at, bad, x)}


@pytest.mark.parametrize("bad", BAD)
@each("nonfinite", [bound for bound in SIZED if bound.call.spreads != "everywhere"])
def test_a_bad_sample_at_every_position_spreads_as_in_the_reference(example: Bound, bad: str) -> None:
    inputs, signal = spoiled_signal(example, BAD[bad]), example.case.signal
    expected = example.true(widened(inputs))
    if example.call.spreads == "from then on":
        expected = [y.masked_fill(torch.ones(T, T).triu().bool(), torch.nan) for y in expected]
    rows = example.run(inputs)
    for y, true in zip(rows, expected, strict=True):
        assert_spreads_alike(y, true)
    for n in (0, 1, 16, T - 1):  # one at a time
        alone = inputs | {signal: inputs[signal][n : n + 1]}
        if "zi" in inputs:
            alone["zi"] = inputs["zi"][..., n : n + 1, :]
        assert_spreads_alike(example.run(alone)[0][0], expected[0][n])


@pytest.mark.parametrize("bad", BAD)
@each("nonfinite", SIZED)
def test_a_bad_sample_or_gradient_leaves_other_rows_alone(example: Bound, bad: str) -> None:
    """And comes out in its own: a gradient at samples before it."""
    inputs, signal = example.sized(9, 400, torch.float32), example.case.signal
    x = inputs[signal].requires_grad_()
    y = example.run(inputs)[0]
    grad_y = torch.randn_like(y)
    (grad_x,) = torch.autograd.grad(y, x, grad_y, retain_graph=True)
    bad_x, bad_grad_y = x.detach().clone(), grad_y.clone(memory_format=torch.contiguous_format)
    bad_x[2, ..., 100] = BAD[bad]
    bad_grad_y[2].view(-1)[3 * y[2].numel() // 4] = BAD[bad]
    others = torch.arange(9) != 2
    spoilt_y, spoilt_grad_x = example.run(inputs | {signal: bad_x})[0], torch.autograd.grad(y, x, bad_grad_y)[0]
    for spoilt, clean in ((spoilt_y, y), (spoilt_grad_x, grad_x)):
        assert_close(spoilt[others], clean[others], tolerance=0.0)
        assert not torch.isfinite(spoilt[2]).all()


@pytest.mark.parametrize(
    "shape", [(2, 5000), (9, 5000), (37, 40), (9, 2**15)], ids=ids([(2, 5000), (9, 5000), (37, 40), (9, 2**15)])
)
@pytest.mark.parametrize("name", ["biquad", "fir"])
def test_a_bad_row_leaves_the_others_alone(name: str, shape: tuple[int, int]) -> None:
    rows, samples = shape
    b, a = random_filter(*FILTERS[name], torch.float32)
    x, grad_y = torch.randn(shape), torch.randn(shape)
    bad_x, bad_grad_y = x.clone(), grad_y.clone()
    row = rows // 2
    bad_x[row, samples // 3] = torch.nan
    bad_grad_y[row, samples // 2] = torch.inf

    def run(x: Tensor, grad_y: Tensor) -> tuple[Tensor, ...]:
        inputs = requires_grad((b.expand(rows, -1), a.expand(rows, -1), x))
        y = polezero.lfilter(*inputs)
        return (y.detach(), *torch.autograd.grad(y, inputs, grad_y))

    others = torch.arange(rows) != row
    for spoilt, clean in zip(run(bad_x, bad_grad_y), run(x, grad_y), strict=True):
        assert_close(spoilt[others], clean[others], tolerance=TOLERANCE[torch.float32])
        assert not torch.isfinite(spoilt[row]).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("position", [0, 1, 1000, 2**15 - 1, 2**15, 2**15 + 1, 3 * 2**15 + 1, 3 * 2**15 + 2])
def test_a_bad_sample_of_a_row_split_over_threads(position: int, threads: int) -> None:
    torch.set_num_threads(threads)
    b, a = random_filter(2, 2, torch.float32)
    x = torch.randn(3 * 2**15 + 3)
    expected = scipy_lfilter(b, a, x)
    x[position] = torch.nan

    y = polezero.lfilter(b, a, x)
    assert_close(y[:position], expected[:position])
    assert torch.isnan(y[position:]).all()

    leaf = torch.randn_like(x).requires_grad_()
    (grad_x,) = torch.autograd.grad(polezero.lfilter(b, a, leaf), leaf, x.flip(0))
    assert_close(grad_x.flip(0)[:position], expected[:position])
    assert torch.isnan(grad_x.flip(0)[position:]).all()


# Growth that overflows the powers of a block's state matrix long before it overflows the signal.
@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("radius", "samples", "dtype"),
    [
        (1.02, 1000, torch.float32),
        (1.5, 60, torch.float32),
        (4.0, 60, torch.float32),
        (1e3, 12, torch.float32),
        (1.1, 2000, torch.float64),
        (4.0, 400, torch.float64),
        (1e3, 100, torch.float64),
    ],
)
def test_poles_outside_the_unit_circle_over_a_short_time(
    radius: float, samples: int, dtype: torch.dtype, rows: int
) -> None:
    b, a = torch.tensor([1.0, 0.5], dtype=dtype), resonator(radius, 0.7, dtype)
    x = torch.randn(rows, samples, dtype=dtype)
    leaf = x.clone().requires_grad_()

    y = polezero.lfilter(b, a, leaf)
    (grad_x,) = torch.autograd.grad(y, leaf, x.flip(-1))

    # Each sample has its own scale: compare with the growth divided out.
    expected = scipy_lfilter(b, a, x)
    growth = radius ** torch.arange(samples, dtype=torch.float64, device="cpu")
    tolerance = 10 * TOLERANCE[dtype]  # a rounding error made early grows as the signal does, over T samples
    for result in (y, grad_x.flip(-1)):
        assert torch.isfinite(result).all()
        assert_close(wide(result) / growth, expected / growth, tolerance)


@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize("rows", [1, 40])
def test_a_decay_through_denormals_ends_in_silence(rows: int, dtype: torch.dtype) -> None:
    b, a = torch.ones(1, dtype=dtype), resonator(0.9, 1.0, dtype)
    x = torch.zeros(rows, 12000, dtype=dtype)
    x[:, 0] = 1.0
    leaf = x.flip(-1).requires_grad_()

    y = polezero.lfilter(b, a, x)
    (grad_x,) = torch.autograd.grad(polezero.lfilter(b, a, leaf), leaf, leaf.detach())

    expected = scipy_lfilter(b, a, x)
    quiet = expected.abs() < torch.finfo(dtype).tiny
    assert quiet.any()
    for result in (y, grad_x.flip(-1)):
        assert_close(result, expected)
        # A sample that is flushed to zero changes what follows by at most the filter's gain times the smallest normal.
        gain = expected[0].abs().sum()
        assert (wide(result) - expected)[quiet].abs().max() <= gain * torch.finfo(dtype).tiny
        assert (result[:, -1] == 0).all()


@pytest.fixture(params=[False, True], ids=["denormals", "flushed"])
def flushed(request: pytest.FixtureRequest) -> Iterator[bool]:
    if not torch.set_flush_denormal(request.param):
        pytest.skip("this processor cannot flush denormals")
    yield request.param
    torch.set_flush_denormal(False)


def test_the_flush_mode_of_the_caller_is_restored(flushed: bool) -> None:
    leaf = torch.randn(4, 2**16, requires_grad=True)
    (grad_x,) = torch.autograd.grad(polezero.lfilter([1.0, 0.5], [1.0, -0.9], leaf).sum(), leaf)
    assert torch.isfinite(grad_x).all()
    assert (np.float32(1e-40) * np.float32(0.5) == 0) == flushed


def test_the_flush_mode_of_the_other_threads_is_restored() -> None:
    denormal = torch.full((2**20,), 1e-40)
    assert (denormal * 0.5 > 0).all(), "the test's own precondition"
    polezero.lfilter([1.0, 0.5], [1.0, -0.9], torch.randn(4, 2**16))
    assert (denormal * 0.5 > 0).all()


def test_silence_after_sound_costs_no_more_than_noise() -> None:
    torch.set_num_threads(1)
    b, a = torch.ones(1), resonator(0.99, 1.0)
    noise = torch.randn(480_000)
    silence = torch.zeros(480_000)
    silence[0] = 1.0
    fastest = {"noise": np.inf, "silence": np.inf}
    for _ in range(30):  # in turn, so that a busy machine slows both
        for name, x in (("noise", noise), ("silence", silence)):
            start = time.perf_counter()
            polezero.lfilter(b, a, x)
            fastest[name] = min(fastest[name], time.perf_counter() - start)
    assert fastest["silence"] <= 1.5 * fastest["noise"], f"{fastest}"
