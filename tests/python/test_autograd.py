"""Derivatives of every order and mode through torch.autograd, against finite differences and the reference."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
from cases import EXAMPLES, MAIN, SIZED
from cases.case import DOUBLES, Bound
from support import GRADIENT_TOLERANCE, assert_close, each, loss, requires_grad
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """On a busy machine MKL's second thread lets each small FFT wait for milliseconds."""
    torch.set_num_threads(1)


@each("autograd", EXAMPLES, DOUBLES)
def test_first_derivatives_match_finite_differences(example: Bound, dtype: torch.dtype) -> None:
    """In a random direction: entry by entry the next but one compares them with the reference, to the last digits."""
    function, _, inputs = example.at(example.small(dtype))
    assert gradcheck(
        function,
        requires_grad(inputs),
        fast_mode=True,
        check_forward_ad=True,
        check_undefined_grad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )


@each("autograd", MAIN)
def test_second_derivatives_match_finite_differences(example: Bound) -> None:
    function, _, inputs = example.at(example.small(example.call.dtypes[-1]))
    assert gradgradcheck(
        function,
        requires_grad(inputs),
        fast_mode=True,
        check_rev_over_rev=True,
        check_fwd_over_rev=True,
        check_undefined_grad=True,
        check_batched_grad=True,
    )


def slopes_of(y: Tensor, by: Sequence[Tensor], weight: Tensor | None = None) -> tuple[Tensor, ...]:
    """The gradients, zero by what y does not depend on."""
    if not y.requires_grad:
        return tuple(map(torch.zeros_like, by))
    return torch.autograd.grad(y, by, weight, create_graph=True, allow_unused=True, materialize_grads=True)


@each("autograd", EXAMPLES, DOUBLES)
def test_derivatives_match_those_of_the_reference(example: Bound, dtype: torch.dtype) -> None:
    """First and second order, each in reverse and in forward mode."""
    function, truth, inputs = example.at(example.small(dtype))
    tangents = [torch.randn_like(t) for t in inputs]

    def derivatives(f: Callable[..., Any]) -> dict[str, Any]:
        leaves = requires_grad(inputs)
        with forward_ad.dual_level():
            value = loss(f)(*(forward_ad.make_dual(t, s) for t, s in zip(leaves, tangents, strict=True)))
            slope = forward_ad.unpack_dual(value).tangent
            first, changes = zip(*map(forward_ad.unpack_dual, slopes_of(value, leaves)), strict=True)
            size = torch.stack([g.abs().square().sum() for g in first]).sum()
            return {
                "reverse": first,
                "forward": slope,
                "forward over reverse": [torch.zeros_like(g) if t is None else t for g, t in zip(first, changes)],
                "reverse over reverse": slopes_of(size, leaves),
                "reverse over forward": "reverse over forward" in example.case.lacks or slopes_of(slope, leaves),
            }

    got, expected = derivatives(function), derivatives(truth)
    for mode in got.keys() - example.case.lacks.keys():
        assert_close(got[mode], expected[mode], GRADIENT_TOLERANCE)


def subsets(n: int) -> list[tuple[int, ...]]:
    """Every choice of some of n things, but none and all."""
    return [chosen for size in range(1, n) for chosen in combinations(range(n), size)]


@each("autograd", EXAMPLES, DOUBLES)
def test_every_subset_of_inputs_gets_the_gradients_of_all(example: Bound, dtype: torch.dtype) -> None:
    """Through each output alone and through all of them, first and second order."""
    function, _, values = example.at(example.small(dtype))
    count = len(function(*values))
    choices = [tuple(range(count)), *((k,) for k in range(count) if count > 1)]

    def of_outputs(through: tuple[int, ...]) -> Callable[..., Any]:
        return lambda *inputs: tuple(function(*inputs)[k] for k in through)

    def gradients(chosen: tuple[int, ...], through: tuple[int, ...]) -> Any:
        """First derivatives by the chosen inputs, and a function from some of them to their own gradients."""
        inputs = [t.detach().clone().requires_grad_(k in chosen) for k, t in enumerate(values)]

        first = dict(zip(chosen, slopes_of(loss(of_outputs(through))(*inputs), [inputs[k] for k in chosen])))

        def second(by: tuple[int, ...]) -> tuple[Tensor, ...]:
            return slopes_of(torch.stack([first[k].abs().square().sum() for k in by]).sum(), [inputs[k] for k in by])

        return first, second

    for through in choices:
        first_of_all, second_of_all = gradients(tuple(range(len(values))), through)
        for chosen in subsets(len(values)):
            first, second = gradients(chosen, through)
            assert_close(list(first.values()), [first_of_all[k] for k in chosen], GRADIENT_TOLERANCE)
            assert_close(second(chosen), second_of_all(chosen), 10 * GRADIENT_TOLERANCE)


@each("autograd", MAIN)
def test_third_derivatives_match_those_of_the_reference(example: Bound) -> None:
    function, truth, inputs = example.at(example.small(torch.float64))
    leaves = requires_grad(inputs)

    def third(f: Callable[..., Any]) -> tuple[Tensor, ...]:
        first = slopes_of(loss(f)(*leaves), leaves)
        second = slopes_of(torch.stack([g.abs().square().sum() for g in first]).sum(), leaves)
        return slopes_of(torch.stack([g.abs().square().sum() for g in second]).sum(), leaves)

    assert_close(third(function), third(truth), 10 * GRADIENT_TOLERANCE)


@pytest.mark.kernels
@each("autograd", EXAMPLES)
def test_each_output_alone_sends_its_gradient(example: Bound) -> None:
    function, truth, inputs = example.at(example.small(example.call.dtypes[-1]))
    leaves = requires_grad(inputs)
    for got, expected in zip(function(*leaves), truth(*leaves), strict=True):
        weight = torch.randn_like(expected)
        assert_close(slopes_of(got, leaves, weight), slopes_of(expected, leaves, weight), GRADIENT_TOLERANCE)


@each("autograd", MAIN)
def test_each_tangent_alone_is_that_of_the_reference(example: Bound) -> None:
    """Without grad mode, in which nothing else computes."""
    function, truth, inputs = example.at(example.small(example.call.dtypes[-1]))
    for k, t in enumerate(inputs):
        tangent = torch.randn_like(t)

        def slopes(f: Callable[..., Any], k: int = k, tangent: Tensor = tangent) -> list[Tensor]:
            with torch.no_grad(), forward_ad.dual_level():
                dual = [*inputs]
                dual[k] = forward_ad.make_dual(inputs[k], tangent)
                pairs = [forward_ad.unpack_dual(y) for y in f(*dual)]
                return [torch.zeros_like(y) if slope is None else slope for y, slope in pairs]

        assert_close(slopes(function), slopes(truth), GRADIENT_TOLERANCE)


@each("autograd", MAIN, [torch.complex128])
def test_real_inputs_beside_a_complex_one_get_real_gradients(example: Bound, dtype: torch.dtype) -> None:
    function, truth, inputs = point = example.at(example.small(dtype))
    for k, t in enumerate(inputs):
        if t.is_complex():
            mixed = requires_grad([t.real if j != k and t.is_complex() else t for j, t in enumerate(inputs)])
            gradients = torch.autograd.grad(loss(function)(*mixed), mixed)
            assert [g.dtype for g in gradients] == [t.dtype for t in mixed], point.names[k]
            assert_close(gradients, torch.autograd.grad(loss(truth)(*mixed), mixed), GRADIENT_TOLERANCE)


@each("autograd", SIZED)
@pytest.mark.parametrize(("rows", "T"), [(2, 0), (0, 5)])
def test_signals_without_samples_have_zero_gradients(example: Bound, rows: int, T: int) -> None:
    if T < example.call.shortest:
        pytest.skip("refused")
    function, _, inputs = example.at(example.sized(rows, T, torch.float64))
    leaves = requires_grad(inputs)
    assert_close(slopes_of(function(*leaves)[0].sum(), leaves), [torch.zeros_like(t) for t in leaves], tolerance=0.0)
