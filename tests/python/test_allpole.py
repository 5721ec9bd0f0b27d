"""allpole, lpv.allpole and linear_recurrence: y[n] = x[n] - sum_i a_i y[n-i], past outputs (newest first) as states."""

import pytest
import scipy.signal
import torch
from cases.allpole import allpole_inputs, lpv_inputs
from cases.tensors import random_filter
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, loss, requires_grad, wide
from torch import Tensor

import polezero
from polezero import lpv, reference

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


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize(("rows", "order"), [(1, 2), (1, 9), (3, 1), (9, 4), (9, 7), (2, 40)])
def test_lpv_allpole_matches_its_loop(rows: int, order: int, dtype: torch.dtype) -> None:
    a, x, zi = lpv_inputs(dtype, M=-1, N=order, T=300, zi=order)
    a, x, zi = a / order, x[:1].expand(rows, -1) * torch.randn(rows, 1, dtype=dtype), zi[:1].expand(rows, -1)

    assert_close(lpv.allpole(a, x, zi), reference.lpv_allpole(wide(a), wide(x), wide(zi)))
    assert_close(lpv.allpole(a[-1:], x), polezero.allpole(a[-1], x), tolerance=0.0)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("shape", [(), (1,), (4, 1), (100,), (4, 100), (3, 1, 100)], ids=str)
def test_linear_recurrence_matches_its_loop(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    a, x, zi = 0.5 * torch.randn(shape, dtype=dtype), torch.randn(4, 100, dtype=dtype), torch.randn(4, 1, dtype=dtype)

    h, zf = polezero.linear_recurrence(a, x, zi)

    assert_close((h, zf), reference.linear_recurrence(wide(a), wide(x), wide(zi)))
    assert_close(zf, h[..., -1:], tolerance=0.0)


@pytest.mark.parametrize("with_zi", [False, True], ids=["rest", "zi"])
@pytest.mark.parametrize("rows", [(), (3,)], ids=["shared", "rows"])
@pytest.mark.parametrize("T", [2, 40])
@pytest.mark.parametrize("N", [1, 2, 5])
def test_allpole_one_pass_equals_two_pass(N: int, T: int, rows: tuple[int, ...], with_zi: bool) -> None:
    inputs = requires_grad(allpole_inputs(N=N, T=T, lead_a=rows, lead_x=(3,), lead_zi=(3,) if with_zi else None))

    def gradients(backward: str) -> tuple[Tensor, ...]:
        return torch.autograd.grad(loss(lambda *p: polezero.allpole(*p, backward=backward))(*inputs), inputs)

    assert_close(gradients("two_pass"), gradients("one_pass"), GRADIENT_TOLERANCE)
