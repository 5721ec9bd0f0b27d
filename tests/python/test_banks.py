"""Filters turned into modes: partial fractions and diagonalised state spaces."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
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


def test_as_many_rows_as_states_and_inputs_are_no_vectors() -> None:
    A, B, C, *_ = state_space_inputs(S=3, I=3, O=2, lead=(3,))
    poles, gains = polezero.diagonalise(A, B[0], C)
    each = [polezero.diagonalise(A[k], B[0], C[k]) for k in range(3)]
    assert_close((poles, gains), tuple(torch.stack(t) for t in zip(*each)))


def test_results_have_the_precision_of_the_arguments() -> None:
    b, a = random_filter(2, 3, torch.float32)
    exact = polezero.parallel_form(wide(b), wide(a))
    results = polezero.parallel_form(b, a)
    assert [t.dtype for t in results] == [torch.complex64, torch.complex64, torch.float32]
    assert_close(results, exact)
    assert [t.dtype for t in polezero.parallel_form([1.0], [1.0, 0.5])] == [torch.complex64] * 2 + [torch.float32]
    poles, gains = polezero.diagonalise([[0.5]], [[1.0]], torch.ones(1, 1).double())
    assert (poles.dtype, gains.dtype) == (torch.complex128, torch.complex128)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # of signals alone
        half = polezero.parallel_form(b.bfloat16(), a.bfloat16())
    assert [t.dtype for t in half] == [torch.complex64, torch.complex64, torch.bfloat16]


def test_both_compile_and_vmap() -> None:
    b, a = random_filter(3, 2, lead=(4,))
    expected = polezero.parallel_form(b, a)
    assert_close(torch.vmap(polezero.parallel_form)(b, a), expected, tolerance=1e-12)
    compiled = torch.compile(polezero.parallel_form, fullgraph=True, backend="aot_eager")
    assert_close(compiled(b, a), expected, tolerance=1e-12)
    A, B, C, *_ = state_space_inputs(S=3, lead=(4,))
    modes = polezero.diagonalise(A, B, C)
    assert_close(torch.vmap(polezero.diagonalise)(A, B, C), modes, tolerance=GRADIENT_TOLERANCE)
    compiled = torch.compile(polezero.diagonalise, fullgraph=True, backend="aot_eager")
    assert_close(compiled(A, B, C), modes, tolerance=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("multiplicity", [2, 3, 4, 5])
@pytest.mark.parametrize("pole", [0.5, -0.75])  # their powers are exact in both dtypes
def test_repeated_poles_are_refused(pole: float, multiplicity: int, dtype: torch.dtype) -> None:
    a = torch.from_numpy(np.poly([pole] * multiplicity)).to(dtype)
    assert torch.equal(a.double(), torch.from_numpy(np.poly([pole] * multiplicity)))
    with pytest.raises(ValueError, match="parallel_form: a: expected poles"):
        polezero.parallel_form([1.0], a)


def test_poles_of_common_filters_are_not_repeated() -> None:
    x = torch.randn(2000, dtype=torch.float64)
    for b, a in (scipy.signal.butter(12, 0.3), scipy.signal.butter(8, 0.05), scipy.signal.ellip(8, 0.5, 60, 0.2)):
        residues, poles, direct = polezero.parallel_form(b, torch.from_numpy(a))
        y = polezero.modal_bank(poles, residues, x) + direct * x
        assert_close(y, polezero.lfilter(b, a, x), 1e-6)  # 1.1e-7, of Butterworth's order 8


@pytest.mark.parametrize(("late", "delay"), [(3, 4), (7, 4), (3, 6), (0, 5), (2, 100)])
def test_poles_of_combs_are_not_repeated(late: int, delay: int) -> None:
    x, b, a = torch.randn(500, dtype=torch.float64), [0.0] * late + [1.0], [1.0] + [0.0] * (delay - 1) + [-0.5]
    residues, poles, direct = polezero.parallel_form(b, torch.tensor(a, dtype=torch.float64))
    y = polezero.modal_bank(poles, residues, x) + polezero.lfilter(direct, [1.0], x)
    assert_close(y, polezero.lfilter(b, a, x), 1e-12)


def test_under_transforms_no_value_is_looked_at() -> None:
    b, a = torch.ones(1), torch.tensor([1.0, -1.0, 0.25])  # a double pole
    for transformed in (
        torch.vmap(polezero.parallel_form),
        lambda b, a: torch.func.vjp(polezero.parallel_form, b, a)[0],
        torch.compile(polezero.parallel_form, fullgraph=True, backend="aot_eager"),
    ):
        residues, _, _ = transformed(b[None], a[None])
        assert residues.shape == (1, 2)


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
        re.escape("parallel_form: a: expected a[..., 0] != 0, got 0"),
    ),
    "four_of_one": (
        lambda: polezero.parallel_form([1.0], [1.0, -2.0, 1.5, -0.5, 0.0625]),
        r"parallel_form: a: expected poles so far apart that their residues are at most 10000 times .*, got \S+ times",
    ),
    "a_nan": (
        lambda: polezero.parallel_form([1.0, 2.0], [1.0, float("nan"), 1.0]),
        re.escape("parallel_form: a: expected finite numbers, got NaN or inf"),
    ),
    "A_inf": (
        lambda: polezero.diagonalise(torch.full((2, 2), torch.inf), zeros(2, 1), zeros(1, 2)),
        re.escape("diagonalise: A: expected finite numbers, got NaN or inf"),
    ),
    "defective": (
        lambda: polezero.diagonalise(torch.tensor([[0.5, 1.0], [-1e-8, 0.5]]), zeros(2, 1), zeros(1, 2)),
        r"diagonalise: A: expected eigenvectors with a condition number up to 2.9e\+03, got \S+",
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
    "rows": (
        lambda: polezero.diagonalise(torch.eye(2).expand(3, 2, 2), zeros(4, 2, 1), zeros(1, 2)),
        re.escape("diagonalise: B: expected leading dimensions that broadcast, got A [3, 2, 2], B [4, 2, 1], C [1, 2]"),
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
