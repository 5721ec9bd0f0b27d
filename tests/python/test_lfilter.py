"""polezero.lfilter gives what scipy.signal.lfilter gives: dtypes, orders, axes, ranks, initial and final states.

What SciPy 1.18's lfilter_zi returns has a negative stride, which torch does not take: hence the copies.
"""

import itertools

import pytest
import scipy.signal
import torch
from cases.lfilter import lfilter_inputs
from cases.tensors import random_filter
from support import DTYPES, GRADIENT_TOLERANCE, REAL, assert_close, ids, requires_grad, scipy_lfilter, wide
from torch import Tensor

import polezero

ORDERS = [(n, n) for n in range(21)] + [(0, 5), (5, 0), (3, 7), (7, 3), (20, 0), (0, 20), (1, 20), (20, 1)]
ORDERS += [(22, 22), (40, 3), (0, 64), (64, 0), (33, 40)]
AXES = [(rank, axis) for rank in range(1, 5) for axis in range(-rank, rank)]


def state(M: int, N: int, *lead: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(*lead, max(M, N), dtype=dtype)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("orders", ORDERS, ids=ids(ORDERS))
def test_lfilter_matches_scipy_at_every_order(orders: tuple[int, int], dtype: torch.dtype) -> None:
    b, a = random_filter(*orders, dtype)
    x, zi = torch.randn(3, 257, dtype=dtype), state(*orders, 3, dtype=dtype)

    y = polezero.lfilter(b, a, x)
    y_from_zi, zf = polezero.lfilter(b, a, x, zi=zi)

    assert y.dtype == y_from_zi.dtype == zf.dtype == dtype
    assert_close(y, scipy_lfilter(b, a, x))
    assert_close((y_from_zi, zf), scipy_lfilter(b, a, x, zi=zi))


@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize(("rank", "axis"), AXES)
def test_lfilter_matches_scipy_on_every_axis(rank: int, axis: int, dtype: torch.dtype) -> None:
    shape = [2, 3, 4, 5][:rank]
    shape[axis] = 37
    b, a = random_filter(3, 2, dtype)
    x = torch.randn(shape, dtype=dtype)
    shape[axis] = 3
    zi = torch.randn(shape, dtype=dtype)

    assert_close(polezero.lfilter(b, a, x, axis), scipy_lfilter(b, a, x, axis))
    assert_close(polezero.lfilter(b, a, x, axis, zi), scipy_lfilter(b, a, x, axis, zi))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("broadcast", list(itertools.product((False, True), repeat=2)))
def test_lfilter_broadcasts_zi_as_scipy_does(axis: int, broadcast: tuple[bool, bool]) -> None:
    b, a = random_filter(2, 3)
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    shape = [1 if one else size for one, size in zip(broadcast, [s for d, s in enumerate(x.shape) if d != axis])]
    shape.insert(axis, 3)
    zi = torch.randn(shape, dtype=torch.float64)

    assert_close(polezero.lfilter(b, a, x, axis, zi), scipy_lfilter(b, a, x, axis, zi))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("a0", [-1.7, 0.02, 300.0], ids=str)
def test_lfilter_divides_by_a0_but_leaves_zi_alone(a0: float, dtype: torch.dtype) -> None:
    b, a = random_filter(4, 3, dtype, a0=a0 * (1 + 0.5j) if dtype.is_complex else a0)
    x, zi = torch.randn(50, dtype=dtype), state(4, 3, dtype=dtype)

    assert_close(polezero.lfilter(b, a, x, zi=zi), scipy_lfilter(b, a, x, zi=zi))


@pytest.mark.parametrize("T", [1, 5, 400])
@pytest.mark.parametrize("M", [0, 1, 3, 64])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_lfilter_without_poles_is_a_convolution(dtype: torch.dtype, M: int, T: int) -> None:
    b, a = random_filter(M, 0, dtype, a0=0.5)
    x, zi = torch.randn(2, T, dtype=dtype), state(M, 0, 2, dtype=dtype)

    assert_close(polezero.lfilter(b, a, x), scipy_lfilter(b, a, x))
    assert_close(polezero.lfilter(b, a, x, zi=zi), scipy_lfilter(b, a, x, zi=zi))


@pytest.mark.kernels
@pytest.mark.parametrize("T", range(1, 9))
@pytest.mark.parametrize(("M", "N"), [(7, 7), (2, 7), (7, 2), (7, 0), (0, 7)])
def test_lfilter_of_a_signal_shorter_than_the_filter(M: int, N: int, T: int) -> None:
    b, a = random_filter(M, N, a0=2.0)
    x, zi = torch.randn(3, T, dtype=torch.float64), state(M, N, 3, dtype=torch.float64)

    assert_close(polezero.lfilter(b, a, x), scipy_lfilter(b, a, x))
    assert_close(polezero.lfilter(b, a, x, zi=zi), scipy_lfilter(b, a, x, zi=zi))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("N", [0, 2])
def test_lfilter_of_no_samples_returns_zi_as_zf(N: int, dtype: torch.dtype) -> None:
    # SciPy itself gets this one wrong (1.17: zf is not zi), so the expectation is written out.
    b, a = random_filter(3, N, dtype, a0=2.0)
    zi = state(3, N, 4, dtype=dtype)

    y, zf = polezero.lfilter(b, a, torch.empty(4, 0, dtype=dtype), zi=zi)

    assert y.shape == (4, 0) and y.dtype == dtype
    assert_close(zf, zi, tolerance=0.0)
    assert zf.data_ptr() != zi.data_ptr()


@pytest.mark.parametrize("N", [0, 2])
@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5), (0, 0)], ids=str)
def test_lfilter_of_no_rows_is_empty(shape: tuple[int, ...], N: int) -> None:
    b, a = random_filter(3, N)
    x = torch.empty(shape, dtype=torch.float64)

    y, zf = polezero.lfilter(b, a, x, zi=torch.empty(*shape[:-1], 3, dtype=torch.float64))

    assert y.shape == polezero.lfilter(b, a, x).shape == shape
    assert zf.shape == (*shape[:-1], 3)


@pytest.mark.parametrize("axis", [-1, -2])
def test_lfilter_with_leading_dimensions_is_a_filter_bank(axis: int) -> None:
    b, _ = random_filter(3, 2, lead=(4,))
    _, a = random_filter(3, 2, lead=(5, 1), a0=-0.5)
    x = torch.randn(6, 1, 1, 40, dtype=torch.float64)
    zi = torch.randn(5, 4, 3, dtype=torch.float64)

    moved = [t.movedim(-1, axis) for t in (x, zi[None])]
    y, zf = (t.movedim(axis, -1) for t in polezero.lfilter(b, a, moved[0], axis, moved[1]))

    assert y.shape == (6, 5, 4, 40) and zf.shape == (6, 5, 4, 3)
    for i, j, k in itertools.product(range(6), range(5), range(4)):
        expected = scipy_lfilter(b[k], a[j, 0], x[i, 0, 0], zi=zi[j, k])
        assert_close((y[i, j, k], zf[i, j, k]), expected)


def test_lfilter_axis_is_counted_from_the_end_where_filters_add_dimensions() -> None:
    b, a = random_filter(1, 2, lead=(4, 1))
    x = torch.randn(30, 3, dtype=torch.float64)

    y = polezero.lfilter(b, a, x, axis=0)

    assert y.shape == (4, 30, 3)
    for k in range(4):
        assert_close(y[k], scipy_lfilter(b[k, 0], a[k, 0], x, axis=0))


DESIGNS = {
    "butterworth": scipy.signal.butter(5, 0.2),
    "elliptic-highpass": scipy.signal.ellip(4, 1, 60, 0.3, "highpass"),
    "notch": scipy.signal.iirnotch(0.1, 5),
    "fir": (scipy.signal.firwin(9, 0.3), [1.0]),
    "one-pole": ([2.0], [4.0, -1.0]),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_lfilter_zi_matches_scipy(name: str) -> None:
    b, a = (torch.as_tensor(t, dtype=torch.float64) for t in DESIGNS[name])

    zi = polezero.lfilter_zi(b, a)

    # Solving for the steady state loses as many digits as 1 / A(1) has: 1e4 here, in SciPy's solve and in ours.
    assert_close(zi, torch.from_numpy(scipy.signal.lfilter_zi(b.numpy(), a.numpy()).copy()), tolerance=1e-10)
    step, _ = polezero.lfilter(b, a, torch.ones(50, dtype=torch.float64), zi=zi)
    assert_close(step, (b.sum() / a.sum()).expand(50), tolerance=1e-10)


def test_lfilter_zi_of_a_gain_is_empty() -> None:
    assert polezero.lfilter_zi([3.0], [2.0]).shape == (0,)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_lfilter_zi_is_batched(dtype: torch.dtype) -> None:
    b, _ = random_filter(2, 3, dtype, lead=(4,))
    _, a = random_filter(2, 3, dtype, lead=(5, 1), a0=2.0)

    zi = polezero.lfilter_zi(b, a)

    assert zi.shape == (5, 4, 3) and zi.dtype == wide(b).dtype
    for j, k in itertools.product(range(5), range(4)):
        expected = scipy.signal.lfilter_zi(wide(b[k]).numpy(), wide(a[j, 0]).numpy()).copy()
        assert_close(zi[j, k], torch.from_numpy(expected))


def scipy_lfiltic(b: torch.Tensor, a: torch.Tensor, y: torch.Tensor, x: torch.Tensor | None) -> torch.Tensor:
    """The state of the normalised filter: SciPy 1.15, the last for Python 3.10, does not divide by a_0 itself."""
    b, a = wide(b) / wide(a)[0], wide(a) / wide(a)[0]
    return torch.from_numpy(
        scipy.signal.lfiltic(b.numpy(), a.numpy(), wide(y).numpy(), None if x is None else wide(x).numpy())
    )


@pytest.mark.parametrize("past_x", [None, 0, 2, 3, 9], ids=str)
@pytest.mark.parametrize("past_y", [0, 1, 4, 9])
@pytest.mark.parametrize(("M", "N"), [(3, 4), (4, 1), (3, 0), (0, 4), (0, 0)])
def test_lfiltic_matches_scipy(M: int, N: int, past_y: int, past_x: int | None) -> None:
    b, a = random_filter(M, N, a0=-2.0)
    y = torch.randn(past_y, dtype=torch.float64)
    x = None if past_x is None else torch.randn(past_x, dtype=torch.float64)

    zi = polezero.lfiltic(b, a, y, x)

    assert_close(zi, scipy_lfiltic(b, a, y, x))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_lfiltic_is_batched(dtype: torch.dtype) -> None:
    b, a = random_filter(4, 3, dtype, lead=(5,), a0=2.0)
    y, x = torch.randn(2, 1, 3, dtype=dtype), torch.randn(2, 5, 4, dtype=dtype)

    zi = polezero.lfiltic(b, a, y, x)

    assert zi.shape == (2, 5, 4) and zi.dtype == wide(b).dtype
    for i, k in itertools.product(range(2), range(5)):
        assert_close(zi[i, k], scipy_lfiltic(b[k], a[k], y[i, 0], x[i, k]))


def test_lfiltic_keeps_leading_dimensions_that_nothing_is_summed_over() -> None:
    b, a = random_filter(2, 2, lead=(5,))
    assert torch.equal(polezero.lfiltic(b, a, []), torch.zeros(5, 2))
    assert polezero.lfiltic([1.0, 2.0], [1.0], torch.zeros(4, 2)).shape == (4, 1)


def test_lfiltic_resumes_a_filter() -> None:
    b, a = random_filter(3, 5, a0=0.5)
    x = torch.randn(2, 60, dtype=torch.float64)
    y = polezero.lfilter(b, a, x)

    zi = polezero.lfiltic(b, a, y[:, :40].flip(-1), x[:, :40].flip(-1))

    assert_close(polezero.lfilter(b, a, x[:, 40:], zi=zi)[0], y[:, 40:])


@pytest.mark.kernels
@pytest.mark.parametrize("through", ["y", "zf", "both"])
@pytest.mark.parametrize("with_zi", [False, True], ids=["rest", "zi"])
@pytest.mark.parametrize("rows", [(), (3,)], ids=["shared", "rows"])
@pytest.mark.parametrize(("M", "N"), [(2, 2), (4, 1), (1, 4), (3, 0), (0, 3)])
def test_lfilter_one_pass_equals_two_pass(M: int, N: int, rows: tuple[int, ...], with_zi: bool, through: str) -> None:
    inputs = requires_grad(lfilter_inputs(M=M, N=N, T=40, lead_b=rows, lead_a=rows, lead_x=(3,), lead_zi=(3,)))
    if not with_zi:
        inputs = (*inputs[:3], torch.zeros_like(inputs[3]))

    def gradients(backward: str) -> tuple[Tensor, ...]:
        torch.manual_seed(1)
        y, zf = polezero.lfilter(*inputs[:3], zi=inputs[3], backward=backward)
        outputs = {"y": (y,), "zf": (zf,), "both": (y, zf)}[through]
        weights = [torch.randn_like(t) for t in outputs]
        return torch.autograd.grad(outputs, inputs[: 4 if with_zi else 3], weights)

    assert_close(gradients("two_pass"), gradients("one_pass"), GRADIENT_TOLERANCE)


def test_no_rows_of_coefficients() -> None:
    """Expanded ones, whose rows have no stride, among them."""
    b, a, x = torch.tensor([1.0, 0.5]), torch.tensor([2.0, -0.5, 0.1]), torch.randn(0, 5)
    for coefficients in (a.expand(0, 3), torch.zeros(0, 3)):
        assert polezero.lfilter(b, coefficients, x).shape == (0, 5)
    assert torch.vmap(polezero.lfilter, in_dims=(None, 0, None))(b, a.expand(0, 3), x[:0]).shape == (0, 0, 5)
