"""polezero.sensitivity is the Jacobian of lfilter, in a filter pass for each of its two parts."""

import pytest
import torch
from cases.lfilter import lfilter_inputs
from cases.tensors import random_filter
from support import DTYPES, GRADIENT_TOLERANCE, KernelCalls, assert_close, ids, wide
from torch import Tensor
from torch.func import jacfwd

import polezero
from polezero import reference

ORDERS = [(2, 2), (0, 3), (4, 1), (3, 0), (0, 0)]


def jacobians(b: Tensor, a: Tensor, x: Tensor, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Jacobians by forward-mode differentiation of the reference, the coefficients last, time last but one."""
    b, a, x = (wide(t) for t in (b, a, x))
    both = jacfwd(lambda b, a: reference.lfilter(b, a, x, axis).movedim(axis, -1), argnums=(0, 1))(b, a)
    return both[0], both[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=ids([torch.float32, torch.float64]))
@pytest.mark.parametrize(("M", "N"), ORDERS)
@pytest.mark.parametrize("shape", [(12,), (3, 12), (2, 3, 2), (3, 1), (3, 0)], ids=str)
def test_sensitivity_matches_jacfwd(shape: tuple[int, ...], M: int, N: int, dtype: torch.dtype) -> None:
    b, a = random_filter(M, N, dtype, a0=-1.5)
    x = torch.randn(shape, dtype=dtype)

    dy_db, dy_da = polezero.sensitivity(b, a, x)

    assert dy_db.shape == (*shape, M + 1) and dy_da.shape == (*shape, N + 1)
    assert dy_db.dtype == dy_da.dtype == dtype
    assert_close((dy_db, dy_da), jacobians(b, a, x))


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
def test_sensitivity_moves_the_axis_of_time_last_but_one(axis: int) -> None:
    b, a = random_filter(1, 2, a0=2.0)
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    assert_close(polezero.sensitivity(b, a, x, axis), jacobians(b, a, x, axis))


@pytest.mark.parametrize("dtype", DTYPES[2:], ids=ids(DTYPES[2:]))
def test_complex_sensitivity_is_the_holomorphic_derivative(dtype: torch.dtype) -> None:
    b, a = random_filter(2, 3, dtype, a0=1.5 - 0.5j)
    x = torch.randn(2, 15, dtype=dtype)

    dy_db, dy_da = polezero.sensitivity(b, a, x)

    # y is linear in b, and a step along a changes it by dy_da to first order: the tangent takes no conjugate.
    step_b, step_a = torch.randn_like(wide(b)), torch.randn_like(wide(a))
    _, tangent = torch.func.jvp(lambda b, a: reference.lfilter(b, a, wide(x)), (wide(b), wide(a)), (step_b, step_a))
    assert_close((wide(dy_db) @ step_b + wide(dy_da) @ step_a).to(dtype), tangent)


def test_sensitivity_of_a_filter_bank_is_that_of_each_filter() -> None:
    b, a, x = lfilter_inputs(M=2, N=3, T=20, lead_b=(4,), lead_a=(4,), lead_x=(2, 1))

    dy_db, dy_da = polezero.sensitivity(b, a, x)

    assert dy_db.shape == (2, 4, 20, 3) and dy_da.shape == (2, 4, 20, 4)
    for k in range(4):
        assert_close((dy_db[:, k], dy_da[:, k]), jacobians(b[k], a[k], x[:, 0]))


def test_sensitivity_of_one_denominator_in_a_bank_of_numerators_has_the_rows_of_both() -> None:
    b, a, x = lfilter_inputs(M=2, N=1, T=10, lead_b=(4,), lead_x=())
    dy_db, dy_da = polezero.sensitivity(b, a, x)
    assert dy_db.shape == (4, 10, 3) and dy_da.shape == (4, 10, 2)
    for k in range(4):
        assert_close((dy_db[k], dy_da[k]), jacobians(b[k], a, x))


def test_sensitivity_gives_the_gradient() -> None:
    b, a, x = (t.requires_grad_() for t in lfilter_inputs(M=3, N=2, T=50))
    y = polezero.lfilter(b, a, x)
    grad_y = torch.randn_like(y)

    gradients = torch.autograd.grad(y, (b, a), grad_y)

    jacobian = [torch.einsum("bt,btk->k", grad_y, s) for s in polezero.sensitivity(b, a, x)]
    assert_close(jacobian, gradients, tolerance=GRADIENT_TOLERANCE)


@pytest.mark.parametrize(("M", "N"), [(1, 1), (2, 9), (9, 2)])
def test_sensitivity_takes_a_fixed_number_of_filter_passes(M: int, N: int) -> None:
    b, a, x = lfilter_inputs(M=M, N=N, T=50)
    with KernelCalls() as kernels:
        polezero.sensitivity(b, a, x)
    # phi = x / A and psi = -y / A are one pass each; y, which psi filters, is another.
    assert 2 <= len(kernels.calls) <= 3
