"""Derivatives of every order and mode through torch.autograd, against finite differences and the reference."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
from cases import CASES, allpole_inputs, lfilter, lfilter_inputs, loss, requires_grad
from support import GRADIENT_TOLERANCE, assert_close, ids
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import polezero
from polezero import reference

DOUBLES = (torch.float64, torch.complex128)

PRIMITIVES: dict[str, tuple[Callable[..., Any], Callable[[torch.dtype], tuple[Tensor, ...]]]] = {
    "fir": (torch.ops.polezero.fir, lambda d: (torch.randn(1, 3, dtype=d), torch.randn(2, 4, dtype=d))),
    "fir_reverse": (
        lambda b, x: torch.ops.polezero.fir(b, x, 0, True),
        lambda d: (torch.randn(2, 1, 3, dtype=d), torch.randn(2, 4, dtype=d)),
    ),
    "lag_correlation": (
        lambda g, x: torch.ops.polezero.lag_correlation(g, x, 3),
        lambda d: (torch.randn(2, 4, dtype=d), torch.randn(2, 4, dtype=d)),
    ),
    "allpole_reverse": (
        lambda a, x, zi: torch.ops.polezero.allpole_forward(a.unsqueeze(-2), x, zi, 0, True),
        lambda d: allpole_inputs(d, lead_zi=(2,)),
    ),
    "lfilter_zi": (polezero.lfilter_zi, lambda d: lfilter_inputs(d, M=3, N=2, lead_a=(2,))[:2]),
    "lfiltic": (polezero.lfiltic, lambda d: (*lfilter_inputs(d, M=3)[:2], torch.randn(2, 4, dtype=d))),
    "sensitivity": (polezero.sensitivity, lambda d: lfilter_inputs(d, M=1, N=2, T=4, lead_x=())),
}
FUNCTIONS = {name: (case.function, case.inputs) for name, case in CASES.items()} | PRIMITIVES


@pytest.mark.parametrize("dtype", DOUBLES, ids=ids(DOUBLES))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_derivatives_match_finite_differences(name: str, dtype: torch.dtype) -> None:
    function, inputs = FUNCTIONS[name]
    assert gradcheck(
        function,
        requires_grad(inputs(dtype)),
        check_forward_ad=True,
        check_undefined_grad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )


@pytest.mark.parametrize("dtype", DOUBLES, ids=ids(DOUBLES))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_match_finite_differences(name: str, dtype: torch.dtype) -> None:
    function, inputs = FUNCTIONS[name]
    assert gradgradcheck(
        function,
        requires_grad(inputs(dtype)),
        check_rev_over_rev=True,
        check_fwd_over_rev=True,
        check_undefined_grad=True,
        check_batched_grad=True,
    )


@pytest.mark.parametrize("name", CASES)
def test_gradients_match_the_reference(name: str) -> None:
    function, truth, make = CASES[name]
    inputs = requires_grad(make(torch.complex128))

    gradients = torch.autograd.grad(loss(function)(*inputs), inputs)

    assert_close(gradients, torch.autograd.grad(loss(truth)(*inputs), inputs), GRADIENT_TOLERANCE)


def test_empty_memory_is_full_of_nan() -> None:
    """So that the tests here see what is returned without having been written (conftest.py)."""
    assert torch.empty(1000).isnan().all()


def subsets(n: int) -> list[tuple[int, ...]]:
    """Every choice of some of n things, but none and all."""
    return [chosen for size in range(1, n) for chosen in combinations(range(n), size)]


@pytest.mark.parametrize("dtype", DOUBLES, ids=ids(DOUBLES))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_subset_of_inputs_gets_the_gradients_of_all(name: str, dtype: torch.dtype) -> None:
    """Through each output alone and through all of them, first and second order."""
    function, make = FUNCTIONS[name]
    values = make(dtype)
    outputs = function(*values)
    count = len(outputs) if isinstance(outputs, tuple) else 1
    choices = [tuple(range(count)), *((k,) for k in range(count) if count > 1)]

    def gradients(chosen: tuple[int, ...], through: tuple[int, ...]) -> Any:
        """First derivatives by the chosen inputs, and a function from some of them to their own gradients."""
        inputs = [t.detach().clone().requires_grad_(k in chosen) for k, t in enumerate(values)]

        def some(*inputs: Tensor) -> tuple[Tensor, ...]:
            outputs = function(*inputs)
            return tuple((outputs if isinstance(outputs, tuple) else (outputs,))[k] for k in through)

        def grad(value: Tensor, by: tuple[int, ...]) -> dict[int, Tensor]:
            leaves = [inputs[k] for k in by]
            if not value.requires_grad:  # it depends on none of them
                return {k: torch.zeros_like(inputs[k]) for k in by}
            found = torch.autograd.grad(value, leaves, create_graph=True, materialize_grads=True)
            return dict(zip(by, found, strict=True))

        first = grad(loss(some)(*inputs), chosen)
        return first, lambda by: grad(sum(first[k].abs().square().sum() for k in by), by)

    for through in choices:
        first_of_all, second_of_all = gradients(tuple(range(len(values))), through)
        for chosen in subsets(len(values)):
            first, second = gradients(chosen, through)
            for k in chosen:
                assert_close(first[k], first_of_all[k], GRADIENT_TOLERANCE)
                assert_close(second(chosen)[k], second_of_all(chosen)[k], 10 * GRADIENT_TOLERANCE)


@pytest.mark.parametrize("output", ["y", "zf"])
@pytest.mark.parametrize("name", ["lfilter_zi", "lfilter_short", "lfilter_fir", "lfilter_two_pass_zi", "allpole_rows"])
def test_one_output_alone_sends_its_gradient(name: str, output: str) -> None:
    function, truth, make = CASES[name]
    inputs = requires_grad(make(torch.float64))
    k = ("y", "zf").index(output)
    weight = torch.randn_like(truth(*inputs)[k])

    gradients = torch.autograd.grad(function(*inputs)[k], inputs, weight, materialize_grads=True)

    expected = torch.autograd.grad(truth(*inputs)[k], inputs, weight, materialize_grads=True)
    assert_close(gradients, expected, GRADIENT_TOLERANCE)


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
        y, zf = lfilter(*inputs, backward=backward)
        outputs = {"y": (y,), "zf": (zf,), "both": (y, zf)}[through]
        weights = [torch.randn_like(t) for t in outputs]
        return torch.autograd.grad(outputs, inputs[: 4 if with_zi else 3], weights)

    assert_close(gradients("two_pass"), gradients("one_pass"), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("with_zi", [False, True], ids=["rest", "zi"])
@pytest.mark.parametrize("rows", [(), (3,)], ids=["shared", "rows"])
@pytest.mark.parametrize("T", [2, 40])
@pytest.mark.parametrize("N", [1, 2, 5])
def test_allpole_one_pass_equals_two_pass(N: int, T: int, rows: tuple[int, ...], with_zi: bool) -> None:
    inputs = requires_grad(allpole_inputs(N=N, T=T, lead_a=rows, lead_x=(3,), lead_zi=(3,) if with_zi else None))

    def gradients(backward: str) -> tuple[Tensor, ...]:
        return torch.autograd.grad(loss(lambda *p: polezero.allpole(*p, backward=backward))(*inputs), inputs)

    assert_close(gradients("two_pass"), gradients("one_pass"), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("name", ["lfilter_zi", "lfilter_two_pass_zi", "allpole_rows", "allpole_two_pass_zi"])
def test_third_order_matches_the_reference(name: str) -> None:
    function, truth, make = CASES[name]
    inputs = requires_grad(make(torch.float64))

    def third(f: Callable[..., Any]) -> tuple[Tensor, ...]:
        first = torch.autograd.grad(loss(f)(*inputs), inputs, create_graph=True)
        second = torch.autograd.grad(sum((g**2).sum() for g in first), inputs, create_graph=True)
        return torch.autograd.grad(sum((g**3).sum() for g in second), inputs)

    assert_close(third(function), third(truth), tolerance=10 * GRADIENT_TOLERANCE)


@pytest.mark.parametrize("name", ["lfilter_zi", "lfilter_two_pass_zi", "allpole_rows"])
def test_one_tangent_at_a_time(name: str) -> None:
    function, truth, make = CASES[name]
    inputs = make(torch.complex128)
    for k in range(len(inputs)):
        tangent = torch.randn_like(inputs[k])

        def tangents(f: Callable[..., Any], k: int = k, tangent: Tensor = tangent) -> list[Tensor]:
            with forward_ad.dual_level():
                dual = [*inputs]
                dual[k] = forward_ad.make_dual(inputs[k], tangent)
                return [forward_ad.unpack_dual(t).tangent for t in f(*dual)]

        assert_close(tangents(function), tangents(truth), GRADIENT_TOLERANCE)


def test_forward_mode_works_without_grad_mode() -> None:
    inputs = lfilter_inputs()
    tangent = torch.randn_like(inputs[0])
    with torch.no_grad(), forward_ad.dual_level():
        y = lfilter(forward_ad.make_dual(inputs[0], tangent), *inputs[1:])
        assert_close(forward_ad.unpack_dual(y).tangent, reference.lfilter(tangent, *inputs[1:]), GRADIENT_TOLERANCE)


def test_reverse_over_forward_matches_the_reference() -> None:
    function, truth, make = CASES["lfilter_zi"]
    inputs, tangents = requires_grad(make(torch.float64)), make(torch.float64)

    def gradients(f: Callable[..., Any]) -> tuple[Tensor, ...]:
        with forward_ad.dual_level():
            dual = [forward_ad.make_dual(t, s) for t, s in zip(inputs, tangents, strict=True)]
            outputs = [forward_ad.unpack_dual(t).tangent for t in f(*dual)]
            return torch.autograd.grad([t.square().sum() for t in outputs], inputs)

    assert_close(gradients(function), gradients(truth), GRADIENT_TOLERANCE)


@pytest.mark.parametrize("complex_input", ["b", "a", "x", "zi"])
def test_real_inputs_of_a_complex_filter_get_real_gradients(complex_input: str) -> None:
    real = lfilter_inputs(lead_zi=(2,))
    names = ("b", "a", "x", "zi")
    inputs = requires_grad(
        tuple(t * (1 + 0.3j) if name == complex_input else t for name, t in zip(names, real, strict=True))
    )

    gradients = torch.autograd.grad(loss(lfilter)(*inputs), inputs)

    assert [g.dtype for g in gradients] == [t.dtype for t in inputs]
    truth = CASES["lfilter"].truth
    assert_close(gradients, torch.autograd.grad(loss(truth)(*inputs), inputs), GRADIENT_TOLERANCE)
    assert gradcheck(lfilter, inputs, check_forward_ad=True, check_batched_grad=True)


def test_gradients_take_the_dtypes_of_mixed_inputs() -> None:
    b, a, x = lfilter_inputs(T=30)
    inputs = requires_grad((b.float(), a, x.float()))

    y = lfilter(*inputs)
    gradients = torch.autograd.grad(y.square().sum(), inputs)

    assert y.dtype == torch.float64
    assert [g.dtype for g in gradients] == [torch.float32, torch.float64, torch.float32]
    assert_close(gradients, torch.autograd.grad(reference.lfilter(*inputs).square().sum(), inputs))


@pytest.mark.parametrize("name", ["lfilter", "lfilter_two_pass", "allpole", "allpole_two_pass"])
@pytest.mark.parametrize("shape", [(2, 0), (0, 5)], ids=str)
def test_empty_signals_have_zero_gradients(name: str, shape: tuple[int, int]) -> None:
    *coefficients, x = CASES[name].inputs(torch.float64)
    inputs = requires_grad((*(t.reshape(-1, t.shape[-1])[0] for t in coefficients), x.new_empty(shape)))

    gradients = torch.autograd.grad(CASES[name].function(*inputs).sum(), inputs)

    assert_close(gradients, [torch.zeros_like(t) for t in inputs], tolerance=0.0)
