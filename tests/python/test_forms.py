"""polezero.lpv and polezero.linear_recurrence: coefficients that change with time, against plain loops."""

from typing import Any

import pytest
import torch
from cases.allpole import lpv_inputs
from cases.lfilter import lfilter_inputs
from support import DTYPES, GRADIENT_TOLERANCE, assert_close, ids, wide
from torch import Tensor

import polezero
from polezero import lpv, reference

FORMS = ["df1", "df2", "tdf1", "tdf2"]


def states(form: str, M: int, N: int) -> int:
    return max(M, N) if form in ("df2", "tdf2") else M + N


def moving_resonator(T: int, rate: float, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """b and a of a resonator whose angle moves by ``rate`` a sample, its radius 0.97; a_0 is 2."""
    n = torch.arange(T, dtype=torch.float64)
    angle, radius = 0.5 + 0.4 * torch.sin(rate * n), torch.full_like(n, 0.97)
    a = 2 * torch.stack([torch.ones_like(n), -2 * radius * torch.cos(angle), radius**2], -1)
    b = torch.stack([torch.cos(3 * rate * n), torch.sin(rate * n), 0.5 + 0 * n], -1)
    return b.to(dtype), a.to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("rate", [1e-3, 0.5], ids=["slow", "fast"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_its_textbook_structure(form: str, rate: float, dtype: torch.dtype) -> None:
    b, a = moving_resonator(300, rate, dtype)
    x, zi = torch.randn(2, 300, dtype=dtype), torch.randn(2, states(form, 2, 2), dtype=dtype)

    outputs = lpv.lfilter(b, a, x, zi, form)

    # a_0 is divided out in the signal's precision before the recurrence
    divided = wide(b / a[..., :1]), wide(a / a[..., :1])
    assert_close(outputs, reference.lpv_lfilter(*divided, wide(x), wide(zi), form))
    assert_close(lpv.lfilter(b, a, x, form=form), reference.lpv_lfilter(*divided, wide(x), form=form))


@pytest.mark.parametrize("T", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(("M", "N"), [(0, 0), (3, 1), (1, 3), (0, 2), (2, 0)])
@pytest.mark.parametrize("form", FORMS)
def test_signals_shorter_than_the_filter_keep_the_old_state(form: str, M: int, N: int, T: int) -> None:
    b, a, x, zi = lpv_inputs(M=M, N=N, T=T, zi=states(form, M, N))

    assert_close(lpv.lfilter(b, a, x, zi, form), reference.lpv_lfilter(b, a, x, zi, form))


@pytest.mark.parametrize("constant", ["a", "b", "ab"])
@pytest.mark.parametrize("form", FORMS)
def test_constant_coefficients_give_the_constant_filter(form: str, constant: str) -> None:
    """Once as [1, taps] and once as [T, taps]."""
    b, a, x = lfilter_inputs(M=2, N=2, T=200)
    taps = [t[None] if name in constant else t.expand(200, 3) for name, t in (("b", b), ("a", a))]

    assert_close(lpv.lfilter(*taps, x, form=form), polezero.lfilter(b, a, x))


def test_tdf2_ssm_is_the_form_tdf2_and_with_constant_coefficients_lfilter() -> None:
    b, a, x, zi = lpv_inputs(M=1, N=3, T=30, zi=3)
    assert_close(lpv.tdf2_ssm(b, a, x, zi), lpv.lfilter(b, a, x, zi, "tdf2"), tolerance=0.0)

    b, a, x, zi = lfilter_inputs(M=3, N=2, T=30, lead_zi=(2,))
    assert_close(polezero.tdf2_ssm(b, a, x, zi), polezero.lfilter(b, a, x, zi=zi), tolerance=0.0)
    assert_close(lpv.tdf2_ssm(b[None], a[None], x, zi), polezero.lfilter(b, a, x, zi=zi))


@pytest.mark.parametrize("varying", [False, True], ids=["constant", "varying"])
def test_tdf2_backwards_in_time_is_df2(varying: bool) -> None:
    """The gradient of the input of the one is the other, run on the gradient of the output reversed in time."""
    b, a, x = lpv_inputs(M=2, N=3, T=60, constant="" if varying else "ab")
    grad_y = torch.randn(2, 60, dtype=torch.float64)
    (grad_x,) = torch.autograd.grad(lpv.tdf2_ssm(b, a, x.requires_grad_()), x, grad_y)

    reversed_in_time = lpv.lfilter(b.flip(-2), a.flip(-2), grad_y.flip(-1), form="df2")

    assert_close(grad_x, reversed_in_time.flip(-1))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_fir_matches_its_loop(dtype: torch.dtype) -> None:
    b, x, zi = lpv_inputs(dtype, M=4, N=-1, T=100, lead=(3, 1), zi=4)

    y, zf = lpv.fir(b, x, zi)

    assert_close(y, reference.lpv_fir(wide(b), wide(x), wide(zi))[0])
    assert_close(zf, x.flip(-1)[:, :4].expand(3, 2, 4), tolerance=0.0)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_accurate_while_poles_near_the_unit_circle_move(form: str) -> None:
    """float32 against float64, radius 0.999."""
    n = torch.arange(5000, dtype=torch.float64)
    angle = 0.3 + 0.2 * torch.sin(2e-3 * n)
    a = torch.stack([torch.ones_like(n), -2 * 0.999 * torch.cos(angle), 0.998001 + 0 * n], -1).float()
    b, x = torch.tensor([[1.0, 0.0, -1.0]]), torch.randn(3, 5000)

    y = lpv.lfilter(b, a, x, form=form)

    assert_close(y, lpv.lfilter(b.double(), a.double(), x.double(), form=form), tolerance=6e-6)


def loss(*inputs: Any) -> Tensor:
    return sum(y.square().sum() for y in lpv.lfilter(*inputs, form="tdf2"))


def test_gradients_of_shared_coefficients_are_the_sums_over_rows() -> None:
    b, a, x, zi = (t.requires_grad_() for t in lpv_inputs(M=1, N=2, T=50, zi=2))
    one_a_row = [t.detach().expand(2, 50, -1).clone().requires_grad_() for t in (b, a)]

    shared = torch.autograd.grad(loss(b, a, x, zi), [b, a])
    single = torch.autograd.grad(loss(*one_a_row, x, zi), one_a_row)

    assert_close(shared, tuple(g.sum(0) for g in single), GRADIENT_TOLERANCE)
