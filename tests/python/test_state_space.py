"""polezero.state_space and polezero.lpv.state_space, against plain loops, SciPy and each other."""

from typing import Any

import pytest
import scipy.signal
import torch
from cases.state_space import state_space_inputs
from support import DTYPES, GRADIENT_TOLERANCE, KernelCalls, assert_close, ids, relative_rms, wide
from torch import Tensor

import polezero
from polezero import lpv, reference

SIZES = [(1, 1, 1), (2, 1, 3), (4, 1, 1), (4, 2, 2), (5, 3, 1), (9, 1, 2)]  # states, inputs, outputs


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("rows", [1, 3, 8, 20])
@pytest.mark.parametrize("T", [0, 1, 63, 64, 200])
@pytest.mark.parametrize(("S", "inputs", "outputs"), SIZES)
def test_state_space_matches_its_loop(S: int, inputs: int, outputs: int, T: int, rows: int, dtype: torch.dtype) -> None:
    system = state_space_inputs(dtype, S=S, I=inputs, O=outputs, T=T, rows=rows)

    y, zf = polezero.state_space(*system)

    assert y.dtype == zf.dtype == dtype
    assert_close((y, zf), reference.state_space(*map(wide, system)))


@pytest.mark.parametrize("dtype", DTYPES, ids=ids(DTYPES))
@pytest.mark.parametrize("rows", [1, 9])
@pytest.mark.parametrize("constant", ["", "A", "BCD"])
@pytest.mark.parametrize("lead", [(), (9,)], ids=["shared", "one_a_row"])
def test_lpv_state_space_matches_its_loop(lead: tuple[int, ...], constant: str, rows: int, dtype: torch.dtype) -> None:
    system = state_space_inputs(dtype, T=90, rows=rows, over_time=True, constant=constant, lead=lead)

    assert_close(lpv.state_space(*system), reference.lpv_state_space(*map(wide, system)))


def test_state_space_matches_scipy() -> None:
    A, B, C, D, x, zi = state_space_inputs(S=3, I=2, O=2, T=50, rows=1)
    _, y, _ = scipy.signal.dlsim(
        (*(m.cpu().numpy() for m in (A, B, C, D)), 1), x[0].T.cpu().numpy(), x0=zi[0].cpu().numpy()
    )

    assert_close(polezero.state_space(A, B, C, D, x, zi)[0][0], torch.from_numpy(y).T)


def test_constant_matrices_give_the_constant_system() -> None:
    system = state_space_inputs(S=3, T=40, rows=9)

    expected = polezero.state_space(*system)

    A, B, C, D, x, zi = system
    for times in (1, 40):
        assert_close(lpv.state_space(*(m.expand(times, *m.shape) for m in (A, B, C, D)), x, zi), expected)


def test_a_filter_in_state_space_is_lfilter() -> None:
    b, a = torch.tensor([0.3, 0.2, -0.1, 0.4]).double(), torch.tensor([1.0, -0.5, 0.3, 0.1]).double()
    x = torch.randn(2, 60, dtype=torch.float64)
    A, B, C, D = (torch.from_numpy(m).to(x) for m in scipy.signal.tf2ss(b.cpu().numpy(), a.cpu().numpy()))

    assert_close(polezero.state_space(A, B, C, D, x[:, None])[:, 0], polezero.lfilter(b, a, x), tolerance=1e-13)


@pytest.mark.parametrize("missing", ["D", "CD"])
def test_without_C_the_states_are_returned_and_without_D_nothing_is_added(missing: str) -> None:
    A, B, C, D, x, zi = state_space_inputs(T=20)
    C, D = None if "C" in missing else C, None

    y, zf = polezero.state_space(A, B, C, D, x, zi)

    assert_close((y, zf), reference.state_space(A, B, C, D, x, zi))
    if C is None:
        assert_close(y[..., 0], zi)
        assert_close(y[..., 1:], A @ y[..., :-1] + B @ x[..., :-1])


def test_systems_broadcast_against_signals() -> None:
    x = torch.randn(3, 1, 8)
    A = torch.rand(5, 1, 2, 2) * 0.4  # a system for each of five, on each of three signals
    y = polezero.state_space(A, [[1.0], [0.0]], [[1.0, 1.0]], None, x)

    assert y.shape == (5, 3, 1, 8)
    assert_close(y[4], polezero.state_space(A[4], [[1.0], [0.0]], [[1.0, 1.0]], None, x))


def test_gradients_without_those_of_the_matrices_compute_no_states() -> None:
    A, B, C, D, x, _ = state_space_inputs(T=64)
    y = polezero.state_space(A, B, C, D, x.requires_grad_())
    with KernelCalls() as kernels:
        y.sum().backward()
    assert kernels.names == ["state_space_forward"]


def rotation(radius: float, angle: float) -> Tensor:
    c, s = torch.tensor(angle).cos() * radius, torch.tensor(angle).sin() * radius
    return torch.stack([torch.stack([c, -s]), torch.stack([s, c])])


@pytest.mark.parametrize(("radius", "limit"), [(0.9, 3e-7), (0.999, 3e-7), (0.99999, 3e-7)])
@pytest.mark.parametrize("rows", [1, 16])
def test_float32_is_accurate_near_the_unit_circle(rows: int, radius: float, limit: float) -> None:
    B, C, D = torch.ones(2, 1), torch.ones(1, 2), torch.ones(1, 1)
    for angle in (0.003, 0.1, 1.0, 3.1):
        A, x = rotation(radius, angle), torch.randn(rows, 1, 20000)
        system = [t.requires_grad_() for t in (A, B, C, D)]
        exact = [wide(t).requires_grad_() for t in system]

        y, expected = polezero.state_space(*system, x), polezero.state_space(*exact, wide(x))

        assert relative_rms(y, expected) <= limit
        g = torch.randn_like(y)
        gradients = torch.autograd.grad(y, system, g)
        for gradient, true in zip(gradients, torch.autograd.grad(expected, exact, wide(g)), strict=True):
            assert relative_rms(gradient, true) <= 1e-6


def test_gradients_at_every_size_match_the_reference() -> None:
    for S, inputs, outputs in SIZES:
        for rows in (1, 9):
            system = [t.requires_grad_() for t in state_space_inputs(S=S, I=inputs, O=outputs, T=70, rows=rows)]

            def gradients(function: Any, system: list[Tensor] = system) -> Any:
                y, zf = function(*system)
                return torch.autograd.grad(y.square().sum() + zf.sin().sum(), system)

            assert_close(gradients(polezero.state_space), gradients(reference.state_space), GRADIENT_TOLERANCE)
