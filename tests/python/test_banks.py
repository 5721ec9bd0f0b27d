"""Filters turned into modes: partial fractions and diagonalised state spaces."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import scipy.signal
import torch
from cases import requires_grad, state_space_inputs
from support import GRADIENT_TOLERANCE, assert_close, random_filter, wide
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import polezero

ORDERS = [(0, 1), (1, 2), (0, 5), (2, 2), (4, 2), (3, 0), (5, 6)]


def through_modes(b: Tensor, a: Tensor, x: Tensor) -> Tensor:
    residues, poles, direct = polezero.parallel_form(b, a)
    return polezero.lfilter(direct, [1.0], x) + polezero.modal_bank(poles, residues, x)


@pytest.mark.parametrize("lead", [(), (2,)], ids=str)
@pytest.mark.parametrize(("M", "N"), ORDERS)
def test_a_filter_is_its_modes_and_its_direct_part(M: int, N: int, lead: tuple[int, ...]) -> None:
    b, a = random_filter(M, N, lead=lead, a0=-1.5)
    inputs = requires_grad((b, a, torch.randn(2, 300, dtype=torch.float64)))
    y, expected = through_modes(*inputs), polezero.lfilter(*inputs)
    assert_close(y, expected, tolerance=1e-12)  # 1.5e-14 to 3e-13 measured: residues of order 6 cancel
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad(y, inputs, weights)
    assert_close(gradients, torch.autograd.grad(expected, inputs, weights), tolerance=1e-11)


def test_one_pole_of_each_pair_at_twice_its_residue_is_enough() -> None:
    b, a = random_filter(3, 6)
    residues, poles, direct = polezero.parallel_form(b, a)
    upper = poles.imag > 0
    assert upper.sum() == 3
    x = torch.randn(2, 300, dtype=torch.float64)
    half = polezero.modal_bank(poles[upper], 2 * residues[upper], x) + polezero.lfilter(direct, [1.0], x)
    assert_close(half, polezero.lfilter(b, a, x), tolerance=1e-12)


@pytest.mark.parametrize(("M", "N"), ORDERS)
def test_partial_fractions_are_those_of_scipy(M: int, N: int) -> None:
    b, a = random_filter(M, N)
    residues, poles, direct = polezero.parallel_form(b, a)
    r, p, k = (torch.tensor(v.copy()).cdouble() for v in scipy.signal.residuez(b.numpy(), a.numpy()))
    order = [int((p - pole).abs().argmin()) for pole in poles]
    assert_close((residues, poles), (r[order], p[order]), tolerance=1e-10)
    if M >= N:
        assert_close(direct, k.real, tolerance=1e-10)
    else:
        assert direct.tolist() == [0.0]


def test_leading_dimensions_broadcast() -> None:
    for N in (0, 2):
        b, a = random_filter(1, N, lead=(3, 1))[0], random_filter(1, N, lead=(2,))[1]
        shapes = [t.shape for t in polezero.parallel_form(b, a)]
        assert shapes == [(3, 2, N), (3, 2, N), (3, 2, max(1 - N, 0) + 1)]


def test_one_pole_at_zero_is_a_mode_too() -> None:
    b, a = torch.tensor([1.0, 1.0]).double(), torch.tensor([1.0, -0.5, 0.0]).double()
    x = torch.randn(50, dtype=torch.float64)
    assert_close(through_modes(b, a, x), polezero.lfilter(b, a, x))


def test_partial_fractions_have_derivatives_of_both_orders() -> None:
    b, a = requires_grad(random_filter(3, 2))

    def invariant(b: Tensor, a: Tensor) -> tuple[Tensor, ...]:
        """Of the order of the poles."""
        residues, poles, direct = polezero.parallel_form(b, a)
        return (residues * poles).sum().real, (residues.square() * poles**3).sum().real, direct

    assert gradcheck(invariant, (b, a), check_forward_ad=True)
    assert gradgradcheck(invariant, (b, a))


@pytest.mark.parametrize("lead", [(), (2,)], ids=str)
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 3)])
@pytest.mark.parametrize("S", [1, 2, 5])
def test_a_state_space_is_its_modes(S: int, inputs: int, outputs: int, lead: tuple[int, ...]) -> None:
    A, B, C, _, x, _ = requires_grad(state_space_inputs(S=S, I=inputs, O=outputs, T=200, lead=lead))
    poles, gains = polezero.diagonalise(A, B, C)
    delayed = torch.nn.functional.pad(x, (1, 0))[..., :-1]
    y = polezero.modal_bank(poles[..., None, None, :], gains, delayed.unsqueeze(-3)).sum(-2)
    expected = polezero.state_space(A, B, C, None, x)
    assert_close(y, expected, tolerance=1e-11)
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad(y, (A, B, C, x), weights)
    assert_close(gradients, torch.autograd.grad(expected, (A, B, C, x), weights), tolerance=1e-9)


def test_results_have_the_precision_of_the_arguments() -> None:
    b, a = random_filter(2, 3, torch.float32)
    exact = polezero.parallel_form(wide(b), wide(a))
    results = polezero.parallel_form(b, a)
    assert [t.dtype for t in results] == [torch.complex64, torch.complex64, torch.float32]
    assert_close(results, exact)
    assert [t.dtype for t in polezero.parallel_form([1.0], [1.0, 0.5])] == [torch.complex64] * 2 + [torch.float32]
    poles, gains = polezero.diagonalise([[0.5]], [[1.0]], torch.ones(1, 1).double())
    assert (poles.dtype, gains.dtype) == (torch.complex128, torch.complex128)


def test_both_compile_and_vmap() -> None:
    b, a = random_filter(3, 2, lead=(4,))
    expected = polezero.parallel_form(b, a)
    assert_close(torch.vmap(polezero.parallel_form)(b, a), expected, tolerance=1e-12)
    compiled = torch.compile(polezero.parallel_form, fullgraph=True, backend="aot_eager")
    assert_close(compiled(b, a), expected, tolerance=1e-12)
    A, B, C, *_ = state_space_inputs(S=3, lead=(4,))
    assert_close(torch.vmap(polezero.diagonalise)(A, B, C), polezero.diagonalise(A, B, C), tolerance=GRADIENT_TOLERANCE)


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape)


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "double": (
        lambda: polezero.parallel_form([1.0], [1.0, -1.0, 0.25]),
        r"parallel_form: a: expected poles at least 1e-05 apart, got a distance of \S+",
    ),
    "triple_in_a_row": (
        lambda: polezero.parallel_form([1.0], [[1.0, 0.0, 0.0, 0.3], [1.0, -1.5, 0.75, -0.125]]),
        r"parallel_form: a: expected poles at least 1e-05 apart, got a distance of \S+",
    ),
    "a_zero": (
        lambda: polezero.parallel_form([1.0, 1.0], [1.0, 0.0]),
        re.escape("parallel_form: a: expected a[..., 1] != 0 for M >= N, got 0"),
    ),
    "a0_zero": (
        lambda: polezero.parallel_form([1.0], [0.0, 1.0]),
        re.escape("lfilter: a: expected a[..., 0] != 0, got 0"),
    ),
    "repeated": (
        lambda: polezero.diagonalise(torch.eye(2), zeros(2, 1), zeros(1, 2)),
        re.escape("diagonalise: A: expected poles at least 1e-05 apart, got a distance of 0"),
    ),
    "A": (
        lambda: polezero.diagonalise(zeros(2, 3), zeros(2, 1), zeros(1, 2)),
        re.escape("diagonalise: A: expected [..., S, S], got shape [2, 3]"),
    ),
    "B": (
        lambda: polezero.diagonalise(torch.eye(2), zeros(1, 2), zeros(1, 2)),
        re.escape("diagonalise: B: expected [..., 2, I], got shape [1, 2]"),
    ),
    "C": (
        lambda: polezero.diagonalise(torch.eye(2), zeros(2, 1), zeros(2, 1)),
        re.escape("diagonalise: C: expected [..., O, 2], got shape [2, 1]"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(name: str) -> None:
    call, sentence = BAD[name]
    with pytest.raises(ValueError, match=sentence + "$"):
        call()
