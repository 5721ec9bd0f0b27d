"""polezero.allpole: y[n] = x[n] - sum_i a_i y[n-i], with past outputs (newest first) as its states."""

import pytest
import scipy.signal
import torch
from support import DTYPES, TOLERANCE, assert_close, ids, random_filter, wide

import polezero
from polezero import reference

ORDERS = [0, 1, 2, 3, 4, 5, 8, 13, 20]


def coefficients(N: int, dtype: torch.dtype = torch.float64, lead: tuple[int, ...] = ()) -> torch.Tensor:
    """a_1..a_N of a stable filter."""
    return random_filter(0, N, dtype, lead)[1][..., 1:]


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("N", ORDERS)
def test_allpole_matches_scipy_with_past_outputs_as_states(N: int, dtype: torch.dtype) -> None:
    a, x, zi = coefficients(N, dtype), torch.randn(150, dtype=dtype), torch.randn(N, dtype=dtype)

    y = polezero.allpole(a, x)
    y_from_zi, zf = polezero.allpole(a, x, zi)

    one, monic = [1.0], torch.cat([torch.ones(1), wide(a)]).numpy()
    assert y.dtype == y_from_zi.dtype == zf.dtype == dtype
    assert_close(y, torch.from_numpy(scipy.signal.lfilter(one, monic, wide(x).numpy())))
    state = scipy.signal.lfiltic(one, monic, wide(zi).numpy())
    expected, _ = scipy.signal.lfilter(one, monic, wide(x).numpy(), zi=state) if N else (wide(x).numpy(), None)
    assert_close(y_from_zi, torch.from_numpy(expected))
    assert_close(zf, y_from_zi.flip(-1)[:N], tolerance=0.0)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize(
    ("lead_a", "lead_x", "lead_zi"),
    [((), (3,), (3,)), ((), (2, 3), ()), ((3,), (3,), (1,)), ((4, 1), (3,), (4, 3)), ((4,), (), ()), ((4,), (), (4,))],
    ids=str,
)
def test_allpole_broadcasts_leading_dimensions(
    lead_a: tuple[int, ...], lead_x: tuple[int, ...], lead_zi: tuple[int, ...], dtype: torch.dtype
) -> None:
    a, x = coefficients(3, dtype, lead_a), torch.randn(*lead_x, 70, dtype=dtype)
    zi = torch.randn(*lead_zi, 3, dtype=dtype)

    assert_close(polezero.allpole(a, x), reference.allpole(wide(a), wide(x)))
    assert_close(polezero.allpole(a, x, zi), reference.allpole(wide(a), wide(x), wide(zi)))


@pytest.mark.parametrize("T", range(7))
def test_allpole_of_a_signal_shorter_than_the_filter_keeps_old_outputs(T: int) -> None:
    a, x, zi = coefficients(5), torch.randn(2, T, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)

    y, zf = polezero.allpole(a, x, zi)

    assert_close((y, zf), reference.allpole(a, x, zi))
    assert_close(zf, torch.cat([y.flip(-1), zi], -1)[:, :5], tolerance=0.0)


@pytest.mark.parametrize("N", [0, 3])
@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (0, 0), (3, 0, 5)], ids=str)
def test_allpole_of_nothing_is_empty(shape: tuple[int, ...], N: int) -> None:
    zi = torch.randn(*shape[:-1], N, dtype=torch.float64)

    y, zf = polezero.allpole(coefficients(N), torch.empty(shape, dtype=torch.float64), zi)

    assert y.shape == shape
    if shape[-1] == 0:
        assert_close(zf, zi, tolerance=0.0)


def test_allpole_without_coefficients_copies_its_input() -> None:
    x = torch.randn(4, 9)

    y = polezero.allpole(torch.empty(0), x)

    assert torch.equal(y, x) and y.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_allpole_primitive_runs_backwards_in_time_without_flips(dtype: torch.dtype, reverse: bool) -> None:
    a, x, zi = coefficients(3, dtype), torch.randn(5, 90, dtype=dtype), torch.randn(5, 3, dtype=dtype)

    y = torch.ops.polezero.allpole_forward(a.unsqueeze(-2), x, zi, 0, reverse)

    turned = wide(x).flip(-1) if reverse else wide(x)
    expected = reference.allpole(wide(a), turned, wide(zi))[0]
    assert_close(y, expected.flip(-1) if reverse else expected)


@pytest.mark.parametrize("T", [2, 90])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_fir_primitive_sums_taps_of_the_past_or_of_the_future(dtype: torch.dtype, reverse: bool, T: int) -> None:
    b, x = torch.randn(2, 1, 4, dtype=dtype), torch.randn(5, T, dtype=dtype)

    y = torch.ops.polezero.fir(b.unsqueeze(-2), x, 0, reverse)

    turned = wide(x).flip(-1) if reverse else wide(x)
    expected = reference.lfilter(wide(b), [1.0], turned)
    assert_close(y, expected.flip(-1) if reverse else expected)


@pytest.mark.parametrize("T", [0, 3, 90])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_lag_correlation_primitive_correlates_without_conjugating(dtype: torch.dtype, T: int) -> None:
    g, x = torch.randn(5, T, dtype=dtype), torch.randn(5, T, dtype=dtype)

    c = torch.ops.polezero.lag_correlation(g, x, 5)

    lagged = [torch.nn.functional.pad(wide(x), (k, 0))[:, :T] for k in range(5)]
    assert_close(c, torch.stack([(wide(g) * one).sum(-1) for one in lagged], -1), TOLERANCE[dtype])
