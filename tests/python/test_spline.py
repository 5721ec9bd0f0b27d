"""Splines and symmetric filters against SciPy, their definitions and each other."""

from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from support import DTYPES, assert_close, ids, wide
from torch import Tensor

import polezero
from polezero import reference

COEFFICIENTS: dict[str, tuple[str, tuple[float, ...]]] = {
    "cspline1d": ("cspline1d", ()),
    "smoothing": ("cspline1d", (0.5,)),
    "qspline1d": ("qspline1d", ()),
    "symiirorder1": ("symiirorder1", (0.3, 0.7)),
    "symiirorder1_negative": ("symiirorder1", (2.0, -0.9)),
    "symiirorder2": ("symiirorder2", (0.85, 0.4)),
    "symiirorder2_real": ("symiirorder2", (0.6, 0.0)),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("T", [0, 1, 2, 3, 7, 60])
@pytest.mark.parametrize("name", COEFFICIENTS)
def test_coefficients_match_their_definition(name: str, T: int, dtype: torch.dtype) -> None:
    function, options = COEFFICIENTS[name]
    x = torch.randn(2, T, dtype=dtype)
    c = getattr(polezero, function)(x, *options)
    assert c.dtype == dtype
    # the definition sums 400 mirrored samples, in float64 with a tenfold of its rounding at a pole of -0.9
    tolerance = None if dtype in (torch.float32, torch.complex64) else 1e-13
    assert_close(c, getattr(reference, function)(wide(x), *options), tolerance)


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_coefficients_are_scipys(name: str) -> None:
    function, options = COEFFICIENTS[name]
    x = torch.randn(400, dtype=torch.float64)
    precision = [1e-13] if function.startswith("sym") else []
    expected = getattr(scipy.signal, function)(x.numpy(), *options, *precision)
    # SciPy begins a smoothing spline with two samples in the wrong order; its symiirorder2 is off by 1e-6 at both ends
    begin = 40 if name == "smoothing" else 0
    tolerance = 1e-5 if function == "symiirorder2" else 1e-10
    assert_close(getattr(polezero, function)(x, *options)[begin:], torch.from_numpy(expected)[begin:], tolerance)


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_any_axis(axis: int) -> None:
    x = torch.randn(30, 31, 32, dtype=torch.float64)
    expected = np.apply_along_axis(scipy.signal.cspline1d, axis, x.numpy())
    assert_close(polezero.cspline1d(x, axis=axis), torch.from_numpy(expected), 1e-12)
    y = polezero.cubic_spline(x, 2, axis=axis)
    assert_close(y.movedim(axis, -1), polezero.cubic_spline(x.movedim(axis, -1), 2), 0.0)
    points = torch.tensor([3.5, 7.25], dtype=torch.float64)
    at = polezero.cspline1d_eval(x, points, axis=axis)
    assert_close(at.movedim(axis, -1), polezero.cspline1d_eval(x.movedim(axis, -1), points), 0.0)


def test_images_are_filtered_along_both_axes() -> None:
    x = torch.randn(2, 40, 50, dtype=torch.float64)
    for ours, scipys in (
        (polezero.cspline2d, scipy.signal.cspline2d),
        (polezero.qspline2d, scipy.signal.qspline2d),
    ):
        expected = np.stack([scipys(image, 0.0, 1e-12) for image in x.numpy()])
        assert_close(ours(x), torch.from_numpy(expected), 1e-9)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("boundary", ["reflect", "scipy"])
@pytest.mark.parametrize("m", [1, 2, 4, 5, 11])
@pytest.mark.parametrize("T", [1, 2, 3, 4, 5, 70])
def test_cubic_spline_goes_through_its_samples(T: int, m: int, boundary: Any, dtype: torch.dtype) -> None:
    x = torch.randn(3, T, dtype=dtype)
    y = polezero.cubic_spline(x, m, boundary)
    assert y.shape == (3, (T - 1) * m + 1) and y.dtype == dtype
    assert_close(y[:, ::m], wide(x))
    # the reference rounds its points n / m, by 7e-15 at t = 69: 1.2e-14 under any instruction set, which agree to 4e-16
    tolerance = None if dtype in (torch.float32, torch.complex64) else 3e-14
    assert_close(y, reference.cubic_spline(wide(x), m, boundary), tolerance)


def test_cubic_spline_is_ndimages() -> None:
    x, m = torch.randn(50, dtype=torch.float64), 4
    places = np.arange(49 * m + 1) / m
    for boundary, mode in (("reflect", "mirror"), ("scipy", "reflect")):
        expected = scipy.ndimage.map_coordinates(x.numpy(), [places], order=3, mode=mode)
        assert_close(polezero.cubic_spline(x, m, boundary), torch.from_numpy(expected), 1e-12)


@pytest.mark.parametrize("kind", ["cspline1d", "qspline1d"])
def test_evaluation_is_scipys_at_any_points(kind: str) -> None:
    c = torch.randn(2, 30, dtype=torch.float64)
    newx = torch.cat(
        [60 * torch.rand(200).double() - 15, torch.arange(-3.0, 33.0).double(), torch.tensor([-80.5, 90.2])]
    )
    y = getattr(polezero, f"{kind}_eval")(c, newx, dx=0.7, x0=-1.5)
    expected = [getattr(scipy.signal, f"{kind}_eval")(row, newx.numpy(), 0.7, -1.5) for row in c.numpy()]
    assert_close(y, torch.from_numpy(np.stack(expected)), 1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("kind", ["cspline1d", "qspline1d"])
@pytest.mark.parametrize("T", [1, 2, 3, 9])
def test_evaluation_of_few_coefficients_matches_its_definition(kind: str, T: int) -> None:
    c, points = torch.randn(2, T, dtype=torch.float64), torch.linspace(-5, 13, 37).double()
    result = getattr(polezero, f"{kind}_eval")(c, points)
    assert_close(result, getattr(reference, f"{kind}_eval")(c, points), 1e-13)


def test_whole_points_are_as_exact_as_others() -> None:
    c = torch.arange(2e6, dtype=torch.float64)
    newx = torch.arange(99_991, 10**6, 99_991)  # (mirrored, the spline is no line at its end)
    for points in (newx, newx.tolist(), newx.double()):
        assert_close(polezero.cspline1d_eval(c, points, dx=0.7), newx.double() / 0.7, 1e-14)


def test_points_of_every_row_broadcast_with_the_coefficients() -> None:
    c, points = torch.randn(2, 1, 20, dtype=torch.float64), 19 * torch.rand(1, 3, 7).double()
    y = polezero.cspline1d_eval(c, points)
    assert y.shape == (2, 3, 7)
    assert_close(y[1, 2], polezero.cspline1d_eval(c[1, 0], points[0, 2]), 0.0)


def test_a_spline_interpolates_polynomials_between_its_knots() -> None:
    t = torch.arange(80, dtype=torch.float64)
    points = torch.linspace(30, 50, 41).double()
    for coefficients, evaluate, power in (
        (polezero.cspline1d, polezero.cspline1d_eval, 3),
        (polezero.qspline1d, polezero.qspline1d_eval, 2),
    ):
        assert_close(evaluate(coefficients(t**power), points), points**power, 1e-13)


def test_the_derivative_in_the_points_is_that_of_the_polynomial() -> None:
    c = polezero.cspline1d(torch.arange(80, dtype=torch.float64) ** 3)
    points = torch.linspace(30, 50, 41).double().requires_grad_()
    (slope,) = torch.autograd.grad(polezero.cspline1d_eval(c, points).sum(), points)
    assert_close(slope, 3 * points.detach() ** 2, 1e-12)


# Poles near the circle: the start is summed as far as it takes.
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_constant_stays_one_near_the_circle(dtype: torch.dtype) -> None:
    x = torch.ones(1000, dtype=dtype)
    for pole in (0.999, 0.99999):
        y = polezero.symiirorder1(x, (1 - pole) ** 2, pole)
        assert_close(y, torch.ones(1000, dtype=torch.float64), 1e-6 if dtype == torch.float32 else 1e-9)


@pytest.mark.parametrize(("r", "omega"), [(0.99, 0.0), (0.999, 0.001)], ids=str)
def test_two_poles_near_one_keep_the_precision_of_float32(r: float, omega: float) -> None:
    x = torch.randn(5000)
    assert_close(polezero.symiirorder2(x, r, omega), polezero.symiirorder2(x.double(), r, omega), 2e-7)


@pytest.mark.parametrize("T", [2, 3, 10])
def test_short_signals_near_the_circle_cost_no_more_than_others(T: int) -> None:
    """The mirrored signal is summed by its periods: 40 million samples would remain in memory."""
    x = torch.randn(2, T, dtype=torch.float64)
    pole = 1 - 1e-6
    mean = x.mean(-1, keepdim=True)  # what so slow a filter leaves
    assert_close(polezero.symiirorder1(x, (1 - pole) ** 2, pole), mean.expand(2, T), 1e-4)


def test_a_warp_is_learned() -> None:
    torch.manual_seed(0)
    t = torch.arange(200, dtype=torch.float64) - 100
    c = polezero.cspline1d((0.07 * t).sin() + (0.19 * t).cos())
    want = polezero.cspline1d_eval(c, 1.02 * t[20:160] + 103.4)
    rate, shift = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, 102.0))
    optimizer = torch.optim.LBFGS([rate, shift], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = (polezero.cspline1d_eval(c, rate * t[20:160] + shift) - want).square().mean()
        error.backward()
        return error

    optimizer.step(loss)
    assert abs(rate.item() - 1.02) < 1e-6 and abs(shift.item() - 103.4) < 1e-4


@pytest.mark.parametrize("kind", ["cspline1d_eval", "qspline1d_eval"])
def test_a_bad_coefficient_or_point_spoils_what_reads_it(kind: str) -> None:
    function, reads = getattr(polezero, kind), {"cspline1d_eval": 4, "qspline1d_eval": 3}[kind]
    c, points = torch.randn(50), torch.arange(4, 45, dtype=torch.float64) + 0.1
    clean = function(c, points)
    c[20] = torch.nan
    y = function(c, points)
    assert y.isnan().sum() == reads and y[14:19].isnan().sum() == reads
    assert torch.equal(y[~y.isnan()], clean[~y.isnan()])
    c[20], points[3] = 0.0, torch.nan
    assert function(c, points).isnan().nonzero().tolist() == [[3]]
