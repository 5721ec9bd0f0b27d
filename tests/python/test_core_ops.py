"""The core ops that filters are made of, against loops in plain PyTorch; test_opcheck.py runs over all core ops.

Lag k at time n reads the coefficient of time n + shift k and the sample at n - k (reversed: n + k).
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases.tensors import random_filter
from support import DTYPES, GRADIENT_TOLERANCE, TOLERANCE, assert_close, ids, wide
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import hessian, jacfwd, jacrev, vmap

from polezero import reference

ops = torch.ops.polezero

# (shift, reverse): the filters with coefficients of the output's time and of the input's, and their adjoints
LAGS = [(0, False), (-1, False), (1, True), (0, True)]


def coefficient(c: Tensor, n: int, k: int) -> Tensor | float:
    """c_k[n], zero outside."""
    return c[..., n, k] if 0 <= n < c.shape[-2] else 0.0


def allpole_loop(a: Tensor, x: Tensor, zi: Tensor | None, shift: int, reverse: bool) -> Tensor:
    """y[n] = x[n] - sum_i a_i[n + shift i] y[n - i]."""
    T, N, step = x.shape[-1], a.shape[-1], 1 if reverse else -1
    y: dict[int, Any] = {}
    for k in range(N):
        y[T + k if reverse else -1 - k] = 0.0 if zi is None else zi[..., k]
    for n in reversed(range(T)) if reverse else range(T):
        y[n] = x[..., n] - sum(coefficient(a, n + shift * i, i - 1) * y[n + step * i] for i in range(1, N + 1))
    return torch.stack([y[n] for n in range(T)], -1)


def fir_loop(b: Tensor, x: Tensor, shift: int, reverse: bool) -> Tensor:
    """y[n] = sum_k b_k[n + shift k] x[n - k]."""
    T, step = x.shape[-1], 1 if reverse else -1
    columns = []
    for n in range(T):
        terms = [
            coefficient(b, n + shift * k, k) * x[..., n + step * k] for k in range(b.shape[-1]) if 0 <= n + step * k < T
        ]
        columns.append(sum(terms) + 0 * x[..., n])
    return torch.stack(columns, -1)


def lag_product_loop(g: Tensor, x: Tensor, taps: int, shift: int, reverse: bool) -> Tensor:
    """c_k[n + shift k] = g[n] x[n - k]."""
    T, step = x.shape[-1], 1 if reverse else -1
    zero = torch.zeros_like(g[..., 0] * x[..., 0])
    c = [[zero] * taps for _ in range(T)]
    for n in range(T):
        for k in range(taps):
            if 0 <= n + shift * k < T and 0 <= n + step * k < T:
                c[n + shift * k][k] = g[..., n] * x[..., n + step * k]
    return torch.stack([torch.stack(row, -1) for row in c], -2)


def small(*shape: int, dtype: torch.dtype) -> Tensor:
    """Coefficients small enough for a filter that does not explode."""
    return 0.3 * torch.randn(*shape, dtype=dtype)


Primitive = tuple[Callable[..., Tensor], Callable[..., Tensor], Callable[[torch.dtype], tuple[Tensor, ...]]]


def cases(T: int, orders: int) -> dict[str, Primitive]:
    """(op, loop, inputs) for each primitive and each way to read its coefficients."""
    made: dict[str, Primitive] = {}
    for shift, reverse in LAGS:
        lags = (shift, reverse)
        name = f"shift{shift}_{'reverse' if reverse else 'forward'}"
        made[f"allpole_{name}"] = (
            lambda a, x, lags=lags: ops.allpole_forward(a, x, None, *lags),
            lambda a, x, lags=lags: allpole_loop(a, x, None, *lags),
            lambda d: (small(T, orders, dtype=d), torch.randn(2, T, dtype=d)),
        )
        made[f"fir_{name}"] = (
            lambda b, x, lags=lags: ops.fir(b, x, *lags),
            lambda b, x, lags=lags: fir_loop(b, x, *lags),
            lambda d: (torch.randn(2, 1, T, orders, dtype=d), torch.randn(3, T, dtype=d)),
        )
        made[f"lag_product_{name}"] = (
            lambda g, x, lags=lags: ops.lag_product(g, x, orders, *lags),
            lambda g, x, lags=lags: lag_product_loop(g, x, orders, *lags),
            lambda d: (torch.randn(2, T, dtype=d), torch.randn(2, T, dtype=d)),
        )
    for reverse in (False, True):  # past outputs read coefficients that exist with shift 0 alone
        made[f"allpole_zi_{'reverse' if reverse else 'forward'}"] = (
            lambda a, x, zi, reverse=reverse: ops.allpole_forward(a, x, zi, 0, reverse),
            lambda a, x, zi, reverse=reverse: allpole_loop(a, x, zi, 0, reverse),
            lambda d: (small(2, T, orders, dtype=d), torch.randn(2, T, dtype=d), torch.randn(2, orders, dtype=d)),
        )
    return made


LONG, SHORT = cases(T=9, orders=3), cases(T=3, orders=4)


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("name", LONG)
def test_primitive_matches_its_loop(name: str, dtype: torch.dtype) -> None:
    for case in (LONG, SHORT):
        op, loop, make = case[name]
        inputs = make(dtype)
        assert_close(op(*inputs), loop(*map(wide, inputs)))


@pytest.mark.parametrize("T", [2, 4])  # below and above the order
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["float64", "complex128"])
@pytest.mark.parametrize("name", LONG)
def test_derivatives_match_finite_differences(name: str, dtype: torch.dtype, T: int) -> None:
    op, _, make = cases(T, orders=3)[name]
    inputs = tuple(t.requires_grad_() for t in make(dtype))
    assert gradcheck(op, inputs, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)
    assert gradgradcheck(op, inputs, check_fwd_over_rev=True, check_rev_over_rev=True, check_batched_grad=True)


@pytest.mark.parametrize("transform", [jacrev, jacfwd, hessian], ids=["jacrev", "jacfwd", "hessian"])
@pytest.mark.parametrize("name", SHORT)
def test_transforms_match_those_of_the_loop(name: str, transform: Any) -> None:
    op, loop, make = SHORT[name]
    inputs = make(torch.float64)
    every = tuple(range(len(inputs)))
    expected = transform(lambda *p: loop(*p).square().sum(), every)(*inputs)
    assert_close(transform(lambda *p: op(*p).square().sum(), every)(*inputs), expected, GRADIENT_TOLERANCE)


@pytest.mark.parametrize("batched", [0, 1])
def test_vmap_lines_batches_up_in_front_of_the_axis_of_time(batched: int) -> None:
    inputs = [small(4, 9, 3, dtype=torch.float64), torch.randn(4, 9, dtype=torch.float64)]
    inputs[1 - batched] = inputs[1 - batched][0]
    dims = tuple(0 if i == batched else None for i in range(2))
    y = vmap(ops.allpole_forward, dims)(*inputs)
    rows = [(inputs[0][r] if batched == 0 else inputs[0], inputs[1][r] if batched else inputs[1]) for r in range(4)]
    assert_close(y, torch.stack([ops.allpole_forward(*row) for row in rows]), tolerance=0.0)


@pytest.mark.parametrize("lags", LAGS, ids=ids(LAGS))
def test_constant_coefficients_give_the_constant_filter(lags: tuple[int, bool]) -> None:
    a, x = small(1, 3, dtype=torch.float64).requires_grad_(), torch.randn(4, 50, dtype=torch.float64)

    constant, varying = ops.allpole_forward(a, x, None, *lags), ops.allpole_forward(a.expand(50, 3), x, None, *lags)

    assert_close(varying, constant)
    gradient, expected = (torch.autograd.grad(y.square().sum(), a)[0] for y in (varying, constant))
    assert_close(gradient, expected, GRADIENT_TOLERANCE)


def test_coefficients_shared_by_rows_are_not_copied() -> None:
    """Nothing but the output: 4 MB of shared coefficients for 64 rows would be 256 MB if they were."""
    a = torch.zeros(1 << 17, 8)
    x = torch.zeros(64, 1 << 17)
    with torch.profiler.profile(profile_memory=True) as profile:
        ops.allpole_forward(a, x)
    largest = max(event.self_cpu_memory_usage for event in profile.events())
    assert largest <= x.nbytes


@pytest.mark.kernels
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_allpole_primitive_runs_backwards_in_time_without_flips(dtype: torch.dtype, reverse: bool) -> None:
    a, x, zi = random_filter(0, 3, dtype)[1][..., 1:], torch.randn(5, 90, dtype=dtype), torch.randn(5, 3, dtype=dtype)

    y = ops.allpole_forward(a.unsqueeze(-2), x, zi, 0, reverse)

    turned = wide(x).flip(-1) if reverse else wide(x)
    expected = reference.allpole(wide(a), turned, wide(zi))[0]
    assert_close(y, expected.flip(-1) if reverse else expected)


@pytest.mark.parametrize("T", [2, 90])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_fir_primitive_sums_taps_of_the_past_or_of_the_future(dtype: torch.dtype, reverse: bool, T: int) -> None:
    b, x = torch.randn(2, 1, 4, dtype=dtype), torch.randn(5, T, dtype=dtype)

    y = ops.fir(b.unsqueeze(-2), x, 0, reverse)

    turned = wide(x).flip(-1) if reverse else wide(x)
    expected = reference.lfilter(wide(b), [1.0], turned)
    assert_close(y, expected.flip(-1) if reverse else expected)


@pytest.mark.kernels
@pytest.mark.parametrize("T", [0, 3, 90])
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
def test_lag_correlation_primitive_correlates_without_conjugating(dtype: torch.dtype, T: int) -> None:
    g, x = torch.randn(5, T, dtype=dtype), torch.randn(5, T, dtype=dtype)

    c = ops.lag_correlation(g, x, 5)

    lagged = [torch.nn.functional.pad(wide(x), (k, 0))[:, :T] for k in range(5)]
    assert_close(c, torch.stack([(wide(g) * one).sum(-1) for one in lagged], -1), TOLERANCE[dtype])
