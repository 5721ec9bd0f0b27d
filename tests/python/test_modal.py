"""Banks of modes against plain loops and filters of the same poles; filters and systems turned into modes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from cases.modal import modal_inputs
from cases.state_space import state_space_inputs
from cases.tensors import random_filter
from support import GRADIENT_TOLERANCE, REAL, KernelCalls, assert_close, ids, loss, relative_rms, requires_grad, wide
from torch import Tensor

import polezero
from polezero import reference


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", REAL, ids=ids(REAL))
@pytest.mark.parametrize("zi", [False, True], ids=["rest", "zi"])
@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("modes", [0, 1, 3, 17, 64])
@pytest.mark.parametrize("T", [0, 1, 7, 127, 128, 300, 1000])
def test_modal_bank_matches_its_loop(T: int, modes: int, kind: str, zi: bool, dtype: torch.dtype) -> None:
    inputs = modal_inputs(dtype if kind == "real" else dtype.to_complex(), modes=modes, T=T, zi=zi, lead=(2,))

    result = polezero.modal_bank(*inputs)

    assert_close(result, reference.modal_bank(*map(wide, inputs)))
    y, zf = result if zi else (result, torch.zeros((), dtype=dtype.to_complex()))
    assert (y.dtype, zf.dtype) == (dtype, dtype.to_complex())


@pytest.mark.parametrize(
    ("lead", "rows"), [((), (2, 3)), ((3,), (2, 1)), ((4, 1, 1), (2, 3)), ((2,), ()), ((), (0,)), ((0,), ())], ids=str
)
def test_leading_dimensions_broadcast(lead: tuple[int, ...], rows: tuple[int, ...]) -> None:
    poles, gains, _ = modal_inputs(torch.complex128, lead=lead)
    x = torch.randn(*rows, 150, dtype=torch.float64)
    inputs = requires_grad((poles, gains[..., :1, :] if lead else gains, x))
    truth = reference.modal_bank(*inputs)
    assert_close(polezero.modal_bank(*inputs), truth)
    weights = torch.randn_like(truth)
    expected = torch.autograd.grad(truth, inputs, weights)
    assert_close(
        torch.autograd.grad(polezero.modal_bank(*inputs), inputs, weights), expected, tolerance=GRADIENT_TOLERANCE
    )


@pytest.mark.parametrize("output", [0, 1], ids=["y", "zf"])
@pytest.mark.parametrize("T", [0, 9, 400])
def test_each_input_and_output_alone_has_the_gradients_of_the_loop(T: int, output: int) -> None:
    inputs = requires_grad(modal_inputs(torch.complex128, T=T, zi=True))

    def value(function: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Tensor:
        return loss(lambda: function(*inputs)[output])()

    expected = torch.autograd.grad(value(reference.modal_bank, inputs), inputs, materialize_grads=True)
    for k, gradient in enumerate(expected):
        alone = [t.detach() for t in inputs]
        alone[k].requires_grad_()
        one = torch.autograd.grad(
            value(polezero.modal_bank, tuple(alone)), alone[k], allow_unused=True, materialize_grads=True
        )
        assert_close(one, (gradient,), GRADIENT_TOLERANCE)


def test_a_conjugate_pair_is_one_mode_of_twice_the_gain() -> None:
    poles, gains, x = modal_inputs(torch.complex128, T=500)
    both = polezero.modal_bank(torch.cat([poles, poles.conj()]), torch.cat([gains, gains.conj()]), x)
    assert_close(polezero.modal_bank(poles, 2 * gains, x), both)


def test_a_pair_of_poles_is_a_filter_of_second_order() -> None:
    pole, gain = torch.tensor([0.8 + 0.5j]).cdouble(), torch.tensor([0.3 - 2j]).cdouble()
    x = torch.randn(2, 400, dtype=torch.float64)
    b = torch.stack([gain.real, -(gain * pole.conj()).real], -1)[0]
    a = torch.stack([torch.ones(1), -2 * pole.real, pole.abs() ** 2], -1)[0].double()
    assert_close(polezero.modal_bank(pole, gain, x), polezero.lfilter(b, a, x), tolerance=1e-13)


# |p|^n for 500 000 samples: an error of one rounding a sample would be 5e-11.
def test_a_mode_that_hardly_decays_keeps_its_phase() -> None:
    n = torch.arange(500_000, dtype=torch.float64)
    pole = torch.tensor([0.999999 * torch.exp(torch.tensor(0.7j).cdouble())])
    exact = (pole.log() * n).exp().real
    impulse = (n == 0).double()
    assert relative_rms(polezero.modal_bank(pole, [1.0], impulse), exact) < 1e-10  # 1.8e-11 are those of exp


def test_neither_states_nor_products_are_kept() -> None:
    """What the graph saves is what was given; the backward pass is one filter and one correlation."""
    inputs = requires_grad(modal_inputs(torch.complex128, modes=50, T=2000))
    saved: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        y = polezero.modal_bank(*inputs)
    assert sum(saved) <= sum(t.numel() for t in inputs)
    with KernelCalls() as kernels:
        y.sum().backward()
    assert sorted(kernels.names) == ["modal_bank_forward", "modal_correlation"]


# ---- parallel_form and diagonalise

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


def test_leading_dimensions_of_b_and_a_broadcast() -> None:
    for N in (0, 2):
        b, a = random_filter(1, N, lead=(3, 1))[0], random_filter(1, N, lead=(2,))[1]
        shapes = [t.shape for t in polezero.parallel_form(b, a)]
        assert shapes == [(3, 2, N), (3, 2, N), (3, 2, max(1 - N, 0) + 1)]


def test_one_pole_at_zero_is_a_mode_too() -> None:
    b, a = torch.tensor([1.0, 1.0]).double(), torch.tensor([1.0, -0.5, 0.0]).double()
    x = torch.randn(50, dtype=torch.float64)
    assert_close(through_modes(b, a, x), polezero.lfilter(b, a, x))


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
    assert [t.dtype for t in polezero.parallel_form([1.0], [1.0, 0.5])] == [torch.complex128] * 2 + [torch.float64]
    poles, gains = polezero.diagonalise([[0.5]], [[1.0]], torch.ones(1, 1).double())
    assert (poles.dtype, gains.dtype) == (torch.complex128, torch.complex128)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # of signals alone
        half = polezero.parallel_form(b.bfloat16(), a.bfloat16())
    assert [t.dtype for t in half] == [torch.complex64, torch.complex64, torch.bfloat16]


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
